"""Edge flow and the linking of boundaries, in Numba: steps that a study of textures or colours
changes, so their loops stand here in Python. Each is compiled when it is first called and kept on
disk; uncompiled it is its own reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lesionkit import arrays
from lesionkit._jit import njit
from lesionkit.fronts import inputs, level_sets

MAX_DIRECTIONS = 360


class EdgeFlow(NamedTuple):
    """Where flows meet, and the flows.

    Attributes
    ----------
    strength : (rows, columns) array of float64
        Of the boundary below or right of the pixel; 0: none.
    flow : (2, rows, columns) array of float64
        Down and right, after the vectors have moved.
    start : (2, rows, columns) array of float64
        The same, before.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.fronts import edge_flow
    >>> step = np.repeat([[0.0, 0, 0, 0, 9, 9, 9, 9]], 8, axis=0)
    >>> found = edge_flow(step, sigma=1)
    >>> found.strength.shape, found.flow.shape
    ((8, 8), (2, 8, 8))
    """

    strength: Any
    flow: Any
    start: Any


def edge_flow(
    image: Any,
    sigma: float = 2.0,
    *,
    orientations: int = 8,
    channel_axis: int | None = None,
    weights: Sequence[float] | None = None,
    max_iter: int = 1000,
) -> EdgeFlow:
    """Boundaries where vectors meet that point from each pixel to its nearest edge.

    For each channel, smoothed, and each direction t, E is the size of the slope along t, and Err =
    ``|I(x + 4 sigma t) - I(x)|`` the error of predicting the value 4 sigma away. An edge lies
    towards t with probability P(t) = Err(t) / (Err(t) + Err(t + pi)), 1/2 where both are 0. The
    flow is the sum of E(t) exp(i t) over the half circle with the greatest sum of P; E and P are
    weighted sums over the channels. It then moves to the neighbour that it points at, where the
    flow there has a positive product with it, until nothing moves. Between two neighbours whose
    flows face each other is a boundary, as strong as the sum of the two components.

    Parameters
    ----------
    image : (rows, columns) array of real numbers
        And channels where `channel_axis` says so: intensity, colours, or the amplitudes of Gabor
        filters.
    sigma : float, default 2
        Scale in pixels: of the Gaussian, and a quarter of the distance over which a pixel is
        predicted.
    orientations : int, default 8
        Even, 4 to 360.
    channel_axis : int, optional
        The axis of the channels, if the image has one.
    weights : sequence of float, optional
        Of the channels; None: all equal.
    max_iter : int, default 1000
        Rounds of moving at most.

    Returns
    -------
    EdgeFlow
        `strength`, `flow` and its `start`, in float64, of the image's kind.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, or has NaN.

    References
    ----------
    Ma and Manjunath, IEEE Trans. Image Processing 9, 1375, 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.fronts import edge_flow
    >>> step = np.repeat([[0.0, 0, 0, 0, 9, 9, 9, 9]], 8, axis=0)
    >>> edge_flow(step, sigma=1).strength[4].argmax().item()  # between columns 3 and 4
    3
    """
    from scipy import ndimage

    scale = arrays.number(sigma, "sigma", above=0, at_most=inputs.MAX_SIGMA)
    directions = arrays.integer(orientations, "orientations", at_least=4, at_most=MAX_DIRECTIONS)
    if directions % 2:
        raise ValueError(f"orientations must be even, got {directions}")
    rounds = arrays.integer(max_iter, "max_iter", at_least=0, at_most=inputs.MAX_STEPS)
    home = arrays.on_cpu("edge_flow", image=image)
    channels = level_sets.channels(image, channel_axis, home)
    if channels.ndim != 3:
        raise ValueError(f"image must have 2 axes beside its channels, got {channels.ndim - 1}")
    channels = arrays.real(channels, "image", channels.shape)
    unit = inputs.scale_of(channels)  # slopes are squared and added
    channels = channels / unit
    if weights is None:
        fractions = np.full(len(channels), 1 / len(channels))
    else:
        fractions = arrays.real(weights, "weights", (len(channels),), at_least=0)

    def filtered(*order: int) -> Any:
        return np.stack(
            [ndimage.gaussian_filter(c, scale, order, mode="nearest") for c in channels]
        )

    start = np.zeros((2, *channels.shape[1:]))
    angles = 2 * np.pi * np.arange(directions) / directions
    turns = np.stack([np.sin(angles), np.cos(angles)], axis=1)  # down, right
    _begin_compiled(
        filtered(0, 0), filtered(1, 0), filtered(0, 1), fractions, turns, 4 * scale, start
    )
    flow = start.copy()
    _propagate_compiled(flow, rounds)
    strength = np.zeros(channels.shape[1:])
    _meet_compiled(flow, strength)
    with np.errstate(over="ignore"):
        made = [part * unit for part in (strength, flow, start)]
    if not all(np.isfinite(part).all() for part in made):
        raise ValueError("image must have slopes that float64 holds, got some beyond 1.8e308")
    return EdgeFlow(*map(home.back, made))


def link_boundaries(
    boundary: Any, reach: float = 1.0, *, least: float = 3.0, most: float = 25.0
) -> Any:
    """Join open ends of boundaries to the nearest boundary ahead of them.

    An open end is a pixel with one neighbour, of eight. It looks ahead in half a disc, away from
    the pixels that lead to it (5 at most), and is joined to the nearest boundary pixel by a
    straight line; first come, first served, in raster order, until no end can be joined.

    Parameters
    ----------
    boundary : (rows, columns) array of bool
        Thin lines.
    reach : float, default 1
        The longer a line, the farther it looks: an end sees as many pixels as its line
        (8-connected) has, times this.
    least, most : float, default 3 and 25
        Bounds of what an end sees, in pixels.

    Returns
    -------
    array of bool
        The boundary and the links; of the boundary's kind.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.fronts import link_boundaries
    >>> line = np.zeros((3, 12), bool)
    >>> line[1, :4] = line[1, 6:] = True  # a gap of two pixels
    >>> link_boundaries(line)[1].all().item()
    True
    """
    factor = arrays.number(reach, "reach", at_least=0)
    low = arrays.number(least, "least", at_least=0)
    high = arrays.number(most, "most", at_least=low)
    home = arrays.on_cpu("link_boundaries", boundary=boundary)
    lines = inputs.whole(boundary, "boundary", home, "booleans (or numbers that are whole)")
    if lines.ndim != 2:
        raise ValueError(f"boundary must have 2 axes, got {arrays.describe(lines)}")
    linked = lines != 0
    _link_compiled(linked, factor, low, high)
    return home.back(linked)


# --- loops ----------------------------------------------------------------------------------------


def _begin(
    smooth: Any, down: Any, right: Any, fractions: Any, turns: Any, distance: float, flow: Any
) -> None:
    """Fill flow [2][rows][columns]. smooth, down, right: [channels][rows][columns], the image and
    its slopes; turns: [directions][2], once round."""
    channels, rows, columns = smooth.shape
    directions = len(turns)
    half = directions // 2
    errors = np.empty(directions)
    energy = np.empty(directions)
    likely = np.empty(directions)
    for row in range(rows):
        for column in range(columns):
            energy[:] = 0.0
            likely[:] = 0.0
            for c in range(channels):
                for t in range(directions):
                    y = min(max(row + distance * turns[t, 0], 0.0), rows - 1.0)
                    x = min(max(column + distance * turns[t, 1], 0.0), columns - 1.0)
                    y0, x0 = int(y), int(x)
                    y1, x1 = min(y0 + 1, rows - 1), min(x0 + 1, columns - 1)
                    above = smooth[c, y0, x0] + (x - x0) * (smooth[c, y0, x1] - smooth[c, y0, x0])
                    below = smooth[c, y1, x0] + (x - x0) * (smooth[c, y1, x1] - smooth[c, y1, x0])
                    errors[t] = abs(above + (y - y0) * (below - above) - smooth[c, row, column])
                    slope = turns[t, 0] * down[c, row, column] + turns[t, 1] * right[c, row, column]
                    energy[t] += fractions[c] * abs(slope)
                for t in range(directions):
                    both = errors[t] + errors[(t + half) % directions]
                    likely[t] += fractions[c] * (errors[t] / both if both > 0 else 0.5)
            best, first = -1.0, 0
            for t in range(directions):
                total = 0.0
                for k in range(half):
                    total += likely[(t + k) % directions]
                if total > best:
                    best, first = total, t
            for k in range(half):
                t = (first + k) % directions
                flow[0, row, column] += energy[t] * turns[t, 0]
                flow[1, row, column] += energy[t] * turns[t, 1]


def _propagate(flow: Any, rounds: int) -> int:
    """Move flows to the neighbours that they point at, all at once in each round. Returns how many
    rounds it took until nothing moved."""
    _, rows, columns = flow.shape
    moved = np.empty_like(flow)
    for done in range(rounds):
        moved[:] = 0.0
        changed = False
        for row in range(rows):
            for column in range(columns):
                down, right = flow[0, row, column], flow[1, row, column]
                size = max(abs(down), abs(right))
                if size == 0.0:
                    continue
                # the neighbour of eight whose direction is nearest: tan(22.5 degrees) divides them
                y, x = row, column
                if abs(down) > 0.41421356237309503 * size:
                    y += 1 if down > 0 else -1
                if abs(right) > 0.41421356237309503 * size:
                    x += 1 if right > 0 else -1
                if 0 <= y < rows and 0 <= x < columns:
                    if flow[0, y, x] * down + flow[1, y, x] * right > 0:
                        changed = True
                    else:
                        y, x = row, column
                else:
                    y, x = row, column
                moved[0, y, x] += down
                moved[1, y, x] += right
        flow[:] = moved
        if not changed:
            return done
    return rounds


def _meet(flow: Any, strength: Any) -> None:
    """Fill strength [rows][columns], of the boundary below or right of each pixel."""
    rows, columns = strength.shape
    for row in range(rows):
        for column in range(columns):
            most = 0.0
            if row + 1 < rows and flow[0, row, column] > 0 > flow[0, row + 1, column]:
                most = flow[0, row, column] - flow[0, row + 1, column]
            if column + 1 < columns and flow[1, row, column] > 0 > flow[1, row, column + 1]:
                most = max(most, flow[1, row, column] - flow[1, row, column + 1])
            strength[row, column] = most


def _link(lines: Any, reach: float, least: float, most: float) -> int:
    """Join the open ends of lines [rows][columns] in place. Returns how many were joined."""
    rows, columns = lines.shape
    size = np.zeros((rows, columns), np.int64)  # of the line that a pixel is on
    stack = np.empty((rows * columns, 2), np.int64)
    joined = 0
    again = True
    while again:
        again = False
        size[:] = 0
        for row in range(rows):
            for column in range(columns):
                if not lines[row, column] or size[row, column] != 0:
                    continue
                stack[0, 0], stack[0, 1] = row, column
                size[row, column] = 1
                begin, end = 0, 1
                while begin < end:
                    y, x = stack[begin]
                    begin += 1
                    for b in range(max(y - 1, 0), min(y + 2, rows)):
                        for a in range(max(x - 1, 0), min(x + 2, columns)):
                            if lines[b, a] and size[b, a] == 0:
                                size[b, a] = 1
                                stack[end, 0], stack[end, 1] = b, a
                                end += 1
                for k in range(end):
                    size[stack[k, 0], stack[k, 1]] = end
        for row in range(rows):
            for column in range(columns):
                if not lines[row, column] or size[row, column] == 0:
                    continue  # size is 0 for what was drawn in this round
                # from the end back along the line
                y, x, behind_y, behind_x, steps = row, column, -1, -1, 0
                while steps < 5:
                    count, next_y, next_x = 0, -1, -1
                    for b in range(max(y - 1, 0), min(y + 2, rows)):
                        for a in range(max(x - 1, 0), min(x + 2, columns)):
                            mine = (b == y and a == x) or (b == behind_y and a == behind_x)
                            if lines[b, a] and not mine:
                                count += 1
                                next_y, next_x = b, a
                    if count != 1:
                        break
                    behind_y, behind_x, y, x = y, x, next_y, next_x
                    steps += 1
                if steps == 0:
                    continue
                ahead_y, ahead_x = row - y, column - x
                radius = min(max(reach * size[row, column], least), most)
                wide = int(radius)
                nearest = radius * radius
                to_y, to_x = -1, -1
                for b in range(max(row - wide, 0), min(row + wide + 1, rows)):
                    for a in range(max(column - wide, 0), min(column + wide + 1, columns)):
                        dy, dx = b - row, a - column
                        far = dy * dy + dx * dx
                        seen = lines[b, a] and far > 2 and dy * ahead_y + dx * ahead_x > 0
                        if seen and (far < nearest or (far == nearest and to_y < 0)):
                            nearest = far
                            to_y, to_x = b, a
                if to_y < 0:
                    continue
                length = max(abs(to_y - row), abs(to_x - column))
                for k in range(1, length):
                    b = int(np.floor(row + k * (to_y - row) / length + 0.5))
                    a = int(np.floor(column + k * (to_x - column) / length + 0.5))
                    lines[b, a] = True
                joined += 1
                again = True
    return joined


_begin_compiled: Any = njit(_begin)
_propagate_compiled: Any = njit(_propagate)
_meet_compiled: Any = njit(_meet)
_link_compiled: Any = njit(_link)
