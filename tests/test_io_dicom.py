"""DICOM whose slices say different things: frames, tilt, mosaics, b-values, bombs."""

from __future__ import annotations

import os
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lesionkit import io, metrics

pydicom = pytest.importorskip("pydicom", reason="pydicom comes with lesionkit[studies]")
pytest.importorskip("nibabel", reason="nibabel comes with lesionkit[studies]")

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset  # noqa: E402
from pydicom.sequence import Sequence  # noqa: E402
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid  # noqa: E402

FLAT = [1, 0, 0, 0, 1, 0]
PLANES, ROWS, COLUMNS = 4, 6, 5
VOLUME = np.random.default_rng(0).integers(1, 4000, (PLANES, ROWS, COLUMNS)).astype(np.uint16)
SEEN = VOLUME[:, ::-1, ::-1]  # rows to the front, columns to the right


def header(pixels: np.ndarray, **more: Any) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["a"])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("a", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
    data.SeriesInstanceUID = "1.2.3"
    data.Rows, data.Columns = pixels.shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 0
    data.PixelData = np.ascontiguousarray(pixels, np.uint16).tobytes()
    for name, value in more.items():
        setattr(data, name, value)
    return data


def save(data: FileDataset, path: Path) -> Path:
    data.save_as(path, enforce_file_format=True)
    return path


def classic(folder: Path, changes: Any = None, volume: np.ndarray = VOLUME) -> Path:
    """A series of single slices, 2 x 1.5 mm and 5 mm apart; `changes` of slice number i."""
    for i, plane in enumerate(volume):
        usual = {
            "PixelSpacing": [2, 1.5],
            "ImageOrientationPatient": FLAT,
            "ImagePositionPatient": [-20, -30, 5.0 * i],
            "SliceThickness": 5,
        }
        given = {**usual, **(changes(i) if changes else {})}
        data = header(plane, **{k: v for k, v in given.items() if v is not None})
        save(data, folder / f"{len(list(folder.iterdir()))}.dcm")
    return folder


def item(**values: Any) -> Dataset:
    data = Dataset()
    for name, value in values.items():
        setattr(data, name, value)
    return data


def enhanced(
    pixels: np.ndarray, positions: Any, own: Any = None, shared: dict[str, Any] | None = None
) -> FileDataset:
    """A multi-frame file; `own` gives functional groups of frame i, `shared` those of all."""
    data = header(pixels, NumberOfFrames=len(pixels))
    common = {
        "PixelMeasuresSequence": item(PixelSpacing=[2, 1.5], SliceThickness=5),
        "PlaneOrientationSequence": item(ImageOrientationPatient=FLAT),
        **(shared or {}),
    }
    groups = {name: Sequence([one]) for name, one in common.items() if one is not None}
    data.SharedFunctionalGroupsSequence = Sequence([item(**groups)])
    frames = []
    for i, position in enumerate(positions):
        mine = {
            "PlanePositionSequence": item(ImagePositionPatient=[-20, -30, float(position)]),
            **(own(i) if own else {}),
        }
        frames.append(item(**{k: Sequence([v]) for k, v in mine.items() if v is not None}))
    data.PerFrameFunctionalGroupsSequence = Sequence(frames)
    return data


PLACES = 10 + 5.0 * np.arange(PLANES)

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


def siemens(data: FileDataset, b: int) -> None:
    block = data.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0C, "IS", b)


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


# --- mosaics --------------------------------------------------------------------------------------


def mosaic(count: int, **more: Any) -> FileDataset:
    """Tiles of 6 x 5 pixels, three in a row."""
    tiles = np.zeros((3 * ROWS, 3 * COLUMNS), np.uint16)
    for i in range(count):
        row, column = divmod(i, 3)
        here = np.s_[row * ROWS : (row + 1) * ROWS, column * COLUMNS : (column + 1) * COLUMNS]
        tiles[here] = 100 * (i + 1) + VOLUME[0] % 50
    usual = {
        "ImageType": ["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE", "MOSAIC"],
        "PixelSpacing": [2, 1.5],
        "ImagePositionPatient": [0, 0, 7],
        "ImageOrientationPatient": FLAT,
        "SpacingBetweenSlices": 5,
    }
    return header(tiles, **{**usual, **more})


