"""Lines of the table for what reads and writes files: good ones, with some bytes changed or lost."""

# ruff: noqa: E501  a line for each function

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from lesionkit import io, nets, optics

from .arguments import Draw, Maker, Scene
from .target import Target


def damaged(make: Callable[[Path], None], suffix: str) -> Maker:
    """The bytes of a good file, some of them changed, lost or added."""

    @cache
    def good() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"good{suffix}"
            make(path)
            return path.read_bytes()

    def draw_bytes(draw: Draw, scene: Scene) -> Any:
        whole = bytearray(good())
        places = scene.random.integers(0, len(whole), draw(st.sampled_from((0, 1, 1, 2, 30))))
        for place in places.tolist():
            whole[place] = int(scene.random.integers(0, 256))
        if draw(st.integers(0, 7)) == 5:
            del whole[int(scene.random.integers(0, len(whole))) :]
        return bytes(whole)

    return draw_bytes


def reading(read: Callable[[Path], Any], suffix: str, leaves: Callable[[Any], Any]) -> Any:
    """Read a file of these bytes."""

    def call(data: Any) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"file{suffix}"
            path.write_bytes(data if isinstance(data, bytes) else b"")
            return leaves(read(path))

    return call


def _nifti(path: Path) -> None:
    nibabel = io.library("nibabel", "NIfTI")
    voxels = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([1.0, 2, 3, 1])), path)


def _png(path: Path) -> None:
    from PIL import Image

    Image.fromarray(np.arange(60, dtype=np.uint8).reshape(6, 10)).save(path)


def _dicom(path: Path) -> None:
    import pydicom
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["fuzz"])
    made = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID, made.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
    made.SeriesInstanceUID, made.Modality = generate_uid(entropy_srcs=["series"]), "MR"
    made.Rows, made.Columns, made.PixelSpacing = 6, 5, [2.0, 3.0]
    made.ImageOrientationPatient, made.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, 0]
    made.SliceThickness, made.SamplesPerPixel = 4.0, 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit, made.PixelRepresentation, made.InstanceNumber = 15, 0, 1
    made.PixelData = np.arange(30, dtype=np.uint16).tobytes()
    pydicom.dcmwrite(path, made, enforce_file_format=True)


@cache
def _disc() -> optics.Mesh:
    return optics.disc_mesh(10.0, 150, 6)


def _npz(path: Path) -> None:
    optics.write_mesh(_disc(), path)


def _paa(path: Path) -> None:
    lines = [f"{i % 3 + 1} {i // 3 + 1} 1 {0.1 * i + 0.1:.4f} {i}" for i in range(9)]
    path.write_text("\n".join(["source det w661", *lines]))


def _node(path: Path) -> None:
    path.write_text("\n".join(f"1 {x:.4f} {y:.4f}" for x, y in _disc().nodes))


def _read_node(path: Path) -> Any:
    """With a good file of elements beside it."""
    lines = [" ".join(str(n + 1) for n in element) for element in _disc().elements]
    path.with_suffix(".elem").write_text("\n".join(lines))
    return optics.read_nirfast(path)


def _mask(path: Path) -> None:
    nibabel = io.library("nibabel", "NIfTI")
    voxels = (np.arange(60).reshape(3, 4, 5) % 3 == 0).astype(np.uint8)
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([1.0, 2, 3, 1])), path)


def _h5(path: Path, members: dict[str, Any]) -> None:
    h5py = io.library("h5py", "HDF5")
    with h5py.File(path, "w") as file:
        for name, value in members.items():
            file[name] = value


def _tumour(path: Path) -> None:
    gray = np.arange(30, dtype=np.int16).reshape(6, 5)
    _h5(path, {"cjdata/image": gray, "cjdata/tumorMask": gray > 20, "cjdata/label": [[2.0]]})


