"""Every value that PyRadiomics' own tests want of its five sample cases, to 1e-6."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from benchmarks.radiomics.agreement import TOLERANCE, against_baselines, reason
from benchmarks.radiomics.baselines import CASES, difference, folder_of, image_and_mask

from lesionkit.radiomics import RadiomicsFeatureExtractor, read_parameters


@pytest.fixture(scope="module")
def folder(lesionkit_data: Path) -> Path:
    found = folder_of(lesionkit_data)
    if not (found / "baseline").is_dir():
        pytest.skip(
            f"{found} is not there: put the folder data/ of pyradiomics-3.0.1.tar.gz in its place"
        )
    return found


def test_every_value(folder: Path) -> None:
    pytest.importorskip("SimpleITK")
    wrong, values = [], 0
    for baseline, feature, wanted, found in against_baselines(folder):
        values += 1
        off = difference(wanted, found)
        if off > TOLERANCE and not reason(baseline.test, feature, wanted, found):
            wrong.append((baseline.test, feature, wanted, found))
    assert wrong == []
    assert values == 3370


def test_its_files_of_parameters_are_read(folder: Path) -> None:
    examples = folder.resolve().parent / "examples" / "exampleSettings"
    files = sorted(examples.glob("*.yaml"))
    if not files:
        pytest.skip(f"{examples} is not there: the sdist has it beside data/")
    pytest.importorskip("yaml")
    assert len(files) == 8
    for file in files:
        assert read_parameters(file).features


def test_files_are_read_as_it_reads_them(folder: Path) -> None:
    image, mask = image_and_mask(folder, CASES[2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = RadiomicsFeatureExtractor().execute(image, mask)
    assert len(found) == 129
    assert found["diagnostics_Image-original_Hash"] == "016951a8f9e8e5de21092d9d62b77262f92e04a5"
    assert found["diagnostics_Mask-original_BoundingBox"] == (21, 64, 8, 9, 12, 3)
