"""Shortest paths: from a point back to where its front came from."""

from __future__ import annotations

from typing import Any

import numpy as np

from lesionkit import arrays
from lesionkit._core import fronts as _kernels
from lesionkit.fronts import inputs


def geodesic_path(
    times: Any, points: Any, seeds: Any = None, spacing: Any = 1.0, step: float = 0.5
) -> Any:
    """The quickest way from the seeds to each point: down the gradient of arrival times.

    Times fall along a path.

    Parameters
    ----------
    times : array of 1 to 3 axes
        Of :func:`arrival_time`, float32 or float64 (anything else becomes float64); infinite where
        no front arrives. Paths are best with times of order 2.
    points : (axes,) or (n, axes) array_like
        A point or several, in nodes; they may lie between nodes.
    seeds : (axes,) or (k, axes) array_like, optional
        As for :func:`arrival_time`: a path ends at the first of them that is no more than a node
        away. None: at a node that has no earlier neighbour.
    spacing : float or sequence of float, default 1
        Distance of neighbouring nodes, one number or one for each axis.
    step : float, default 0.5
        Length of a step, in the least spacing; above 0 and at most 1.

    Returns
    -------
    (m, axes) array of float64, or a list of these for several points
        In nodes, the point first.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, or a point has no finite time.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.fronts import arrival_time, geodesic_path
    >>> times = arrival_time(np.ones((5, 5)), (0, 0), order=2)
    >>> path = geodesic_path(times, (0, 4), seeds=(0, 0))
    >>> path[0].tolist(), path[-1].tolist()
    ([0.0, 4.0], [0.0, 0.0])
    """
    home = arrays.on_cpu("geodesic_path", times=times)
    found = arrays.image(times, "times", home, kinds="fiu")
    if found.ndim > 3:
        raise ValueError(f"times must have 1 to 3 axes, got {arrays.describe(found)}")
    axes, shape = found.ndim, (1,) * (3 - found.ndim) + found.shape
    dtype = np.float32 if found.dtype == np.float32 else np.float64
    found = np.ascontiguousarray(found, dtype).reshape(shape)
    if np.isnan(found).any():
        raise ValueError("times must not be NaN")
    steps = arrays.spacing_of(spacing, axes)
    length = arrays.number(step, "step", above=0.0, at_most=1.0)
    sizes = found.shape[3 - axes :]
    ends = inputs.in_three_axes(inputs.points_of(points, "points", sizes))
    goals = np.zeros((0, 3))
    if seeds is not None:
        goals = inputs.in_three_axes(inputs.points_of(seeds, "seeds", sizes))
    path, counts = _kernels.find_paths(found, (*(1.0,) * (3 - axes), *steps), ends, goals, length)
    if (counts < 0).any():
        lost = ends[counts < 0][0, 3 - axes :]
        raise ValueError(f"points must lie where a front arrives, got {tuple(lost.tolist())}")
    paths = np.split(path[:, 3 - axes :], counts.cumsum()[:-1])
    answers = [home.back(np.ascontiguousarray(p)) for p in paths]
    return answers[0] if np.ndim(points) == 1 else answers
