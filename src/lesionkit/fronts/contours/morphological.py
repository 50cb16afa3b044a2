"""Active contours of binary level sets, moved by morphology: scikit-image's names and answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lesionkit import arrays
from lesionkit._core import fronts as _kernels
from lesionkit.fronts import inputs, level_sets

Level = Any  # int8, 0 and 1, of the image's kind


def _silent(level: Level) -> None:
    """What is called after each iteration where nobody asks."""


def morphological_chan_vese(
    image: Any,
    num_iter: int,
    init_level_set: Any = "checkerboard",
    smoothing: int = 1,
    lambda1: float = 1,
    lambda2: float = 1,
    iter_callback: Callable[[Level], Any] = _silent,
) -> Level:
    """Contours without edges by morphology, with scikit-image's arguments and answers.

    Parameters
    ----------
    image : (rows, columns) or (planes, rows, columns) array of real numbers
        2 or more along each axis; worked on in float32 where it is (or float16), else in float64.
    num_iter : int
        Iterations.
    init_level_set : {"checkerboard", "disk"} or array, default "checkerboard"
        An array has the image's shape and is above 0 inside.
    smoothing : int, default 1
        How often the contour is smoothed in each iteration. The two orders of its operators
        alternate within a call; a call begins anew, where scikit-image goes on from the last.
    lambda1, lambda2 : float, default 1
        Weights of the unevenness inside and outside.
    iter_callback : callable, optional
        Called with a copy of the level set before the first iteration and after each.

    Returns
    -------
    array of int8
        1 inside, else 0; of the image's kind.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, or has NaN.

    References
    ----------
    Marquez-Neila, Baumela and Alvarez, IEEE PAMI 36, 2, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.fronts import morphological_chan_vese
    >>> image = np.zeros((30, 30))
    >>> image[8:20, 8:20] = 1
    >>> morphological_chan_vese(image, 10, "disk").sum().item()
    140
    """
    weights = [arrays.number(v, n) for n, v in (("lambda1", lambda1), ("lambda2", lambda2))]
    home = _home("image", image, init_level_set)
    image = _image(image, "image", home)
    level = _level(init_level_set, image, home)
    scaled = _volume(image / image.dtype.type(inputs.scale_of(image)))  # squares are compared

    def advance(level: Any, iterations: int, smoothed: int) -> None:
        _kernels.morphological_chan_vese(
            scaled, level, image.ndim == 3, iterations, times, smoothed, *weights
        )

    times = arrays.integer(smoothing, "smoothing", at_least=0, at_most=inputs.MAX_STEPS)
    return _run(home, level, num_iter, times, iter_callback, advance)


def morphological_geodesic_active_contour(
    gimage: Any,
    num_iter: int,
    init_level_set: Any = "disk",
    smoothing: int = 1,
    threshold: Any = "auto",
    balloon: float = 0,
    iter_callback: Callable[[Level], Any] = _silent,
) -> Level:
    """Geodesic contours by morphology, with scikit-image's arguments and answers.

    Parameters
    ----------
    gimage : (rows, columns) or (planes, rows, columns) array of real numbers
        2 or more along each axis; low at edges, as `inverse_gaussian_gradient` makes it. Whole
        numbers count as float64.
    num_iter : int
        Iterations.
    init_level_set : {"disk", "checkerboard"} or array, default "disk"
        An array has the image's shape and is above 0 inside.
    smoothing : int, default 1
        How often the contour is smoothed in each iteration. The two orders of its operators
        alternate within a call; a call begins anew, where scikit-image goes on from the last.
    threshold : float or "auto", default "auto"
        The balloon works where ``gimage > threshold / |balloon|``; "auto" is gimage's 40th
        percentile.
    balloon : float, default 0
        Above 0 the region grows by a pixel in each iteration, below 0 it shrinks.
    iter_callback : callable, optional
        Called with a copy of the level set before the first iteration and after each.

    Returns
    -------
    array of int8
        1 inside, else 0; of the image's kind.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, or has NaN.

    References
    ----------
    Marquez-Neila, Baumela and Alvarez, IEEE PAMI 36, 2, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.fronts import inverse_gaussian_gradient
    >>> from lesionkit.fronts import morphological_geodesic_active_contour
    >>> image = np.zeros((40, 40))
    >>> image[10:30, 10:30] = 1
    >>> edges = inverse_gaussian_gradient(image, sigma=1)
    >>> morphological_geodesic_active_contour(edges, 40, balloon=-1, threshold=0.5).sum().item()
    388
    """
    force = arrays.number(balloon, "balloon")
    home = _home("gimage", gimage, init_level_set)
    image = _image(gimage, "gimage", home)
    level = _level(init_level_set, image, home)
    where = None
    if isinstance(threshold, str):
        if threshold != "auto":
            raise ValueError(f"threshold must be a number or 'auto', got {threshold!r}")
    else:
        threshold = arrays.number(threshold, "threshold")
    if force != 0:
        limit = np.float64(np.percentile(image, 40) if threshold == "auto" else threshold)
        with np.errstate(over="ignore"):  # infinite: the balloon works nowhere
            where = _volume((image > limit / abs(force)).view(np.uint8))

    def advance(level: Any, iterations: int, smoothed: int) -> None:
        _kernels.morphological_geodesic(
            _volume(image), level, image.ndim == 3, iterations, times, smoothed, where, force > 0
        )

    times = arrays.integer(smoothing, "smoothing", at_least=0, at_most=inputs.MAX_STEPS)
    return _run(home, level, num_iter, times, iter_callback, advance)


def inverse_gaussian_gradient(image: Any, alpha: float = 100.0, sigma: float = 5.0) -> Any:
    """``1 / sqrt(1 + alpha |gradient|)``, near 1 where the image is even and near 0 at its edges.

    The arguments are scikit-image's.

    Parameters
    ----------
    image : array of real numbers
        Any number of axes. Whole numbers count as float64, where scikit-image rounds their slopes
        down to whole ones.
    alpha : float, default 100
        How steep, at least 0.
    sigma : float, default 5
        Of the Gaussian whose derivative is taken, in pixels.

    Returns
    -------
    array of the image's shape and kind
        float32 where the image is (or float16), else float64.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, or has NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.fronts import inverse_gaussian_gradient
    >>> step = np.repeat([[0.0] * 8 + [1.0] * 8], 8, axis=0)
    >>> inverse_gaussian_gradient(step, sigma=1)[4, [0, 7]].round(2).tolist()
    [1.0, 0.16]
    """
    from scipy import ndimage

    steepness = arrays.number(alpha, "alpha", at_least=0)
    width = arrays.number(sigma, "sigma", at_least=0, at_most=inputs.MAX_SIGMA)
    home = arrays.on_cpu("inverse_gaussian_gradient", image=image)
    values = inputs.floating(image, "image", home)
    values = arrays.real(values, "image", values.shape, keep_float32=True)
    unit = values.dtype.type(inputs.scale_of(values))
    slope = ndimage.gaussian_gradient_magnitude(values / unit, width, mode="nearest")
    with np.errstate(over="ignore"):  # then the edge map is 0
        edge: Any = 1.0 / np.sqrt(
            1.0 + steepness * (slope * unit) if steepness else 1.0 + 0 * slope
        )
    return home.back(edge)


def _run(
    home: arrays.Home,
    level: Any,
    num_iter: int,
    smoothing: int,
    callback: Callable[[Level], Any],
    advance: Callable[[Any, int, int], None],
) -> Level:
    iterations = arrays.integer(num_iter, "num_iter", at_least=0, at_most=inputs.MAX_STEPS)
    if not callable(callback):
        raise TypeError(
            f"iter_callback must be a function of the level set, got {arrays.describe(callback)}"
        )
    flat = _volume(level)
    seen = level.view(np.int8)
    if callback is _silent:
        advance(flat, iterations, 0)
        return home.back(seen)
    callback(home.back(seen.copy()))
    for done in range(iterations):
        advance(flat, 1, done * smoothing)
        callback(home.back(seen.copy()))
    return home.back(seen)


def _home(name: str, image: Any, init_level_set: Any) -> arrays.Home:
    given = {name: image, "init_level_set": inputs.name_or_array(init_level_set)}
    return arrays.on_cpu("morphological contours", **given)


def _image(value: Any, name: str, home: arrays.Home) -> Any:
    image = inputs.floating(value, name, home)
    if image.ndim not in (2, 3):
        raise ValueError(f"{name} must have 2 or 3 axes, got {arrays.describe(image)}")
    if min(image.shape) < 2:
        raise ValueError(f"{name} must have 2 pixels or more along each axis, got {image.shape}")
    return arrays.real(image, name, image.shape, keep_float32=True)


def _level(given: Any, image: Any, home: arrays.Home) -> Any:
    """The level set as a fresh array of bytes, 0 or 1."""
    if isinstance(given, str):
        squares = arrays.one_of(given, "init_level_set", ("checkerboard", "disk")) == "checkerboard"
        named = level_sets.checkerboard_level_set if squares else level_sets.disk_level_set
        return named(image.shape).view(np.uint8)
    return np.ascontiguousarray(level_sets.given(given, image.shape, home) > 0).view(np.uint8)


def _volume(array: Any) -> Any:
    return array.reshape((1,) * (3 - array.ndim) + array.shape)
