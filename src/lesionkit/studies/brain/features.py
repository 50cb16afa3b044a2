"""MaZda's table of a region of interest: 229 names, and the families beside them.

Eleven co-occurrence features at twenty offsets, and nine of the histogram, as the reports of MaZda
4.6 name them; runs, gradient, autoregressive model and Haar energies by name. Levels are each
region's own, mean +- 3 sd, so that co-occurrence does not see how bright a region is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.texture import (
    MAZDA,
    ar_model,
    first_order,
    gradient,
    haar_energy,
    roi_features,
    run_length_features,
    run_lengths,
)
from lesionkit.texture.families import AR_MODEL, BANDS, GRADIENT, HISTOGRAM
from lesionkit.texture.rois import Normalise

Real = npt.NDArray[np.float64]

DISTANCES = (1, 2, 3, 4, 5)
LEVELS = 64  # 6 bits, as the papers that print MaZda's names have it
RUN_LEVELS, GRADIENT_LEVELS = 64, 16  # 6 and 4 bits: MaZda's defaults, recalled
RUNS = {
    "ShrtREmp": "short_run_emphasis",
    "LngREmph": "long_run_emphasis",
    "GLevNonU": "grey_level_nonuniformity",
    "RLNonUni": "run_length_nonuniformity",
    "Fraction": "run_percentage",
}
DIRECTIONS = {"Horzl": (0, 1), "Vertl": (1, 0), "45dgr": (-1, 1), "135dr": (1, 1)}


def _steps() -> dict[str, tuple[int, int]]:
    steps = {}
    for d in DISTANCES:
        for name, step in ((f"({d},0)", (0, d)), (f"(0,{d})", (d, 0)),
                           (f"({d},{d})", (-d, d)), (f"({d},-{d})", (d, d))):  # fmt: skip
            steps[f"S{name}"] = step
    return steps


STEPS = _steps()
"""S(dx,dy) -> (row, column): dx along columns. Rows grow downwards, so S(d,d) goes up (inferred:
MaZda's manual was not at hand)."""

OFFSETS = np.array(list(STEPS.values()))
"""(20, 2) steps as (row, column), in the order of the names."""

COOCCURRENCE = tuple(step + name for step in STEPS for name in MAZDA)
NAMES = (*COOCCURRENCE, *HISTOGRAM)
"""The 229 names: 20 offsets of 11 co-occurrence features, then nine of the histogram."""


def mazda(
    rois: Any,
    *,
    levels: int = LEVELS,
    normalise: Normalise = "sigma",
    families: Sequence[str] = ("cooccurrence", "histogram"),
) -> tuple[Real, tuple[str, ...]]:
    """Features of each region, and their names.

    Parameters
    ----------
    rois : (n, rows, columns) array
        Finite real numbers, 8 bits in the study; at least 6 x 6 pixels, so that each offset has a
        pair.
    levels : int, default 64
        Of the co-occurrence matrices, 2 to 65,536.
    normalise : {"sigma", "percentile", None}, default "sigma"
        "sigma": a region's mean - 3 to mean + 3 sd are its levels. "percentile": its 1st to 99th.
        None: 0 to 255 are the levels; it lets the mean in, by SumAverg.
    families : sequence of str, default ("cooccurrence", "histogram")
        Out of FAMILIES, in the order wanted.

    Returns
    -------
    table : (n, k) array of float64
        All finite.
    names : tuple of str
        k of them, as MaZda spells them; those of the default are NAMES.

    Raises
    ------
    ValueError, TypeError
        Where regions are too small, not finite, or a family is not known.

    References
    ----------
    Szczypinski et al., "MaZda", Computer Methods and Programs in Biomedicine 94, 66, 2009.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.brain.features import mazda
    >>> table, names = mazda(np.tile([10, 20], (1, 10, 5)))
    >>> table.shape, names[1]
    ((1, 229), 'S(1,0)Contrast')
    >>> table[0, names.index("S(1,0)Correlat")], table[0, names.index("S(2,0)Correlat")]
    (np.float64(-1.0), np.float64(1.0))
    """
    values = arrays.real(arrays.regular(rois, "rois"), "rois", ("n", "rows", "columns"))
    levels = arrays.integer(levels, "levels", at_least=2, at_most=2**16)
    for family in families:
        arrays.one_of(family, "families", tuple(FAMILIES))
    if min(values.shape[1:]) <= DISTANCES[-1]:
        raise ValueError(
            f"rois must have at least {DISTANCES[-1] + 1} rows and columns, so that pixels "
            f"{DISTANCES[-1]} apart are in them, got {values.shape[1]} x {values.shape[2]}"
        )
    found = [FAMILIES[family](values, levels, normalise) for family in families]
    table = np.column_stack([columns for columns, _ in found])
    return table, tuple(name for _, names in found for name in names)


def quantised(rois: Any, levels: int, normalise: Normalise = "sigma") -> npt.NDArray[np.int64]:
    """Levels 0 to levels - 1 of each region, cut as `roi_features` cuts them; all 0 where it is
    constant. None: 0 to 255 in equal steps."""
    values = np.asarray(rois, np.float64)
    if normalise == "sigma":
        mean = values.mean((1, 2), keepdims=True)
        spread = 3 * values.std((1, 2), keepdims=True)
        low, high = mean - spread, mean + spread
    elif normalise == "percentile":
        low, high = (np.percentile(values, q, (1, 2), keepdims=True) for q in (1, 99))
    else:
        low, high = np.zeros((len(values), 1, 1)), np.full((len(values), 1, 1), 256.0)
    flat = (values.max((1, 2), keepdims=True) == values.min((1, 2), keepdims=True)) | (low == high)
    if normalise is None:
        flat[:] = False
    place = (values - low) / np.where(flat, 1.0, high - low) * levels
    cut = np.floor(place).clip(0, levels - 1).astype(np.int64)
    return np.where(flat, 0, cut)


def _cooccurrence(rois: Real, levels: int, normalise: Normalise) -> tuple[Real, tuple[str, ...]]:
    given = quantised(rois, levels, None) if normalise is None else rois
    table = roi_features(given, OFFSETS, levels, normalise=normalise)
    return table.reshape(len(rois), -1), COOCCURRENCE


def _histogram(rois: Real, _: int, __: Normalise) -> tuple[Real, tuple[str, ...]]:
    return first_order(rois), HISTOGRAM


def _runs(rois: Real, _: int, normalise: Normalise) -> tuple[Real, tuple[str, ...]]:
    cut = quantised(rois, RUN_LEVELS, normalise)
    pixels = rois.shape[1] * rois.shape[2]
    steps = list(DIRECTIONS.values())
    rows = []
    for roi in cut:
        found = run_length_features(run_lengths(roi, steps, RUN_LEVELS), pixels)
        rows.append(np.stack([found[name] for name in RUNS.values()], axis=1).ravel())
    names = tuple(f"{direction}_{name}" for direction in DIRECTIONS for name in RUNS)
    return np.array(rows).reshape(len(rois), len(names)), names


def _gradient(rois: Real, _: int, normalise: Normalise) -> tuple[Real, tuple[str, ...]]:
    return gradient(quantised(rois, GRADIENT_LEVELS, normalise)), GRADIENT


def _model(rois: Real, _: int, __: Normalise) -> tuple[Real, tuple[str, ...]]:
    return ar_model(rois), AR_MODEL


def _haar(rois: Real, levels: int, normalise: Normalise) -> tuple[Real, tuple[str, ...]]:
    scales = min(2, min(rois.shape[1:]).bit_length() - 1)
    names = tuple(f"WavEn{band}_s-{s}" for s in range(1, scales + 1) for band in BANDS)
    return haar_energy(quantised(rois, levels, normalise), scales), names


FAMILIES: dict[str, Callable[[Real, int, Normalise], tuple[Real, tuple[str, ...]]]] = {
    "cooccurrence": _cooccurrence,
    "histogram": _histogram,
    "runs": _runs,
    "gradient": _gradient,
    "ar": _model,
    "haar": _haar,
}
