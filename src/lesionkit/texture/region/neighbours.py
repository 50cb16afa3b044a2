"""Neighbourhoods: grey level dependence (GLDM, IBSI's NGLDM) and tone difference (NGTDM)."""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit._core import texture as _kernels
from lesionkit.texture.region.discretise import Region, region
from lesionkit.texture.region.emphasis import check_far_from_limits, features_of

DEPENDENCE_FEATURES = {
    "low_dependence_emphasis": "small",
    "high_dependence_emphasis": "large",
    "low_grey_level_emphasis": "low_grey",
    "high_grey_level_emphasis": "high_grey",
    "low_dependence_low_grey_level_emphasis": "small_low_grey",
    "low_dependence_high_grey_level_emphasis": "small_high_grey",
    "high_dependence_low_grey_level_emphasis": "large_low_grey",
    "high_dependence_high_grey_level_emphasis": "large_high_grey",
    "grey_level_nonuniformity": "grey_nonuniformity",
    "grey_level_nonuniformity_normalised": "grey_nonuniformity_normalised",
    "dependence_nonuniformity": "size_nonuniformity",
    "dependence_nonuniformity_normalised": "size_nonuniformity_normalised",
    "dependence_percentage": "whole",
    "grey_level_variance": "grey_variance",
    "dependence_variance": "size_variance",
    "dependence_entropy": "entropy",
    "dependence_energy": "energy",
}


Real = npt.NDArray[np.float64]


class Neighbours(NamedTuple):
    """What :func:`neighbours` finds.

    Attributes
    ----------
    dependence : (levels, n + 1) array of int64
        How many voxels of each level have 0, 1, ... n neighbours whose level differs by at most
        `alpha`.
    voxels : (levels,) array of int64
        How many of each level have a neighbour in the region.
    differences : (levels,) array of float64
        The sum over those of abs(level - mean level of the neighbours).
    """

    dependence: npt.NDArray[np.int64]
    voxels: npt.NDArray[np.int64]
    differences: npt.NDArray[np.float64]


def neighbours(
    image: Any, levels: int, mask: Any = None, alpha: int = 0, distance: int = 1
) -> Neighbours:
    """Grey level dependence and grey tone difference of a region, in one pass on the CPU.

    Parameters
    ----------
    image : (rows, columns) or (slices, rows, columns) array of integers
        In [0, levels) in the mask.
    levels : int
        1 to 65,536.
    mask : array of bool or int, optional
        Of the image's shape; what is not 0 is inside. None: everything.
    alpha : int, default 0
        How far the levels of dependent neighbours may be apart, 0 or more.
    distance : int, default 1
        Neighbours are at most so many voxels away in every axis, 1 to 3.

    Returns
    -------
    Neighbours
        `dependence`, `voxels` and `differences`.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    Sun and Wee, CVGIP 23, 341-352, 1983; Amadasun and King, IEEE Trans. SMC 19, 1264-1274, 1989;
    IBSI reference manual (arXiv:1612.07003), sections 3.10 and 3.11.

    Examples
    --------
    >>> from lesionkit.texture import neighbours
    >>> found = neighbours([[0, 0], [0, 1]], levels=2)
    >>> found.dependence.tolist()
    [[0, 0, 3, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0, 0]]
    >>> found.differences.tolist()
    [1.0, 1.0]
    """
    alpha = arrays.integer(alpha, "alpha", at_least=0)
    distance = arrays.integer(distance, "distance", at_least=1, at_most=3)
    return count_neighbours(region(image, levels, mask, border=distance), alpha)


def count_neighbours(
    cut: Region,
    alpha: int = 0,
    lonely: bool = False,
    distances: tuple[int, ...] | None = None,
    rows: npt.NDArray[np.int32] | None = None,
) -> Neighbours:
    """The neighbourhoods of a region.

    rows      : (levels + 1,) of each level, 0 for outside, its row in the answer, from 1; None: all
                have one
    lonely    : count voxels without a neighbour too, with difference 0, as PyRadiomics does
    distances : of neighbours, by the axis along which they are farthest away, no more than the
                border; None: all that are within it
    """
    chosen = range(1, cut.border + 1) if distances is None else distances
    along = range(-max(chosen), max(chosen) + 1)
    steps = product(along, along if cut.axes == 3 else (0,), along)
    offsets = np.array([step for step in steps if max(map(abs, step)) in chosen], np.int64)
    rows = np.arange(cut.levels + 1, dtype=np.int32) if rows is None else rows
    kinds = int(rows.max()) + 1
    dependence, differences = np.zeros((2, kinds, len(offsets) + 1), np.int64)
    voxels = np.zeros((kinds, 2), np.int64)
    _kernels.neighbours(
        cut.padded,
        cut.border,
        offsets,
        min(alpha, cut.levels),
        rows,
        dependence,
        voxels,
        differences,
    )
    # differences[:, n] is of voxels with n neighbours, n times too large
    return Neighbours(
        dependence[1:],
        voxels[1:, 0 if lonely else 1 :].sum(1),
        (differences[1:, 1:] / np.arange(1, len(offsets) + 1)).sum(1),
    )


