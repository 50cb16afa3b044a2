"""python -m benchmarks.measured FOLDER [PICTURE]: the picture of the measured phantom in the docs.

FOLDER is NIRFAST's circle_spec sample: anom.paa, homog.paa and the mesh's files
(nirfast-admin/NIRFAST, commit f3bf8c7, BSD 3-Clause).
"""

from __future__ import annotations

import sys
from pathlib import Path


def main(folder: Path, image: Path) -> None:
    from lesionkit import report
    from lesionkit.optics import reconstruct_measured

    made = reconstruct_measured(folder / "anom.paa", folder / "homog.paa")
    maps, extent = made.pixels(200)
    title = "A measured phantom: NIRFAST's circle_spec, anom.paa against homog.paa"
    report.tissue_maps(maps, extent, title, image)
    print("reference:", {name: round(x, 3) for name, x in made.reference_tissue.items()})
    print("residuals:", made.found.residuals.round(4))
    for name, values in made.found.maps.items():
        low, high = values.argmin(), values.argmax()
        places = made.found.basis.points.round(1)
        print(
            f"{name}: least {values[low]:.3g} at {places[low]}, "
            f"greatest {values[high]:.3g} at {places[high]}"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "docs/nirst-measured.png"))
