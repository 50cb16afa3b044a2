"""The picture of docs/texture.md: a made-up head and its feature maps.

python -m benchmarks.texture_picture docs/texture-maps.png
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from benchmarks.texture.work import ROUND, textured

SIDE, LEVELS, WINDOW = 256, 32, 9
LESION = (150, 98, 17)  # row, column, radius
SHOWN = {
    "contrast": "contrast",
    "dissimilarity": "dissimilarity",
    "inverse_difference_moment": "inverse difference moment",
    "joint_entropy": "joint entropy, bits",
    "correlation": "correlation",
}


def head() -> NDArray[np.float64]:
    """A slice of a head, 0 to 255: skull, folded cortex, ventricles, and a lesion that is as bright
    as the tissue about it, but rougher."""
    rows, columns = np.indices((SIDE, SIDE)) - (SIDE - 1) / 2.0
    reach = np.hypot(rows / 112, columns / 90)
    angle = np.arctan2(rows / 112, columns / 90)
    folds = 0.045 * np.sin(17 * angle + 2 * np.sin(3 * angle)) + 0.02 * np.sin(41 * angle)
    inside = 40 * (textured((SIDE, SIDE), 5, slope=2.0) / 255 - 0.5)
    image = np.where(reach < 1.0, 190.0, 0.0)  # skin and fat
    image[reach < 0.95] = 25  # bone
    image[reach < 0.88] = 45  # fluid
    image[reach < 0.84 + folds / 3] = 115  # grey matter
    image[reach < 0.70 + folds] = 155  # white matter
    image[(abs(columns) < 1.2) & (reach < 0.84) & (abs(rows) > 45)] = 55  # between the halves
    for side in (-1, 1):
        tilted = columns - side * (13 + 0.15 * abs(rows + 5))
        image[np.hypot((rows + 5) / 34, tilted / 8) < 1] = 45  # ventricle
        core = np.hypot((rows - 12) / 20, (columns - side * 34) / 11)
        image[core < 1] = 122  # deep grey matter
    brain = reach < 0.84
    image[brain] += inside[brain]
    row, column, radius = LESION
    away = np.hypot(*(np.indices((SIDE, SIDE)) - np.reshape([row, column], (2, 1, 1))))
    rough = textured((SIDE, SIDE), 6, slope=0.5)
    image[away < radius] = 150 + 0.6 * (rough - rough.mean())[away < radius]
    image += np.random.default_rng(7).normal(0, 4, image.shape) * (reach < 1)
    return np.clip(image, 0, 255)


def picture() -> Figure:
    from lesionkit.texture import feature_maps

    image = head()
    levels = (image * LEVELS / 256).astype(np.uint8)
    maps = feature_maps(levels, WINDOW, ROUND, LEVELS, list(SHOWN))
    figure = Figure(figsize=(9, 5.9), layout="constrained")
    axes = figure.subplots(2, 3).ravel()
    axes[0].imshow(image, cmap="gray")
    axes[0].set_title("image, with a lesion (circle)")
    row, column, radius = LESION
    turn = np.linspace(0, 2 * np.pi, 100)
    round_it = np.array([row + 1.3 * radius * np.cos(turn), column + 1.3 * radius * np.sin(turn)])
    axes[0].plot(*round_it[::-1], "C1", lw=1)
    brain = image > 60
    for place, title, values in zip(axes[1:], SHOWN.values(), maps, strict=True):
        low, high = np.percentile(values[brain], [1, 93])
        drawn = place.imshow(values, cmap="viridis", vmin=low, vmax=high)
        place.set_title(title)
        figure.colorbar(drawn, ax=place, shrink=0.85)
    for place in axes:
        place.set_axis_off()
    return figure


def main(path: str) -> None:
    with io.BytesIO() as memory:
        picture().savefig(memory, dpi=90, format="png")
        small = Image.open(memory).convert("RGB").quantize(160)
    small.save(Path(path), optimize=True)


if __name__ == "__main__":
    main(sys.argv[1])
