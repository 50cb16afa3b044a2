"""The study's part on three sets: rows with and without augmentation, one set against another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PIL.Image", reason="Pillow comes with lesionkit[studies]")
pytest.importorskip("skimage", reason="scikit-image comes with lesionkit[studies]")
pytest.importorskip("SimpleITK", reason="SimpleITK comes with lesionkit[studies]")

from lesionkit.studies.brain import classify
from lesionkit.studies.brain.classify import parts_of
from lesionkit.studies.brain.datasets import brats
from lesionkit.studies.brain.datasets.augment import DENOISERS, TITLES
from lesionkit.studies.brain.study import sets
from lesionkit.studies.brain.study.material import Material
from lesionkit.studies.brain.study.protocol import Table
from lesionkit.studies.brain.study.records import together
from lesionkit.texture.selection import Fisher
from studies.brain import brain_folder


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classify, "fused", lambda rule="": Fisher(10))


def made(folder: Path, seed: int = 0) -> tuple[list[Any], list[str]]:
    patients, _ = brats.load(folder)
    given = sets.Sets(Material(patients, per_class=4), folder)
    done = [row for unit in sets.units(given, range(seed, seed + 1)) for row in unit.make()]
    said = [text for row in done if row["task"] == sets.SAID for text in row["sentences"]]
    return [row for row in done if row["task"] != sets.SAID], said


@pytest.mark.usefixtures("quick")
def test_three_sets(tmp_path: Path) -> None:
    folder = brain_folder.write(tmp_path, 2)
    brain_folder.write_cheng(folder, 5)
    brain_folder.write_head(folder)
    done, said = made(folder)
    rows = together(done)
    for name in ("BRATS", "Cheng"):
        of = [r for r in rows if r["table"] == sets.KINDS and r["row"].startswith(name)]
        own = {r["features"]: r for r in of if r["key"] == "own"}
        assert set(own) == {
            f"{TITLES[how]}{more}" for how in DENOISERS for more in ("", ", augmented")
        }
        assert {r["key"] for r in of} == {"own", "mean", "random"}
        assert all(("leaks" in r["row"]) == (r["key"] == "random") for r in of)
        assert own["no denoising"]["accuracy"] > 0.8  # rough against smooth
        assert all(
            r["n_rois"] == own["no denoising"]["n_rois"] for r in of
        )  # copies are not tested
    across = {(r["row"], r["features"]) for r in rows if r["table"] == sets.ACROSS}
    names = ("BRATS", "Cheng", "heads")
    assert across == {
        (f"learnt from {a}", b) for b in names for a in (*names, "all others") if a != b
    }
    noise, one = sets.sections(rows, said)
    assert [(line["set"], line["augmentation"]) for line in noise.cells] == [
        (name, what) for name in ("BRATS", "Cheng") for what in ("without", "with")
    ]
    assert len(one.cells) == 4
    text = "\n".join(noise.lines())
    for sentence in ("One head alone", "8 bits, lossy (JPEG)", "slices are near duplicates"):
        assert sentence in text


@pytest.mark.usefixtures("quick")
def test_sets_that_are_missing_are_said(tmp_path: Path) -> None:
    done, said = made(brain_folder.write(tmp_path, 2))
    assert {row["table"] for row in done} == {sets.KINDS}
    assert said[:2] == [
        "Cheng: not in the folder, skipped.",
        "heads: not in the folder, skipped.",
    ]
    (section,) = sets.sections(together(done), said)
    assert len(section.cells) == 2
    assert sets.sections([], []) == []


def table(rows: np.ndarray, kinds: np.ndarray) -> Table:
    patients = np.where(np.arange(len(kinds)) % 4 < 2, "A", "B")
    zeros = np.zeros(len(kinds))
    return Table(rows, ("x", "y"), kinds, patients, zeros.astype(int), zeros)


def test_one_set_out_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classify, "fused", lambda rule="": Fisher(1))
    kinds = np.arange(40) % 2 == 1
    random = np.random.default_rng(0)
    right = np.column_stack([kinds + 0.01 * random.normal(size=40), random.normal(size=40)])
    given = {"A": table(right, kinds), "B": table(right, kinds), "C": table(1 - right, kinds)}
    found = sets.leave_one_out(given)
    assert found["A", "B"].accuracy == found["B", "A"].accuracy == 1
    assert found["A", "C"].accuracy == found["all others", "C"].accuracy == 0
    assert len(found) == 9
    with pytest.raises(ValueError, match="tables must hold two sets or more"):
        sets.leave_one_out({"A": given["A"]})


def test_what_is_tested_is_never_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies of a square that is held out would tell its label."""
    monkeypatch.setattr(classify, "fused", lambda rule="": Fisher(5))
    random = np.random.default_rng(0)
    rois = random.integers(60, 200, (40, 10, 10)).astype(np.uint8)
    kinds = np.arange(40) % 2 == 1  # without any meaning
    values = sets.features.mazda(rois)[0]
    names = sets.features.NAMES
    patients = np.repeat(["A", "B", "C", "D"], 10)
    zeros = np.zeros(40)
    drawn = sets.Drawn(rois, Table(values, names, kinds, patients, zeros.astype(int), zeros))
    parts = parts_of(kinds, patients, "patient")
    with_copies = sets.learnt(drawn, parts, 2, 0)
    assert with_copies.n == 40
    assert with_copies.held == (("A",), ("B",), ("C",), ("D",))
    assert with_copies.accuracy < 0.75
    assert sets.learnt(drawn, parts, 0, 0).accuracy < 0.75
