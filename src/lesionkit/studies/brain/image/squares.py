"""The squares of a brain, and what a saved model says of each."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit.studies.brain import regions
from lesionkit.studies.brain.model import TITLES, Model, levels_of

Mask = npt.NDArray[np.bool_]
ABNORMAL = 0.5  # probability from which a square, a piece or an image is called so
NAMES = {
    "flair": r"_flair$",
    "t1c": r"_(t1c|t1ce|t1gd)$|_ce-[a-z0-9]+(_.*)?_t1w$",
    "T1": r"_(t1|t1w|t1n)$",
    "T2": r"_(t2|t2w|t2s|t2star)$",
    "diffusion": r"_(dwi|adc|trace|b1000)$",
    "proton density": r"_(pd|pdw)$",
}
"""How the names of files of a modality end; the first two have models."""


class Told(NamedTuple):
    """What a model says of an image.

    corners : (n, 3) plane, row and column of each square's top left corner; plane 0 of a slice
    chances : (n,) how likely each is abnormal
    chart : of the image's shape, each square filled with its probability; else NaN
    """

    corners: npt.NDArray[np.int64]
    chances: npt.NDArray[np.float64]
    chart: npt.NDArray[np.float32]

    def rows(self) -> list[list[float]]:
        """Plane, row, column and probability of each square."""
        return [
            [*map(int, corner), round(float(chance), 4)]
            for corner, chance in zip(self.corners, self.chances, strict=True)
        ]

    def answer(self, mask: Mask) -> dict[str, str]:
        """Cells of scores.tsv: normal or abnormal, by what was found, else by the whole brain."""
        found = self.of(mask)
        chance = float(self.chances.mean()) if found is None else found
        return {
            "squares": str(len(self.chances)),
            "abnormal_squares": str(int((self.chances >= ABNORMAL).sum())),
            "judged": "whole brain" if found is None else "what was found",
            "probability": f"{chance:.3f}",
            "class": called(chance),
        }

    def of(self, mask: Mask) -> float | None:
        """The mean probability in a mask; None where no square lies in it."""
        inside = self.chart[mask]
        known = inside[~np.isnan(inside)]
        return float(known.mean(dtype=np.float64)) if known.size else None


def called(chance: float) -> str:
    """The class of a probability."""
    return "abnormal" if chance >= ABNORMAL else "normal"


def about(model: Model) -> str:
    """What there is to know of a probability."""
    return (
        f"The model learnt from {model.n_rois} squares of {model.n_patients} patients, "
        f"{TITLES[model.modality]}: abnormal and normal ones in equal numbers, of "
        f"{regions.SIZE} x {regions.SIZE} pixels, whatever their size in mm."
    )


def check_modality(path: Path, stem: str, model: Model) -> None:
    """ValueError where the image's name tells another modality than the model's, or none."""
    title = TITLES[model.modality]
    for name, ending in NAMES.items():
        if re.search(ending, stem.lower()):
            if name == model.modality:
                return
            other = TITLES.get(name, name)
            raise ValueError(f"{path} is {other} by its name, and the model is of {title}")
    raise ValueError(
        f"{path} must tell its modality by its name, as NAME_{model.modality} does, for the model, "
        f"which is of {title}"
    )


def judge(values: npt.NDArray[Any], brain: Mask, model: Model, path: Path) -> Told:
    """What the model says of the squares that lie wholly in the brain, side by side from the first
    row and column on; ValueError where there is none."""
    size = regions.SIZE
    levels = levels_of(values, brain)
    planes, inside = (part if part.ndim == 3 else part[None] for part in (levels, brain))
    rows, columns = (side // size for side in inside.shape[1:])
    cut = (len(inside), rows, size, columns, size)
    whole = inside[:, : rows * size, : columns * size].reshape(cut).all((2, 4))
    corners = np.argwhere(whole) * (1, size, size)
    if not len(corners):
        raise ValueError(
            f"{path} has no square of {size} x {size} pixels wholly in the brain: there is nothing "
            "that the model could judge"
        )
    tiles = planes[:, : rows * size, : columns * size].reshape(cut).transpose(0, 1, 3, 2, 4)
    chances = model.probability(tiles[whole])
    chart = np.full(inside.shape, np.nan, np.float32)
    for (plane, row, column), chance in zip(corners, chances, strict=True):
        chart[plane, row : row + size, column : column + size] = chance
    return Told(corners, chances, chart.reshape(values.shape))
