"""Reading the arrays of a phantom store, and checking every byte that is read.

Chunks are read here rather than through zarr-python: that takes three times as long, or five with
shards, and knows neither the files' names when it complains nor the checksums beside the shards.
"""

from __future__ import annotations

import operator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit.optics.phantoms.store.layout import (
    CHUNK,
    EMPTY,
    INDEX_BYTES,
    SHARD,
    Layout,
    chunk_count,
    chunk_sum,
    codec,
    crc32c,
    shard_count,
)

BLOSC_HEADER = 16  # bytes 4 to 7: unpacked size; 12 to 15: packed size, this header included


class _Damage(Exception):
    """What is wrong with a file."""


class StoredArray:
    """An array of a store, read when indexed. Indices of phantoms may be a number, a slice, or a
    list or an array of numbers or booleans; those of the other axes are NumPy's.

    folder    : of the array
    layout    : of the array
    count     : phantoms
    checksums : (chunks,) uint32, CRC-32C of each; None: nothing is checked
    sharded   : False in format 1, with a file for each chunk
    Raises ValueError, naming the file, where one is damaged or missing.
    """

    def __init__(
        self,
        folder: Path,
        layout: Layout,
        count: int,
        checksums: npt.NDArray[np.uint32] | None,
        *,
        sharded: bool = True,
    ) -> None:
        self.folder, self.layout, self.checksums = folder, layout, checksums
        self.sharded = sharded
        self.shape = (count, *layout.shape)
        self.dtype, self.ndim = layout.stored_dtype, len(self.shape)
        self.chunks = (CHUNK, *layout.shape)
        self._indices: dict[int, npt.NDArray[np.uint64]] = {}

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<StoredArray {self.folder} {self.shape} {self.dtype}>"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if copy is False:
            raise ValueError("an array of a store cannot be used without a copy in memory")
        return np.asarray(self[:], dtype)

    def __getitem__(self, key: Any) -> Any:
        first, *others = key if isinstance(key, tuple) else (key,)
        if first is Ellipsis or first is None:
            return np.asarray(self)[key]
        rest = tuple(others)
        if isinstance(first, slice):
            rows = range(len(self))[first]
            if rows.step == 1:
                return self._read(rows.start, max(rows.start, rows.stop))[:, *rest]
            return self._gather(np.array(rows, np.int64))[:, *rest]
        try:
            number = range(len(self))[operator.index(first)]
        except TypeError:
            return self._gather(np.arange(len(self))[first])[:, *rest]
        except IndexError:
            raise IndexError(
                f"index must be from {-len(self)} to {len(self) - 1}, got {first}"
            ) from None
        return self._read(number, number + 1)[0][rest]

    def _gather(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """(n, ...): these phantoms, each chunk read once."""
        if rows.ndim != 1:
            raise IndexError(f"phantoms must be a list of numbers, got an array {rows.shape}")
        out = np.empty((len(rows), *self.layout.shape), self.dtype)
        order = np.argsort(rows, kind="stable")
        numbers, starts = np.unique(rows[order] // CHUNK, return_index=True)
        for number, here in zip(numbers, np.split(order, starts[1:]), strict=False):
            first = int(number) * CHUNK
            out[here] = self._read(first, min(first + CHUNK, len(self)))[rows[here] - first]
        return out

    def _read(self, first: int, stop: int) -> npt.NDArray[Any]:
        """(stop - first, ...): neighbouring phantoms."""
        out = np.empty((stop - first, *self.layout.shape), self.dtype)
        for number in range(first // CHUNK, chunk_count(stop) if stop > first else 0):
            start = number * CHUNK
            low, high = max(first, start), min(stop, start + CHUNK)
            whole = high - low == CHUNK
            chunk = out[low - first : high - first] if whole else np.empty(self.chunks, self.dtype)
            try:
                self._unpack(number, chunk)
            except (_Damage, FileNotFoundError) as problem:
                why = problem if isinstance(problem, _Damage) else "it is missing"
                raise ValueError(
                    f"the store is damaged: {self.folder.name} of phantoms {low} to {high - 1} "
                    f"cannot be read ({self._file(number)}: {why})"
                ) from None
            if not whole:
                out[low - first : high - first] = chunk[low - start : high - start]
        return out

    def _file(self, chunk: int) -> Path:
        return self.folder / self.layout.file(chunk // SHARD if self.sharded else chunk)

    def _unpack(self, chunk: int, out: npt.NDArray[Any]) -> None:
        """Read a chunk, check it, and unpack it into (CHUNK, ...)."""
        packed = self._packed(chunk)
        header = bytes(packed[:BLOSC_HEADER])
        unpacked, length = (int.from_bytes(header[i : i + 4], "little") for i in (4, 12))
        if len(header) < BLOSC_HEADER or (unpacked, length) != (out.nbytes, len(packed)):
            raise _Damage("it is cut, or holds something else")
        try:
            codec().decompress(packed, out)
        except (RuntimeError, ValueError) as problem:
            raise _Damage(f"it cannot be unpacked, {problem}") from None

    def _packed(self, chunk: int) -> memoryview:
        """A chunk as Blosc packed it."""
        if not self.sharded:
            return memoryview(self._file(chunk).read_bytes())
        with self._file(chunk).open("rb") as shard:
            offset, length = map(int, self._index(chunk // SHARD, shard)[chunk % SHARD])
            shard.seek(offset)
            piece = shard.read(length)
        if self.checksums is not None and chunk_sum(piece) != self.checksums[chunk]:
            raise _Damage("its bytes are not those that were written")
        return memoryview(piece)[:-4]

    def lengths(self, chunks: int) -> list[int]:
        """Bytes of each of the first chunks as they lie in their shards, CRC-32C included. Raises
        ValueError where an index is damaged."""
        found: list[int] = []
        for number in range(shard_count(chunks * CHUNK)):
            file = self._file(number * SHARD)
            try:
                with file.open("rb") as shard:
                    found += self._index(number, shard)[:, 1].tolist()
            except _Damage as problem:
                raise ValueError(f"the store is damaged: {file}: {problem}") from None
        return found[:chunks]

    def _index(self, number: int, shard: Any) -> npt.NDArray[np.uint64]:
        """(SHARD, 2): where the chunks of a shard begin and how long they are; kept."""
        if number not in self._indices:
            size = shard.seek(0, 2)
            shard.seek(max(size - INDEX_BYTES, 0))
            data = shard.read()
            if len(data) < INDEX_BYTES or crc32c(data[:-4]) != int.from_bytes(data[-4:], "little"):
                raise _Damage("its index is damaged, or its end is missing")
            index = np.frombuffer(data[:-4], "<u8").reshape(SHARD, 2)
            there = index[: min(SHARD, chunk_count(len(self)) - number * SHARD)]
            ends = np.cumsum(there[:, 1])
            gaps = (there[:, 0] != ends - there[:, 1]).any() or (there == EMPTY).any()
            if gaps or ends[-1] != size - INDEX_BYTES:
                raise _Damage("its length or its index is that of other chunks")
            self._indices[number] = index
        return self._indices[number]
