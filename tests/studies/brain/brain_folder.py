"""A small BRATS folder of made heads: bright, rough tumours on a smooth brain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from lesionkit.studies.brain.datasets.brats import PLACE


def slices(number: int, planes: int = 3, side: int = 72) -> tuple[np.ndarray, ...]:
    """FLAIR, T1c and labels of one patient, (planes, rows, columns) uint8; no tumour in the last
    plane. In T1c tumour and brain have one mean; the tumour is rougher."""
    random = np.random.default_rng(number)
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
    brain = np.tile(np.hypot(rows, columns) < side / 2 - 4, (planes, 1, 1))
    labels = np.zeros(brain.shape, np.uint8)
    labels[:-1, side // 3 : 2 * side // 3 + 2, 10 : side // 2 - 2] = 4
    labels[~brain] = 0
    noise = random.normal(size=brain.shape)
    t1c = 120 + noise * np.where(labels > 0, 30, 12)
    flair = 90 + 50 * (labels > 0) + 10 * noise
    out = [np.where(brain, np.clip(image, 20, 255), 0).astype(np.uint8) for image in (flair, t1c)]
    return (*out, labels)


def write(root: Path, patients: int = 3, ending: str = "png") -> Path:
    """The folder, as `--data` takes it; patients P0, P1, ..."""
    place = root / PLACE
    place.mkdir(parents=True)
    for number in range(patients):
        for plane, images in enumerate(zip(*slices(number), strict=True)):
            for name, image in zip(("flair", "t1c", "label"), images, strict=True):
                kind = "png" if name == "label" else ending
                path = place / f"P{number}_z{10 * plane:03d}_{name}.{kind}"
                Image.fromarray(image).save(path, **({} if kind == "png" else {"quality": 100}))
    return root
