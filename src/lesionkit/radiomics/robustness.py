"""How much features change where a contour and the noise of an image do: perturbed measurements,
and the intraclass correlation of features over cases."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit.metrics.agreement import intraclass
from lesionkit.radiomics.extraction import Source, extract
from lesionkit.radiomics.parameters import Parameters
from lesionkit.radiomics.regions import Region, region_of
from lesionkit.radiomics.volumes import Volume, cut, like, padded

Floats = npt.NDArray[np.float64]

SHIFT = 0.5  # standard deviation of the contour's shift, in voxels of the finest axis
SMOOTH = 2.0  # of the same: what is nearer shifts together
REACH = 2  # the same: how far a contour may shift, 4 standard deviations
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
    found: dict[str, list[float]] = {}
    settings = parameters.settings
    local = not settings.get("normalize") and set(parameters.image_types) <= {"Original"}
    for image, mask in perturbations(source.image, region, count, seed, whole=not local):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            features = extract(Source(image), mask, 1, region_of(mask), plain)
        for name, value in features.items():
            found.setdefault(name, []).append(float(value))
    if any(len(values) != count for values in found.values()):
        raise ValueError(
            "all perturbations must have the same features, some filters left some out"
        )
    return found


def perturbations(
    image: Volume, region: Region, count: int, seed: int, *, whole: bool = True
) -> Iterator[tuple[Volume, Volume]]:
    """Images with noise, and masks with shifted contours, on the image's grid.

    The noise is normal, of the standard deviation that the image has already about the region. The
    contour shifts along its normal by a smooth random field of :data:`SHIFT` voxels. The same
    arrays are given again and again.

    whole : of the whole image; else of what lies about the region alone
    """
    from scipy import ndimage

    finest = min(image.spacing)
    about = [int(np.ceil(REACH * finest / step)) for step in image.spacing[::-1]]
    box = padded(region.box, image.values.shape, about)
    inside = region.mask.values[box] != 0
    steps = image.spacing[::-1]
    distance = _signed(inside, steps, ndimage)
    sigmas = [SMOOTH * finest / step for step in steps]
    part = image.values[box]
    noise = noise_of(part)
    seen, mask, where = like(image, image.values), region.mask, box
    if not whole:
        seen, mask = cut(seen, box), cut(mask, box)
        where = (slice(None),) * image.axes
    seen = like(seen, seen.values.astype(np.float64))
    mask = like(mask, np.zeros(mask.values.shape, np.uint8))
    for number in range(count):
        random = np.random.Generator(np.random.Philox(key=[seed, number]))
        field = ndimage.gaussian_filter(random.standard_normal(inside.shape), sigmas)
        shift = SHIFT * finest * field / max(float(field.std()), 1e-300)
        kept = distance + shift > 0
        if np.count_nonzero(kept) < 2:
            kept = inside
        values = part + noise * random.standard_normal(inside.shape)
        seen.values[where], mask.values[where] = values, kept
        yield seen, mask


def _signed(inside: Any, steps: Sequence[float], ndimage: Any) -> Floats:
    """mm to the contour, which lies between voxels; above 0 inside."""
    frame = np.pad(inside, 1)
    within = ndimage.distance_transform_edt(frame, sampling=steps)
    without = ndimage.distance_transform_edt(~frame, sampling=steps)
    half = 0.5 * min(steps)
    found: Floats = np.where(frame, within - half, half - without)
    within_frame: Floats = found[(slice(1, -1),) * inside.ndim]
    return within_frame


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
