"""Shortest paths: from a point back to where its front came from."""

from __future__ import annotations

from typing import Any

import numpy as np

from lesionkit import arrays
from lesionkit._core import fronts as _core
from lesionkit.fronts import inputs


def geodesic_path(
    times: Any, points: Any, seeds: Any = None, spacing: Any = 1.0, step: float = 0.5
) -> Any:
    """The quickest way from the seeds to each point, from the point on: down the gradient of times.

    times   : of `arrival_time`, 1 to 3 axes, float32 or float64 (anything else becomes float64);
              infinite where no front arrives. Paths are best with times of order 2.
    points  : a point, or (n, axes) points, in nodes; they may lie between nodes
    seeds   : as for `arrival_time`: a path ends at the first of them that is no more than a node
              away. Without them it ends at a node that has no earlier neighbour.
    spacing : distance of neighbouring nodes, one number or one for each axis
    step    : length of a step, in the least spacing; above 0 and at most 1
    returns : for a point (m, axes) float64, in nodes, the point first; for points a list of these
    Times fall along a path. Raises ValueError or TypeError where an argument is not as said here,
    and where a point has no finite time.
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
    path, counts = _core.find_paths(found, (*(1.0,) * (3 - axes), *steps), ends, goals, length)
    if (counts < 0).any():
        lost = ends[counts < 0][0, 3 - axes :]
        raise ValueError(f"points must lie where a front arrives, got {tuple(lost.tolist())}")
    paths = np.split(path[:, 3 - axes :], counts.cumsum()[:-1])
    answers = [home.back(np.ascontiguousarray(p)) for p in paths]
    return answers[0] if np.ndim(points) == 1 else answers
