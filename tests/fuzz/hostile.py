"""What is done to good arguments: other layouts of the same numbers, and things nobody expects."""

from __future__ import annotations

import contextlib
import fractions
import importlib
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

for _name in ("torch", "SimpleITK"):  # whose arrays are tried where they are installed
    with contextlib.suppress(ImportError):
        importlib.import_module(_name)

Draw = Callable[[Any], Any]


class Subclass(np.ndarray):
    """An array of a class of the user's own."""


class Nothing:
    """An object that is like nothing."""

    def __repr__(self) -> str:
        return "Nothing()"


class Wrapped:
    """An object that gives an array when asked."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(self.array, dtype=dtype)


# --- the same numbers, laid out in another way ----------------------------------------------------


def _strided(a: np.ndarray) -> np.ndarray:
    wide = np.zeros(tuple(2 * n for n in a.shape), a.dtype)
    view = wide[tuple(slice(None, None, 2) for _ in a.shape)]
    view[...] = a
    return view


def _backward(a: np.ndarray) -> np.ndarray:
    turn = tuple(slice(None, None, -1) for _ in a.shape)
    return np.ascontiguousarray(a[turn])[turn]


def _broadcast(a: np.ndarray) -> np.ndarray:
    return np.broadcast_to(a[:1], a.shape) if a.ndim and len(a) else a


def _unaligned(a: np.ndarray) -> np.ndarray:
    room = np.zeros(a.nbytes + 1, np.uint8)
    made = np.ndarray(a.shape, a.dtype, room.data, 1)
    made[...] = a
    return made


def _read_only(a: np.ndarray) -> np.ndarray:
    made = a.copy()
    made.flags.writeable = False
    return made


def _memmap(a: np.ndarray) -> np.ndarray:
    if not a.size:
        return a
    with tempfile.TemporaryFile() as file:
        made = np.memmap(file, a.dtype, "w+", shape=a.shape)
    made[...] = a
    return made


LAYOUTS: tuple[Callable[[np.ndarray], Any], ...] = (
    np.asfortranarray,
    _strided,
    _backward,
    _broadcast,
    _unaligned,
    _read_only,
    _memmap,
    lambda a: a.astype(a.dtype.newbyteorder(">")),
    lambda a: a.view(Subclass),
    lambda a: np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 0, -1)), -1, 0) if a.ndim else a,
    lambda a: a.tolist(),
    lambda a: np.ma.masked_array(a),
    lambda a: _torch(a),
    lambda a: a.astype(np.longdouble),
    lambda a: a.astype(object),
    lambda a: a.astype(np.float64) * 0.9999999 if a.dtype == bool else a,
    lambda a: a.astype(np.uint8) * 255 if a.dtype == bool else a,
    lambda a: a.astype(np.uint8) if a.dtype == bool else a,
    lambda a: a.astype(np.int64) if a.dtype.kind in "biu" else a,
)


# --- what is none of the sort ---------------------------------------------------------------------


def _with(value: Any) -> Callable[[np.ndarray], Any]:
    """One entry is something else."""

    def spoil(a: np.ndarray) -> Any:
        if not a.size or a.dtype.kind not in "biuf":
            return a
        kind = a.dtype if a.dtype.kind == "f" or isinstance(value, int) else np.float64
        made = a.astype(np.int64 if kind == np.bool_ else kind)
        made.flat[made.size // 2] = np.array(value).astype(made.dtype)
        return made

    return spoil


def _torch(a: np.ndarray, **options: Any) -> Any:
    torch = sys.modules.get("torch")
    return torch.tensor(np.ascontiguousarray(a), **options) if torch else a


def _gradients(a: np.ndarray) -> Any:
    return _torch(a, requires_grad=a.dtype.kind == "f")


def _strided_tensor(a: np.ndarray) -> Any:
    made = _torch(a)
    return made.t().contiguous().t() if a.ndim == 2 and made is not a else made


def _sparse_tensor(a: np.ndarray) -> Any:
    made = _torch(a)
    return made if made is a else made.to_sparse()


def _sitk(a: np.ndarray) -> Any:
    sitk = sys.modules.get("SimpleITK")
    return sitk.GetImageFromArray(a) if sitk and a.ndim in (2, 3) else a


def _masked(a: np.ndarray) -> Any:
    hidden = np.zeros(a.shape, bool)
    hidden.flat[:1] = True
    return np.ma.masked_array(a, hidden)


def _structured(a: np.ndarray) -> Any:
    made = np.zeros(a.shape, [("x", "f4"), ("y", "i2")])
    made["x"] = a
    return made


SPOILERS: tuple[Callable[[np.ndarray], Any], ...] = (
    *(
        lambda a, kind=kind: _cast(a, kind)
        for kind in (
            *("?", "i1", "u8", "i8", ">i2", ">u2", ">i4", ">f4", ">f8", "f2", "g", "c8", "c16"),
            *("O", "U8", "S8", "m8[s]", "M8[s]"),
        )
    ),
    *(_with(value) for value in (np.nan, np.inf, -np.inf, 1e308, -1, 2**31, 2**62, 0.5, -1e-300)),
    *(lambda a, axis=axis: a.take([], axis % a.ndim) if a.ndim else a for axis in (0, -1)),
    *(lambda a, axis=axis: a[(slice(None),) * (axis % a.ndim) + (slice(1, None),)] if a.ndim else a
      for axis in (0, -1)),
    lambda a: a[None],
    lambda a: a[..., None],
    lambda a: a[0] if a.ndim and len(a) else a,
    lambda a: a.ravel(),
    lambda a: a.ravel()[:1].reshape(()) if a.size else a,
    lambda a: np.concatenate([a, a], -1) if a.ndim else a,
    lambda a: np.zeros_like(a),
    lambda a: -a if a.dtype.kind in "if" else a,
    lambda a: [a.tolist(), 1],
    lambda a: a.tobytes(),
    lambda a: memoryview(np.ascontiguousarray(a)) if a.dtype.isnative else a,
    lambda a: iter(a.ravel()),
    lambda a: {"array": a},
    Wrapped,
    _masked,
    _structured,
    _gradients,
    _strided_tensor,
    _sparse_tensor,
    _sitk,
)  # fmt: skip


def _cast(a: np.ndarray, kind: str) -> Any:
    return (a if kind not in ("m8[s]", "M8[s]") else a.astype(np.int64)).astype(kind)


# None of these numbers makes a loop of a plausible, very great length: those would be no hangs.
ODD: tuple[Callable[[], Any], ...] = tuple(
    (lambda value=value: value)
    for value in (
        *(None, True, -1, 0, 1, 2, 2**63, 2**64, -(2**63), 10**400),
        *(0.0, -0.0, 0.5, -1.5, 1e308, -1e308, 5e-324, float("nan"), float("inf"), -float("inf")),
        *("", "a", "nan", b"x", (), {}, frozenset(), range(3), 3 + 4j, fractions.Fraction(1, 3)),
        *(np.float64(1.5), np.int8(2), np.uint8(1), np.bool_(True), np.float32(2), np.str_("a")),
        *(np.array(2), np.array([1, 2]), np.array([[1.0]]), np.array("a"), np.longdouble(1)),
        *(np.datetime64("2001-01-01"), slice(None), print, type, Ellipsis, np.nan),
    )
)
FRESH: tuple[Callable[[], Any], ...] = (
    Nothing,
    list,
    lambda: [1],
    lambda: [[1], [2, 3]],
    lambda: _torch(np.array(2.0)),
)


def _done(change: Callable[[np.ndarray], Any], value: np.ndarray) -> Any:
    """The changed array; as it is where that cannot be done to it."""
    with np.errstate(all="ignore"):
        try:
            return change(value)
        except (TypeError, ValueError, RuntimeError, OverflowError):
            return value


def laid_out(draw: Draw, value: Any) -> Any:
    """An array in another layout; other things as they are."""
    if not isinstance(value, np.ndarray):
        return value
    return _done(draw(st.sampled_from(LAYOUTS)), value)


def spoilt(draw: Draw, value: Any) -> Any:
    """Something that is not what was asked for, in most cases."""
    if isinstance(value, np.ndarray) and draw(st.integers(0, 5)):
        return _done(draw(st.sampled_from(SPOILERS)), value)
    return draw(st.sampled_from(ODD + FRESH))()
