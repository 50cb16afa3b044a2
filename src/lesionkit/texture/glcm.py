"""Grey-level co-occurrence matrices: scikit-image's two functions, and counts of n-D images.

`graycomatrix` and `graycoprops` are those of scikit-image 0.26: the same arguments, coercion,
errors and numbers. `cooccurrence` is ours: any number of axes, a mask, offsets in voxels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit._core import texture as _kernels
from lesionkit.texture.images import (
    check_levels,
    check_memory,
    check_offsets,
    integers,
    mask_of,
    three,
)

Real = npt.NDArray[np.float64]


# --- scikit-image's ------------------------------------------------------------------------------


def graycomatrix(
    image: Any,
    distances: Any,
    angles: Any,
    levels: int | None = None,
    symmetric: bool = False,
    normed: bool = False,
) -> npt.NDArray[Any]:
    """Co-occurrence matrices, with the arguments and answers of `skimage.feature.graycomatrix`.

    Parameters
    ----------
    image : (rows, columns) array of integers
        Grey levels in [0, levels).
    distances : (d,) array_like of float
        In pixels.
    angles : (a,) array_like of float
        In radians. A pixel is paired with the one sin(angle) distance rows below and cos(angle)
        distance columns to the right, each rounded, halves away from zero: at pi/4 distances 1 and
        2 both give (1, 1), as in scikit-image.
    levels : int, optional
        Side of the matrices. None means 256, and takes 8-bit images only.
    symmetric : bool, default False
        Count each pair in both orders.
    normed : bool, default False
        Make each matrix sum to 1.

    Returns
    -------
    (levels, levels, d, a) array of uint32, float64 where `normed`
        Entry [i, j] tells how often level j stands at the offset from level i.

    Raises
    ------
    ValueError, TypeError
        Where scikit-image raises one.

    References
    ----------
    Haralick, Shanmugam and Dinstein, IEEE Trans. SMC 3, 610-621, 1973, section II.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.texture import graycomatrix
    >>> image = np.uint8([[0, 0, 1], [0, 1, 1], [2, 2, 2]])
    >>> graycomatrix(image, [1], [0], levels=3)[:, :, 0, 0].tolist()
    [[1, 2, 0], [0, 1, 0], [0, 0, 2]]
    """
    _check_nd(image, 2)
    _check_nd(distances, 1, "distances")
    _check_nd(angles, 1, "angles")
    image = np.ascontiguousarray(image)
    if np.issubdtype(image.dtype, np.floating):
        raise ValueError(
            "Float images are not supported by graycomatrix. Convert the image to an unsigned "
            "integer type."
        )
    if image.dtype not in (np.uint8, np.int8) and levels is None:
        raise ValueError(
            "The levels argument is required for data types other than uint8. The resulting "
            "matrix will be at least levels ** 2 in size."
        )
    if image.dtype.kind not in "biu":
        raise TypeError(f"image must hold integers, got {arrays.describe(image)}")
    if np.issubdtype(image.dtype, np.signedinteger) and np.any(image < 0):
        raise ValueError("Negative-valued images are not supported.")
    levels = 256 if levels is None else arrays.integer(levels, "levels", at_least=0)
    if image.max() >= levels:
        raise ValueError(
            "The maximum grayscale value in the image should be smaller than the number of levels."
        )
    if image.dtype == bool:
        image = image.view(np.uint8)
    symmetric, normed = arrays.flag(symmetric, "symmetric"), arrays.flag(normed, "normed")
    distances = np.ascontiguousarray(distances, dtype=np.float64)
    angles = np.ascontiguousarray(angles, dtype=np.float64)

    steps, pairs = _steps(distances, angles, *image.shape)
    totals = np.maximum((2.0 if symmetric else 1.0) * pairs, 1.0)
    matrices = _empty((levels, levels, len(steps)), np.float64 if normed else np.uint32)
    _kernels.graycomatrix(_native(image), steps, symmetric, totals, matrices)
    return matrices.reshape(levels, levels, len(distances), len(angles))


def graycoprops(P: Any, prop: str = "contrast") -> Real:
    """A property of each matrix, with the arguments and answers of `skimage.feature.graycoprops`.

    Parameters
    ----------
    P : (levels, levels, d, a) array
        Counts or probabilities; each matrix is divided by its sum first.
    prop : str, default "contrast"
        contrast, dissimilarity, homogeneity, ASM, energy, correlation, mean, variance, std or
        entropy (natural logarithm).

    Returns
    -------
    (d, a) array of float64
        Correlation is 1 where a standard deviation is 0. Where sums or squares of P overflow (above
        1e308) or vanish, the answer is that of P times a power of 2.

    Raises
    ------
    ValueError, TypeError
        Where scikit-image raises one.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.texture import graycomatrix, graycoprops
    >>> stripes = np.tile(np.uint8([0, 3]), (4, 4))
    >>> matrices = graycomatrix(stripes, [1, 2], [0], levels=4)
    >>> graycoprops(matrices, "contrast").ravel().round(9).tolist()
    [9.0, 0.0]
    """
    _check_nd(P, 4, "P")
    P = arrays.numbers(P, "P")
    levels, others, distances, angles = P.shape
    if levels != others:
        raise ValueError("num_level and num_level2 must be equal.")
    if not isinstance(prop, str) or prop not in _PROPERTIES:
        raise ValueError(f"{prop} is an invalid property")
    kept = P.dtype == np.uint32 and P.dtype.isnative
    matrices = np.ascontiguousarray(P if kept else P.astype(np.float64, copy=False))
    matrices = matrices.reshape(levels, levels, -1)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore", under="ignore"):
        totals, result = _PROPERTIES[prop](matrices)
        if not kept and ((totals != 0) & ~((abs(totals) > 1e-100) & (abs(totals) < 1e100))).any():
            _, result = _PROPERTIES[prop](_near_one(matrices))
    return result.reshape(distances, angles)


def _near_one(matrices: Real) -> Real:
    """Each matrix times a power of 2, so that its largest entry is near 1; 0, NaN and infinity as
    they are."""
    largest = abs(matrices).max((0, 1))
    exponents = np.frexp(np.where(np.isfinite(largest), largest, 0.0))[1]
    scaled: Real = np.ldexp(matrices, -exponents)
    return scaled


# Each property of matrices (levels, levels, n): their sums (n), and what is asked for (n).


def _weighted(matrices: Any, weights: Real, square: bool = False) -> tuple[Real, Real]:
    sums = np.empty((2, matrices.shape[2]))
    _kernels.weighted_sums(matrices, weights, square, sums)
    return sums[0], sums[1]


def _or_one(sums: Real) -> Real:
    return np.where(sums == 0, 1.0, sums)


def _by_difference(matrices: Any, weight: Callable[[Real], Real]) -> tuple[Real, Real]:
    totals, sums = _weighted(matrices, weight(np.arange(len(matrices), dtype=np.float64)))
    return totals, sums / _or_one(totals)


def _asm(matrices: Any) -> tuple[Real, Real]:
    totals, sums = _weighted(matrices, np.zeros(len(matrices)), square=True)
    return totals, sums / _or_one(totals) ** 2


class _Moments:
    """Levels (l, 1), shares of the rows and of the columns (l, n), moments along the rows, mean."""

    def __init__(self, matrices: Any) -> None:
        sums = np.empty((3, len(matrices), matrices.shape[2]))
        _kernels.line_sums(matrices, sums)
        self.totals = sums[0].sum(0)
        self.rows, self.columns, self.along = sums / _or_one(self.totals)
        self.level = np.arange(len(matrices), dtype=np.float64)[:, None]
        self.mean: Real = (self.level * self.rows).sum(0)

    @property
    def variance(self) -> Real:
        return np.asarray((self.rows * (self.level - self.mean) ** 2).sum(0))


def _mean(matrices: Any) -> tuple[Real, Real]:
    m = _Moments(matrices)
    return m.totals, m.mean


def _variance(matrices: Any) -> tuple[Real, Real]:
    m = _Moments(matrices)
    return m.totals, m.variance


def _correlation(matrices: Any) -> tuple[Real, Real]:
    m = _Moments(matrices)
    other = (m.level * m.columns).sum(0)
    deviation = np.sqrt(m.variance)
    of_other = np.sqrt((m.columns * (m.level - other) ** 2).sum(0))
    covariance = ((m.level - m.mean) * (m.along - other * m.rows)).sum(0)
    flat = (deviation < 1e-15) | (of_other < 1e-15)
    scale = np.where(flat, 1.0, deviation * of_other)
    return m.totals, np.where(flat, 1.0, covariance / scale)


def _entropy(matrices: Any) -> tuple[Real, Real]:
    totals, _ = _weighted(matrices, np.zeros(len(matrices)))
    out = np.empty(matrices.shape[2])
    _kernels.entropies(matrices, _or_one(totals), out)
    return totals, out


def _root_of(found: tuple[Real, Real]) -> tuple[Real, Real]:
    return found[0], np.sqrt(found[1])


_PROPERTIES = {
    "contrast": lambda p: _by_difference(p, lambda d: d * d),
    "dissimilarity": lambda p: _by_difference(p, lambda d: d),
    "homogeneity": lambda p: _by_difference(p, lambda d: 1 / (1 + d * d)),
    "ASM": _asm,
    "energy": lambda p: _root_of(_asm(p)),
    "correlation": _correlation,
    "mean": _mean,
    "variance": _variance,
    "std": lambda p: _root_of(_variance(p)),
    "entropy": _entropy,
}


def _check_nd(array: Any, ndim: int, name: str = "image") -> None:
    arrays.on_cpu(**{name: array})  # what NumPy would read voxel by voxel is refused, too
    try:
        array = np.asanyarray(array)
    except (ValueError, TypeError):  # rows of several lengths, a sparse tensor
        array = np.array(None)
    if array.size == 0:
        raise ValueError(f"The parameter `{name}` cannot be an empty array")
    if array.ndim != ndim:
        raise ValueError(f"The parameter `{name}` must be a {ndim}-dimensional array")


def _native(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return image if image.dtype.isnative else image.astype(image.dtype.newbyteorder("="))


def _empty(shape: tuple[int, ...], dtype: Any) -> npt.NDArray[Any]:
    """np.empty, but large arrays begin at a multiple of 2 MiB: Linux then backs them with pages of
    that size, which NumPy asks for, and not with thousands of 4 KiB at their ends."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size < _HUGE_PAGE:
        return np.empty(shape, dtype)
    memory = np.empty(size + _HUGE_PAGE, np.uint8)
    begin = -memory.__array_interface__["data"][0] % _HUGE_PAGE
    aligned: npt.NDArray[Any] = memory[begin : begin + size].view(dtype).reshape(shape)
    return aligned


