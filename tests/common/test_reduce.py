"""The rule "same bits", reduce.hpp, through a C++ program: for any number of threads, under
sanitizers, and with faults planted that must be noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from programs import ADDRESS, THREAD, build, run, with_fault

CHECK = Path(__file__).with_name("reduce_check.cpp")

# What to break, and how: (name, text as it stands, text with the fault, what is said of it).
FAULTS = [
    (
        "all chunks add to the same sums",
        "double* sums = parts.data() + chunk * size;",
        "double* sums = parts.data() + 0 * chunk;",
        "not true|data race",
    ),
    (
        "parts are added from the last to the first",
        "for (const Part& part : parts) whole.add(part);",
        "for (size_t i = parts.size(); i > 0; --i) whole.add(parts[i - 1]);",
        "not true",
    ),
    ("parts are joined without the lock", "std::lock_guard guard(adding);", "", "data race"),
    ("a chunk that found nothing counts", "if (!found[chunk]) continue;", "", "not true"),
]


@pytest.mark.parametrize("flags", [["-O3"], THREAD, ADDRESS], ids=["plain", "thread", "address"])
def test_reduce(tmp_path: Path, flags: list[str]) -> None:
    done = run(build(CHECK, tmp_path, *flags))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "all checks passed\n"


@pytest.mark.parametrize(
    ("text", "fault", "said"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_fault_is_noticed(tmp_path: Path, text: str, fault: str, said: str) -> None:
    include = with_fault(tmp_path, "reduce.hpp", text, fault)
    done = run(build(CHECK, tmp_path, *THREAD, include=include))
    assert done.returncode != 0
    assert any(words in done.stderr for words in said.split("|")), done.stderr
