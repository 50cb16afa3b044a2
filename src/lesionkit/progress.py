"""How far long work is: a bar on a terminal, a line from time to time where there is none (a log of
SLURM, nohup, CI, a notebook)."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

EVERY = 30.0
"""Seconds between two lines."""

Callback = Callable[[int, int, str], object]
"""What a `progress` argument is: called as progress(done, total, what), or without `what`."""


class Progress:
    """Tells on stderr how far work is; a context manager, and itself a `progress` argument.

    unit : what is counted, "phantoms"
    Where there is no terminal there is a line when `what` has changed, which says what is at
    work or what has come out (an epoch and its loss), and else one every 30 s.
    """

    def __init__(self, unit: str = "") -> None:
        self.unit = unit
        self._terminal = sys.stderr.isatty()
        self._bar: Any = None
        self._what = ""
        self._report = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()  # it stays as it is; what follows starts on a fresh line

    def __call__(self, done: int, total: int, what: str = "") -> None:
        if self._terminal:
            self._draw(done, total, what)
        elif what != self._what or time.monotonic() - self._report >= EVERY:
            count = f"{done:,} of {total:,} {self.unit}".rstrip()
            self.say(f"lesionkit: {what} ({count})" if what else f"lesionkit: {count}")
            self._report = time.monotonic()
        self._what = what

    def say(self, text: str) -> None:
        """A line on stderr, above the bar."""
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        else:
            print(text, file=sys.stderr, flush=True)

    def _draw(self, done: int, total: int, what: str) -> None:
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(unit=f" {self.unit}", total=total, initial=done)
        if total != self._bar.total or done < self._bar.n:  # another step of the work
            self._bar.reset(total)
        if what:
            self._bar.set_description(what, refresh=False)
        self._bar.update(done - self._bar.n)
        if done == total:
            self._bar.refresh()


def by_epoch(tell: Callback, epochs: int, name: str = "") -> Callable[[int, int, int, float], None]:
    """The `progress` of a training, (epoch, batch, batches, loss), that tells batches of all
    epochs; what it says changes at the end of each epoch."""
    what = ""

    def progress(epoch: int, batch: int, batches: int, loss: float) -> None:
        nonlocal what
        if batch == batches:
            what = f"{name}epoch {epoch} of {epochs}, loss {loss:.4g}"
        tell((epoch - 1) * batches + batch, epochs * batches, what)

    return progress
