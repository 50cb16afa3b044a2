"""What `lesionkit stroke` does: cases through the study, with a progress bar, into a folder."""

from __future__ import annotations

from pathlib import Path

from lesionkit import files, job
from lesionkit.io import MAX_BYTES
from lesionkit.metrics import Scores
from lesionkit.studies.stroke import SEGMENTERS, Kind
from lesionkit.studies.stroke.cases import Outcome, find_cases, means, run, table
from lesionkit.studies.stroke.report import section, write_report

COLUMNS = ("case", "kind", "method", *Scores._fields[:6], "volume", "true_volume", "seconds")


def main(
    image: Path, truth: Path | None, method: str, kind: Kind, out: Path, max_bytes: int = MAX_BYTES
) -> int:
    """Run the study and print a summary; 0, or 1 if some case of several could not be done.

    One case alone that cannot be done raises its ValueError. Interrupted, it writes the scores and
    the report of what is done, and raises KeyboardInterrupt.
    """
    if method != "all" and method not in SEGMENTERS:
        raise ValueError(f"method must be all or one of {', '.join(SEGMENTERS)}, got {method}")
    methods = list(SEGMENTERS) if method == "all" else [method]
    files.check_folder(out)
    cases = find_cases(image, truth, kind)
    done: list[Outcome] = []
    sections: list[str] = []

    def keep(outcome: Outcome) -> None:
        if not outcome.problem:
            sections.append(section(outcome))
        done.append(outcome.slim())

    with job.results_in(out):
        code = job.work(
            run(cases, methods, out, max_bytes),
            len(cases),
            lambda outcome: outcome.problem,
            keep,
            lambda: _write(done, sections, out),
        )
    _say(done, out)
    return code


def _write(outcomes: list[Outcome], sections: list[str], out: Path) -> None:
    rows = [COLUMNS, *([row[name] for name in COLUMNS] for row in table(outcomes))]
    files.write(out / "scores.tsv", files.table(rows))
    write_report(outcomes, sections, out / "report.html")


def _say(outcomes: list[Outcome], out: Path) -> None:
    failed = sum(bool(outcome.problem) for outcome in outcomes)
    print(f"{len(outcomes) - failed} of {len(outcomes)} cases done")
    if average := means(outcomes):
        scored = sum(any(f.scores for f in outcome.found.values()) for outcome in outcomes)
        what = f"mean of {scored}" if scored > 1 else ""
        print(f"  {what:10} Jaccard   Dice  extra missed   (the last two: fractions of the union)")
        for method, scores in average.items():
            numbers = (scores[name] for name in ("jaccard", "dice", "fpr", "fnr"))
            print(f"  {method:10} {'  '.join(f'{number:5.3f}' for number in numbers)}")
    print(f"  report     {out / 'report.html'}")
