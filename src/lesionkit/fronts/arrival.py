"""Arrival times of fronts from seeds: the eikonal equation on a grid."""

from __future__ import annotations

import itertools
import math
from typing import Any, Literal, NamedTuple

import numpy as np

from lesionkit import arrays
from lesionkit._core import fronts as _kernels
from lesionkit.fronts import inputs

UNEVEN = 100.0  # spacings this far apart: their squares leave float32 too few digits


def arrival_time(
    speed: Any,
    seeds: Any,
    spacing: Any = 1.0,
    stop: float | None = None,
    mask: Any = None,
    order: Literal[1, 2] = 1,
    factored: bool | Literal["auto"] = "auto",
    batch_axis: int | None = None,
    return_labels: bool = False,
) -> Any:
    """Arrival time of a front that starts at the seeds: ``|grad T| = 1 / speed``, by fast marching.

    The answer has the same bits whatever the number of threads or images. In float32 speeds may
    differ by a factor of 1e15, in float64 of 1e150: slower nodes count as walls.

    Parameters
    ----------
    speed : array of 1 to 3 axes
        float32 or float64 (anything else becomes float64), finite where the mask is True; a node
        whose speed is 0 or less is a wall. An array on a GPU stays there.
    seeds : (axes,) or (k, axes) array_like
        A point or several, in nodes: (0, 0) is the first node; they may lie between nodes. One in a
        wall starts nothing.
    spacing : float or sequence of float, default 1
        Distance of neighbouring nodes, one number or one for each axis.
    stop : float, optional
        Times after it are infinite, and what only they need is not computed.
    mask : array of bool, optional
        Of speed's shape; False is a wall.
    order : {1, 2}, default 1
        1: the upwind scheme, error O(h log h). 2: error O(h^2) where speed is smooth.
    factored : bool or "auto", default "auto"
        Whether the known times about a point source are split off, without which errors made there
        are carried everywhere. "auto": at order 2 (no further than 20 nodes from the seed where the
        speed is rough, whose times about a point are not known).
    batch_axis : int, optional
        The axis of `speed` that counts images; then seeds is (images, axes) or (images, k, axes).
    return_labels : bool, default False
        Also return whose front came first. Where two neighbours of a node are the earliest, at one
        time, it has the label of either; which may differ between the CPU and a GPU (and with it,
        where times are factored, about which seed this one is).

    Returns
    -------
    times : array
        Of speed's shape, dtype and kind; infinite where no front arrives.
    labels : array of int32
        1 + the number of the seed, 0 where none; with `return_labels` only.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    Rouy and Tourin, 1992 (the upwind scheme).

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.fronts import arrival_time
    >>> speed = np.ones((5, 5))
    >>> speed[1:4, 2] = 0  # a wall
    >>> arrival_time(speed, (2, 0))[2].round(2).tolist()
    [0.0, 1.0, inf, 6.55, 7.09]
    """
    order = arrays.one_of(order, "order", (1, 2))
    factored = arrays.one_of(factored, "factored", (True, False, "auto"))
    return_labels = arrays.flag(return_labels, "return_labels")
    home = arrays.home(speed=speed, mask=mask)
    accurate = order == 2 or factored is True
    with home.current():
        task = Task.of(home, speed, seeds, spacing, stop, mask, batch_axis)
        times = home.xp.empty_like(task.speed)
        starts = task.starts()
        fronts = (starts.first, starts.nodes, starts.times)
        problem = (task.speed, task.mask, task.scale, task.spacing)
        kernels: Any = _kernels
        if home.gpu is not None:
            from lesionkit.fronts import arrival_gpu as kernels
        # Close to a seed times of order 1 are up to 21 % too late.
        kernels.arrival_times(*problem, task.stop * (1.25 if accurate else 1.0), *fronts, times)
        if accurate:
            reach = 0.0 if not factored else -1.0 if factored == "auto" else math.inf
            kernels.make_accurate(
                *problem, task.stop, *fronts, times, order, reach, starts.seed_of, starts.seeds
            )
        if return_labels:
            labels = home.xp.empty(task.speed.shape, np.int32)
            kernels.front_labels(times, *fronts, starts.seed_of, labels)
        if task.unit != 1.0:
            times *= task.speed.dtype.type(task.unit)
        answer = home.back(task.shaped(times.astype(task.dtype, copy=False)))
        return (answer, home.back(task.shaped(labels))) if return_labels else answer


class Starts(NamedTuple):
    """Nodes where fronts start, image by image: those of the cell that holds the seed."""

    first: Any  # (images + 1,) int64: where each image's begin
    nodes: Any  # int64, within the image
    times: Any  # as speed
    seed_of: Any  # int32, 1 + number of the seed
    seeds: Any  # (images, k, 4): where, and the slowness there


