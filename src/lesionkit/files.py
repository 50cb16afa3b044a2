"""Files that are there whole or not at all, and folders to put them in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

# What ends a line or a cell somewhere: tabs, breaks and other control characters.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@contextmanager
def whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Inside, a name beside `path` to write to, which becomes `path` when all went well."""
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    try:
        yield partial
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    partial.replace(path)


def write(path: Path, content: str | bytes) -> None:
    """Write a small file at once, text as UTF-8; names of files that are not keep their bytes."""
    if isinstance(content, str):
        content = content.encode(errors="surrogateescape")
    with whole(path) as partial:
        partial.write_bytes(content)


def table(rows: Iterable[Iterable[str]]) -> str:
    r"""Rows as tab-separated values. Control characters, which a file's name may hold, are escaped:
    a tab as \t, so that each row keeps its columns and lines."""
    return "".join("\t".join(map(on_one_line, row)) + "\n" for row in rows)


def on_one_line(text: str) -> str:
    r"""The text with its control characters and line breaks escaped, such as \n."""
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def require_folder(path: Path, name: str = "out") -> None:
    """ValueError where something else has the folder's name."""
    if path.exists() and not path.is_dir():
        raise ValueError(f"{name} must be a folder, got the file {path}")


def new_folder(path: str | os.PathLike[str], name: str = "out") -> Path:
    """`path`, where a folder is or can be made; else a sentence."""
    path = Path(path)
    require_folder(path, name)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"cannot make the folder {path}: there is no such place")
    return path
