"""Masks as they come: whole numbers, floats, booleans, layers, DICOM's segments; and the region
that has a label in one."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lesionkit import arrays
from lesionkit.radiomics import structures, volumes
from lesionkit.radiomics.parameters import LABELS_ALL, check_settings
from lesionkit.radiomics.regions import Region, region_of
from lesionkit.radiomics.volumes import Volume, like


def read(source: Any, image: Callable[[], Volume], spacing: Any = None) -> Volume:
    """The mask that `source` is or names; of several layers, as the last axis.

    image : gives the image, on whose grid DICOM's contours and segments are laid
    """
    if isinstance(source, (str, os.PathLike)):
        kind = structures.kind_of(Path(source))
        if kind:
            return structures.READERS[kind](Path(source), image())
    return volumes.read(source, "mask", spacing, layers=True)


def labels_of(mask: Volume, channel: int | None) -> Volume:
    """A mask as whole numbers: of floats those that they are within 1e-3, of several layers one."""
    values = mask.values
    name = mask.path or "mask"
    if len(mask.spacing) < values.ndim:
        layers = values.shape[-1]
        layer = channel or 0
        if layer >= layers:
            raise ValueError(
                f"label_channel must be below {layers}, the layers of {name}, got {layer}"
            )
        values = np.ascontiguousarray(values[..., layer])
    if values.dtype.kind == "f":
        values = arrays.labels(values, name, arrays.on_cpu(mask=values), "whole numbers")
    elif values.dtype.kind not in "iub":
        raise TypeError(f"{name} must hold whole numbers, got {arrays.describe(values)}")
    return like(mask, values.view(np.uint8) if values.dtype == bool else values)


def labels_in(mask: Volume) -> list[int]:
    """The labels of a mask of whole numbers, without 0."""
    return [int(n) for n in np.unique(mask.values) if n != 0]


def find(mask: Volume, label: Any) -> Region:
    """Where a mask of whole numbers has a label, one of several, or any; ValueError where not."""
    region = region_with(mask, label)
    if region.voxels == 0:
        raise ValueError(f"{mask.path or 'mask'} {_absent(labels_in(mask), label)}")
    return region


def region_with(mask: Volume, label: Any) -> Region:
    """As :func:`find`, but of no voxels where the mask has no such label."""
    values = mask.values
    if label == LABELS_ALL:
        inside = values != 0
    elif isinstance(label, tuple):
        inside = np.isin(values, label)
    else:
        inside = values == label
    return region_of(like(mask, inside.view(np.uint8)))


def _absent(there: list[int], label: Any) -> str:
    if not there:
        return "must hold a label, all of it is 0"
    some = ", ".join(map(str, there[:10])) + (", ..." if len(there) > 10 else "")
    what = " or ".join(map(str, label)) if isinstance(label, tuple) else label
    return f"has no label {what}, its labels are {some}"


def choose(labels: Volume, asked: Any, usual: Any) -> tuple[Any, Region]:
    """The label to take of a mask, and its region.

    asked : None where nobody asked; then a mask without `usual`, which is 1, and with one label
            alone is taken by that
    """
    if asked is not None:
        asked = check_settings({"label": asked})["label"]
        return asked, find(labels, asked)
    usual = 1 if usual is None else usual
    region = region_with(labels, usual)
    if region.voxels:
        return usual, region
    there = labels_in(labels)
    if usual != 1 or len(there) != 1:
        raise ValueError(f"{labels.path or 'mask'} {_absent(there, usual)}")
    warnings.warn(
        f"{labels.path or 'mask'} has no label 1, which was not asked for: its only label, "
        f"{there[0]}, is taken",
        stacklevel=3,
    )
    return there[0], find(labels, there[0])
