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
