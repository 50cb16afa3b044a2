"""The slices of a DICOM file with their places and values (PS3.3 C.7.6.2, C.7.6.16)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit.io.common import BROKEN, library

Floats = npt.NDArray[np.float64]

TILTED = 0.01  # by how much direction cosines may miss length 1 and a right angle
# Where scanners had b-values before DICOM had a place for them: group, creator, element.
PRIVATE_B = (
    (0x0019, "SIEMENS MR HEADER", 0x0C),
    (0x0043, "GEMS_PARM_01", 0x39),
    (0x2001, "Philips Imaging DD 001", 0x03),
)
GE_OFFSET = 100_000  # some GE scanners add 10^9
TYPES = ("MAGNITUDE", "PHASE", "REAL", "IMAGINARY", "MIXED")
SHORT_TYPES = {"M": "MAGNITUDE", "P": "PHASE", "R": "REAL", "I": "IMAGINARY"}


@dataclass(frozen=True, eq=False)
class Frame:
    """A slice: values after slope and intercept; None where its header does not tell."""

    where: str  # the file, and which frame of it
    pixels: npt.NDArray[Any]  # (rows, columns)
    orientation: Floats | None  # (2, 3) direction cosines of a row, of a column
    position: Floats | None  # (3,) mm, to the left, back and up
    spacing: Floats | None  # (2,) mm from row to row, from column to column
    step: float  # mm to the next plane, for a slice that is alone
    marks: dict[str, Any] = field(default_factory=dict)  # what tells images of one series apart


def tag(name: str) -> str:
    """The name of an attribute and its number."""
    number = library("pydicom", "DICOM").datadict.tag_for_keyword(name)
    return f"{name} ({number >> 16:04x},{number & 0xFFFF:04x})"


def numbers(data: Any, name: str, count: int, where: str) -> Floats | None:
    """`count` finite numbers of an attribute; None where it is not there."""
    try:
        value = data.get(name)
        if value is None or value == "":
            return None
        found = np.array(value, np.float64).reshape(-1)
    except BROKEN as problem:
        raise ValueError(
            f"{where} must have {count} numbers in {tag(name)}, got words"
        ) from problem
    if found.size == 0:
        return None
    if found.size != count or not np.isfinite(found).all():
        raise ValueError(
            f"{where} must have {count} finite number{'s' * (count > 1)} in {tag(name)}, got "
            f"{found.size}{'' if np.isfinite(found).all() else ', some not finite'}"
        )
    return found


def number(data: Any, name: str, where: str) -> float | None:
    """One finite number of an attribute; None where it is not there."""
    found = numbers(data, name, 1, where)
    return None if found is None else float(found[0])


def frames_of(data: Any, pixels: npt.NDArray[Any], file: Path) -> list[Frame]:
    """The frames of a file: one, or those that its functional groups place."""
    groups = data.get("PerFrameFunctionalGroupsSequence")
    if groups is None:
        if len(pixels) > 1:
            raise ValueError(
                f"{file} must give the place of each of its {len(pixels)} frames in "
                f"{tag('PerFrameFunctionalGroupsSequence')}, it does not"
            )
        return [_frame(str(file), pixels[0], _Plain(data), _plain_marks(data, str(file)))]
    if len(groups) != len(pixels):
        raise ValueError(
            f"{file} must have an item for each of its {len(pixels)} frames in "
            f"{tag('PerFrameFunctionalGroupsSequence')}, got {len(groups)}"
        )
    shared = data.get("SharedFunctionalGroupsSequence") or [{}]
    frames = []
    for i, (own, plane) in enumerate(zip(groups, pixels, strict=True)):
        group = _Groups(own, shared[0])
        where = f"{file}, frame {i + 1}"
        frames.append(_frame(where, plane, group, _group_marks(group, where)))
    return frames


class _Plain:
    """A header of one frame: every attribute lies in it."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def of(self, _: str) -> Any:
        return self.data


