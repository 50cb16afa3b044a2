"""Functions that Numba compiles: kept on disk where that can be, and never failing for it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest
from numba.core import caching

from lesionkit._jit import njit


def twice(x: float) -> float:
    return 2 * x


def test_the_machine_code_is_kept_on_disk(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert njit(twice)(3.0) == 6
    (index,) = tmp_path.rglob("*.nbi")
    again = njit(twice)
    assert again(3.0) == 6
    assert sum(again.stats.cache_hits.values()) == 1
    for damage in (index.read_bytes()[:9], b""):
        index.write_bytes(damage)
        assert njit(twice)(3.0) == 6


def test_no_place_for_it_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    with pytest.raises(RuntimeError, match="no locator available"):
        numba.njit(cache=True)(twice)
    assert njit(twice)(3.0) == 6


@pytest.mark.parametrize("call", ["_save_overload", "_load_overload"])
def test_a_full_or_broken_disk_is_no_error(tmp_path: Path, monkeypatch, call: str) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))

    def fails(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(caching.Cache, call, fails)
    assert njit(twice)(3.0) == 6


def test_the_kernels_work_where_nothing_can_be_written() -> None:
    """A read-only installation, and no home: Numba's trial files are refused everywhere."""
    code = (
        "import tempfile\n"
        "def refused(*_, **__): raise PermissionError(13, 'Permission denied')\n"
        "tempfile.TemporaryFile = refused\n"
        "import numpy as np\n"
        "from lesionkit.fronts import region_grow\n"
        "from lesionkit.fronts import edge_flow\n"
        "from lesionkit.studies.stroke import morphology\n"
        "image = np.ones((5, 5)); seeds = np.zeros((5, 5), int); seeds[2, 2] = 1\n"
        "assert region_grow(image, seeds, 0.5).all()\n"
        "assert morphology.label(image > 0)[0].max() == 1\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
