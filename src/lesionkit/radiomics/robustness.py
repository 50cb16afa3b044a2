"""How much features change where a contour and the noise of an image do: perturbed measurements,
and the intraclass correlation of features over cases."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit._core import texture as _kernels
from lesionkit.metrics.agreement import intraclass
from lesionkit.radiomics.extraction import Source, extract, features
from lesionkit.radiomics.parameters import Parameters
from lesionkit.radiomics.prepare import check_finite
from lesionkit.radiomics.regions import Region, check_large, region_of
from lesionkit.radiomics.volumes import Volume, cut, like, padded

Floats = npt.NDArray[np.float64]

SHIFT = 0.5  # standard deviation of the contour's shift, in voxels of the finest axis
SMOOTH = 2.0  # of the same, of the spline that spreads a shift: what is nearer shifts together
REACH = 2  # the same: how far a contour may shift, 4 standard deviations
PREPARING = ("normalize", "resampledPixelSpacing", "resegmentRange")  # what changes an image first
MAD = 1.4826  # median of absolute deviations to standard deviation, of a normal distribution
LEVEL = 0.95  # of the interval


def perturbed(
    source: Source, region: Region, parameters: Parameters, count: int, seed: int
) -> dict[str, list[float]]:
    """Features of a region under so many perturbations: {name: (count,) numbers}.

    Perturbation i is the same for the same region, image and seed, whatever else is measured.
    """
    plain = Parameters(
        {**parameters.settings, "additionalInfo": False, "minimumROIDimensions": 1},
        parameters.image_types,
        parameters.features,
    )
    settings = parameters.settings
    local = not settings.get("normalize") and set(parameters.image_types) <= {"Original"}
    as_it_is = not any(settings.get(name) for name in PREPARING)
    found: list[dict[str, float]] = []
    for image, mask in perturbations(source.image, region, count, seed, whole=not local):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            here = region_of(mask)
            if as_it_is:
                check_large(here, plain.settings)
                check_finite(image, here)
                found.append(features(image, here, here, plain))
            else:
                found.append(extract(Source(image), mask, 1, here, plain))
    if any(one.keys() != found[0].keys() for one in found):
        raise ValueError(
            "all perturbations must have the same features, some filters left some out"
        )
    columns = np.array([list(one.values()) for one in found], np.float64).T.tolist()
    return dict(zip(found[0], columns, strict=True))


def perturbations(
    image: Volume, region: Region, count: int, seed: int, *, whole: bool = True
) -> Iterator[tuple[Volume, Volume]]:
    """Images with noise, and masks with shifted contours, on the image's grid.

    The noise is normal, of the standard deviation that the image has already about the region. The
    contour shifts along its normal by a smooth random field of standard deviation :data:`SHIFT`
    voxels: cubic B-splines of standard deviation :data:`SMOOTH` voxels, of normal coefficients. The
    same arrays are given again and again.

    whole : of the whole image; else of what lies about the region alone
    """
    from scipy import ndimage

    finest = min(image.spacing)
    about = [int(np.ceil(REACH * finest / step)) for step in image.spacing[::-1]]
    box = padded(region.box, image.values.shape, about)
    inside = region.mask.values[box] != 0
    steps = image.spacing[::-1]
    solid = inside.shape if inside.ndim == 3 else (inside.shape[0], 1, inside.shape[1])
    spacing = steps if inside.ndim == 3 else (steps[0], finest, steps[1])
    splines = [_splines(n, mm / (SMOOTH * finest)) for n, mm in zip(solid, spacing, strict=True)]
    first, weights = (np.concatenate(parts) for parts in zip(*splines, strict=True))
    distance = _signed(inside, steps, ndimage)
    part = image.values[box].astype(np.float64, order="C")
    noise = noise_of(part)
    kept, values = np.empty(inside.shape, np.uint8), np.empty(inside.shape)
    seen, mask = like(cut(image, box), values), like(cut(region.mask, box), kept)
    if whole:
        seen = like(image, image.values.astype(np.float64))
        mask = like(region.mask, np.zeros(region.mask.values.shape, np.uint8))
    for number in range(count):
        _kernels.perturb(
            part.reshape(solid),
            distance.reshape(solid),
            first,
            weights,
            SHIFT * finest,
            noise,
            seed,
            number,
            kept.reshape(solid),
            values.reshape(solid),
        )
        if np.count_nonzero(kept) < 2:
            kept[...] = inside
        if whole:
            seen.values[box], mask.values[box] = values, kept
        yield seen, mask


def _splines(count: int, step: float) -> tuple[npt.NDArray[np.int64], Floats]:
    """Of places `step` apart, the first of four cubic B-splines of standard deviation 1 that reach
    there, and what they weigh (count, 4); the sum of squares is 1 at each place."""
    at = np.arange(count) * step / math.sqrt(3)  # in knots, whose distance is sqrt(3)
    first = np.floor(at).astype(np.int64)
    far = np.abs((at - first)[:, None] - np.arange(-1, 3))
    weights: Floats = np.where(far < 1, 4 - 3 * far**2 * (2 - far), (2 - far) ** 3)
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    return first, weights


def _signed(inside: Any, steps: Sequence[float], ndimage: Any) -> Floats:
    """mm to the contour, which lies between voxels; above 0 inside."""
    frame = np.pad(inside, 1)
    within = ndimage.distance_transform_edt(frame, sampling=steps)
    without = ndimage.distance_transform_edt(~frame, sampling=steps)
    half = 0.5 * min(steps)
    found: Floats = np.where(frame, within - half, half - without)
    return np.ascontiguousarray(found[(slice(1, -1),) * inside.ndim])


def noise_of(values: Any) -> float:
    """The standard deviation of an image's noise, from the differences of neighbours of neighbours
    along the last axis, robust against edges (Donoho and Johnstone, Biometrika 81, 425, 1994)."""
    if values.shape[-1] < 3:
        return 0.0
    rows = values.astype(np.float64)
    second: Floats = (rows[..., 2:] - 2 * rows[..., 1:-1] + rows[..., :-2]) / np.sqrt(6)
    return float(MAD * np.median(np.abs(second)))


# --- over cases -----------------------------------------------------------------------------------

COLUMNS = ("feature", "icc", "lower", "upper", "cases", "perturbations")


def table(records: Sequence[Mapping[str, Sequence[float]]]) -> list[dict[str, str]]:
    """A row for each feature: ICC(3,1) of its perturbed measurements with its interval of 95 per
    cent. Cases that lack the feature, or where it is not finite, are left out; fewer than two leave
    the cells empty.

    records : of each case its perturbed features
    """
    names = dict.fromkeys(name for record in records for name in record)
    rows = []
    for name in names:
        ratings = np.array([record[name] for record in records if name in record], np.float64)
        ratings = ratings[np.isfinite(ratings).all(1)]
        row = {"feature": name, "cases": str(len(ratings)), "perturbations": str(ratings.shape[1])}
        if len(ratings) >= 2:
            found = intraclass(ratings, level=LEVEL)
            row |= {
                "icc": f"{found.icc:.6g}",
                "lower": f"{found.lower:.6g}",
                "upper": f"{found.upper:.6g}",
            }
        rows.append(row)
    return rows
