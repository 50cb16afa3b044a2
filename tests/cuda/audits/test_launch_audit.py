"""Every kernel, launched by its façade at sizes drawn at random, keeps the rules of the cards and
hands over the arguments that the compiled kernel expects; each kind of mistake is caught."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from audits.launch_rules import Launch, faults, narrow_offsets, parameters
from audits.launches import FACADES, recorded

import nvrtc
from lesionkit import gpu

CARDS = (75, 80, 90, 100)


def test_every_file_has_facades() -> None:
    assert FACADES.keys() == gpu.KERNELS.keys()


@pytest.mark.parametrize("file", gpu.KERNELS)
def test_launches_keep_the_rules(monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    launched: set[str] = set()
    for card in CARDS:
        for launch in recorded(monkeypatch, file, card, np.random.default_rng(card)):
            assert faults(launch, card) == [], (card, launch.kernel, launch.grid, launch.block)
            if launch.file == file:  # fields.cu has its matrices from forward.cu
                launched.add(launch.kernel)
    assert launched == {*gpu.KERNELS[file]}


@pytest.mark.parametrize("file", gpu.KERNELS)
def test_places_are_counted_in_64_bits(file: str) -> None:
    compiled = nvrtc.compile_kernels(gpu.source(file), gpu.KERNELS[file], 90)
    assert narrow_offsets(compiled.ptx) == []


def test_a_narrow_offset_is_caught() -> None:
    source = """#include "common/portable.hpp"
    __global__ void f(double* x, int64_t n) {
      const int64_t i = INDEX;
      if (i < n) x[i] = 0;
    }"""
    for index, found in (
        ("int64_t{blockIdx.x} * blockDim.x + threadIdx.x", 0),
        ("blockIdx.x * blockDim.x + threadIdx.x", 1),
        ("threadIdx.x + int64_t{256 * blockIdx.x}", 1),
    ):
        ptx = nvrtc.compile_kernels(source.replace("INDEX", index), ("f",), 90).ptx
        assert len(narrow_offsets(ptx)) == found, index


RIGHT = Launch(
    "clustering/kmeans/kmeans.cu",
    "kmeans_distances<double>",
    (3,),
    (128,),
    [np.zeros((9, 2)), 9, 2, 4, np.zeros((4, 2)), np.zeros((9, 4))],
)


def test_parameters_are_those_of_the_source() -> None:
    """csrc/optics/phantom.cu, `draw_regions`: a struct by value, and numbers after it."""
    found = parameters("optics/phantom.cu", "draw_regions")
    limits, diameters, count, *_ = found
    assert limits.type == "lesionkit::optics::Limits"
    assert diameters.type == "double const*"
    assert count.type == "long long"
    assert [p.offset for p in found[:3]] == [0, limits.size, limits.size + 8]
    assert [p.size for p in found[1:]] == [8] * (len(found) - 1)


def change(launch: Launch, i: int, arg: Any) -> Launch:
    return launch._replace(args=[*launch.args[:i], arg, *launch.args[i + 1 :]])


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (lambda right: right._replace(block=(100,)), "no number of whole warps"),
        (lambda right: right._replace(block=(2048,)), "a block has 1 to 1024 threads, not 2048"),
        (lambda right: right._replace(block=(0,)), "a block has 1 to 1024 threads, not 0"),
        (lambda right: right._replace(grid=(1, 65536)), "grid .* is out of bounds"),
        (lambda right: right._replace(grid=(0,)), "grid .* is out of bounds"),
        (lambda right: right._replace(grid=(2**31,)), "grid .* is out of bounds"),
        (lambda right: right._replace(shared=227 * 1024 + 1), "bytes of shared memory"),
        (lambda right: right._replace(args=right.args[:-1]), "5 arguments for 6 parameters"),
        (lambda right: change(right, 2, np.int32(5)), "2 is int32 int32, for long long"),
        (lambda right: change(right, 2, 5.0), "argument 2 is float64 float64, for long long"),
        (lambda right: change(right, 2, np.zeros(5)), "2 is ndarray float64, for long long"),
        (lambda right: change(right, 2, None), "argument 2 is NoneType , for long long"),
        (lambda right: change(right, 0, 7), "argument 0 is int64 int64, for double const\\*"),
        (lambda right: change(right, 0, np.zeros(9, np.float32)), "ndarray float32, for double"),
        (lambda right: change(right, 0, np.zeros((9, 9)).T[1:]), "argument 0 is ndarray"),
        (lambda right: change(right, 2, gpu.struct([1, 2])), "ndarray \\|V16, for long long"),
    ],
)
def test_a_mistake_is_caught(mistake: Callable[[Launch], Launch], said: str) -> None:
    assert faults(RIGHT, 90) == []
    (found, *_) = faults(mistake(RIGHT), 90)
    assert re.search(said, found)


def test_too_many_registers_are_caught() -> None:
    """`chan_vese` has more than 64, of which 1,024 threads find no room."""
    launch = Launch("fronts/contours/chan_vese.cu", "chan_vese<double>", 1, 1024, [])
    assert "registers for each of 1024 threads" in faults(launch, 90)[0]


def test_static_shared_memory_is_counted() -> None:
    """`quantise` at 64 x 96 pixels on a card of 48 KiB more than its own 64 bytes allow."""
    args = [np.zeros(1), 1, 1, 16, 1, np.zeros(1, np.uint16)]
    right = Launch("texture/rois/rois.cu", "quantise", 1, 128, args, 227 * 1024 - 64)
    assert faults(right, 90) == []
    assert faults(right._replace(shared=right.shared + 1), 90) != []
