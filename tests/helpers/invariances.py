"""What must change no answer: the number of threads, and how an array lies in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import lesionkit


def at_any_threads(call: Callable[[], Any]) -> Any:
    """Bit for bit the same answer, whatever the number of threads; that answer, which may be a
    tuple, a list or a dict of arrays."""
    before = lesionkit.threads()
    made = []
    try:
        for threads in (1, 2, 5):
            lesionkit.threads(threads)
            made.append(call())
    finally:
        lesionkit.threads(before)
    for other in made[1:]:
        for one, two in zip(_parts(made[0]), _parts(other), strict=True):
            np.testing.assert_array_equal(two, one)
    return made[0]


def _parts(answer: Any) -> list[Any]:
    if isinstance(answer, dict):
        answer = list(answer.items())
    if isinstance(answer, (tuple, list)):
        return [part for one in answer for part in _parts(one)]
    return [answer]


def layouts(array: np.ndarray) -> Iterator[Any]:
    """The same numbers: in Fortran's order, with strides, in the other byte order, as a list, and
    where nobody may write."""
    yield np.asfortranarray(array)
    yield np.repeat(array, 2, axis=-1)[..., ::2]
    yield array.astype(array.dtype.newbyteorder("S"))
    yield array.tolist()
    frozen = array.copy()
    frozen.flags.writeable = False
    yield frozen
