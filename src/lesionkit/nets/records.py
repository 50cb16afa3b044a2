"""What a run writes for people: run.json, the curves, the model card."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lesionkit
from lesionkit import files, report
from lesionkit.nets.framework import torch
from lesionkit.optics.phantoms.recipe import PhantomRecipe

RUN = "run.json"
FORMAT = 1
COMPARED = ("net", "data", "options", "split")
"""In what two runs must agree to be one."""
NEEDED = {*COMPARED, "environment", "state", "history", "best"}
LONGEST = 200  # letters of a value that are shown
SHOWN = 3  # differences between two runs that a sentence tells

Record = dict[str, Any]


def job(net: str, data: Record, options: Record, split: Record, device: Any) -> Record:
    """In what two runs must agree to be one: net, data, options; and where it is computed.

    As JSON has it, so that what is in memory, in a checkpoint and in run.json is the same.
    """
    made = {
        "format": FORMAT,
        "net": net,
        "data": data,
        "options": options,
        "split": split,
        "environment": {
            "lesionkit": lesionkit.__version__,
            "torch": torch.__version__.split("+")[0],
            "Python": platform.python_version(),
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
            "threads": torch.get_num_threads(),
        },
    }
    plain: Record = json.loads(json.dumps(made))
    return plain


def find(folder: Path, job: Record, data: str) -> Record:
    """The record of this run, as it was left or fresh; nothing is written yet.

    ValueError if `folder` holds another.
    """
    files.new_folder(folder)
    file = folder / RUN
    if not file.exists():
        if folder.exists() and set(os.listdir(folder)) - {files.LOCK}:
            raise ValueError(
                f"{folder} exists and holds no run of lesionkit: choose another folder"
            )
        return {**job, "data_path": data, "state": "running", "history": [], "best": None}
    record = read(folder)
    differ = [
        d for name in ("format", *COMPARED) for d in _differences(name, record.get(name), job[name])
    ]
    if differ:
        more = f", and {len(differ) - SHOWN} more" * (len(differ) > SHOWN)
        raise ValueError(
            f"{folder} holds another run ({'; '.join(differ[:SHOWN])}{more}): choose another folder"
        )
    return record


def _differences(name: str, theirs: Any, ours: Any) -> list[str]:
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        keys = {**theirs, **ours}
        return [d for key in keys for d in _differences(key, theirs.get(key), ours.get(key))]
    return [] if theirs == ours else [f"{name} is {_short(theirs)} there, {_short(ours)} asked"]


def _short(value: Any) -> str:
    """As Python writes it, but of a mesh's nodes the first few."""
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def read(folder: str | os.PathLike[str]) -> Record:
    """What run.json in `folder` says."""
    file = Path(folder) / RUN
    try:
        record: Record = files.read_json(file)
        if record["format"] != FORMAT or NEEDED - set(record):
            raise ValueError
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no run at {folder}") from None
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{file} is damaged, or is not a run of this version") from None
    return record


def write(folder: Path, record: Record) -> None:
    """run.json and, once there is an epoch, the curves and the card."""
    if record["history"]:
        curves(folder / "curves.png", record)
        files.write(folder / "card.md", card(record))
    files.write(folder / RUN, json.dumps(record, indent=1) + "\n")


def curves(path: Path, record: Record) -> None:
    """The loss of each epoch on training and validation phantoms, as a picture."""
    figure = report.new_figure(figsize=(6.5, 4), layout="constrained")
    from matplotlib.ticker import MaxNLocator

    axes = figure.subplots()
    epochs = [row["epoch"] for row in record["history"]]
    for name in ("training", "validation"):
        axes.semilogy(epochs, [row[name] for row in record["history"]], ".-", label=name)
    best = record["best"]
    axes.axvline(best["epoch"], color="0.6", lw=1, ls=":", label=f"best, epoch {best['epoch']}")
    axes.set(xlabel="epoch", ylabel="mean square error of scaled maps", title=record["net"])
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    report.save(figure, path)


def card(record: Record) -> str:
    """The model card: what the net is, what it learned from, how well, and what it is not for."""
    data, options, best = record["data"], record["options"], record["best"]
    first, last = record["history"][0], record["history"][-1]
    spent = sum(row["seconds"] for row in record["history"])
    environment = record["environment"]
    told = dict(data["recipe"])
    recipe_of = PhantomRecipe.from_dict(told)
    volume = " x ".join(map(str, recipe_of.image_shape))
    what = "ellipsoids" if recipe_of.solid else "round inclusions"
    shape = f"a {recipe_of.shape}"
    if "outline" in told:
        shape = "one outline"
        outline = told["outline"]
        told["outline"] = f"{len(outline['nodes'])} nodes, SHA-256 {outline['sha256']}"
    recipe = "\n".join(f"| {name} | {value} |" for name, value in told.items())
    chosen = "\n".join(f"| {name} | {value} |" for name, value in options.items())
    split = ", ".join(f"{name} {a} to {b - 1}" for name, (a, b) in record["split"].items())
    if "stream" in data:
        many = f"A stream of {data['stream']['per_epoch']:,} new phantoms an epoch"
    else:
        many = f"{data['count']:,} phantoms"
    return f"""# {record["net"]}: chromophores from near-infrared signals and an MR image

**Not a medical device.** It was trained on computed phantoms of {what} in {shape}, and on nothing
else. It must not be used to diagnose or treat anyone.

Made by lesionkit {environment["lesionkit"]} after Feng et al., Optica 9(3), 264-267 (2022);
{record["parameters"]:,} parameters. State of the training: {record["state"]}.

## What goes in and comes out

Amplitudes of {len(data["recipe"]["wavelengths"])} wavelengths, {data["recipe"]["optodes"]} sources
and their detectors, in mm^-1, and an MR image of {volume}
gray values; out come HbO and Hb in micromolar and water in per cent.
Other geometries, wavelengths and scales are refused.

## Data

{many}, of seed {data["seed"]}, accuracy {data["accuracy"]}, by index: {split}.

| recipe | |
|---|---|
{recipe}

## Figures

The loss is the mean square error over the tissue's pixels, each map divided by the upper end of the
background's range.

| | epoch | training | validation |
|---|---|---|---|
| first | 1 | {first["training"]:.3g} | {first["validation"]:.3g} |
| last | {last["epoch"]} | {last["training"]:.3g} | {last["validation"]:.3g} |
| best: `weights.pt` | {best["epoch"]} | | {best["validation"]:.3g} |

`lesionkit evaluate` has errors on unseen phantoms, beside those of other methods.

## Training

{spent:.0f} s on {environment["device"]}, {environment["threads"]} threads; torch
{environment["torch"]}, Python {environment["Python"]}.

| option | |
|---|---|
{chosen}
"""
