"""python -m benchmarks.thermogram_picture FILE: the twelve steps on a made woman, for the docs.

No thermogram of DMR-IR may be shown: the database asks for registration.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.thermogram.rows import image
from lesionkit import report
from lesionkit.studies.thermogram import clusters, figures


def main(path: str) -> None:
    found = clusters.segment(image(0))
    report.save(figures.steps(found, "A made woman, 128 x 128"), Path(path))


if __name__ == "__main__":
    main(*sys.argv[1:])
