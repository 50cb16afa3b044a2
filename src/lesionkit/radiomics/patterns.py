"""Local binary patterns of pictures and of volumes, as PyRadiomics has them."""

from __future__ import annotations

import math
import warnings
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lesionkit import arrays, extras
from lesionkit.radiomics.volumes import Box, checked_box, finite

Real = npt.NDArray[np.float64]
MAX_SAMPLES = 48  # of a pattern: its codes are numbers that float64 holds
MAX_SUBDIVISIONS = 4  # 2,562 directions

__all__ = ["lbp_2d", "lbp_3d"]


def lbp_2d(
    image: Any,
    radius: float = 1.0,
    samples: int = 8,
    method: Literal["default", "ror", "uniform", "var"] = "uniform",
    axis: int = 0,
    box: Box | None = None,
) -> npt.NDArray[Any]:
    """Local binary patterns of each slice.

    Parameters
    ----------
    image : (rows, columns) or (slices, rows, columns) array of real numbers
        Finite.
    radius : float, default 1
        Of the circle of neighbours, pixels, above 0.
    samples : int, default 8
        Neighbours on it, 1 to 48.
    method : {"default", "ror", "uniform", "var"}, default "uniform"
        As in scikit-image.
    axis : int, default 0
        Across the slices of a volume.
    box : tuple of slices, optional
        The part of the answer that is wanted; None: all.

    Returns
    -------
    array of the image's dtype, for a picture of float64
        Codes; those of slices are written into an array of the image's type, as in PyRadiomics.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.
    MissingLibrary
        Where scikit-image is not installed.

    References
    ----------
    PyRadiomics 3.0.1, image type LBP2D; Ojala, Pietikainen and Harwood, Pattern Recognition 29,
    51-59, 1996.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.radiomics.patterns import lbp_2d
    >>> lbp_2d(np.eye(3)).astype(int).tolist()
    [[0, 8, 8], [8, 0, 8], [8, 8, 0]]
    """
    whole = arrays.numbers(image, "image", kinds="iuf")
    finite(whole)
    if whole.ndim not in (2, 3):
        raise ValueError(f"image must have 2 or 3 axes, got {arrays.describe(whole)}")
    radius = arrays.number(radius, "radius", above=0)
    samples = arrays.integer(samples, "samples", at_least=1, at_most=MAX_SAMPLES)
    method = arrays.one_of(method, "method", ("default", "ror", "uniform", "var"))
    axis = arrays.integer(axis, "axis", at_least=0, at_most=2)
    feature = extras.require("skimage.feature", "the filter LBP2D needs")
    box = checked_box(box, whole.shape)

    def pattern(picture: npt.NDArray[Any]) -> npt.NDArray[Any]:
        with warnings.catch_warnings():  # that real numbers may be equal but for rounding
            warnings.simplefilter("ignore")
            codes: npt.NDArray[Any] = feature.local_binary_pattern(picture, samples, radius, method)
        return codes

    if whole.ndim == 2:
        return pattern(whole)[box]
    found: npt.NDArray[Any] = whole[box].copy()
    slices, across = np.moveaxis(whole, axis, 0), box[axis]
    within = box[:axis] + box[axis + 1 :]
    for to, picture in zip(np.moveaxis(found, axis, 0), slices[across], strict=True):
        # PyRadiomics swaps two axes: slices across the last lie transposed
        to[...] = (pattern(picture) if axis < 2 else pattern(picture.T).T)[within]
    return found


