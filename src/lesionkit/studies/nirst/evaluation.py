"""`evaluate`: Tikhonov, DRI, Y-Net and Z-Net on the same unseen phantoms, beside the paper."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import lesionkit
from lesionkit import arrays, files, metrics
from lesionkit.optics.phantoms.store.phantoms import Phantoms, open_phantoms
from lesionkit.progress import Callback
from lesionkit.report import FORMATS, TITLES
from lesionkit.studies.nirst import paper
from lesionkit.studies.nirst.figures import comparison, distributions
from lesionkit.studies.nirst.methods import (
    CLASSICAL,
    THREE,
    Case,
    Maps,
    classical,
    learned,
    three_inclusions,
)

if TYPE_CHECKING:
    from lesionkit.nets.reconstruction import TrainedNet

CHROMOPHORES = paper.CHROMOPHORES

PAPER = {  # Feng et al. (2022), page 265: MSE of water; PSNR, dB; SSIM
    "dri": {"mse": "3.6 ± 2.1", "psnr": "22.1 ± 1.7", "ssim": "0.49"},
    "ynet": {"mse": "0.19 ± 0.09", "psnr": "37.4 ± 5.7", "ssim": "0.78"},
    "znet": {"mse": "0.05 ± 0.04", "psnr": "43.3 ± 3.8", "ssim": "0.99"},
}

UNSEEN = "unseen phantoms"

Result = dict[str, Any]
Run = str | os.PathLike[str]


def evaluate(
    data: str | os.PathLike[str],
    runs: Sequence[Run],
    out: str | os.PathLike[str],
    *,
    methods: Sequence[str] = CLASSICAL,
    limit: int | None = None,
    device: str = "cpu",
    progress: Callback | None = None,
    pictures: str = "png",
) -> Result:
    """Reconstruct phantoms that no net has seen by each method, and say how far each is off.

    The sets are the unseen phantoms; as many with three inclusions, which are drawn; and the unseen
    phantoms from every second optode. All errors are over the pixels of the disc, the rest being 0.

    Parameters
    ----------
    data : str or path
        A store. Of the seed that a net was trained on, only phantoms behind its training and
        validation ones are used, by index, whatever else differs: equal seeds draw equal phantoms.
        So of its own store these are the last tenth.
    runs : sequence of str or path
        Folders of trained nets, or checkpoints. Several of one net are told by their names.
    out : str or path
        Folder for evaluation.json, evaluation.md and a picture of each set.
    methods : sequence of {"tikhonov", "dri"}
        What is compared with the nets; both at first.
    limit : int, optional
        Phantoms of each set at most (None: all; of three inclusions 100).
    device : str, default "cpu"
        Of the nets, as for :func:`lesionkit.nets.load`.
    progress : callable, optional
        Called as progress(done, total, what) before each method of each set, and at the end.
    pictures : {"png", "pdf", "svg"}, default "png"
        Format of the pictures.

    Returns
    -------
    dict
        What evaluation.json holds.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, or no phantom is left that no net has seen.

    Examples
    --------
    >>> from lesionkit.studies.nirst import evaluation
    >>> found = evaluation.evaluate("phantoms.zarr", ["runs/znet"], "out")  # doctest: +SKIP
    """
    arrays.one_of(pictures, "pictures", FORMATS)
    limit = 2**40 if limit is None else arrays.integer(limit, "limit", at_least=1)
    unknown = [name for name in methods if name not in CLASSICAL]
    if unknown:
        raise ValueError(f"methods must be of {', '.join(CLASSICAL)}, got {unknown[0]!r}")
    if isinstance(runs, str | os.PathLike):
        raise TypeError(f"runs must be a list of folders, got {arrays.describe(runs)}")
    folder = files.new_folder(out)
    nets = _load(runs, device)
    if not (nets or methods):
        raise ValueError("there is nothing to compare: give runs or methods")
    phantoms = open_phantoms(data)
    if phantoms.recipe.solid:
        raise ValueError(f"data must be phantoms in two dimensions, got {phantoms!r}")
    for net, _ in nets.values():
        net.scaling.check(phantoms.recipe)
    cases = _cases(phantoms, [net for net, _ in nets.values()], limit)
    files.make_folder(folder)

    compared = {name: classical(name) for name in methods}
    compared |= {name: learned(net) for name, (net, _) in nets.items()}
    result: Result = {
        "lesionkit": lesionkit.__version__,
        "data": phantoms.job,
        "nets": {
            name: {**net.about, **paper.size_of(net, run)} for name, (net, run) in nets.items()
        },
        "sets": {},
    }
    done, steps = 0, len(cases) * len(compared)
    for case in cases:
        recovered, seconds = {}, {}
        for name, method in compared.items():
            if progress is not None:
                progress(done, steps, f"{case.title}: {TITLES.get(name, name)}")
            done += 1
            start = time.perf_counter()
            recovered[name] = method(case)
            seconds[name] = (time.perf_counter() - start) / len(case.signal)
        together: Result = {
            "phantoms": len(case.signal),
            "share of the square": float(case.recipe.inside.mean()),
            "methods": {
                name: {**judge(case, maps), "seconds per phantom": seconds[name]}
                for name, maps in recovered.items()
            },
            "each": {name: paper.each(case, maps) for name, maps in recovered.items()},
        }
        if case.title == THREE:
            together["values"] = paper.values_of(case, recovered)
        if case is cases[0]:
            distributions(together["each"], folder / f"distributions.{pictures}")
        result["sets"][case.title] = together
        comparison(case, recovered, folder / f"{case.title.replace(' ', '-')}.{pictures}")
    if progress is not None:
        progress(steps, steps, "tables")
    text = table(result)
    files.write(folder / "evaluation.md", text)
    files.write(folder / "evaluation.json", json.dumps(result, indent=1) + "\n")
    return result


def _load(runs: Sequence[Run], device: str) -> dict[str, tuple[TrainedNet, Run]]:
    """Trained nets and their runs, by the net's name, or by the run's where there are several of
    one net; in the order of `TITLES`."""
    loaded = []
    for run in runs:
        from lesionkit.nets.reconstruction import load

        loaded.append((load(run, device), run))
    loaded.sort(key=lambda pair: [*TITLES].index(pair[0].name))
    names = [net.name for net, _ in loaded]
    nets: dict[str, tuple[TrainedNet, Run]] = {}
    for net, run in loaded:
        path = Path(run)
        folder = path if path.is_dir() else path.parent
        alone = names.count(net.name) == 1
        name = net.name if alone else folder.name
        if name in TITLES and not alone:
            name = f"{net.name} {name}"
        if name in nets:
            raise ValueError(f"runs of one net must have different names, got {name} twice")
        nets[name] = net, run
    return nets


def _unseen(phantoms: Phantoms, nets: Sequence[TrainedNet]) -> int:
    """The first phantom of a store that no net was trained on or chosen by."""
    first, begin = 0, phantoms.attributes.get("first", 0)
    for net in nets:
        data = net.about["data"]
        if data["seed"] == phantoms.seed:
            first = max(first, data.get("first", 0) + net.about["split"]["test"][0] - begin)
    if first >= len(phantoms):
        raise ValueError(
            f"data must hold phantoms that no net has seen: nets were trained on {first} phantoms "
            f"of its seed, {phantoms.seed}, and it has {len(phantoms)}; take another seed"
        )
    return first


def _cases(phantoms: Phantoms, nets: Sequence[TrainedNet], limit: int) -> list[Case]:
    """The sets of phantoms, at most `limit` each."""
    first, stop = _unseen(phantoms, nets), len(phantoms)
    unseen = Case.of(UNSEEN, phantoms, first, min(stop, first + limit))
    count = min(100, limit, stop - first)
    cases = [unseen, three_inclusions(phantoms.recipe, unseen.accuracy, count, phantoms.seed + 1)]
    if phantoms.recipe.optodes % 2 == 0 and phantoms.recipe.optodes >= 4:
        half = phantoms.recipe.optodes // 2
        cases.append(replace(unseen, title=f"{half} of {2 * half} optodes", sparse=True))
    return cases


def judge(case: Case, maps: Maps) -> Result:
    """Mean and standard deviation over phantoms (inclusions) of each error, by chromophore.

    Parameters
    ----------
    case : Case
        The phantoms.
    maps : (n, 3, pixels, pixels) array
        Recovered ones.

    Returns
    -------
    dict
        Of "mse", "psnr", "ssim", "value error, %", "contrast error, %" and "displacement, mm", each
        by "HbO", "Hb" and "water": mean, sd, and how many are missing.

    Raises
    ------
    ValueError
        Where shapes do not fit.

    Examples
    --------
    >>> from lesionkit.optics import PhantomRecipe, generate
    >>> from lesionkit.studies.nirst.methods import Case
    >>> recipe = PhantomRecipe(pixels=24, optodes=8, wavelengths=(785,))
    >>> case = Case.of("some", generate(recipe, 2, accuracy="fast"), 0, 2)
    >>> from lesionkit.studies.nirst.evaluation import judge
    >>> round(judge(case, 1.1 * case.truth)["value error, %"]["HbO"]["mean"], 2)
    10.0
    """
    inside = case.recipe.inside
    figures = {
        name: getattr(metrics, name)(maps, case.truth, inside) for name in ("mse", "psnr", "ssim")
    }
    rows = []
    for number, (found, true) in enumerate(zip(maps, case.truth, strict=True)):
        place = (case.discs(number), case.recipe.radius, inside)
        rows.append(metrics.inclusion_errors(found, true, *place))
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
    """The figures as markdown: a table for each set, the best mean of each row in bold.

    Parameters
    ----------
    result : dict
        Of :func:`evaluate`.

    Returns
    -------
    str
        Markdown.

    Examples
    --------
    >>> from lesionkit.optics import PhantomRecipe, generate
    >>> from lesionkit.studies.nirst.methods import Case
    >>> recipe = PhantomRecipe(pixels=24, optodes=8, wavelengths=(785,))
    >>> case = Case.of("some", generate(recipe, 2, accuracy="fast"), 0, 2)
    >>> from lesionkit.studies.nirst.evaluation import judge, table
    >>> errors = {**judge(case, 1.1 * case.truth), "seconds per phantom": 0.5}
    >>> result = {"sets": {"some": {"phantoms": 2, "methods": {"dri": errors}}}}
    >>> print(table(result).splitlines()[2])
    | | | DRI |
    """
    parts = []
    for title, figures in result["sets"].items():
        methods = figures["methods"]
        names = [*next(iter(methods.values()))]
        lines = [f"## {title}: {figures['phantoms']}\n"]
        lines.append("| | | " + " | ".join(TITLES.get(name, name) for name in methods) + " |")
        lines.append("|---|---|" + "---|" * len(methods))
        for name in names[:-1]:
            for chromophore in CHROMOPHORES:
                row = [rows[name][chromophore] for rows in methods.values()]
                lines.append(
                    f"| {_title(name, chromophore)} | {chromophore} | {_cells(name, row)} |"
                )
            if title == UNSEEN and name in PAPER["znet"]:
                of = "water" if name == "mse" else "not said of which"
                cells = [PAPER.get(method, {}).get(name, "") for method in methods]
                told = _title(name, "water")
                lines.append(f"| *{told}, the paper* | *{of}* | " + " | ".join(cells) + " |")
            if title == UNSEEN and name in ("mse", "psnr"):
                lines += _over_the_square(name, methods, figures)
        spent = [1000 * rows[names[-1]] for rows in methods.values()]
        lines.append("| ms per phantom | all | " + " | ".join(_short(s, 3) for s in spent) + " |")
        parts.append("\n".join(lines) + "\n")
        if "values" in figures:
            parts.append(paper.three(figures))
    if result.get("nets"):
        parts.append(paper.table1(result["nets"]))
    return "\n".join(parts)


def _over_the_square(
    name: str, methods: Mapping[str, Any], figures: Mapping[str, Any]
) -> list[str]:
    """Rows of MSE or PSNR over the whole square, where what is not tissue is known to be 0."""
    share = figures.get("share of the square")
    if share is None:
        return []
    lines = []
    for chromophore in CHROMOPHORES:
        row = [dict(rows[name][chromophore]) for rows in methods.values()]
        for figure in row:
            if figure["mean"] is not None and name == "mse":
                figure["mean"], figure["sd"] = figure["mean"] * share, figure["sd"] * share
            elif figure["mean"] is not None:
                figure["mean"] -= 10 * np.log10(share)
        title = f"{_title(name, chromophore)}, over the square"
        lines.append(f"| {title} | {chromophore} | {_cells(name, row)} |")
    return lines


def _title(name: str, chromophore: str) -> str:
    """A figure's name with its unit."""
    square = "%²" if chromophore == "water" else "µM²"
    return {"mse": f"MSE, {square}", "psnr": "PSNR, dB", "ssim": "SSIM"}.get(name, name)


def _cells(name: str, row: Sequence[Mapping[str, Any]]) -> str:
    """A row of a table; of several methods the best is in bold."""
    means = [figure["mean"] for figure in row if figure["mean"] is not None]
    best = (max if name in ("psnr", "ssim") else min)(means, default=None)
    alone = len(row) == 1
    cells = [
        f"**{_cell(f)}**" if f["mean"] == best and not alone and means else _cell(f) for f in row
    ]
    return " | ".join(cells)


def _cell(figure: Mapping[str, Any]) -> str:
    if figure["mean"] is None:
        return "none"
    missing = f" ({figure['missing']} without)" if figure["missing"] else ""
    return f"{_short(figure['mean'], 3)} ± {_short(figure['sd'], 2)}{missing}"


def _short(number: float, digits: int) -> str:
    """So many digits that count, without the exponent that %g has from 1000 on."""
    return f"{float(f'{number:.{digits}g}'):.6g}"
