"""A volume, and NIfTI files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np

VOLUME = np.random.default_rng(0).integers(0, 1000, (4, 5, 6)).astype(np.int16)  # right, front, up


def nifti(path: Path, voxels: np.ndarray, affine: Any = None) -> Path:
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4) if affine is None else affine), path)
    return path
