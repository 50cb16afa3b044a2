"""What the study measures: patients' prepared images, the regions drawn from them, their table."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit.studies.brain import features, regions
from lesionkit.studies.brain.datasets import brats
from lesionkit.studies.brain.study.protocol import Table

Rois = npt.NDArray[np.uint8]


@dataclass(eq=False)
class Material:
    """Patients, and what was made of them so far."""

    patients: list[brats.Patient]
    per_class: int = regions.PER_CLASS
    normal: regions.Normal = "any"
    _images: dict[tuple[str, str], Any] = field(default_factory=dict)
    _places: dict[str, regions.Places] = field(default_factory=dict)
    _regions: dict[int, list[regions.Region]] = field(default_factory=dict)
    _tables: dict[tuple[Any, ...], Table] = field(default_factory=dict)
    _kept: dict[Any, Any] = field(default_factory=dict)

    def image(self, patient: brats.Patient, modality: str) -> Any:
        """(planes, rows, columns) uint8 after the paper's preprocessing."""
        key = (patient.name, modality)
        if key not in self._images:
            self._images[key] = patient.prepared(modality)
        return self._images[key]

    def places(self, patient: brats.Patient) -> regions.Places:
        """Where a patient's squares may lie. ValueError where none may."""
        if patient.name not in self._places:
            self._places[patient.name] = regions.places(
                patient.tumour, patient.brain, patient.name, normal=self.normal
            )
        return self._places[patient.name]

    def regions(self, seed: int) -> list[regions.Region]:
        """The squares of all patients."""
        if seed not in self._regions:
            self._regions[seed] = [
                region
                for patient in self.patients
                for region in regions.drawn(self.places(patient), self.per_class, seed)
            ]
        return self._regions[seed]

    def rois(self, modality: str, seed: int, around: int = 0) -> Rois:
        """(n, 10, 10) their pixels, or more with some around them."""
        drawn = self.regions(seed)
        parts = []
        for patient in self.patients:
            own = [region for region in drawn if region.patient == patient.name]
            parts.append(regions.cut(self.image(patient, modality), own, around=around))
        return np.concatenate(parts)

    def table(
        self,
        modality: str,
        seed: int,
        families: tuple[str, ...] = ("cooccurrence", "histogram"),
        normalise: Any = "sigma",
    ) -> Table:
        """The MaZda table of a draw."""
        key = (modality, seed, families, normalise)
        if key not in self._tables:
            drawn, rois = self.regions(seed), self.rois(modality, seed)
            values, names = features.mazda(rois, families=families, normalise=normalise)
            self._tables[key] = Table(
                values,
                names,
                np.array([region.abnormal for region in drawn]),
                np.array([region.patient for region in drawn]),
                np.array([region.plane for region in drawn]),
                rois.mean((1, 2)),
            )
        return self._tables[key]

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What `make` gives, made for this key the first time only."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def keep_usable(self) -> list[str]:
        """Leave out patients from whom no square can be drawn; in a sentence each why."""
        kept, problems = [], []
        for patient in self.patients:
            try:
                self.places(patient)
                kept.append(patient)
            except ValueError as problem:
                problems.append(str(problem))
        self.patients = kept
        return problems


def digest(folder: Path) -> str:
    """SHA-256 of the names and bytes of all that the study reads."""
    told = hashlib.sha256()
    for path in sorted((folder / "brain_tumor").rglob("*")):
        if path.is_file():
            told.update(str(path.relative_to(folder)).encode())
            told.update(hashlib.sha256(path.read_bytes()).digest())
    return told.hexdigest()
