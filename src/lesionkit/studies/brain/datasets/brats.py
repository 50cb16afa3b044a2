"""Slices of BRATS 2013: FLAIR, T1 with contrast, and the tumour's labels, 8 bits, stripped."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import io, job
from lesionkit.studies.brain import prepare
from lesionkit.studies.common.holes import filled

Mask = npt.NDArray[np.bool_]
PLACE = "brain_tumor/brats2013/slices"
MODALITIES = ("flair", "t1c")
NAME = re.compile(r"(?P<patient>.+)_z(?P<plane>\d+)_label\.png")  # labels are never lossy
RINGING = 12  # grey levels of a JPEG's background, near the brain


@dataclass(frozen=True, eq=False)
class Patient:
    """The slices of one patient, all of one grid."""

    name: str
    planes: tuple[int, ...]  # their numbers, ascending
    images: dict[str, npt.NDArray[np.uint8]]  # of each modality (planes, rows, columns)
    tumour: Mask
    brain: Mask
    lossy: bool = False  # whether a slice came as JPEG

    def prepared(self, modality: str, sigma: float = 1.0, amount: float = 1.0) -> Any:
        """(planes, rows, columns) uint8 after the paper's preprocessing; the heads are stripped."""
        image = self.images[modality]
        return prepare.prepare(image, sigma=sigma, amount=amount, brain=self.brain).levels


def data_folder(path: str | os.PathLike[str] | None = None) -> Path:
    """The folder that holds `brain_tumor`: as given, or LESIONKIT_DATA's `data`."""
    root = os.environ.get("LESIONKIT_DATA")
    if path is None and not root:
        raise ValueError(
            "data must be the folder that holds brain_tumor; got None, and LESIONKIT_DATA is not "
            "set"
        )
    folder = Path(path) if path is not None else Path(str(root)) / "data"
    if not (folder / "brain_tumor").is_dir():
        raise ValueError(f"data must be a folder with brain_tumor in it, got {str(folder)!r}")
    return folder


def files_of(folder: Path) -> dict[str, dict[int, Path]]:
    """Of each patient the label file of each plane. folder : see `data_folder`"""
    found: dict[str, dict[int, Path]] = {}
    place = folder / PLACE
    for path in sorted(place.iterdir()) if place.is_dir() else []:
        if match := NAME.fullmatch(path.name):
            found.setdefault(match["patient"], {})[int(match["plane"])] = path
    return {name: dict(sorted(planes.items())) for name, planes in sorted(found.items())}


def load(folder: Path) -> tuple[list[Patient], list[str]]:
    """All patients that can be read, by name; and in a sentence each why another cannot."""
    patients, problems = [], []
    for name, planes in files_of(folder).items():
        patient, problem = job.attempt(folder / PLACE, partial(read, name, planes))
        if patient is None:
            problems.append(f"patient {name}: {problem}")
        else:
            patients.append(patient)
    return patients, problems


def read(name: str, planes: dict[int, Path]) -> Patient:
    """One patient. planes : the label file of each plane

    Raises ValueError where a file is missing or broken, grids differ, or nothing is background.
    """
    labels = [_slice(path) for path in planes.values()]
    for path, label in zip(planes.values(), labels, strict=True):
        if label.shape != labels[0].shape:
            raise ValueError(
                f"{path} must have the shape of the patient's other slices, {labels[0].shape}, "
                f"got {label.shape}"
            )
    images = {
        modality: np.stack([
            _like(_beside(path, modality), label)
            for path, label in zip(planes.values(), labels, strict=True)
        ])
        for modality in MODALITIES
    }  # fmt: skip
    tumour = np.stack(labels) > 0
    lossy = any(
        _beside(path, modality).suffix.lower() != ".png"
        for path in planes.values()
        for modality in MODALITIES
    )
    seen = np.maximum.reduce(list(images.values())) > (RINGING if lossy else 0)
    brain = filled(seen)  # dark ventricles are brain
    if brain.mean() > 0.7:
        raise ValueError(
            "slices must be stripped, with background of exactly 0 on 30 % of them or more; got "
            f"{100 * (1 - brain.mean()):.0f} %"
        )
    return Patient(name, tuple(planes), images, tumour, brain, lossy)


def _beside(label: Path, modality: str) -> Path:
    stem = label.name[: -len(f"label{label.suffix}")]
    for ending in (".png", ".jpg", ".jpeg"):
        if (found := label.with_name(f"{stem}{modality}{ending}")).is_file():
            return found
    raise ValueError(f"{label.name} must have {stem}{modality}.png beside it")


def _slice(path: Path) -> npt.NDArray[Any]:
    values = io.read_image(path).values
    if values.ndim != 2:
        raise ValueError(f"{path} must be a slice, got shape {values.shape}")
    return values


def _like(path: Path, label: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    values = _slice(path)
    if values.shape != label.shape:
        raise ValueError(
            f"{path} must have the grid of its label, {label.shape}, got {values.shape}"
        )
    if values.dtype != np.uint8:
        raise ValueError(f"{path} must have 8 bits, got {values.dtype}")
    return values
