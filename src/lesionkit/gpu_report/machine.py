"""What the card, its driver and the libraries are called; nothing of whose they are."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import numpy as np

from lesionkit import __version__, gpu, threads


def described(cupy: Any | None) -> dict[str, Any]:
    """For the record; cupy is None in a dry run."""
    found = {
        "lesionkit": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "threads": threads(),
    }
    if cupy is None:
        return found
    device = cupy.cuda.Device().id
    card, runtime = gpu.properties(device), cupy.cuda.runtime
    return found | {
        "gpu": card.name,
        "compute_capability": card.capability / 10,
        "multiprocessors": card.multiprocessors,
        "memory_bytes": card.memory,
        "shared_per_block": card.shared_per_block,
        "shared_per_multiprocessor": card.shared_per_multiprocessor,
        "clock_khz": runtime.getDeviceProperties(device).get("clockRate"),
        "driver_cuda": runtime.driverGetVersion(),
        "runtime_cuda": runtime.runtimeGetVersion(),
        "nvrtc": ".".join(map(str, cupy.cuda.nvrtc.getVersion())),
        "cupy": cupy.__version__,
    }


def _processor() -> str:
    """The model of the CPU, where the system tells."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
