"""The rows of the report, in the order in which they are done."""

from __future__ import annotations

from functools import partial
from typing import Any

from lesionkit import gpu, selftest
from lesionkit.gpu_report import jobs, problems
from lesionkit.gpu_report.rows import Row


def rows(small: bool = False) -> list[Row]:
    """Those that a process with the GPU does: selftest, jobs, kernels."""
    return [*checks(), *jobs.rows(small), *problems.rows(small)]


def checks() -> list[Row]:
    """A row for each file of kernels: its selftest against the CPU."""
    return [
        Row("selftest", f"selftest of {file}", f"{len(kernels)} kernels", partial(checked, file))
        for file, kernels in gpu.KERNELS.items()
    ]


def checked(file: str, cupy: Any) -> dict[str, Any]:
    """Each comparison of a file's selftest."""
    found = [*selftest.CASES[file](cupy)]
    wrong = [check.what for check in found if not check.passed]
    # NaN is no JSON
    told = [
        {"what": c.what, "error": c.error if c.error == c.error else None, "allowed": c.allowed}
        for c in found
    ]
    return {"checks": told} | ({"problem": f"wrong: {', '.join(wrong)}"} if wrong else {})
