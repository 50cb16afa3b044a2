"""Every kernel has a row, whose problem launches it and whose arithmetic counts its arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lesionkit import gpu
from lesionkit.clustering import fcm_gpu
from lesionkit.gpu_report import catalogue, jobs, problems, tools, work
from lesionkit.gpu_report.rows import H200_BANDWIDTH, Arithmetic, Row, name_of

KERNELS = [(file, kernel) for file, kernels in gpu.KERNELS.items() for kernel in kernels]


class Device(nullcontext[None]):
    id = 0

    def synchronize(self) -> None:
        pass


class NumpyAsCupy:
    """NumPy under CuPy's names, with one GPU whose launches take a millisecond each."""

    class cuda:
        Device = staticmethod(lambda *_: Device())
        Event = staticmethod(lambda: SimpleNamespace(record=lambda: None))
        get_elapsed_time = staticmethod(lambda start, stop: 1.0)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def get_default_memory_pool(self) -> Any:
        return SimpleNamespace(free_all_blocks=lambda: None, free_bytes=lambda: 0)


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, list[int]]]:
    """Of each kernel, the bytes of the arrays of its launches. No kernel runs."""
    bytes_of: dict[str, list[int]] = {}

    def launch(file: str, kernel: str, grid: Any, block: Any, args: Any, shared: int = 0) -> None:
        assert kernel in gpu.KERNELS[file]
        arrays = [a for a in args if isinstance(a, np.ndarray) and a.dtype.kind != "V"]
        bytes_of.setdefault(kernel, []).append(sum(a.nbytes for a in arrays))
        if kernel == "fcm_update":  # what tells the façades that all is done
            progress = args[-1]
            progress[1] += 1
            progress[0] = fcm_gpu.DONE if progress[1] > 4 else 0
        if kernel.startswith("relax_tiles"):
            args[-2].fill(0)
        if kernel == "read_pairs":
            args[-2].fill(1)

    card = gpu.Properties("host", 90, 3, 2**20, 2**20, 2**30)
    monkeypatch.setattr(gpu, "launch", launch)
    monkeypatch.setattr(gpu, "blocks_for", lambda *_: 3)
    monkeypatch.setattr(gpu, "properties", lambda _: card)
    monkeypatch.setattr(gpu, "free_memory", lambda: 2**30)
    monkeypatch.setattr(gpu, "require", NumpyAsCupy)
    monkeypatch.setattr(gpu, "free_memory", lambda: card.memory)
    monkeypatch.setattr(np, "empty", np.zeros)
    function = SimpleNamespace(num_regs=40, local_size_bytes=0)
    monkeypatch.setattr(gpu, "compiled", lambda *_: (function, 16))
    return bytes_of


@pytest.fixture(scope="module")
def small() -> dict[str, Row]:
    return {row.name: row for row in problems.rows(small=True)}


def test_every_kernel_has_a_row(small: dict[str, Row]) -> None:
    assert list(small) == list(dict.fromkeys(small))
    assert {*small} == {name_of(*kernel) for kernel in KERNELS}
    names = [row.name for row in [*catalogue.rows(), *tools.rows()]]
    assert len(names) == len({*names})
    assert {f"selftest of {file}" for file in gpu.KERNELS} < {*names}


@pytest.mark.parametrize(("file", "kernel"), KERNELS)
def test_a_problem_launches_its_kernel(
    small: dict[str, Row], launched: dict[str, list[int]], file: str, kernel: str
) -> None:
    row = small[name_of(file, kernel)]
    found = row.run(NumpyAsCupy())
    assert "problem" not in found
    assert found["launches"] > 0
    assert found["seconds"] == pytest.approx(found["launches"] / 1000)
    passed, rounds = sum(launched[kernel]), 6
    told = row.record()
    assert told["h200_floor_seconds"] >= told["bytes"] / H200_BANDWIDTH > 0
    if kernel in FEW:
        return
    assert told["bytes"] <= 2.2 * passed / rounds, "more than the arrays, in and out"
    assert all(count > 0 for count in told["operations"].values())


# what they touch is a few hundred bytes, or was counted for a card of 132 multiprocessors
FEW = ("fcm_update", "start_line", "move_on_line", "move_in_space")


def test_a_kernel_that_is_not_launched_is_told(launched: dict[str, list[int]]) -> None:
    from lesionkit.gpu_report.stopwatch import timed

    found = timed("texture/maps/maps.cu", "feature_maps", lambda _: lambda: None, NumpyAsCupy())
    assert found == {"problem": "feature_maps was not launched: its problem took another road"}


def test_the_floor_is_the_longer_of_bytes_and_operations() -> None:
    assert Arithmetic(4.8e12, {"float64": 1.0}).floor == (1.0, "memory")
    seconds, what = Arithmetic(1.0, {"float64": 33.4e12, "integer": 33.4e12}).floor
    assert what == "integer"
    assert seconds == pytest.approx(2.0, rel=0.01)


def test_texture_beside_the_cpu() -> None:
    for row in jobs.rows(small=True):
        if row.name.startswith("texture"):
            found = row.run(NumpyAsCupy())
            assert found["largest_difference"] == 0
            assert min(found[f"{what}seconds"] for what in ("", "cpu_", "copy_", "transfer_")) > 0


def test_answers_that_differ_are_told() -> None:
    cupy: Any = NumpyAsCupy()
    cupy.asarray = lambda image: image[..., ::-1].copy()
    (row,) = (row for row in jobs.rows(small=True) if row.name == "texture maps")
    assert "the answers of GPU and CPU are" in row.run(cupy)["problem"]


def do(run: Callable[[Any], dict[str, Any]]) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    rows = {name: Row("jobs", name, "work", run) for name in ("a", "b")}
    assert work.do(rows, rows, NumpyAsCupy(), told.append) == (len(told) == 2)
    return told


def test_a_process_ends_with_the_first_fault() -> None:
    assert do(lambda _: {"seconds": 1.0}) == [
        {"name": "a", "seconds": 1.0}, {"name": "b", "seconds": 1.0}
    ]  # fmt: skip

    def fault(_: Any) -> dict[str, Any]:
        raise RuntimeError("illegal address in /tmp/some/file.cu\nand more")

    assert do(fault) == [{"name": "a", "problem": "RuntimeError: illegal address in PATH"}]


def test_a_wrong_selftest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from lesionkit import selftest

    checks = [selftest.Check("good", 0.0, 0.0), selftest.Check("bad", float("nan"), 1e-9)]
    monkeypatch.setitem(selftest.CASES, "optics/forward.cu", lambda _: iter(checks))
    found = catalogue.checked("optics/forward.cu", None)
    assert found["problem"] == "wrong: bad"
    assert found["checks"][1] == {"what": "bad", "error": None, "allowed": 1e-9}
