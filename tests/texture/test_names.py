"""Names of features stand in the order of the enums that the kernels count in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lesionkit.texture.names import MAP_FEATURES, MAZDA

CSRC = Path(__file__).parents[2] / "csrc/texture"


@pytest.mark.parametrize(
    ("file", "enum", "names"),
    [
        ("rois/rois.hpp", r"enum Feature \{(.*?)FEATURES\s*\}", MAZDA),
        ("maps/maps.hpp", r"enum MapFeature : int \{(.*?)MAP_FEATURES\s*\}", MAP_FEATURES),
    ],
)
def test_names_are_the_enums(file: str, enum: str, names: tuple[str, ...]) -> None:
    found = re.search(enum, (CSRC / file).read_text(), re.DOTALL)
    assert found is not None
    counted = [name.strip() for name in found[1].split(",") if name.strip()]
    plain = [name.replace("_", "").lower() for name in names]
    assert [name.replace("_", "").lower() for name in counted] == plain
