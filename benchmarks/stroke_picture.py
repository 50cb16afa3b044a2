"""python -m benchmarks.stroke_picture FILE: a phantom of each type, by every segmenter.

The phantoms are those in LESIONKIT_DATA: made-up slices of the MNI152 tissue maps with real lesion
shapes (SOOP, OpenNeuro ds004889).
"""

from __future__ import annotations

import io as streams
import os
import sys
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from lesionkit import io, metrics
from lesionkit.studies.stroke import SEGMENTERS, preprocess

SHOWN = ("00_acute_ischemic", "13_sub_acute_ischemic", "06_chronic_ischemic", "15_acute_hemorrhage")
FOUND, TRUTH = "#29d3ff", "#ff4d4d"


def draw(folder: Path, path: str) -> None:
    figure = Figure(figsize=(12.6, 8.9), layout="constrained", facecolor="white")
    axes = figure.subplots(len(SHOWN), len(SEGMENTERS) + 1)
    for row, name in zip(axes, SHOWN, strict=True):
        file = next(folder.glob(f"{name}*_dwi.png"))
        image = io.read_image(file)
        truth = io.read_mask(file.with_name(file.name.replace("_dwi.", "_mask."))).values
        scene = preprocess(image.values)
        kind = "hypo" if "chronic" in name or "hemorrhage" in name else "hyper"
        for ax, method in zip(row, (None, *SEGMENTERS), strict=True):
            ax.imshow(scene.enhanced, cmap="gray", vmin=0.15, vmax=0.6)
            ax.set(xticks=[], yticks=[], xlim=(18, 178), ylim=(222, 14))
            ax.spines[:].set_visible(False)
            ax.contour(truth, [0.5], colors=TRUTH, linewidths=0.9)
            if method is None:
                ax.set_ylabel(name.split("_", 1)[1].replace("_", " "))
            else:
                found = SEGMENTERS[method](scene, kind)
                if found.any():
                    ax.contour(found, [0.5], colors=FOUND, linewidths=0.9)
                ax.set_xlabel(f"Jaccard {metrics.jaccard(found, truth):.2f}", fontsize=9)
            if name == SHOWN[0]:
                ax.set_title(method or "truth", fontsize=11)
    picture = streams.BytesIO()
    figure.savefig(picture, dpi=90)
    Image.open(picture).convert("RGB").quantize(240, dither=Image.Dither.NONE).save(
        path, optimize=True
    )


if __name__ == "__main__":
    draw(Path(os.environ["LESIONKIT_DATA"]) / "data/stroke_dwi/planted_phantom", sys.argv[1])
