"""Writing a phantom store, so that a part never reads as whole and no finished chunk is lost.

While it grows, the store `PATH` is a folder `PATH.partial` of

    lock     held by the process that writes; released by the system when that dies
    journal  first line: the job; then a line for each finished chunk: lengths and CRC-32C of its
             bytes in each array
    store/   the Zarr group: shards only, without the metadata that would let it open

Chunks go to the end of their shards in the order of their numbers, so that stores of equal jobs
have equal bytes; a shard that is full gets its index. When every chunk is there, `store/` gets its
checksums and metadata, the root's last, is put on the disk, and becomes `PATH` in one rename. A
process may die at any moment: the next one believes the journal, checks the bytes that it lists,
cuts off what is behind them, and makes the other chunks anew, with the same bits.

Several processes, on several machines that share the folder, may each write a part: some shards,
with a lock and a journal of its own (`journal`). Whoever finishes the store reads every byte
of every part first.

A finished store grows the same way: the part begins with a copy of its whole chunks, and takes its
place when it is whole. Until then the store is as it was.

Shards are written here rather than through zarr-python: threads pack several chunks at once at a
fraction of its cost, and a shard need not be in memory as a whole.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from lesionkit import files
from lesionkit.optics.phantoms.recipe import PhantomRecipe
from lesionkit.optics.phantoms.store import journal as store_journal
from lesionkit.optics.phantoms.store.journal import WHOLE, Chunk, Part, check_same_job
from lesionkit.optics.phantoms.store.layout import (
    CHECKSUMS,
    CHUNK,
    SHARD,
    Layout,
    chunk_count,
    chunk_sum,
    digest,
    json_bytes,
    layouts,
    root_metadata,
    shard_count,
    shard_index,
)
from lesionkit.optics.phantoms.store.phantoms import partial_path, read_attributes, reopen_phantoms


def is_finished(path: Path, job: Mapping[str, Any]) -> bool:
    """Whether `path` is a finished store of this very job; ValueError if it is anything else but
    one of fewer phantoms, which can grow."""
    with _plain_errors(path):
        attributes = read_attributes(path)
    if attributes is None:
        return False
    if (
        attributes["format"] == job["format"]
        and store_journal.phantoms_of(attributes) < job["count"]
    ):
        check_same_job(path, {**attributes, "count": job["count"]}, job)
        if files.is_remote(path):
            raise ValueError(f"{path} cannot grow in its object store: copy it to a folder first")
        return False
    check_same_job(path, {**attributes, "format": job["format"]}, job)  # other files, same phantoms
    part = partial_path(path)
    if part.is_dir() and all(store_journal.is_ours(file.name) for file in part.iterdir()):
        _drop(part)  # whoever made it died at the very end
    return True


def _drop(folder: Path) -> None:
    """Remove the folder in which the parts of a store were."""
    if files.is_remote(folder):
        for part in store_journal.begun(folder):
            (folder / part.journal).unlink()
    else:
        shutil.rmtree(folder, ignore_errors=True)


class StoreWriter:
    """Writes the store `path` of `job`, chunk by chunk, in any order and from several threads.

    Used as a context manager: it holds the lock, and leaves the part behind, ready to be resumed,
    unless :meth:`finish` was reached. `chunks` are those of `part`, its own, and `done` those of
    them that earlier processes finished.
    """

    def __init__(
        self, path: Path, job: Mapping[str, Any], recipe: PhantomRecipe, part: Part = WHOLE
    ) -> None:
        self.path, self.folder, self.part = path, partial_path(path), part
        self.remote = files.is_remote(path)
        self.store = path if self.remote else self.folder / "store"
        self.job = dict(job)
        self.layouts = layouts(recipe)
        self.shards = part.shards(self.job["count"])
        last = chunk_count(self.job["count"])
        self.chunks = range(self.shards.start * SHARD, min(self.shards.stop * SHARD, last))
        self.done: set[int] = set()
        self._chunks: dict[int, Chunk] = {}  # that lie in their shards
        self._waiting: dict[int, Mapping[str, bytes]] = {}  # for those before them
        self._writing = threading.Lock()

    def __enter__(self) -> StoreWriter:
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"cannot write {self.path}: there is no such folder")
        with _plain_errors(self.path), ExitStack() as stack:
            self.folder.mkdir(exist_ok=True)
            stack.enter_context(files.locked(self.folder, self.part.lock))
            if self.path.exists() and is_finished(self.path, self.job):
                raise ValueError(f"{self.path} has just been made by another process")
            self._recall()
            journal = self.folder / self.part.journal
            self._journal = os.open(journal, os.O_WRONLY | os.O_APPEND)
            self._lock = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with self._writing:
            os.close(self._journal)
            self._journal = -1  # whoever still writes is refused
        self._lock.close()

    def _recall(self) -> None:
        """Read the journal, keep what it can prove, and write it anew without torn lines."""
        journal, store = self.folder / self.part.journal, self.store
        job, report = store_journal.read(journal)
        self._check_others()
        for folder in (store, *(store / name for name in self.layouts)):
            for small in ("zarr.json", CHECKSUMS):  # from a process that died at the very end
                (folder / small).unlink(missing_ok=True)
        if not report and self.path.exists():
            report = self._copied(journal)
        for shard in self.shards:
            self._chunks |= self._kept(shard, report)
        self.done = set(self._chunks)
        fresh = self.folder / f"{self.part.journal}.new"
        kept = (store_journal.line(number, chunk) for number, chunk in self._chunks.items())
        fresh.write_text("".join([json.dumps(self.job) + "\n", *kept]))
        fresh.replace(journal)
        if job is None:  # another may have begun at the same moment
            self._check_others()
        for name in self.layouts:
            (store / name).mkdir(parents=True, exist_ok=True)

    def _check_others(self) -> None:
        """ValueError where somebody else's files lie here, or parts that do not go with ours."""
        begun = store_journal.begun(self.folder)
        if not begun and not all(map(store_journal.is_ours, os.listdir(self.folder))):
            raise ValueError(f"{self.folder} was not made by lesionkit: choose another path")
        store_journal.check_others(self.folder, self.part, self.job)

    def _copied(self, journal: Path) -> dict[int, Chunk]:
        """Of the store that is to grow, the chunks that keep their bytes, which are whole; its
        shards are copied."""
        journal.write_text(json.dumps(self.job) + "\n")  # the part is known as ours from here on
        stored = reopen_phantoms(self.path)
        arrays = [getattr(stored, name) for name in self.layouts]
        for name in self.layouts:
            (self.store / name).mkdir(parents=True, exist_ok=True)
            for shard in range(self.shards.start, min(self.shards.stop, shard_count(len(stored)))):
                file = self.layouts[name].file(shard)
                shutil.copyfile(self.path / name / file, self._file(name, shard))
        whole = range(len(stored) // CHUNK)
        lengths = (array.lengths(len(whole)) for array in arrays)
        sums = (array.checksums[: len(whole)].tolist() for array in arrays)
        pieces = zip(whole, zip(*lengths, strict=True), zip(*sums, strict=True), strict=True)
        return {number: Chunk(list(some), list(those)) for number, some, those in pieces}

    def _kept(self, shard: int, report: Mapping[int, Chunk]) -> dict[int, Chunk]:
        """The chunks of a shard that are proven; what its files hold behind them is cut off."""
        proven = self.proven(shard, report)
        for place, name in enumerate(self.layouts):
            if not (path := self._file(name, shard)).exists():
                continue
            lengths = [chunk.lengths[place] for chunk in proven.values()]
            end = self._end(shard, lengths)
            with open(path, "r+b") as file:
                file.seek(sum(lengths))
                if file.read() != end:
                    file.truncate(sum(lengths))
                    file.seek(sum(lengths))
                    file.write(end)
        return proven

    def proven(self, shard: int, report: Mapping[int, Chunk]) -> dict[int, Chunk]:
        """The first chunks of a shard whose bytes are those that the journal tells of."""
        proven: dict[int, Chunk] = {}
        with ExitStack() as stack:
            shards = []
            for name in self.layouts:
                if (path := self._file(name, shard)).exists():
                    shards.append(stack.enter_context(path.open("rb")))
            for number in self._numbers(shard):
                if number not in report or len(shards) < len(self.layouts):
                    break
                pieces = zip(shards, report[number].lengths, strict=True)
                if [chunk_sum(file.read(length)) for file, length in pieces] != report[number].sums:
                    break
                proven[number] = report[number]
        return proven

    def _numbers(self, shard: int) -> range:
        """The chunks of a shard."""
        return range(shard * SHARD, min((shard + 1) * SHARD, chunk_count(self.job["count"])))

    def _end(self, shard: int, lengths: list[int]) -> bytes:
        """What follows chunks of these lengths: the index, if that is all of the shard."""
        return shard_index(lengths) if len(lengths) == len(self._numbers(shard)) else b""

    def _file(self, name: str, shard: int) -> Path:
        return self.store / name / self.layouts[name].file(shard)

    def write(self, chunk: int, packed: Mapping[str, bytes]) -> None:
        """Add a chunk to its shards, or keep it until those before it are there."""
        with _plain_errors(self.path), self._writing:
            self._waiting[chunk] = packed
            for number in self._numbers(chunk // SHARD):
                if number in self._chunks:
                    continue
                if number not in self._waiting:
                    break
                self._append(number, self._waiting.pop(number))

    def _append(self, number: int, packed: Mapping[str, bytes]) -> None:
        """Put a chunk at the end of its shards, then note it in the journal."""
        if self._journal < 0:  # the lock is gone: the shards may be another's
            raise OSError(errno.EBADF, "the writer is closed")
        shard, pieces = number // SHARD, [packed[name] for name in self.layouts]
        sums = [int.from_bytes(piece[-4:], "little") for piece in pieces]
        chunk = Chunk([len(piece) for piece in pieces], sums)
        chunks = [*(self._chunks[before] for before in range(shard * SHARD, number)), chunk]
        for place, (name, piece) in enumerate(zip(self.layouts, pieces, strict=True)):
            end = self._end(shard, [chunk.lengths[place] for chunk in chunks])
            _append(self._file(name, shard), piece + end)
        os.write(self._journal, store_journal.line(number, chunk).encode())
        self._chunks[number] = chunk

    def finish(self, attributes: Mapping[str, Any]) -> None:
        """Give the whole store its metadata and its name; the part is gone then."""
        with _plain_errors(self.path):
            store = self.store
            digests = {}
            for place, (name, layout) in enumerate(self.layouts.items()):
                for file, data in self._small_files(place, layout).items():
                    _write(store / name / file, data)
                    digests[f"{name}/{file}"] = digest(data)
            _write(store / "zarr.json", root_metadata({**self.job, **attributes}, digests))
            if not self.remote:
                for written in [*store.rglob("*"), store]:
                    files.sync(written)
                if self.path.exists():  # it has grown
                    self.path.rename(self.folder / "before")
                store.rename(self.path)
                files.sync(self.path.parent)
        _drop(self.folder)

    def gather(self) -> None:
        """Take what the writers of all parts have made; ValueError where a part is not whole, or is
        being written. For the writer of the whole, which no context has entered."""
        begun = store_journal.begun(self.folder)
        of, *others = sorted({part.of for part in begun})
        if others:
            raise ValueError(
                f"{self.folder} holds journals of {of} and of {others[0]} parts: remove those of "
                "one of them"
            )
        with _plain_errors(self.path):
            for part in begun:
                with files.locked(self.folder, part.lock):  # nobody writes it
                    check_same_job(self.folder, begun[part][0], self.job)
            lacking = []
            for part in (Part(number + 1, of) for number in range(of)):
                report = begun[part][1] if part in begun else {}
                shards = part.shards(self.job["count"])
                proven = [self.proven(shard, report) for shard in shards]
                if [*map(len, proven)] != [len(self._numbers(shard)) for shard in shards]:
                    lacking.append(str(part.number))
                for some in proven:
                    self._chunks |= some
        if lacking:
            which = ", ".join(lacking[:8]) + (", ..." if len(lacking) > 8 else "")
            raise ValueError(
                f"{self.folder} lacks {len(lacking)} of {of} parts: {which}; make them as the "
                "others, and finish it then"
            )

    def _small_files(self, place: int, layout: Layout) -> dict[str, bytes]:
        """Of an array, beside its shards."""
        sums = [self._chunks[number].sums[place] for number in range(len(self._chunks))]
        return {
            CHECKSUMS: np.array(sums, "<u4").tobytes(),
            "zarr.json": json_bytes(layout.metadata(self.job["count"])),
        }


def _append(file: Path, data: bytes) -> None:
    with open(file, "ab") as shard:
        shard.write(data)


def _write(file: Path, data: bytes) -> None:
    file.write_bytes(data)


@contextmanager
def _plain_errors(path: Path) -> Iterator[None]:
    """Turn what the system says about files into a sentence about the store."""
    try:
        yield
    except OSError as problem:
        sentence = f"cannot write {path}: {problem.strerror or problem}"
        if os.path.isdir(str(partial_path(path))):
            sentence += f"; what is finished stays in {partial_path(path)}, to be resumed"
        raise OSError(problem.errno or errno.EIO, sentence) from problem
