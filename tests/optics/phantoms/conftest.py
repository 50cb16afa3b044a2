"""What several modules of tests of optics start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from lesionkit.optics.phantoms.generate import generate
from store_cases import COUNT, RECIPE


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that was never interrupted."""
    path = tmp_path_factory.mktemp("whole") / "phantoms.zarr"
    generate(RECIPE, COUNT, path)
    return path


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of 2 chunks: COUNT phantoms are 3 of them."""
    for module in ("layout", "journal", "writer", "reader"):
        monkeypatch.setattr(f"lesionkit.optics.phantoms.store.{module}.SHARD", 2)
    for module in ("layout", "reader"):
        monkeypatch.setattr(f"lesionkit.optics.phantoms.store.{module}.INDEX_BYTES", 16 * 2 + 4)


@pytest.fixture
def alone(small_shards: None, tmp_path: Path) -> Path:
    """The store that one call makes."""
    generate(RECIPE, COUNT, tmp_path / "alone.zarr")
    return tmp_path / "alone.zarr"
