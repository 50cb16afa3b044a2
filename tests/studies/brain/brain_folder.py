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


def cheng(number: int, middle: int = 35, side: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """A stripped slice of T1 with contrast, uint8, and its tumour, rougher than the brain."""
    random = np.random.default_rng(100 + number)
    y, x = np.mgrid[:side, :side]
    brain = np.hypot(y - 60, x - 60) < 46
    tumour = np.hypot(y - 60 - number % 3, x - middle) < 12
    noise = random.normal(size=brain.shape)
    image = 120 + noise * np.where(tumour, 30, 10)
    return np.where(brain, image.clip(20, 255), 0).astype(np.uint8), tumour


def write_cheng(root: Path, each: int, middle: int = 35) -> Path:
    """Gliomas from 9 on and meningiomas from 1 on, as JPEG with boxes; the folder."""
    place = root / "brain_tumor/cheng_t1ce"
    for kind, first in (("glioma", 10), ("meningioma", 1)):
        (place / kind).mkdir(parents=True)
        for number in range(first, first + each):
            image, tumour = cheng(number, middle)
            rows, columns = (np.flatnonzero(tumour.any(axis)) for axis in (1, 0))
            (top, bottom), (left, right) = ((n[0], n[-1] + 1) for n in (rows, columns))
            high, wide = image.shape
            box = ((left + right) / 2 / wide, (top + bottom) / 2 / high, (right - left) / wide)
            Image.fromarray(image).save(place / kind / f"{number}.jpg", quality=95)
            words = " ".join(f"{share:.4f}" for share in (*box, (bottom - top) / high))
            (place / kind / f"{number}.txt").write_text(f"2 {words}\n")
    return place


def write_head(root: Path) -> None:
    """A stripped head of two planes with a tumour, as PyRadiomics has them: pixels of 0.8 mm."""
    import SimpleITK

    place = root / "brain_tumor/pyradiomics"
    place.mkdir(parents=True)
    both = [cheng(number) for number in (0, 3)]
    for name, planes in (
        ("image", np.stack([image for image, _ in both]).astype(np.int16)),
        ("label", np.stack([tumour for _, tumour in both]).astype(np.uint8)),
    ):
        image = SimpleITK.GetImageFromArray(planes)
        image.SetSpacing((0.8, 0.8, 6.5))
        SimpleITK.WriteImage(image, str(place / f"head_{name}.nrrd"))
