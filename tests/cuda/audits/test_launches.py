"""Every launch fits the cards: shared memory, threads and blocks, at the sizes where they end.

The host emulation has as much shared memory as is asked for. Here the launches of the façades go
through the real `gpu.launch` to a CuPy that knows a card's limits, with the static shared memory
that NVRTC finds in each kernel; no kernel runs.
"""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from audits.launches import small_model

import nvrtc
from fake_cupy import OPT_IN, DriverError, FakeCupy
from lesionkit import gpu
from lesionkit.clustering import fcm_gpu, kmeans_gpu
from lesionkit.fronts import arrival_gpu
from lesionkit.fronts.contours import chan_vese_gpu
from lesionkit.optics.forward import forward_gpu
from lesionkit.texture import glcm_gpu, maps_gpu, rois_gpu

CARDS = (75, 86, 90)  # 64, 99 and 227 KiB
UNASKED = 48 * 1024


def statics(kernel: str) -> int:
    """Bytes of a kernel's static shared memory, as compiled."""
    (file,) = (file for file, kernels in gpu.KERNELS.items() if kernel in kernels)
    return nvrtc.compile_kernels(gpu.source(file), gpu.KERNELS[file], 90).usages[kernel].shared


def forget() -> None:
    for function in (gpu.require, gpu.properties, gpu.compiled, gpu._module):
        function.cache_clear()


@pytest.fixture(params=CARDS, ids=lambda card: f"sm_{card}")
def card(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCupy]:
    nvrtc.library()
    made = FakeCupy(request.param, statics=statics)
    monkeypatch.setitem(sys.modules, "cupy", made)
    monkeypatch.setattr(np, "empty", np.zeros)  # what no kernel writes may hold signalling NaNs
    forget()
    yield made
    forget()


def launched(card: FakeCupy) -> list[int]:
    """Bytes of dynamic shared memory of the launches since the last look."""
    sizes = [entry[4] for entry in card.log if entry[0] == "launch"]
    card.log.clear()
    return sizes


def buffers(card: FakeCupy, kernel: str) -> int:
    return card.opt_in(0) - statics(kernel)


def around(size: int) -> list[int]:
    return [size - 8, size - 1, size, size + 1, size + 8]


def test_the_static_memory_is_known() -> None:
    """test_compile.py holds that of every kernel below `gpu.MAX_STATIC_SHARED`."""
    assert statics("quantise") == 64
    assert statics("kmeans_space<float, 4>") == 16


@pytest.mark.parametrize(
    ("file", "kernel"),
    [
        ("texture/rois/rois.cu", "quantise"),
        ("clustering/kmeans/kmeans.cu", "kmeans_space<double, 16>"),
        ("fronts/eikonal/sweep.cu", "relax_tiles<float>"),
        ("clustering/fcm/fcm.cu", "fcm_update"),
    ],
)
def test_sizes_about_the_limits(card: FakeCupy, file: str, kernel: str) -> None:
    """With static and dynamic memory about 48 KiB, and about what the card has."""
    for shared in around(UNASKED - statics(kernel)) + around(UNASKED):
        gpu.launch(file, kernel, 1, 32, [], shared)
    most = buffers(card, kernel)
    for shared in (most, most - 1):
        gpu.launch(file, kernel, 1, 32, [], shared)
    assert len([entry for entry in card.log if entry[0] == "ask"]) == 1
    launched(card)
    for shared in (most + 1, most + statics(kernel) + 1, 2**21):
        with pytest.raises(
            gpu.GpuError, match=rf"^{kernel} needs \d+ bytes .*Fake has {most + statics(kernel)}$"
        ):
            gpu.launch(file, kernel, 1, 32, [], shared)
    assert not card.log