def dependence_features(counts: Any) -> dict[str, Any]:
    """The seventeen features of a grey level dependence matrix.

    They are those of the IBSI, of which PyRadiomics has 14.

    Parameters
    ----------
    counts : (..., levels, n + 1) array_like
        As :func:`neighbours` gives them, finite and not negative.

    Returns
    -------
    dict of str to (...) array of float64
        Grey levels are numbered from 1, and so are dependences: a voxel without dependent
        neighbours has 1. dependence_percentage, of voxels that have a dependence, is always 1.

    Raises
    ------
    TypeError, ValueError
        Where a matrix is empty, or the argument is not as described.

    References
    ----------
    IBSI reference manual (arXiv:1612.07003v11), section 3.11.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.texture import dependence_features, neighbours
    >>> flat = neighbours(np.zeros((5, 5), int), levels=1)
    >>> round(float(dependence_features(flat.dependence)["dependence_entropy"]), 3)
    1.462
    """
    return features_of(counts, DEPENDENCE_FEATURES)


def tone_features(voxels: Any, differences: Any) -> dict[str, float]:
    """The five features of neighbourhood grey tone differences.

    Parameters
    ----------
    voxels, differences : (levels,) array_like
        As :func:`neighbours` gives them, with a voxel or more.

    Returns
    -------
    dict of str to float
        coarseness (1e6 where all differences are 0, as in the IBSI), contrast, busyness, complexity
        and strength; all but coarseness are 0 where they would be 0 / 0.

    Raises
    ------
    TypeError, ValueError
        Where no voxel has a neighbour, or an argument is not as described.

    References
    ----------
    Amadasun and King, IEEE Trans. SMC 19, 1264-1274, 1989; IBSI reference manual
    (arXiv:1612.07003v11), section 3.10.

    Examples
    --------
    >>> from lesionkit.texture import neighbours, tone_features
    >>> found = neighbours([[0, 1, 0], [1, 0, 1]], levels=2)
    >>> round(tone_features(found.voxels, found.differences)["coarseness"], 3)
    0.517
    """
    home = arrays.on_cpu(voxels=voxels, differences=differences)
    n = arrays.real(home.view(voxels, "voxels"), "voxels", (None,), at_least=0)
    s = home.view(differences, "differences")
    s = arrays.real(s, "differences", (len(n),), at_least=0)
    check_far_from_limits(n, "voxels")
    check_far_from_limits(s, "differences")
    if not n.any():
        raise ValueError("voxels must hold a voxel that has a neighbour, got 0 of every level")
    there = n > 0
    return tones(n[there], s[there], np.flatnonzero(there) + 1)


def tones(n: Any, s: Real, levels: npt.NDArray[np.int64]) -> dict[str, float]:
    """The features of `tone_features`, of those levels that occur, counted from 1."""
    n, i = n.astype(np.float64), levels.astype(np.float64)
    total = n.sum()
    p, kinds = n / total, len(n)
    ps, pairs = p * s, kinds * (kinds - 1)
    off = i - i.mean()
    spread = p @ (i - p @ i) ** 2  # half the mean of (i - j)^2 over pairs
    # Sums over pairs of levels, without a table of them: of |a - b|, in order of a ...
    ip = np.sort(i * p)
    differences = 2 * ((ip - ip[0]) @ (2 * np.arange(kinds) - (kinds - 1)))
    # ... and of |i - j| (ps_i + ps_j) / (p_i + p_j), for all i that share an n at a time.
    complexity = 0.0
    for count in np.unique(n):
        same = n == count
        below, sums = np.cumsum(same), np.cumsum(np.where(same, i, 0.0))
        apart = i * (2 * below - below[-1]) + (sums[-1] - 2 * sums)  # sum of |i - j| over these j
        complexity += 2 * (ps @ (apart / (p + count / total)))
    squares = kinds * off**2 + off @ off  # sum of (i - j)^2 over all j
    return {
        "coarseness": float(1 / ps.sum()) if ps.any() else 1e6,
        "contrast": float(2 * spread * s.sum() / total / pairs) if pairs else 0.0,
        "busyness": float(ps.sum() / differences) if differences else 0.0,
        "complexity": float(complexity / total),
        "strength": float(2 * (p @ squares) / s.sum()) if s.any() else 0.0,
    }
