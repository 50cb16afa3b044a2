"""The thermogram study: the codebook method beside its twin; how fast a U-Net learns by heart.

python -m benchmarks thermogram          codebook, growing and edge flow beside the twin
python -m benchmarks thermogram-learn    8 planted pictures to a Dice of 0.9, at width 8
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from benchmarks.report import Report
from benchmarks.timing import Contender, ratio, rounds

TAU = 60.0


def image(seed: int) -> Any:
    """A made woman in colours, 128 x 128."""
    from lesionkit.studies.thermogram.clusters import picture_of

    random = np.random.default_rng(seed)
    y, x = np.mgrid[:128, :128]
    side = np.abs(x - 63.5)
    body = (side < 40 + 4 * np.sin(y / 15)) | ((y < 40) & (side < 60))
    breast = ((side - 20) / 19) ** 2 + ((y - 80) / 24) ** 2 < 1
    warm = 31.5 + np.where(breast, -1.2, 0) + 2.5 * np.exp(-(((y - 104 + side / 4) / 5) ** 2))
    blotches = ndimage.gaussian_filter(random.normal(size=(128, 128)), 5)
    warm += 0.6 * blotches / blotches.std()
    celsius = np.where(body, warm, 20.5) + random.normal(0, 0.05, (128, 128))
    return picture_of(celsius)


def against_twin(report: Report) -> None:
    """Three steps, from the picture to words, regions and boundaries."""
    if absent := [n for n in ("skimage", "sklearn") if importlib.util.find_spec(n) is None]:
        report.say(f"left out, not installed: {', '.join(absent)}")
        return
    from benchmarks.thermogram import twin
    from lesionkit.clustering import codebook
    from lesionkit.fronts import edge_flow, region_grow
    from lesionkit.studies.thermogram import clusters

    page = image(0)
    found = clusters.segment(page)
    inside = page.max(-1) >= clusters.DARK
    seeds = _seeds(found)
    ours = {
        "codebook": lambda: (
            codebook(page, 3, found.codebook, mask=inside, channel_axis=-1, through=(8,)).words
        ),
        "region growing": lambda: region_grow(
            page, seeds, TAU, connectivity=2, channel_axis=-1, mask=inside
        ),
        "edge flow": lambda: edge_flow(page, channel_axis=-1).strength,
    }
    theirs = {
        "codebook": partial(twin.words, page, inside),
        "region growing": partial(twin.grow, page, seeds, TAU, inside),
        "edge flow": partial(twin.edge_flow, page),
    }
    rows, contenders = [], {}
    for name in ours:
        mine, other = ours[name](), theirs[name]()
        if name == "region growing":
            np.testing.assert_array_equal(mine, other)
        else:
            # Where two directions are equally likely, rounding decides a pixel or two.
            close = np.isclose(mine, other, rtol=1e-6, atol=1e-6)
            assert close.mean() > (0.999 if name == "edge flow" else 1 - 1e-9), name
        contenders[f"ours {name}"] = Contender(ours[name], threads=report.threads)
        contenders[f"twin {name}"] = Contender(theirs[name])
    contenders["ours, all twelve steps"] = Contender(
        partial(clusters.segment, page), threads=report.threads
    )
    times = rounds(contenders, 3 if report.quick else report.pairs)
    sums = {who: np.sum([times[f"{who} {name}"] for name in ours], 0) for who in ("ours", "twin")}
    for name in ours:
        a, b = times[f"ours {name}"], times[f"twin {name}"]
        rows.append([name, *(f"{1e3 * np.median(t):.3g}" for t in (a, b)), str(ratio(b, a))])
    a, b = sums["ours"], sums["twin"]
    rows.append(["all three", *(f"{1e3 * np.median(t):.3g}" for t in (a, b)), str(ratio(b, a))])
    whole = times["ours, all twelve steps"]
    rows.append(["the twelve steps", f"{1e3 * np.median(whole):.3g}", "", ""])
    report.table(
        "The codebook method on 128 x 128, warm, equal answers",
        ["step", "ours, ms", "twin, ms", "twin / ours"],
        rows,
    )


def _seeds(found: Any) -> Any:
    """What step 9 grows from: its regions' pixels that were coded."""
    return np.where(found.coded > 0, found.grown, 0).astype(np.int32)


def learning(report: Report) -> None:
    """RMSprop without dropout on 8 planted pictures, all it sees, until their Dice is 0.9."""
    if "LESIONKIT_DATA" not in os.environ:
        report.say("left out: LESIONKIT_DATA, the folder of the data, is not set")
        return
    import torch

    from lesionkit.studies.thermogram import body, clusters, measure, read, regions
    from lesionkit.studies.thermogram.learning import plant, unet

    torch.set_num_threads(report.threads)
    folder = measure.data_folder()
    healthy = [row["id"] for row in measure.index(folder) if row["diagnosis"] == "Healthy"][:8]
    images, masks = [], []
    for item, name in enumerate(healthy):
        celsius = read.thermogram(folder / "celsius_x100_png16" / f"{name}.png").values
        spot = plant.plant(celsius, body.find(celsius), item)
        images.append(clusters.picture_of(spot.celsius))
        masks.append(regions.scaled(spot.mask, 128))
    figures, truth = np.stack(images), np.stack(masks)
    start, dice, epochs, net = time.perf_counter(), 0.0, 0, None
    with tempfile.TemporaryDirectory() as place:
        while dice < 0.9 and epochs < 400:
            epochs += 20
            options = unet.Options(
                epochs=epochs, batch=4, width=8, dropout=0.0, weight=5.0, rate=1e-3
            )
            net, _ = unet.train(figures, truth, Path(place) / "run", options)
            found = unet.probabilities(net, figures) > 0.5
            dice = 2 * (found & truth).sum() / max(found.sum() + truth.sum(), 1)
            report.say(
                f"{epochs} epochs, {time.perf_counter() - start:.0f} s: Dice {dice:.3f} of 8 "
                "pictures learnt by heart"
            )
