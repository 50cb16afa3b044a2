"""Spatial fuzzy c-means in plain loops, straight from the papers. Grey or with channels last.

An image is (*shape) or (*shape, channels), a mask (*shape) booleans. Memberships are
(*shape, classes), 0 outside the mask. Every step takes the centres (classes, channels).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

Array = np.ndarray


def place(i: int, n: int, border: str) -> int | None:
    """The pixel at i of a line of n that goes on past its border by numpy.pad's rule."""
    if 0 <= i < n:
        return i
    if border == "valid":
        return None
    far = abs(i) + 1
    return int(np.pad(np.arange(n), far, mode=border)[far + i])


def neighbours(
    at: tuple[int, ...], mask: Array, size: tuple[int, ...], border: str, own: bool
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """(pixel, step) of the window about `at` that lie in the mask (and in the image)."""
    for step in product(*(range(-(side // 2), side // 2 + 1) for side in size)):
        if not own and not any(step):
            continue
        where = [place(a + s, n, border) for a, s, n in zip(at, step, mask.shape, strict=True)]
        if None not in where and mask[tuple(where)]:
            yield tuple(where), step


def pixels(mask: Array) -> Iterator[tuple[int, ...]]:
    return (tuple(at) for at in np.argwhere(mask))


def filtered(
    image: Array, mask: Array, size: tuple[int, ...], border: str, own: bool, what: str
) -> Array:
    """The mean or median of the neighbours; a pixel without any keeps its value."""
    made = image.astype(float)
    for at in pixels(mask):
        near = [image[r] for r, _ in neighbours(at, mask, size, border, own)]
        if near:
            made[at] = getattr(np, what)(np.array(near, float), axis=0)
    return made


def similar(
    image: Array,
    mask: Array,
    size: tuple[int, ...],
    border: str,
    lambda_s: float,
    lambda_g: float,
) -> Array:
    """Cai, Chen and Zhang 2007: the mean with the weights S_ir."""
    made = image.astype(float)
    for at in pixels(mask):
        near = list(neighbours(at, mask, size, border, False))
        if not near:
            continue
        variance = np.mean([(image[r] - image[at]) ** 2 for r, _ in near])
        if variance == 0:
            continue
        weights = [
            np.exp(-max(map(abs, step)) / lambda_s)
            * np.exp(-((image[r] - image[at]) ** 2) / (lambda_g * variance))
            for r, step in near
        ]
        made[at] = np.average([image[r] for r, _ in near], weights=weights)
    return made


def memberships(distances: Array, m: float) -> Array:
    """u_j = D_j^(-1/(m-1)) / sum; where some are 0, all of it goes to these, in equal parts."""
    zero = distances == 0
    if zero.any():
        return zero / zero.sum()
    powers = (distances / distances.min()) ** (-1.0 / (m - 1.0))
    return powers / powers.sum()


def apart(x: Any, centres: Array) -> Array:
    """|x - v_j|^2 for each centre."""
    return ((np.atleast_1d(x) - centres) ** 2).sum(1)


def new_centres(u: Array, m: float, image: Array, mask: Array) -> Array:
    weights = np.array([u[at] ** m for at in pixels(mask)])
    values = np.array([np.atleast_1d(image[at]) for at in pixels(mask)], float)
    return (weights.T @ values) / weights.sum(0)[:, None]


def fcm(image: Array, mask: Array, centres: Array, m: float) -> Array:
    u = np.zeros((*mask.shape, len(centres)))
    for at in pixels(mask):
        u[at] = memberships(apart(image[at], centres), m)
    return u


def fcm_s(
    image: Array, near: Array, mask: Array, centres: Array, m: float, alpha: float
) -> tuple[Array, Array]:
    """Chen and Zhang 2004: memberships and the next centres; near: mean (S1) or median (S2)."""
    u = np.zeros((*mask.shape, len(centres)))
    for at in pixels(mask):
        u[at] = memberships(apart(image[at], centres) + alpha * apart(near[at], centres), m)
    mixed = (image + alpha * near) / (1.0 + alpha)
    return u, new_centres(u, m, mixed, mask)


def fcm_s_objective(
    image: Array, near: Array, mask: Array, centres: Array, m: float, alpha: float
) -> float:
    u, _ = fcm_s(image, near, mask, centres, m, alpha)
    total = 0.0
    for at in pixels(mask):
        far = apart(image[at], centres) + alpha * apart(near[at], centres)
        total += float((u[at] ** m * far).sum())
    return total


def grey_levels(image: Array, mask: Array, m: float, centres: Array) -> tuple[Array, Array]:
    """Szilagyi 2003: plain FCM on the grey levels of an image of integers, by their counts."""
    levels, counts = np.unique(image[mask], return_counts=True)
    u = np.array([memberships(apart(level, centres), m) for level in levels])
    weights = u**m * counts[:, None]
    next_centres = (weights.T @ levels[:, None]) / weights.sum(0)[:, None]
    planes = np.zeros((*mask.shape, len(centres)))
    for at in pixels(mask):
        planes[at] = u[np.searchsorted(levels, image[at])]
    return planes, next_centres


def sfcm(
    image: Array,
    mask: Array,
    centres: Array,
    m: float,
    p: float,
    q: float,
    size: tuple[int, ...],
    border: str,
) -> tuple[Array, Array]:
    """Chuang 2006: u' and the next centres."""
    u = fcm(image, mask, centres, m)
    spatial = np.zeros_like(u)
    for at in pixels(mask):
        h = sum(u[r] for r, _ in neighbours(at, mask, size, border, True))
        both = u[at] ** p * h**q
        spatial[at] = both / both.sum() if both.sum() > 0 else u[at]
    return spatial, new_centres(spatial, m, image, mask)


def flicm(
    image: Array,
    mask: Array,
    u: Array,
    centres: Array,
    m: float,
    size: tuple[int, ...],
    border: str,
) -> Array:
    """Krinidis and Chatzis 2010: the next memberships, from the old ones and the centres."""
    made = np.zeros_like(u)
    for at in pixels(mask):
        far = apart(image[at], centres)
        for r, step in neighbours(at, mask, size, border, False):
            distance = np.linalg.norm(step)
            far = far + (1.0 - u[r]) ** m * apart(image[r], centres) / (1.0 + distance)
        made[at] = memberships(far, m)
    return made