def test_threads_do_not_take_memory_from_each_other(card: FakeCupy) -> None:
    """Two sizes of one kernel, launched by two threads at once."""
    faults: list[BaseException] = []

    def many(shared: int) -> None:
        try:
            for _ in range(200):
                gpu.launch("texture/rois/rois.cu", "quantise", 1, 32, [], shared)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=many, args=[s]) for s in (60_000, 50_000, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults


def test_regions(card: FakeCupy) -> None:
    """Those of 6,137 to 6,144 pixels have 48 KiB of doubles, less what `quantise` adds itself."""
    for pixels in (1, 100, *range(6136, 6146)):
        _regions(card, pixels)


def test_the_largest_regions(card: FakeCupy) -> None:
    most = (card.opt_in(0) - 8 * rois_gpu.FEATURES) // 12
    for pixels in range(most - 9, most + 3):
        _regions(card, pixels)


def _regions(card: FakeCupy, pixels: int) -> None:
    rois, out = np.zeros((2, 1, 1, pixels), np.uint16), np.zeros((2, 1, 1))
    args = (np.array([[0, 0, 1]]), 16, 1, np.zeros(1, np.int32), 1.0, out)
    most = (card.opt_in(0) - 8 * rois_gpu.FEATURES) // 12
    if pixels <= most:
        rois_gpu.roi_features(rois, *args)
        assert launched(card)[0] == 8 * pixels
        return
    with pytest.raises(ValueError, match=f"rois must have at most {most} pixels each on this GPU"):
        rois_gpu.roi_features(rois, *args)
    assert not launched(card)


@pytest.mark.parametrize(
    ("k", "d"),
    [
        *((2048, 1), (1536, 2), (1024, 4), (768, 6), (512, 10), (384, 14)),  # 48 KiB of sums
        *((2047, 1), (2049, 1), (383, 14), (385, 14), (341, 16), (340, 16)),
        *((4, 1), (1614, 16), (1613, 16), (700, 16), (455, 16), (448, 16), (10_000, 3)),
    ],
)
def test_clusters_in_space(card: FakeCupy, k: int, d: int) -> None:
    for dtype in (np.float32, np.float64):
        x = np.zeros((3, d), dtype)
        kmeans_gpu.lloyd(x, None, False, np.ones((k, d)), 1, 0.0, False)
        sums = 8 * k * (d + 2)
        line = d == 1 and dtype == np.float32 and k <= 8
        fits = sums + gpu.MAX_STATIC_SHARED <= card.opt_in(0)
        assert launched(card) == ([0, 0, 0] if line else [sums if fits else 0, 8 * 256])


@pytest.mark.parametrize("d", [1, 4, 5, 16])
def test_fuzzy_clusters(card: FakeCupy, monkeypatch: pytest.MonkeyPatch, d: int) -> None:
    """One by one until they no longer fit, which is told before anything is launched."""
    stop_after(monkeypatch, "fcm_update", lambda args: args[-1].__setitem__(0, fcm_gpu.DONE))

    def fit(c: int) -> None:
        rest = (None, 1.0, 1.0, 3.0, 2.0, 0, 0.1, False)
        fcm_gpu.fcm_fit(np.zeros((3, d), np.float32), *rest, np.zeros((c, d)))

    def sums(c: int) -> int:  # bytes that fcm_update needs
        return 8 * (33 * (c * (d + 1) + 2) + c)

    c = 2
    while sums(c) + gpu.MAX_STATIC_SHARED <= card.opt_in(0):
        fit(c)
        assert max(launched(card)) >= sums(c)
        c += 1
    with pytest.raises(ValueError, match=f"n_clusters must be fewer for samples of {d} features"):
        fit(c)
    assert not launched(card)


def test_levels(card: FakeCupy) -> None:
    for levels in (2, 110, 111, 112, 126, 127, 128, 158, 159, 160, 239, 240, 241, 242, 256):
        image, counts = (
            np.zeros((1, 1, 4, 4), np.uint16),
            np.zeros((1, 1, levels, levels), np.uint32),
        )
        glcm_gpu.count_pairs(image, None, np.array([[0, 0, 1]]), True, counts)
        (shared,) = launched(card)
        assert shared == (4 * levels**2 if 4 * levels**2 + 1024 <= card.opt_in(0) else 0)


@pytest.mark.parametrize(
    "window", [(1, 1, 1), (1, 13, 14), (1, 1, 192), (1, 1, 193), (1, 16, 16), (3, 11, 27)]
)
def test_windows(card: FakeCupy, window: tuple[int, ...]) -> None:
    image, out = np.zeros((1, 40, 40), np.uint16), np.zeros((1, 1, 1, 40, 40))
    maps_gpu.feature_maps(image, window, np.array([[0, 0, 1]]), 8, [0], True, 0.0, math.e, out)
    (shared,) = launched(card)
    assert shared in (0, 4 * math.prod(window) * maps_gpu.THREADS)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "size",
    [
        (1, 30, 40),
        (1, 110, 107),
        (1, 110, 108),
        (1, 78, 78),
        (1, 154, 154),
        (20, 20, 21),
        (9, 9, 200),
    ],
)
def test_tiles(
    card: FakeCupy, monkeypatch: pytest.MonkeyPatch, dtype: Any, size: tuple[int, ...]
) -> None:
    """Many small images are a tile each, where the card has the memory for it."""
    stop_after(monkeypatch, "relax_tiles", lambda args: args[-2].fill(0))
    speed = np.ones((16, *size), dtype)
    first, nodes, at = np.arange(17), np.zeros(16, np.int64), np.zeros(16)
    rest = (1.0, (1.0, 1.0, 1.0), math.inf, first, nodes, at, np.empty_like(speed))
    arrival_gpu.arrival_times(speed, None, *rest)
    assert max(launched(card)) <= buffers(card, "relax_tiles<float>")


