"""What `lesionkit radiomics` does: a table of cases in, a table of their features out."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lesionkit import files, job
from lesionkit.progress import Progress
from lesionkit.radiomics import robustness
from lesionkit.radiomics.table import rows, workers
from lesionkit.radiomics.table.measured import Measured, Task
from lesionkit.radiomics.table.rows import Row

WARNING = "Not for diagnosis."


@dataclass(frozen=True)
class Options:
    """How the rows are done; none of it changes a result.

    jobs    : processes on this machine
    cluster : the address of Dask's scheduler, in place of processes
    """

    jobs: int = 1
    cluster: str | None = None


def main(table: Path, out: Path, task: Task, options: Options, overwrite: bool = False) -> int:
    """Measure all rows; 0, or 1 where some could not be done. What an earlier run of the same job
    has done is not done again."""
    columns, cases = _read(table, task)
    if out.is_dir():
        raise ValueError(f"out must be a file, got the folder {out}")
    if not out.parent.is_dir():
        raise FileNotFoundError(f"cannot write {out}: there is no such folder")
    work = out.with_name(f"{out.name}.work")
    ledger = job.Ledger(work, {**asdict(task), "table": [columns, [dict(r.cells) for r in cases]]})
    same = work.is_dir() and any(ledger.find(row.name, row.inputs) for row in cases)
    results = [path for path in (out, robustness_of(out)) if path.exists()]
    if results and not (overwrite or same):
        raise ValueError(
            f"{results[0]} is there already: choose another --out, or replace it with --overwrite"
        )
    with files.working_in(work):
        try:
            found, code = _measure(cases, ledger, task, options)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"stopped; what is done stays in {work}, and the same command goes on with it"
            ) from None
        _write(out, columns, cases, found, task)
    if code == 0:
        shutil.rmtree(work)
    done = sum(one.record is not None for one in found.values())
    print(WARNING)
    print(f"{done} of {len(cases)} cases done")
    print(f"  features   {out}")
    if task.perturb:
        print(f"  robustness {robustness_of(out)}")
    if code:
        print(f"  kept       {work}: the same command tries again what failed")
    return code


def check(table: Path, task: Task) -> int:
    """Whether all rows could be begun: 0, or 1 where some lack a file or cannot be read. Nothing is
    measured or written; images are not opened."""
    _, cases = _read(table, task)
    problems = [row.problem or _missing(row) for row in cases]
    for problem in filter(None, problems):
        print(f"lesionkit: {files.on_one_line(problem)}", file=sys.stderr)
    good = problems.count("")
    print(f"{good} of {len(cases)} cases can be begun")
    return int(good < len(cases))


def _read(table: Path, task: Task) -> tuple[list[str], list[Row]]:
    """The columns and rows; ValueError where there are too few to be compared."""
    columns, cases = rows.read(table)
    if task.perturb and len(cases) < 2:
        raise ValueError(
            f"--perturb compares cases: {table} must have two rows or more, it has one"
        )
    return columns, cases


def _missing(row: Row) -> str:
    """In words, of the row's files that which is not there; "" where both are."""
    for path in row.inputs:
        if not path.exists():
            return f"{path}: there is no such file"
    return ""


def robustness_of(out: Path) -> Path:
    """The table of intraclass correlations beside that of features."""
    return out.with_name(f"{out.stem}.robustness{out.suffix}")


def _measure(
    cases: Sequence[Row], ledger: job.Ledger, task: Task, options: Options
) -> tuple[dict[int, Measured], int]:
    """What came of each row, by its number."""
    found: dict[int, Measured] = {}
    told: set[str] = set()
    by_number = {row.number: row for row in cases}
    with Progress("cases") as progress:
        for row in cases:
            record = ledger.find(row.name, row.inputs)
            if record is not None:
                found[row.number] = Measured(row.number, record)
        if found:
            progress.say(f"lesionkit: {len(found)} of {len(cases)} cases were done before")
        progress(len(found), len(cases))
        left = [row for row in cases if row.number not in found]
        for one in _spread(task, left, options):
            row = by_number[one.number]
            found[one.number] = one
            if one.record is None:
                progress.say(f"lesionkit: {files.on_one_line(one.problem)}")
            else:
                ledger.put(row.name, row.inputs, [], one.record)
                for sentence in sorted(set(one.record["told"]) - told):
                    progress.say(f"lesionkit: warning: {files.on_one_line(sentence)}")
                    told.add(sentence)
            progress(len(found), len(cases))
    return found, int(any(one.record is None for one in found.values()))


def _spread(task: Task, left: Sequence[Row], options: Options) -> Iterator[Measured]:
    if options.cluster is not None and left:
        return workers.cluster(task, left, options.cluster)
    if options.jobs > 1 and len(left) > 1:
        return workers.processes(task, left, options.jobs)
    return workers.here(task, left)


def _write(
    out: Path, columns: Sequence[str], cases: Sequence[Row], found: dict[int, Measured], task: Task
) -> None:
    records: list[dict[str, Any]] = [found[row.number].record or {} for row in cases]
    told = [
        {**row.cells, **one.get("features", {})} for row, one in zip(cases, records, strict=True)
    ]
    rows.write(out, columns, told)
    if task.perturb:
        correlations = robustness.table([one["perturbed"] for one in records if one])
        rows.write(robustness_of(out), robustness.COLUMNS, correlations)
