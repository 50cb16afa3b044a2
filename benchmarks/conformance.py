"""scikit-image's own tests of `graycomatrix` and `graycoprops`, run against ours.

    python -m benchmarks.conformance                  # fetches the sdist from the package index
    python -m benchmarks.conformance --sdist FILE     # one that is already here

Nothing of scikit-image is kept: the class TestGLCM is taken out of the archive into a temporary
folder, its imports are replaced by ours, and pytest runs it. Without a network and without
`--sdist` it says so and ends with code 0: nothing was tested. The index is $PIP_INDEX_URL, or PyPI.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

VERSION = "0.26.0"
PAGE = "tests/skimage/feature/test_texture.py"
WANTED = "TestGLCM"
HEAD = '''
import functools, threading
import numpy as np
import pytest
from lesionkit.texture import graycomatrix, graycoprops


def run_in_parallel(*_, **__):
    """Their decorator: the test once in each of a few threads at the same time."""
    def decorate(test):
        @functools.wraps(test)
        def several(*args, **named):
            problems = []
            def one():
                try:
                    test(*args, **named)
                except BaseException as problem:
                    problems.append(problem)
            threads = [threading.Thread(target=one) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if problems:
                raise problems[0]
        return several
    return decorate


'''


class Links(HTMLParser):
    """The addresses on a page of the package index."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("href")
        if tag == "a" and address:
            self.found.append(address)


def fetch(version: str) -> bytes:
    """The sdist of scikit-image, checked against the index's SHA-256."""
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")
    page = f"{index}/scikit-image/"
    links = Links()
    links.feed(urllib.request.urlopen(page, timeout=30).read().decode())
    name = f"scikit_image-{version}.tar.gz"
    for link in links.found:
        address, _, mark = urllib.parse.urljoin(page, link).partition("#")
        if address.endswith(name):
            data: bytes = urllib.request.urlopen(address, timeout=120).read()
            method, _, digest = mark.partition("=")
            if method == "sha256" and hashlib.sha256(data).hexdigest() != digest:
                raise OSError(f"{name} is not what the index says it is")
            return data
    raise OSError(f"{index} has no {name}")


def their_tests(archive: bytes) -> str:
    """The class of tests alone, as they wrote it, behind our head."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        member = next(m for m in files.getmembers() if m.name.endswith(PAGE))
        page = files.extractfile(member)
        assert page is not None
        text = page.read().decode()
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef) and node.name == WANTED:
            return HEAD + (ast.get_source_segment(text, node) or "") + "\n"
    raise LookupError(f"{PAGE} has no class {WANTED}")


def run(tests: str, options: Sequence[str]) -> int:
    """pytest's exit code, in a folder of its own, without this project's settings."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "test_theirs.py").write_text(tests)
        (Path(folder) / "pytest.ini").write_text("[pytest]\n")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
        paths = [path for path in sys.path if path]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
        return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.conformance", description=__doc__)
    parser.add_argument("--sdist", type=Path, metavar="FILE", help="do not fetch, read this")
    parser.add_argument("--version", default=VERSION, help=f"of scikit-image ({VERSION})")
    options, rest = parser.parse_known_args(arguments)
    try:
        archive = options.sdist.read_bytes() if options.sdist else fetch(options.version)
    except (urllib.error.URLError, OSError) as problem:
        print(f"skipped: scikit-image's sdist cannot be had here ({problem})")
        return 0
    return run(their_tests(archive), rest or ["-q"])


if __name__ == "__main__":
    sys.exit(main())
