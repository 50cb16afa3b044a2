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

A finished store grows the same way: the part begins with a copy of its whole chunks, and takes its
place when it is whole. Until then the store is as it was.

Shards are written here rather than through zarr-python: threads pack several chunks at once at a
fraction of its cost, and a shard need not be in memory as a whole.
"""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lesionkit import files
from lesionkit.optics.phantoms.recipe import PhantomRecipe
from lesionkit.optics.phantoms.store import JOB, partial_path, read_attributes, reopen_phantoms
from lesionkit.optics.phantoms.store_layout import (
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

OURS = {files.LOCK, "journal", "journal.new", "before"}
"""What a part holds beside the store itself."""


class _Chunk(NamedTuple):
    """What the journal says of a chunk: bytes and CRC-32C, in each array."""

    lengths: list[int]
    sums: list[int]


def is_finished(path: Path, job: Mapping[str, Any]) -> bool:
    """Whether `path` is a finished store of this very job; ValueError if it is anything else but
    one of fewer phantoms, which can grow."""
    with _plain_errors(path):
        attributes = read_attributes(path)
    if attributes is None:
        return False
    if attributes["format"] == job["format"] and _count(attributes) < job["count"]:
        _check_same_job(path, {**attributes, "count": job["count"]}, job)
        return False
    _check_same_job(
        path, {**attributes, "format": job["format"]}, job
    )  # other files, same phantoms
    part = partial_path(path)
    if part.is_dir() and set(os.listdir(part)) <= OURS:  # died between its last two steps
        shutil.rmtree(part, ignore_errors=True)
    return True


def _count(attributes: Mapping[str, Any]) -> float:
    """Phantoms of a store; infinite where it does not tell, so that no other is more."""
    count = attributes.get("count")
    return count if type(count) is int else math.inf


def _check_same_job(place: Path, theirs: Any, ours: Mapping[str, Any]) -> None:
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
        self._chunks: dict[int, _Chunk] = {}  # that lie in their shards
        self._waiting: dict[int, Mapping[str, bytes]] = {}  # for those before them
        self._writing = threading.Lock()

    def __enter__(self) -> StoreWriter:
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"cannot write {self.path}: there is no such folder")
        with _plain_errors(self.path), ExitStack() as stack:
            self.part.mkdir(exist_ok=True)
            stack.enter_context(files.locked(self.part))
            if self.path.exists() and is_finished(self.path, self.job):
                raise ValueError(f"{self.path} has just been made by another process")
            self._recall()
            self._journal = os.open(self.part / "journal", os.O_WRONLY | os.O_APPEND)
            self._lock = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with self._writing:
            os.close(self._journal)
            self._journal = -1  # whoever still writes is refused
        self._lock.close()

    def _recall(self) -> None:
        """Read the journal, keep what it can prove, and write it anew without torn lines."""
        journal = self.part / "journal"
        lines = list(_json_lines(journal))
        if lines:
            _check_same_job(self.part, lines[0], self.job)
        elif set(os.listdir(self.part)) - OURS:
            raise ValueError(f"{self.part} was not made by lesionkit: choose another path")
        store = self.part / "store"
        for folder in (store, *(store / name for name in self.layouts)):
            for small in ("zarr.json", CHECKSUMS):  # from a process that died at the very end
                (folder / small).unlink(missing_ok=True)
        report = dict(filter(None, map(_journalled, lines[1:])))
        if not report and self.path.exists():
            report = self._copied(journal)
        for shard in range(shard_count(self.job["count"])):
            self._chunks |= self._proven(shard, report)
        self.done = set(self._chunks)
        fresh = self.part / "journal.new"
        kept = (_journal_line(number, chunk) for number, chunk in self._chunks.items())
        fresh.write_text("".join([json.dumps(self.job) + "\n", *kept]))
        fresh.replace(journal)
        for name in self.layouts:
            (store / name).mkdir(parents=True, exist_ok=True)

    def _copied(self, journal: Path) -> dict[int, _Chunk]:
        """Of the store that is to grow, the chunks that keep their bytes, which are whole; its
        shards are copied."""
        journal.write_text(json.dumps(self.job) + "\n")  # the part is known as ours from here on
        stored = reopen_phantoms(self.path)
        arrays = [getattr(stored, name) for name in self.layouts]
        for name in self.layouts:
            (self.part / "store" / name).mkdir(parents=True, exist_ok=True)
            for shard in range(shard_count(len(stored))):
                file = self.layouts[name].file(shard)
                shutil.copyfile(self.path / name / file, self._file(name, shard))
        whole = range(len(stored) // CHUNK)
        lengths = (array.lengths(len(whole)) for array in arrays)
        sums = (array.checksums[: len(whole)].tolist() for array in arrays)
        pieces = zip(whole, zip(*lengths, strict=True), zip(*sums, strict=True), strict=True)
        return {number: _Chunk(list(some), list(those)) for number, some, those in pieces}

    def _proven(self, shard: int, report: Mapping[int, _Chunk]) -> dict[int, _Chunk]:
        """The first chunks of a shard whose bytes are those that the journal tells of; what its
        files hold behind them is cut off."""
        proven: dict[int, _Chunk] = {}
        with ExitStack() as stack:
            shards = []
            for name in self.layouts:
                if (path := self._file(name, shard)).exists():
                    shards.append(stack.enter_context(open(path, "r+b")))
            for number in self._numbers(shard):
                if number not in report or len(shards) < len(self.layouts):
                    break
                pieces = zip(shards, report[number].lengths, strict=True)
                if [chunk_sum(file.read(length)) for file, length in pieces] != report[number].sums:
                    break
                proven[number] = report[number]
            for place, file in enumerate(shards):
                lengths = [chunk.lengths[place] for chunk in proven.values()]
                end = self._end(shard, lengths)
                file.seek(sum(lengths))
                if file.read() != end:
                    file.truncate(sum(lengths))
                    file.seek(sum(lengths))
                    file.write(end)
        return proven

    def _numbers(self, shard: int) -> range:
        """The chunks of a shard."""
        return range(shard * SHARD, min((shard + 1) * SHARD, chunk_count(self.job["count"])))

    def _end(self, shard: int, lengths: list[int]) -> bytes:
        """What follows chunks of these lengths: the index, if that is all of the shard."""
        return shard_index(lengths) if len(lengths) == len(self._numbers(shard)) else b""

    def _file(self, name: str, shard: int) -> Path:
        return self.part / "store" / name / self.layouts[name].file(shard)

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
        chunk = _Chunk([len(piece) for piece in pieces], sums)
        chunks = [*(self._chunks[before] for before in range(shard * SHARD, number)), chunk]
        for place, (name, piece) in enumerate(zip(self.layouts, pieces, strict=True)):
            end = self._end(shard, [chunk.lengths[place] for chunk in chunks])
            _append(self._file(name, shard), piece + end)
        os.write(self._journal, _journal_line(number, chunk).encode())
        self._chunks[number] = chunk

    def finish(self, attributes: Mapping[str, Any]) -> None:
        """Give the whole store its metadata and its name; the part is gone then."""
        with _plain_errors(self.path):
            store = self.part / "store"
            digests = {}
            for place, (name, layout) in enumerate(self.layouts.items()):
                for file, data in self._small_files(place, layout).items():
                    _write(store / name / file, data)
                    digests[f"{name}/{file}"] = digest(data)
            _write(store / "zarr.json", root_metadata({**self.job, **attributes}, digests))
            for written in [*store.rglob("*"), store]:
                files.sync(written)
            if self.path.exists():  # it has grown
                self.path.rename(self.part / "before")
            store.rename(self.path)
            files.sync(self.path.parent)
        shutil.rmtree(self.part, ignore_errors=True)

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


def _journal_line(number: int, chunk: _Chunk) -> str:
    return json.dumps({"chunk": number, **chunk._asdict()}) + "\n"


def _journalled(line: Any) -> tuple[int, _Chunk] | None:
    """A line of the journal; None for what is none."""
    try:
        number, chunk = line["chunk"], _Chunk(line["lengths"], line["sums"])
        good = all(type(n) is int and n >= 0 for n in (number, *chunk.lengths, *chunk.sums))
        return (number, chunk) if good and len(chunk.lengths) == len(chunk.sums) else None
    except (KeyError, TypeError):
        return None


def _json_lines(file: Path) -> Iterator[Any]:
    """The whole lines of a journal; a torn one is passed over."""
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return
    for line in text.splitlines():
        try:
            yield files.parse_json(line)
        except ValueError:
            continue


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
