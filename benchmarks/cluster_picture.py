"""The picture of docs/clustering.md: a slice of a head, its fuzzy c-means, plain and spatial.

LESIONKIT_DATA=... python -m benchmarks.cluster_picture docs/clustering.png

The slice is of `brain1_image.nrrd`, a T1-weighted MRI with contrast, from PyRadiomics' repository
(AIM-Harvard, `data`, 3-clause BSD licence), which is read from LESIONKIT_DATA.
"""

from __future__ import annotations

import gzip
import io
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

SLICE = "data/brain_tumor/pyradiomics/brain1_image.nrrd"
PLANE, CUT = 14, np.s_[14:238, 34:214]
CLASSES = 3
NOISE = 0.08  # of the greatest value
COLOURS = ListedColormap(["#ffffff", "#20233a", "#5b8fc4", "#f6d55a"])


def head() -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The slice, its brain from 0 to 1 (the top and bottom percent are cut off), and the brain."""
    raw = (Path(os.environ["LESIONKIT_DATA"]) / SLICE).read_bytes()
    header, _, data = raw.partition(b"\n\n")
    assert b"sizes: 256 256 25" in header
    assert b"type: short" in header
    volume = np.frombuffer(gzip.decompress(data), "<i2").reshape(25, 256, 256)
    plane = volume[PLANE][CUT].astype(np.float32)
    tissue = ndimage.binary_opening(
        abs(plane / np.percentile(plane, 99) - 0.45) < 0.22, np.ones((5, 5))
    )
    parts, _ = ndimage.label(tissue)
    brain = ndimage.binary_closing(parts == np.bincount(parts[tissue]).argmax(), iterations=6)
    brain = ndimage.binary_fill_holes(brain)
    low, high = np.percentile(plane[brain], [1, 99])
    return np.clip((plane - low) / (high - low), 0, 1), brain


def picture() -> Figure:
    from lesionkit.clustering import FCM_S1, FLICM, FuzzyCMeans, Segmentation, segment

    image, brain = head()
    start = np.linspace(0, 1, CLASSES + 2)[1:-1, None]
    plain = FuzzyCMeans(CLASSES, init=start)
    clean = Segmentation(image, plain, brain)
    noisy = image + np.random.default_rng(1).normal(0, NOISE, image.shape).astype(np.float32)
    methods: dict[str, Any] = {
        "FuzzyCMeans": plain,
        "FCM_S1, alpha 4": FCM_S1(CLASSES, alpha=4.0, init=start),
        "FLICM": FLICM(CLASSES, init=start),
    }
    figure = Figure(figsize=(9.6, 6.3), layout="constrained")
    axes = figure.subplots(2, 4)
    show(axes[0, 0], "slice", np.where(brain, image, 1), "gray")
    for place, j in zip(axes[0, 1:], (0, 1, 2), strict=True):
        show(place, f"membership({j})", clean.membership(j), "magma")
    show(axes[1, 0], "its classes", clean.labels, COLOURS)
    for place, (name, method) in zip(axes[1, 1:], methods.items(), strict=True):
        labels = segment(noisy, method, brain)
        moved = (labels != clean.labels)[brain].mean()
        show(place, f"with noise, {name}:\n{moved:.0%} in another class", labels, COLOURS)
    return figure


def show(place: Any, title: str, image: NDArray[Any], cmap: Any) -> None:
    low, high = (-1, CLASSES - 1) if cmap is COLOURS else (0, 1)
    place.imshow(image, cmap=cmap, vmin=low, vmax=high, interpolation="nearest")
    place.set_title(title, fontsize=10)
    place.set_axis_off()


def main(path: str) -> None:
    with io.BytesIO() as memory:
        picture().savefig(memory, dpi=80, format="png")
        small = Image.open(memory).convert("RGB").quantize(128)
    small.save(Path(path), optimize=True)


if __name__ == "__main__":
    main(sys.argv[1])
