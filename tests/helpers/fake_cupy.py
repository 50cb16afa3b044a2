"""A CuPy without a GPU: enough of its names to test what lesionkit says and asks of it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np


class CUDARuntimeError(RuntimeError):
    """As cupy.cuda.runtime.CUDARuntimeError."""


class Array(np.ndarray):
    """A NumPy array that says it lives on a GPU."""

    gpu = 0

    @property
    def device(self) -> Any:
        return SimpleNamespace(id=self.gpu)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {"version": 3}


class OnTheGpu:
    """What says of itself that it is an array on a GPU, and is of no library that is known."""

    __cuda_array_interface__ = {"version": 3}  # noqa: RUF012


class DriverError(RuntimeError):
    """As cupy_backends.cuda.api.driver.CUDADriverError."""


# Bytes of shared memory that a block may ask for, and that it may have without asking: static and
# dynamic together (CUDA C++ Programming Guide, table of technical specifications).
OPT_IN = {75: 64 * 1024, 80: 163 * 1024, 86: 99 * 1024, 90: 227 * 1024, 100: 227 * 1024}
UNASKED = 48 * 1024


class FakeCupy(ModuleType):
    """GPUs of the capabilities given; launches and compilations are written to `log`.

    statics(name): bytes of a kernel's static shared memory. Launches that a GPU would refuse raise
    DriverError: more shared memory than there is or was asked for, too many threads or blocks.
    """

    def __init__(self, *capabilities: int, statics: Callable[[str], int] = lambda name: 0) -> None:
        super().__init__("cupy")
        self.statics = statics
        self.__version__, self.ndarray, self.log = "14.0", Array, []
        self.capabilities, self.device = capabilities, 0
        self.failure: Exception | None = None  # of compilation
        runtime = SimpleNamespace(
            CUDARuntimeError=CUDARuntimeError,
            getDeviceCount=lambda: len(capabilities),
            getDeviceProperties=self.properties,
            driverGetVersion=lambda: 12080,
            memGetInfo=lambda: (3 * 2**20, 8 * 2**30),
        )
        self.cuda = SimpleNamespace(runtime=runtime, Device=self.Device)

    def properties(self, device: int) -> dict[str, Any]:
        major, minor = divmod(self.capabilities[device], 10)
        return {
            "name": b"Fake",
            "major": major,
            "minor": minor,
            "multiProcessorCount": 2,
            "sharedMemPerBlockOptin": self.opt_in(device),
            "sharedMemPerMultiprocessor": self.opt_in(device) + 1024,
            "totalGlobalMem": 8 * 2**30,
        }

    def opt_in(self, device: int) -> int:
        return OPT_IN.get(self.capabilities[device], UNASKED)

    def Device(self, number: int | None = None) -> Any:
        @contextlib.contextmanager
        def current() -> Iterator[None]:
            before, self.device = self.device, number
            try:
                yield
            finally:
                self.device = before

        if number is None:
            return SimpleNamespace(id=self.device)
        return current()

    def RawModule(self, code: str, options: tuple[str, ...], name_expressions: Any) -> Any:
        def get_function(name: str) -> Any:
            if self.failure:
                raise self.failure
            self.log.append(("compile", name, self.device))
            return _Kernel(self, name)

        assert name_expressions
        return SimpleNamespace(get_function=get_function)

    def get_default_memory_pool(self) -> Any:
        return SimpleNamespace(free_bytes=lambda: 2**20)

    def asarray(self, value: Any, dtype: Any = None, order: Any = None) -> Array:
        return np.asarray(value, dtype, order=order).view(Array)

    isfinite, count_nonzero = np.isfinite, staticmethod(np.count_nonzero)


class _Kernel:
    """A compiled kernel with the limits of its GPU."""

    def __init__(self, cupy: FakeCupy, name: str) -> None:
        self.cupy, self.name, self.shared_size_bytes = cupy, name, cupy.statics(name)
        self.opt_in = cupy.opt_in(cupy.device)
        self.asked = UNASKED - self.shared_size_bytes

    @property
    def max_dynamic_shared_size_bytes(self) -> int:
        return self.asked

    @max_dynamic_shared_size_bytes.setter
    def max_dynamic_shared_size_bytes(self, dynamic: int) -> None:
        self.cupy.log.append(("ask", self.name, dynamic))
        if not 0 <= dynamic <= self.opt_in - self.shared_size_bytes:
            raise DriverError(f"CUDA_ERROR_INVALID_VALUE: {self.name} cannot have {dynamic} bytes")
        self.asked = dynamic

    def __call__(self, grid: Any, block: Any, args: Any, *, shared_mem: int) -> None:
        many = [*grid, 1, 1][:3]
        if not (
            0 <= shared_mem <= self.asked
            and 0 < many[0] < 2**31
            and all(0 < n < 2**16 for n in many[1:])
            and 0 < math.prod(block) <= 1024
        ):
            raise DriverError(
                f"CUDA_ERROR_INVALID_VALUE: {self.name}<<<{grid}, {block}, {shared_mem}>>>"
            )
        device = self.cupy.device
        self.cupy.log.append(("launch", grid, block, args, shared_mem, self.asked, device))


def on_gpu(array: Any, gpu: int = 0) -> Array:
    """A copy of the array that says it lives on that GPU."""
    copy = np.array(array).view(Array)
    copy.gpu = gpu
    return copy