def lbp_3d(
    image: Any,
    mask: Any,
    levels: int = 2,
    radius: float = 1.0,
    subdivision: int = 1,
    label: int = 1,
) -> dict[str, Real]:
    """Rotation-invariant local binary patterns in space, in the voxels of a mask.

    About each voxel the image is read on a sphere, by cubic splines. Where it is no less than in
    the middle makes a pattern on the sphere, of which each degree of spherical harmonics has a
    norm.

    Parameters
    ----------
    image : (slices, rows, columns) array of real numbers
        Values on the sphere have its dtype, as in PyRadiomics: of whole numbers, whole numbers.
    mask : array of the image's shape
        Booleans, or whole numbers of which `label` is inside.
    levels : int, default 2
        Degrees of spherical harmonics, 1 to 16.
    radius : float, default 1
        Of the sphere, voxels, above 0.
    subdivision : int, default 1
        How often each triangle of an icosahedron, whose corners are the directions, is cut into
        four; 0 to 4.
    label : int, default 1
        In a mask of whole numbers, the voxels that have it are inside.

    Returns
    -------
    dict of str to (slices, rows, columns) array of float64
        "lbp-3D-m1" ..., a norm for each degree, and "lbp-3D-k", the excess kurtosis of the values
        on the sphere (NaN where these are equal; PyRadiomics' has the digits of float32 where the
        image is of that type); 0 outside the mask.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    PyRadiomics 3.0.1, image type LBP3D, whose two angles are exchanged in the harmonics, and so
    are they here; Banerjee et al., "3D LBP-based rotationally invariant region description", ACCV
    2012 workshops.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.radiomics.patterns import lbp_3d
    >>> image = np.random.default_rng(0).normal(size=(6, 6, 6))
    >>> list(lbp_3d(image, image > 0))
    ['lbp-3D-m1', 'lbp-3D-m2', 'lbp-3D-k']
    """
    from scipy.ndimage import map_coordinates, spline_filter
    from scipy.special import lpmv

    home = arrays.on_cpu("lbp_3d", image=image, mask=mask)
    whole = arrays.numbers(image, "image", kinds="iuf")
    arrays.check_shape(whole, "image", ("slices", "rows", "columns"))
    values = finite(whole)
    given = arrays.labels(mask, "mask", home, "booleans or labels")
    arrays.check_shape(given, "mask", whole.shape)
    inside = given if given.dtype == bool else arrays.labelled(given, label, "mask")
    levels = arrays.integer(levels, "levels", at_least=1, at_most=16)
    radius = arrays.number(radius, "radius", above=0)
    subdivision = arrays.integer(subdivision, "subdivision", at_least=0, at_most=MAX_SUBDIVISIONS)
    directions = sphere(subdivision)
    places = np.nonzero(inside)
    splines = spline_filter(values, order=3)
    around = np.empty((len(directions), len(places[0])))
    for to, step in zip(around, directions, strict=True):
        at = [place + radius * by for place, by in zip(places, step, strict=True)]
        to[:] = map_coordinates(splines, at, output=whole.dtype, order=3, prefilter=False)
    pattern = (around >= whole[places]).astype(np.float64)
    one, other = np.arccos(directions[:, 2]), np.arctan2(directions[:, 1], directions[:, 0])
    found = {}
    for degree in range(levels):
        harmonics = np.stack(
            [
                math.sqrt(
                    (2 * degree + 1)
                    / (4 * math.pi)
                    * math.factorial(degree - abs(m))
                    / math.factorial(degree + abs(m))
                )
                * lpmv(abs(m), degree, np.cos(other))
                * np.exp(1j * m * one)
                for m in range(-degree, degree + 1)
            ]
        )
        share = harmonics @ pattern  # (2 degree + 1, voxels)
        square = ((harmonics @ harmonics.T @ share) * share).sum(0)  # of the norm on the sphere
        found[f"lbp-3D-m{degree + 1}"] = _placed(np.sqrt(square).real, inside)
    off = around - around.mean(0)
    with np.errstate(invalid="ignore"):
        kurtosis = (off**4).mean(0) / (off**2).mean(0) ** 2 - 3
    kurtosis[(around == around[0]).all(0)] = np.nan
    return {**found, "lbp-3D-k": _placed(kurtosis, inside)}


def sphere(subdivision: int) -> Real:
    """(n, 3) unit vectors: the corners of an icosahedron and, for each subdivision, the middles of
    all edges pushed out to the sphere."""
    t = (1 + math.sqrt(5)) / 2
    corners = np.array(
        [np.roll((0, a, b * t), shift) for shift in range(3) for a in (-1, 1) for b in (-1, 1)]
    )
    points: Real = corners / math.hypot(1, t)
    side = 1 / math.sin(2 * math.pi / 5)
    for level in range(subdivision):
        # On a sphere the edges grow a little unequal; second neighbours are farther by more.
        apart = np.linalg.norm(points[:, None] - points, axis=2)
        a, b = np.nonzero(np.triu(apart < 1.3 * side / 2**level, 1))
        middles = points[a] + points[b]
        middles /= np.linalg.norm(middles, axis=1)[:, None]
        points = np.concatenate([points, middles])
    return points


def _placed(values: Real, inside: npt.NDArray[np.bool_]) -> Real:
    found = np.zeros(inside.shape)
    found[inside] = values
    return found
