"""RTSTRUCT and DICOM SEG as masks, beside a series of DICOM slices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom")
from dicom_files import classic, item  # noqa: E402
from lesionkit.radiomics import RadiomicsFeatureExtractor, masks, volumes  # noqa: E402

STEP, FIRST = np.array([1.5, 2.0, 5.0]), np.array([-20.0, -30.0, 0.0])  # x, y, z, mm
SHAPE = (4, 12, 14)


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Slices with what a segmentation asks of its source."""
    folder = tmp_path_factory.mktemp("ct")
    values = np.random.default_rng(3).integers(0, 900, SHAPE).astype(np.uint16)

    def more(i: int) -> dict[str, Any]:
        names = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber")
        told = dict.fromkeys((*names, "StudyID", "StudyDate", "StudyTime", "Manufacturer"), "")
        return {**told, "StudyInstanceUID": "1.2.9", "FrameOfReferenceUID": "1.2.8",
                "Modality": "MR", "InstanceNumber": i + 1, "SeriesNumber": 1,
                "ReferringPhysicianName": ""}  # fmt: skip

    return classic(folder, more, values)


def boxes(*corners: tuple[float, float, float, float]) -> list[Any]:
    """Closed contours in planes 1 and 2, about (x0, y0) to (x1, y1) in voxels."""
    found = []
    for plane in (1, 2):
        for x0, y0, x1, y1 in corners:
            ring = np.array([(x0, y0, plane), (x1, y0, plane), (x1, y1, plane), (x0, y1, plane)])
            points = FIRST + STEP * ring
            found.append(
                item(
                    ContourGeometricType="CLOSED_PLANAR",
                    NumberOfContourPoints=4,
                    ContourData=[f"{x:.3f}" for x in points.ravel()],
                )
            )
    return found


def structure(path: Path, *regions: list[Any]) -> Path:
    from dicom_files import header, save

    data = header(np.zeros((1, 1), np.uint8), str(path))
    for name in ("PixelData", "Rows", "Columns"):
        delattr(data, name)
    data.Modality = "RTSTRUCT"
    data.StructureSetROISequence = [
        item(ROINumber=10 + k, ROIName="x") for k in range(len(regions))
    ]
    data.ROIContourSequence = [
        item(ReferencedROINumber=10 + k, ContourSequence=contours)
        for k, contours in enumerate(regions)
    ]
    return save(data, path)


def read(path: Path, series: Path) -> Any:
    return masks.read(path, lambda: volumes.read(series, "image"))


def test_contours_fill_voxels_whose_centres_they_hold(series: Path, tmp_path: Path) -> None:
    ring = boxes((1.5, 2.5, 9.5, 8.5), (3.5, 4.5, 5.5, 6.5))  # the second is a hole
    file = structure(tmp_path / "s.dcm", boxes((0.6, 0.6, 3.4, 3.4)), ring)
    layers = read(file, series).values
    assert layers.shape == (*SHAPE, 2)
    wanted = np.zeros((*SHAPE, 2), np.uint8)
    wanted[1:3, 1:4, 1:4, 0] = 1
    wanted[1:3, 3:9, 2:10, 1] = 1
    wanted[1:3, 5:7, 4:6, 1] = 0
    np.testing.assert_array_equal(layers, wanted)
    found = RadiomicsFeatureExtractor().execute(series, file, label_channel=1)
    assert found["diagnostics_Mask-original_VoxelNum"] == wanted[..., 1].sum()
    assert found["diagnostics_Image-original_Spacing"] == (1.5, 2.0, 5.0)
    assert found["original_shape_VoxelVolume"] == pytest.approx(15.0 * wanted[..., 1].sum())


def test_contours_elsewhere_are_refused(series: Path, tmp_path: Path) -> None:
    contours = boxes((1, 1, 5, 5))
    contours[0].ContourData = [
        str(float(x) + 400 * (i % 3 == 2)) for i, x in enumerate(contours[0].ContourData)
    ]
    with pytest.raises(ValueError, match=r"s\.dcm must lie inside .* plane 81 of 4"):
        read(structure(tmp_path / "s.dcm", contours), series)
    tilted = boxes((1, 1, 5, 5))
    tilted[0].ContourData[2] = "25"
    with pytest.raises(ValueError, match=r"must have contours in the planes of"):
        read(structure(tmp_path / "t.dcm", tilted), series)


@pytest.mark.filterwarnings("ignore")
def test_segments_are_laid_on_the_image(series: Path, tmp_path: Path) -> None:
    highdicom = pytest.importorskip("highdicom")
    from pydicom.sr.codedict import codes

    slices = sorted(
        (pydicom.dcmread(file) for file in series.iterdir()),
        key=lambda data: data.ImagePositionPatient[2],
    )
    wanted = np.zeros((*SHAPE, 2), np.uint8)
    wanted[1:3, 2:8, 3:9, 0] = 1
    wanted[2:4, 4:10, 6:12, 1] = 1  # they overlap
    describe = highdicom.seg.SegmentDescription
    segments = [
        describe(
            number,
            f"s{number}",
            codes.cid7150.Tissue,
            codes.cid7166.ConnectiveTissue,
            highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
        )
        for number in (1, 2)
    ]
    written = highdicom.seg.Segmentation(
        slices, wanted, highdicom.seg.SegmentationTypeValues.BINARY, segments, "1.2.77", 2,
        "1.2.78", 1, "x", "x", "1", "1", omit_empty_frames=True,
    )  # fmt: skip
    written.save_as(tmp_path / "seg.dcm")
    layers = read(tmp_path / "seg.dcm", series).values
    np.testing.assert_array_equal(layers, wanted)
