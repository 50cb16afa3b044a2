"""Features of co-occurrence matrices: Haralick's, MaZda's and those of the IBSI, in one table.

Each matrix is read once, for the sums along its rows, columns, diagonals and antidiagonals; every
feature is then a formula of these, one plain function in `FEATURES`.

With p the matrix divided by its sum, levels i, j counted from `first_level`, and N levels:

    p_x(i), p_y(j)    sums of p along row i, column j;  mu_x, mu_y, sigma_x, sigma_y go with them
    p_s(k)            sum of p over i + j = k;  p_d(k) over |i - j| = k
    H                 -sum p log p;  HX, HY the same of p_x, p_y. The HXY1 = -sum p log(p_x p_y) and
                      HXY2 = -sum p_x p_y log(p_x p_y) of Haralick are both HX + HY, always.

Sources: Haralick, Shanmugam and Dinstein 1973, appendix I (f1 to f14; in f7 we centre on the sum
average: its text names the sum entropy, by mistake); the Image Biomarker Standardisation
Initiative, "Reference manual", section 3.6, whose names these are; MaZda's names from Szczypinski
et al., Comput. Methods Programs Biomed. 94, 66-76, 2009.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from lesionkit import arrays
from lesionkit._core import texture as _kernels
from lesionkit.texture.images import check_first_level, check_log_base
from lesionkit.texture.names import HARALICK as HARALICK

IBSI = (
    "joint_maximum",
    "joint_average",
    "joint_variance",
    "joint_entropy",
    "difference_average",
    "difference_variance",
    "difference_entropy",
    "sum_average",
    "sum_variance",
    "sum_entropy",
    "angular_second_moment",
    "contrast",
    "dissimilarity",
    "inverse_difference",
    "normalised_inverse_difference",
    "inverse_difference_moment",
    "normalised_inverse_difference_moment",
    "inverse_variance",
    "correlation",
    "autocorrelation",
    "cluster_tendency",
    "cluster_shade",
    "cluster_prominence",
    "information_correlation_1",
    "information_correlation_2",
)
# Other names of the same features: MaZda's, in its order, then scikit-image's.
OTHER_NAMES = {
    "AngScMom": "angular_second_moment",
    "Contrast": "contrast",
    "Correlat": "correlation",
    "SumOfSqs": "joint_variance",
    "InvDfMom": "inverse_difference_moment",
    "SumAverg": "sum_average",
    "SumVarnc": "sum_variance",
    "SumEntrp": "sum_entropy",
    "Entropy": "joint_entropy",
    "DifVarnc": "difference_variance",
    "DifEntrp": "difference_entropy",
    "ASM": "angular_second_moment",
    "homogeneity": "inverse_difference_moment",
    "entropy": "joint_entropy",
}


def haralick(
    counts: Any,
    features: str | Sequence[str] = HARALICK,
    *,
    log_base: float = 2.0,
    first_level: int = 1,
) -> Any:
    """Features of co-occurrence matrices: Haralick's 14, the IBSI's 25, or any others by name.

    Parameters
    ----------
    counts : (..., levels, levels) array
        Counts or probabilities, not negative, as `cooccurrence` gives them. Matrices of offsets
        that are to be merged are added first.
    features : str or sequence of str, default HARALICK
        Names of the IBSI, of MaZda or of scikit-image. Lists: HARALICK (14), IBSI (25), MAZDA (11).
    log_base : float, default 2
        Of the entropies: 2 as in the IBSI, mahotas and PyRadiomics, e as in scikit-image, 10
        probably as in MaZda and so the default of `roi_features`.
    first_level : int, default 1
        Number of the first level, for averages and autocorrelation: 1 as in the IBSI and MaZda, 0
        as in scikit-image and mahotas.

    Returns
    -------
    (..., features) array of float64, without the last axis for one name
        Of the kind of `counts`. NaN for a matrix without a pair. Where one level only occurs,
        correlation and maximal_correlation are 1 and both information correlations 0.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    Haralick, Shanmugam and Dinstein, IEEE Trans. SMC 3, 610-621, 1973, appendix I; IBSI reference
    manual (arXiv:1612.07003), section 3.6; the module's text says where they differ.

    Examples
    --------
    >>> from lesionkit.texture import haralick
    >>> haralick([[4, 0], [0, 4]], ["contrast", "joint_entropy", "correlation"]).round(9).tolist()
    [0.0, 1.0, 1.0]
    """
    names = feature_names(features, FEATURES)
    base = check_log_base(log_base)
    first = check_first_level(first_level)
    home = arrays.home(counts=counts)
    with home.current():
        matrices = _matrices(counts, home)
        levels, batch = matrices.shape[-1], matrices.shape[:-2]
        matrices = matrices.reshape(-1, levels, levels)
        lines, totals = marginals(matrices, home.xp)
        sums = Sums(lines, totals, base, first, home.xp, matrices)
        found = features_of(sums, names).reshape(*batch, len(names))
        return home.back(found[..., 0] if isinstance(features, str) else found)


def feature_names(features: Any, known: Any) -> list[str]:
    """The names, as `known` has them; else a clear error."""
    listed = isinstance(features, Iterable) and not isinstance(features, str)
    given = list(features) if listed else [features]
    if not given:
        raise ValueError("features must name one feature or more, got none")
    names = []
    for name in given:
        found = OTHER_NAMES.get(name, name) if isinstance(name, str) else ""
        if found not in known:
            raise ValueError(
                f"features must be of {', '.join(sorted(known))}, got {arrays.describe(name)}"
            )
        names.append(found)
    return names


def _matrices(counts: Any, home: arrays.Home) -> Any:
    """The matrices as C-contiguous uint32, uint64 or float64, none negative or NaN."""
    xp = home.xp
    array = arrays.numbers(home.view(counts, "counts"), "counts", xp, kinds="iuf")
    if array.ndim < 2 or array.shape[-1] != array.shape[-2] or not array.size:
        raise ValueError(
            f"counts must have shape (..., levels, levels) and not be empty, got "
            f"{arrays.describe(array)}"
        )
    if array.dtype.kind == "u":
        kind = np.uint32 if array.dtype.itemsize <= 4 else np.uint64
        return xp.ascontiguousarray(array, kind)
    with np.errstate(over="ignore"):  # of a longer type: infinite, and refused
        array = xp.ascontiguousarray(array, np.float64)
    low, high = float(array.min()), float(array.max())  # NaN if any is
    if not (low >= 0 and np.isfinite(high)):
        raise ValueError(f"counts must be finite and not negative, got {low:g} to {high:g}")
    largest = array.max((-2, -1))
    exponents = xp.frexp(largest)[1]
    if bool((abs(exponents[largest > 0]) > 300).any()):  # their squares would be no numbers
        array = xp.ldexp(array, -exponents[..., None, None])
    return array


def features_of(sums: Sums, names: Sequence[str]) -> Any:
    """(n, features): NaN for a matrix without a pair."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found = sums.xp.stack([FEATURES[name](sums) for name in names], axis=-1)
    found[sums.total == 0] = np.nan
    return found


