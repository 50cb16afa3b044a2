"""Features of a matrix that counts grey levels against sizes: of runs, zones, or dependences."""

from __future__ import annotations

from typing import Any

import numpy as np

from lesionkit import arrays


def emphases(
    counts: Any, sizes: Any = None, voxels: Any = None, levels: Any = None
) -> dict[str, Any]:
    """The seventeen features that runs, zones and dependences have in common.

    counts : (..., levels, sizes)
    sizes  : (sizes,): what the columns stand for; 1, 2, 3 ... if None
    levels : (levels,): the numbers of the grey levels; 1, 2, 3 ... if None
    voxels : of the region, a number or (...); the sum of counts * sizes if None
    returns: name -> (...) float64, NaN where a matrix is empty. With N = sum of counts, i the grey
             level, j the size: small is the mean of 1/j^2, large of j^2, low_grey of 1/i^2,
             high_grey of i^2, small_low_grey of 1/(i j)^2 and so on; nonuniformity is the sum of
             squared marginal counts over N, normalised over N^2; variance of i or j; entropy in
             bits; energy the sum of squared shares; percentage N / voxels (a fraction);
             whole N / N.
    Source: IBSI reference manual (arXiv:1612.07003v11), sections 3.7, 3.8 and 3.11.
    """
    xp = arrays.namespace(counts)
    n = xp.asarray(counts, dtype=np.float64)
    i = xp.arange(1.0, n.shape[-2] + 1) if levels is None else xp.asarray(levels, np.float64)
    j = xp.arange(1.0, n.shape[-1] + 1) if sizes is None else xp.asarray(sizes, dtype=np.float64)
    by_grey, by_size = n.sum(-1), n.sum(-2)
    # sums[..., a, b]: of the counts, weighted with 1, i^-2 or i^2, and with 1, j^-2, j^2 or j
    rows = xp.stack([xp.ones_like(i), 1 / i**2, i**2])
    columns = xp.stack([xp.ones_like(j), 1 / j**2, j**2, j], axis=1)
    sums = rows @ (n @ columns)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = sums[..., 0, 0]
        mean = sums / total[..., None, None]
        p = n / total[..., None, None]
        logs = xp.log2(xp.where(p > 0, p, 1.0))
        grey_squares, size_squares = (by_grey**2).sum(-1), (by_size**2).sum(-1)
        return {
            "small": mean[..., 0, 1],
            "large": mean[..., 0, 2],
            "low_grey": mean[..., 1, 0],
            "high_grey": mean[..., 2, 0],
            "small_low_grey": mean[..., 1, 1],
            "small_high_grey": mean[..., 2, 1],
            "large_low_grey": mean[..., 1, 2],
            "large_high_grey": mean[..., 2, 2],
            "grey_nonuniformity": grey_squares / total,
            "grey_nonuniformity_normalised": grey_squares / total**2,
            "size_nonuniformity": size_squares / total,
            "size_nonuniformity_normalised": size_squares / total**2,
            "percentage": total / (sums[..., 0, 3] if voxels is None else voxels),
            "grey_variance": _variance(by_grey / total[..., None], i),
            "size_variance": _variance(by_size / total[..., None], j),
            "entropy": -(p * logs).sum((-2, -1)),
            "energy": (p**2).sum((-2, -1)),
            "whole": total / total,
        }


def _variance(fraction: Any, value: Any) -> Any:
    mean = (fraction * value).sum(-1)[..., None]
    return (fraction * (value - mean) ** 2).sum(-1)


def renamed(features: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Those of `names`, in its order, under the names it gives: {new name: name in `features`}."""
    return {new: features[old] for new, old in names.items()}


def features_of(
    counts: Any, names: dict[str, str], sizes: Any = None, voxels: Any = None
) -> dict[str, Any]:
    """The features of `names` of a caller's matrices, of which each counts something, and his sizes
    and voxels; else a clear error. Where the counts live."""
    home = arrays.home(counts=counts)
    with home.current():
        xp = home.xp
        array = home.view(counts, "counts")
        array = arrays.real(array, "counts", ("...", "levels", "sizes"), xp=xp, at_least=0)
        check_far_from_limits(array, "counts")
        nothing = ~array.any((-2, -1))
        if nothing.any() or not array.size:
            raise ValueError(
                f"counts must count something in each matrix, got {arrays.describe(array)} "
                f"with {int(nothing.sum())} that are all 0"
            )
        if sizes is not None:
            sizes = _positive(sizes, "sizes", (array.shape[-1],), xp, 1e50)
        if voxels is not None:
            voxels = _positive(voxels, "voxels", ("...",), xp, 1e100)
        found = renamed(emphases(array, sizes, voxels), names)
        return {name: home.back(value) for name, value in found.items()}


def _positive(value: Any, name: str, shape: arrays.Shape, xp: Any, most: float) -> Any:
    """Numbers above 0, between 1 / most and most, as an array of `xp`."""
    given = arrays.home(**{name: value}).view(value, name)
    array = arrays.real(given, name, shape, xp=xp, above=0)
    if array.size and not (1 / most < float(array.min()) and float(array.max()) < most):
        raise ValueError(
            f"{name} must be between {1 / most:g} and {most:g}, got {float(array.min()):g} to "
            f"{float(array.max()):g}"
        )
    return array


def check_far_from_limits(checked: Any, name: str) -> None:
    """Raise ValueError unless the squares of the largest counts, and their sums, are numbers."""
    largest = float(checked.max()) if checked.size else 0.0
    if largest and not 1e-100 < largest < 1e100:
        raise ValueError(
            f"{name} must have a largest number between 1e-100 and 1e100, got {largest:g}"
        )
