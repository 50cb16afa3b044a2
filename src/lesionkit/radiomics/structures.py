"""DICOM's regions as masks on an image's grid: contours (RTSTRUCT) and segmentations (SEG)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import extras
from lesionkit.io import dicom
from lesionkit.io.common import naming
from lesionkit.radiomics.regions import resample_mask
from lesionkit.radiomics.volumes import Volume

OFF_PLANE = 0.5  # of the distance of planes: a contour that lies farther from each is refused
CLOSED = "CLOSED_PLANAR"


def kind_of(path: Path) -> str:
    """ "RTSTRUCT" or "SEG" of a DICOM file of these; "" of any other."""
    if not path.is_file() or not dicom.is_dicom(path):
        return ""
    pydicom = extras.require("pydicom", "DICOM files need", "radiomics")
    with naming(path, "DICOM"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = pydicom.dcmread(path, specific_tags=["Modality"], stop_before_pixels=True)
    modality = str(data.get("Modality", ""))
    return modality if modality in READERS else ""


# --- contours -------------------------------------------------------------------------------------


def contours(path: Path, image: Volume) -> Volume:
    """The contours of an RTSTRUCT as layers (z, y, x, regions), in the order of the file.

    A voxel is inside where its centre is, by the even-odd rule: contours inside contours are holes.
    """
    pydicom = extras.require("pydicom", "RTSTRUCT files need", "radiomics")
    draw = extras.require("skimage.draw", "RTSTRUCT files need", "radiomics")
    with naming(path, "RTSTRUCT", pydicom.errors.InvalidDicomError):
        data = pydicom.dcmread(path)
        regions = {int(item.ROINumber): k for k, item in enumerate(data.StructureSetROISequence)}
        drawn = list(data.get("ROIContourSequence") or ())
    if image.axes != 3:
        raise ValueError(f"{path} needs a volume, {image.path or 'the image'} is a slice")
    layers = np.zeros((*image.values.shape, len(regions)), np.uint8)
    with naming(path, "RTSTRUCT"):
        for item in drawn:
            layer = regions[int(item.ReferencedROINumber)]
            for points in _closed(item):
                _fill(draw, layers[..., layer], points, image, path)
    return Volume(layers, image.spacing, image.origin, image.direction, str(path))


def _closed(item: Any) -> Iterator[npt.NDArray[np.float64]]:
    """The closed contours of a region, (n, 3) mm."""
    for contour in item.get("ContourSequence") or ():
        if str(contour.ContourGeometricType) == CLOSED:
            yield np.array(contour.ContourData, float).reshape(-1, 3)


def _fill(draw: Any, layer: npt.NDArray[np.uint8], points: Any, image: Volume, path: Path) -> None:
    """Turn the voxels inside a contour over."""
    places = np.linalg.solve(image.matrix, (points - np.array(image.origin)).T).T
    height = float(places[:, 2].mean())
    plane = round(height)
    if np.ptp(places[:, 2]) > 2 * OFF_PLANE or abs(height - plane) > OFF_PLANE:
        raise ValueError(
            f"{path} must have contours in the planes of {image.path or 'the image'}, one goes "
            f"through {places[:, 2].min():.2f} to {places[:, 2].max():.2f}"
        )
    if not 0 <= plane < len(layer):
        raise ValueError(
            f"{path} must lie inside {image.path or 'the image'}, a contour lies in plane {plane} "
            f"of {len(layer)}"
        )
    rows, columns = draw.polygon(places[:, 1], places[:, 0], layer.shape[1:])
    layer[plane, rows, columns] ^= 1


# --- segmentations --------------------------------------------------------------------------------


def segments(path: Path, image: Volume) -> Volume:
    """The segments of a DICOM SEG as layers (z, y, x, segments) on the image's grid."""
    highdicom = extras.require("highdicom", "DICOM SEG files need", "radiomics")
    pydicom = extras.require("pydicom", "DICOM SEG files need", "radiomics")
    with naming(path, "DICOM SEG", pydicom.errors.InvalidDicomError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = highdicom.seg.segread(path)
        volume = read.get_volume(combine_segments=False, rescale_fractional=True)
        affine = np.asarray(volume.affine, float)
        found = np.asarray(volume.array)
    matrix = affine[:3, 2::-1]  # its axes run z, y, x
    steps = np.sqrt((matrix**2).sum(0))
    own = [
        Volume(
            (found[..., k] > 0.5).astype(np.uint8),
            tuple(steps.tolist()),
            tuple(affine[:3, 3].tolist()),
            tuple((matrix / steps).ravel().tolist()),
            str(path),
        )
        for k in range(found.shape[-1])
    ]
    layers = np.stack([_laid(one, image, path) for one in own], axis=-1)
    return Volume(layers, image.spacing, image.origin, image.direction, str(path))


def _laid(segment: Volume, image: Volume, path: Path) -> npt.NDArray[np.uint8]:
    """The nearest voxel of a segment at each of the image's; nothing of it may be lost."""
    values = resample_mask(segment, image).values
    if segment.values.any() and not values.any():
        raise ValueError(f"{path} must lie inside {image.path or 'the image'}, none of it does")
    return values


Reader = Callable[[Path, Volume], Volume]
READERS: dict[str, Reader] = {"RTSTRUCT": contours, "SEG": segments}
