"""Files that are there whole or not at all, and folders to put them in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
