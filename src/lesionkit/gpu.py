"""GPU kernels: compiled from ``csrc/**/*.cu`` when first launched, through CuPy and NVRTC.

Nothing here imports CuPy before a kernel is asked for. Each template instance is compiled once for
a GPU and kept on disk by CuPy (``~/.cupy/kernel_cache``, or ``CUPY_CACHE_DIR``); whatever is
missing is told in one sentence.
"""

from __future__ import annotations

import hashlib
import importlib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lesionkit import extras

# Every kernel there is: those that may be launched, and that the tests compile and run.
KERNELS: dict[str, tuple[str, ...]] = {
    "clustering/fcm/fcm.cu": (
        *(f"fcm_line<{clusters}>" for clusters in (2, 3, 4, 5)),
        "fcm_pass<4, 4>",
        "fcm_pass<16, 1>",
        "fcm_update",
        "fcm_answer",
    ),
    "clustering/kmeans/kmeans.cu": (
        *(f"kmeans_line<{places}>" for places in (4, 8)),
        *(f"kmeans_space<{kind}, {d}>" for kind in ("float", "double") for d in (4, 16)),
        *(
            f"kmeans_{what}<{kind}>"
            for what in ("labels", "distances")
            for kind in ("float", "double")
        ),
        "start_line",
        "move_on_line",
        "move_in_space",
    ),
    "clustering/spatial/spatial.cu": tuple(
        f"{what}<{kind}>"
        for what in (
            "window_mean",
            "window_median",
            "class_memberships",
            "weigh_by_window",
            "class_sums",
        )
        for kind in ("float", "double")
    ),
    "optics/forward.cu": (
        *(f"assemble<double, {values}, MapInput>" for values in (1, 3, 4, 6)),
        *(f"assemble<Complex<double>, {values}, MapInput>" for values in (1, 3, 4, 6)),
        *(f"assemble<double, {values}, MixtureInput>" for values in (1, 4)),
        *(
            f"measure<{kind}, {in_shared}>"
            for kind in ("double", "Complex<double>")
            for in_shared in ("true", "false")
        ),
    ),
    "optics/fields/fields.cu": (
        *(f"solve_fields<{kind}>" for kind in ("double", "Complex<double>")),
        *(
            f"jacobian<{kind}, {nodes}>"
            for kind in ("double", "Complex<double>")
            for nodes in ("3, 1", "3, 3", "6, 1", "6, 4", "6, 6")
        ),
        *(f"element_gram<{kind}>" for kind in ("double", "Complex<double>")),
        *(f"gradient<{values}>" for values in (1, 3, 4, 6)),
    ),
    "optics/volume/assemble.cu": (
        *(f"element_matrices<{nodes}>" for nodes in (4, 10)),
        "matrix_rows",
    ),
    "optics/volume/solve.cu": ("solve_columns", "read_pairs"),
    "optics/phantom.cu": ("draw_regions", "element_shares", "paint", "add_noise"),
    "texture/rois/rois.cu": (
        "quantise",
        *(f"roi_features<uint{bits}_t>" for bits in (8, 16)),
    ),
    "texture/glcm/glcm.cu": (
        *(f"count_pairs{where}<uint{bits}_t>" for where in ("_shared", "") for bits in (32, 64)),
        *(f"marginals<{kind}>" for kind in ("uint32_t", "uint64_t", "double")),
    ),
    "texture/region/runs.cu": tuple(f"run_lengths<uint{bits}_t>" for bits in (8, 16, 32)),
    "texture/region/zones.cu": (
        *(f"least_labels<uint{bits}_t>" for bits in (8, 16, 32)),
        "label_of_label",
    ),
    "fronts/contours/chan_vese.cu": tuple(
        f"chan_vese{what}<{kind}>" for what in ("", "_energy") for kind in ("float", "double")
    ),
    "fronts/accurate/accurate.cu": (
        *(f"find_reach<{kind}>" for kind in ("float", "double")),
        *(f"start_fronts<{kind}>" for kind in ("float", "double")),
        *(f"follow_order<{kind}, {axes}>" for kind in ("float", "double") for axes in (2, 3)),
    ),
    "fronts/eikonal/labels.cu": (
        *(f"front_parents<{kind}>" for kind in ("float", "double")),
        "parent_of_parent",
    ),
    "fronts/eikonal/sweep.cu": tuple(f"relax_tiles<{kind}>" for kind in ("float", "double")),
    "texture/maps/maps.cu": (
        "feature_maps",
        *(f"cs_lbp<{kind}>" for kind in ("uint8_t", "uint16_t", "float", "double")),
    ),
}

# CuPy adds the GPU, -ftz=true and --device-as-default-execution-space, so that unmarked functions
# (lambdas, members of templates) are device code as well.
OPTIONS = ("-std=c++20",)

