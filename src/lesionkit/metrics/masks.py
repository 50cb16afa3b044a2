"""How well a found lesion mask agrees with the true one.

Every score takes two masks of one shape, of any number of axes: booleans or whole numbers (floats
that are whole within 1e-3, as files give them), not 0 is lesion. Scores between images are averaged
image by image; the Dice of a mean Jaccard is not the mean Dice. Empty masks have defined scores:
where both are empty they agree.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.geometry import Geometry, spacing_of

Mask = npt.NDArray[np.bool_]


class Rates(NamedTuple):
    """False positives and false negatives as fractions; of what, :func:`error_rates` says.

    Attributes
    ----------
    fpr : float
        False positives.
    fnr : float
        False negatives.

    Examples
    --------
    >>> from lesionkit.metrics import error_rates
    >>> found, truth = [[1, 1, 0, 0]], [[0, 1, 1, 1]]
    >>> error_rates(found, truth)
    Rates(fpr=0.25, fnr=0.5)
    """

    fpr: float
    fnr: float


class Scores(NamedTuple):
    """Every score of one image, as :func:`scores` gives them.

    Attributes
    ----------
    jaccard, dice : float
        0 to 1.
    fpr, fnr : float
        Of the union.
    hausdorff95 : float
        mm.
    lesion_f1 : float
        0 to 1.
    volume : float
        mm^3 (mm^2 of a slice), of what was found.
    true_volume : float
        Of the truth.

    Examples
    --------
    >>> from lesionkit.metrics import scores
    >>> scores([[1, 1, 0]], [[1, 1, 0]], spacing=0.5).volume
    0.5
    """

    jaccard: float
    dice: float
    fpr: float
    fnr: float
    hausdorff95: float
    lesion_f1: float
    volume: float
    true_volume: float


def dice(found: Any, truth: Any) -> float:
    """Dice's coefficient ``2 |A and B| / (|A| + |B|)``.

    Parameters
    ----------
    found, truth : array of bool or whole numbers
        Masks of one shape, any number of axes; not 0 is lesion. Floats that are whole within 1e-3
        do.

    Returns
    -------
    float
        0 to 1; 1 where both are empty.

    Raises
    ------
    TypeError, ValueError
        Where the masks are no masks, or differ in shape.

    References
    ----------
    Dice, Ecology 26, 1945.

    Examples
    --------
    >>> from lesionkit.metrics import dice
    >>> found, truth = [[1, 1, 0, 0]], [[0, 1, 1, 1]]
    >>> dice(found, truth)
    0.4
    """
    return _dice(*_counts(*_pair(found, truth)))


def jaccard(found: Any, truth: Any) -> float:
    """Jaccard's coefficient ``|A and B| / |A or B|``, the area overlap of the stroke papers.

    Parameters
    ----------
    found, truth : array of bool or whole numbers
        Masks of one shape, any number of axes; not 0 is lesion. Floats that are whole within 1e-3
        do.

    Returns
    -------
    float
        0 to 1; 1 where both are empty.

    Raises
    ------
    TypeError, ValueError
        Where the masks are no masks, or differ in shape.

    Examples
    --------
    >>> from lesionkit.metrics import jaccard
    >>> found, truth = [[1, 1, 0, 0]], [[0, 1, 1, 1]]
    >>> jaccard(found, truth)
    0.25
    """
    return _jaccard(*_counts(*_pair(found, truth)))


def error_rates(
    found: Any, truth: Any, normalise: Literal["union", "reference", "standard"] = "union"
) -> Rates:
    """What was found and is not there (FP), what is there and was not found (FN), as fractions.

    Parameters
    ----------
    found, truth : array of bool or whole numbers
        Masks of one shape, any number of axes; not 0 is lesion. Floats that are whole within 1e-3
        do.
    normalise : {"union", "reference", "standard"}, default "union"
        "union": both over ``|A or B|``, so that Jaccard + FPR + FNR = 1. The published rates of the
        stroke studies of Noor and colleagues add up so; their equations were not at hand.
        "reference": both over ``|truth|``; an FPR may exceed 1. "standard": FP / (FP + TN) and
        FN / (FN + TP), over all pixels of the image.

    Returns
    -------
    Rates
        `fpr` and `fnr`. A rate of nothing over nothing is 0; pixels found where there is no truth
        are an infinite FPR of the reference.

    Raises
    ------
    TypeError, ValueError
        Where the masks are no masks, or differ in shape.

    Examples
    --------
    >>> from lesionkit.metrics import error_rates
    >>> found, truth = [[1, 1, 0, 0]], [[0, 1, 1, 1]]
    >>> error_rates(found, truth)
    Rates(fpr=0.25, fnr=0.5)
    >>> round(error_rates(found, truth, "reference").fpr, 3)
    0.333
    """
    normalise = arrays.one_of(normalise, "normalise", ("union", "reference", "standard"))
    hit, extra, missed, rest = _counts(*_pair(found, truth))
    if normalise == "union":
        return Rates(
            _fraction(extra, hit + extra + missed), _fraction(missed, hit + extra + missed)
        )
    if normalise == "reference":
        return Rates(_fraction(extra, hit + missed), _fraction(missed, hit + missed))
    return Rates(_fraction(extra, extra + rest), _fraction(missed, missed + hit))


def hausdorff95(found: Any, truth: Any, spacing: Any = 1.0) -> float:
    """How far apart the borders are, the farthest twentieth left out.

    The greater of the two directions' 95th percentiles of the distances from each border pixel of
    one mask to the nearest border pixel of the other, from centre to centre. A border pixel has a
    neighbour along an axis that is outside the mask, or outside the image.

    Parameters
    ----------
    found, truth : array of bool or whole numbers
        Masks of one shape, any number of axes; not 0 is lesion. Floats that are whole within 1e-3
        do.
    spacing : float, sequence of float or Geometry, default 1
        mm, one number above 0 or one for each axis; or the image's Geometry, by which distances are
        right under a shear, too.

    Returns
    -------
    float
        mm; 0 where both masks are empty, infinite where one is.

    Raises
    ------
    TypeError, ValueError
        Where the masks are no masks, or differ in shape.

    References
    ----------
    Huttenlocher, Klanderman and Rucklidge, IEEE PAMI 15, 1993 (partial distances).

    Examples
    --------
    >>> from lesionkit.metrics import hausdorff95
    >>> hausdorff95([[1, 0, 0]], [[0, 0, 1]], spacing=0.5)
    1.0
    """
    pair = _pair(found, truth)
    return _hausdorff95(*pair, *spacing_of(spacing, pair[0].ndim))


def lesion_f1(found: Any, truth: Any) -> float:
    """F1 score counted in lesions: regions connected along axes or diagonals.

    2 TP / (2 TP + FP + FN). TP are true lesions that hold a found pixel, FN those that hold none;
    FP are found regions that hold no true pixel. As in the ISLES challenge.

    Parameters
    ----------
    found, truth : array of bool or whole numbers
        Masks of one shape, any number of axes; not 0 is lesion. Floats that are whole within 1e-3
        do.

    Returns
    -------
    float
        0 to 1; 1 where both masks are empty.

    Raises
    ------
    TypeError, ValueError
        Where the masks are no masks, or differ in shape.

    References
    ----------
    Hernandez Petzsche et al., Scientific Data 9, 2022.

    Examples
    --------
    >>> from lesionkit.metrics import lesion_f1
    >>> round(lesion_f1([[1, 0, 1, 0, 0]], [[1, 0, 0, 0, 1]]), 3)
    0.5
    """
    return _lesion_f1(*_pair(found, truth))


def volume(mask: Any, spacing: Any = 1.0) -> float:
    """The mask's pixels times the size of one.

    Parameters
    ----------
    mask : array of bool or whole numbers
        Not 0 is lesion.
    spacing : float, sequence of float or Geometry, default 1
        mm, one number above 0 or one for each axis; or the image's Geometry.

    Returns
    -------
    float
        mm^3 of a volume, mm^2 of a slice.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> from lesionkit.metrics import volume
    >>> volume([[1, 1, 0]], spacing=(2, 0.5))
    2.0
    """
    inside = _mask(mask, "mask")
    steps, _ = spacing_of(spacing, inside.ndim)
    return float(np.count_nonzero(inside) * np.prod(steps))


def scores(found: Any, truth: Any, spacing: Any = 1.0) -> Scores:
    """All scores of one image; the error rates are of the union.

    Parameters
    ----------
    found, truth : array of bool or whole numbers
        Masks of one shape, any number of axes; not 0 is lesion. Floats that are whole within 1e-3
        do.
    spacing : float, sequence of float or Geometry, default 1
        mm, one number above 0 or one for each axis; or the image's Geometry.

    Returns
    -------
    Scores
        Of the two masks.

    Raises
    ------
    TypeError, ValueError
        Where the masks are no masks, or differ in shape.

    Examples
    --------
    >>> from lesionkit.metrics import scores
    >>> found = scores([[1, 1, 0, 0]], [[0, 1, 1, 1]])
    >>> found.jaccard, found.dice, found.hausdorff95
    (0.25, 0.4, 1.9)
    """
    a, b = _pair(found, truth)
    steps, geometry = spacing_of(spacing, a.ndim)
    counts = _counts(a, b)
    hit, extra, missed, _ = counts
    union, pixel = hit + extra + missed, float(np.prod(steps))
    return Scores(
        _jaccard(*counts),
        _dice(*counts),
        _fraction(extra, union),
        _fraction(missed, union),
        _hausdorff95(a, b, steps, geometry),
        _lesion_f1(a, b),
        (hit + extra) * pixel,
        (hit + missed) * pixel,
    )


def _mask(value: Any, name: str) -> Mask:
    at = arrays.on_cpu(**{name: value})
    array = arrays.labels(value, name, at, "booleans or whole numbers")
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"{name} must hold a pixel or more, got {arrays.describe(array)}")
    inside: Mask = array if array.dtype == bool else array != 0
    return inside


def _pair(found: Any, truth: Any) -> tuple[Mask, Mask]:
    a, b = _mask(found, "found"), _mask(truth, "truth")
    if a.shape != b.shape:
        raise ValueError(f"found and truth must have one shape, got {a.shape} and {b.shape}")
    return a, b


def _counts(a: Mask, b: Mask) -> tuple[int, int, int, int]:
    """Pixels in both, in `a` alone, in `b` alone, in neither."""
    hit = int(np.count_nonzero(a & b))
    extra, missed = int(np.count_nonzero(a)) - hit, int(np.count_nonzero(b)) - hit
    return hit, extra, missed, a.size - hit - extra - missed


def _fraction(part: int, whole: int) -> float:
    if whole:
        return part / whole
    return np.inf if part else 0.0


def _jaccard(hit: int, extra: int, missed: int, _: int) -> float:
    union = hit + extra + missed
    return hit / union if union else 1.0


def _dice(hit: int, extra: int, missed: int, _: int) -> float:
    both = 2 * hit + extra + missed
    return 2 * hit / both if both else 1.0


def _hausdorff95(a: Mask, b: Mask, spacing: tuple[float, ...], geometry: Geometry | None) -> float:
    from scipy import ndimage

    if not (a.any() and b.any()):
        return np.inf if a.any() or b.any() else 0.0
    # Nothing outside the box of both matters.
    box = ndimage.find_objects((a | b).astype(np.uint8))[0]
    borders = [mask & ~ndimage.binary_erosion(mask) for mask in (a[box], b[box])]
    if geometry is not None and geometry.shear:
        apart = _sheared_distances(borders, geometry)
    else:
        apart = _distances(borders, spacing)
    return float(max(np.percentile(one, 95) for one in apart))


def _distances(borders: list[Mask], spacing: tuple[float, ...]) -> list[Any]:
    """From each pixel of a border to the nearest of the other, both ways, mm."""
    from lesionkit.fronts import distance_transform

    return [
        distance_transform(~other, spacing)[border] for border, other in (borders, borders[::-1])
    ]


def _sheared_distances(borders: list[Mask], geometry: Geometry) -> list[Any]:
    """The same where axes are not at right angles."""
    from scipy.spatial import cKDTree

    places = [geometry.places(np.argwhere(border)) for border in borders]
    return [cKDTree(other).query(one)[0] for one, other in (places, places[::-1])]


def _lesion_f1(a: Mask, b: Mask) -> float:
    from scipy import ndimage

    around = np.ones((3,) * a.ndim, bool)
    found, regions = ndimage.label(a, around)
    true, lesions = ndimage.label(b, around)
    met = len(np.unique(true[a & b]))
    false = regions - len(np.unique(found[a & b]))
    return 2 * met / (met + lesions + false) if lesions + false else 1.0
