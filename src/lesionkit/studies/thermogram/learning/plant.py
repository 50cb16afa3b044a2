"""Hot spots planted into healthy women: the only exact truth there is, for no lesion of DMR-IR has
been outlined. A Gaussian is no tumour: what finds it may find none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.studies.thermogram import body as bodies

PEAKS = (1.0, 4.0)  # C
WIDTHS = (25.0, 80.0)  # pixels of 640 across, full width at half maximum: some 2 to 7 cm


@dataclass(frozen=True)
class Planted:
    """A thermogram with one spot."""

    celsius: npt.NDArray[np.float32]
    mask: npt.NDArray[np.bool_]  # where the spot is above half its peak, within the body
    peak: float  # C
    fwhm: float  # pixels
    row: float
    column: float


def plant(
    celsius: Any,
    body: Any,
    item: int,
    seed: int = 0,
    *,
    breasts: tuple[Any, Any] | None = None,
    peak: float | None = None,
    fwhm: float | None = None,
) -> Planted:
    """Plant spot `item` into one breast of a thermogram, C, (rows, columns).

    item, seed : the spot depends on these and on the breasts alone
    breasts    : None: found by `body.breasts`
    peak       : C, None: 1 to 4;  fwhm : pixels, None: 25 to 80
    Raises ValueError where there is no breast to plant into.
    """
    values = bodies.temperatures(celsius)
    inside = bodies.mask_of(body, values.shape)
    item = arrays.integer(item, "item", at_least=0)
    seed = arrays.integer(seed, "seed", at_least=0)
    if breasts is None:
        breasts = bodies.breasts(values, inside, bodies.midline(values, inside))
    random = np.random.Generator(np.random.Philox(key=np.array([seed, item], np.uint64)))
    drawn = random.uniform(size=4)
    order = (0, 1) if drawn[0] < 0.5 else (1, 0)
    places = next((p for i in order if len(p := np.argwhere(breasts[i]))), None)
    if places is None:
        raise ValueError("breasts must hold a pixel of one side or more, both are empty")
    peak = PEAKS[0] + drawn[1] * np.ptp(PEAKS) if peak is None else arrays.number(peak, "peak")
    fwhm = (
        WIDTHS[0] + drawn[2] * np.ptp(WIDTHS)
        if fwhm is None
        else arrays.number(fwhm, "fwhm", above=0)
    )
    row, column = places[int(drawn[3] * len(places))]
    y, x = np.ogrid[: values.shape[0], : values.shape[1]]
    shape = np.exp2(-4 * ((y - row) ** 2 + (x - column) ** 2) / fwhm**2)
    warmer = (values + np.where(inside, peak * shape, 0)).astype(np.float32)
    mask = (shape >= 0.5) & inside
    return Planted(warmer, mask, float(peak), float(fwhm), float(row), float(column))
