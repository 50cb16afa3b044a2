"""What `lesionkit stroke` does: scans through the study, case by case, into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from lesionkit import files, job
from lesionkit.studies.stroke.cases import CaseKind, Given, find_cases
from lesionkit.studies.stroke.image import WARNING
from lesionkit.studies.stroke.image.process import ORDER, Options, check_truths, process
from lesionkit.studies.stroke.image.report import MEANS, write_report
from lesionkit.studies.stroke.image.steps import draw_roc_space
from lesionkit.studies.stroke.learned.models import COLUMNS as KIND_COLUMNS

RESULTS = ("scores.tsv", "report.html", "kinds.tsv")
COLUMNS = (
    "case", "kind", "images", "method", "recommended", *MEANS, "volume_ml", "truth_ml", "area_mm2",
    "truth_mm2", "pieces", "seconds",
)  # fmt: skip


def main(image: Path, given: Given, kind: CaseKind, out: Path, options: Options, anew: bool) -> int:
    """Run, and print a summary; 0, or 1 if some case of several could not be done.

    A case that an earlier run into the folder has done, with the same options and the same bytes,
    is not done again; with other methods only these are. One case alone that cannot be done raises
    its ValueError.

    anew : replace results of other options or files, which are refused else
    """
    files.check_folder(out)
    cases = find_cases(image, given, kind)
    check_truths(cases, out)
    told = {"models": list(options.models.digests)} if options.models.digests else {}
    chosen = {"kind": kind, "bvalue": options.bvalue, "blocks": options.blocks, **told}
    ledger = job.Ledger(out, chosen)
    if not anew:
        ledger.check_no_others(cases, *RESULTS)
    done: list[job.Done] = []
    with job.results_in(out):
        code = job.work(
            job.run(
                cases,
                ledger,
                lambda case: process(case, options, out, ledger.find(case.name, case.inputs)),
                lambda record: _holds(record, options),
            ),
            len(cases),
            lambda one: one.problem,
            done.append,
            lambda: _write(ledger.all_of(done), out, options.figures),
        )
    _say(done, out)
    return code


def _holds(record: dict[str, Any], options: Options) -> bool:
    """Whether a record has all methods, and the pictures, that are asked for."""
    rows = record["scores"]
    if options.figures and not record["figures"]:
        return False
    adc = any(row["images"] != "dwi" for row in rows)
    return {row["method"] for row in rows} >= set(options.of(adc))


def _write(done: list[job.Done], out: Path, figures: bool) -> None:
    finished = [one for one in done if not one.problem]
    rows = [{"case": one.name, **row} for one in finished for row in one.record["scores"]]
    job.write_table(out / "scores.tsv", rows, COLUMNS)
    kinds = [{"case": one.name, **row} for one in finished for row in one.record.get("kinds", [])]
    if kinds:
        job.write_table(out / "kinds.tsv", kinds, ("case", *KIND_COLUMNS))
    write_report(
        out / "report.html",
        {one.name: one.record["section"] for one in finished},
        [one.problem for one in done if one.problem],
        means(finished),
        list(dict.fromkeys(row["method"] for row in rows)),
    )
    points: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if row.get("sensitivity") and row.get("specificity"):
            place = 1 - float(row["specificity"]), float(row["sensitivity"])
            points.setdefault(row["method"], []).append(place)
    if figures and points:
        draw_roc_space(points, out / "figures/roc_space.png")


def _say(done: list[job.Done], out: Path) -> None:
    finished = [one for one in done if not one.problem]
    print(WARNING)
    print(f"{len(finished)} of {len(done)} cases done")
    for one in finished:
        for doubt in one.record["doubts"]:
            print(f"  {files.on_one_line(one.name)}: {doubt}")
    if average := means(finished):
        most = max(count for count, _ in average.values())
        what = f"mean of {most}" if most > 1 else ""
        print(f"  {what:13} Jaccard   Dice  extra missed   (the last two: fractions of the union)")
        for method, (_, scores) in average.items():
            numbers = (scores[name] for name in ("jaccard", "dice", "extra", "missed"))
            print(f"  {method:13} {'  '.join(f'{number:5.3f}' for number in numbers)}")
    print(f"  report        {out / 'report.html'}")


def means(done: list[job.Done]) -> dict[str, tuple[int, dict[str, float]]]:
    """Of each method how many cases have a truth, and the mean of each score over these. What is
    not defined, such as a distance to an empty mask, is left out of its mean."""
    gathered: dict[str, list[dict[str, Any]]] = {}
    for one in done:
        for row in one.record["scores"]:
            if "dice" in row:
                gathered.setdefault(row["method"], []).append(row)
    result = {}
    for method in [name for name in ORDER if name in gathered]:
        scores = {}
        for name in MEANS:
            values = np.array([float(row[name] or "nan") for row in gathered[method]])
            known = values[np.isfinite(values)]
            scores[name] = float(known.mean()) if len(known) else float("nan")
        result[method] = len(gathered[method]), scores
    return result
