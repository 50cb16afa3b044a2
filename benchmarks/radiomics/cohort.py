"""python -m benchmarks.radiomics.cohort TABLE: a table for `lesionkit radiomics` of twenty masks
that experts drew, five slices of each of four patients of BRATS 2013 (FLAIR, whole tumour), read
where $LESIONKIT_DATA has them; and a row whose label is not there."""

from __future__ import annotations

import csv
import os
import sys
from collections import defaultdict
from pathlib import Path

SLICES = 5  # of a patient
LEAST = 300  # pixels of tumour


def main(table: Path) -> None:
    folder = Path(os.environ["LESIONKIT_DATA"]).resolve() / "data" / "brain_tumor" / "brats2013"
    found = defaultdict(list)
    with (folder / "slices.csv").open(newline="") as lines:
        for row in csv.DictReader(lines):
            if int(row["tumour_pixels"]) >= LEAST:
                found[row["patient"]].append(f"{row['patient']}_z{int(row['z']):03d}")
    names = []
    for slices in found.values():
        step = (len(slices) - 1) / (SLICES - 1)
        names += [slices[round(k * step)] for k in range(SLICES)]
    with table.open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(["ID", "Image", "Mask", "Label"])
        for name in names:
            image, mask = (folder / "slices" / f"{name}_{kind}.png" for kind in ("flair", "label"))
            writer.writerow([name, image, mask, "all"])
        writer.writerow(["bad", image, mask, 9])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
