"""python -m benchmarks.radiomics.memory: what a family takes of regions whose levels grow with
their voxels, at the peak, above the process before it."""

from __future__ import annotations

import resource
import subprocess
import sys

import numpy as np

FAMILIES = ("glcm", "glrlm", "glszm", "gldm", "ngtdm")
SIDES = (16, 24, 32)  # voxels
LEVELS = 60_000


def main() -> None:
    """A table, each cell of which is a process of its own."""
    print("MB", *(f"{side**3} voxels" for side in SIDES), sep="\t")
    for family in FAMILIES:
        cells = [_asked(family, side) for side in SIDES]
        print(family, *(f"{cell:.1f}" for cell in cells), sep="\t", flush=True)


def _asked(family: str, side: int) -> float:
    command = [sys.executable, "-m", "benchmarks.radiomics.memory", family, str(side)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(family: str, side: int) -> float:
    """MB of a cube of so many voxels, of as many levels as they have, but for repetitions."""
    import scipy.sparse.linalg  # noqa: F401  what glcm loads is no matter of the region

    import lesionkit
    from lesionkit.texture import Settings, radiomics

    lesionkit.threads(1)
    levels = np.random.default_rng(0).integers(1, LEVELS, (side,) * 3)
    settings = Settings(binning="levels", families=(family,))  # type: ignore[arg-type]
    radiomics(levels[:3, :3, :3], levels[:3, :3, :3] > 0, settings=settings)
    before = _peak()
    radiomics(levels, levels > 0, settings=settings)
    return _peak() - before


if __name__ == "__main__":
    if sys.argv[1:]:
        print(measure(sys.argv[1], int(sys.argv[2])))
    else:
        main()
