"""Codebook, U-Net (SGD) and enhanced U-Net (RMSprop) on one truth: planted spots, women unseen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import files
from lesionkit.progress import Progress
from lesionkit.report import new_figure
from lesionkit.studies.common.discrimination import auc
from lesionkit.studies.thermogram import asymmetry, clusters
from lesionkit.studies.thermogram.learning import unet
from lesionkit.studies.thermogram.learning.plant import plant
from lesionkit.studies.thermogram.measure import Woman
from lesionkit.studies.thermogram.regions import scaled

SIZE = 128
WINDOW = 64  # pixels of SIZE: what a net is shown of a woman at a time
EACH = 60  # lessons of each woman
PER_WOMAN = 4  # planted pictures of each woman tested, beside one without a spot
PLAIN = 0.2  # of the lessons: without a spot
SHIFT = 1.5  # C, up or down: how warm she is shall not count
PEAK, FWHM = 2.0, 50.0  # C and pixels, of the spots that are tested
TOP = 0.02  # of the breasts' pixels: their mean probability is the picture's score
SHOWN = 5


def lessons(
    women: Sequence[Woman], each: int, seed: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """What the nets learn from: windows, (n, 64, 64, 3), and their masks; `each` of every woman.

    Of a woman with a spot of any peak and width, or one time in five without, all temperatures
    shifted by up to 1.5 C, a window about a pixel of a breast is cut out, and mirrored half the
    time. Lesson i depends on seed and i alone. A spot may lie beside the window: most of a breast
    holds none.
    """
    images, masks = [], []
    for item in range(each * len(women)):
        woman = women[item % len(women)]
        key = np.array([seed, 2**63 + item], np.uint64)
        random = np.random.Generator(np.random.Philox(key=key))
        celsius, mask = woman.celsius, np.zeros_like(woman.body)
        if random.random() >= PLAIN:
            spot = plant(celsius, woman.body, item, seed, breasts=woman.breasts)
            celsius, mask = spot.celsius, spot.mask
        image = clusters.picture_of(celsius + np.float32(random.uniform(-SHIFT, SHIFT)), size=SIZE)
        centre = random.choice(np.argwhere(scaled(woman.breasts[0] | woman.breasts[1], SIZE)))
        top, left = np.clip(centre - WINDOW // 2, 0, SIZE - WINDOW)
        turn = 1 if random.random() < 0.5 else -1
        window = np.s_[top : top + WINDOW, left : left + WINDOW]
        images.append(image[window][:, ::turn])
        masks.append(scaled(mask, SIZE)[window][:, ::turn])
    return np.stack(images), np.stack(masks)


class Scenes(NamedTuple):
    """Pictures with and without spots."""

    images: npt.NDArray[np.uint8]  # (n, 128, 128, 3)
    masks: npt.NDArray[np.bool_]  # (n, 128, 128), empty where nothing is planted
    breasts: npt.NDArray[np.bool_]  # (n, 128, 128), both
    women: npt.NDArray[np.int64]  # (n,) which of the women
    floor: npt.NDArray[np.float64]  # (n,) the largest difference of left and right, C


def scenes(women: Sequence[Woman], seed: int, first: int, peak: float, fwhm: float) -> Scenes:
    """Each woman once as she is, and PER_WOMAN times with a spot: items first, first + 1, ..."""
    images, masks, breasts, whose, floor = [], [], [], [], []
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
            breasts.append(scaled(woman.breasts[0] | woman.breasts[1], SIZE))
            whose.append(number)
            sides = asymmetry.sides(celsius, woman.body, woman.axis)
            floor.append(np.abs(sides.left - sides.right)[sides.both].max())
    return Scenes(
        np.stack(images), np.stack(masks), np.stack(breasts), np.array(whose), np.array(floor)
    )


def halves(women: Sequence[Woman], seed: int) -> tuple[list[Woman], list[Woman]]:
    """Healthy women from the front with both breasts in the frame: to learn from, and to test."""
    healthy = [
        w for w in women if not w.sick and w.axis.frontal and all(b.any() for b in w.breasts)
    ]
    order = np.random.default_rng(seed).permutation(len(healthy))
    half = len(healthy) // 2
    return [healthy[i] for i in order[:half]], [healthy[i] for i in order[half:]]


def compare(
    women: Sequence[Woman], out: Path, width: int, epochs: int, seed: int
) -> tuple[list[dict[str, str]], list[Path]]:
    """Learn on half of the healthy women, test on the others; rows of a table, and pictures.

    A picture's score: for a net the mean of its surest fiftieth of the breasts, for the codebook
    the red cluster's fraction of them, for plain asymmetry the largest difference. Dice: of what is
    found in the breasts, over planted pictures.
    """
    known, unseen = halves(women, seed)
    images, masks = lessons(known, EACH, seed)
    tested = scenes(unseen, seed, 10**6, PEAK, FWHM)
    found: dict[str, tuple[Any, Any]] = {"left against right": (tested.floor, None)}
    red = np.stack([clusters.segment(image).red for image in tested.images]) & tested.breasts
    found["codebook"] = red.sum((1, 2)) / tested.breasts.sum((1, 2)), red
    curves = {}
    for method in unet.METHODS:
        net, curves[method] = learnt(method, images, masks, out / method, width, epochs, seed)
        sure = unet.probabilities(net, tested.images)
        found[method] = surest(sure, tested.breasts), (sure > 0.5) & tested.breasts
    rows = [
        {
            "method": method,
            **scored(tested, scores, marked, seed),
            "women": f"{len(known)} learnt, {len(unseen)} tested",
            "pictures": f"{tested.masks.any((1, 2)).sum()} planted, {len(unseen)} not",
        }
        for method, (scores, marked) in found.items()
    ]
    return rows, [_curves(curves, out / "curves.png"), _examples(tested, found, out / "spots.png")]


def learnt(
    method: str, images: Any, masks: Any, folder: Path, width: int, epochs: int, seed: int
) -> tuple[unet.UNet, list[float]]:
    """A net of unet.METHODS that has learnt the masks, and the loss of each epoch. Lesions are
    rare: their pixels weigh more by the root of how much rarer they are."""
    options = unet.Options(
        optimiser=unet.METHODS[method], epochs=epochs, width=width, seed=seed,
        weight=float((~masks).sum() / masks.sum()) ** 0.5,
    )  # fmt: skip
    with Progress("epochs") as tell:

        def progress(done: int, total: int, what: str) -> None:
            run = f"{folder.parent.name}/{folder.name}"
            tell(done, total, f"{run}: epoch {done} of {total}, {what}")

        return unet.train(images, masks, folder, options, progress=progress)


def surest(
    sure: npt.NDArray[np.float32], breasts: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """(n,) the mean of the surest fiftieth of each picture's breasts."""
    scores = []
    for values, inside in zip(sure, breasts, strict=True):
        ranked = np.sort(values[inside].astype(float))
        scores.append(ranked[-max(1, round(TOP * ranked.size)) :].mean())
    return np.array(scores)


