"""Every tutorial runs from top to bottom, and prints and draws what it shows."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tutorials.pages import Page

TUTORIALS = sorted((Path(__file__).parents[2] / "docs/tutorials").glob("[!i]*.md"))
NEEDS = {"nets": "torch", "plot": "matplotlib", "radiomics": "yaml", "studies": "nibabel"}


@pytest.mark.parametrize("path", TUTORIALS, ids=[path.stem for path in TUTORIALS])
def test_a_tutorial_shows_what_it_prints(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Page(path)
    assert len(page.extras) == 1, "a tutorial says once what to install"
    for extra in page.extras[0].split(","):
        if importlib.util.find_spec(NEEDS[extra]) is None:
            pytest.skip(f"{NEEDS[extra]} is not installed: pip install '.[{extra}]'")
    monkeypatch.setenv("MPLBACKEND", "agg")
    for block, printed in page.run(tmp_path):
        assert printed == (block[3] or ""), block[2]
    for name in page.pictures:
        assert (tmp_path / name).stat().st_size > 1000
        assert (path.parent / name).exists()
