"""The compiled module for this processor: the highest of the levels built, or LESIONKIT_ISA.

What it holds is typed in the ``.pyi`` files beside this one.
"""

from __future__ import annotations

import importlib
import os
import sys

from lesionkit import _cpu


def _pick() -> str:
    available = _cpu.levels()
    wanted = os.environ.get("LESIONKIT_ISA")
    if wanted is None:
        if not available:
            raise ImportError("lesionkit needs a processor of level x86-64-v2 (SSE4.2) or higher")
        return available[-1]
    if wanted not in available:
        raise ImportError(
            f"LESIONKIT_ISA={wanted!r} is not a level of this processor, which has {available}"
        )
    return wanted


_module = importlib.import_module(f"lesionkit._core_{_pick()}")
level = _module.level
get_threads = _module.get_threads
set_threads = _module.set_threads
extent = _module.extent
optics = _module.optics
texture = _module.texture
clustering = _module.clustering
fronts = _module.fronts
# so that `from lesionkit._core.optics import ...` works
for _name in ("clustering", "fronts", "optics", "texture"):
    sys.modules[f"{__name__}.{_name}"] = getattr(_module, _name)