def scored(tested: Scenes, scores: Any, marked: Any, seed: int) -> dict[str, str]:
    """A row of the table: AUC with its interval over women, Dice, and how many spots are touched.
    marked : masks, or None where a method has none"""
    planted = tested.masks.any((1, 2))
    row = {"image AUC": str(auc(planted, scores, seed=seed, groups=tested.women))}
    if marked is None:
        return {**row, "Dice": "–", "touched": "–"}
    both = (marked & tested.masks).sum((1, 2))[planted]
    sizes = (marked.sum((1, 2)) + tested.masks.sum((1, 2)))[planted]
    return {
        **row,
        "Dice": f"{(2 * both / sizes).mean():.3f}",
        "touched": f"{100 * (both > 0).mean():.0f} %",
    }


def _curves(curves: dict[str, list[float]], path: Path) -> Path:

    figure = new_figure(figsize=(5.5, 3.4), layout="constrained")
    ax = figure.subplots()
    for method, losses in curves.items():
        ax.plot(np.arange(1, len(losses) + 1), losses, label=f"{method}, {unet.METHODS[method]}")
    ax.set(xlabel="epoch", ylabel="loss on women learnt from", yscale="log")
    ax.legend()
    with files.whole(path) as partial:
        figure.savefig(partial, format="png", dpi=100)
    return path


def _examples(tested: Scenes, found: dict[str, tuple[Any, Any]], path: Path) -> Path:

    planted = np.flatnonzero(tested.masks.any((1, 2)))
    chosen = planted[np.linspace(0, len(planted) - 1, SHOWN).astype(int)]
    masks = {method: mask for method, (_, mask) in found.items() if mask is not None}
    figure = new_figure(figsize=(2 * SHOWN, 2.1 * len(masks)), layout="constrained")
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
