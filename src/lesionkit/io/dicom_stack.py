"""Slices to volumes: images of one series told apart, put in order, and their affine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lesionkit.io.common import Image, upright
from lesionkit.io.dicom_frames import Floats, Frame, tag

ALWAYS = ("b", "echo", "stack")  # never one volume, wherever the slices lie
IN_PLACE = ("direction", "type", "time", "volume")  # where slices share a place
EQUAL = 1e-3  # of direction cosines, and of pixel spacing: headers are rounded
UNEVEN = 0.1  # of a step
FLIP = np.diag([-1.0, -1.0, 1.0])  # DICOM's mm go left and back; ours right and front


def stack(frames: list[Frame], path: Path) -> dict[str, Image]:
    """The volumes of these slices, each with the name that tells it from the others."""
    groups: dict[str, list[Frame]] = {"": frames}
    for mark in ALWAYS:
        groups = _split(groups, mark, lambda _: True)
    for mark in IN_PLACE:
        groups = _split(groups, mark, _share_a_place)
    return {name: _volume(slices, path) for name, slices in groups.items()}


def _split(
    groups: dict[str, list[Frame]], mark: str, wanted: Callable[[list[Frame]], bool]
) -> dict[str, list[Frame]]:
    """Each group by the values of a mark, where it has several."""
    result: dict[str, list[Frame]] = {}
    for name, frames in groups.items():
        values = list(dict.fromkeys(frame.marks[mark] for frame in frames))
        if len(values) < 2 or not wanted(frames):
            result[name] = frames
            continue
        for value, report in _report(mark, values):
            part = [frame for frame in frames if frame.marks[mark] == value]
            result[f"{name}, {report}" if name else report] = part
    return result


def _report(mark: str, values: list[Any]) -> list[tuple[Any, str]]:
    """Values and what they are called: numbers of b and echo; words of types; else a count."""
    known = sorted((v for v in values if v is not None), key=lambda v: (isinstance(v, str), v))
    names = []
    for i, value in enumerate(known):
        if mark == "echo":
            names.append((value, f"echo={value:g} ms"))
        elif mark == "b":
            names.append((value, f"b={value:g}"))
        elif mark == "type":
            names.append((value, f"type={value.lower()}"))
        else:
            names.append((value, f"{mark}={i + 1}"))
    return names + [(None, f"{mark}=none")] * (None in values)


def _share_a_place(frames: list[Frame]) -> bool:
    first = frames[0]
    if len(frames) < 2 or first.orientation is None:
        return False
    if any(frame.position is None for frame in frames):
        return False
    depths = np.sort(_positions(frames) @ np.cross(*first.orientation))
    steps = np.diff(depths)
    return bool(steps.min() <= UNEVEN * steps.max())


def _positions(frames: list[Frame]) -> Floats:
    return np.array([frame.position for frame in frames], np.float64)


def _volume(frames: list[Frame], path: Path) -> Image:
    """Slices in the order of their places, with the affine that their headers give."""
    if len(frames) == 1:
        return _slice(frames[0], path)
    orientation, spacing = _common(frames)
    positions = _positions(frames)
    normal = np.cross(*orientation)
    order = np.argsort(positions @ normal, kind="stable")
    places = positions[order]
    steps = np.diff(places @ normal)
    step = float(np.median(steps))
    if not steps.min() > UNEVEN * step:
        raise ValueError(
            f"{path} must hold one slice at each place, it has several that b-value, echo, "
            "direction, type and time do not tell apart; keep those of one"
        )
    if np.abs(steps - step).max() > UNEVEN * step:
        raise ValueError(
            f"{path} must hold slices at equal steps, it has steps of {steps.min():g} to "
            f"{steps.max():g} mm"
        )
    along = (places[-1] - places[0]) / (len(places) - 1)  # under a gantry tilt not the normal
    line = places[0] + np.arange(len(places))[:, None] * along
    off = float(np.linalg.norm(places - line, axis=1).max())
    if off > UNEVEN * step:
        raise ValueError(
            f"{path} must hold slices along one line, {tag('ImagePositionPatient')} is up to "
            f"{off:.3g} mm off it"
        )
    pixels = np.stack([frames[i].pixels for i in order])
    return upright(pixels.T, _affine(orientation, spacing, along, places[0]), path)


def _common(frames: list[Frame]) -> tuple[Floats, Floats]:
    """Orientation and spacing of all slices; ValueError where one does not tell its place, or is of
    other size or direction."""
    first = frames[0]
    for frame in frames:
        for name, value, wanted, scale in (
            ("ImagePositionPatient", frame.position, None, 1.0),
            ("ImageOrientationPatient", frame.orientation, first.orientation, 1.0),
            (
                "PixelSpacing",
                frame.spacing,
                first.spacing,
                1.0 if first.spacing is None else float(first.spacing.min()),
            ),
        ):
            if value is None:
                raise ValueError(
                    f"{frame.where} must have {tag(name)}, as one of {len(frames)} slices"
                )
            if wanted is not None and np.abs(value - wanted).max() > EQUAL * scale:
                raise ValueError(
                    f"{frame.where} must have the same {tag(name)} as the other slices, it differs "
                    f"from {first.where}"
                )
    return np.asarray(first.orientation), np.asarray(first.spacing)


def _slice(frame: Frame, path: Path) -> Image:
    """A slice alone: what its header does not tell is as of an axial picture, at 0."""
    orientation = np.eye(3)[:2] if frame.orientation is None else frame.orientation
    position = np.zeros(3) if frame.position is None else frame.position
    spacing = np.ones(2) if frame.spacing is None else frame.spacing
    affine = _affine(orientation, spacing, np.cross(*orientation) * frame.step, position)
    return upright(frame.pixels[None].T, affine, path, "pixel" if frame.spacing is None else "mm")


def _affine(orientation: Floats, spacing: Floats, along: Floats, origin: Floats) -> Floats:
    affine = np.eye(4)
    affine[:3, 0] = FLIP @ orientation[0] * spacing[1]
    affine[:3, 1] = FLIP @ orientation[1] * spacing[0]
    affine[:3, 2] = FLIP @ along
    affine[:3, 3] = FLIP @ origin
    return affine
