"""Many calls: each batch from a seed, in a process of its own that may die or hang."""

from __future__ import annotations

import faulthandler
import itertools
import multiprocessing as mp
import os
import resource
import signal
import sys
import tempfile
import time
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .judge import Finding, Verdict, described, group, judge
from .target import Target

ROOM = 4 << 30  # bytes that a call may ask for
LIMIT = 60.0  # seconds of the processor that a call may take
WAIT = 600.0  # seconds that may pass meanwhile: the machine may be busy with other things


class Batch(NamedTuple):
    """Calls of one function from one seed."""

    target: Target
    seed: int
    count: int


@dataclass
class Report:
    """What was seen: counts by domain, and findings by function, kind and words."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    groups: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    first: dict[tuple[str, str, str], tuple[str, str]] = field(default_factory=dict)
    slowest: dict[str, float] = field(default_factory=dict)

    def add(self, batch: Batch, number: int, verdict: Verdict, arguments: str) -> None:
        domain, name = batch.target.domain, batch.target.full_name
        self.outcomes[domain, verdict.outcome] += 1
        self.slowest[name] = max(self.slowest.get(name, 0.0), verdict.seconds)
        for finding in verdict.findings:
            key = (name, finding.kind, group(finding))
            self.kinds[domain, finding.kind] += 1
            self.groups[key] += 1
            if key not in self.first:
                replay = f"python -m tests.fuzz --replay {name}:{batch.seed}:{batch.count}:{number}"
                self.first[key] = (f"{finding.what} ({arguments})", replay)

    @property
    def calls(self) -> int:
        return self.outcomes.total()


def each_call(batch: Batch, act: Callable[[int, dict[str, Any]], None]) -> None:
    """act(number, arguments) for the batch's calls: the same ones every time."""
    numbers = itertools.count()

    @hypothesis.seed(batch.seed)
    @settings(
        max_examples=batch.count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def one(data: Any) -> None:
        act(next(numbers), batch.target.arguments(data.draw))

    one()


def batches(targets: Sequence[Target], calls: int, seed: int) -> Iterator[Batch]:
    """Turn by turn for each function, until so many calls are made."""
    left, fraction = calls, max(1, calls // max(1, len(targets)))
    for turn in itertools.count():
        for target in targets:
            if left <= 0:
                return
            count = min(left, fraction, target.batch)
            left -= count
            yield Batch(target, zlib.crc32(f"{seed}/{target.full_name}/{turn}".encode()), count)


def run(todo: Sequence[Batch], told: Callable[[Report], None] = lambda _: None) -> Report:
    """All batches, in a process that is started anew where it died or hung."""
    report, start, skip = Report(), 0, 0
    while start < len(todo):
        start, skip = _watch(todo, start, skip, report, told)
    return report


def _watch(
    todo: Sequence[Batch], start: int, skip: int, report: Report, told: Callable[[Report], None]
) -> tuple[int, int]:
    """Until the worker is done, or one call has ended it: where to go on."""
    context = mp.get_context("fork")
    mine, its = context.Pipe(duplex=False)
    beat = context.Array("d", 4, lock=False)  # batch, call, when it began on two clocks
    beat[:] = [start, skip - 1, time.monotonic(), 0.0]
    with tempfile.NamedTemporaryFile("r", errors="replace") as said:
        worker = context.Process(target=_work, args=(todo, start, skip, its, beat, said.name))
        with warnings.catch_warnings():  # a fork beside the threads of NumPy's algebra, which wait
            warnings.simplefilter("ignore", DeprecationWarning)
            worker.start()
        its.close()
        why = ""
        while True:
            try:
                if mine.poll(0.5):
                    index, number, verdict, arguments = mine.recv()
                    report.add(todo[index], number, verdict, arguments)
                    told(report)
                    continue
            except EOFError:
                break
            if time.monotonic() - beat[2] > WAIT:
                why = f"no end within {WAIT:g} s"
            elif _processor_time(worker.pid) - beat[3] > LIMIT:
                why = f"no end within {LIMIT:g} s of the processor"
            if why:
                worker.kill()
        worker.join()
        if worker.exitcode == 0:
            return len(todo), 0
        index, number = int(beat[0]), int(beat[1])
        lines = said.read().splitlines()
    if not why:
        ended = -(worker.exitcode or 0)
        if ended == -1 and not any(map(_telling, lines)):
            raise RuntimeError("\n".join(["the harness itself failed:", *lines[-30:]]))
        name = signal.Signals(ended).name if ended > 0 else f"exit {-ended}"
        why = " ".join([name, *[line.strip() for line in lines if _telling(line)][:2]])
    finding = Finding("hang" if why.startswith("no end") else "crash", why)
    report.add(todo[index], number, Verdict("fault", [finding], LIMIT), "see the replay")
    told(report)
    return (index, number + 1) if number + 1 < todo[index].count else (index + 1, 0)


def _processor_time(pid: int | None) -> float:
    """Seconds that the process and its threads have had; 0 when it has ended."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _telling(line: str) -> bool:
    """Whether a line that a dying process said tells where."""
    return "ERROR: " in line or "SUMMARY" in line or ("File " in line and "/lesionkit/" in line)


def _work(todo: Sequence[Batch], start: int, skip: int, pipe: Any, beat: Any, said: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if "torch" in sys.modules:  # threads of OpenMP that it had before the fork would be waited for
        sys.modules["torch"].set_num_threads(1)
    with open(said, "w") as file:
        os.dup2(file.fileno(), 2)
        faulthandler.disable()
        if "asan" not in os.environ.get("LD_PRELOAD", ""):
            faulthandler.enable(file)
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, used + ROOM))
        for index in range(start, len(todo)):
            first = skip if index == start else 0

            def act(
                number: int, arguments: dict[str, Any], index: int = index, first: int = first
            ) -> None:
                if number < first:
                    return
                beat[:] = [index, number, time.monotonic(), time.process_time()]
                before = os.fstat(2).st_size
                verdict = judge(todo[index].target, arguments)
                beat[2:] = [time.monotonic(), time.process_time()]
                text = (
                    Path(said).read_text(errors="replace")[before:]
                    if os.fstat(2).st_size > before
                    else ""
                )
                for line in text.splitlines():
                    if "runtime error:" in line or "Sanitizer" in line:
                        verdict.findings.append(Finding("sanitizer", line.strip()))
                pipe.send(
                    (index, number, verdict, described(arguments) if verdict.findings else "")
                )

            each_call(todo[index], act)
    pipe.close()
    sys.stdout.flush()
    os._exit(0)
