"""Maps of the apparent diffusion coefficient: made of two images, and their unit told."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays

MIN_B, MAX_B = 200.0, 5000.0  # s/mm^2: below blood flow counts, above the signal is noise
# Medians of a brain, in 1e-3 mm^2/s: white and grey matter have 0.7 to 0.9, fluid 3.
MIN_MEDIAN, MAX_MEDIAN = 0.3, 3.0
UNITS = {"mm^2/s": 1e3, "1e-3 mm^2/s": 1.0, "1e-6 mm^2/s": 1e-3}


def adc_map(b0: Any, dwi: Any, bvalue: float = 1000.0) -> npt.NDArray[Any]:
    """Make a map of the apparent diffusion coefficient: ADC = ln(S0 / Sb) / b.

    Parameters
    ----------
    b0 : (rows, columns) or (planes, rows, columns) array
        The image without diffusion weighting, real numbers of any unit.
    dwi : array of the shape of b0
        The diffusion-weighted image, in the same unit.
    bvalue : float, default 1000
        Of the weighted image, s/mm^2; 200 to 5000.

    Returns
    -------
    array of float32 or, of images with float64, float64
        1e-3 mm^2/s; NaN where either image is not above 0.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    Stejskal and Tanner, J. Chem. Phys. 42, 1965; Le Bihan et al., Radiology 161, 1986.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.stroke import adc_map
    >>> b0 = np.full((2, 2), 100.0)
    >>> adc_map(b0, b0 * np.exp(-0.75), 1000)
    array([[0.75, 0.75],
           [0.75, 0.75]])
    """
    at = arrays.on_cpu(b0=b0, dwi=dwi)
    zero = arrays.image(b0, "b0", at, kinds="iuf")
    weighted = arrays.image(dwi, "dwi", at, kinds="iuf")
    if zero.shape != weighted.shape:
        raise ValueError(
            f"b0 must have the shape of dwi, {arrays.describe(weighted)}, got "
            f"{arrays.describe(zero)}"
        )
    b = arrays.number(bvalue, "bvalue", at_least=MIN_B, at_most=MAX_B, unit="s/mm^2")
    kind = np.result_type(zero, weighted, np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log(zero.astype(kind) / weighted.astype(kind)) * kind.type(1e3 / b)
    found[~(np.isfinite(found) & (zero > 0) & (weighted > 0))] = np.nan
    return np.asarray(found)


def adc_scaled(adc: Any, brain: Any = None) -> tuple[npt.NDArray[np.float32], str]:
    """Bring a map of ADC to 1e-3 mm^2/s; its unit is told by its range.

    Parameters
    ----------
    adc : (rows, columns) or (planes, rows, columns) array
        In mm^2/s, 1e-3 or 1e-6 mm^2/s: a brain's median is 0.3e-3 to 3e-3 mm^2/s.
    brain : array of bool, optional
        Of the map's shape. None: all of it that is above 0.

    Returns
    -------
    array of float32
        1e-3 mm^2/s; NaN where the map is not finite.
    str
        The unit that the map was in, for people.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, or the range is of none of the units.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.stroke import adc_scaled
    >>> adc_scaled(np.array([[0, 750], [800, 2900]]))
    (array([[0.  , 0.75],
           [0.8 , 2.9 ]], dtype=float32), '1e-6 mm^2/s')
    """
    at = arrays.on_cpu(adc=adc, brain=brain)
    stored = arrays.image(adc, "adc", at, kinds="iuf")
    inside = np.isfinite(stored)
    inside &= stored > 0
    if brain is not None:
        inside &= arrays.mask(brain, stored.shape, at, "brain")
    if not inside.any():
        raise ValueError("adc must be above 0 in the brain, got no such value")
    median = float(np.median(stored[inside].astype(np.float64)))
    for unit, factor in UNITS.items():
        if MIN_MEDIAN <= median * factor <= MAX_MEDIAN:
            with np.errstate(over="ignore"):
                scaled = (stored.astype(np.float64) * factor).astype(np.float32)
            scaled[~np.isfinite(scaled)] = np.nan
            return scaled, unit
    raise ValueError(
        "adc must be in mm^2/s, 1e-3 or 1e-6 mm^2/s, where a brain's median is 0.3e-3 to "
        f"3e-3 mm^2/s; got a median of {median:g}"
    )
