"""Segmentation by geodesic distance: what a front reaches soon, which runs fast where the image is
like the seeds and slowly across edges."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from lesionkit import arrays
from lesionkit.arrays import Home
from lesionkit.fronts import inputs
from lesionkit.fronts.arrival import arrival_time

MIN_WEIGHT = 1e-3  # weight
STEEPEST = 100.0  # roll-off: a step, all but
NARROWEST = 1e-3  # midpoint


def grey_weight(
    image: Any,
    seeds: Any,
    cutoff: float | None = None,
    rolloff: float = 2.0,
    midpoint: float = 0.25,
) -> Any:
    """Weights by the difference from the seeds' mean grey value, for `arrival_time` as speeds.

    With ``d = |image - mean|`` and u = min(d / cutoff, 1), w(u) = 1 / (1 + (u / midpoint)^rolloff)
    is stretched linearly to w(0) = 1 and w(1) = 0.001: W = 0.001 + 0.999 (w(u) - w(1)) / (1 -
    w(1)). MATLAB documents how its graydiffweight behaves, not its formula; this one is ours.

    Parameters
    ----------
    image : array of 1 to 3 axes
        Finite.
    seeds : array of bool, or (k, axes) array_like
        Of the image's shape, or points, of which the nearest pixels count.
    cutoff : float, optional
        Difference from which on the weight is least. None: a quarter of the image's range from its
        1st to its 99th percentile.
    rolloff : float, default 2
        How suddenly weights fall, above 0 and at most 100.
    midpoint : float, default 0.25
        Where w is 1/2, as a fraction of the cutoff, 0.001 to 1.

    Returns
    -------
    array of the image's shape and kind
        Weights from 0.001 to 1; float64 where the image is, else float32.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.fronts import grey_weight
    >>> grey_weight(np.array([100.0, 101, 110, 140]), [[0]], cutoff=40).round(3).tolist()
    [1.0, 0.989, 0.469, 0.001]
    """
    home = arrays.on_cpu("grey_weight", image=image)
    values = _image(image, home)
    power, half = _shape(rolloff, midpoint)
    unit = inputs.scale_of(values)
    scaled = values / values.dtype.type(unit)
    away = np.abs(scaled - scaled[_region(seeds, values.shape)].mean(dtype=float))
    if cutoff is None:
        low, high = np.percentile(scaled, (1, 99))
        limit = float(high - low) / 4 or 1.0 / unit
    else:
        limit = arrays.number(cutoff, "cutoff", above=0.0) / unit
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # u is 1, the weight least
        u = np.where(away > 0, np.minimum(away / limit, 1), 0)
        weight, end = 1 / (1 + (u / half) ** power), 1 / (1 + half**-power)
    return home.back(
        (MIN_WEIGHT + (1 - MIN_WEIGHT) / (1 - end) * (weight - end)).astype(values.dtype)
    )


def gradient_weight(
    image: Any,
    sigma: float = 1.5,
    rolloff: float = 3.0,
    midpoint: float = 0.25,
    cutoff: float = 0.25,
) -> Any:
    """Weights that are small on edges, for `arrival_time` as speeds.

    With g the length of the gradient of the image smoothed by a Gaussian, brought to 0 to 1 from
    its 1st to its 99th percentile, W = 1 / (1 + (g / midpoint)^rolloff); where W is below the
    cutoff it is 0.001. MATLAB documents how its gradientweight behaves, not its formula.

    Parameters
    ----------
    image : array of 1 to 3 axes
        Finite.
    sigma : float, default 1.5
        Of the Gaussian, in pixels, above 0.
    rolloff : float, default 3
        How suddenly weights fall, above 0 and at most 100.
    midpoint : float, default 0.25
        The g where W is 1/2, 0.001 to 1.
    cutoff : float, default 0.25
        0 to 1.

    Returns
    -------
    array of the image's shape and kind
        Weights from 0.001 to 1; float64 where the image is, else float32.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.fronts import gradient_weight
    >>> step = np.repeat([[0.0] * 8 + [1.0] * 8], 16, axis=0)
    >>> gradient_weight(step)[8, [0, 7]].round(3).tolist()
    [1.0, 0.001]
    """
    from scipy import ndimage

    home = arrays.on_cpu("gradient_weight", image=image)
    values = _image(image, home)
    width = arrays.number(sigma, "sigma", above=0.0, at_most=inputs.MAX_SIGMA)
    power, half = _shape(rolloff, midpoint)
    least = arrays.number(cutoff, "cutoff", at_least=0.0, at_most=1.0)
    unit = values.dtype.type(inputs.scale_of(values))
    length = ndimage.gaussian_gradient_magnitude(values / unit, width)
    low, high = np.percentile(length, (1, 99))
    g = np.clip((length - low) / ((high - low) or 1.0), 0, 1)
    with np.errstate(over="ignore"):
        weight = 1 / (1 + (g / half) ** power)
    return home.back(np.where(weight < least, MIN_WEIGHT, weight).astype(values.dtype))


def geodesic_segment(
    image: Any,
    seeds: Any,
    threshold: float | None = None,
    stop: float | None = None,
    weight: Literal["grey", "gradient"] | Any = "grey",
    mask: Any = None,
    spacing: Any = 1.0,
    return_times: bool = False,
    **options: Any,
) -> Any:
    """The region that a front from the seeds reaches first, its speed the weight of the pixels.

    Parameters
    ----------
    image : array of 1 to 3 axes
        Finite where the mask is True; elsewhere NaN counts as 0.
    seeds : array of bool, or (k, axes) array_like
        Of the image's shape, or points in pixels.
    threshold : float, optional
        Above 0 and at most 1; None: 0.01. Times up to this fraction of the latest one belong to the
        region. All of the image is marched over.
    stop : float, optional
        Instead of a threshold, a time: later ones do not belong to the region, and are not
        computed. The cost is that of the region.
    weight : {"grey", "gradient"} or array, default "grey"
        `grey_weight`, `gradient_weight`, or weights of the image's shape, 0 and less for walls.
    mask : array of bool, optional
        False is a wall.
    spacing : float or sequence of float, default 1
        As for :func:`arrival_time`.
    return_times : bool, default False
        Also return the times.
    **options : float
        Of the weight's function: cutoff, rolloff, midpoint, sigma.

    Returns
    -------
    region : array of bool
        Of the image's shape and kind.
    times : array
        With `return_times` only.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.fronts import geodesic_segment
    >>> image = np.full((30, 30), 20.0)
    >>> image[5:15, 5:20] = 80
    >>> region = geodesic_segment(image, [(10, 10)], cutoff=30)
    >>> (region == (image == 80)).all().item()
    True
    """
    if threshold is not None and stop is not None:
        raise ValueError("threshold and stop exclude each other: give one of them")
    part = (
        0.01 if threshold is None else arrays.number(threshold, "threshold", above=0.0, at_most=1.0)
    )
    return_times = arrays.flag(return_times, "return_times")
    home = arrays.on_cpu(
        "geodesic_segment", image=image, weight=inputs.name_or_array(weight), mask=mask
    )
    values = _image(image, home, mask)
    if mask is not None:
        mask = arrays.mask(mask, values.shape, home)
    region = _region(seeds, values.shape)
    if isinstance(weight, str):
        if arrays.one_of(weight, "weight", ("grey", "gradient")) == "grey":
            speed = grey_weight(values, region, **options)
        else:
            speed = gradient_weight(values, **options)
    else:
        if options:
            raise TypeError(f"weights that are given take no options, got {', '.join(options)}")
        speed = arrays.real(home.view(weight, "weight"), "weight", ("...",), keep_float32=True)
        if speed.shape != values.shape:
            raise ValueError(
                f"weight must have the image's shape {values.shape}, got {arrays.describe(speed)}"
            )
    points = np.argwhere(region) if _is_mask(seeds) else seeds
    times = arrival_time(speed, points, spacing, stop, mask)
    if stop is None:
        finite = times[np.isfinite(times)]
        latest = float(finite.max()) if finite.size else 0.0
        inside = times <= part * latest
    else:
        inside = np.isfinite(times)
    return (home.back(inside), home.back(times)) if return_times else home.back(inside)


def _shape(rolloff: Any, midpoint: Any) -> tuple[float, float]:
    """How weights fall; else a clear error."""
    return (
        arrays.number(rolloff, "rolloff", above=0.0, at_most=STEEPEST),
        arrays.number(midpoint, "midpoint", at_least=NARROWEST, at_most=1.0),
    )


def _image(image: Any, home: Home, mask: Any = None) -> Any:
    """The image as float64 where it is that, else float32; finite, where the mask is True."""
    values = arrays.image(image, "image", home, kinds="fiu", takes_mask=mask is not None)
    if values.ndim > 3:
        raise ValueError(f"image must have 1 to 3 axes, got {arrays.describe(values)}")
    if mask is not None:
        mask = arrays.mask(mask, values.shape, home)
    values = arrays.finite_inside(values, "image", mask)
    return values if values.dtype == np.float64 else values.astype(np.float32, copy=False)


def _is_mask(seeds: Any) -> bool:
    if hasattr(seeds, "dtype"):
        return str(seeds.dtype) in ("bool", "torch.bool")
    try:
        return bool(np.asarray(seeds).dtype == bool)
    except ValueError:  # no array at all: as points it is refused, in words
        return False


def _region(seeds: Any, shape: tuple[int, ...]) -> Any:
    """The pixels of the seeds, as a mask; else a clear error."""
    if _is_mask(seeds):
        home = arrays.on_cpu("geodesic_segment", seeds=seeds)
        return arrays.mask(seeds, shape, home, "seeds", some=True)
    points = inputs.points_of(seeds, "seeds", shape, also=f"bool of shape {shape}, ")
    region = np.zeros(shape, bool)
    region[tuple(np.rint(points).astype(np.int64).T)] = True
    return region
