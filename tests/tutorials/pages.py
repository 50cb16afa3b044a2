"""The tutorials, run from top to bottom in an empty folder, as a reader types them.

    python tests/tutorials/pages.py docs/tutorials/*.md    writes outputs and pictures

Blocks of Python share their names. Lines of bash that begin with `lesionkit` run in this process;
installing is left out. How long something took, and how much memory, is printed as …
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lesionkit import cli

BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.M | re.S)
PICTURE = re.compile(r"!\[[^]]*\]\(([\w-]+\.png)\)")
# Seconds, phantoms a second, memory, sizes of files, the last digits of a training.
CHANGING = re.compile(
    r"\b[\d.,]+(?= s\b| a second| MiB| KiB| kB| MB)|(?<=validation )[\d.]+|(?<=s, )[\d.]+(?= a)"
)


class Page:
    """A page and what it shows."""

    def __init__(self, path: Path) -> None:
        self.path, self.text = path, path.read_text()
        self.extras = re.findall(r"pip install [^\n]*\[([\w,]+)\]", self.text)
        self.pictures = PICTURE.findall(self.text)

    def run(self, folder: Path) -> Iterator[tuple[re.Match[str], str]]:
        """Each block that can run, and what it prints, in that folder."""
        names: dict[str, object] = {}
        with contextlib.chdir(folder):
            for block in BLOCK.finditer(self.text):
                kind, code, _ = block.groups()
                if kind == "bash" and not code.startswith("lesionkit "):
                    continue
                printed = io.StringIO()
                with contextlib.redirect_stdout(printed):
                    if kind == "python":
                        exec(compile(code, self.path.name, "exec"), names)
                    else:
                        for line in code.replace("\\\n", " ").splitlines():
                            assert cli.main(shlex.split(line)[1:]) == 0, line
                yield block, CHANGING.sub("…", printed.getvalue())


def fill(path: Path) -> None:
    """Write the page with what it prints, and its pictures beside it."""
    page, told, at = Page(path), "", 0
    with tempfile.TemporaryDirectory() as folder:
        for block, printed in page.run(Path(folder)):
            start = page.text.index("```\n", block.start(2)) + 4
            told += page.text[at:start] + (f"\n```text\n{printed}```\n" if printed else "")
            at = block.end()
        for name in page.pictures:
            shutil.copy(Path(folder) / name, path.parent / name)
    path.write_text(told + page.text[at:])


if __name__ == "__main__":
    os.environ["MPLBACKEND"] = "agg"
    for name in sys.argv[1:]:
        fill(Path(name).resolve())