_HUGE_PAGE = 1 << 21


def _steps(
    distances: Real, angles: Real, rows: int, columns: int
) -> tuple[npt.NDArray[np.int64], Real]:
    """Offsets (n, 2) in pixels, each distance with all angles, and how many pairs each has."""

    def rounded(x: float, size: int) -> int:
        if not math.isfinite(x):
            return size  # no pixel is there
        return int(max(-size, min(size, math.trunc(x + 0.5 if x > 0 else x - 0.5))))

    steps = np.array(
        [
            (rounded(_times(math.sin, a, d), rows), rounded(_times(math.cos, a, d), columns))
            for d in distances
            for a in angles
        ],
        np.int64,
    )
    pairs = (rows - np.abs(steps[:, 0])) * (columns - np.abs(steps[:, 1]))
    return steps, pairs.astype(np.float64)


def _times(function: Any, angle: float, distance: float) -> float:
    return float(function(angle) * distance) if math.isfinite(angle) else math.nan


# --- ours ----------------------------------------------------------------------------------------


def cooccurrence(
    image: Any, offsets: Any, levels: int, mask: Any = None, symmetric: bool = True
) -> Any:
    """Count the pairs of grey levels at each offset, in images or volumes, with or without a mask.

    Parameters
    ----------
    image : (..., rows, columns) or (..., planes, rows, columns) array of integers
        Levels in [0, levels), or anything where `mask` is False. Leading axes are a batch.
    offsets : (n, 2) or (n, 3) array_like of int
        Steps in voxels along the last 2 or 3 axes, as many as an offset has numbers; the axes
        before them are the batch.
    levels : int
        Side of the matrices, 1 to 65,536.
    mask : array, optional
        True where a voxel counts, of the image's shape or without its batch axes. A pair counts if
        both its voxels do. None: all count.
    symmetric : bool, default True
        Count each pair in both orders.

    Returns
    -------
    (..., n, levels, levels) array of uint32, uint64 where 32 bits might not do
        Of the image's kind. Entry [i, j] tells how often level j stands at the offset from level i.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, or memory cannot hold the matrices.

    References
    ----------
    Haralick, Shanmugam and Dinstein, IEEE Trans. SMC 3, 610-621, 1973, section II.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.texture import cooccurrence
    >>> image = np.array([[0, 0, 1], [0, 1, 1], [2, 2, 2]])
    >>> cooccurrence(image, [(0, 1)], 3, mask=image < 2)[0].tolist()
    [[2, 2, 0], [2, 2, 0], [0, 0, 0]]
    """
    home = arrays.home(image=image, mask=mask)
    symmetric = arrays.flag(symmetric, "symmetric")
    levels = check_levels(levels)
    with home.current():
        xp = home.xp
        image = integers(image, "image", home, takes_mask=True)
        steps = check_offsets(offsets, image.ndim)
        batch = image.shape[: image.ndim - steps.shape[1]]
        shape = image.shape[len(batch) :]
        inside = mask_of(mask, image, len(batch), home)
        volumes = image.reshape(-1, *(1,) * (3 - len(shape)), *shape)
        masks = None if inside is None else inside.reshape(volumes.shape)
        dtype = np.dtype(np.uint32 if 2 * math.prod(shape) < 2**32 else np.uint64)
        if home.gpu is None:  # the answer, and a table of 32 bits, at least one
            matrices = len(volumes) * len(steps)
            check_memory(
                (levels + 1) ** 2 * (matrices * dtype.itemsize + 4),
                f"levels must be so few that {matrices} matrices of {levels} x {levels} fit into "
                "memory",
            )
        counts = xp.empty((len(volumes), len(steps), levels, levels), dtype)
        full = three(steps, shape)
        if home.gpu is None:
            low, high = _kernels.count_pairs(volumes, masks, full, symmetric, counts)
        else:
            from lesionkit.texture import glcm_gpu

            low, high = glcm_gpu.count_pairs(volumes, masks, full, symmetric, counts)
        if low <= high and (low < 0 or high >= levels):
            raise ValueError(
                f"image must hold levels from 0 to {levels - 1}"
                f"{' where mask is true' if mask is not None else ''}, got {low} to {high}"
            )
        return home.back(counts.reshape(*batch, len(steps), levels, levels))
