"""PyRadiomics' `diagnostics_...`: what was measured, with which libraries and settings."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from typing import Any

import numpy as np

from lesionkit import __version__
from lesionkit._core import texture as _kernels
from lesionkit.radiomics.prepare import value_sums
from lesionkit.radiomics.regions import Region
from lesionkit.radiomics.volumes import Volume

PREFIX = "diagnostics_"
CHUNK = 2**16  # voxels, which stay in the cache


@cache
def versions() -> dict[str, str]:
    """Of lesionkit, and of the libraries that images went through; "" where one is not there."""
    libraries = {"Numpy": "numpy", "SimpleITK": "SimpleITK", "PyWavelet": "PyWavelets"}
    found = {"PyRadiomics": f"lesionkit {__version__}"}
    for name, library in libraries.items():
        try:
            found[name] = metadata.version(library)
        except metadata.PackageNotFoundError:
            found[name] = ""
    found["Python"] = platform.python_version()
    return {f"{PREFIX}Versions_{name}": version for name, version in found.items()}


def configuration(settings: Mapping[str, Any], image_types: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for."""
    return {
        f"{PREFIX}Configuration_Settings": dict(settings),
        f"{PREFIX}Configuration_EnabledImageTypes": {k: dict(v) for k, v in image_types.items()},
    }


def of_image(image: Volume, kind: str) -> dict[str, Any]:
    """Of the image as it came ("original") or as it was resampled ("interpolated")."""
    values = image.values
    found: dict[str, Any] = {}
    if kind == "original":
        found["Hash"] = _hash(values)
        found["Dimensionality"] = f"{image.axes}D"
    found |= {
        "Spacing": image.spacing,
        "Size": image.size,
        "Mean": value_sums(values)[0] / values.size,
        "Minimum": float(values.min()),
        "Maximum": float(values.max()),
    }
    return {f"{PREFIX}Image-{kind}_{name}": value for name, value in found.items()}


def of_mask(
    labels: Volume | None, region: Region, image: Volume | None, kind: str
) -> dict[str, Any]:
    """Of the mask as it came, "corrected", "interpolated" or "resegmented".

    labels : the whole mask as it came, to be known again
    image  : on the region's grid, to tell its intensities
    """
    found: dict[str, Any] = {}
    mask, inside = region.mask, region.inside()
    if labels is not None:
        found["Hash"] = _hash(labels.values, np.uint32)  # as PyRadiomics casts
    centre = _centre(region)
    found |= {
        "Spacing": mask.spacing,
        "Size": mask.size,
        "BoundingBox": (*(part.start for part in region.box[::-1]), *region.extent[::-1]),
        "VoxelNum": region.voxels,
        "VolumeNum": _volumes(inside),
        "CenterOfMassIndex": tuple(centre),
        "CenterOfMass": tuple(mask.place(centre).tolist()),
    }
    if image is not None:
        values = image.values[region.box][inside]
        found |= {
            "Mean": float(values.mean(dtype=np.float64)),
            "Minimum": float(values.min()),
            "Maximum": float(values.max()),
        }
    return {f"{PREFIX}Mask-{kind}_{name}": value for name, value in found.items()}


def _hash(values: Any, kind: Any = None) -> str:
    """As SimpleITK's: of the voxels alone.

    kind : the dtype of whole numbers to see them as
    """
    rows = np.ascontiguousarray(values).reshape(-1)
    if kind is None or (rows.dtype.kind in "iu" and rows.itemsize == np.dtype(kind).itemsize):
        return hashlib.sha1(rows.data).hexdigest()
    found = hashlib.sha1()
    for first in range(0, rows.size, CHUNK):
        found.update(rows[first : first + CHUNK].astype(kind).data)
    return found.hexdigest()


def _centre(region: Region) -> list[float]:
    """The mean index x, y, z."""
    inside = region.inside()
    axes = range(inside.ndim)
    found = []
    for axis in axes:
        counts = np.count_nonzero(inside, axis=tuple(other for other in axes if other != axis))
        where = np.arange(region.box[axis].start, region.box[axis].stop)
        found.append(float(counts @ where) / region.voxels)
    return found[::-1]


def _volumes(inside: Any) -> int:
    """Pieces, whose voxels touch by a corner at least."""
    solid = inside if inside.ndim == 3 else inside[:, None]
    frame = [1, inside.ndim - 2, 1]
    padded = np.zeros([n + 2 * far for n, far in zip(solid.shape, frame, strict=True)], np.uint8)
    padded[tuple(slice(far, far + n) for n, far in zip(solid.shape, frame, strict=True))] = solid
    return int(_kernels.zones(padded, 1, 1, inside.ndim)[1].sum())
