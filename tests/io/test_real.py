"""Real files, where the folder of the data is at hand: all are read, and as nibabel reads them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from lesionkit import io

nibabel = pytest.importorskip("nibabel", reason="nibabel comes with lesionkit[studies]")


@pytest.fixture(scope="module")
def data() -> Path:
    folder = os.environ.get("LESIONKIT_DATA")
    if folder is None:
        pytest.skip("LESIONKIT_DATA, the folder of the data, is not set")
    return Path(folder) / "data"


@pytest.mark.parametrize(
    "name",
    [
        "misc/nibabel/anatomical.nii",
        "misc/nibabel/example4d.nii.gz",
        "misc/nibabel/example_nifti2.nii.gz",
        "misc/dipy/S0_10slices.nii.gz",  # sheared
        "stroke_dwi/ads/Subject02/Subject02_ADC.nii.gz",
        "stroke_dwi/isles22/rawdata/sub-strokecase0009/ses-0001/"
        "sub-strokecase0009_ses-0001_dwi.nii.gz",
    ],
)
def test_nifti(data: Path, name: str) -> None:
    images = list(io.read_images(data / name).values())
    theirs = nibabel.as_closest_canonical(nibabel.load(data / name))
    voxels = np.asarray(theirs.dataobj)
    for i, image in enumerate(images):
        np.testing.assert_array_equal(image.values.T, voxels[..., i] if voxels.ndim > 3 else voxels)
        np.testing.assert_allclose(image.geometry.affine, theirs.affine, atol=1e-4)
    edges = abs(np.linalg.det(theirs.affine[:3, :3]))
    assert np.prod(images[0].spacing) == pytest.approx(edges)


@pytest.mark.parametrize("name", ["MR_small.dcm", "MR_small_expb.dcm", "CT_small.dcm"])
def test_dicom(data: Path, name: str) -> None:
    pydicom = pytest.importorskip("pydicom", reason="pydicom comes with lesionkit[studies]")
    image = io.read_image(data / "misc/dicom_pydicom" / name)
    header = pydicom.dcmread(data / "misc/dicom_pydicom" / name)
    assert image.geometry.unit == "mm"
    assert image.spacing == pytest.approx(tuple(header.PixelSpacing))
    stored = header.pixel_array * float(header.get("RescaleSlope", 1))
    stored = stored + float(header.get("RescaleIntercept", 0))
    assert image.values.sum() == pytest.approx(stored.sum())


def test_a_file_of_the_brain_tumour_set(data: Path) -> None:
    pytest.importorskip("h5py", reason="h5py comes with lesionkit[studies]")
    one = io.read_tumour(data / "misc/mat_v73/cjdata_layout_example.mat")
    assert one.image.values.shape == one.mask.values.shape == (240, 240)
    assert one.label in (1, 2, 3)
    assert 0 < np.count_nonzero(one.mask.values) < 240 * 120
