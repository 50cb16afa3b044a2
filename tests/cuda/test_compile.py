"""Every kernel compiles for every GPU that the compiler knows, within bounds; no GPU is needed."""

from __future__ import annotations

import pytest

import nvrtc
from lesionkit import gpu

# The most registers a thread may use: at 128 a multiprocessor holds 512 threads, at 64 1,024. ptxas
# may add a few in a newer version; far more means that a loop was unrolled or inlined by accident.
REGISTERS = {
    "chan_vese<float>": 96,
    "chan_vese<double>": 96,
    **{f"jacobian<Complex<double>, 6, {values}>": 144 for values in (1, 4, 6)},
    "solve_fields<double>": 255,  # 168, but 254 on 10.0: 2 blocks of 128 threads
    "solve_fields<Complex<double>>": 255,
    "draw_regions": 96,
    "element_shares": 80,
    "paint": 128,
    "add_noise": 64,
    "element_matrices<10>": 168,
    "relax_tiles<float>": 96,
    "follow_order<double, 3>": 168,
    "follow_order<double, 2>": 144,
    "quantise": 80,
    "roi_features<uint8_t>": 96,
    "roi_features<uint16_t>": 96,
    "measure<double, true>": 160,  # 6 blocks of 64 threads
    "measure<double, false>": 192,
    "measure<Complex<double>, true>": 248,  # 4 of them
    "measure<Complex<double>, false>": 255,
    "fcm_pass<4, 4>": 144,
    "fcm_pass<16, 1>": 208,
}
OTHERS = 128
STACK = 64  # bytes a thread: the slow path of sine and cosine, and no array of ours


def test_every_file_is_listed() -> None:
    folder = gpu.sources()
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.cu")} == {*gpu.KERNELS}


def test_the_compiler_knows_the_gpus_we_promise() -> None:
    assert {75, 80, 90} <= {*nvrtc.generations()}


@pytest.mark.parametrize("file", gpu.KERNELS)
def test_kernels_compile_within_bounds(file: str) -> None:
    for architecture in nvrtc.generations():
        compiled = nvrtc.compile_kernels(gpu.source(file), gpu.KERNELS[file], architecture)
        usages = compiled.usages
        assert compiled.cubin[:4] == b"\x7fELF"
        assert usages.keys() == {*gpu.KERNELS[file]}
        for kernel, usage in usages.items():
            nvrtc.FOUND.setdefault((file, kernel), {})[architecture] = usage
            where = f"{kernel} on sm_{architecture}: {usage}"
            assert usage.spilled == 0, where
            assert usage.registers <= REGISTERS.get(kernel, OTHERS), where
            assert usage.stack <= STACK, where
            assert usage.shared <= gpu.MAX_STATIC_SHARED, where


def test_a_mistake_is_reported() -> None:
    source = '#include "common/portable.hpp"\n__global__ void f(int* x) { *x = nobody; }'
    with pytest.raises(AssertionError, match='identifier "nobody" is undefined'):
        nvrtc.compile_kernels(source, ("f",), 90)


def test_spills_and_shared_memory_are_seen() -> None:
    """The bounds above mean nothing if these numbers are not read."""
    source = """#include "common/portable.hpp"
    __global__ void __launch_bounds__(1024, 2) f(double* x, int n) {
      SHARED(double, tile, 64);
      double y[64];
      for (int i = 0; i < 64; ++i) y[i] = x[i + threadIdx.x];
      for (int k = 0; k < n; ++k)
        for (int i = 0; i < 64; ++i) y[i] = y[i] * y[(i + 1) % 64] + y[(i + 7) % 64];
      for (int i = 0; i < 64; ++i) tile[i] = y[i];
      __syncthreads();
      x[threadIdx.x] = tile[threadIdx.x];
    }"""
    usage = nvrtc.compile_kernels(source, ("f",), 90).usages["f"]
    assert usage.spilled > 0
    assert usage.shared == 64 * 8
    assert usage.registers == 32
