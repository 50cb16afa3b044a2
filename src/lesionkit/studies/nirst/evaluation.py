"""`evaluate`: Tikhonov, DRI, Y-Net and Z-Net on the same unseen phantoms, beside the paper."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import lesionkit
from lesionkit import arrays, files, metrics
from lesionkit.nets.reconstruction import TrainedNet, load
from lesionkit.optics.phantoms.store import Phantoms, open_phantoms
from lesionkit.studies.nirst import pictures
from lesionkit.studies.nirst.methods import (
    CLASSICAL,
    Case,
    Maps,
    classical,
    learned,
    three_inclusions,
)

CHROMOPHORES = ("HbO", "Hb", "water")

PAPER = {  # Feng et al. (2022), page 265: MSE of water; PSNR, dB; SSIM
    "dri": {"mse": "3.6 ± 2.1", "psnr": "22.1 ± 1.7", "ssim": "0.49"},
    "ynet": {"mse": "0.19 ± 0.09", "psnr": "37.4 ± 5.7", "ssim": "0.78"},
    "znet": {"mse": "0.05 ± 0.04", "psnr": "43.3 ± 3.8", "ssim": "0.99"},
}

Result = dict[str, Any]


def evaluate(
    data: str | os.PathLike[str],
    runs: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    methods: Sequence[str] = CLASSICAL,
    limit: int | None = None,
    device: str = "cpu",
    progress: Callable[[str, str], object] | None = None,
) -> Result:
    """Reconstruct phantoms that no net has seen by each method, and say how far each is off.

    data     : a store. Of the seed that a net was trained on, only phantoms behind its training and
               validation ones are used, by index, whatever else differs: equal seeds draw equal
               phantoms. So of its own store these are the last tenth
    runs     : folders of trained nets, or checkpoints
    out      : folder for evaluation.json, evaluation.md and a picture of each set
    methods  : of "tikhonov", "dri": what is compared beside the nets
    limit    : phantoms of each set at most (None: all; of three inclusions 100)
    device   : of the nets, as of `load`
    progress : called as progress(set, method) before each
    returns  : what evaluation.json holds
    The sets are the unseen phantoms; as many with three inclusions, which are drawn; and the unseen
    phantoms from every second optode. All errors are over the pixels of the disc, the rest being 0.
    """
    limit = 2**40 if limit is None else arrays.integer(limit, "limit", at_least=1)
    unknown = [name for name in methods if name not in CLASSICAL]
    if unknown:
        raise ValueError(f"methods must be of {', '.join(CLASSICAL)}, got {unknown[0]!r}")
    if isinstance(runs, str | os.PathLike):
        raise TypeError(f"runs must be a list of folders, got {arrays.describe(runs)}")
    folder = files.new_folder(out)
    nets = {}
    for run in runs:
        net = load(run, device)
        if net.name in nets:
            raise ValueError(f"runs must be of different nets, got two of {net.name}")
        nets[net.name] = net
    if not (nets or methods):
        raise ValueError("there is nothing to compare: give runs or methods")
    phantoms = open_phantoms(data)
    for net in nets.values():
        net.scaling.check(phantoms.recipe)
    cases = _cases(phantoms, nets, limit)
    files.make_folder(folder)

    compared = {name: classical(name) for name in methods}
    compared |= {name: learned(net) for name, net in sorted(nets.items())}
    result: Result = {
        "lesionkit": lesionkit.__version__,
        "data": phantoms.job,
        "nets": {name: net.about for name, net in nets.items()},
        "sets": {},
    }
    for case in cases:
        recovered, seconds = {}, {}
        for name, method in compared.items():
            if progress is not None:
                progress(case.title, name)
            start = time.perf_counter()
            recovered[name] = method(case)
            seconds[name] = (time.perf_counter() - start) / len(case.signal)
        result["sets"][case.title] = {
            "phantoms": len(case.signal),
            "methods": {
                name: {**judge(case, maps), "seconds per phantom": seconds[name]}
                for name, maps in recovered.items()
            },
        }
        picture = folder / f"{case.title.replace(' ', '-')}.png"
        pictures.comparison(case, recovered, picture)
    text = table(result)
    files.write(folder / "evaluation.md", text)
    files.write(folder / "evaluation.json", json.dumps(result, indent=1) + "\n")
    return result


def _unseen(phantoms: Phantoms, nets: Mapping[str, TrainedNet]) -> int:
    """The first phantom of a store that no net was trained on or chosen by."""
    first = 0
    for net in nets.values():
        if net.about["data"]["seed"] == phantoms.seed:
            first = max(first, net.about["split"]["test"][0])
    if first >= len(phantoms):
        raise ValueError(
            f"data must hold phantoms that no net has seen: nets were trained on {first} phantoms "
            f"of its seed, {phantoms.seed}, and it has {len(phantoms)}; take another seed"
        )
    return first


def _cases(phantoms: Phantoms, nets: Mapping[str, TrainedNet], limit: int) -> list[Case]:
    """The sets of phantoms, at most `limit` each."""
    first, stop = _unseen(phantoms, nets), len(phantoms)
    unseen = Case.of("unseen phantoms", phantoms, first, min(stop, first + limit))
    count = min(100, limit, stop - first)
    cases = [unseen, three_inclusions(phantoms.recipe, unseen.accuracy, count, phantoms.seed + 1)]
    if phantoms.recipe.optodes % 2 == 0 and phantoms.recipe.optodes >= 4:
        half = phantoms.recipe.optodes // 2
        cases.append(replace(unseen, title=f"{half} of {2 * half} optodes", sparse=True))
    return cases


def judge(case: Case, maps: Maps) -> Result:
    """Mean and standard deviation over phantoms (inclusions) of each error, by chromophore."""
    inside = case.recipe.inside
    figures = {
        name: getattr(metrics, name)(maps, case.truth, inside) for name in ("mse", "psnr", "ssim")
    }
    rows = []
    for number, (found, true) in enumerate(zip(maps, case.truth, strict=True)):
        rows.append(metrics.inclusion_errors(found, true, case.discs(number), case.recipe.radius))
    together = metrics.InclusionErrors(
        *(np.concatenate(part, -1) for part in zip(*rows, strict=True))
    )
    figures["value error, %"] = 100 * np.abs(together.value / together.true_value - 1).T
    figures["contrast error, %"] = 100 * np.abs(together.contrast / together.true_contrast - 1).T
    figures["displacement, mm"] = together.displacement.T
    return {
        name: {
            chromophore: _summary(column)
            for chromophore, column in zip(CHROMOPHORES, values.T, strict=True)
        }
        for name, values in figures.items()
    }


def _summary(values: Any) -> dict[str, float | int | None]:
    """Mean and standard deviation of what is finite, and of how many there are not: a perfect map
    has no PSNR, an inclusion that was not found no displacement."""
    finite = values[np.isfinite(values)]
    missing = len(values) - len(finite)
    if not len(finite):
        return {"mean": None, "sd": None, "missing": missing}
    return {"mean": float(finite.mean()), "sd": float(finite.std()), "missing": missing}


def table(result: Result) -> str:
    """The figures as markdown: a table for each set."""
    parts = []
    for title, figures in result["sets"].items():
        names = [*next(iter(figures["methods"].values()))]
        lines = [f"## {title}: {figures['phantoms']}\n"]
        lines.append("| | | " + " | ".join(figures["methods"]) + " |")
        lines.append("|---|---|" + "---|" * len(figures["methods"]))
        for name in names[:-1]:
            for chromophore in CHROMOPHORES:
                cells = [_cell(rows[name][chromophore]) for rows in figures["methods"].values()]
                lines.append(f"| {name} | {chromophore} | " + " | ".join(cells) + " |")
            if title == "unseen phantoms" and name in PAPER["znet"]:
                of = "water" if name == "mse" else "not said of which"
                cells = [PAPER.get(method, {}).get(name, "") for method in figures["methods"]]
                lines.append(f"| *{name}, the paper* | *{of}* | " + " | ".join(cells) + " |")
        spent = [1000 * rows[names[-1]] for rows in figures["methods"].values()]
        lines.append("| ms per phantom | all | " + " | ".join(_short(s, 3) for s in spent) + " |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _cell(figure: Mapping[str, Any]) -> str:
    if figure["mean"] is None:
        return "none"
    missing = f" ({figure['missing']} without)" if figure["missing"] else ""
    return f"{_short(figure['mean'], 3)} ± {_short(figure['sd'], 2)}{missing}"


def _short(number: float, digits: int) -> str:
    """So many digits that count, without the exponent that %g has from 1000 on."""
    return f"{float(f'{number:.{digits}g}'):.6g}"
