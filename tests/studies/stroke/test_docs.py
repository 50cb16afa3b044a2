"""The examples of docs/stroke.md run."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[3] / "docs/stroke.md").read_text()
SEGMENTING, PLANTING = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
DATA = os.environ.get("LESIONKIT_DATA")


def test_segmenting() -> None:
    names: dict[str, object] = {}
    exec(compile(SEGMENTING, "stroke.md", "exec"), names)
    assert not names["mask"].any()


@pytest.mark.skipif(not DATA, reason="LESIONKIT_DATA is not set: no shapes of strokes")
def test_planting() -> None:
    pytest.importorskip("nibabel", reason="nibabel is not installed: lesionkit[studies]")
    code = PLANTING.replace('"FOLDER"', repr(f"{DATA}/data"))
    exec(compile(code, "stroke.md", "exec"), {})
