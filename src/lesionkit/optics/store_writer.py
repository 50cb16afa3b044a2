"""Writing a phantom store, so that a part never reads as whole and no finished chunk is lost.

While it grows, the store `PATH` is a folder `PATH.partial` of

    lock     held by the process that writes; released by the system when that dies
    journal  first line: the job; then a line for each finished chunk, with checksums of its files
    store/   the Zarr group: the files of chunks only, without the metadata that would let it open

When every chunk is there, `store/` gets its metadata, the root's last, and becomes `PATH` in one
rename. A process may die at any moment: the next one believes the journal, checks the files that it
lists, and makes the other chunks anew, with the same bits.

Chunks are packed and written here rather than through zarr-python: each is one whole file, and
threads pack several at once at a fraction of its cost.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lesionkit.optics.recipe import PhantomRecipe
from lesionkit.optics.store import JOB, layouts, partial_path, read_attributes

OURS = {"lock", "journal", "journal.new"}
"""What a part holds beside the store itself."""


def is_finished(path: Path, job: Mapping[str, Any]) -> bool:
    """Whether `path` is a finished store of this very job; ValueError if it is anything else."""
    with _plain_errors(path):
        attributes = read_attributes(path)
    if attributes is None:
        return False
    _refuse_other(path, attributes, job)
    part = partial_path(path)
    if part.is_dir() and set(os.listdir(part)) <= OURS:  # died between its last two steps
        shutil.rmtree(part, ignore_errors=True)
    return True


def _refuse_other(place: Path, theirs: Any, ours: Mapping[str, Any]) -> None:
    """ValueError that says in what the job found at `place` differs from the one asked for."""

    def flat(job: Mapping[str, Any]) -> dict[str, Any]:
        recipe = {f"recipe.{name}": value for name, value in job["recipe"].items()}
        # Stores from before there was a choice are fast; some described their method there.
        accuracy = {"accuracy": a if isinstance(a := job.get("accuracy"), str) else "fast"}
        own = {name: job[name] for name in JOB if name not in ("recipe", "accuracy")}
        return own | accuracy | recipe

    try:
        there, here = flat(theirs), flat(ours)
    except (KeyError, TypeError, AttributeError):
        raise ValueError(f"{place} was not made by lesionkit: choose another path") from None
    differ = [name for name in {**there, **here} if there.get(name) != here.get(name)]
    if differ:
        what = "; ".join(f"{n} is {there.get(n)!r} there, {here.get(n)!r} asked" for n in differ)
        raise ValueError(f"{place} holds other phantoms ({what}): remove it or choose another path")


class StoreWriter:
    """Writes the store `path` of `job`, chunk by chunk, in any order and from several threads.

    Used as a context manager: it holds the lock, and leaves the part behind, ready to be resumed,
    unless :meth:`finish` was reached. `done` are the chunks that earlier processes finished.
    """

    def __init__(self, path: Path, job: Mapping[str, Any], recipe: PhantomRecipe) -> None:
        self.path, self.part = path, partial_path(path)
        self.job = dict(job)
        self.layouts = layouts(recipe)
        self.done: set[int] = set()
        self._writing = threading.Lock()

    def __enter__(self) -> StoreWriter:
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"cannot write {self.path}: there is no such folder")
        with _plain_errors(self.path):
            self.part.mkdir(exist_ok=True)
            self._lock = _lock(self.part)
            try:
                if self.path.exists():
                    raise ValueError(f"{self.path} has just been made by another process")
                self._recall()
                self._journal = os.open(self.part / "journal", os.O_WRONLY | os.O_APPEND)
            except BaseException:
                os.close(self._lock)
                raise
        return self

    def __exit__(self, *_: object) -> None:
        with self._writing:
            os.close(self._journal)
            self._journal = -1  # whoever still writes is refused
        os.close(self._lock)

    def _recall(self) -> None:
        """Read the journal, keep what it can prove, and write it anew without torn lines."""
        journal = self.part / "journal"
        lines = list(_json_lines(journal))
        if lines:
            _refuse_other(self.part, lines[0], self.job)
        elif set(os.listdir(self.part)) - OURS:
            raise ValueError(f"{self.part} was not made by lesionkit: choose another path")
        for metadata in [self.part / "store/zarr.json", *self.part.glob("store/*/zarr.json")]:
            metadata.unlink(missing_ok=True)  # from a process that died at the very end
        kept = [line for line in lines[1:] if self._proves(line)]
        self.done = {line["chunk"] for line in kept}
        fresh = self.part / "journal.new"
        fresh.write_text("".join(json.dumps(line) + "\n" for line in [self.job, *kept]))
        fresh.replace(journal)
        for name in self.layouts:
            (self.part / "store" / name).mkdir(parents=True, exist_ok=True)

    def _proves(self, line: Any) -> bool:
        """Whether a journal line lists a chunk whose files are all there, with these checksums."""
        try:
            return bool(
                line["crc32"]
                == [zlib.crc32(self._file(n, line["chunk"]).read_bytes()) for n in self.layouts]
            )
        except (OSError, KeyError, TypeError):
            return False

    def _file(self, name: str, chunk: int) -> Path:
        return self.part / "store" / name / self.layouts[name].chunk_file(chunk)

    def write(self, chunk: int, packed: Mapping[str, bytes]) -> None:
        """Write the files of a chunk, then note them in the journal."""
        with _plain_errors(self.path):
            for name, data in packed.items():
                self._file(name, chunk).write_bytes(data)
            line = {"chunk": chunk, "crc32": [zlib.crc32(packed[name]) for name in self.layouts]}
            with self._writing:
                os.write(self._journal, f"{json.dumps(line)}\n".encode())

    def finish(self, attributes: Mapping[str, Any]) -> None:
        """Give the whole store its metadata and its name; the part is gone then."""
        with _plain_errors(self.path):
            store = self.part / "store"
            for name, layout in self.layouts.items():
                _write_json(store / name / "zarr.json", layout.metadata(self.job["count"]))
            root = {"zarr_format": 3, "node_type": "group"}
            _write_json(store / "zarr.json", {**root, "attributes": {**self.job, **attributes}})
            store.rename(self.path)
        shutil.rmtree(self.part, ignore_errors=True)


def _write_json(file: Path, value: Any) -> None:
    file.write_text(json.dumps(value, indent=2) + "\n")


def _json_lines(file: Path) -> Iterator[Any]:
    """The whole lines of a journal; a torn one is passed over."""
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return
    for line in text.splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def _lock(part: Path) -> int:
    """Lock the part for this process; the descriptor to close in the end."""
    descriptor = os.open(part / "lock", os.O_RDWR | os.O_CREAT)
    try:
        import fcntl
    except ImportError:  # no such locks on this system: two writers are not told apart
        return descriptor
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(descriptor), os.stat(part / "lock")):
            raise FileNotFoundError  # the other process has finished meanwhile
    except (BlockingIOError, FileNotFoundError):
        os.close(descriptor)
        raise ValueError(f"{part} is being written by another process") from None
    return descriptor


@contextmanager
def _plain_errors(path: Path) -> Iterator[None]:
    """Turn what the system says about files into a sentence about the store."""
    try:
        yield
    except OSError as problem:
        sentence = f"cannot write {path}: {problem.strerror or problem}"
        if os.path.isdir(partial_path(path)):
            sentence += f"; what is finished stays in {partial_path(path)}, to be resumed"
        raise OSError(problem.errno or errno.EIO, sentence) from problem
