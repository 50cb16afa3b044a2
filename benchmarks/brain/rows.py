"""The brain study: MaZda's table and the preprocessing beside their twin; CPU time of its parts.

python -m benchmarks brain          features of 408 squares and prepare() of a slice, one thread
python -m benchmarks brain-study    lesionkit brain-study, part by part; needs LESIONKIT_DATA
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
import time
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from benchmarks.report import Report
from benchmarks.timing import Contender, limits, ratio, rounds

SQUARES = 408  # six patients, 34 of each kind
CLOSE = {"rtol": 1e-9, "atol": 1e-12}
ALIKE = 0.999  # of the pixels' levels; the rest is one off, where rounding decides


def squares(count: int, seed: int = 0) -> Any:
    """(count, 10, 10) uint8, of several roughnesses and contrasts."""
    random = np.random.default_rng(seed)
    noise = random.normal(size=(count, 10, 10))
    soft = ndimage.gaussian_filter(noise, (0, 0.7, 0.7))
    values = random.uniform(60, 180, (count, 1, 1)) + random.uniform(5, 40, (count, 1, 1)) * soft
    return np.clip(values, 0, 255).astype(np.uint8)


def head(seed: int = 0) -> tuple[Any, Any]:
    """A made-up slice, 256 x 256, 8 bits, its skull away: the image and the brain."""
    random = np.random.default_rng(seed)
    y, x = np.indices((256, 256)) - 127.5
    brain = (y / 105) ** 2 + (x / 82) ** 2 < 1
    tissue = 110 + 30 * np.sin(x / 9) * np.cos(y / 11) + random.normal(0, 8, brain.shape)
    return np.where(brain, np.clip(tissue, 1, 255), 0).astype(np.uint8), brain


def against_twin(report: Report) -> None:
    """CPU time of both on one thread, pair by pair, answers compared."""
    needed = ("skimage", "sklearn")
    if absent := [name for name in needed if importlib.util.find_spec(name) is None]:
        report.say(f"left out, not installed: {', '.join(absent)}")
        return
    from benchmarks.brain import twin
    from lesionkit.studies.brain.features import mazda
    from lesionkit.studies.brain.prepare import prepare

    rois = squares(40 if report.quick else SQUARES)
    image, brain = head()
    mine, theirs = mazda(rois)[0], twin.table(rois)
    np.testing.assert_allclose(mine, theirs, **CLOSE)
    levels, others = prepare(image, brain=brain).levels, twin.prepare(image, brain)
    off = np.abs(levels.astype(int) - others)
    assert off.max() <= 1, "levels of the twin's preparation are more than one off"
    assert (off == 0).mean() > ALIKE, "levels of the twin's preparation differ"
    contenders = {
        "features": Contender(partial(mazda, rois), threads=1),
        "features, twin": Contender(partial(twin.table, rois)),
        "prepare": Contender(partial(_often, partial(prepare, image, brain=brain)), 20, threads=1),
        "prepare, twin": Contender(partial(_often, partial(twin.prepare, image, brain)), 20),
    }
    times = rounds(contenders, report.pairs, clock=time.process_time)
    rows = []
    for name, work in (
        ("features", f"229 features of {len(rois)} squares of 10 x 10"),
        ("prepare", "prepare() of 256 x 256 pixels, the brain given"),
    ):
        ours, peer = times[name], times[f"{name}, twin"]
        spent = (f"{1e3 * np.median(seconds):.3g}" for seconds in (ours, peer))
        rows.append([work, *spent, str(ratio(peer, ours))])
    report.table(
        "The brain study beside scikit-image and NumPy, CPU time on one thread, equal answers",
        ["work", "ours, ms", "twin, ms", "twin / ours"],
        rows,
        f"Features agree to {np.abs(mine / theirs - 1)[theirs != 0].max():.1g}, relative; "
        f"levels in {100 * (off == 0).mean():.2f} % of the pixels, the others are one off.",
    )


def _often(run: Any) -> None:
    for _ in range(20):
        run()


def study(report: Report) -> None:
    """All of lesionkit brain-study without nets, each kind of its units by CPU seconds."""
    if "LESIONKIT_DATA" not in os.environ:
        report.say("left out: LESIONKIT_DATA, the folder of the data, is not set")
        return
    from lesionkit.studies.brain.study import command

    spent: dict[str, float] = defaultdict(float)
    usual = command._done

    def told(work: Any, ledger: Any) -> Any:
        return usual([unit._replace(make=partial(timed, unit)) for unit in work], ledger)

    def timed(unit: Any) -> Any:
        start = time.process_time()
        try:
            return unit.make()
        finally:
            kind = " ".join(part for part in unit.name.split("-")[:2] if not part.isdigit())
            spent[kind.split(" brats")[0]] += time.process_time() - start

    command._done = told  # type: ignore[assignment]
    start, wall = time.process_time(), time.perf_counter()
    options = command.Options(seeds=1 if report.quick else command.SEEDS)
    try:
        with tempfile.TemporaryDirectory() as place, limits(1):  # in one process
            command.main(None, Path(place) / "study", options)
    finally:
        command._done = usual
    whole, wall = time.process_time() - start, time.perf_counter() - wall
    rows = [[kind, f"{seconds:.1f}"] for kind, seconds in spent.items()]
    rows.append(["images, files, pictures", f"{whole - sum(spent.values()):.1f}"])
    report.table(
        "lesionkit brain-study without nets, seeds 0 to 4",
        ["part", "CPU, s"],
        [*rows, ["all", f"{whole:.1f}"]],
        f"{wall:.1f} s by the wall clock, which says nothing on a busy machine.",
    )
