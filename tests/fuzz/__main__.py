"""Hostile arguments for every public function: `python -m tests.fuzz --calls N --seed S`.

Each call is judged (judge.py): it must answer, or refuse in a sentence that names an argument;
leave what it was given as it was; answer finite numbers with finite numbers; answer alike in C and
F order and, to the bit, with any number of threads; and neither crash nor hang. Calls come in
batches of a seed, in a process that is started anew where one of them ended it. Every finding is
told once, with a line that makes the call again:

    python -m tests.fuzz --replay texture.graycomatrix:1234:40:17

Under AddressSanitizer and UndefinedBehaviorSanitizer: build one level (here v3) in a checkout of
its own, since the build changes the package in place; with GCC, and -O1 in the place of -O3:

    git worktree add ../sanitized && cd ../sanitized
    printf '#!/bin/bash\\nexec g++ -fsanitize=address,undefined "${@/-O3/-O1}"\\n' > build-san
    chmod +x build-san && export CXX=$PWD/build-san CC=$PWD/build-san
    LESIONKIT_LEVELS=v3 python setup.py build_ext --inplace
    san="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libubsan.so)"
    LD_PRELOAD="$san $(g++ -print-file-name=libstdc++.so)" PYTHONPATH=src \\
      ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 \\
      UBSAN_OPTIONS=print_stacktrace=1 python -m tests.fuzz --calls 20000 --seed 1
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from . import campaign, table
from .campaign import Batch, Report
from .judge import KINDS, described, judge


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Hostile arguments.")
    parser.add_argument("--calls", type=int, default=2000, help="how many, of all functions")
    parser.add_argument("--seed", type=int, default=0, help="of the campaign")
    parser.add_argument("--domain", help="only functions of this domain")
    parser.add_argument("--only", help="only this function, as texture.graycomatrix")
    parser.add_argument("--out", type=Path, help="write the findings here as well")
    parser.add_argument("--replay", help="make one call again: FUNCTION:SEED:COUNT:NUMBER")
    given = parser.parse_args()
    if given.replay:
        return replay(given.replay)
    targets = [
        target
        for target in table.TARGETS
        if given.domain in (None, target.domain) and given.only in (None, target.full_name)
    ]
    if not targets:
        parser.error("no such domain or function")
    start, shown = time.monotonic(), [0.0]

    def told(report: Report) -> None:
        if time.monotonic() - shown[0] > 10:
            shown[0] = time.monotonic()
            print(f"{report.calls} calls, {len(report.groups)} findings", file=sys.stderr)

    report = campaign.run(list(campaign.batches(targets, given.calls, given.seed)), told)
    text = written(report, given.seed, time.monotonic() - start)
    print(text)
    if given.out:
        given.out.write_text(text)
    return 1 if report.groups else 0


def replay(line: str) -> int:
    name, seed, count, number = line.split(":")
    (target,) = (target for target in table.TARGETS if target.full_name == name)
    found = []

    def act(at: int, arguments: dict[str, object]) -> None:
        if at == int(number):
            print(f"{name}({described(arguments)})", flush=True)
            found.append(judge(target, arguments))

    campaign.each_call(Batch(target, int(seed), int(count)), act)
    for verdict in found:
        print(verdict.outcome)
        for finding in verdict.findings:
            print(f"{finding.kind}: {finding.what}")
    return 1 if not found or found[0].findings else 0


def written(report: Report, seed: int, seconds: float) -> str:
    """Counts by domain and findings by function, in Markdown."""
    lines = [f"{report.calls} calls in {seconds:.0f} s, seed {seed}.", ""]
    seen = [kind for kind in KINDS if any(k == kind for _, k in report.kinds)]
    head = ["domain", "calls", "answers", "refusals", "faults", *seen]
    lines += [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for domain in sorted({domain for domain, _ in report.outcomes}):
        outcomes = [report.outcomes[domain, o] for o in ("answer", "refusal", "fault")]
        row = [sum(outcomes), *outcomes, *(report.kinds[domain, kind] for kind in seen)]
        lines.append(f"| {domain} | {' | '.join(map(str, row))} |")
    order = list(KINDS)
    for key in sorted(report.groups, key=lambda key: (key[0], order.index(key[1]), key[2])):
        name, kind, _ = key
        what, again = report.first[key]
        lines += ["", f"- **{name}**, {kind}, {report.groups[key]} x: {what}", f"  `{again}`"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
