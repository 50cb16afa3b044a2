"""One row: its image and mask are read, once for all rows that share them, and measured."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from lesionkit import job
from lesionkit.radiomics import masks, robustness, volumes
from lesionkit.radiomics.extraction import Source, extract
from lesionkit.radiomics.parameters import Parameters
from lesionkit.radiomics.table.rows import Row
from lesionkit.radiomics.volumes import Volume


@dataclass(frozen=True)
class Task:
    """What is done with every row.

    perturb : how often a region is measured again, perturbed
    """

    parameters: Parameters
    perturb: int = 0
    seed: int = 0


class Measured(NamedTuple):
    """What came of a row.

    record : {"features": texts by name, "told": warnings, "perturbed": numbers}; None of a bad row
    """

    number: int
    record: dict[str, Any] | None
    problem: str = ""


def measure(task: Task, row: Row) -> Measured:
    """A row's features, or why there are none."""
    if row.problem:
        return Measured(row.number, None, row.problem)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", UserWarning)
        record, problem = job.attempt(row.mask, partial(_record, task, row))
    if record is None:
        named = any(str(path) in problem for path in row.inputs)
        return Measured(row.number, None, problem if named else f"{row.mask}: {problem}")
    sentences = {str(one.message) for one in told if issubclass(one.category, UserWarning)}
    return Measured(row.number, {**record, "told": sorted(sentences)})


def _record(task: Task, row: Row) -> dict[str, Any]:
    source = _source(row.image, _stamp(row.image))
    labels = _labels(row.mask, _stamp(row.mask), row.image, row.channel, task.parameters)
    label, region = masks.choose(labels, row.label, task.parameters.settings.get("label"))
    found = extract(source, labels, label, region, task.parameters)
    record: dict[str, Any] = {"features": {name: str(value) for name, value in found.items()}}
    if task.perturb:
        record["perturbed"] = robustness.perturbed(
            source, region, task.parameters, task.perturb, task.seed
        )
    return record


def _stamp(path: Path) -> tuple[int, int]:
    """What changes where a file does."""
    told = path.stat()
    return told.st_mtime_ns, told.st_size


@lru_cache(maxsize=1)
def _source(image: Path, stamp: tuple[int, int]) -> Source:
    return Source(volumes.read(image, "image"))


@lru_cache(maxsize=2)
def _read_mask(mask: Path, stamp: tuple[int, int], image: Path) -> Volume:
    return masks.read(mask, lambda: _source(image, _stamp(image)).image)


def _labels(
    mask: Path, stamp: tuple[int, int], image: Path, channel: int | None, parameters: Parameters
) -> Volume:
    layer = parameters.settings.get("label_channel") if channel is None else channel
    return masks.labels_of(_read_mask(mask, stamp, image), layer)
