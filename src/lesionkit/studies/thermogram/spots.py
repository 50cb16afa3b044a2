"""Codebook, U-Net (SGD) and enhanced U-Net (RMSprop) on one truth: planted spots, women unseen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import files
from lesionkit.studies.common.discrimination import auc
from lesionkit.studies.thermogram import asymmetry, clusters, unet
from lesionkit.studies.thermogram.measure import Woman
from lesionkit.studies.thermogram.plant import plant
from lesionkit.studies.thermogram.regions import scaled

SIZE = 128
PER_WOMAN = 4  # planted pictures of each woman, beside one without a spot
PEAK, FWHM = 2.0, 50.0  # C and pixels, of the spots that are tested
TOP = 0.01  # of the pixels: their mean probability is the picture's score
SHOWN = 5


class Scenes(NamedTuple):
    """Pictures with and without spots."""

    images: npt.NDArray[np.uint8]  # (n, 128, 128, 3)
    masks: npt.NDArray[np.bool_]  # (n, 128, 128), empty where nothing is planted
    women: npt.NDArray[np.int64]  # (n,) which of the women
    floor: npt.NDArray[np.float64]  # (n,) the largest difference of left and right, C


def scenes(
    women: Sequence[Woman], seed: int, first: int, peak: float | None, fwhm: float | None
) -> Scenes:
    """Each woman once as she is, and PER_WOMAN times with a spot: items first, first + 1, ..."""
    images, masks, whose, floor = [], [], [], []
    item = first
    for number, woman in enumerate(women):
        for copy in range(1 + PER_WOMAN):
            celsius, mask = woman.celsius, np.zeros_like(woman.body)
            if copy:
                spot = plant(
                    celsius, woman.body, item, seed, breasts=woman.breasts, peak=peak, fwhm=fwhm
                )
                celsius, mask = spot.celsius, spot.mask
                item += 1
            images.append(clusters.picture_of(celsius, size=SIZE))
            masks.append(scaled(mask, SIZE))
            whose.append(number)
            sides = asymmetry.sides(celsius, woman.body, woman.axis)
            floor.append(np.abs(sides.left - sides.right)[sides.both].max())
    return Scenes(np.stack(images), np.stack(masks), np.array(whose), np.array(floor))


def compare(
    women: Sequence[Woman], out: Path, width: int, epochs: int, seed: int
) -> tuple[list[dict[str, str]], list[Path]]:
    """Learn on half of the healthy women, test on the others; rows of a table, and pictures.

    A picture's score: for a net the mean of its surest hundredth, for the codebook the red
    cluster's share, for plain asymmetry the largest difference. Dice: over planted pictures.
    """
    from tqdm import tqdm

    healthy = [
        w for w in women if not w.sick and w.axis.frontal and all(b.any() for b in w.breasts)
    ]
    order = np.random.default_rng(seed).permutation(len(healthy))
    half = len(healthy) // 2
    learnt = scenes([healthy[i] for i in order[:half]], seed, 0, None, None)
    tested = scenes([healthy[i] for i in order[half:]], seed, 10**6, PEAK, FWHM)
    weight = float((~learnt.masks).sum() / learnt.masks.sum()) ** 0.5
    found: dict[str, tuple[Any, Any]] = {"left against right": (tested.floor, None)}
    red = np.stack([clusters.segment(image).red for image in tested.images])
    found["codebook"] = red.mean((1, 2)), red
    curves = {}
    for method, optimiser in unet.METHODS.items():
        options = unet.Options(
            optimiser=optimiser, epochs=epochs, width=width, seed=seed, weight=weight
        )
        with tqdm(total=epochs, desc=method, unit=" epochs", disable=None) as bar:

            def progress(epoch: int, loss: float, bar: Any = bar) -> None:
                bar.update(epoch - bar.n)
                bar.set_postfix(loss=f"{loss:.4f}")

            net, curves[method] = unet.train(
                learnt.images, learnt.masks, out / method, options, progress=progress
            )
        sure = unet.probabilities(net, tested.images)
        top = np.sort(sure.reshape(len(sure), -1), 1)[:, -round(TOP * sure[0].size) :]
        found[method] = top.mean(1), sure > 0.5
    planted = tested.masks.any((1, 2))
    rows = []
    for method, (scores, masks) in found.items():
        dice = hit = "–"
        if masks is not None:
            both = (masks & tested.masks).sum((1, 2))[planted]
            sizes = (masks.sum((1, 2)) + tested.masks.sum((1, 2)))[planted]
            dice = f"{(2 * both / np.maximum(sizes, 1)).mean():.3f}"
            hit = f"{100 * (both > 0).mean():.0f} %"
        rows.append(
            {
                "method": method,
                "image AUC": str(auc(planted, scores, seed=seed)),
                "Dice": dice,
                "touched": hit,
                "women": f"{half} learnt, {len(healthy) - half} tested",
                "pictures": f"{planted.sum()} planted, {(~planted).sum()} not",
            }
        )
    return rows, [_curves(curves, out / "curves.png"), _examples(tested, found, out / "spots.png")]


def _curves(curves: dict[str, list[float]], path: Path) -> Path:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5, 3.4), layout="constrained")
    ax = figure.subplots()
    for method, losses in curves.items():
        ax.plot(np.arange(1, len(losses) + 1), losses, label=f"{method}, {unet.METHODS[method]}")
    ax.set(xlabel="epoch", ylabel="loss on women learnt from", yscale="log")
    ax.legend()
    with files.whole(path) as partial:
        figure.savefig(partial, format="png", dpi=100)
    return path


def _examples(tested: Scenes, found: dict[str, tuple[Any, Any]], path: Path) -> Path:
    from matplotlib.figure import Figure

    planted = np.flatnonzero(tested.masks.any((1, 2)))
    chosen = planted[np.linspace(0, len(planted) - 1, SHOWN).astype(int)]
    masks = {method: mask for method, (_, mask) in found.items() if mask is not None}
    figure = Figure(figsize=(2 * SHOWN, 2.1 * len(masks)), layout="constrained")
    axes = figure.subplots(len(masks), SHOWN, squeeze=False)
    for line, (method, mask) in zip(axes, masks.items(), strict=True):
        for ax, i in zip(line, chosen, strict=True):
            ax.imshow(tested.images[i])
            ax.contour(tested.masks[i], [0.5], colors="white", linewidths=1)
            if mask[i].any() and not mask[i].all():
                ax.contour(mask[i], [0.5], colors="black", linewidths=1)
            ax.set(xticks=[], yticks=[])
        line[0].set_ylabel(method)
    figure.suptitle("white: planted, black: found", fontsize=9)
    with files.whole(path) as partial:
        figure.savefig(partial, format="png", dpi=100)
    return path
