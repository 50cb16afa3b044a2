"""DICOM whose slices say different things: frames, tilt, mosaics, b-values, bombs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lesionkit import io, metrics

pydicom = pytest.importorskip("pydicom", reason="pydicom comes with lesionkit[studies]")
pytest.importorskip("nibabel", reason="nibabel comes with lesionkit[studies]")

from pydicom.dataset import Dataset, FileDataset  # noqa: E402
from pydicom.sequence import Sequence  # noqa: E402

from dicom_files import (  # noqa: E402
    COLUMNS,
    FLAT,
    PLACES,
    PLANES,
    ROWS,
    SEEN,
    VOLUME,
    classic,
    enhanced,
    header,
    item,
    save,
    siemens,
)

# --- enhanced multi-frame -------------------------------------------------------------------------


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]])
def test_frames_lie_where_their_groups_say(tmp_path: Path, order: list[int]) -> None:
    image = io.read_image(save(enhanced(VOLUME[order], PLACES[order]), tmp_path / "a.dcm"))
    np.testing.assert_array_equal(image.values, SEEN)
    assert image.spacing == (5, 2, 1.5)
    assert image.geometry.unit == "mm"
    # the first voxel is the last column of the last row
    np.testing.assert_allclose(
        image.geometry.places([[0, 0, 0]]), [[20 - 1.5 * (COLUMNS - 1), 30 - 2 * (ROWS - 1), 10]]
    )


def test_each_frame_has_its_own_slope(tmp_path: Path) -> None:
    def own(i: int) -> dict[str, Any]:
        values = item(RescaleSlope=i + 1, RescaleIntercept=-i, RescaleType="US")
        return {"PixelValueTransformationSequence": values}

    image = io.read_image(save(enhanced(VOLUME, PLACES, own), tmp_path / "a.dcm"))
    n = np.arange(PLANES)[:, None, None]
    np.testing.assert_array_equal(image.values, SEEN * (n + 1.0) - n)


def two(**values: Any) -> Any:
    """Groups of the first and second half of twice as many frames."""
    return lambda i: {name: pair[i // PLANES] for name, pair in values.items()}


def toward(*direction: float) -> Dataset:
    return item(
        DiffusionBValue=1000.0,
        DiffusionGradientDirectionSequence=Sequence(
            [item(DiffusionGradientOrientation=list(direction))]
        ),
    )


@pytest.mark.parametrize(
    ("own", "names"),
    [
        (
            two(MRDiffusionSequence=[item(DiffusionBValue=b) for b in (1000.0, 0.0)]),
            ["b=0", "b=1000"],
        ),
        (
            two(MREchoSequence=[item(EffectiveEchoTime=t) for t in (90.0, 12.5)]),
            ["echo=12.5 ms", "echo=90 ms"],
        ),
        (
            two(MRDiffusionSequence=[toward(1, 0, 0), toward(0, 1, 0)]),
            ["direction=1", "direction=2"],
        ),
        (
            two(
                MRImageFrameTypeSequence=[
                    item(ComplexImageComponent=kind) for kind in ("PHASE", "MAGNITUDE")
                ]
            ),
            ["type=magnitude", "type=phase"],
        ),
        (
            two(FrameContentSequence=[item(TemporalPositionIndex=n) for n in (2, 1)]),
            ["time=1", "time=2"],
        ),
    ],
)
def test_images_of_one_file_are_named(tmp_path: Path, own: Any, names: list[str]) -> None:
    both = np.concatenate([VOLUME, VOLUME // 3])
    file = save(enhanced(both, np.tile(PLACES, 2), own), tmp_path / "a.dcm")
    images = io.read_images(file)
    assert list(images) == names
    assert all(image.values.shape == SEEN.shape for image in images.values())
    found = sorted(images.values(), key=lambda image: int(image.values.sum()))
    np.testing.assert_array_equal(found[0].values, SEEN // 3)
    np.testing.assert_array_equal(found[1].values, SEEN)
    with pytest.raises(ValueError, match=rf"a.dcm must hold one .*it has 2 .*'{names[0]}'"):
        io.read_image(file)
    assert io.read_image(file, names[1]).values.shape == SEEN.shape


def test_images_that_nothing_tells_apart(tmp_path: Path) -> None:
    both = np.concatenate([VOLUME, VOLUME // 3])
    file = save(enhanced(both, np.tile(PLACES, 2)), tmp_path / "a.dcm")
    with pytest.raises(
        ValueError, match=r"a.dcm must hold one slice at each place, it has several"
    ):
        io.read_images(file)


def test_b_values_are_apart_even_where_their_slices_are(tmp_path: Path) -> None:
    """Every second slice of another b-value is no volume."""

    def own(i: int) -> dict[str, Any]:
        return {"MRDiffusionSequence": item(DiffusionBValue=1000.0 * (i % 2))}

    images = io.read_images(save(enhanced(VOLUME, PLACES, own), tmp_path / "a.dcm"))
    assert [(name, image.spacing[0]) for name, image in images.items()] == [
        ("b=0", 10),
        ("b=1000", 10),
    ]


@pytest.mark.parametrize(
    ("own", "shared", "sentence"),
    [
        (lambda i: {"PlanePositionSequence": None}, {}, r"ImagePositionPatient \(0020,0032\)"),
        (None, {"PlaneOrientationSequence": None}, r"ImageOrientationPatient \(0020,0037\)"),
        (None, {"PixelMeasuresSequence": None}, r"PixelSpacing \(0028,0030\)"),
        (
            lambda i: {"PixelMeasuresSequence": item(PixelSpacing=[2, 1.5 if i else 1.6])},
            {},
            r"the same PixelSpacing \(0028,0030\) as the other slices",
        ),
        (
            lambda i: {
                "PixelValueTransformationSequence": item(RescaleSlope=0, RescaleIntercept=1)
            },
            {},
            r"another number than 0 in RescaleSlope \(0028,1053\)",
        ),
    ],
)
def test_frames_that_do_not_tell(
    tmp_path: Path, own: Any, shared: dict[str, Any], sentence: str
) -> None:
    file = save(enhanced(VOLUME, PLACES, own, shared), tmp_path / "a.dcm")
    with pytest.raises(ValueError, match=rf"a.dcm, frame \d must have {sentence}"):
        io.read_image(file)


def test_frames_without_groups_and_groups_without_frames(tmp_path: Path) -> None:
    file = save(header(VOLUME, NumberOfFrames=PLANES, PixelSpacing=[1, 1]), tmp_path / "a.dcm")
    with pytest.raises(ValueError, match=r"a.dcm must give the place .*\(5200,9230\), it does not"):
        io.read_image(file)
    save(enhanced(VOLUME, PLACES[:2]), file)
    with pytest.raises(ValueError, match=r"a.dcm must have an item for each of its 4 .*, got 2"):
        io.read_image(file)


# --- series of single slices ----------------------------------------------------------------------


@pytest.mark.parametrize("drift", [0.0, 2.3, -4.0])
def test_a_gantry_tilt_is_a_shear(tmp_path: Path, drift: float) -> None:
    folder = classic(tmp_path, lambda i: {"ImagePositionPatient": [-20, -30 + drift * i, 5.0 * i]})
    image = io.read_image(folder)
    np.testing.assert_array_equal(image.values, SEEN)
    np.testing.assert_allclose(image.spacing, (5, 2, 1.5))
    assert image.geometry.shear == pytest.approx(np.degrees(np.arctan(abs(drift) / 5)))
    assert metrics.volume(SEEN > 0, image.geometry) == pytest.approx(SEEN.size * 15)
    top = image.geometry.places([[PLANES - 1, ROWS - 1, COLUMNS - 1]])[0]
    np.testing.assert_allclose(top, [20, 30 - drift * (PLANES - 1), 5 * (PLANES - 1)])


def turned(degrees: float) -> list[float]:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return [c, s, 0, -s, c, 0]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"PixelSpacing": [2, 1.6]}, r"the same PixelSpacing \(0028,0030\)"),
        ({"PixelSpacing": [1.9, 1.5]}, r"the same PixelSpacing \(0028,0030\)"),
        ({"PixelSpacing": None}, r"PixelSpacing \(0028,0030\), as one of 4 slices"),
        ({"ImageOrientationPatient": turned(3)}, r"the same ImageOrientationPatient \(0020,0037\)"),
        ({"ImageOrientationPatient": None}, r"ImageOrientationPatient \(0020,0037\), as one of"),
        ({"ImagePositionPatient": None}, r"ImagePositionPatient \(0020,0032\), as one of 4 slices"),
        ({"ImagePositionPatient": ["1"]}, r"3 finite numbers in ImagePositionPatient .*, got 1"),
        ({"ImageOrientationPatient": [0] * 6}, r"two directions of length 1 at a right angle in"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, r"two directions of length 1 at a right"),
        ({"PixelSpacing": [0, 1]}, r"a spacing above 0 mm along each axis in PixelSpacing"),
        ({"RescaleSlope": "0"}, r"another number than 0 in RescaleSlope"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, r"be of MONOCHROME2"),
    ],
)
@pytest.mark.parametrize("which", [0, 2])
def test_every_slice_is_asked(
    tmp_path: Path, change: dict[str, Any], sentence: str, which: int
) -> None:
    folder = classic(tmp_path, lambda i: change if i == which else {})
    with pytest.raises(ValueError, match=rf"\d.dcm must (have )?{sentence}"):
        io.read_image(folder)


def test_a_slice_off_the_line_of_the_others(tmp_path: Path) -> None:
    folder = classic(tmp_path, lambda i: {"ImagePositionPatient": [9.0 * (i == 1), 0, 5.0 * i]})
    with pytest.raises(ValueError, match=r"must hold slices along one line, ImagePositionPatient"):
        io.read_image(folder)


def test_rounded_headers_do(tmp_path: Path) -> None:
    folder = classic(
        tmp_path,
        lambda i: {"ImageOrientationPatient": turned(0.01 * i), "PixelSpacing": [2, 1.5001]},
    )
    assert io.read_image(folder).values.shape == SEEN.shape


def general_electric(data: FileDataset, b: int) -> None:
    block = data.private_block(0x0043, "GEMS_PARM_01", create=True)
    block.add_new(0x39, "IS", [1_000_000_000 + b, 8, 0, 0])


def philips(data: FileDataset, b: int) -> None:
    block = data.private_block(0x2001, "Philips Imaging DD 001", create=True)
    block.add_new(0x03, "FL", b)


def standard(data: FileDataset, b: int) -> None:
    data.DiffusionBValue = float(b)


@pytest.mark.parametrize("mark", [standard, siemens, general_electric, philips])
def test_b_values_of_single_slices(tmp_path: Path, mark: Any) -> None:
    for b in (1000, 0):
        for i, plane in enumerate(VOLUME // (3 if b else 1)):
            data = header(plane, PixelSpacing=[2, 1.5], ImageOrientationPatient=FLAT)
            data.ImagePositionPatient = [-20, -30, 5.0 * i]
            mark(data, b)
            save(data, tmp_path / f"{b}_{i}")
    images = io.read_images(tmp_path)
    assert list(images) == ["b=0", "b=1000"]
    np.testing.assert_array_equal(images["b=0"].values, SEEN)
    np.testing.assert_array_equal(images["b=1000"].values, SEEN // 3)


def test_echoes_of_single_slices(tmp_path: Path) -> None:
    classic(tmp_path, lambda i: {"EchoTime": "90"}, VOLUME // 3)
    classic(tmp_path, lambda i: {"EchoTime": "12"})
    images = io.read_images(tmp_path)
    assert list(images) == ["echo=12 ms", "echo=90 ms"]
    np.testing.assert_array_equal(images["echo=12 ms"].values, SEEN)


def test_a_slice_alone_without_a_scale(tmp_path: Path) -> None:
    image = io.read_image(save(header(VOLUME[0]), tmp_path / "a.dcm"))
    assert image.geometry.unit == "pixel"
    assert image.spacing == (1, 1)
    np.testing.assert_array_equal(image.values, SEEN[0])
