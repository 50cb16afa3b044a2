"""Contours, as their papers write them, in plain loops."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Pixel = tuple[int, ...]


def neighbour(phi: Any, pixel: Pixel, axis: int, step: int, mask: Any) -> float:
    """The value one step away; of the pixel itself where the image or the mask ends."""
    other = list(pixel)
    other[axis] += step
    inside = 0 <= other[axis] < phi.shape[axis] and (mask is None or mask[tuple(other)])
    return float(phi[tuple(other) if inside else pixel])


def pixels(shape: tuple[int, ...], mask: Any) -> Iterator[Pixel]:
    return (p for p in itertools.product(*map(range, shape)) if mask is None or mask[p])


def chan_vese_step(
    channels: Any, phi: Floats, mu: float, lambdas: tuple[float, float], dt: float, mask: Any = None
) -> Floats:
    """Getreuer, Image Processing On Line 2, 214, 2012, eq. 22, from the old values alone, with
    delta = 1 / (1 + phi^2) and 1e-16 under each root. The means are those of phi > 0 and the rest.
    """
    counted = list(pixels(phi.shape, mask))
    forces = dict.fromkeys(counted, 0.0)
    for channel in channels:
        inside = [channel[p] for p in counted if phi[p] > 0]
        outside = [channel[p] for p in counted if not phi[p] > 0]
        means = [math.fsum(v) / len(v) if v else 0.0 for v in (inside, outside)]
        for p in counted:
            inner, outer = (float(channel[p]) - mean for mean in means)
            forces[p] += (-lambdas[0] * inner**2 + lambdas[1] * outer**2) / len(channels)
    new = np.zeros_like(phi)
    for p in counted:
        here = float(phi[p])
        ahead, back = (
            [neighbour(phi, p, a, step, mask) for a in range(phi.ndim)] for step in (1, -1)
        )
        central = [(e - w) / 2 for e, w in zip(ahead, back, strict=True)]
        pull = weights = 0.0
        for axis in range(phi.ndim):
            across = sum(c**2 for a, c in enumerate(central) if a != axis)
            for other in (ahead[axis], back[axis]):
                weight = 1 / math.sqrt(1e-16 + (other - here) ** 2 + across)
                pull += weight * other
                weights += weight
        push = dt / (1 + here**2)
        new[p] = (here + push * (mu * pull + forces[p])) / (1 + mu * push * weights)
    return new


def chan_vese_energy(
    channels: Any, phi: Floats, mu: float, lambdas: tuple[float, float], mask: Any = None
) -> float:
    """Getreuer, eq. 7, with H = 1/2 + atan(phi) / pi and the length from central differences."""
    counted = list(pixels(phi.shape, mask))
    smooth = {p: 0.5 + math.atan(phi[p]) / math.pi for p in counted}
    energy = 0.0
    for channel in channels:
        for weigh, scale in ((lambda h: h, lambdas[0]), (lambda h: 1 - h, lambdas[1])):
            total = math.fsum(weigh(h) for h in smooth.values())
            mean = math.fsum(channel[p] * weigh(h) for p, h in smooth.items())
            mean = mean / total if total else 0.0
            spread = math.fsum((channel[p] - mean) ** 2 * weigh(h) for p, h in smooth.items())
            energy += scale * spread / len(channels)
    for p in counted:
        slopes = [
            (neighbour(phi, p, a, 1, mask) - neighbour(phi, p, a, -1, mask)) / 2
            for a in range(phi.ndim)
        ]
        energy += mu / (1 + phi[p] ** 2) * math.hypot(*slopes)
    return energy


# Morphological contours: Marquez-Neila, Baumela and Alvarez, IEEE PAMI 36, 2, 2014.


def elements(axes: int) -> list[list[Pixel]]:
    """The lines of 3 pixels, or planes of 9 voxels, that smoothing looks along: all that hold the
    middle and have a normal with entries of -1, 0 and 1, at most two of them not 0."""
    offsets = list(itertools.product((-1, 0, 1), repeat=axes))
    if axes == 2:
        return [[(0, 0), (r, c), (-r, -c)] for r, c in ((0, 1), (1, 0), (1, 1), (1, -1))]
    normals = [(0, 0, 1), (0, 1, 0), (1, 0, 0), (0, 1, 1), (0, 1, -1)]
    normals += [(1, 0, 1), (1, 0, -1), (1, 1, 0), (1, -1, 0)]
    return [
        [o for o in offsets if sum(a * b for a, b in zip(o, n, strict=True)) == 0] for n in normals
    ]


def value(u: Any, pixel: Pixel) -> int:
    """0 outside the picture."""
    inside = all(0 <= p < n for p, n in zip(pixel, u.shape, strict=True))
    return int(u[pixel]) if inside else 0


def smoothed(u: Any, dilate: bool) -> Any:
    """IS (dilate): the least of the dilations by the elements; SI: the greatest of the erosions."""
    within, among = (max, min) if dilate else (min, max)
    made = np.zeros_like(u)
    for p in np.ndindex(*u.shape):
        made[p] = among(
            within(value(u, tuple(a + b for a, b in zip(p, o, strict=True))) for o in element)
            for element in elements(u.ndim)
        )
    return made


def alternately(u: Any, times: int, done: int) -> Any:
    for number in range(done, done + times):
        first = number % 2 == 0
        u = smoothed(smoothed(u, first), not first)
    return u


def slope(values: Any, pixel: Pixel, axis: int) -> float:
    """Central difference; one-sided at the border."""
    ahead, back = list(pixel), list(pixel)
    ahead[axis] = min(pixel[axis] + 1, values.shape[axis] - 1)
    back[axis] = max(pixel[axis] - 1, 0)
    apart = ahead[axis] - back[axis]
    return (float(values[tuple(ahead)]) - float(values[tuple(back)])) / apart


def morphological_chan_vese(
    image: Any, u: Any, iterations: int, smoothing: int, lambda1: float, lambda2: float
) -> Any:
    u = np.array(u)
    for done in range(iterations):
        places = list(np.ndindex(*u.shape))
        sides = [[float(image[p]) for p in places if u[p] == side] for side in (0, 1)]
        outside, inside = (math.fsum(v) / (len(v) + 1e-8) for v in sides)
        new = u.copy()
        for p in places:
            if any(slope(u, p, axis) for axis in range(u.ndim)):
                misfit = lambda1 * (image[p] - inside) ** 2 - lambda2 * (image[p] - outside) ** 2
                new[p] = 1 if misfit < 0 else 0 if misfit > 0 else u[p]
        u = alternately(new, smoothing, done * smoothing)
    return u


def morphological_geodesic(
    edges: Any, u: Any, iterations: int, smoothing: int, threshold: float, balloon: float
) -> Any:
    u = np.array(u)
    box = list(itertools.product((-1, 0, 1), repeat=u.ndim))
    for done in range(iterations):
        new = u.copy()
        for p in np.ndindex(*u.shape):
            if balloon and edges[p] > threshold / abs(balloon):
                around = [value(u, tuple(a + b for a, b in zip(p, o, strict=True))) for o in box]
                new[p] = max(around) if balloon > 0 else min(around)
        u = new.copy()
        for p in np.ndindex(*u.shape):
            pull = sum(slope(edges, p, a) * slope(u, p, a) for a in range(u.ndim))
            new[p] = 1 if pull > 0 else 0 if pull < 0 else u[p]
        u = alternately(new, smoothing, done * smoothing)
    return u


# Geodesic active contours: Caselles, Kimmel and Sapiro, IJCV 22, 61, 1997.


def minmod(a: float, b: float) -> float:
    return 0.0 if a * b <= 0 else a if abs(a) < abs(b) else b


def geodesic_step(
    phi: Floats,
    edges: Floats,
    weights: tuple[float, float, float],
    spacing: tuple[float, ...],
    dt: float,
) -> Floats:
    """One step of phi_t = g (balloon + curvature kappa) |grad phi| + advection grad g . grad phi,
    and a tenth of a step towards a distance: beside the contour towards phi / |grad phi|."""
    balloon, curvature, advection = weights
    axes, wide = range(phi.ndim), 3 * max(spacing)
    new = np.zeros_like(phi)
    for p in np.ndindex(*phi.shape):

        def at(values: Floats, *steps: int, p: Pixel = p) -> float:
            place = [
                min(max(a + s, 0), n - 1) for a, s, n in zip(p, steps, values.shape, strict=True)
            ]
            return float(values[tuple(place)])

        def unit(axis: int, size: int = 1) -> tuple[int, ...]:
            return tuple(size if a == axis else 0 for a in axes)

        here = float(phi[p])
        ahead, back, slope, second = [], [], [], []
        across = 0.0
        for a, h in zip(axes, spacing, strict=True):
            values = [at(phi, *unit(a, s)) for s in (-2, -1, 0, 1, 2)]
            d = np.diff(values) / h
            middle, after, before = d[2] - d[1], d[3] - d[2], d[1] - d[0]
            ahead.append(d[2] - minmod(middle, after) / 2)
            back.append(d[1] + minmod(middle, before) / 2)
            slope.append((d[1] + d[2]) / 2)
            second.append(middle / h)
            if (values[3] > 0) != (here > 0):
                across = max(across, abs(d[2]))
            if (values[1] > 0) != (here > 0):
                across = max(across, abs(d[1]))

        def flow(up: bool, ahead: Any = ahead, back: Any = back) -> float:
            sign = 1 if up else -1
            pairs = zip(ahead, back, strict=True)
            return math.sqrt(sum(max(sign * f, -sign * b, 0) ** 2 for f, b in pairs))

        along = sum(s * s * c for s, c in zip(slope, second, strict=True))
        for a, b in itertools.combinations(axes, 2):
            both = np.add(unit(a), unit(b)), np.subtract(unit(a), unit(b))
            corners = at(phi, *both[0]) + at(phi, *-both[0])
            corners -= at(phi, *both[1]) + at(phi, *-both[1])
            along += 2 * slope[a] * slope[b] * corners / (4 * spacing[a] * spacing[b])
        steep = sum(s * s for s in slope)
        bending = sum(second) - along / max(steep, 1e-12)
        g = float(edges[p])
        rate = curvature * g * bending + balloon * g * flow(balloon > 0)
        for a, h in zip(axes, spacing, strict=True):
            pull = advection * (at(edges, *unit(a)) - at(edges, *unit(a, -1))) / (2 * h)
            rate += pull * (ahead[a] if pull > 0 else back[a])
        if across:
            relax = here / max(math.sqrt(steep), across, 0.3) - here
        else:
            relax = (1 if here > 0 else -1) * min(spacing) * (1 - flow(here <= 0))
        new[p] = min(max(here + dt * rate + 0.1 * relax, -wide), wide)
    return new
