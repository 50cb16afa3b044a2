"""What `lesionkit brain` does: images of heads through the study, into a folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from lesionkit import __version__, files, job, page
from lesionkit.studies.brain import model as saved
from lesionkit.studies.brain.image import WARNING
from lesionkit.studies.brain.image.cases import SCORES, Options, find_cases, process
from lesionkit.studies.brain.image.pieces import Piece

RESULTS = ("scores.tsv", "report.html")
JUDGED = ("class", "probability", "judged", "squares", "abnormal_squares")
COLUMNS = (
    "case", "method", "size", "unit", "true_size", *SCORES, "pixels_on_free_slices", *JUDGED
)  # fmt: skip
SQUARES = ("case", "plane", "row", "column", "probability")
ALIKE = 0.01  # share by which sizes of pixels may differ


def main(
    image: Path, truth: Path | None, brain: Path | None, out: Path, options: Options, anew: bool
) -> int:
    """Run, and print a summary; 0, or 1 if some case of several could not be done.

    A case that an earlier run into the folder has done, with the same options and the same bytes,
    is not done again, and what it did beside these stays in the tables. One case alone that cannot
    be done raises its ValueError.

    anew : replace results of other options or files, which are refused else
    """
    files.check_folder(out)
    model = None if options.model is None else saved.load(options.model)
    cases = find_cases(image, truth, brain)
    ledger = job.Ledger(
        out,
        {**asdict(options), "max_bytes": None, "model": None if model is None else model.digest},
    )
    if not anew:
        ledger.check_no_others(cases, *RESULTS)
    done: list[job.Done] = []
    with job.results_in(out):
        code = job.work(
            job.run(cases, ledger, lambda case: process(case, options, out, model)),
            len(cases),
            lambda one: one.problem,
            done.append,
            lambda: _write(ledger.all_of(done), out),
        )
    finished = [one for one in done if not one.problem]
    print(WARNING)
    print(f"{len(finished)} of {len(done)} cases done")
    for method, (count, dice) in _means(finished).items():
        print(f"  {method:10} mean Dice of {count}: {dice:.3f}")
    for one in finished if model is not None else ():
        for row in one.record["scores"]:
            print(
                f"  {one.name}, {row['method']}: {row['class']}, probability {row['probability']} "
                f"({row['judged']})"
            )
    if mixed := _mixed(finished):
        print(mixed)
    print(f"  report     {out / 'report.html'}")
    return code


def _write(done: list[job.Done], out: Path) -> None:
    finished = [one for one in done if not one.problem]
    scores = [{"case": one.name, **row} for one in finished for row in one.record["scores"]]
    job.write_table(out / "scores.tsv", scores, COLUMNS)
    rows = [
        {"case": one.name, **{key: _cell(value) for key, value in row.items()}}
        for one in finished
        for row in one.record["pieces"]
    ]
    if squares := [
        {"case": one.name, **dict(zip(SQUARES[1:], square, strict=True))}
        for one in finished
        for square in one.record.get("squares", ())
    ]:
        job.write_table(out / "squares.tsv", squares, SQUARES)
    else:
        (out / "squares.tsv").unlink(missing_ok=True)
    job.write_table(out / "pieces.tsv", rows, ("case", "method", *Piece._fields))
    means = [[m, str(n), f"{dice:.3f}"] for m, (n, dice) in _means(finished).items() if n > 1]
    mixed = _mixed(finished)
    parts = [
        f"<p><strong>{WARNING}</strong></p>",
        f"<h1>Brain tumours: {len(finished)} case{'s' * (len(finished) != 1)}</h1>",
        page.problems([one.problem for one in done if one.problem]),
        page.note(mixed) if mixed else "",
        page.table(["method", "cases with a truth", "mean Dice"], means) if means else "",
        *(one.record["section"] for one in finished),
        page.note(f"Made by lesionkit {__version__}; not for clinical use."),
    ]
    page.write(out / "report.html", "Brain tumours", parts)


def _means(done: list[job.Done]) -> dict[str, tuple[int, float]]:
    """Of each method how many cases have a truth, and their mean Dice."""
    gathered: dict[str, list[float]] = {}
    for one in done:
        for row in one.record["scores"]:
            if "dice" in row:
                gathered.setdefault(row["method"], []).append(float(row["dice"]))
    return {method: (len(dice), sum(dice) / len(dice)) for method, dice in gathered.items()}


def _mixed(done: list[job.Done]) -> str:
    """A sentence where pixels of cases are not of one size; else nothing."""
    sizes = [(one.name, tuple(one.record["spacing"])) for one in done if one.record["spacing"]]
    for name, size in sizes:
        first, least = sizes[0]
        if any(abs(a - b) > ALIKE * b for a, b in zip(size, least, strict=True)):
            return (
                f"Pixels are not of one size: {least[0]:.3g} x {least[1]:.3g} mm in {first}, "
                f"{size[0]:.3g} x {size[1]:.3g} mm in {name}; compare mm^2, not pixels."
            )
    return ""


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)
