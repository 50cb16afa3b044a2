"""The U-Nets on truths that a program drew: the body, the breasts, and the red cluster.

What they are scored on here is how well they repeat `body.find`, `body.breasts` and the codebook on
women not seen. The red cluster is the paper's own truth: a net that repeats it finds what the
codebook calls red, in sick and healthy women alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit.studies.thermogram import clusters
from lesionkit.studies.thermogram.learning import unet
from lesionkit.studies.thermogram.learning.spots import SIZE, halves, learnt
from lesionkit.studies.thermogram.measure import Woman
from lesionkit.studies.thermogram.regions import scaled

Mask = npt.NDArray[np.bool_]
TRUTHS: Mapping[str, Callable[[Woman, Any], Mask]] = {
    "body": lambda woman, _: scaled(woman.body, SIZE),
    "breasts": lambda woman, _: scaled(woman.breasts[0] | woman.breasts[1], SIZE),
    "red cluster": lambda _, rgb: clusters.segment(rgb).red,
}


def compare(
    women: Sequence[Woman], out: Path, width: int, epochs: int, seed: int
) -> list[dict[str, str]]:
    """Learn each truth from half of the healthy women and their mirror images, test on the others:
    rows of a table, Dice with its middle 95 per cent over drawn women."""
    known, unseen = halves(women, seed)
    seen, asked = (
        np.stack([clusters.picture_of(woman.celsius, size=SIZE) for woman in half])
        for half in (known, unseen)
    )
    rows = []
    for name, truth_of in TRUTHS.items():
        truth = np.stack([truth_of(*one) for one in zip(known, seen, strict=True)])
        tested = np.stack([truth_of(*one) for one in zip(unseen, asked, strict=True)])
        lessons = (np.concatenate([part, part[:, :, ::-1]]) for part in (seen, truth))
        images, masks = lessons
        for method in unet.METHODS:
            folder = out / name.replace(" ", "_") / method
            net, _ = learnt(method, images, masks, folder, width, epochs, seed)
            dice = overlap(unet.probabilities(net, asked) > 0.5, tested)
            rows.append(
                {
                    "truth": name,
                    "method": method,
                    "Dice": report(dice, seed),
                    "women": f"{len(known)} learnt, {len(unseen)} tested",
                }
            )
    return rows


def overlap(found: Mask, truth: Mask) -> npt.NDArray[np.float64]:
    """(n,) Dice of each pair of masks; 1 where both are empty."""
    both = (found & truth).sum((1, 2))
    sizes = found.sum((1, 2)) + truth.sum((1, 2))
    return np.where(sizes > 0, 2 * both / np.maximum(sizes, 1), 1.0)


def report(values: npt.NDArray[np.float64], seed: int) -> str:
    """A mean with the middle 95 per cent of the means of 2000 draws."""
    random = np.random.default_rng(seed)
    means = random.choice(values, (2000, len(values))).mean(1)
    low, high = np.percentile(means, (2.5, 97.5))
    return f"{values.mean():.3f} ({low:.3f}-{high:.3f})"