def marginals(matrices: Any, xp: Any) -> tuple[Any, Any]:
    """The lines and totals that :class:`Sums` is made of, of matrices (n, levels, levels)."""
    n, levels = matrices.shape[:2]
    lines, totals = xp.empty((n, 5 * levels - 1)), xp.empty((n, 3))
    if xp is np:
        _kernels.marginals(matrices, lines, totals)
    else:
        from lesionkit.texture import glcm_gpu

        glcm_gpu.marginals(matrices, lines, totals)
    return lines, totals


class Sums:
    """What the features of n matrices are made of: (n, ...) arrays, each worked out when asked.

    lines    : (n, 5 levels - 1): sums along rows, columns, antidiagonals and diagonals |i - j|
    totals   : (n, 3): the sum of c^2 and of c ln c over the cells, and the largest c
    matrices : (n, levels, levels), which only the maximal correlation asks for
    """

    def __init__(
        self,
        lines: Any,
        totals: Any,
        log_base: float,
        first_level: int,
        xp: Any,
        matrices: Any = None,
    ) -> None:
        levels = (lines.shape[1] + 1) // 5
        self.matrices, self.levels, self.xp = matrices, levels, xp
        self.log = float(np.log(log_base))
        self.total = lines[:, :levels].sum(1)
        lines /= xp.where(self.total == 0, 1.0, self.total)[:, None]
        self.x, self.y = lines[:, :levels], lines[:, levels : 2 * levels]
        self.s, self.d = lines[:, 2 * levels : 4 * levels - 1], lines[:, 4 * levels - 1 :]
        self.squares, self.logs, self.largest = totals.T
        self.level = xp.arange(first_level, first_level + levels, dtype=np.float64)
        self.sum = xp.arange(2 * first_level, 2 * first_level + 2 * levels - 1, dtype=np.float64)
        self.difference = xp.arange(levels, dtype=np.float64)

    def entropy_of(self, p: Any) -> Any:
        """-sum p log p along the last axis."""
        xp = self.xp
        return -(p * xp.log(xp.where(p > 0, p, 1.0))).sum(-1) / self.log

    def about(self, mean: Any) -> Any:
        """Level numbers relative to a mean of each matrix."""
        return self.level - mean[:, None]

    def cluster(self, power: int) -> Any:
        """sum (i + j - mu_x - mu_y)^power p; power 2, 3 or 4."""
        off, square = self.off_average
        return (square * (self.s, off * self.s, square * self.s)[power - 2]).sum(1)

    def weighted(self, weights: Any) -> Any:
        """sum weights(k) p_d(k)."""
        return (self.d * weights).sum(1)

    @cached_property
    def off_average(self) -> tuple[Any, Any]:
        """i + j - mu_x - mu_y for each i + j, and its square."""
        off = self.sum - (self.mean_x + self.mean_y)[:, None]
        return off, off * off

    @cached_property
    def mean_x(self) -> Any:
        return (self.x * self.level).sum(1)

    @cached_property
    def mean_y(self) -> Any:
        return (self.y * self.level).sum(1)

    @cached_property
    def variance_x(self) -> Any:
        return (self.about(self.mean_x) ** 2 * self.x).sum(1)

    @cached_property
    def variance_y(self) -> Any:
        return (self.about(self.mean_y) ** 2 * self.y).sum(1)

    @cached_property
    def covariance(self) -> Any:
        return (self.cluster(2) - self.variance_x - self.variance_y) / 2

    @cached_property
    def entropy(self) -> Any:
        nats = self.xp.log(self.total) - self.logs / self.total
        return self.xp.maximum(nats, 0.0) / self.log

    @cached_property
    def entropy_x(self) -> Any:
        return self.entropy_of(self.x)

    @cached_property
    def entropy_y(self) -> Any:
        return self.entropy_of(self.y)

    @cached_property
    def independent(self) -> Any:  # HXY1 and HXY2
        return self.entropy_x + self.entropy_y

    @property
    def maximal_correlation(self) -> Any:
        """The second largest singular value of p(i,j) / sqrt(p_x(i) p_y(j)), whose square is the
        second largest eigenvalue of Haralick's Q; of a symmetric matrix, an eigenvalue of its own.
        """
        xp = self.xp
        used = xp.flatnonzero(((self.x > 0) | (self.y > 0)).any(0))
        if len(used) < 2:
            return xp.ones(len(self.matrices))
        total = xp.where(self.total == 0, 1.0, self.total)
        p = self.matrices[:, used[:, None], used] / total[:, None, None]
        x, y = xp.sqrt(self.x[:, used]), xp.sqrt(self.y[:, used])
        a = p / xp.where(x > 0, x, 1.0)[:, :, None] / xp.where(y > 0, y, 1.0)[:, None, :]
        if bool((p == p.swapaxes(1, 2)).all()):
            values = xp.sort(xp.abs(xp.linalg.eigvalsh(a)), axis=1)[:, -2]
        else:
            values = xp.linalg.svd(a, compute_uv=False)[:, 1]
        flat = ((self.x > 0).sum(1) < 2) | ((self.y > 0).sum(1) < 2)
        return xp.where(flat, 1.0, xp.minimum(values, 1.0))


