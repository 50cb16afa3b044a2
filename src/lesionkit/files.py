"""Files that are there whole or not at all, folders to put them in and locks on these."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lesionkit import extras

LOCK = "lock"
"""What a folder holds while a process writes to it."""

URL = re.compile("[a-z][a-z0-9+.-]+://")

# What ends a line or a cell somewhere: tabs, breaks and other control characters.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@contextmanager
def whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Inside, a name beside `path` to write to, which becomes `path` when all went well."""
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    try:
        yield partial
        sync(partial)
        partial.replace(path)
        sync(path.parent)
    except OSError as problem:
        partial.unlink(missing_ok=True)
        sentence = f"cannot write {path}: {problem.strerror or problem}"
        raise OSError(problem.errno or errno.EIO, sentence) from problem
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def sync(path: Path) -> None:
    """Have the system put a file on the disk, or the names in a folder: what is renamed after that
    is whole even if the power fails."""
    folder, windows = path.is_dir(), os.name == "nt"
    if folder and windows:  # which has no such call for folders
        return
    descriptor = os.open(path, os.O_RDWR if windows else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as problem:
        if not folder or problem.errno != errno.EINVAL:  # a file system that keeps names at once
            raise
    finally:
        os.close(descriptor)


@contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Inside, the folder is there and :func:`locked`. If nothing came of it, it goes again."""
    new = not folder.exists()
    make_folder(folder)
    try:
        with locked(folder):
            yield
    except BaseException:
        if new:
            with suppress(OSError):  # it holds something
                folder.rmdir()
        raise


def location(path: str | os.PathLike[str]) -> Any:
    """A path; of a URL, such as s3://bucket/name, universal-pathlib's, which has the same methods
    and, of the object store, `fs`."""
    if isinstance(path, str) and URL.match(path):
        return extras.require("upath", "URLs need").UPath(path)
    return Path(path)


def is_remote(path: Any) -> bool:
    """Whether a :func:`location` is a URL's."""
    return not isinstance(path, Path)


def make_folder(folder: Path) -> None:
    """Make it, if it is not there."""
    try:
        folder.mkdir(exist_ok=True)
    except OSError as problem:
        sentence = f"cannot make the folder {folder}: {problem.strerror}"
        raise OSError(problem.errno, sentence) from problem


@contextmanager
def locked(folder: Path, name: str = LOCK) -> Iterator[None]:
    """Inside, no other process writes to this folder; ValueError where one does already. A lock of
    another name is of a part of what is in the folder.

    The system takes the lock away when the process dies, however it dies. Systems, file systems and
    object stores without such locks do not tell two writers apart.
    """
    if is_remote(folder):
        yield
        return
    descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT)
    try:
        if not _lock(descriptor, folder / name):
            raise ValueError(f"{folder} is being written by another process")
        try:
            yield
        finally:
            with suppress(OSError):  # it may be gone, or the system keeps what is open
                (folder / name).unlink()
    finally:
        os.close(descriptor)


def _lock(descriptor: int, file: Path) -> bool:
    """Whether the lock is ours now. `file` may have been another's, who has finished meanwhile."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), os.stat(file))
    except (BlockingIOError, FileNotFoundError):
        return False
    except OSError as problem:
        if problem.errno in (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK):
            return True
        raise


def parse_json(text: str | bytes) -> Any:
    """What it says. ValueError for what is no JSON, and for what is nested too deeply."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_json(file: Path) -> Any:
    """What a file of JSON says, as :func:`parse_json`."""
    return parse_json(file.read_bytes())


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


def check_folder(path: Path, name: str = "out") -> None:
    """ValueError where something else has the folder's name."""
    if path.exists() and not path.is_dir():
        raise ValueError(f"{name} must be a folder, got the file {path}")


def new_folder(path: str | os.PathLike[str], name: str = "out") -> Path:
    """`path`, where a folder is or can be made; else a sentence."""
    path = Path(path)
    check_folder(path, name)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"cannot make the folder {path}: there is no such place")
    return path
