"""Clustering: ours against each peer on nine workloads: calls, passes, errors and memory."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.clustering.ours import ours
from benchmarks.clustering.peers import EXACT, PEERS, Run
from benchmarks.clustering.work import Array, Work, centre_error, objective, work
from benchmarks.report import Report
from benchmarks.timing import Contender, ratio, rounds

LONG = 30.0  # seconds that the pairs of one peer may take, roughly; at least 3 are taken
# How far our centres may be off after the same passes, in standard deviations; on K4 a sample that
# is nearly as near to two centres may go its own way in float32, and the centres with it.
OFF = {"K4": 0.01}
ELSE = 1e-6
MEASURED = ("K2", "K4", "F2", "F3")  # memory: where it matters
HEADER = [
    "peer",
    "ours, ms",
    "peer, ms",
    "peer / ours",
    "a pass: ours, ms",
    "peer, ms",
    "peer / ours",
    "centre error: ours",
    "peer",
    "peer's objective / ours - 1",
    "peak MB: ours",
    "peer",
]
NOTES = {
    "K4": "mlpack's Python binding gives centres in memory that it has given back already.",
    "K1k3": "Ours is `segment` on the 8-bit image. ckwrap and kmeans1d find the exact optimum, as "
    'ours with `init="optimal"` does beside them.',
    "F1": "Every call gives the memberships as well.",
    "F4": "No package does these as their papers say: the peers are NumPy, as one writes it.",
}


def missing(module: str) -> bool:
    return importlib.util.find_spec(module) is None


def against_peers(report: Report) -> None:
    for name, peers in PEERS.items():
        job = work(name, report.quick)
        left_out = [who for who, (module, _) in peers.items() if missing(module)]
        if left_out:
            report.say(f"left out of {name}, not installed: {', '.join(left_out)}")
        rows = []
        for who, (module, make) in peers.items():
            if missing(module):
                continue
            for double in (False, True) if name in ("F2", "F4") else (False,):
                with threadpool_limits(report.threads):
                    rows.append(compared(report, job, who, make, double))
        shape = " x ".join(map(str, job.raw.shape))
        title = (
            f"{name}: {job.kind}, {shape} {job.raw.dtype}, {job.classes} classes, "
            f"{job.passes[1]} passes, {report.threads} threads"
        )
        report.table(title, HEADER, rows, NOTES.get(name, ""))


def compared(
    report: Report, job: Work, who: str, make: Callable[[Work], Run], double: bool
) -> list[str]:
    """A row: ours and a peer, in turn, with few and with many passes; a pass is the difference."""
    peer, own = make(job), ours(job, who, double)
    short, long = job.passes
    start = time.perf_counter()
    theirs, peer_passes = peer(long)
    spent = time.perf_counter() - start
    mine = own(long)[0]
    # A few of our passes cost less than writing the answer varies by: more are needed to see one.
    more = short + 8 * (long - short)
    own_passes = own(more)[1]
    errors, excess = judged(job, who, mine, theirs, report.quick)
    # What is done in no time is done several times in a row.
    start = time.perf_counter()
    own(long)
    again = int(np.clip(0.01 / (time.perf_counter() - start), 1, 50))
    times = rounds(
        {
            "ours": Contender(lambda: repeat(own, long, again), again, report.threads),
            "peer": Contender(lambda: peer(long), threads=report.threads),
            "ours, more": Contender(lambda: repeat(own, more, again), again, report.threads),
            "ours, short": Contender(lambda: repeat(own, short, again), again, report.threads),
            "peer, short": Contender(lambda: peer(short), threads=report.threads),
        },
        int(np.clip(LONG / 2 / spent, 3, report.pairs)),
        rest=0.3,
    )
    total = [f"{1e3 * np.median(times[k]):.3g}" for k in ("ours", "peer")]
    done = {"ours": own_passes, "peer": peer_passes}
    many = {"ours": times["ours, more"], "peer": times["peer"]}
    each = {k: np.median(many[k] - times[f"{k}, short"]) / max(done[k] - short, 1) for k in many}
    passes, quotient = ["-", "-"], "-"
    if min(done.values()) > short and min(each.values()) > 0:
        passes = [f"{1e3 * each[k]:.3g}" for k in ("ours", "peer")]
        quotient = f"{each['peer'] / each['ours']:.3g}"
    memory = [
        peak(job.name, who, side, report.quick) if job.name in MEASURED and not double else "-"
        for side in ("ours", "peer")
    ]
    return [
        f"{who}{' (ours from float64)' * double}",
        *total,
        str(ratio(times["peer"], times["ours"])),
        *passes,
        quotient,
        *errors,
        excess,
        *memory,
    ]


def repeat(run: Run, passes: int, times: int) -> None:
    for _ in range(times):
        run(passes)


def judged(job: Work, who: str, mine: Array, theirs: Array, quick: bool) -> tuple[list[str], str]:
    """How far both are from plain float64, and their objectives; AssertionError if ours is off."""
    if job.kind == "spatial FCM":
        apart = float(np.abs(mine - theirs).max() / job.X.std())
        assert apart < 1e-6, f"{job.name}, {who}: {apart:.1e} apart"
        return [f"{apart:.1e} apart", ""], "-"
    excess = objective(job, theirs) / objective(job, mine) - 1
    if who in EXACT:
        assert abs(excess) < 1e-6, f"{job.name}: {who}'s optimum is another, by {excess:.1e}"
        return ["-", "-"], f"{excess:.1e}"
    passes = job.passes[1]
    errors = [centre_error(job, centres, passes, quick) for centres in (mine, theirs)]
    limit = OFF.get(job.name, ELSE)
    # The passes end before k-means does: a peer whose centres are off may be lower by chance.
    if errors[1] < limit:
        low = f"{job.name}: {who}'s objective is less than ours by {-excess:.1e}"
        assert excess > -1e-5, low
    assert errors[0] < limit, f"{job.name}: our centres are {errors[0]:.1e} off"
    return [f"{error:.1e}" for error in errors], f"{excess:.1e}"


def peak(name: str, who: str, side: str, quick: bool) -> str:
    """The most memory that a call needs beyond its input, MB, seen in a process of its own."""
    if not Path("/proc/self/clear_refs").exists():
        return "-"
    command = [sys.executable, "-m", "benchmarks.clustering.rows", name, who, side, str(int(quick))]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else "failed"


def _measure(name: str, who: str, side: str, quick: str) -> None:
    job = work(name, bool(int(quick)))
    run = ours(job, who) if side == "ours" else PEERS[name][who][1](job)
    tiny = work("F1" if job.kind == "FCM" else "K1k3", True)
    if job.kind != "spatial FCM":  # imports and pools are made before
        (ours(tiny, who) if side == "ours" else PEERS[name][who][1](tiny))(1)
    Path("/proc/self/clear_refs").write_text("5")
    before = _resident()
    run(job.passes[0])
    print(f"{_resident() - before:.0f}")


def _resident() -> float:
    """The peak of resident memory since it was last cleared, MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def large_volumes(report: Report) -> None:
    """How far float32 k-means is from the true means as volumes grow: two well separated clusters,
    85 % about 1 and the rest about 5, from the right start, 3 passes."""
    peers = {
        who: made for who, made in PEERS["K2"].items() if "," not in who and not missing(made[0])
    }
    sizes = (40_000, 160_000) if report.quick else (4_000_000, 16_000_000, 60_000_000)
    rows: dict[str, list[str]] = {who: [] for who in ("ours", "ours, float64", *peers)}
    for size in sizes:
        rng = np.random.default_rng(1)
        first = rng.random(size, np.float32) < 0.85
        X = rng.standard_normal(size, np.float32)
        X *= np.float32(0.1)
        X += np.where(first, np.float32(1), np.float32(5))
        truth = np.array([X[first].mean(dtype=np.float64), X[~first].mean(dtype=np.float64)])
        del first
        start = np.array([[1.0], [5.0]])
        job = replace(work("K2", True), X=X[:, None], start=start, passes=(3, 3))
        with threadpool_limits(report.threads):
            for who, row in rows.items():
                ourselves = who.startswith("ours")
                run = ours(job, "", who != "ours") if ourselves else peers[who][1](job)
                off = np.asarray(run(3)[0], float).ravel() - truth
                row.append(f"{off[0]:+.1e}, {off[1]:+.1e}")
    report.table(
        f"Centre minus true mean, k-means of float32 samples, {report.threads} threads",
        ["", *(f"{size:,} samples" for size in sizes)],
        [[who, *row] for who, row in rows.items()],
    )


if __name__ == "__main__":
    _measure(*sys.argv[1:])
