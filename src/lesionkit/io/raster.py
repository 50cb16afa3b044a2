"""PNG and JPEG: a slice as it is seen, whose scale and place are not known."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lesionkit.io.common import Image, check_size, library, naming, unplaced

GREY = ("L", "LA", "I", "I;16", "I;16B", "F", "RGB", "RGBA")


def read(path: Path, kind: str, max_bytes: int) -> dict[str, Image]:
    """The grey values of a picture; colours that are equal are grey."""
    pillow = library("PIL.Image", kind)
    turn = library("PIL.ImageOps", kind).exif_transpose
    with (
        naming(path, kind, SyntaxError, pillow.DecompressionBombError),
        pillow.open(path, formats=[kind]) as opened,
    ):
        check_size(path, kind, opened.width * opened.height * len(opened.getbands()), max_bytes)
        opened.load()
        shown = turn(opened)  # as a camera or a scanner said that it is to be turned
        if shown.mode in ("P", "PA", "1"):
            shown = shown.convert("L" if shown.mode == "1" else "RGBA")
        mode, values = shown.mode, np.array(shown)
    if values.ndim == 3:
        colours = values[..., : 1 if values.shape[-1] == 2 else 3]
        if mode not in GREY or (colours != colours[..., :1]).any():
            raise ValueError(f"{path} must hold grey values, it has colours")
        values = np.ascontiguousarray(colours[..., 0])
    return {"": unplaced(values, path)}
