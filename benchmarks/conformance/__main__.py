"""The peers' own tests, run against ours.

    python -m benchmarks.conformance                        # all suites
    python -m benchmarks.conformance scikit-learn           # one; its sdist comes from the index
    python -m benchmarks.conformance scikit-image --sdist FILE

Nothing of theirs is kept: the tests are taken out of the archive into a temporary folder, their
imports of what is tested become imports of ours, and pytest runs them. What is left out is left
out by name, with a reason, and counted. Without a network and without `--sdist` it says so and
ends with code 0: nothing was tested. The index is $PIP_INDEX_URL, or PyPI.
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
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from benchmarks.conformance import fronts as conformance_fronts
from benchmarks.conformance.heads import (
    SCIKIT_FUZZY,
    SCIKIT_IMAGE,
    SCIKIT_LEARN,
    SCIKIT_LEARN_FIXTURES,
)


class Suite(NamedTuple):
    """Tests of one peer. `ours` turns their file into one that tests ours."""

    version: str
    page: str
    ours: Callable[[str], str]
    left_out: dict[str, str] = {}  # noqa: RUF012  a part of a test's name -> why
    fixtures: str = ""  # of their conftest.py, that the tests ask for


def installed(project: str, otherwise: str) -> str:
    """A peer's tests use what is private to it: they must be of the version that is installed."""
    try:
        return version(project)
    except PackageNotFoundError:
        return otherwise


def one_class(text: str) -> str:
    """scikit-image: the class of tests of co-occurrence alone, behind our head."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef) and node.name == "TestGLCM":
            return SCIKIT_IMAGE + (ast.get_source_segment(text, node) or "") + "\n"
    raise LookupError("scikit-image's tests have no class TestGLCM")


def replaced(old: str, new: str) -> Callable[[str], str]:
    def ours(text: str) -> str:
        if text.count(old) != 1:
            raise LookupError(f"their tests have {text.count(old)} lines {old!r}, and not 1")
        return text.replace(old, new)

    return ours


NOT_OURS = "tests what lesionkit does not offer"
SUITES = {
    "scikit-image": Suite("0.26.0", "tests/skimage/feature/test_texture.py", one_class),
    "scikit-learn": Suite(
        installed("scikit-learn", "1.9.1"),
        "sklearn/cluster/tests/test_k_means.py",
        replaced("from sklearn.cluster import KMeans, MiniBatchKMeans, ", SCIKIT_LEARN),
        {
            "sparse": "samples in a sparse matrix, which ours refuses",
            "X_csr": "samples in a sparse matrix, which ours refuses",
            "csr_": "samples in a sparse matrix, which ours refuses",
            "MiniBatch": f"MiniBatchKMeans: {NOT_OURS}",
            "minibatch": f"MiniBatchKMeans: {NOT_OURS}",
            "test_kmeans_plusplus": f"the function kmeans_plusplus: {NOT_OURS}",
            "test_k_means_function": f"the function k_means: {NOT_OURS}",
            "test_relocate_empty_clusters": "a private function of scikit-learn",
            "test_euclidean_distance": "a private function of scikit-learn",
            "test_inertia": "a private function of scikit-learn",
            "test_is_same_clustering": "a private function of scikit-learn",
            "test_sample_weight_init": "a private method of scikit-learn's class",
            "test_sample_weight_zero": "a private method of scikit-learn's class",
        },
        SCIKIT_LEARN_FIXTURES,
    ),
    "scikit-fuzzy": Suite(
        "0.5.0",
        "skfuzzy/cluster/tests/test_cmeans.py",
        replaced("import skfuzzy as fuzz\n", SCIKIT_FUZZY),
    ),
    "scikit-fmm": Suite(
        conformance_fronts.VERSION,
        conformance_fronts.PAGE,
        conformance_fronts.their_doctests,
        conformance_fronts.LEFT_OUT,
    ),
}

# Leaves tests out, and says at the end which and why.
CONFTEST = """
LEFT_OUT = {left_out!r}
_why = {{}}

{fixtures}
def pytest_collection_modifyitems(config, items):
    kept = []
    for item in items:
        reason = next((why for part, why in LEFT_OUT.items() if part in item.name), None)
        if reason is None:
            kept.append(item)
        else:
            _why[reason] = _why.get(reason, 0) + 1
    config.hook.pytest_deselected(items=[i for i in items if i not in kept])
    items[:] = kept


def pytest_terminal_summary(terminalreporter):
    for reason, count in _why.items():
        terminalreporter.line(f"left out: {{count:4}}  {{reason}}")
"""


class Links(HTMLParser):
    """The addresses on a page of the package index."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("href")
        if tag == "a" and address:
            self.found.append(address)


def fetch(project: str, wanted: str) -> bytes:
    """The sdist of a project, checked against the index's SHA-256."""
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")
    page = f"{index}/{project}/"
    links = Links()
    links.feed(urllib.request.urlopen(page, timeout=30).read().decode())
    name = f"{project.replace('-', '_')}-{wanted}.tar.gz"
    for link in links.found:
        address, _, mark = urllib.parse.urljoin(page, link).partition("#")
        if address.endswith(name):
            data: bytes = urllib.request.urlopen(address, timeout=120).read()
            method, _, digest = mark.partition("=")
            if method == "sha256" and hashlib.sha256(data).hexdigest() != digest:
                raise OSError(f"{name} is not what the index says it is")
            return data
    raise OSError(f"{index} has no {name}")


def their_tests(suite: Suite, archive: bytes) -> str:
    """The tests as they wrote them, of ours."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        member = next(m for m in files.getmembers() if m.name.endswith(suite.page))
        page = files.extractfile(member)
        assert page is not None
        return suite.ours(page.read().decode())


def run(suite: Suite, tests: str, options: Sequence[str]) -> int:
    """pytest's exit code, in a folder of its own, without this project's settings."""
    with tempfile.TemporaryDirectory() as folder:
        conftest = CONFTEST.format(left_out=suite.left_out, fixtures=suite.fixtures)
        (Path(folder) / "test_theirs.py").write_text(tests)
        (Path(folder) / "conftest.py").write_text(conftest)
        (Path(folder) / "pytest.ini").write_text("[pytest]\n")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
        paths = [path for path in sys.path if path]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
        return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.conformance",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("suite", nargs="?", default="all", choices=[*SUITES, "all"])
    parser.add_argument("--sdist", type=Path, metavar="FILE", help="do not fetch, read this")
    parser.add_argument("--version", help="of the peer, if not the one that we tested with")
    options, rest = parser.parse_known_args(arguments)
    if options.suite == "all" and (options.sdist or options.version):
        parser.error("--sdist and --version need the name of a suite")
    worst = 0
    for project in SUITES if options.suite == "all" else [options.suite]:
        suite = SUITES[project]
        wanted = options.version or suite.version
        print(f"\n{project} {wanted}: {suite.page}", flush=True)
        try:
            archive = options.sdist.read_bytes() if options.sdist else fetch(project, wanted)
        except (urllib.error.URLError, OSError) as problem:
            print(f"skipped: {project}'s sdist cannot be had here ({problem})")
            continue
        worst = max(worst, run(suite, their_tests(suite, archive), rest or ["-q"]))
    return worst


if __name__ == "__main__":
    sys.exit(main())
