"""Small scans of strokes as files, and the table of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reference.stroke_brain import brain

nibabel = pytest.importorskip("nibabel", reason="nibabel comes with lesionkit[studies]")
pillow = pytest.importorskip("PIL.Image", reason="Pillow comes with lesionkit[studies]")


def png(path: Path, lesion: str | None = "hyper") -> None:
    """NAME_dwi.png and NAME_mask.png."""
    image, truth = brain(lesion)
    pillow.fromarray(image).save(f"{path}_dwi.png")
    pillow.fromarray(truth).save(f"{path}_mask.png")


def volume(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """NAME_dwi.nii.gz and NAME_mask.nii.gz, two slices of 5 mm, left before right."""
    image, truth = brain()
    affine = np.diag([-1.0, 1.0, 5.0, 1.0])
    affine[:3, 3] = 128, -128, 20
    voxels = np.stack([image, image[::-1]], axis=-1).transpose(1, 0, 2).astype(np.int16)
    mask = np.stack([truth, truth[::-1]], axis=-1).transpose(1, 0, 2)
    nibabel.save(nibabel.Nifti1Image(voxels, affine), f"{path}_dwi.nii.gz")
    near = np.where(mask, np.float32(0.9999999), np.float32(0))
    nibabel.save(nibabel.Nifti1Image(near, affine), f"{path}_mask.nii.gz")
    return mask, affine


def rows(out: Path) -> list[dict[str, str]]:
    lines = [line.split("\t") for line in (out / "scores.tsv").read_text().splitlines()]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
