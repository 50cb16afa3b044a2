"""python -m lesionkit.gpu_report.work: do rows on the GPU, in a process of their own.

Names of rows come as a list in JSON on the standard input; for each that is done there is a line of
JSON on the standard output. The process ends with the first that cannot be done: what went wrong
may have left the GPU useless to it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lesionkit import gpu
from lesionkit.gpu_report import catalogue
from lesionkit.gpu_report.private import without_names
from lesionkit.gpu_report.rows import Row


def do(
    names: Iterable[str],
    rows: Mapping[str, Row],
    cupy: Any,
    tell: Callable[[dict[str, Any]], object],
) -> bool:
    """Do rows by name, tell the figures of each; False where one could not be done."""
    for name in names:
        try:
            found = rows[name].run(cupy)
        except Exception as fault:
            lines = str(fault).splitlines() or [""]
            found = {"problem": f"{type(fault).__name__}: {lines[0]}"}
            tell({"name": name, **found, "problem": without_names(found["problem"])})
            return False
        if "problem" in found:
            found["problem"] = without_names(found["problem"])
        tell({"name": name, **found})
        cupy.get_default_memory_pool().free_all_blocks()
    return True


def main() -> int:
    """Do what the standard input asks for."""
    names = json.load(sys.stdin)
    rows = {row.name: row for row in catalogue.rows()}
    done = do(names, rows, gpu.require(), lambda found: print(json.dumps(found), flush=True))
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
