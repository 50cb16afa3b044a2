"""Contours without edges: two regions, each as even as can be, and a short line between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from lesionkit import arrays
from lesionkit._core import fronts as _kernels
from lesionkit.fronts import inputs, level_sets

MAX_STEP = 1e6  # in time; far above what moves a contour in one iteration, far below overflow


def chan_vese(
    image: Any,
    mu: float = 0.25,
    lambda1: float = 1.0,
    lambda2: float = 1.0,
    tol: float = 1e-3,
    max_num_iter: int = 500,
    dt: float = 0.5,
    init_level_set: Any = "checkerboard",
    extended_output: bool = False,
    *,
    channel_axis: int | None = None,
    mask: Any = None,
) -> Any:
    """Chan and Vese's segmentation, with scikit-image's arguments.

    On a C-contiguous image of one channel the bits are scikit-image's.

    Parameters
    ----------
    image : (rows, columns) or (planes, rows, columns) array of real numbers
        And channels where `channel_axis` says so. float32 and float16 are worked on in float32, all
        else in float64. Each channel is scaled to [0, 1].
    mu : float, default 0.25
        Weight of the contour's length; larger values give rounder regions.
    lambda1, lambda2 : float, default 1
        Weights of the unevenness inside (level set above 0) and outside; of several channels the
        mean counts (Chan, Sandberg and Vese, 2000).
    tol : float, default 1e-3
        Stop once the root mean square change of the level set is at most this.
    max_num_iter : int, default 500
        Iterations at most.
    dt : float, default 0.5
        Time step of one iteration.
    init_level_set : {"checkerboard", "disk", "small disk"} or array, default "checkerboard"
        An array has the image's shape.
    extended_output : bool, default False
        Also return the level set and the energies.
    channel_axis : int, optional
        The axis of the channels, if the image has one.
    mask : array of bool, optional
        Only these pixels count and are worked on, as if the image ended there. The cost is that of
        the smallest box about them.

    Returns
    -------
    segmentation : array of bool
        False outside the mask; of the image's kind.
    phi : array
        The level set, 0 outside the mask; with `extended_output` only.
    energies : list of float
        Before each iteration; with `extended_output` only.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, or has NaN.

    References
    ----------
    Chan and Vese, IEEE Trans. Image Processing 10, 266, 2001; the semi-implicit scheme of Getreuer,
    Image Processing On Line 2, 214, 2012, eq. 22.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.fronts import chan_vese
    >>> image = np.random.default_rng(0).normal(100, 5, (40, 40))
    >>> image[10:30, 15:35] += 40
    >>> inside = chan_vese(image, init_level_set="disk")
    >>> inside[10:30, 15:35].mean().item(), inside.sum().item()
    (1.0, 400)
    """
    rule = [
        arrays.number(v, n) for n, v in (("mu", mu), ("lambda1", lambda1), ("lambda2", lambda2))
    ]
    tol, dt = arrays.number(tol, "tol"), arrays.number(dt, "dt", above=0.0, at_most=MAX_STEP)
    most = arrays.integer(max_num_iter, "max_num_iter", at_least=0, at_most=inputs.MAX_STEPS)
    extended_output = arrays.flag(extended_output, "extended_output")
    home = arrays.home(image=image, mask=mask, init_level_set=inputs.name_or_array(init_level_set))
    with home.current():
        xp = home.xp
        channels = level_sets.channels(image, channel_axis, home, takes_mask=True)
        shape = channels.shape[1:]
        inside = None if mask is None else arrays.mask(mask, shape, home, some=True)
        box = (slice(None),) * len(shape) if inside is None else level_sets.box_of(inside, xp)
        phi = _level_set(init_level_set, shape, channels.dtype, home)[box]
        channels = channels[(slice(None), *box)]
        if inside is not None:
            channels, phi = (xp.where(inside[box], a, a.dtype.type(0)) for a in (channels, phi))
        channels = arrays.real(channels, "image", channels.shape, xp=xp, keep_float32=True)
        phi = arrays.real(phi, "init_level_set", phi.shape, xp=xp, keep_float32=True)
        phi = xp.array(phi, order="C")  # a copy: what was passed is not changed
        flat = (1,) * (3 - phi.ndim)
        kernels: Any = _kernels
        if home.gpu is not None:
            from lesionkit.fronts.contours import chan_vese_gpu as kernels
        sums = kernels.chan_vese(
            _scaled(channels, None if inside is None else inside[box], xp).reshape(
                len(channels), *flat, *phi.shape
            ),
            None
            if inside is None
            else xp.ascontiguousarray(inside[box]).view(np.uint8).reshape(*flat, *phi.shape),
            phi.reshape(*flat, *phi.shape),
            phi.ndim == 3,
            rule[0],
            rule[1:] * len(channels),
            tol,
            most,
            dt,
            extended_output,
        )
        if inside is not None:
            whole = xp.zeros(shape, phi.dtype)
            whole[box] = phi
            phi = whole
        segmentation = home.back(phi > 0)
        if not extended_output:
            return segmentation
        counted = phi.size if inside is None else int(inside.sum())
        energies = _energies(sums, len(channels), counted, *rule)
        if not np.isfinite(energies).all():
            raise ValueError(
                "mu, lambda1 and lambda2 must be numbers whose energies are finite, got "
                f"{mu:g}, {lambda1:g} and {lambda2:g}"
            )
        return segmentation, home.back(phi), energies


def _level_set(given: Any, shape: tuple[int, ...], dtype: Any, home: arrays.Home) -> Any:
    if isinstance(given, str):
        arrays.one_of(given, "init_level_set", ("checkerboard", "disk", "small disk"))
        if given == "checkerboard":
            named = level_sets.smooth_checkerboard(shape, dtype)
        else:
            named = level_sets.smooth_disk(shape, 1.0 if given == "disk" else 0.5, dtype)
        return home.xp.asarray(named)
    phi = inputs.floating(given, "init_level_set", home)
    if phi.shape != shape:
        raise ValueError(
            f"init_level_set must have the picture's shape {shape}, got {arrays.describe(phi)}"
        )
    return phi.astype(dtype, copy=False)


def _energies(
    sums: Any, channels: int, counted: int, mu: float, lambda1: float, lambda2: float
) -> list[float]:
    """The energy before each iteration, from the sums that chan_vese.hpp in csrc tells of."""
    table = np.asarray(sums).reshape(-1, 2 + 4 * channels)
    weight = np.stack([table[:, 0], counted - table[:, 0]], axis=1)[:, np.newaxis]
    sums, squares = np.moveaxis(table[:, 2:].reshape(-1, channels, 2, 2), -1, 0)
    means = np.divide(sums, weight, out=np.zeros_like(sums), where=weight > 0)
    with np.errstate(over="ignore", invalid="ignore"):  # refused
        spread = ((squares - sums * means) * (lambda1, lambda2)).sum(2).mean(1)
        energies: list[float] = (spread + mu * table[:, 1]).tolist()
    return energies


def _scaled(channels: Any, inside: Any, xp: Any) -> Any:
    """Each channel from 0 to 1, by the pixels of the mask; 0 outside it."""
    scaled = []
    for channel in channels / channels.dtype.type(inputs.scale_of(channels)):
        counted = channel if inside is None else channel[inside]
        channel = channel - counted.min()
        most = counted.max() - counted.min()
        if most != 0:
            channel = channel / most
        scaled.append(channel if inside is None else xp.where(inside, channel, 0))
    return xp.ascontiguousarray(xp.stack(scaled))
