"""Texture: ours against each peer on eight workloads, and how far the answers are apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.report import Report
from benchmarks.texture.ours import ours
from benchmarks.texture.peers import PEERS, missing, peer
from benchmarks.texture.work import ITEMS, TITLES, Answer, Work, pooled, small, work
from benchmarks.timing import Contender, ratio, rounds

TOLERANCE = {"ITK": 1e-5}  # it answers in single precision
ELSE = 1e-8
OTHERWISE = {("flash-radiomics", "firstorder_Kurtosis")}  # theirs is less by 3: not compared
LONG = 30.0  # seconds that the pairs of one peer may take, roughly; at least 3 are taken
HEADER = ["peer", "ours, ms", "peer, ms", "peer / ours", "compared", "largest difference", "pairs"]
NOTES = {
    "W1": "mahotas gives 13 features, and its diagonals have other distances; four features at 0 "
    "and 90 degrees are compared.",
    "W2": "cp_measure cuts the grey levels anew, so only its inner kernel, which is not public, is "
    "compared; it and mahotas give 13 features.",
    "W3": "ITK gives eight features of the sum of the four matrices, two of which are compared "
    "with plain NumPy.",
    "W4": "pictologics is given the grey levels, and so is ours beside it; both merge the "
    "directions.",
    "W5": "pictologics as in W4.",
    "W6": "PyRadiomics' five: its families without the first-order features; ours has them. "
    "pictologics, as in W4, gives six texture families, with GLDZM and without first-order.",
    "W8": "PyRadiomics gives no map of MCC where a window has a direction without a pair; ours, "
    "which has one, is not compared.",
}


def apart(theirs: Answer, own: Answer, who: str) -> dict[str, float]:
    """The largest relative difference of each feature that both have (where theirs is not NaN); of
    values below 0.001 the difference over 0.001."""
    found = {}
    for name in sorted(theirs.keys() & own.keys()):
        a, b = np.asarray(theirs[name], float), np.asarray(own[name], float)
        if (who, name) in OTHERWISE:
            continue
        given = ~np.isnan(a)
        found[name] = float(np.max(np.abs(a - b)[given] / np.maximum(np.abs(a[given]), 1e-3)))
    return found


def check_answers(found: dict[str, float], who: str) -> None:
    """AssertionError where a feature is further away than it may be."""
    for name, difference in found.items():
        if not difference <= TOLERANCE.get(who, ELSE):
            raise AssertionError(f"{who}: {name} differs by {difference:.1e}")


def compared(workload: str, who: str, job: Work) -> tuple[Callable[[], Any], dict[str, float]]:
    """A peer, called once, and its differences from ours."""
    run = peer(workload, who, job)
    answer = ours(workload, who, job)()
    if who == "ITK":
        answer |= pooled(job)
    found = apart(run(), answer, who)
    check_answers(found, who)
    return run, found


@contextmanager
def each(report: Report, workload: str) -> Iterator[tuple[Work, list[str]]]:
    """A workload and its peers that are here, with everybody's threads limited."""
    job = replace(small(workload) if report.quick else work(workload), threads=report.threads)
    here = []
    for who in PEERS[workload]:
        if reason := missing(workload, who):
            report.say(f"left out of {workload}, {reason}")
        else:
            here.append(who)
    with threadpool_limits(report.threads):
        yield job, here


def against_peers(report: Report) -> None:
    """Pairs of ours and one peer: whole public calls, from the arrays to the features."""
    for workload in PEERS:
        with each(report, workload) as (job, here):
            rows = []
            for who in here:
                run, found = compared(workload, who, job)
                start = time.perf_counter()
                run()
                turns = int(np.clip(LONG / (time.perf_counter() - start), 3, report.pairs))
                both = {"ours": ours(workload, who, job), "peer": run}
                # `threads` leaves the peer's own pools as they are
                contenders = {k: Contender(v, threads=report.threads) for k, v in both.items()}
                times = rounds(contenders, turns)
                own, other = (f"{np.median(times[key]) * 1e3:.3f}" for key in both)
                spread = str(ratio(times["peer"], times["ours"]))
                worst = f"{max(found.values()):.1e}" if found else "-"
                rows.append([who, own, other, spread, str(len(found)), worst, str(turns)])
            title = f"{workload}: {TITLES[workload]}, {job.items:,} {ITEMS[workload]}, "
            report.table(f"{title}{report.threads} threads", HEADER, rows, NOTES.get(workload, ""))


def agreement(report: Report) -> None:
    """The largest difference of each feature from each peer; nothing is timed."""
    for workload in PEERS:
        with each(report, workload) as (job, here):
            columns = {who: compared(workload, who, job)[1] for who in here}
        columns = {who: found for who, found in columns.items() if found}
        names = list(dict.fromkeys(name for found in columns.values() for name in found))
        rows = [
            [name, *(f"{found[name]:.0e}" if name in found else "" for found in columns.values())]
            for name in names
        ]
        title = f"{workload}: {TITLES[workload]}, {job.items:,} {ITEMS[workload]}"
        report.table(
            f"{title}: largest difference", ["feature", *columns], rows, NOTES.get(workload, "")
        )
        families = list(dict.fromkeys(name.rpartition("_")[0] for name in names))
        if families != [""]:
            rows = [[one, *(worst(one, found) for found in columns.values())] for one in families]
            report.table(f"{title}: the worst of each family", ["family", *columns], rows)


def worst(family: str, found: dict[str, float]) -> str:
    """The largest difference among the features of a family, and whose it is."""
    mine = {name: value for name, value in found.items() if name.rpartition("_")[0] == family}
    if not mine:
        return ""
    name = max(mine, key=mine.__getitem__)
    return f"{mine[name]:.0e} of {len(mine)} ({name.rpartition('_')[2]})"
