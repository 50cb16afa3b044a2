"""With how many threads kernels start: affinity, quotas of containers, environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lesionkit import processors


def threads_with(**environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    return subprocess.run(
        [sys.executable, "-c", "import lesionkit; print(lesionkit.threads())"],
        env={**clean, **environment},
        capture_output=True,
        text=True,
    )


def test_the_environment_is_asked() -> None:
    assert threads_with(LESIONKIT_NUM_THREADS="7").stdout == "7\n"
    assert threads_with(LESIONKIT_NUM_THREADS="3", OMP_NUM_THREADS="1").stdout == "3\n"
    assert threads_with(OMP_NUM_THREADS="1").stdout == "1\n"
    assert threads_with(OMP_NUM_THREADS="1,4").stdout == "1\n"
    here = f"{processors.available()}\n"
    assert threads_with().stdout == here
    assert threads_with(OMP_NUM_THREADS="1000").stdout == here  # no more than there are
    assert threads_with(OMP_NUM_THREADS="many").stdout == here  # as OpenMP itself does


@pytest.mark.parametrize("value", ["", "0", "-2", "two", "1.5", "1025"])
def test_a_number_that_is_none_is_refused(value: str) -> None:
    done = threads_with(LESIONKIT_NUM_THREADS=value)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"ImportError: LESIONKIT_NUM_THREADS must be an integer from 1 to 1024, got {value!r}"
    )


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_affinity() -> None:
    one = min(os.sched_getaffinity(0))
    code = f"import os; os.sched_setaffinity(0, [{one}]); import lesionkit as l; print(l.threads())"
    clean = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", code], env=clean, capture_output=True, text=True)
    assert done.stdout == "1\n", done.stderr


def quota(folder: Path, own: str, files: dict[str, str]) -> float:
    for name, text in files.items():
        (folder / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "tree" / name).write_text(text)
    (folder / "own").write_text(own)
    return processors._quota(folder / "tree", folder / "own")


@pytest.mark.parametrize(
    ("own", "files", "granted"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "200000 100000\n"}, 2.0),
        ("0::/a/b\n", {"a/b/cpu.max": "50000 100000\n", "a/cpu.max": "200000 100000\n"}, 0.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 1024),
        ("0::/\n", {"cpu.max": "not what is expected"}, 1024),
        ("0::/gone\n", {}, 1024),
        (
            "4:memory:/x\n3:cpu,cpuacct:/job\n",
            {"cpu/job/cpu.cfs_quota_us": "300000\n", "cpu/job/cpu.cfs_period_us": "100000\n"},
            3.0,
        ),
        (
            "1:cpu:/\n",
            {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"},
            1024,
        ),
    ],
)
def test_quotas_of_control_groups(
    tmp_path: Path, own: str, files: dict[str, str], granted: float
) -> None:
    assert quota(tmp_path, own, files) == granted


def test_there_is_always_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "_quota", lambda: 0.1)
    assert processors.available() == 1


def test_workers_of_joblib_do_not_crowd_the_machine() -> None:
    joblib = pytest.importorskip("joblib")  # scikit-learn brings it
    code = (
        "from joblib import Parallel, delayed\n"
        "import lesionkit\n"
        "jobs = 2\n"
        "print(*Parallel(jobs, backend='loky')(delayed(lesionkit.threads)() for _ in range(2)))\n"
    )
    clean = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", code], env=clean, capture_output=True, text=True)
    each = max(1, joblib.cpu_count() // 2)
    assert done.stdout == f"{each} {each}\n", done.stderr
