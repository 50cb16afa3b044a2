"""How the functions of the package that Numba compiles are compiled: the one place that says so."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from lesionkit import extras

numba: Any = extras.require("numba", "functions that are compiled here need")

from numba.core.caching import FunctionCache  # noqa: E402


class _Cache(FunctionCache):
    """Machine code on disk. No call fails for a disk that is full, became read-only, or has cut the
    file."""

    def load_overload(self, *arguments: Any) -> Any:
        return _or_none(super().load_overload, *arguments)

    def save_overload(self, *arguments: Any) -> None:
        _or_none(super().save_overload, *arguments)


def _or_none(step: Any, *arguments: Any) -> Any:
    try:
        return step(*arguments)
    except (OSError, EOFError, pickle.UnpicklingError):
        return None


def njit(function: Callable[..., Any]) -> Any:
    """Compile when first called, to run without the GIL, and keep the machine code on disk for the
    next process.

    Where no place can be written (a read-only installation without a home; NUMBA_CACHE_DIR names
    one) each process compiles for itself.
    """
    compiled, cache = numba.njit(function, nogil=True), cast(Any, _Cache)
    with suppress(RuntimeError):  # "no locator available"
        compiled._cache = cache(function)  # as `cache=True` does
    return compiled
