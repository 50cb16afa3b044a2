"""Where an array lives: the whole backend story."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import numpy as np


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
        if not is_a(value, "torch", "Tensor"):
            raise TypeError(f"{name} must be a {self}, got {describe(value)}")
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
        return torch.from_numpy(np.asarray(array)) if self.gpu is None else torch.from_dlpack(array)

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

    Lists and numbers count as NumPy's; what is None was not given and lives nowhere. A tensor that
    carries gradients is refused, and so is a container whose voxels only its own library reads.
    """
    homes = {name: _home_of(value, name) for name, value in values.items() if value is not None}
    if not homes:
        return Home("NumPy", None)
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


def on_cpu(what: str = "", **values: Any) -> Home:
    """The same, on the CPU; else TypeError, which says what it is that only the CPU does."""
    found = home(**values)
    if found.gpu is not None:
        names = " and ".join(name for name, value in values.items() if value is not None)
        raise TypeError(
            f"{names} must be on the CPU{what and f' for {what}'}, got a {found}; "
            "copy to the host first"
        )
    return found


# What NumPy would read voxel by voxel, or not at all: where its voxels are.
CONTAINERS = {
    ("SimpleITK", "Image"): "SimpleITK.GetArrayFromImage({0}), whose axes are (z, y, x)",
    (
        "nibabel.spatialimages",
        "SpatialImage",
    ): "{0}.get_fdata(), or lesionkit.io.read_image(path).values",
}


def check_no_container(value: Any, name: str) -> None:
    for (module, kind), advice in CONTAINERS.items():
        if is_a(value, module, kind):
            raise TypeError(
                f"{name} must be an array, got a {module.split('.')[0]} image; "
                f"pass {advice.format(name)}"
            )


def _home_of(value: Any, name: str) -> Home:
    check_no_gradients(value, name)
    check_no_container(value, name)
    if is_a(value, "torch", "Tensor"):
        device = value.device
        if device.type not in ("cpu", "cuda"):
            raise TypeError(
                f"{name} must be a tensor on the CPU or a CUDA device, got one on {device}"
            )
        return Home("torch", None if device.type == "cpu" else device.index)
    if is_a(value, "cupy", "ndarray"):
        return Home("CuPy", value.device.id)
    if hasattr(value, "__cuda_array_interface__"):
        raise TypeError(
            f"{name} must be a NumPy or CuPy array or a torch tensor, got a GPU array "
            f"({type(value).__module__}); convert with cupy.asarray({name})"
        )
    return Home("NumPy", None)


def check_no_gradients(value: Any, name: str) -> None:
    if getattr(value, "requires_grad", False):
        raise TypeError(f"{name} carries gradients, which would be lost here; pass {name}.detach()")


def is_a(value: Any, module: str, kind: str) -> bool:
    there = sys.modules.get(module)
    return there is not None and isinstance(value, getattr(there, kind, ()))


def _conversion(name: str, to: Home) -> str:
    if to.library == "CuPy":
        return f"cupy.asarray({name}) on that GPU"
    device = "" if to.gpu is None else f", device='cuda:{to.gpu}'"
    return f"torch.as_tensor({name}{device})"


def namespace(array: Any) -> Any:
    """The module of an array of NumPy or CuPy."""
    return sys.modules["cupy"] if is_a(array, "cupy", "ndarray") else np


def to_host(array: Any) -> Any:
    """CuPy's arrays copied to NumPy's; anything else as it is."""
    return array if namespace(array) is np else array.get()


def describe(value: Any) -> str:
    """What came, for an error message: the kind of object, its dtype and shape."""
    if is_a(value, "numpy", "ndarray") or is_a(value, "cupy", "ndarray"):
        return f"{value.dtype} array of shape {value.shape}"
    if is_a(value, "torch", "Tensor"):
        return f"{value.dtype} tensor of shape {tuple(value.shape)}"
    return f"{type(value).__name__} {short(repr(value))}"


def short(text: str) -> str:
    """On one line, and not the 400 digits that an integer may have."""
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."
