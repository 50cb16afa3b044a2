"""MetaImage and NRRD, by SimpleITK."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np

from lesionkit.io.common import Image, check_size, library, naming, upright

FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])  # ITK's mm go left and back; ours right and front
ITK = {"MetaImage": "MetaImageIO", "NRRD": "NrrdImageIO"}
HEADER, CHUNK = 2**16, 2**20  # bytes: the longest header, and what is unpacked at once
# Of an axis, in mm. ITK does not read them.
MILLIMETRES = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001, "µm": 0.001, "micron": 0.001}


def read(path: Path, kind: str, max_bytes: int) -> dict[str, Image]:
    """The volume of a file, or all of them by name where it has a fourth axis."""
    image, scale, unit = load(path, kind, max_bytes)
    voxels = library("SimpleITK", kind).GetArrayFromImage(image).T
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


def load(
    path: Path, kind: str, max_bytes: int, *, layers: bool = False
) -> tuple[Any, float, Literal["mm", "pixel"]]:
    """SimpleITK's image of a file that is whole; mm of its unit, which ITK does not read; and
    whether it has a spacing at all.

    layers : several numbers at each voxel may be
    """
    itk = library("SimpleITK", kind)
    with naming(path, kind), _plain_words():
        reader = itk.ImageFileReader()
        reader.SetImageIO(ITK[kind])
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
        size, parts = reader.GetSize(), reader.GetNumberOfComponents()
        name = itk.GetPixelIDValueAsString(reader.GetPixelID())
    if (parts != 1 and not layers) or "complex" in name or "label" in name:
        raise ValueError(f"{path} must hold grey values, it has {parts} numbers at each voxel")
    if len(size) not in (2, 3, 4):
        raise ValueError(f"{path} must hold slices or volumes, it has {len(size)} axes")
    if 0 in size:
        raise ValueError(f"{path} must hold a voxel or more, its shape is {size}")
    header = _header(path, kind)
    scale, unit = _scale(header.decode("latin-1"), kind, path)
    itemsize = int((re.findall(r"\d+", name) or ["64"])[0]) // 8
    count = math.prod(size) * itemsize * parts
    check_size(path, kind, count, max_bytes)
    with naming(path, kind):
        _check_whole(path, header, count)
    with naming(path, kind), _plain_words():
        return reader.Execute(), scale, unit


@contextmanager
def _plain_words() -> Iterator[None]:
    """Inside, ITK's errors lose the places in its sources and in memory that they begin with."""
    try:
        yield
    except RuntimeError as problem:
        found = re.search(r"ERROR: (?:\w+\(0x[0-9a-f]+\): )?(.+)", str(problem))
        raise RuntimeError(found.group(1) if found else "ITK cannot read it") from problem


def _header(path: Path, kind: str) -> bytes:
    """The text that a file begins with, up to its data."""
    with path.open("rb") as file:
        start = file.read(HEADER)
    ends = r"^ElementDataFile[^\n]*\n" if kind == "MetaImage" else r"^\r?\n"
    end = re.search(ends.encode(), start, re.M)
    return start[: end.end()] if end else start


def _check_whole(path: Path, header: bytes, size: int) -> None:
    """ValueError where data are cut or damaged: ITK asks no checksum, and zlib's are there.

    size : bytes of the voxels;  what is written as text, or in several files, is left to ITK
    """
    companion = re.search(
        rb"^(?:ElementDataFile\s*=|data ?file:)[ \t]*(\S+)[ \t]*\r?$", header, re.M
    )
    local = companion is None or companion.group(1) == b"LOCAL"
    file = path if local or companion is None else path.with_name(companion.group(1).decode())
    if not file.is_file() or re.search(rb"^(encoding: *(txt|text|ascii|hex)|BinaryData *= *False)",
                                       header, re.M):  # fmt: skip
        return
    packed = re.search(rb"^(CompressedData *= *True|encoding: *gz(ip)?\b)", header, re.M)
    with file.open("rb") as stream:
        stream.seek(len(header) if local else 0)
        if not packed:
            rest = file.stat().st_size - stream.tell()
            if rest < size:
                raise ValueError(f"it is cut short: {rest} bytes of {size}")
            return
        unpack, found = zlib.decompressobj(zlib.MAX_WBITS | 32), 0  # of zlib or gzip
        while not unpack.eof and found <= size:
            more = unpack.unconsumed_tail or stream.read(CHUNK)
            if not more:
                raise ValueError("it is cut short")
            found += len(unpack.decompress(more, CHUNK))
        if found != size:
            raise ValueError(f"it unpacks to another size than the {size} bytes of its voxels")


def _scale(header: str, kind: str, path: Path) -> tuple[float, Literal["mm", "pixel"]]:
    """mm of the header's unit; whether it has a spacing at all, which ITK then makes up."""
    if kind == "MetaImage":
        return 1.0, "mm" if re.search(r"^Element(Spacing|Size)\s*=", header, re.M) else "pixel"
    said = re.search(r"^(?:space )?units:(.*)$", header, re.M)
    units = set(re.findall(r'"([^"]*)"', said.group(1).encode("latin-1").decode("utf-8", "replace"))
                if said else []) - {"", "???"}  # fmt: skip
    known = {MILLIMETRES.get(one) for one in units}
    if len(known) > 1 or None in known:
        raise ValueError(f"{path} must be in mm, cm, m or um, its field units has others")
    spaced = re.search(r"^(space directions|spacings):", header, re.M)
    return next(iter(known), None) or 1.0, "mm" if spaced else "pixel"