OLDEST = 75  # compute capability, times ten
MIN_CUPY = 14  # older ones pass a wild address where None stands for a null pointer
MAX_STATIC_SHARED = 1024  # bytes: no kernel's own __shared__ variables take more
RESERVED_SHARED = 1024  # bytes of each resident block that CUDA keeps, beside what it asks for

C_TYPES = {
    **{f"uint{bits}": f"uint{bits}_t" for bits in (8, 16, 32, 64)},
    "float32": "float",
    "float64": "double",
}
"""How dtypes are called in the names of kernels."""


class GpuError(RuntimeError):
    """There is no GPU to compute on, or it cannot do what was asked; says why in one sentence."""


class Properties(NamedTuple):
    """What a launch is fitted to."""

    name: str
    capability: int  # 90: compute capability 9.0
    multiprocessors: int
    shared_per_block: int  # bytes, the most that may be asked for
    shared_per_multiprocessor: int  # bytes
    memory: int  # bytes


def sources() -> Path:
    """The folder of the C++ and CUDA sources: in the package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent
    for folder in (package / "_csrc", package.parents[1] / "csrc"):
        if (folder / "common" / "portable.hpp").is_file():
            return folder
    raise GpuError(f"lesionkit's CUDA sources are not in {package}: install lesionkit again")


@cache
def require() -> Any:
    """The module cupy, once it is sure that it has a GPU; else GpuError."""
    try:
        cupy = importlib.import_module("cupy")
    except ImportError as problem:
        if problem.name == "cupy":
            raise GpuError(
                "a GPU is used through CuPy, which is not installed: "
                f"{extras.command('cuda13')}; cuda12 in its place where the driver is older"
            ) from None
        raise GpuError(f"CuPy is installed, but cannot be imported: {problem}") from problem
    if int(cupy.__version__.split(".")[0]) < MIN_CUPY:
        raise GpuError(
            f"CuPy {cupy.__version__} is too old: lesionkit needs {MIN_CUPY} or newer: "
            f"{extras.command('cuda13')}"
        )
    runtime = cupy.cuda.runtime
    try:
        count = runtime.getDeviceCount()
    except runtime.CUDARuntimeError as problem:
        raise GpuError(_no_device(runtime, problem)) from None
    if count == 0:
        raise GpuError("the NVIDIA driver sees no GPU")
    return cupy


def _no_device(runtime: Any, problem: Exception) -> str:
    if "NoDevice" in str(problem):
        return "the NVIDIA driver sees no GPU (is CUDA_VISIBLE_DEVICES set?)"
    if "InsufficientDriver" in str(problem):
        try:
            version = runtime.driverGetVersion()
        except runtime.CUDARuntimeError:
            version = 0
        if not version:
            return "no NVIDIA driver is installed"
        driver = f"{version // 1000}.{version % 1000 // 10}"
        return f"the NVIDIA driver (CUDA {driver}) is too old for this CuPy: update one of them"
    return f"the GPU does not answer: {problem}"


@cache
def properties(device: int) -> Properties:
    """What GPU number `device` offers; GpuError if it is too old."""
    found = require().cuda.runtime.getDeviceProperties(device)
    capability = 10 * found["major"] + found["minor"]
    name = found["name"].decode()
    if capability < OLDEST:
        raise GpuError(
            f"GPU {device} ({name}) is too old: it has compute capability {capability / 10}, and "
            f"lesionkit needs {OLDEST / 10} or newer"
        )
    return Properties(
        name,
        capability,
        found["multiProcessorCount"],
        found["sharedMemPerBlockOptin"],
        found["sharedMemPerMultiprocessor"],
        found["totalGlobalMem"],
    )


def launch(
    file: str,
    kernel: str,
    grid: int | Sequence[int],
    block: int | Sequence[int],
    args: Sequence[Any],
    shared: int = 0,
) -> None:
    """Start a kernel on the GPU that holds its arrays, in CuPy's current stream.

    file   : below csrc, "optics/phantom.cu"
    kernel : as KERNELS lists it: a name, or an instance "name<double, 4>"
    grid   : blocks, one number or up to three;  block : threads in each, likewise
    args   : CuPy arrays (C-contiguous) for pointers; int for int64_t or uint64_t, float for double;
             NumPy scalars for their own types; a NumPy array of one element for a struct by value
    shared : bytes of dynamic shared memory for each block
    Raises GpuError where the GPU cannot do it. It returns before the work is done.
    """
    cupy = require()
    devices = {arg.device.id for arg in args if isinstance(arg, cupy.ndarray)}
    if len(devices) > 1:
        raise GpuError(f"{kernel} got arrays on several GPUs: {sorted(devices)}")
    device = devices.pop() if devices else cupy.cuda.Device().id
    with cupy.cuda.Device(device):
        function, static = compiled(file, kernel, device)
        if static + shared > properties(device).shared_per_block:
            raise GpuError(
                f"{kernel} needs {static + shared} bytes of shared memory for a block, and "
                f"{properties(device).name} has {properties(device).shared_per_block}"
            )
        function(sizes(grid), sizes(block), tuple(map(scalar, args)), shared_mem=shared)


def fits(shared: int, device: int) -> bool:
    """Whether a block may have that many bytes of dynamic shared memory beside its static ones."""
    return shared + MAX_STATIC_SHARED <= properties(device).shared_per_block


def device_of(array: Any) -> int:
    """The number of the GPU that holds the array; 0 of NumPy's, as in tests on the host."""
    return 0 if isinstance(array, np.ndarray) else int(array.device.id)


