"""Checks in words, and where an array lives: the whole backend story."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import numpy as np

from lesionkit import _core

Shape = Sequence[int | str | None]


class Home(NamedTuple):
    """Where arrays live: whose they are, and on which device. The answer goes back there.

    The kind of an array is told by what has been imported already: nothing is imported to ask.
    """

    library: Literal["NumPy", "CuPy", "torch"]
    gpu: int | None  # its number; None: the CPU

    def __str__(self) -> str:
        kind = "torch tensor" if self.library == "torch" else f"{self.library} array"
        return kind if self.gpu is None else f"{kind} on GPU {self.gpu}"

    @property
    def xp(self) -> Any:
        """The module that computes there: numpy or cupy."""
        if self.gpu is None:
            return np
        from lesionkit import gpu

        return gpu.require()

    def view(self, value: Any, name: str) -> Any:
        """`value` as an array of `xp`, without a copy. NumPy's and CuPy's stay as they are."""
        if self.library != "torch":
            return value
        try:
            return value.numpy() if self.gpu is None else self.xp.from_dlpack(value)
        except (TypeError, RuntimeError, BufferError, NotImplementedError) as problem:
            raise TypeError(
                f"{name} must be a dense tensor of real numbers that NumPy knows, got "
                f"{str(value.layout).removeprefix('torch.')} {value.dtype}"
            ) from problem

    def back(self, array: Any) -> Any:
        """An array of `xp` as one of this home, without a copy."""
        if self.library != "torch":
            return array
        torch = sys.modules["torch"]
        return torch.from_numpy(array) if self.gpu is None else torch.from_dlpack(array)

    @contextmanager
    def current(self) -> Iterator[None]:
        """Within the block CuPy works on this GPU, in torch's current stream if it is torch's."""
        if self.gpu is None:
            yield
            return
        cuda = self.xp.cuda
        with cuda.Device(self.gpu):
            if self.library == "torch":
                stream = sys.modules["torch"].cuda.current_stream(self.gpu).cuda_stream
                with cuda.ExternalStream(stream, self.gpu):
                    yield
            else:
                yield


def home(**values: Any) -> Home:
    """The one home of these arguments; else TypeError, which says how to convert.

    Lists and numbers count as NumPy's. A tensor that carries gradients is refused.
    """
    homes = {name: _home_of(value, name) for name, value in values.items()}
    # Convert towards the GPU rather than from it, and towards torch.
    target = max(homes, key=lambda name: (homes[name].gpu is not None, homes[name].library))
    to = homes[target]
    for name, place in homes.items():
        if place != to:
            raise TypeError(
                f"{' and '.join(homes)} must live in one place, got {target}, a {to}, and {name}, "
                f"a {place}; convert with {_conversion(name, to)}"
            )
    return to


def _home_of(value: Any, name: str) -> Home:
    _refuse_gradients(value, name)
    if _is_a(value, "torch", "Tensor"):
        device = value.device
        if device.type not in ("cpu", "cuda"):
            raise TypeError(
                f"{name} must be a tensor on the CPU or a CUDA device, got one on {device}"
            )
        return Home("torch", None if device.type == "cpu" else device.index)
    if _is_a(value, "cupy", "ndarray"):
        return Home("CuPy", value.device.id)
    if hasattr(value, "__cuda_array_interface__"):
        raise TypeError(
            f"{name} must be a NumPy or CuPy array or a torch tensor, got a GPU array "
            f"({type(value).__module__}); convert with cupy.asarray({name})"
        )
    return Home("NumPy", None)


def _refuse_gradients(value: Any, name: str) -> None:
    if getattr(value, "requires_grad", False):
        raise TypeError(f"{name} carries gradients, which would be lost here; pass {name}.detach()")


def _is_a(value: Any, module: str, kind: str) -> bool:
    there = sys.modules.get(module)
    return there is not None and isinstance(value, getattr(there, kind, ()))


def _conversion(name: str, to: Home) -> str:
    if to.library == "CuPy":
        return f"cupy.asarray({name}) on that GPU"
    device = "" if to.gpu is None else f", device='cuda:{to.gpu}'"
    return f"torch.as_tensor({name}{device})"


def namespace(array: Any) -> Any:
    """The module of an array of NumPy or CuPy."""
    return sys.modules["cupy"] if _is_a(array, "cupy", "ndarray") else np


def describe(value: Any) -> str:
    """What came, for an error message: the kind of object, its dtype and shape."""
    if _is_a(value, "numpy", "ndarray") or _is_a(value, "cupy", "ndarray"):
        return f"{value.dtype} array of shape {value.shape}"
    if _is_a(value, "torch", "Tensor"):
        return f"{value.dtype} tensor of shape {tuple(value.shape)}"
    return f"{type(value).__name__} {_short(repr(value))}"


def _short(text: str) -> str:
    """On one line, and not the 400 digits that an integer may have."""
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."


def real(
    value: Any,
    name: str,
    shape: Shape,
    unit: str = "",
    xp: Any = np,
    *,
    at_least: float | None = None,
    above: float | None = None,
    keep_float32: bool = False,
) -> Any:
    """`value` as a C-contiguous float64 array of `shape`, finite everywhere; else a clear error.

    shape : for each axis an int (exactly so many), or a name or None (any number); a leading
            ``...`` is written as the string "...", and admits any batch axes.
    xp    : where: numpy, or cupy for an array that is on a GPU already (see :class:`Home`)
    at_least, above : what every number must be
    keep_float32 : leave float32 as it is; every other dtype becomes float64
    """
    _refuse_gradients(value, name)
    if xp is np and hasattr(value, "__cuda_array_interface__"):
        raise TypeError(
            f"{name} must be a NumPy array, got a GPU array ({type(value).__module__}); "
            "copy it to the host first"
        )
    refuse_masked(value, name)
    try:
        array: np.ndarray = xp.asarray(value)
    except MemoryError:
        raise
    except Exception as problem:
        raise TypeError(f"{name} must be an array of numbers, got {describe(value)}") from problem
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} must hold real numbers, got {describe(array)}")
    require_shape(array, name, shape)
    kept = keep_float32 and array.dtype == np.float32
    array = xp.asarray(array, dtype=np.float32 if kept else np.float64, order="C")
    if xp is np:
        array = np.require(array, requirements=["C", "A"])  # aligned as well: C++ reads registers
    low, finite = _least(array)
    if not finite:
        bad = int(xp.count_nonzero(~xp.isfinite(array)))
        raise ValueError(f"{name} must be finite{unit and f' ({unit})'}, got {bad} NaN or infinite")
    if at_least is not None and low < at_least:
        raise ValueError(f"{name} must be at least {f'{at_least:g} {unit}'.rstrip()}, got {low:g}")
    if above is not None and low <= above:
        raise ValueError(f"{name} must be above {f'{above:g} {unit}'.rstrip()}, got {low:g}")
    return array


def refuse_masked(value: Any, name: str) -> None:
    """Raise where entries are masked: what is made of the array would have them all the same."""
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise ValueError(f"{name} has masked entries, which would be used here; fill them first")


def _least(array: Any) -> tuple[float, bool]:
    """The smallest number, and whether all are finite; at the speed of memory, since maps may be
    larger than their solve."""
    if isinstance(array, np.ndarray):
        low, _, finite = _core.extent(array)
        return low, finite
    if not array.size:
        return np.inf, True
    low, high = float(array.min()), float(array.max())  # NaN if any is
    return low, bool(np.isfinite([low, high]).all())


def require_shape(array: Any, name: str, shape: Shape) -> None:
    """Raise unless `array` has `shape` (written as for :func:`real`)."""
    batched = bool(shape) and shape[0] == "..."
    tail = list(shape[1:]) if batched else list(shape)
    fits = array.ndim >= len(tail) if batched else array.ndim == len(tail)
    if fits:
        last = array.shape[array.ndim - len(tail) :]
        fits = all(not isinstance(n, int) or n == m for n, m in zip(tail, last, strict=True))
    if not fits:
        wanted = ", ".join("any" if n is None else str(n) for n in shape)
        raise ValueError(f"{name} must have shape ({wanted}), got {describe(array)}")


def integer(value: Any, name: str, *, at_least: int, at_most: int | None = None) -> int:
    """`value` as an int within its range; else a clear error."""
    accepted = f"at least {at_least}" if at_most is None else f"from {at_least} to {at_most}"
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an integer {accepted}, got {describe(value)}")
    if value < at_least or (at_most is not None and value > at_most):
        raise ValueError(f"{name} must be {accepted}, got {_short(str(value))}")
    return int(value)


def number(
    value: Any,
    name: str,
    *,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    unit: str = "",
) -> float:
    """`value` as a finite float within its range; else a clear error."""
    limits = [
        text
        for text, limit in (
            (f"above {above}", above),
            (f"at least {at_least}", at_least),
            (f"at most {at_most}", at_most),
        )
        if limit is not None
    ]
    accepted = f"a finite number{unit and ' of ' + unit} {' and '.join(limits)}".rstrip()
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} must be {accepted}, got {describe(value)}")
    try:
        x = float(value)
    except OverflowError:
        x = np.inf
    if (
        not np.isfinite(x)
        or (above is not None and not x > above)
        or (at_least is not None and x < at_least)
        or (at_most is not None and x > at_most)
    ):
        raise ValueError(f"{name} must be {accepted}, got {_short(str(value))}")
    return x


def spacing_of(spacing: Any, axes: int) -> tuple[float, ...]:
    """The spacing along each axis; else a clear error."""
    steps = real(spacing, "spacing", ("...",), above=0.0)
    if steps.shape not in ((), (axes,)):
        raise ValueError(
            f"spacing must be one number, or one for each of {axes} axes, got {describe(steps)}"
        )
    return tuple(map(float, np.broadcast_to(steps, axes)))
