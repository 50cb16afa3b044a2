"""What `lesionkit stroke` does: scans through the study, case by case, into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from lesionkit import files, job
from lesionkit.metrics import Scores
from lesionkit.studies.stroke import SEGMENTERS, Kind
from lesionkit.studies.stroke.image import WARNING
from lesionkit.studies.stroke.image.cases import find_cases
from lesionkit.studies.stroke.image.process import Options, check_truths, process
from lesionkit.studies.stroke.image.report import write_report

RESULTS = ("scores.tsv", "report.html")
COLUMNS = ("case", "kind", "method", *Scores._fields[:6], "volume", "true_volume", "seconds")


def main(
    image: Path, truth: Path | None, kind: Kind, out: Path, options: Options, anew: bool
) -> int:
    """Run, and print a summary; 0, or 1 if some case of several could not be done.

    A case that an earlier run into the folder has done, with the same options and the same bytes,
    is not done again; with other methods only these are. One case alone that cannot be done raises
    its ValueError.

    anew : replace results of other options or files, which are refused else
    """
    files.check_folder(out)
    cases = find_cases(image, truth, kind)
    check_truths(cases, options, out)
    ledger = job.Ledger(out, {"kind": kind})
    if not anew:
        ledger.check_no_others(cases, *RESULTS)
    done: list[job.Done] = []
    with job.results_in(out):
        code = job.work(
            job.run(
                cases,
                ledger,
                lambda case: process(case, options, out, ledger.find(case.name, case.inputs)),
                lambda record: options.methods <= {row["method"] for row in record["scores"]},
            ),
            len(cases),
            lambda one: one.problem,
            done.append,
            lambda: _write(ledger.all_of(done), out),
        )
    _say(done, out)
    return code


def _write(done: list[job.Done], out: Path) -> None:
    finished = [one for one in done if not one.problem]
    rows = [{"case": one.name, **row} for one in finished for row in one.record["scores"]]
    job.write_table(out / "scores.tsv", rows, COLUMNS)
    write_report(
        out / "report.html",
        [one.record["section"] for one in finished],
        [one.problem for one in done if one.problem],
        means(finished),
    )


def _say(done: list[job.Done], out: Path) -> None:
    finished = [one for one in done if not one.problem]
    print(WARNING)
    print(f"{len(finished)} of {len(done)} cases done")
    if average := means(finished):
        most = max(count for count, _ in average.values())
        what = f"mean of {most}" if most > 1 else ""
        print(f"  {what:10} Jaccard   Dice  extra missed   (the last two: fractions of the union)")
        for method, (_, scores) in average.items():
            numbers = (scores[name] for name in ("jaccard", "dice", "fpr", "fnr"))
            print(f"  {method:10} {'  '.join(f'{number:5.3f}' for number in numbers)}")
    print(f"  report     {out / 'report.html'}")


def means(done: list[job.Done]) -> dict[str, tuple[int, dict[str, float]]]:
    """Of each method how many cases have a truth, and the mean of each score over these. A distance
    that is infinite, for one mask is empty, is left out of its mean."""
    gathered: dict[str, list[dict[str, Any]]] = {}
    for one in done:
        for row in one.record["scores"]:
            if "dice" in row:
                gathered.setdefault(row["method"], []).append(row)
    result = {}
    for method in [name for name in SEGMENTERS if name in gathered]:
        scores = {}
        for name in Scores._fields[:6]:
            values = np.array([float(row[name]) for row in gathered[method]])
            known = values[np.isfinite(values)]
            scores[name] = float(known.mean()) if len(known) else float("inf")
        result[method] = len(gathered[method]), scores
    return result