def _correlation(m: Sums) -> Any:
    scale = m.xp.sqrt(m.variance_x * m.variance_y)
    flat = scale < 1e-15
    return m.xp.where(flat, 1.0, m.covariance / m.xp.where(flat, 1.0, scale))


def _difference_variance(m: Sums) -> Any:
    mean = m.weighted(m.difference)
    return ((m.difference - mean[:, None]) ** 2 * m.d).sum(1)


def _inverse_variance(m: Sums) -> Any:
    return (m.d[:, 1:] / m.difference[1:] ** 2).sum(1)


def _information_1(m: Sums) -> Any:
    most = m.xp.maximum(m.entropy_x, m.entropy_y)
    flat = most <= 0
    return m.xp.where(flat, 0.0, (m.entropy - m.independent) / m.xp.where(flat, 1.0, most))


def _information_2(m: Sums) -> Any:
    return m.xp.sqrt(-m.xp.expm1(-2 * m.xp.maximum(m.independent - m.entropy, 0.0)))


Formula = Callable[[Sums], Any]
FEATURES: dict[str, Formula] = {
    "joint_maximum": lambda m: m.largest / m.total,
    "joint_average": lambda m: m.mean_x,
    "joint_variance": lambda m: m.variance_x,  # f4, "sum of squares: variance"
    "joint_entropy": lambda m: m.entropy,  # f9
    "difference_average": lambda m: m.weighted(m.difference),
    "difference_variance": _difference_variance,  # f10
    "difference_entropy": lambda m: m.entropy_of(m.d),  # f11
    "sum_average": lambda m: (m.s * m.sum).sum(1),  # f6
    "sum_variance": lambda m: m.cluster(2),  # f7
    "sum_entropy": lambda m: m.entropy_of(m.s),  # f8
    "angular_second_moment": lambda m: m.squares / m.total**2,  # f1
    "energy": lambda m: m.xp.sqrt(m.squares) / m.total,  # scikit-image's: the root of f1
    "contrast": lambda m: m.weighted(m.difference**2),  # f2
    "dissimilarity": lambda m: m.weighted(m.difference),
    "inverse_difference": lambda m: m.weighted(1 / (1 + m.difference)),
    "normalised_inverse_difference": lambda m: m.weighted(1 / (1 + m.difference / m.levels)),
    "inverse_difference_moment": lambda m: m.weighted(1 / (1 + m.difference**2)),  # f5
    "normalised_inverse_difference_moment": lambda m: m.weighted(
        1 / (1 + (m.difference / m.levels) ** 2)
    ),
    "inverse_variance": _inverse_variance,
    "correlation": _correlation,  # f3
    "autocorrelation": lambda m: m.covariance + m.mean_x * m.mean_y,
    "cluster_tendency": lambda m: m.cluster(2),
    "cluster_shade": lambda m: m.cluster(3),
    "cluster_prominence": lambda m: m.cluster(4),
    "information_correlation_1": _information_1,  # f12
    "information_correlation_2": _information_2,  # f13
    "maximal_correlation": lambda m: m.maximal_correlation,  # f14
}
