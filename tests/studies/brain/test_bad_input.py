"""What a brain study must survive, case by case: each has its sentence, and the rest goes on.

A mask without a square, one patient alone, another grid and JPEG: test_study.py, test_brats.py. A
constant region: test_features.py. A volume of several, NaN, other sizes of pixels: test_image.py.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from lesionkit import cli
from lesionkit.studies.brain.classify import evaluate
from lesionkit.studies.brain.features import FAMILIES, mazda
from lesionkit.studies.brain.prepare import prepare
from reference.head import head


def test_a_class_missing_in_a_fold() -> None:
    patients = np.repeat(["A", "B"], 10)
    with pytest.raises(ValueError, match="patients must leave both kinds of region to learn from"):
        evaluate(np.zeros((20, 2)), patients == "A", patients, select=None)


def test_a_constant_region_among_others() -> None:
    rois = np.random.default_rng(0).integers(0, 255, (3, 10, 10))
    rois[1] = 77
    table, _ = mazda(rois, families=tuple(FAMILIES))
    assert np.isfinite(table).all()


def test_the_skull_is_stripped_where_no_brain_is_given() -> None:
    image, brain, _ = head()
    plane, truth = image[17].copy(), brain[17]
    found = prepare(plane, spacing=(2.5, 2.5))
    assert 2 * (found.brain & truth).sum() > 0.93 * (found.brain.sum() + truth.sum())
    assert not found.levels[~found.brain].any()
    stripped = np.where(truth, plane, 0)
    np.testing.assert_array_equal(prepare(stripped).brain, truth)
    holed = np.where(truth, plane, np.nan)  # stripped, with NaN around
    np.testing.assert_array_equal(prepare(holed).brain, truth)
    assert not prepare(np.ones((9, 9))).brain.any()


def shelf(name: str) -> Path:
    if "LESIONKIT_DATA" not in os.environ:
        pytest.skip("LESIONKIT_DATA is not set: it names the folder of shared data")
    return Path(os.environ["LESIONKIT_DATA"]) / "cases/files" / name


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("11_cheng_truncated.mat", "cannot be read as MAT v7.3"),
        ("14_four_modalities_one_file.nii.gz", "name the one to take with --volume, 0 to 3"),
    ],
)
def test_files_that_are_refused(
    name: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for library in ("nibabel", "h5py"):
        pytest.importorskip(library, reason=f"{library} comes with lesionkit[studies]")
    assert cli.main(["brain", str(shelf(name)), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert name in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()