def c_type(array: Any) -> str:
    """What the numbers of an array are called in the names of kernels."""
    return C_TYPES[array.dtype.name]


def struct(numbers: Any, dtype: Any = np.int64) -> np.ndarray:
    """Numbers of one kind as a struct that `launch` passes by value."""
    packed = np.array(numbers, dtype)
    return packed.view(f"V{packed.nbytes}")


def sizes(count: int | Sequence[int]) -> tuple[int, ...]:
    """A grid or block as CuPy wants it: three whole numbers at most."""
    return (int(count),) if isinstance(count, (int, np.integer)) else tuple(map(int, count))


def scalar(arg: Any) -> Any:
    """A Python number as the NumPy scalar that has the kernel's type; other things as they are."""
    if isinstance(arg, bool):
        raise TypeError("a kernel takes no bool: its size differs between compilers")
    if isinstance(arg, int):
        return np.int64(arg) if arg < 2**63 else np.uint64(arg)
    return np.float64(arg) if isinstance(arg, float) else arg


def blocks_for(items: int, block: int, device: int) -> int:
    """Blocks of `block` threads for a grid-stride loop over `items`: enough, and not too many."""
    return max(1, min(math.ceil(items / block), 32 * properties(device).multiprocessors))


@cache
def source(file: str) -> str:
    """The text of a .cu, and a line that changes whenever a file it may include does.

    CuPy's cache knows a kernel by its text alone: without this line an edited header, or another
    version of lesionkit, would find what was compiled from the old one.
    """
    folder = sources()
    digest = hashlib.sha256()
    for kind in ("*.hpp", "*.cu"):  # fields.cu builds on forward.cu
        for header in sorted(folder.rglob(kind)):
            digest.update(header.read_bytes())
    return f"{(folder / file).read_text()}\n// headers {digest.hexdigest()}\n"


@cache
def compiled(file: str, kernel: str, device: int) -> tuple[Any, int]:
    """The kernel, compiled for the current device, which is `device`, and the bytes of its static
    shared memory.

    A block of it may have all the shared memory that there is. The GPU's limit without being asked,
    48 KiB, is on static and dynamic together; and as it is asked for here, once, two threads that
    launch the kernel with different sizes cannot take it from each other.
    """
    if kernel not in KERNELS.get(file, ()):
        raise GpuError(f"{kernel} of {file} is not in lesionkit.gpu.KERNELS")
    # What is no template is compiled with its file in any case: once for all of them.
    plain = tuple(name for name in KERNELS[file] if "<" not in name)
    try:
        module = _module(file, (kernel,) if "<" in kernel else plain, device)
        function = module.get_function(kernel)
        static: int = function.shared_size_bytes
    except GpuError:
        raise
    except Exception as problem:
        lines = [line for line in str(problem).splitlines() if line.strip()]
        raise GpuError(
            f"{kernel} of {file} cannot be compiled for this GPU: {(lines or [repr(problem)])[0]}"
        ) from problem
    function.max_dynamic_shared_size_bytes = properties(device).shared_per_block - static
    return function, static


@cache
def _module(file: str, kernels: tuple[str, ...], device: int) -> Any:
    properties(device)
    options = (*OPTIONS, f"-I{sources()}")
    return require().RawModule(code=source(file), options=options, name_expressions=kernels)


def free_memory() -> int:
    """Bytes that can still be allocated on the current GPU, CuPy's own reserve included."""
    cupy = require()
    free: int = cupy.cuda.runtime.memGetInfo()[0]
    return free + int(cupy.get_default_memory_pool().free_bytes())


@contextmanager
def memory_for(what: str) -> Iterator[None]:
    """Tell in one sentence what did not fit, where the block runs out of the GPU's memory."""
    try:
        yield
    except MemoryError as problem:
        free, total = require().cuda.runtime.memGetInfo()
        raise MemoryError(
            f"{what} needs more memory than the GPU has left: {free / 2**20:,.0f} of "
            f"{total / 2**20:,.0f} MiB are free"
        ) from problem


def describe() -> str:
    """The current GPU in a line, or why there is none."""
    try:
        cupy = require()
        found = properties(cupy.cuda.Device().id)
    except GpuError as problem:
        return f"none ({problem})"
    return (
        f"{found.name}, compute capability {found.capability / 10}, "
        f"{found.memory / 2**30:.0f} GiB, CuPy {cupy.__version__}"
    )
