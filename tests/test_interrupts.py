"""A long kernel hears a signal, and a process may end while a kernel runs.

The handler raises what Ctrl-C would. No kernel here would end by itself within the test's patience.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from lesionkit import clustering, fronts, texture, threads

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers here")

IMAGE = np.random.default_rng(0).random((300, 300))
LEVELS = (IMAGE * 32).astype(np.uint8)

LONG: dict[str, Callable[[], object]] = {
    "chan_vese": lambda: fronts.chan_vese(IMAGE, tol=0, max_num_iter=10**6),
    "morphological_chan_vese": lambda: fronts.morphological_chan_vese(IMAGE, 10**7),
    "geodesic_active_contour": lambda: fronts.geodesic_active_contour(
        fronts.inverse_gaussian_gradient(IMAGE), 10**6
    ),
    "FLICM": lambda: clustering.FLICM(6, tol=0, max_iter=10**6, random_state=0, size=7).fit(IMAGE),
    "FuzzyCMeans": lambda: clustering.FuzzyCMeans(8, tol=0, max_iter=10**8, random_state=0).fit(
        IMAGE.reshape(-1, 3)
    ),
    "feature_maps": lambda: texture.feature_maps(
        np.tile(LEVELS, (9, 9)), 61, [[0, 1], [1, 0], [1, 1], [2, 3]], 32, "entropy"
    ),
}


class Signalled(Exception):
    pass


@pytest.fixture
def raising() -> Iterator[None]:
    """A handler that raises, for the signal of a timer that the test sets."""

    def heard(*_: object) -> None:
        raise Signalled

    before = signal.signal(signal.SIGALRM, heard)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def interrupted(work: Callable[[], object]) -> None:
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    work()


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("name", LONG)
def test_a_long_kernel_hears_a_signal(name: str, count: int, raising: None) -> None:
    before = threads()
    threads(count)
    try:
        with pytest.raises(Signalled):
            interrupted(LONG[name])
    finally:
        threads(before)


def test_a_handler_that_does_not_raise_changes_nothing() -> None:
    calls: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: calls.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    try:
        beside = fronts.chan_vese(IMAGE, tol=0, max_num_iter=200)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert calls
    np.testing.assert_array_equal(beside, fronts.chan_vese(IMAGE, tol=0, max_num_iter=200))


@pytest.mark.parametrize(
    "kernel",
    [
        "texture.feature_maps((im * 32).astype('u1'), 9, [[0, 1]], 32, 'contrast')",
        "fronts.chan_vese(im, max_num_iter=20)",
        "clustering.FuzzyCMeans(4, random_state=0, max_iter=20, tol=0).fit(im.reshape(-1, 1))",
    ],
)
def test_a_process_may_end_amid_kernels_of_daemon_threads(kernel: str) -> None:
    code = f"""
import threading, time, numpy as np
from lesionkit import clustering, fronts, texture
im = np.random.default_rng(0).random((200, 200))
{kernel}
def work():
    while True:
        {kernel}
for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.3)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