def _snirf(path: Path) -> None:
    one = {"sourceIndex": 1, "wavelengthIndex": 1, "dataType": 1, "dataTypeIndex": 1}
    places = np.array([[10.0, 0], [0, 10]])
    members = {
        "formatVersion": "1.1", "nirs/metaDataTags/LengthUnit": "mm",
        "nirs/probe/wavelengths": np.array([661.0]), "nirs/probe/sourcePos2D": places,
        "nirs/probe/detectorPos2D": places, "nirs/data1/time": np.arange(2) * 0.1,
        "nirs/data1/dataTimeSeries": np.array([[1.0, 2], [1.1, 2.1]]),
    }  # fmt: skip
    for i in (1, 2):
        list_ = {**one, "detectorIndex": i, "dataUnit": "V"}
        members |= {f"nirs/data1/measurementList{i}/{name}": v for name, v in list_.items()}
    _h5(path, members)


def _meta(path: Path) -> None:
    sitk = io.library("SimpleITK", "MetaImage")
    image = sitk.GetImageFromArray(np.arange(60, dtype=np.int16).reshape(3, 4, 5))
    image.SetSpacing((1.0, 2.0, 3.0))
    sitk.WriteImage(image, str(path))


def _net(path: Path) -> None:
    path.write_bytes(b"PK\3\4" + bytes(range(200)))


def written(mask: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        like = Path(folder) / "like.nii"
        _nifti(like)
        path = Path(folder) / "mask.nii.gz"
        io.write_mask(path, mask, io.read_image(like))
        return io.read_mask(path).values


def written_image(values: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        like = Path(folder) / "like.nii"
        _nifti(like)
        path = Path(folder) / "map.nii.gz"
        io.write_image(path, values, io.read_image(like))
        return io.read_image(path).values


def _image(found: Any) -> Any:
    return found.values, found.spacing, found.affine


def _mesh(found: Any) -> Any:
    return found.nodes, found.elements


FILE = ("file", "cannot be read")
ANY_VALUE = "a damaged file may hold any number"


def file(domain: str, name: str, make: Any, suffix: str, read: Any, leaves: Any = repr) -> Target:
    makers = {"data": damaged(make, suffix)}
    words = (*FILE, f"file{suffix}")
    call = reading(read, suffix, leaves)
    return Target(domain, name, call, makers, words=words, nonfinite=ANY_VALUE)


FILES: tuple[Target, ...] = (
    file("optics", "read_mesh", _npz, ".npz", optics.read_mesh, _mesh),
    file("optics", "read_nirfast", _node, ".node", _read_node),
    file("optics", "read_paa", _paa, ".paa", optics.read_paa),
    file("io", "read_image.nii", _nifti, ".nii", io.read_image, _image),
    file("io", "read_image.nii.gz", _nifti, ".nii.gz", io.read_image, _image),
    file("io", "read_image.png", _png, ".png", io.read_image, _image),
    file("io", "read_image.dcm", _dicom, ".dcm", io.read_image, _image),
    file("io", "read_mask", _mask, ".nii", io.read_mask, _image),
    Target("io", "write_mask", written, {"mask": lambda draw, s: s.random.uniform(size=(5, 4, 3)) < 0.5}),
    Target("io", "write_image", written_image, {"values": lambda draw, s: s.random.normal(size=(5, 4, 3))}, nonfinite="NaN is outside"),
    file("nets", "load", _net, ".pt", nets.load),
    file("optics", "read_snirf", _snirf, ".snirf", optics.read_snirf),
    file("io", "read_images", _dicom, ".dcm", io.read_images, lambda found: [_image(one) for one in found.values()]),
    file("io", "read_tumour", _tumour, ".mat", io.read_tumour, lambda found: (_image(found.image), _image(found.mask), found.label)),
    file("io", "read_image.mha", _meta, ".mha", io.read_image, _image),
    file("io", "read_image.nrrd", _meta, ".nrrd", io.read_image, _image),
    file("io", "read_image.jpg", _png, ".jpg", io.read_image, _image),
)  # fmt: skip