def csa(data: FileDataset, count: int, normal: Any) -> FileDataset:
    """Siemens' private header, of the two fields that matter."""

    def field(name: str, kind: str, values: list[str]) -> bytes:
        parts = [name.encode().ljust(64, b"\0"), len(values).to_bytes(4, "little")]
        parts += [kind.encode().ljust(4, b"\0"), bytes(4)]
        parts += [len(values).to_bytes(4, "little"), (77).to_bytes(4, "little")]
        for value in values:
            text = value.encode() + b"\0"
            size = len(text).to_bytes(4, "little")
            parts += [size * 4, text.ljust(-(-len(text) // 4) * 4, b"\0")]
        return b"".join(parts)

    fields = [
        field("NumberOfImagesInMosaic", "US", [str(count)]),
        field("SliceNormalVector", "FD", [f"{x:.8f}" for x in normal]),
    ]
    head = b"SV10\4\3\2\1" + len(fields).to_bytes(4, "little") + (77).to_bytes(4, "little")
    block = data.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    block.add_new(0x10, "OB", head + b"".join(fields))
    return data


@pytest.mark.parametrize("up", [1, -1])
@pytest.mark.parametrize("count", [9, 7])
def test_a_mosaic_is_cut_up(tmp_path: Path, count: int, up: int) -> None:
    image = io.read_image(save(csa(mosaic(count), count, (0, 0, up)), tmp_path / "a.dcm"))
    assert image.values.shape == (count, ROWS, COLUMNS)
    levels = image.values.min((1, 2)) // 100
    np.testing.assert_array_equal(levels, np.arange(count)[::up] + 1)
    assert image.spacing == (5, 2, 1.5)
    # the middle of the picture is that of the first slice
    first = [0 if up == 1 else count - 1, (ROWS - 1) / 2, (COLUMNS - 1) / 2]
    middle = [-(3 * COLUMNS - 1) / 2 * 1.5, -(3 * ROWS - 1) / 2 * 2, 7]
    np.testing.assert_allclose(image.geometry.places([first])[0], middle)


def test_mosaics_that_do_not_tell(tmp_path: Path) -> None:
    file = tmp_path / "a.dcm"
    for data in (mosaic(9), csa(mosaic(9), 0, (0, 0, 1)), csa(mosaic(9), 9, (0, 0, 0))):
        save(data, file)
        with pytest.raises(ValueError, match=r"a.dcm is a mosaic .*NumberOfImagesInMosaic and"):
            io.read_image(file)
    data = csa(mosaic(9), 9, (0, 0, 1))
    whole = data.private_block(0x0029, "SIEMENS CSA HEADER")[0x10].value
    for cut in (9, 90, len(whole) - 9):
        data = mosaic(9)
        block = data.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
        block.add_new(0x10, "OB", whole[:cut])
        save(data, file)
        with pytest.raises(ValueError, match=r"a.dcm is a mosaic .*NumberOfImagesInMosaic and"):
            io.read_image(file)
    save(csa(mosaic(9), 17, (0, 0, 1)), file)
    with pytest.raises(ValueError, match=r"a.dcm must have a mosaic that 17 slices divide"):
        io.read_image(file)
    save(csa(mosaic(9, ImagePositionPatient=None), 9, (0, 0, 1)), file)
    with pytest.raises(ValueError, match=r"a.dcm is a mosaic and must have .*ImagePositionPatient"):
        io.read_image(file)


def test_mosaics_of_several_b_values(tmp_path: Path) -> None:
    for b in (0, 1000):
        data = csa(mosaic(9), 9, (0, 0, 1))
        siemens(data, b)
        save(data, tmp_path / f"{b}.dcm")
    images = io.read_images(tmp_path)
    assert list(images) == ["b=0", "b=1000"]
    assert images["b=0"].values.shape == (9, ROWS, COLUMNS)


def test_a_real_mosaic_lies_where_nibabel_puts_it(tmp_path: Path) -> None:
    folder = os.environ.get("LESIONKIT_DATA")
    if folder is None:
        pytest.skip("LESIONKIT_DATA, the folder of the data, is not set")
    import nibabel

    file = Path(folder) / "data/misc/nibabel/0.dcm"
    with pytest.raises(ValueError, match=r"0.dcm must have a mosaic that 48 slices divide, got"):
        io.read_image(file)
    data = pydicom.dcmread(file)
    tiles = np.random.default_rng(0).integers(0, 99, (252, 252)).astype(np.uint16)
    data.Rows = data.Columns = 252  # 7 x 7 of 36 x 36
    data.PixelData = tiles.tobytes()
    data.save_as(tmp_path / "a.dcm")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nibabel calls its own readers experimental
        from nibabel.nicom.dicomwrappers import wrapper_from_file
    theirs = wrapper_from_file(tmp_path / "a.dcm")
    affine = np.diag([-1.0, -1, 1, 1]) @ theirs.affine
    upright = nibabel.as_closest_canonical(nibabel.Nifti1Image(theirs.get_data(), affine))
    image = io.read_image(tmp_path / "a.dcm")
    np.testing.assert_array_equal(image.values, np.asarray(upright.dataobj).T)
    np.testing.assert_allclose(image.geometry.affine, upright.affine, atol=1e-5)


# --- what is no grey image ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PALETTE COLOR", "YBR_FULL", "RGB"])
def test_colours_are_refused(tmp_path: Path, kind: str) -> None:
    file = save(header(VOLUME[0], PhotometricInterpretation=kind), tmp_path / "a.dcm")
    with pytest.raises(
        ValueError, match=r"a.dcm must hold grey values, it has colours: Phot.*0004"
    ):
        io.read_image(file)


def test_a_table_of_values_is_refused(tmp_path: Path) -> None:
    table = item(LUTDescriptor=[2, 0, 16], LUTData=b"\1\0\5\0", ModalityLUTType="US")
    file = save(header(VOLUME[0], ModalityLUTSequence=Sequence([table])), tmp_path / "a.dcm")
    with pytest.raises(
        ValueError, match=r"a.dcm must give its values .* ModalityLUTSequence \(0028"
    ):
        io.read_image(file)


def test_a_slope_that_makes_numbers_infinite(tmp_path: Path) -> None:
    file = save(header(VOLUME[0], RescaleSlope="1e308"), tmp_path / "a.dcm")
    with pytest.raises(ValueError, match=r"a.dcm must hold finite values, with RescaleSlope"):
        io.read_image(file)


# --- bombs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [{"Rows": 60000, "Columns": 60000}, {"NumberOfFrames": 10**8}])
def test_headers_that_ask_for_more_than_allowed(tmp_path: Path, change: dict[str, int]) -> None:
    file = save(header(VOLUME[0], **change), tmp_path / "a.dcm")
    with pytest.raises(
        ValueError, match=r"a.dcm cannot be read as DICOM: its header asks for .*GiB"
    ):
        io.read_image(file)


def test_a_series_is_counted_together(tmp_path: Path) -> None:
    folder = classic(tmp_path)
    assert io.read_image(folder, max_bytes=2 * VOLUME.size).values.shape == SEEN.shape
    with pytest.raises(ValueError, match=r"its header asks for .* max_bytes"):
        io.read_image(folder, max_bytes=2 * VOLUME.size - 1)


def test_a_deflated_file_that_unpacks_to_more_than_allowed(tmp_path: Path) -> None:
    data = header(VOLUME[0], PixelSpacing=[1, 1])
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    file = save(data, tmp_path / "a.dcm")
    np.testing.assert_array_equal(io.read_image(file).values, SEEN[0])
    whole = file.read_bytes()
    start = 144 + int(pydicom.filereader.read_file_meta_info(file).FileMetaInformationGroupLength)
    pack = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    inner = zlib.decompress(whole[start:], -zlib.MAX_WBITS) + bytes(2**22)
    file.write_bytes(whole[:start] + pack.compress(inner) + pack.flush())
    with pytest.raises(ValueError, match=r"a.dcm cannot be read .* unpacks to more than max_bytes"):
        io.read_image(file, max_bytes=2**20)


@pytest.mark.parametrize("name", ["Rows", "Columns", "BitsAllocated"])
def test_sizes_that_are_not_there(tmp_path: Path, name: str) -> None:
    data = header(VOLUME[0])
    delattr(data, name)
    save(data, tmp_path / "a.dcm")
    with pytest.raises(ValueError, match=rf"a.dcm must have a number above 0 in {name} \(0028"):
        io.read_image(tmp_path / "a.dcm")
