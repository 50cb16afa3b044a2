"""The thread layer, parallel.hpp and thread_pool.hpp, through a C++ program and under sanitizers.

The faults planted here show that the net holds: without them a silent ThreadSanitizer proves
nothing.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from programs import ADDRESS, THREAD, build, run, with_fault

RUNS = 5
CHECK = Path(__file__).with_name("parallel_check.cpp")

# What to break, and how: (name, file, text as it stands, text with the fault).
FAULTS = [
    (
        "two exceptions without the lock",
        "parallel.hpp",
        "std::lock_guard guard(failure_lock_);",
        "",
    ),
    (
        "a caller that leaves before its workers",
        "thread_pool.hpp",
        "return job.inside.load(std::memory_order_acquire) == 0; })) {",
        "return true; })) {",
    ),
    (
        "a counter of chunks that is not atomic",
        "parallel.hpp",
        "std::atomic<int64_t> next;",
        """struct {
          int64_t value;
          int64_t load(std::memory_order) { return value; }
          int64_t fetch_add(int64_t step, std::memory_order) { return (value += step) - step; }
          void store(int64_t other, std::memory_order) { value = other; }
        } next;""",
    ),
]


@pytest.mark.parametrize(
    "flags",
    [["-O3"], ["-DREFUSE_THREADS"], THREAD, ADDRESS],
    ids=["plain", "no thread to be had", "ThreadSanitizer", "AddressSanitizer"],
)
def test_thread_layer(tmp_path: Path, flags: list[str]) -> None:
    done = run(build(CHECK, tmp_path, *flags))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout == "all checks passed\n"


def test_planted_race_is_reported(tmp_path: Path) -> None:
    done = run(build(CHECK, tmp_path, *THREAD, "-DPLANTED_RACE"))
    assert done.returncode != 0
    assert "ThreadSanitizer: data race" in done.stderr
    assert "planted_race" in done.stderr


@pytest.mark.parametrize(
    ("file", "text", "fault"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_fault_in_the_layer_is_reported(tmp_path: Path, file: str, text: str, fault: str) -> None:
    include = with_fault(tmp_path, file, text, fault)
    program = build(CHECK, tmp_path, *THREAD, include=include)
    # A race is a matter of chance, and a busy machine has other chances: once in some runs will do.
    for _ in range(RUNS):
        done = run(program)
        if "ThreadSanitizer: data race" in done.stderr:
            assert done.returncode != 0
            return
    raise AssertionError(f"the fault goes unnoticed in {RUNS} runs: {done.stderr}")
