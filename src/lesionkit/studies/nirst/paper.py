"""What the paper tells beside its table of errors: its Table 1, its Table S2, and its reductions.

Feng et al., Optica 9(3), 264-267 (2022). Its Table S2 is in a supplement that is not public; the
article says of it that values were within 2 per cent, and how much lower Z-Net's MSE was.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lesionkit import metrics
from lesionkit.report import TITLES
from lesionkit.studies.nirst.methods import Case, Maps

if TYPE_CHECKING:
    from lesionkit.nets.reconstruction import TrainedNet

CHROMOPHORES = ("HbO", "Hb", "water")
TABLE1 = {"ynet": ("6.09", "7.2"), "znet": ("3.48", "3.9")}
"""Millions of parameters, and hours of training on two GeForce RTX 2080."""

SHARES = {"dri": "0.074, 0.143, 0.003", "ynet": "0.008, 0.083, 0.002"}
"""Z-Net's MSE of three inclusions by theirs, HbO, Hb, water: 92.6, 85.7, 99.7 % and 99.2, 91.7,
99.8 % below them, says the article."""


def size_of(net: TrainedNet, run: str | os.PathLike[str]) -> dict[str, Any]:
    """Parameters of a net, and what its training took.

    Parameters
    ----------
    net : TrainedNet
        The net.
    run : str or path
        Folder of its run, or a checkpoint in it.

    Returns
    -------
    dict
        "parameters", "training seconds" and "device"; None where run.json is not there.

    Raises
    ------
    ValueError
        Where run.json is damaged.

    Examples
    --------
    >>> from lesionkit import nets
    >>> from lesionkit.studies.nirst.paper import size_of
    >>> size_of(nets.load("runs/znet"), "runs/znet")  # doctest: +SKIP
    """
    from lesionkit.nets import records
    from lesionkit.nets.layers import parameter_count

    folder = Path(run) if Path(run).is_dir() else Path(run).parent
    seconds = device = None
    if (folder / records.RUN).exists():
        record = records.read(folder)
        seconds = sum(row["seconds"] for row in record["history"])
        device = record["environment"]["device"]
    return {
        "parameters": parameter_count(net.net),
        "training seconds": seconds,
        "device": device,
    }


def table1(sizes: Mapping[str, Mapping[str, Any]]) -> str:
    """The paper's Table 1 beside ours, as markdown.

    Parameters
    ----------
    sizes : mapping of str to mapping
        Of :func:`size_of`, by net.

    Returns
    -------
    str
        Markdown.

    Examples
    --------
    >>> from lesionkit.studies.nirst.paper import table1
    >>> sizes = {"parameters": 3_512_699, "training seconds": 3600, "device": "cpu"}
    >>> print(table1({"znet": sizes}).splitlines()[4])
    | parameters, millions | 3.51 |
    """
    lines = ["## Nets, after the paper's Table 1\n"]
    lines.append("| | " + " | ".join(TITLES.get(name, name) for name in sizes) + " |")
    lines.append("|---|" + "---|" * len(sizes))

    def row(title: str, cells: Sequence[str]) -> None:
        lines.append(f"| {title} | " + " | ".join(cells) + " |")

    row("parameters, millions", [f"{one['parameters'] / 1e6:.2f}" for one in sizes.values()])
    row("*the paper*", [TABLE1.get(name, ("", ""))[0] for name in sizes])
    spent = [one["training seconds"] for one in sizes.values()]
    row("training, hours", ["not known" if s is None else f"{s / 3600:.2g}" for s in spent])
    row("on", [str(one["device"] or "") for one in sizes.values()])
    row("*the paper: on 2 RTX 2080*", [TABLE1.get(name, ("", ""))[1] for name in sizes])
    return "\n".join(lines) + "\n"


def values_of(
    case: Case, recovered: Mapping[str, Maps], phantom: int = 0
) -> dict[str, dict[str, list[float]]]:
    """True and recovered values of one phantom's inclusions, as in the paper's Table S2.

    Parameters
    ----------
    case : Case
        The phantoms.
    recovered : mapping of str to (n, 3, pixels, pixels) array
        By method.
    phantom : int, default 0
        Its number in the case.

    Returns
    -------
    dict
        By "HbO", "Hb" and "water", then "truth" and methods: the mean over each inclusion.

    Raises
    ------
    TypeError, ValueError
        Where shapes do not fit.

    Examples
    --------
    >>> from lesionkit.optics import PhantomRecipe, generate
    >>> from lesionkit.studies.nirst.methods import Case
    >>> from lesionkit.studies.nirst.paper import values_of
    >>> recipe = PhantomRecipe(pixels=24, optodes=8, wavelengths=(785,))
    >>> case = Case.of("some", generate(recipe, 1, accuracy="fast"), 0, 1)
    >>> found = values_of(case, {"dri": 2 * case.truth})["HbO"]
    >>> round(found["dri"][0] / found["truth"][0], 6)
    2.0
    """
    recipe, truth = case.recipe, case.truth[phantom]
    place = (case.discs(phantom), recipe.radius, recipe.inside)
    values = {"truth": metrics.inclusion_errors(truth, truth, *place).true_value}
    for name, maps in recovered.items():
        values[name] = metrics.inclusion_errors(maps[phantom], truth, *place).value
    return {
        chromophore: {name: value[i].tolist() for name, value in values.items()}
        for i, chromophore in enumerate(CHROMOPHORES)
    }


def three(figures: Mapping[str, Any]) -> str:
    """What the paper tells of three inclusions, as markdown.

    Values of the first phantom, which is pictured, and Z-Net's mean MSE by the others'.

    Parameters
    ----------
    figures : mapping
        Of a set, with "values" of :func:`values_of`.

    Returns
    -------
    str
        Markdown.

    Examples
    --------
    >>> from lesionkit.studies.nirst.paper import three
    >>> values = {name: {"truth": [20.0], "dri": [18.0]} for name in ("HbO", "Hb", "water")}
    >>> print(three({"values": values, "methods": {}}).splitlines()[4])
    | HbO, µM | truth | 20 |
    """
    values: Mapping[str, Mapping[str, Sequence[float]]] = figures["values"]
    count = len(values["HbO"]["truth"])
    lines = ["## Inclusions of the first phantom of three, after the paper's Table S2\n"]
    lines.append("| | | " + " | ".join(str(i + 1) for i in range(count)) + " |")
    lines.append("|---|---|" + "---|" * count)
    for chromophore, rows in values.items():
        unit = "%" if chromophore == "water" else "µM"
        for name, found in rows.items():
            cells = " | ".join(f"{x:.3g}" for x in found)
            lines.append(f"| {chromophore}, {unit} | {TITLES.get(name, name)} | {cells} |")
    methods = figures["methods"]
    if "znet" in methods:
        lines.append("")
        own = methods["znet"]["mse"]
        for name, said in SHARES.items():
            if name in methods:
                other = methods[name]["mse"]
                cells = ", ".join(f"{own[c]['mean'] / other[c]['mean']:.3g}" for c in CHROMOPHORES)
                lines.append(
                    f"Z-Net's MSE of all is {cells} times that of {TITLES[name]} in HbO, Hb and "
                    f"water (the paper, of one phantom: {said})."
                )
    return "\n".join(lines) + "\n"


def each(case: Case, maps: Maps) -> dict[str, list[list[float | None]]]:
    """MSE and PSNR of each phantom, as the paper's Fig. 2 shows them.

    Parameters
    ----------
    case : Case
        The phantoms.
    maps : (n, 3, pixels, pixels) array
        Recovered ones.

    Returns
    -------
    dict
        "mse" and "psnr": a list for each of HbO, Hb and water; None where a map is perfect.

    Raises
    ------
    TypeError, ValueError
        Where shapes do not fit.

    Examples
    --------
    >>> from lesionkit.optics import PhantomRecipe, generate
    >>> from lesionkit.studies.nirst.methods import Case
    >>> from lesionkit.studies.nirst.paper import each
    >>> recipe = PhantomRecipe(pixels=24, optodes=8, wavelengths=(785,))
    >>> case = Case.of("some", generate(recipe, 2, accuracy="fast"), 0, 2)
    >>> each(case, case.truth)["psnr"][0]
    [None, None]
    """
    figures: dict[str, npt.NDArray[np.float64]] = {
        name: getattr(metrics, name)(maps, case.truth, case.recipe.inside)
        for name in ("mse", "psnr")
    }
    return {
        name: [[float(x) if np.isfinite(x) else None for x in column] for column in values.T]
        for name, values in figures.items()
    }
