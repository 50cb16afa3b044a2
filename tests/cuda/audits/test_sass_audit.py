"""Every kernel, disassembled for three generations: no read or write of memory of unknown kind, no
spills, and enough warps for a multiprocessor; each kind of mistake is caught."""

from __future__ import annotations

import pytest
from audits.sass import Instructions, disassembled, warps

import nvrtc
from lesionkit import gpu
from lesionkit.clustering import fcm_gpu, kmeans_gpu
from lesionkit.clustering.spatial import spatial_gpu
from lesionkit.fronts import arrival_gpu
from lesionkit.fronts.contours import chan_vese_gpu
from lesionkit.optics.forward import fields_gpu, forward_gpu, solid_gpu
from lesionkit.optics.phantoms import phantoms_gpu
from lesionkit.texture import glcm_gpu, maps_gpu, rois_gpu
from lesionkit.texture.region import runs_gpu, zones_gpu

ARCHITECTURES = (80, 90, 100)
THREADS = {  # of a block
    "clustering/fcm/fcm.cu": fcm_gpu.THREADS,
    "clustering/kmeans/kmeans.cu": kmeans_gpu.THREADS,
    "clustering/spatial/spatial.cu": spatial_gpu.THREADS,
    "fronts/contours/chan_vese.cu": chan_vese_gpu.THREADS,
    "fronts/accurate/accurate.cu": arrival_gpu.FOLLOWING,
    "fronts/eikonal/labels.cu": arrival_gpu.THREADS,
    "fronts/eikonal/sweep.cu": arrival_gpu.THREADS,
    "optics/fields/fields.cu": fields_gpu.THREADS,
    "optics/forward.cu": forward_gpu.THREADS,
    "optics/phantom.cu": phantoms_gpu.THREADS,
    "optics/volume/assemble.cu": solid_gpu.THREADS,
    "optics/volume/solve.cu": solid_gpu.SOLVING,
    "texture/glcm/glcm.cu": glcm_gpu.THREADS,
    "texture/maps/maps.cu": maps_gpu.THREADS,
    "texture/region/runs.cu": runs_gpu.THREADS,
    "texture/region/zones.cu": zones_gpu.THREADS,
    "texture/rois/rois.cu": rois_gpu.THREADS,
}
# The least warps that a multiprocessor must hold, by registers; shared memory may allow fewer.
WARPS = {
    "measure<double, true>": 2 * forward_gpu.RESIDENT,
    "measure<double, false>": 10,
    "measure<Complex<double>, true>": 8,
    "measure<Complex<double>, false>": 8,
    **{f"follow_order<double, {axes}>": 12 for axes in (2, 3)},
    "solve_fields<double>": 8,
    "solve_fields<Complex<double>>": 8,
    **{f"jacobian<Complex<double>, 6, {values}>": 12 for values in (1, 4, 6)},
    "element_matrices<10>": 12,
    "fcm_pass<16, 1>": 8,
    "fcm_pass<4, 4>": 12,
}
OTHERS = 16


@pytest.mark.parametrize("file", gpu.KERNELS)
def test_kernels_know_their_memory(file: str) -> None:
    for architecture in ARCHITECTURES:
        compiled = nvrtc.compile_kernels(gpu.source(file), gpu.KERNELS[file], architecture)
        found = disassembled(compiled.cubin)
        for kernel in gpu.KERNELS[file]:
            usage, instructions = compiled.usages[kernel], found[compiled.names[kernel]]
            held = warps(usage.registers, THREADS[file])
            nvrtc.SASS.setdefault((file, kernel), {})[architecture] = (*instructions, held)
            where = f"{kernel} on sm_{architecture}: {instructions}"
            assert instructions.generic == 0, where
            assert usage.spilled == 0, where
            assert held >= WARPS.get(kernel, OTHERS), f"{kernel}: {held} warps, {usage}"


def audited(body: str) -> Instructions:
    source = f"""#include "common/portable.hpp"
    __global__ void f(double* x, int n) {{
      DYNAMIC_SHARED(double, shared);
      (void)shared;
      {body}
    }}"""
    compiled = nvrtc.compile_kernels(source, ("f",), 90)
    return disassembled(compiled.cubin)[compiled.names["f"]]


def test_a_pointer_to_either_memory_is_caught() -> None:
    for where, generic in (("x", False), ("shared", False), ("n > 9 ? shared : x", True)):
        found = audited(f"double* to = {where}; to[threadIdx.x] += 1;")
        assert (found.generic > 0) == generic, where
    found = audited("unsigned* to = (unsigned*)(n > 9 ? shared : x); atomicAdd(to, 1);")
    assert found.generic > 0


def test_local_memory_and_arithmetic_are_counted() -> None:
    found = audited("double y[8]; for (int i = 0; i < 8; ++i) y[i] = x[i]; x[0] = y[n % 8] * 2;")
    assert found.local > 0
    assert found.float64 > 0
    assert found.shared == 0
    assert audited("shared[threadIdx.x] = x[0];").shared == 1


def test_warps_by_registers() -> None:
    assert warps(32, 1024) == 64
    assert warps(33, 1024) == 32
    assert warps(168, 64) == 12
    assert warps(255, 64) == 8
    assert warps(255, 1024) == 0
