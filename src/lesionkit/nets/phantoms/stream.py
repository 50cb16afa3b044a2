"""`PhantomStream`: phantoms that are made while a net learns, and that it sees once.

Phantom i of a stream is phantom i of its recipe and seed, as `lesionkit.optics.generate` makes it:

    0 to 399          to validate with
    400 to 599        to test with
    2^32 and onwards  to learn from, in order: those of the first epoch, of the second, ...
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

import lesionkit
from lesionkit import arrays
from lesionkit.nets.phantoms.data import Batch, Indices, InMemory, Source, Split, in_batches, scaled
from lesionkit.nets.phantoms.scaling import Scaling
from lesionkit.optics.phantoms.factory import Accuracy, resolve
from lesionkit.optics.phantoms.generate import generate
from lesionkit.optics.phantoms.making import Device, instruction_set
from lesionkit.optics.phantoms.recipe import PhantomRecipe
from lesionkit.optics.phantoms.store.layout import FORMAT
from lesionkit.optics.phantoms.store.phantoms import Phantoms

VALIDATION, TEST = (0, 400), (400, 600)
FIRST = 2**32
"""Of the phantoms to learn from: no store of the same seed reaches it."""

AHEAD = 2
"""Runs of phantoms that are made beside the one that the net learns from."""

RUN = 256
"""Phantoms of a run, at least; the last may be shorter."""


@dataclass(frozen=True, kw_only=True)
class PhantomStream:
    """Phantoms without end, in place of a store.

    Parameters
    ----------
    recipe : PhantomRecipe
        The paper's by default.
    seed : int, default 0
        0 to 2^63 - 1.
    accuracy : {"accurate", "fast"}, optional
        As of :func:`lesionkit.optics.generate`.
    per_epoch : int, default 1400
        Phantoms of an epoch, at least 2: as many as the paper-like set of 2,000 has to learn from.

    Raises
    ------
    TypeError, ValueError
        Where a field is not as described.

    Examples
    --------
    >>> from lesionkit import nets
    >>> from lesionkit.optics import PhantomRecipe
    >>> stream = nets.PhantomStream(recipe=PhantomRecipe(pixels=50), per_epoch=2000)
    >>> run = nets.train("znet", stream, "runs/znet")  # doctest: +SKIP
    """

    recipe: PhantomRecipe = field(default_factory=PhantomRecipe)
    seed: int = 0
    accuracy: Accuracy | None = None
    per_epoch: int = 1400

    def __post_init__(self) -> None:
        """Check every field."""
        if not isinstance(self.recipe, PhantomRecipe):
            raise TypeError(f"recipe must be a PhantomRecipe, got {arrays.describe(self.recipe)}")
        seed = arrays.integer(self.seed, "seed", at_least=0, at_most=2**63 - 1)
        many = arrays.integer(self.per_epoch, "per_epoch", at_least=2, at_most=2**30)
        recipe, accuracy = resolve(self.recipe, self.accuracy)
        for name, value in (
            ("recipe", recipe),
            ("accuracy", accuracy),
            ("seed", seed),
            ("per_epoch", many),
        ):
            object.__setattr__(self, name, value)

    def make(self, first: int, count: int, device: Device = "cpu") -> Phantoms:
        """Make some phantoms, in memory.

        Parameters
        ----------
        first : int
            The first of them, 0 to 2^40.
        count : int
            How many.
        device : {"cpu", "cuda", "auto"}, default "cpu"
            As of :func:`lesionkit.optics.generate`.

        Returns
        -------
        Phantoms
            Phantoms `first` to `first + count - 1` of the stream.

        Raises
        ------
        TypeError, ValueError
            Where an argument is not as described.

        Examples
        --------
        >>> from lesionkit import nets
        >>> from lesionkit.optics import PhantomRecipe
        >>> recipe = PhantomRecipe(pixels=16, optodes=8, wavelengths=(785,))
        >>> stream = nets.PhantomStream(recipe=recipe, accuracy="fast")
        >>> stream.make(400, 3).signal.shape
        (3, 1, 8, 7)
        """
        accuracy: Any = self.accuracy
        return generate(
            self.recipe, count, seed=self.seed, first=first, accuracy=accuracy, device=device
        )


class Streamed:
    """A stream as the data of a training."""

    def __init__(self, stream: PhantomStream) -> None:
        self.stream, self.described = stream, "a stream"
        self.recipe, self.accuracy = stream.recipe, stream.accuracy
        self.split = Split((FIRST, FIRST + stream.per_epoch), VALIDATION, TEST)
        recipe = stream.recipe.to_dict()
        text = json.dumps([recipe, stream.accuracy, stream.seed], sort_keys=True)
        self.record: dict[str, Any] = {
            "format": FORMAT,
            "version": lesionkit.__version__,
            "instruction_set": instruction_set(None),
            "seed": stream.seed,
            "accuracy": stream.accuracy,
            "recipe": recipe,
            "stream": {
                "per_epoch": stream.per_epoch,
                "sha256": hashlib.sha256(text.encode()).hexdigest(),
            },
        }

    def signals(self) -> npt.NDArray[np.float32]:
        """Those of the first epoch."""
        first, stop = self.split.training
        return self.stream.make(first, stop - first).read("signal", 0, stop - first)

    def first(self, scaling: Scaling, most: int) -> Iterator[Batch]:
        begin = self.split.training[0]
        for start in range(begin, begin + most, RUN):
            count = min(RUN, begin + most - start)
            yield scaled(self.stream.make(start, count), slice(0, count), scaling)

    def source(self, scaling: Scaling, device: Any, workers: int) -> Source:
        return Made(self.stream, self.split, scaling, device)

    def orders(self, batch: int, seed: int, epoch: int) -> list[Indices]:
        """In the order of their numbers: phantoms are independent of each other."""
        first, stop = self.split.training
        return in_batches(np.arange(first, stop) + epoch * (stop - first), batch)


class Made:
    """Batches of a stream, made by a thread beside the net's; those of validation are kept."""

    def __init__(self, stream: PhantomStream, split: Split, scaling: Scaling, device: Any) -> None:
        self.stream, self.scaling, self.device = stream, scaling, device
        self.where: Device = "auto" if device.type == "cuda" else "cpu"
        first, self.kept = split.validation
        validation = stream.make(first, self.kept - first, self.where)
        self.validation = InMemory(validation, first, self.kept, scaling, device)
        self.thread = ThreadPoolExecutor(1, "phantoms")
        self.waiting: dict[tuple[int, int], Future[Batch]] = {}

    def batches(self, orders: Sequence[Indices]) -> Iterator[Batch]:
        if orders[0][0] < self.kept:
            yield from self.validation.batches(orders)
            return
        runs = list(_runs(orders))
        next_epoch = int(orders[-1][-1]) + 1 - int(orders[0][0])
        ends = [(int(run[0][0]), int(run[-1][-1]) + 1) for run in runs]
        coming = [*ends, *((a + next_epoch, b + next_epoch) for a, b in ends)]
        for number, run in enumerate(runs):
            for some in coming[number : number + 1 + AHEAD]:
                if some not in self.waiting:
                    self.waiting[some] = self.thread.submit(self._make, *some)
            whole = self.waiting.pop(ends[number]).result()
            for order in run:
                here = slice(order[0] - ends[number][0], order[-1] + 1 - ends[number][0])
                yield Batch(*(part[here].to(self.device, non_blocking=True) for part in whole))

    def _make(self, first: int, stop: int) -> Batch:
        phantoms = self.stream.make(first, stop - first, self.where)
        return scaled(phantoms, slice(0, stop - first), self.scaling)


def _runs(orders: Sequence[Indices]) -> Iterator[list[Indices]]:
    """Neighbouring batches that are made together."""
    run: list[Indices] = []
    for order in orders:
        run.append(order)
        if sum(map(len, run)) >= RUN:
            yield run
            run = []
    if run:
        yield run
