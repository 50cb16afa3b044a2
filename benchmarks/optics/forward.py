"""Forward model: ours against each peer, against size and threads, and error against truth."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial

import numpy as np

from benchmarks import plots
from benchmarks.optics.peers import BASE, PEERS, missing, peer
from benchmarks.optics.problem import disc, ours, phantoms, rings
from benchmarks.optics.workers import Processes
from benchmarks.report import Report
from benchmarks.timing import Contender, Times, cores, ratio, rounds

JOB = 180_000  # systems: 20,000 phantoms of 9 wavelengths
SUPERLU = "SuperLU tuned, order kept"
HEADER = [
    "peer",
    "ours, ms",
    "peer, ms",
    "peer / ours",
    "largest difference",
    f"{JOB:,} systems: ours",
    "peer",
]


def against_peers(report: Report) -> None:
    """Pairs of ours and one peer, on maps of the recipe's kind given by element."""
    for ring_count, many, few in [(24, 2048, 256), (48, 512, 64)]:
        many, few = (many, few) if not report.quick else (many // 16, few // 16)
        work = disc(rings(ring_count))
        nodes = len(work.nodes)
        model, maps = ours(work), phantoms(work, many)
        fraction = (maps[0][:few], maps[1][:few])
        answer = model.measure(*fraction, at="elements")
        own = Contender(partial(model.measure, *maps, at="elements"), many, report.threads)

        rows = []
        for name in PEERS:
            if reason := missing(name):
                report.say(f"left out, {reason}")
                continue
            plan = peer(name, work)
            agreement = np.abs(plan(*fraction) / answer - 1).max()
            times = rounds(
                {"ours": own, "peer": Contender(partial(plan, *fraction), few)}, report.pairs
            )
            rows.append(_row(f"{name}, 1 process", times, agreement))
            if name == BASE:
                with Processes(name, work, fraction, 2) as processes:
                    agreement = np.abs(processes.run() / answer - 1).max()
                    both = {"ours": own, "peer": Contender(processes.run, few)}
                    times = rounds(both, report.pairs)
                rows.append(_row(f"{name}, 2 processes", times, agreement))
        report.table(
            f"Forward model, accuracy fast (linear), {nodes} nodes, {report.threads} threads",
            HEADER,
            rows,
            f"One system: 16 x 16 readings, assembly included. {report.pairs} pairs; a pair times "
            f"{many} systems of ours and {few} of the peer's. The last two columns are "
            f"extrapolated from the medians. Work per system, from the elimination tree: "
            + ", ".join(
                f"{name} {value:,}" for name, value in asdict(model.cost("elements")).items()
            )
            + ".",
        )


def _row(name: str, times: dict[str, Times], agreement: float) -> list[str]:
    if not agreement < 1e-10:
        raise AssertionError(f"{name}: readings differ by {agreement:.1e}, more than 1e-10")
    own, other = (float(np.median(times[key])) for key in ("ours", "peer"))
    spread = ratio(times["peer"], times["ours"])
    each = [f"{own * 1e3:.4f}", f"{other * 1e3:.3f}", str(spread), f"{agreement:.1e}"]
    return [name, *each, f"{own * JOB:.1f} s", f"{other * JOB:.0f} s"]


def scaling(report: Report) -> None:
    """Time per system against nodes (0.2k to 33k) and against threads."""
    steps = [8, 16, 24] if report.quick else [8, 16, 24, 32, 48, 72, 104]
    peers = [name for name in (BASE, SUPERLU) if not missing(name)]
    curves: dict[str, list[tuple[int, float]]] = {}
    rows = []
    for step in steps:
        nodes = rings(step)
        many, few = max(16, 2_000_000 // nodes), max(4, 200_000 // nodes)
        many, few = (many // 8, few // 8) if report.quick else (many, few)
        work = disc(nodes)
        model, maps = ours(work), phantoms(work, many)
        measure = partial(model.measure, *maps, at="elements")
        contenders = {_ours_on(n): Contender(measure, many, n) for n in _thread_counts()}
        for name in peers:
            plan = peer(name, work)
            contenders[name] = Contender(partial(plan, maps[0][:few], maps[1][:few]), few)
        times = rounds(contenders, report.pairs)
        for name, spent in times.items():
            curves.setdefault(name, []).append((len(work.nodes), float(np.median(spent)) * 1e3))
        cost = model.cost("elements")
        one, most = times[_ours_on(1)], times[_ours_on(_thread_counts()[-1])]
        rows.append(
            [str(len(work.nodes))]
            + [f"{np.median(spent) * 1e3:.4f}" for spent in times.values()]
            + [str(ratio(one, most)), f"{(cost.factor + cost.assembly) / np.median(one) / 1e9:.1f}"]
        )
    report.table(
        "Time against nodes and threads, linear elements, ms per system",
        ["nodes", *curves, "gain by threads", "ours, 1 thread: 1e9 multiply-adds / s"],
        rows,
        f"Medians of {report.pairs} rounds; peers in one process.",
    )
    report.figure("scaling", plots.scaling(curves))


def _thread_counts() -> list[int]:
    """1, 2, 4 ... and the number of cores."""
    most = len(cores())
    return sorted({2**power for power in range(most.bit_length())} | {most})


def _ours_on(threads: int) -> str:
    return f"ours, {threads} thread{'s' * (threads > 1)}"
