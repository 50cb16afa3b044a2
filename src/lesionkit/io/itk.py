"""MetaImage and NRRD, by SimpleITK."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import numpy as np

from lesionkit.io.common import Image, check_size, library, naming, upright

FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])  # ITK's mm go left and back; ours right and front
ITK = {"MetaImage": "MetaImageIO", "NRRD": "NrrdImageIO"}
HEADER = 2**16  # bytes in which a header's fields are looked for
# Of an axis, in mm. ITK does not read them.
MILLIMETRES = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001, "µm": 0.001, "micron": 0.001}


def read(path: Path, kind: str, max_bytes: int) -> dict[str, Image]:
    """The volume of a file, or all of them by name where it has a fourth axis."""
    itk = library("SimpleITK", kind)
    with naming(path, kind):
        reader = itk.ImageFileReader()
        reader.SetImageIO(ITK[kind])
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
        size, parts = reader.GetSize(), reader.GetNumberOfComponents()
        name = itk.GetPixelIDValueAsString(reader.GetPixelID())
    if parts != 1 or "complex" in name or "label" in name:
        raise ValueError(f"{path} must hold grey values, it has {parts} numbers at each voxel")
    if len(size) not in (2, 3, 4):
        raise ValueError(f"{path} must hold slices or volumes, it has {len(size)} axes")
    if 0 in size:
        raise ValueError(f"{path} must hold a voxel or more, its shape is {size}")
    scale, unit = _scale(path, kind)
    itemsize = int((re.findall(r"\d+", name) or ["64"])[0]) // 8
    check_size(path, kind, int(np.prod(size, dtype=object)) * itemsize, max_bytes)
    with naming(path, kind):
        image = reader.Execute()
        voxels = itk.GetArrayFromImage(image).T
    axes = image.GetDimension()
    affine = np.eye(4)
    space = min(axes, 3)
    directions = np.array(image.GetDirection(), float).reshape(axes, axes)[:space, :space]
    affine[:space, :space] = directions * np.array(image.GetSpacing()[:space])
    affine[:space, 3] = image.GetOrigin()[:space]
    affine[:3] *= scale
    affine = FLIP @ affine
    if axes < 4:
        return {"": upright(voxels[..., None] if axes == 2 else voxels, affine, path, unit)}
    count = voxels.shape[3]
    names = [f"volume={i}" if count > 1 else "" for i in range(count)]
    return {name: upright(voxels[..., i], affine, path, unit) for i, name in enumerate(names)}


def _scale(path: Path, kind: str) -> tuple[float, Literal["mm", "pixel"]]:
    """mm of the header's unit; whether it has a spacing at all, which ITK then makes up."""
    with path.open("rb") as file:
        header = file.read(HEADER).decode("latin-1")
    if kind == "MetaImage":
        header = header.split("ElementDataFile")[0]
        return 1.0, "mm" if re.search(r"^Element(Spacing|Size)\s*=", header, re.M) else "pixel"
    header = re.split(r"\r?\n\r?\n", header)[0]
    said = re.search(r"^(?:space )?units:(.*)$", header, re.M)
    units = set(re.findall(r'"([^"]*)"', said.group(1).encode("latin-1").decode("utf-8", "replace"))
                if said else []) - {"", "???"}  # fmt: skip
    known = {MILLIMETRES.get(one) for one in units}
    if len(known) > 1 or None in known:
        raise ValueError(f"{path} must be in mm, cm, m or um, its field units has others")
    spaced = re.search(r"^(space directions|spacings):", header, re.M)
    return next(iter(known), None) or 1.0, "mm" if spaced else "pixel"
