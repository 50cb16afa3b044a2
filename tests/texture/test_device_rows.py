"""The texture rows of `python -m benchmarks device`, without a GPU: a CuPy that is NumPy."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lesionkit import gpu

report = pytest.importorskip("benchmarks.report")
texture_device = pytest.importorskip("benchmarks.texture.device")


def host_cupy(asarray: Any = np.asarray) -> Any:
    device = SimpleNamespace(synchronize=lambda: None)
    return SimpleNamespace(
        asarray=asarray,
        asnumpy=np.asarray,
        empty=np.empty,
        cuda=SimpleNamespace(Device=lambda: device),
    )


def test_both_rows(tmp_path: Path) -> None:
    given = report.Report(tmp_path, quick=True, pairs=1)
    texture_device.texture_on_device(given, host_cupy())
    lines = (tmp_path / "results.md").read_text().splitlines()
    rows = [line.strip("|").split("|") for line in lines if line.startswith("|")]
    assert [len(row) for row in rows] == [7] * 4
    assert all(float(cell) > 0 for row in rows[2:] for cell in row[1:])


def test_answers_that_differ_stop_the_run(tmp_path: Path) -> None:
    given = report.Report(tmp_path, quick=True, pairs=1)
    with pytest.raises(AssertionError):
        texture_device.texture_on_device(given, host_cupy(lambda image: image[..., ::-1].copy()))


def test_without_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = pytest.importorskip("benchmarks.device")

    def none() -> Any:
        raise gpu.GpuError("CuPy is not installed")

    monkeypatch.setattr(gpu, "require", none)
    device.on_device(report.Report(tmp_path, quick=True))
    assert "Not run on a GPU: CuPy is not installed" in (tmp_path / "results.md").read_text()
