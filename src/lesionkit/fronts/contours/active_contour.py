"""Geodesic active contours: a level set that is drawn to edges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lesionkit import arrays
from lesionkit._core import fronts as _kernels
from lesionkit.fronts import inputs, level_sets

MAX_NODES = 2**31 - 1


def geodesic_active_contour(
    gimage: Any,
    num_iter: int,
    init_level_set: Any = "disk",
    *,
    balloon: float = 0.0,
    curvature: float = 1.0,
    advection: float = 1.0,
    spacing: float | Sequence[float] = 1.0,
    extended_output: bool = False,
) -> Any:
    """Move a contour until it lies on edges.

    ``phi_t = g (balloon + curvature kappa) |grad phi| + advection grad g . grad phi``, with phi
    above 0 inside, in a narrow band about the contour.

    Parameters
    ----------
    gimage : (rows, columns) or (planes, rows, columns) array of real numbers
        g: low at edges and high elsewhere, at least 0, as `inverse_gaussian_gradient` makes it.
        float32 (or float16) is worked on in float32, all else in float64.
    num_iter : int
        Iterations; each takes the greatest stable time step.
    init_level_set : {"disk", "checkerboard"} or array, default "disk"
        Of the image's shape: booleans (True inside), or a level set, above 0 inside, whose zero the
        contour is, to a fraction of a pixel.
    balloon : float, default 0
        Speed outwards where g is 1 (below 0: inwards).
    curvature : float, default 1
        How stiff the contour is, at least 0.
    advection : float, default 1
        How strongly edges draw it, at least 0.
    spacing : float or sequence of float, default 1
        Of the pixels, one number or one for each axis.
    extended_output : bool, default False
        Also return the level set and the time.

    Returns
    -------
    segmentation : array of bool
        True inside; of the image's kind.
    phi : array
        The signed distance within 3 (widest) pixels of the contour, cut off there; with
        `extended_output` only.
    time : float
        The time that has passed; with `extended_output` only.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, or has NaN.

    References
    ----------
    Caselles, Kimmel and Sapiro, Int. J. Computer Vision 22, 61, 1997.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.fronts import geodesic_active_contour, inverse_gaussian_gradient
    >>> image = np.zeros((40, 40))
    >>> image[10:30, 10:30] = 1
    >>> edges = inverse_gaussian_gradient(image, sigma=1)
    >>> inside = geodesic_active_contour(edges, 300)
    >>> truth = image > 0
    >>> round((inside & truth).sum().item() / (inside | truth).sum().item(), 2)
    0.97
    """
    iterations = arrays.integer(num_iter, "num_iter", at_least=0, at_most=inputs.MAX_STEPS)
    push = arrays.number(balloon, "balloon")
    bend = arrays.number(curvature, "curvature", at_least=0)
    pull = arrays.number(advection, "advection", at_least=0)
    extended_output = arrays.flag(extended_output, "extended_output")
    home = arrays.on_cpu(
        "geodesic_active_contour",
        gimage=gimage,
        init_level_set=inputs.name_or_array(init_level_set),
    )
    edge = inputs.floating(gimage, "gimage", home)
    if edge.ndim not in (2, 3):
        raise ValueError(f"gimage must have 2 or 3 axes, got {arrays.describe(edge)}")
    if np.prod([n + 4.0 for n in edge.shape]) > MAX_NODES:
        raise ValueError(f"gimage must have fewer than {MAX_NODES} pixels, got {edge.shape}")
    edge = arrays.real(edge, "gimage", edge.shape, keep_float32=True, at_least=0)
    steps = arrays.spacing_of(spacing, edge.ndim)
    phi = _level_set(init_level_set, edge, home)
    unit = inputs.scale_of(edge)  # a map that is so many times faster, for so much less time
    edge = edge / edge.dtype.type(unit)
    time = _kernels.geodesic_active_contour(edge, phi, steps, push, bend, pull, iterations)
    segmentation = home.back(phi > 0)
    return (segmentation, home.back(phi), time / unit) if extended_output else segmentation


def _level_set(given: Any, edge: Any, home: arrays.Home) -> Any:
    """A level set, as a fresh array of the edge map's dtype."""
    if isinstance(given, str):
        disk = arrays.one_of(given, "init_level_set", ("disk", "checkerboard")) == "disk"
        phi = (level_sets.disk_level_set if disk else level_sets.checkerboard_level_set)(
            edge.shape
        ) > 0
    else:
        phi = level_sets.given(given, edge.shape, home)
    if phi.dtype == bool:
        phi = np.where(phi, 0.5, -0.5)
    with np.errstate(over="ignore"):
        phi = np.array(phi, edge.dtype)
    if not np.isfinite(phi).all():
        raise ValueError(f"init_level_set must hold numbers that {edge.dtype} holds")
    return phi