class _Groups:
    """The functional groups of a frame: its own, or those of all frames."""

    def __init__(self, own: Any, shared: Any) -> None:
        self.own, self.shared = own, shared

    def of(self, name: str) -> Any:
        found = self.own.get(name) or self.shared.get(name)
        return found[0] if found else {}


def _frame(where: str, plane: Any, header: Any, marks: dict[str, Any]) -> Frame:
    measures = header.of("PixelMeasuresSequence")
    values = header.of("PixelValueTransformationSequence")
    slope = number(values, "RescaleSlope", where)
    intercept = number(values, "RescaleIntercept", where)
    slope, intercept = 1.0 if slope is None else slope, intercept or 0.0
    if slope == 0:
        raise ValueError(f"{where} must have another number than 0 in {tag('RescaleSlope')}")
    if (slope, intercept) != (1.0, 0.0):
        with np.errstate(over="ignore"):
            plane = plane * slope + intercept
        if not np.isfinite(plane).all():
            raise ValueError(
                f"{where} must hold finite values, with {tag('RescaleSlope')} they are not"
            )
    spacing = numbers(measures, "PixelSpacing", 2, where)
    if spacing is not None and spacing.min() <= 0:
        raise ValueError(
            f"{where} must have a spacing above 0 mm along each axis in {tag('PixelSpacing')}, got "
            f"{spacing[0]:g} and {spacing[1]:g}"
        )
    orientation = numbers(
        header.of("PlaneOrientationSequence"), "ImageOrientationPatient", 6, where
    )
    if orientation is not None:
        orientation = orientation.reshape(2, 3)
        if np.abs(orientation @ orientation.T - np.eye(2)).max() > TILTED:
            raise ValueError(
                f"{where} must have two directions of length 1 at a right angle in "
                f"{tag('ImageOrientationPatient')}"
            )
    position = numbers(header.of("PlanePositionSequence"), "ImagePositionPatient", 3, where)
    steps = (number(measures, n, where) for n in ("SpacingBetweenSlices", "SliceThickness"))
    step = next((abs(s) for s in steps if s), 1.0)
    return Frame(where, plane, orientation, position, spacing, step, marks)


def _plain_marks(data: Any, where: str) -> dict[str, Any]:
    """b-value and echo time always tell images apart; the others where slices lie in one place."""
    kind = next((SHORT_TYPES[t] for t in data.get("ImageType", ())[2:] if t in SHORT_TYPES), None)
    return {
        "b": _private_b(data, where),
        "echo": number(data, "EchoTime", where),
        "stack": None,
        "direction": _rounded(numbers(data, "DiffusionGradientOrientation", 3, where)),
        "type": kind,
        "time": number(data, "TemporalPositionIdentifier", where),
        "volume": None,
    }


def _private_b(data: Any, where: str) -> float | None:
    value = number(data, "DiffusionBValue", where)
    if value is not None:
        return value
    for group, creator, element in PRIVATE_B:
        try:
            found = data.private_block(group, creator)[element].value
            value = float(np.array(found, np.float64).reshape(-1)[0])
        except BROKEN:  # not there, or not a number
            continue
        if math.isfinite(value):
            return value % GE_OFFSET
    return None


def _group_marks(group: _Groups, where: str) -> dict[str, Any]:
    diffusion, content = group.of("MRDiffusionSequence"), group.of("FrameContentSequence")
    directions = diffusion.get("DiffusionGradientDirectionSequence") or [{}]
    kind = str(group.of("MRImageFrameTypeSequence").get("ComplexImageComponent") or "")
    return {
        "b": number(diffusion, "DiffusionBValue", where),
        "echo": number(group.of("MREchoSequence"), "EffectiveEchoTime", where),
        "stack": str(content.get("StackID") or ""),
        "direction": _rounded(numbers(directions[0], "DiffusionGradientOrientation", 3, where)),
        "type": kind if kind in TYPES else None,
        "time": number(content, "TemporalPositionIndex", where),
        "volume": None,
    }


def _rounded(direction: Floats | None) -> tuple[float, ...] | None:
    return None if direction is None else tuple(float(x) for x in direction.round(4))
