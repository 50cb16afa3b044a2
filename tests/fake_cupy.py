"""A CuPy without a GPU: enough of its names to test what lesionkit says and asks of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np


class CUDARuntimeError(RuntimeError):
    """As cupy.cuda.runtime.CUDARuntimeError."""


class Array(np.ndarray):
    """A NumPy array that says it lives on a GPU."""

    gpu = 0

    @property
    def device(self) -> Any:  # type: ignore[override]
        return SimpleNamespace(id=self.gpu)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {"version": 3}


class FakeCupy(ModuleType):
    """GPUs of the capabilities given; launches and compilations are written to `log`."""

    def __init__(self, *capabilities: int) -> None:
        super().__init__("cupy")
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
            "sharedMemPerBlockOptin": 99 * 1024,
            "sharedMemPerMultiprocessor": 100 * 1024,
            "totalGlobalMem": 8 * 2**30,
        }

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
            return kernel

        def launch(grid: Any, block: Any, args: Any, *, shared_mem: int) -> None:
            most = kernel.max_dynamic_shared_size_bytes
            self.log.append(("launch", grid, block, args, shared_mem, most, self.device))

        kernel = _Kernel(launch)
        assert name_expressions
        return SimpleNamespace(get_function=get_function)

    def get_default_memory_pool(self) -> Any:
        return SimpleNamespace(free_bytes=lambda: 2**20)

    def asarray(self, value: Any, dtype: Any = None, order: Any = None) -> Array:
        return np.asarray(value, dtype, order=order).view(Array)

    isfinite, count_nonzero = np.isfinite, staticmethod(np.count_nonzero)


class _Kernel:
    max_dynamic_shared_size_bytes = 0

    def __init__(self, launch: Any) -> None:
        self.launch = launch

    def __call__(self, *args: Any, **options: Any) -> None:
        self.launch(*args, **options)


def on_gpu(array: Any, gpu: int = 0) -> Array:
    """A copy of the array that says it lives on that GPU."""
    copy = np.array(array).view(Array)
    copy.gpu = gpu
    return copy