def test_contours(card: FakeCupy) -> None:
    for channels in (1, 64, 600):
        image, phi = np.zeros((channels, 1, 8, 8)), np.zeros((1, 8, 8))
        chan_vese_gpu.chan_vese(
            image, None, phi, False, 0.1, [1.0] * 2 * channels, 0.0, 2, 0.5, True
        )
        assert len(launched(card)) == 5


@pytest.mark.parametrize("kind", [np.float64, np.complex128])
def test_systems(card: FakeCupy, monkeypatch: pytest.MonkeyPatch, kind: Any) -> None:
    """Panels that just fit into shared memory, and that do not."""
    itemsize, real = np.dtype(kind).itemsize, forward_gpu.places
    model = small_model(3)
    parts, optodes = model.plans.parts("elements"), len(model.sources)
    beside = (forward_gpu.max_pivots(parts) + 16) * itemsize
    for whole in (
        UNASKED - itemsize,
        UNASKED,
        UNASKED + itemsize,
        card.opt_in(0),
        card.opt_in(0) + itemsize,
    ):
        size = (whole - beside) // itemsize - optodes**2

        def places(parts: Any, levels: float, size: int = size) -> forward_gpu.Places:
            found = real(parts, levels)
            return found._replace(near_size=size if levels < 1 else 2**30 * bool(found.near_size))

        monkeypatch.setattr(forward_gpu, "places", places)
        maps = np.ones((2, 2, parts["properties"]))
        plan = forward_gpu.DevicePlan(parts, 0, np)
        plan.measure(*maps, np.zeros((2, optodes, optodes), kind))
        assert launched(card) == [0, whole if whole <= card.opt_in(0) else beside]


def stop_after(monkeypatch: pytest.MonkeyPatch, kernel: str, act: Callable[[Any], None]) -> None:
    """Let a launch of the kernel leave what tells the façade that all is done."""
    launch = gpu.launch

    def launch_and_act(file: str, name: str, *rest: Any, **options: Any) -> None:
        launch(file, name, *rest, **options)
        if name.startswith(kernel):
            act(rest[2])

    monkeypatch.setattr(gpu, "launch", launch_and_act)


def test_the_card_refuses_what_a_card_refuses() -> None:
    """The tests above mean nothing if it does not."""
    card = FakeCupy(90, statics=lambda _: 64)
    kernel = card.RawModule("", (), ("f",)).get_function("f")
    kernel((1,), (32,), (), shared_mem=UNASKED - 64)
    for grid, block, shared in (
        ((1,), (32,), UNASKED - 63),
        ((1,), (1025,), 0),
        ((1, 2**16), (32,), 0),
        ((0,), (32,), 0),
    ):
        with pytest.raises(DriverError, match="INVALID_VALUE"):
            kernel(grid, block, (), shared_mem=shared)
    with pytest.raises(DriverError, match="INVALID_VALUE"):
        kernel.max_dynamic_shared_size_bytes = OPT_IN[90] - 63
    kernel.max_dynamic_shared_size_bytes = OPT_IN[90] - 64
    kernel((1,), (32,), (), shared_mem=OPT_IN[90] - 64)
