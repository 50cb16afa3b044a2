"""Phantoms for a training loop: from the store as they are needed, or scaled and kept in memory."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.nets.framework import torch
from lesionkit.nets.phantoms.scaling import Scaling
from lesionkit.optics.phantoms.recipe import PhantomRecipe
from lesionkit.optics.phantoms.store.layout import CHUNK
from lesionkit.optics.phantoms.store.phantoms import Phantoms, open_phantoms, reopen_phantoms

Indices = npt.NDArray[np.int64]

KEPT_CHUNKS = 16
"""Chunks that a process keeps unpacked: 140 MB. An order is drawn from as many at a time."""


class Batch(NamedTuple):
    """Scaled float32 tensors of some phantoms; in three dimensions of volumes."""

    signals: Any  # (n, wavelengths, optodes, optodes - 1)
    mri: Any  # (n, 1, pixels, pixels)
    maps: Any  # (n, 3, pixels, pixels)


class PhantomDataset(torch.utils.data.Dataset):  # type: ignore[misc]
    """A store as a torch `Dataset`: item i is a `Batch` of one phantom, without its first axis.

    It may be copied to worker processes, by fork or by spawn: each opens the store for itself, and
    keeps the last few chunks unpacked, so that an order of `epoch_order` reads each chunk once.

    Parameters
    ----------
    path : str or path
        Of a finished store.
    scaling : Scaling
        How to scale.

    Raises
    ------
    FileNotFoundError, ValueError
        Where there is no store, it is damaged, or it has another geometry than the scaling.

    Examples
    --------
    >>> import tempfile
    >>> from lesionkit.nets import PhantomDataset, Scaling
    >>> from lesionkit.optics import PhantomRecipe, generate
    >>> recipe = PhantomRecipe(pixels=16, optodes=8, wavelengths=(785,))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = generate(recipe, 4, f"{folder}/four.zarr", accuracy="fast")
    ...     scaling = Scaling.of(store.signal[:], recipe, "fast")
    ...     item = PhantomDataset(f"{folder}/four.zarr", scaling)[0]
    >>> tuple(item.signals.shape), tuple(item.mri.shape), tuple(item.maps.shape)
    ((1, 8, 7), (1, 16, 16), (3, 16, 16))
    """

    def __init__(self, path: str | os.PathLike[str], scaling: Scaling) -> None:
        self.path, self.scaling = Path(path), scaling
        phantoms = open_phantoms(path)
        scaling.check(phantoms.recipe)
        self.length = len(phantoms)
        self._forget()

    def _forget(self) -> None:
        self._process = -1
        self._chunks: OrderedDict[int, Batch] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "scaling": self.scaling, "length": self.length}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Batch:
        index = arrays.integer(index, "index", at_least=-self.length, at_most=self.length - 1)
        index %= self.length
        chunk = self._chunk(index // CHUNK)
        return Batch(*(part[index % CHUNK] for part in chunk))

    def _chunk(self, number: int) -> Batch:
        if self._process != os.getpid():  # the first time, or in a forked worker
            self._process, self._store = os.getpid(), reopen_phantoms(self.path)
        if number not in self._chunks:
            if len(self._chunks) >= KEPT_CHUNKS:
                self._chunks.popitem(last=False)
            here = slice(number * CHUNK, (number + 1) * CHUNK)
            self._chunks[number] = scaled(self._store, here, self.scaling)
        self._chunks.move_to_end(number)
        return self._chunks[number]


class Source(Protocol):
    """Where a training loop gets its batches: on the device, in the order asked for."""

    def batches(self, orders: Sequence[Indices]) -> Iterable[Batch]: ...


@dataclass(frozen=True)
class Split:
    """70 per cent of the phantoms to learn from, 20 to validate with, 10 to test with, by index."""

    training: tuple[int, int]
    validation: tuple[int, int]
    test: tuple[int, int]

    @classmethod
    def of(cls, count: int) -> Split:
        if count < 10:
            raise ValueError(f"data must hold at least 10 phantoms to be split, got {count}")
        first, second = count * 7 // 10, count * 9 // 10
        return cls((0, first), (first, second), (second, count))


class TrainingData(Protocol):
    """What a net is trained on.

    record           : in what two runs must agree, as run.json has it
    split            : by index
    recipe, accuracy : of the phantoms
    described        : where they come from, for people
    """

    record: dict[str, Any]
    split: Split
    recipe: PhantomRecipe
    accuracy: Any
    described: str

    def signals(self) -> npt.NDArray[np.float32]:
        """Readings of the phantoms that the scaling is made of."""

    def first(self, scaling: Scaling, most: int) -> Iterator[Batch]:
        """The first `most` phantoms to learn from, or all, on the CPU."""

    def source(self, scaling: Scaling, device: Any, workers: int) -> Source: ...

    def orders(self, batch: int, seed: int, epoch: int) -> list[Indices]:
        """The batches of an epoch, by index."""


class Stored:
    """The phantoms of a store: the same in each epoch, in another order."""

    def __init__(self, path: Path) -> None:
        self.path, self.described, self.phantoms = path, str(path), open_phantoms(path)
        self.recipe, self.accuracy = self.phantoms.recipe, self.phantoms.accuracy
        self.split = Split.of(len(self.phantoms))
        self.record = {**self.phantoms.job, "accuracy": self.accuracy}

    def signals(self) -> npt.NDArray[np.float32]:
        return self.phantoms.read("signal", *self.split.training)

    def first(self, scaling: Scaling, most: int) -> Iterator[Batch]:
        begin, end = self.split.training
        for start in range(begin, min(end, begin + most), CHUNK):
            yield scaled(
                self.phantoms, slice(start, min(start + CHUNK, end, begin + most)), scaling
            )

    def source(self, scaling: Scaling, device: Any, workers: int) -> Source:
        stop = self.split.validation[1]
        if fits(stop, scaling, device):
            return InMemory(self.phantoms, 0, stop, scaling, device)
        streaming = Streaming(self.path, scaling, device, workers)
        streaming.check(stop)
        return streaming

    def orders(self, batch: int, seed: int, epoch: int) -> list[Indices]:
        return epoch_order(*self.split.training, batch, seed, epoch)


class InMemory:
    """Phantoms `first` to `stop` of a store, read and scaled once, and kept on the device."""

    def __init__(
        self, phantoms: Phantoms, first: int, stop: int, scaling: Scaling, device: Any
    ) -> None:
        self.first = first
        parts = _room(stop - first, scaling, device)
        for start in range(first, stop, CHUNK):
            here = slice(start, min(start + CHUNK, stop))
            for whole, part in zip(parts, scaled(phantoms, here, scaling), strict=True):
                whole[here.start - first : here.stop - first] = part
        self.parts = parts

    def batches(self, orders: Sequence[Indices]) -> Iterator[Batch]:
        for order in orders:
            index = torch.from_numpy(order - self.first).to(self.parts.maps.device)
            yield Batch(*(part.index_select(0, index) for part in self.parts))


class Streaming:
    """A store that is larger than memory, read by worker processes while the net learns."""

    def __init__(self, path: Path, scaling: Scaling, device: Any, workers: int) -> None:
        self.dataset, self.device, self.workers = PhantomDataset(path, scaling), device, workers

    def check(self, stop: int) -> None:
        """Read the phantoms up to `stop` once: what is wrong with them shall be told now, and not
        by a worker in the middle of an epoch."""
        for chunk in range(-(-stop // CHUNK)):
            self.dataset[chunk * CHUNK]

    def batches(self, orders: Sequence[Indices]) -> Iterator[Batch]:
        loader = torch.utils.data.DataLoader(
            self.dataset,
            batch_sampler=[order.tolist() for order in orders],
            num_workers=self.workers,
            pin_memory=self.device.type == "cuda",
        )
        for batch in loader:
            yield Batch(*(part.to(self.device, non_blocking=True) for part in batch))


def epoch_order(first: int, stop: int, batch: int, seed: int, epoch: int) -> list[Indices]:
    """Batches of the phantoms `first` to `stop` in the random order of this epoch.

    It depends on these numbers alone, so a run that is resumed at any epoch goes on as if it had
    never stopped. Neighbouring chunks are shuffled as wholes, and phantoms within each group of
    KEPT_CHUNKS; phantoms are independent of each other, so that is as good as any order. Batches
    differ in size by one at most, and none is larger than `batch`.
    """
    random = np.random.Generator(np.random.Philox(key=np.array([seed, epoch], np.uint64)))
    chunks = random.permutation(np.arange(first // CHUNK, -(-stop // CHUNK)))
    order = []
    for start in range(0, len(chunks), KEPT_CHUNKS):
        group = chunks[start : start + KEPT_CHUNKS, None] * CHUNK + np.arange(CHUNK)
        order.append(random.permutation(group[(group >= first) & (group < stop)]))
    return in_batches(np.concatenate(order), batch)


def in_batches(order: Indices, batch: int) -> list[Indices]:
    return np.array_split(order, -(-len(order) // batch))


def fits(count: int, scaling: Scaling, device: Any) -> bool:
    """Whether so many phantoms take no more than half of what the device has free."""
    each = sum(part.nbytes for part in _room(1, scaling, torch.device("cpu")))
    if device.type == "cuda":
        free = torch.cuda.mem_get_info(device)[0]
    else:
        try:
            free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        except (ValueError, AttributeError, OSError):  # a system that does not tell
            free = 8 * 2**30
    return bool(count * each <= free // 2)


def _room(count: int, scaling: Scaling, device: Any) -> Batch:
    image = scaling.recipe.image_shape
    shapes = (scaling.reference.shape, (1, *image), (3, *image))
    return Batch(*(torch.empty((count, *shape), device=device) for shape in shapes))


def scaled(phantoms: Phantoms, here: slice, scaling: Scaling) -> Batch:
    """Some phantoms of a store or in memory, on the CPU."""
    first, stop = here.start, min(here.stop, len(phantoms))
    names = ("signal", "mri", "chromophores")
    signals, mri, maps = (phantoms.read(name, first, stop) for name in names)
    try:
        signals, mri = scaling.signals(signals), scaling.mri(mri)
        arrays.real(maps, "chromophores", maps.shape, keep_float32=True)
    except ValueError as problem:
        raise ValueError(f"phantoms {first} to {stop - 1}: {problem}") from problem
    return Batch(*map(torch.from_numpy, (signals, mri, scaling.targets(maps))))
