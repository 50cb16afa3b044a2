"""Six features of a lesion, for the classifiers of the stroke study.

Noor, thesis, 2020, names them: mean, median, standard deviation, mean boundary, mode and
compactness. Its equations were not at hand; those used are told below.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import arrays, extras

LEVELS = 256  # bins of the histogram that the mode is read from


class Features(NamedTuple):
    """Features of one lesion on one slice; intensities are on the scale of the image, 0 to 1.

    Attributes
    ----------
    mean, median : float
        Of the lesion's pixels.
    std : float
        Of the population: divided by n.
    mean_boundary : float
        Mean of the lesion's own pixels that touch what is not lesion, diagonals too.
    mode : float
        The middle of the fullest of 256 bins from 0 to 1, the darkest of equals.
    compactness : float
        perimeter^2 / (4 pi area): 1 for a disc, larger for all else.
    roundness : float
        4 pi area / perimeter^2, the other form that is called compactness.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.stroke.features import lesion_features
    >>> row, column = np.ogrid[:40, :40]
    >>> lesion = np.hypot(row - 20, column - 20) < 8
    >>> found = lesion_features(np.where(lesion, 0.8, 0.4), lesion)
    >>> found._fields[:2], round(found.mean, 3)
    (('mean', 'median'), 0.8)
    """

    mean: float
    median: float
    std: float
    mean_boundary: float
    mode: float
    compactness: float
    roundness: float


# What the thesis classifies by; roundness says nothing that compactness does not.
SIX = ("mean", "median", "std", "mean_boundary", "mode", "compactness")


def lesion_features(image: Any, mask: Any) -> Features:
    """The features of the lesion that `mask` shows.

    The perimeter is scikit-image's, of 4-neighbours, and that of less than a pixel is taken as 1.

    Parameters
    ----------
    image : (rows, columns) array
        The preprocessed slice S, 0 to 1.
    mask : (rows, columns) array of bool or int
        Not 0 is lesion. Its pieces count as one: areas and perimeters add up.

    Returns
    -------
    Features
        Six features, and roundness.

    Raises
    ------
    TypeError, ValueError
        Where the mask is empty or of another shape, or the image leaves 0 to 1.
    MissingLibrary
        Without scikit-image.

    References
    ----------
    Noor, thesis, 2020, names the features; the equations are ours.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.stroke.features import lesion_features
    >>> row, column = np.ogrid[:40, :40]
    >>> lesion = np.hypot(row - 20, column - 20) < 8
    >>> found = lesion_features(np.where(lesion, 0.8, 0.4), lesion)
    >>> round(found.mean_boundary, 3), round(found.compactness, 1)
    (0.8, 1.0)
    """
    from scipy import ndimage

    perimeter = perimeter_of()
    gray, lesion = _checked(image, mask)
    values = gray[lesion]
    inner = ndimage.binary_erosion(lesion, np.ones((3, 3)))
    counts = np.bincount(np.minimum((values * LEVELS).astype(int), LEVELS - 1))
    length = max(float(perimeter(lesion)), 1.0)
    compactness = length**2 / (4 * np.pi * values.size)
    return Features(
        mean=float(values.mean()),
        median=float(np.median(values)),
        std=float(values.std()),
        mean_boundary=float(gray[lesion & ~inner].mean()),
        mode=(int(counts.argmax()) + 0.5) / LEVELS,
        compactness=compactness,
        roundness=1 / compactness,
    )


def perimeter_of() -> Any:
    """scikit-image's perimeter; MissingLibrary, which says how to get it."""
    return extras.require("skimage.measure", "features of lesions need").perimeter


def feature_table(
    lesions: Iterable[tuple[Any, Any]], names: Iterable[str] = SIX
) -> npt.NDArray[np.float64]:
    """Features of many lesions.

    Parameters
    ----------
    lesions : iterable of (image, mask)
        As for :func:`lesion_features`.
    names : iterable of str, default SIX
        Of `Features`, in the order wanted.

    Returns
    -------
    (lesions, features) array of float64
        A row for each lesion.

    Raises
    ------
    TypeError, ValueError
        Where a name is none, or a lesion is refused.
    """
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise TypeError(f"names must be a list of names, got {arrays.describe(names)}")
    names = list(names)
    unknown = [name for name in names if name not in Features._fields]
    if unknown:
        raise ValueError(f"names must be of {', '.join(Features._fields)}, got {unknown[0]!r}")
    rows = [lesion_features(image, mask) for image, mask in lesions]
    return np.array([[getattr(row, name) for name in names] for row in rows]).reshape(
        len(rows), len(names)
    )


def _checked(image: Any, mask: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    home = arrays.on_cpu(image=image, mask=mask)
    gray = arrays.image(image, "image", home, kinds="fiu")
    arrays.check_shape(gray, "image", ("rows", "columns"))
    lesion = arrays.mask(mask, gray.shape, home, some=True)
    gray = arrays.finite_inside(gray, "image", lesion).astype(np.float64)
    if not 0 <= gray.min() <= gray.max() <= 1:
        raise ValueError(
            f"image must be from 0 to 1, got {gray.min():g} to {gray.max():g}; preprocess it first"
        )
    return gray, lesion
