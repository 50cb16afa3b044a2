"""What `lesionkit thermogram` does: thermograms through the study, into a folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from lesionkit import __version__, arrays, files, job, page
from lesionkit.studies.thermogram import WARNING, asymmetry, leaks, regions
from lesionkit.studies.thermogram.cases import (
    METHODS,
    Options,
    find_cases,
    process,
)


def main(image: Path, truth: Path | None, out: Path, options: Options) -> int:
    """Run, and print a summary; 0, or 1 if some case of several could not be done.

    A case that an earlier run into the folder has done, with the same options and the same bytes,
    is not done again. One case alone that cannot be done raises its ValueError.
    """
    for method in options.methods:
        arrays.one_of(method, "method", METHODS)
    files.check_folder(out)
    nets = _nets(options)
    cases = find_cases(image, truth)
    report = {
        **asdict(options),
        "weights": None,
        "max_bytes": None,
        "nets": {n: net.digest for n, net in nets.items()},
    }
    ledger = job.Ledger(out, report)
    done: list[job.Done] = []
    with job.results_in(out):
        code = job.work(
            job.run(cases, ledger, lambda case: process(case, options, out, nets)),
            len(cases),
            lambda outcome: outcome.problem,
            done.append,
            lambda: _write(done, out),
        )
    finished = [outcome for outcome in done if not outcome.problem]
    print(WARNING)
    print(f"{len(finished)} of {len(done)} cases done")
    flagged = sum(bool(outcome.record.get("abnormal")) for outcome in finished)
    if "codebook" in options.methods:
        print(f"  the paper's rule, a red cluster is there, calls {flagged} of them abnormal")
    print(f"  report     {out / 'report.html'}")
    return code


def _nets(options: Options) -> dict[str, Any]:
    """The trained nets that are asked for."""
    wanted = [method for method in options.methods if method != "codebook"]
    if not wanted:
        return {}
    if options.weights is None:
        raise ValueError(
            f"weights must be the folder of a study with trained nets for {' and '.join(wanted)}: "
            "lesionkit thermogram-study --epochs N makes one"
        )
    from lesionkit.studies.thermogram.learning import unet

    return {name: unet.load(options.weights / name) for name in wanted}


def _write(outcomes: list[job.Done], out: Path) -> None:
    done = [outcome for outcome in outcomes if not outcome.problem]
    many: dict[str, list[dict[str, object]]] = {
        "regions": [
            {"case": o.name, **{k: _cell(v) for k, v in region.items()}}
            for o in done
            for region in o.record.get("regions", [])
        ],
        "colours": [
            {
                "case": o.name,
                **{k: _cell(v) for k, v in row.items() if k in ("cluster", "share")},
                **{k: f"{row[k][0]}-{row[k][1]}" for k in ("red", "green", "blue")},
            }
            for o in done
            for row in o.record.get("colours", [])
        ],
        "asymmetry": [
            {"case": o.name, **{k: _cell(v) for k, v in o.record["asymmetry"].items()}}
            for o in done
            if "asymmetry" in o.record
        ],
        "leaks": [
            {"case": o.name, **{k: _cell(v) for k, v in o.record["leaks"].items()}}
            for o in done
            if "leaks" in o.record
        ],
        "scores": [{"case": o.name, **row} for o in done for row in o.record["scores"]],
    }
    columns: dict[str, tuple[str, ...]] = {
        "regions": regions.Region._fields,
        "colours": regions.Colours._fields,
        "asymmetry": asymmetry.Asymmetry._fields,
        "leaks": leaks.Leaks._fields,
        "scores": ("method", "dice", "jaccard", "fpr", "fnr"),
    }
    for name, rows in many.items():
        if rows or name in ("regions", "asymmetry"):
            job.write_table(out / f"{name}.tsv", rows, ("case", *columns[name]))
        else:
            (out / f"{name}.tsv").unlink(missing_ok=True)
    parts = [
        f"<p><strong>{WARNING}</strong></p>",
        f"<h1>Breast thermograms: {len(done)} case{'s' * (len(done) != 1)}</h1>",
        page.problems([outcome.problem for outcome in outcomes if outcome.problem]),
        *(outcome.record["section"] for outcome in done),
        page.note(f"Made by lesionkit {__version__}; not for clinical use."),
    ]
    page.write(out / "report.html", "Breast thermograms", parts)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
