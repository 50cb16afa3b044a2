"""`lesionkit gpu-report`: every row, one by one, each kept; then the record and the page."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import lesionkit
from lesionkit import extras, files, gpu, job
from lesionkit.gpu_report import catalogue, machine, page, tools
from lesionkit.gpu_report.private import without_names
from lesionkit.gpu_report.rows import H200_BANDWIDTH, H200_PEAK, Row
from lesionkit.progress import Progress

RECORD, PAGE = "report.json", "report.html"
MAX_SECONDS = 900.0  # of a row: what takes longer does not end by itself
NOT_RUN = "not run"
WORKER = [sys.executable, "-m", "lesionkit.gpu_report.work"]

Record = dict[str, Any]


def main(out: Path, dry_run: bool, overwrite: bool) -> int:
    """Do all rows and write the report; 1 if one could not be done or was wrong, else 0.

    out       : a folder, made if need be
    dry_run   : run nothing, and tell what there is to run
    overwrite : replace a report of another card, version or mode, which is refused else
    Rows that an earlier run into the folder has done, on the same card with the same kernels, are
    not done again.
    """
    files.check_folder(out)
    extras.require("matplotlib.figure", "gpu-report needs")
    cupy = None if dry_run else gpu.require()
    about = machine.described(cupy)
    told = {"dry_run": dry_run, "kernels": _digest(), "machine": about}
    _check(out, told, overwrite)
    with job.results_in(out):
        if overwrite:
            forget(out)
        rows = [*catalogue.rows(), *tools.rows()]
        records = [row.record() for row in rows]
        if dry_run:
            found = [record | {"state": NOT_RUN} for record in records]
        else:
            found = _all(rows, records, job.Ledger(out, told))
        report = told | {
            "h200": {"bytes_per_second": H200_BANDWIDTH, "operations_per_second": H200_PEAK},
            "rows": found,
        }
        page.write(out / PAGE, report)
        files.write(out / RECORD, json.dumps(report, indent=1) + "\n")
    failed = [record for record in found if "problem" in record]
    for record in failed:
        print(f"{record['name']}: {record['problem']}")
    done = sum(record["state"] == "done" for record in found)
    print(f"{done} of {len(found)} rows done, {len(failed)} failed; {out}: {PAGE}, {RECORD}")
    return int(bool(failed))


def forget(out: Path) -> None:
    """Remove a report, and what is done of it."""
    for name in (RECORD, PAGE):
        (out / name).unlink(missing_ok=True)
    shutil.rmtree(out / "done", ignore_errors=True)


def _check(out: Path, told: Record, overwrite: bool) -> None:
    """ValueError where the folder holds a report that this run would replace."""
    record = out / RECORD
    if overwrite or not record.exists():
        return
    try:
        before = files.read_json(record)
        same = {name: before[name] for name in told} == json.loads(json.dumps(told))
    except (OSError, ValueError, KeyError, TypeError):
        same = False
    if not same:
        raise ValueError(
            f"{out} holds a report of another card, version or mode ({RECORD}): choose another "
            "--out, or replace it with --overwrite"
        )


def _digest() -> str:
    """Of all kernels and headers: another text is another report."""
    content = hashlib.sha256()
    for kind in ("*.cu", "*.hpp"):
        for file in sorted(gpu.sources().rglob(kind)):
            content.update(file.read_bytes())
    return content.hexdigest()[:16]


def _all(rows: Sequence[Row], records: Sequence[Record], ledger: job.Ledger) -> list[Record]:
    """The records of all rows, those that are done by the ledger; the others are done now."""
    known = {row.name: ledger.find(key(row.name), []) for row in rows}
    missing = [row for row in rows if known[row.name] is None]
    with Progress("rows") as progress:
        for number, found in enumerate(_done(missing), start=len(rows) - len(missing) + 1):
            name = found.pop("name")
            known[name] = found
            if "problem" not in found and "state" not in found:
                ledger.put(key(name), [], [], found)
            progress(number, len(rows), name)
    told = []
    for record in records:
        found = known[record["name"]] or {}
        told.append(record | {"state": "failed" if "problem" in found else "done"} | found)
    return told


def key(name: str) -> str:
    """What a row is called among the files of the ledger."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def _done(missing: Sequence[Row]) -> Iterator[Record]:
    """What comes of each row: those on the GPU by processes of their own, then NVIDIA's tools."""
    left = [row.name for row in missing if row.section != "tools"]
    while left:
        for found in _process(left):
            left.remove(found["name"])
            yield found
    for row in missing:
        if row.section == "tools":
            found = row.run(None)
            if "problem" in found:
                found["problem"] = without_names(found["problem"])
            yield {"name": row.name, **found}


def _process(names: Sequence[str]) -> Iterator[Record]:
    """Rows by one process, until it ends: what it tells, and of the row at which it stopped without
    a word, that."""
    started: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    threads = {**os.environ, "LESIONKIT_NUM_THREADS": str(lesionkit.threads())}
    left = list(names)
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(WORKER, stderr=errors, env=threads, **started) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                with suppress(BrokenPipeError), process.stdin as given:  # it may be gone already
                    given.write(json.dumps(left))
                while line := _within(MAX_SECONDS, process.stdout.readline, process.kill):
                    found = json.loads(line)
                    left.remove(found["name"])
                    yield found
                    if "problem" in found:
                        return
                process.wait()
            finally:
                process.kill()
        if left:
            errors.seek(0)
            last = (errors.read().strip().splitlines() or ["without a word"])[-1]
            problem = f"its process stopped, exit code {process.returncode}: {last}"
            yield {"name": left[0], "problem": without_names(problem)}


def _within(limit: float, read: Callable[[], str], stop: Callable[[], object]) -> str:
    """What `read` gives; after `limit` seconds `stop` is called."""
    timer = threading.Timer(limit, stop)
    timer.start()
    try:
        return read()
    finally:
        timer.cancel()
