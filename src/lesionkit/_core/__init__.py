"""The compiled module for this processor: the highest of the levels built, or LESIONKIT_ISA.

What it holds is typed in the ``.pyi`` files beside this one.
"""

from __future__ import annotations

import importlib
import os
import sys

from lesionkit import processors


def _pick() -> str:
    available = processors.levels()
    wanted = os.environ.get("LESIONKIT_ISA")
    if not available:
        raise ImportError(
            f"lesionkit has no module for this processor, which has {processors.run_here()}: build "
            "it here with 'pip install .' (LESIONKIT_LEVELS=all builds every level)"
        )
    if wanted is None:
        return available[-1]
    if wanted not in available:
        raise ImportError(
            f"LESIONKIT_ISA must be one of the levels that are built and run here, {available}, "
            f"got {wanted!r}"
        )
    return wanted


_module = importlib.import_module(f"lesionkit._core_{_pick()}")
level = _module.level
get_threads = _module.get_threads
set_threads = _module.set_threads
extent = _module.extent
set_threads(processors.threads_at_start())
optics = _module.optics
texture = _module.texture
clustering = _module.clustering
fronts = _module.fronts
# so that `from lesionkit._core.optics import ...` works
for _name in ("clustering", "fronts", "optics", "texture"):
    sys.modules[f"{__name__}.{_name}"] = getattr(_module, _name)
