"""report.html: what was done, in one file that needs no other; the picture of what limits what."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lesionkit import page, report
from lesionkit.gpu_report.rows import H200_BANDWIDTH, H200_PEAK

TITLE = "lesionkit on a GPU"
BESIDE = ("CPU", "copy", "transfer")
COLOURS = {"float64": "#1f5fa8", "float32": "#c4511b", "integer": "#3b7d3b"}
HOW = (
    "Bytes are those that must cross the GPU's memory: each array in once and out once, for each "
    "launch. Operations are counted by hand, and low: a sum, a product, a comparison, a quotient "
    "and a root are one each; indices and loops are not counted. The floor is the longer of the "
    "two on an H200, 4.8 TB/s, 33.5 and 66.9 T operations a second in float64 and float32, 16.7 T "
    "in integers: no schedule can be faster, and few come near. Times are medians of 5 calls, "
    "after one that does not count: of a kernel by CUDA's events, of a job between two "
    "synchronisations."
)

Record = Mapping[str, Any]


def write(path: Path, told: Record) -> None:
    """Write the page of a record."""
    rows: Sequence[Record] = told["rows"]
    of = {
        s: [row for row in rows if row["section"] == s]
        for s in ("selftest", "jobs", "kernels", "tools")
    }
    parts = [f"<h1>{TITLE}</h1>", _summary(told)]
    parts.append(page.problems([f"{r['name']}: {r['problem']}" for r in rows if "problem" in r]))
    parts += ["<h2>The main jobs</h2>", _jobs(of["jobs"])]
    picture = page.image(
        page.png_of(roofline(of["kernels"])),
        "Operations a second against operations a byte of every kernel",
    )
    parts += ["<h2>What limits each kernel</h2>", picture, page.note(_caption(told))]
    parts += ["<h2>Every kernel</h2>", page.note(HOW)]
    for file in dict.fromkeys(row["name"].partition(": ")[0] for row in of["kernels"]):
        these = [row for row in of["kernels"] if row["name"].startswith(f"{file}: ")]
        parts += [f"<h3>{html.escape(file)}</h3>", _kernels(these)]
    parts += ["<h2>Against the CPU</h2>", _selftest(of["selftest"])]
    parts += ["<h2>NVIDIA's tools</h2>", _tools(of["tools"])]
    page.write(path, TITLE, parts)


def _summary(told: Record) -> str:
    about, rows = told["machine"], told["rows"]
    if told["dry_run"]:
        said = (
            f"<p><strong>Dry run: nothing was run on a GPU.</strong> {len(rows)} rows, with their "
            "arithmetic.</p>"
        )
    else:
        done = sum(row["state"] == "done" for row in rows)
        wrong = sum("problem" in row for row in rows)
        said = f"<p><strong>{done} of {len(rows)} rows done, {wrong} failed.</strong></p>"
    listed = "".join(
        f"<dt>{html.escape(name.replace('_', ' '))}</dt><dd>{html.escape(str(value))}</dd>"
        for name, value in about.items()
    )
    return f"{said}<dl>{listed}<dt>kernels</dt><dd>{told['kernels']}</dd></dl>"


def _jobs(rows: Sequence[Record]) -> str:
    cells = [
        {
            "job": row["name"],
            "what": row["work"],
            **_arithmetic(row),
            "goal": _time(row.get("goal_seconds")),
            "GPU": _measured(row),
            **{what: _time(row.get(f"{what.lower()}_seconds")) for what in BESIDE},
        }
        for row in rows
    ]
    note = (
        "Copy: as many bytes as go in and come out, on the device. Transfer: their way from the "
        "host and back."
    )
    return _table(cells) + page.note(note)


def _kernels(rows: Sequence[Record]) -> str:
    cells = []
    for row in rows:
        seconds = row.get("seconds")
        cells.append({
            "kernel": row["name"].partition(": ")[2],
            "problem": row["work"],
            **_arithmetic(row),
            "by": row["bound_by"],
            "measured": _measured(row),
            "floor / measured": f"{row['h200_floor_seconds'] / seconds:.0%}" if seconds else "",
            "launches": str(row.get("launches", "")),
            "registers": str(row.get("registers", "")),
            "spilled, bytes": str(row.get("local_bytes", "")),
            "compiled in": _time(row.get("compile_seconds")),
        })  # fmt: skip
    return _table(cells)


def _table(rows: Sequence[Mapping[str, str]]) -> str:
    """Those columns in which something stands."""
    titles = [title for title in rows[0] if any(row[title] for row in rows)]
    cells = [[row[title] for title in titles] for row in rows]
    return f'<div class="words">{page.table(titles, cells)}</div>'


def _arithmetic(row: Record) -> dict[str, str]:
    """Bytes, operations and the least time."""
    operations = row.get("operations", {}).items()
    counts = [_count(count, f"\u00a0{kind}") for kind, count in operations if count]
    return {
        "bytes": _count(row["bytes"], "B") if "bytes" in row else "",
        "operations": ", ".join(counts),
        "H200 floor": _time(row.get("h200_floor_seconds")),
    }


def _measured(row: Record) -> str:
    return _time(row["seconds"]) if "seconds" in row else row["state"].replace(" ", "\u00a0")


def _selftest(rows: Sequence[Record]) -> str:
    cells = []
    for row in rows:
        checks = row.get("checks", [])
        wrong = [c for c in checks if c["error"] is None or not c["error"] <= c["allowed"]]
        parts = [c["error"] / c["allowed"] for c in checks if c["allowed"] and c["error"]]
        cells.append({
            "file": row["name"].removeprefix("selftest of "),
            "kernels": row["work"],
            "state": row["state"],
            "comparisons": str(len(checks) or ""),
            "wrong": str(len(wrong)) if checks else "",
            "largest error / allowed": f"{max(parts):.2g}" if parts else "",
        })  # fmt: skip
    return _table(cells)


def _tools(rows: Sequence[Record]) -> str:
    return _table([
        {
            "tool": row["name"],
            "what": row["work"],
            "state": row["state"],
            "says": row.get("summary") or _counters(row),
        }
        for row in rows
    ])  # fmt: skip


def _counters(row: Record) -> str:
    return f"{len(row['counters']) - 1} kernels, see report.json" if "counters" in row else ""


def _caption(told: Record) -> str:
    where = (
        "where its floor on an H200 would put it"
        if told["dry_run"]
        else "as measured (full), or at its floor where it was not run (hollow)"
    )
    return (
        f"Each kernel {where}; below the lines if other operations of it take longer. The slope is "
        "the memory of an H200, the levels are its arithmetic units."
    )


def roofline(rows: Sequence[Record]) -> Any:
    """The figure: of each kernel and kind of operation a point."""
    figure = report.new_figure(figsize=(6.6, 4.6), layout="constrained")
    axes = figure.subplots()
    reach = np.geomspace(1e-2, 1e4, 200)
    for kind, peak in H200_PEAK.items():
        axes.loglog(
            reach, np.minimum(reach * H200_BANDWIDTH, peak) / 1e12, color=COLOURS[kind], lw=1
        )
        points: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
        for row in rows:
            count = row["operations"].get(kind, 0.0)
            if not count:
                continue
            seconds = row.get("seconds")
            rate = count / (seconds or row["h200_floor_seconds"]) / 1e12
            points[bool(seconds)].append((count / row["bytes"], rate))
        for run, found in points.items():
            if found:
                face = COLOURS[kind] if run else "none"
                axes.plot(
                    *zip(*found, strict=True), "o", color=COLOURS[kind], mfc=face, ms=5, alpha=0.8
                )
        axes.plot(
            [],
            [],
            "o-",
            color=COLOURS[kind],
            mfc="none",
            lw=1,
            label=f"{kind}, {peak / 1e12:.1f} T/s",
        )
    axes.set(
        xlabel="operations a byte of the GPU's memory",
        ylabel="10$^{12}$ operations a second",
        xlim=(reach[0], reach[-1]),
    )
    axes.grid(alpha=0.25)
    axes.legend(loc="lower right")
    return figure


def _count(number: float, unit: str) -> str:
    """1.2 GB, with a space at which no line ends."""
    for size, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}\u00a0{prefix}{unit}"
    return f"{number:.3g}\u00a0{unit.strip()}"


def _time(seconds: float | None) -> str:
    """12.3 ms; nothing where there is no time."""
    if seconds is None:
        return ""
    for size, unit in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= size:
            return f"{seconds / size:.3g}\u00a0{unit}"
    return f"{seconds / 1e-6:.3g}\u00a0µs"
