"""The picture of docs/fronts.md: arrival times over a real slice, the region that a front reaches
soon, and the same with an early stop.

    LESIONKIT_DATA=FOLDER python -m benchmarks.fronts_picture docs/fronts.png

The slice is of a head with an old stroke (T2, 1 mm) from neurolabusc/Clinical, BSD-2-Clause.
"""

from __future__ import annotations

import gzip
import io
import os
import struct
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

PLANE = 90
SEED = (118, 48)  # row, column: in the lesion
CUTOFF = 120.0  # grey levels: a difference from which on the front hardly moves
STOP = 120.0  # time: pixels, at the speed of 1 that the front has where grey is the seed's


def volume(path: Path) -> NDArray[np.uint8]:
    """A NIfTI-1 file of bytes as (planes, rows, columns), the front of the head at the top."""
    raw = gzip.decompress(path.read_bytes())
    size = struct.unpack("<8h", raw[40:56])[1:4]
    kind, begin = struct.unpack("<h", raw[70:72])[0], int(struct.unpack("<f", raw[108:112])[0])
    if kind != 2:
        raise SystemExit(f"{path} must hold bytes (NIfTI type 2), got type {kind}")
    values = np.frombuffer(raw, np.uint8, int(np.prod(size)), begin)
    return values.reshape(size[::-1])[:, ::-1]


def picture(image: NDArray[np.float32], truth: NDArray[np.bool_]) -> Figure:
    from lesionkit.fronts import geodesic_segment

    given = {"weight": "grey", "cutoff": CUTOFF, "return_times": True}
    _, times = geodesic_segment(image, [SEED], **given)
    region, known = geodesic_segment(image, [SEED], stop=STOP, **given)
    overlap = 2 * (region & truth).sum() / (region.sum() + truth.sum())
    reached = np.isfinite(known)

    figure = Figure(figsize=(9, 4.0), layout="constrained")
    axes = figure.subplots(1, 3)
    for place in axes:
        place.imshow(image, cmap="gray")
        place.plot(*SEED[::-1], "+", color="C1", ms=9, mew=2)
        place.set_axis_off()
    axes[0].contour(truth, [0.5], colors="C0", linewidths=1.2)
    axes[0].set_title("seed, and lesion by hand", fontsize=11)
    head = image > 20
    shown = np.ma.masked_where(~head, np.log10(np.maximum(times, 1)))
    drawn = axes[1].imshow(shown, cmap="viridis", alpha=0.85)
    axes[1].contour(times, [STOP], colors="w", linewidths=1)
    axes[1].set_title("times, everywhere", fontsize=11)
    figure.colorbar(drawn, ax=axes[1], shrink=0.7, label="log10 time")
    axes[2].imshow(np.ma.masked_where(~reached, known), cmap="viridis", alpha=0.85)
    axes[2].contour(region, [0.5], colors="C1", linewidths=1.2)
    axes[2].set_title(f"stop: {reached.mean():.1%}, Dice {overlap:.2f}", fontsize=11)
    return figure


def main(path: str) -> None:
    data = os.environ.get("LESIONKIT_DATA")
    if not data:
        raise SystemExit("LESIONKIT_DATA is not set: no folder of real data to read")
    folder = Path(data) / "data" / "stroke_dwi" / "chronic_t2"
    image = volume(folder / "T2.nii.gz")[PLANE].astype(np.float32)
    truth = volume(folder / "lesionT2.nii.gz")[PLANE] > 0
    with io.BytesIO() as memory:
        picture(image, truth).savefig(memory, dpi=90, format="png")
        small = Image.open(memory).convert("RGB").quantize(160)
    small.save(Path(path), optimize=True)


if __name__ == "__main__":
    main(sys.argv[1])