class Task(NamedTuple):
    """The checked arguments, as the kernels want them."""

    speed: Any  # (images, planes, rows, columns)
    mask: Any  # uint8, as speed; or None
    seeds: Any  # (images, k, 3) in nodes
    scale: float  # slowness is scale / speed
    spacing: tuple[float, float, float]
    stop: float
    unit: float  # what times must be multiplied by
    shape: tuple[int, ...]
    batch_axis: int | None
    dtype: Any  # of the answer

    @classmethod
    def of(
        cls,
        home: arrays.Home,
        speed: Any,
        seeds: Any,
        spacing: Any,
        stop: float | None,
        mask: Any,
        batch_axis: int | None,
    ) -> Task:
        xp = home.xp
        speed = arrays.image(speed, "speed", home, kinds="fiu", takes_mask=True)
        axes = speed.ndim - (batch_axis is not None)
        if not 1 <= axes <= 3:
            raise ValueError(
                "speed must have 1 to 3 axes, and one more with batch_axis, got "
                f"{arrays.describe(speed)}"
            )
        if mask is not None:
            mask = arrays.mask(mask, speed.shape, home, image="speed")
        speed = arrays.finite_inside(speed, "speed", mask)
        if speed.dtype != np.float32:
            speed = speed.astype(np.float64, copy=False)
        if batch_axis is not None:
            batch_axis = arrays.integer(batch_axis, "batch_axis", at_least=-axes - 1, at_most=axes)
            speed = xp.ascontiguousarray(xp.moveaxis(speed, batch_axis, 0))
            if mask is not None:
                mask = xp.ascontiguousarray(xp.moveaxis(mask, batch_axis, 0))
        shape = speed.shape
        images = shape[0] if batch_axis is not None else 1
        speed = speed.reshape(images, *(1,) * (3 - axes), *shape[len(shape) - axes :])
        steps, dtype = arrays.spacing_of(spacing, axes), speed.dtype
        if max(steps) > UNEVEN * min(steps):
            speed = speed.astype(np.float64)
        points = inputs.points_of(
            seeds, "seeds", speed.shape[4 - axes :], None if batch_axis is None else images
        )
        length, time = inputs.power_of_two(steps[-1]), inputs.power_of_two(1 / _mean_speed(speed))
        unit = length * time
        if not float(np.finfo(dtype).tiny) <= unit <= float(np.finfo(dtype).max):
            raise ValueError(
                f"spacing over speed must give times that {dtype} holds, got a spacing of "
                f"{steps[-1]:g} and speeds of about {1 / time:g}"
            )
        return cls(
            speed,
            None if mask is None else mask.reshape(speed.shape).view(np.uint8),
            inputs.in_three_axes(points if batch_axis is not None else points[None]),
            1 / time,
            (*(steps[-1] / length,) * (3 - axes), *(step / length for step in steps)),
            math.inf if stop is None else arrays.number(stop, "stop", at_least=0.0) / unit,
            unit,
            shape,
            batch_axis,
            dtype,
        )

    def starts(self) -> Starts:
        """Exact times around each seed, for the mean of the slowness there and at the node."""
        images, *sides = self.speed.shape
        count = self.seeds.shape[1]
        corner = np.minimum(np.floor(self.seeds), np.maximum(np.array(sides) - 2, 0))
        part = self.seeds - corner
        image = np.arange(images)[:, None]
        nodes, weights, slowness, away = [], [], [], []
        for step in itertools.product((0, 1), repeat=3):
            fraction = np.where(step, part, 1 - part).prod(axis=-1)
            at = corner.astype(np.int64) + (fraction > 0)[..., None] * step
            speed = _picked(self.speed, image, at)
            if self.mask is not None:
                speed = speed * _picked(self.mask, image, at)
            weights.append(np.where(speed > 0, fraction, 0.0))
            slowness.append(self.scale / np.where(speed > 0, speed, np.inf))
            away.append(np.sqrt((((self.seeds - at) * self.spacing) ** 2).sum(axis=-1)))
            nodes.append((at[..., 0] * sides[1] + at[..., 1]) * sides[2] + at[..., 2])
        w, slow = np.stack(weights, -1), np.stack(slowness, -1)
        here = (w * slow).sum(-1, keepdims=True) / np.maximum(w.sum(-1, keepdims=True), 1e-300)
        times = np.stack(away, -1) * (slow + here) / 2
        seed = np.broadcast_to(np.arange(1, count + 1)[:, None], w.shape)
        used = w > 0
        return Starts(
            np.concatenate(([0], used.sum(axis=(1, 2)).cumsum())).astype(np.int64),
            np.stack(nodes, -1)[used],
            times[used].astype(self.speed.dtype),
            seed[used].astype(np.int32),
            np.concatenate((self.seeds, here), axis=-1),
        )

    def shaped(self, array: Any) -> Any:
        """An array of the kernels in the shape that came."""
        array = array.reshape(self.shape)
        if self.batch_axis is None:
            return array
        return arrays.namespace(array).moveaxis(array, 0, self.batch_axis)


def _mean_speed(speed: Any) -> float:
    """Of some nodes that are no walls, or 1."""
    some = speed.reshape(-1)[:: speed.size // 1000 | 1]
    some = some[some > 0].astype(float)
    if not some.size:
        return 1.0
    most = float(some.max())
    mean = float((some / most).mean()) * most
    if 1 / mean == math.inf:
        raise ValueError(f"speed must be so great that times are numbers, got a mean of {mean:g}")
    return mean


def _picked(array: Any, image: Any, at: Any) -> Any:
    """Some nodes of (images, planes, rows, columns), as float64 in NumPy."""
    xp = arrays.namespace(array)
    found = array[tuple(xp.asarray(i) for i in np.broadcast_arrays(image, *np.moveaxis(at, -1, 0)))]
    return arrays.to_host(found).astype(float)
