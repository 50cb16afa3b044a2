"""Good arguments: what each function is given before hostile.py gets at it.

A maker is a function of (draw, scene) that returns one argument; makers of one call share the
scene, so that an image, its mask and its seeds have one shape. Contents come from a seed that is
drawn, and not number by number, so that a call costs a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

Draw = Callable[[Any], Any]
Maker = Callable[[Draw, "Scene"], Any]

ABSENT = object()  # of an argument that is left out
SIDES = (1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 33)
INTEGERS = ("uint8", "int16", "uint16", "int32", "int64")
REALS = ("float32", "float64")


@dataclass
class Scene:
    """What the arguments of one call share."""

    shape: tuple[int, ...]  # of an image
    samples: int
    features: int
    levels: int
    random: np.random.Generator

    @classmethod
    def of(cls, draw: Draw, axes: Sequence[int]) -> Scene:
        count = draw(st.sampled_from(tuple(axes)))
        sides = SIDES if count < 3 else SIDES[:9]
        return cls(
            tuple(draw(st.sampled_from(sides)) for _ in range(count)),
            draw(st.sampled_from((1, 2, 3, 5, 17, 60, 257))),
            draw(st.sampled_from((1, 2, 3, 5, 17))),
            draw(st.sampled_from((2, 3, 5, 8, 16, 31, 64, 256))),
            np.random.default_rng(draw(st.integers(0, 2**32 - 1))),
        )


def fill(draw: Draw, scene: Scene, shape: Sequence[int], dtype: str) -> np.ndarray:
    """Finite numbers of that dtype, of one of many tempers."""
    random, kind = scene.random, np.dtype(dtype)
    if kind.kind in "iu":
        top = draw(st.sampled_from((1, 3, 50, 255, min(4000, np.iinfo(kind).max))))
        return random.integers(0, top + 1, shape).astype(kind)
    temper = draw(st.sampled_from(TEMPERS))
    with np.errstate(all="ignore"):
        made = np.asarray(temper(random, tuple(shape)))
    most = float(np.finfo(kind).max)
    return np.clip(made, -most, most).astype(kind)


def _ramp(random: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return np.arange(np.prod(shape, dtype=int), dtype=float).reshape(shape) / 7


TEMPERS: tuple[Callable[[np.random.Generator, tuple[int, ...]], Any], ...] = (
    lambda random, shape: random.normal(size=shape),
    lambda random, shape: random.uniform(1, 255, shape),
    lambda random, shape: random.integers(0, 4, shape) / 4,
    lambda random, shape: np.full(shape, random.uniform(0.1, 9)),
    _ramp,
    lambda random, shape: 1e15 + random.normal(size=shape),
    lambda random, shape: 1e-170 * random.uniform(1, 2, shape),
    lambda random, shape: 1e160 * random.normal(size=shape),
    lambda random, shape: 1e308 * random.uniform(-1.7, 1.7, shape),
    lambda random, shape: 5e-324 * random.integers(0, 9, shape),
    lambda random, shape: 1e30 * random.normal(size=shape) ** 9,
)


# --- makers ---------------------------------------------------------------------------------------


def image(kinds: Sequence[str] = INTEGERS + REALS, channels: int = 0, batch: bool = False) -> Maker:
    """Of the scene's shape, with so many channels behind it, or a batch before it."""

    def make(draw: Draw, scene: Scene) -> Any:
        shape = (*((2,) if batch else ()), *scene.shape, *((channels,) if channels else ()))
        return fill(draw, scene, shape, draw(st.sampled_from(tuple(kinds))))

    return make


def levels_image(batch: bool = False) -> Maker:
    """Levels from 0 to below scene.levels."""

    def make(draw: Draw, scene: Scene) -> Any:
        shape = (2, *scene.shape) if batch else scene.shape
        kind = draw(st.sampled_from(INTEGERS))
        return scene.random.integers(0, scene.levels, shape).astype(kind)

    return make


def positive(low: float = 0.05, high: float = 5.0) -> Maker:
    """Speeds and the like: of the scene's shape, above 0; seldom almost 0 or huge."""

    def make(draw: Draw, scene: Scene) -> Any:
        kind = draw(st.sampled_from(REALS))
        scale = draw(st.sampled_from((1.0, 1.0, 1.0, 1e-30, 1e30)))
        return (scale * scene.random.uniform(low, high, scene.shape)).astype(kind)

    return make


def signed(draw: Draw, scene: Scene) -> Any:
    """A level set: of both signs, of a disc or of noise."""
    kind = draw(st.sampled_from(REALS))
    if draw(st.booleans()):
        return scene.random.normal(size=scene.shape).astype(kind)
    grid = np.indices(scene.shape) - np.array(scene.shape).reshape(-1, *(1,) * len(scene.shape)) / 2
    return (np.sqrt((grid**2).sum(0)) - max(scene.shape) / 4 - 0.1).astype(kind)


def mask(draw: Draw, scene: Scene) -> Any:
    """True where inside: all, noise, a box; as booleans."""
    how = draw(st.sampled_from(("all", "noise", "box", "noise")))
    if how == "all":
        return np.ones(scene.shape, bool)
    if how == "noise":
        return scene.random.uniform(size=scene.shape) < draw(st.sampled_from((0.1, 0.5, 0.9)))
    inside = np.zeros(scene.shape, bool)
    inside[tuple(slice(n // 4, max(n // 4 + 1, 3 * n // 4)) for n in scene.shape)] = True
    return inside


def labels(most: int = 4) -> Maker:
    def make(draw: Draw, scene: Scene) -> Any:
        kind = draw(st.sampled_from(INTEGERS))
        return scene.random.integers(0, most + 1, scene.shape).astype(kind)

    return make


def samples(kinds: Sequence[str] = REALS, features: int | None = None) -> Maker:
    """(samples, features)."""

    def make(draw: Draw, scene: Scene) -> Any:
        shape = (scene.samples, features or scene.features)
        return fill(draw, scene, shape, draw(st.sampled_from(tuple(kinds))))

    return make


def weights(draw: Draw, scene: Scene) -> Any:
    return scene.random.integers(0, 4, scene.samples) / 2


def numbers(*shape: int, low: float = 0.0, high: float = 1.0, whole: bool = False) -> Maker:
    """An array of that shape, between the ends."""

    def make(draw: Draw, scene: Scene) -> Any:
        if whole:
            return scene.random.integers(int(low), int(high) + 1, shape)
        return scene.random.uniform(low, high, shape)

    return make


def points(most: int = 3) -> Maker:
    """Whole coordinates within the image: (n, axes)."""

    def make(draw: Draw, scene: Scene) -> Any:
        count = draw(st.integers(1, most))
        return np.stack([scene.random.integers(0, n, count) for n in scene.shape], 1)

    return make


def offsets(draw: Draw, scene: Scene) -> Any:
    """(n, axes), none of them 0."""
    made = scene.random.integers(-3, 4, (draw(st.integers(1, 4)), len(scene.shape)))
    made[~made.any(1), -1] = 1
    return made if draw(st.booleans()) else made.tolist()


def steps(draw: Draw, scene: Scene) -> Any:
    """(n, axes), each of -1, 0 and 1, none of them 0."""
    return np.sign(np.asarray(offsets(draw, scene)))


def spacing(draw: Draw, scene: Scene) -> Any:
    one = draw(st.sampled_from((1.0, 0.5, 3, 1e-3, 1e4)))
    made = [float(one) * (1 + i / 2) for i in range(len(scene.shape))]
    return draw(st.sampled_from((one, made, tuple(made), np.array(made), np.float32(one))))


def shape(draw: Draw, scene: Scene) -> Any:
    return scene.shape


def level_count(draw: Draw, scene: Scene) -> Any:
    return draw(st.sampled_from((scene.levels, scene.levels, np.int64(scene.levels))))


def real(low: float, high: float) -> Maker:
    return lambda draw, scene: draw(
        st.one_of(st.floats(low, high, allow_nan=False), st.sampled_from((low, high)))
    )


def whole(low: int, high: int) -> Maker:
    return lambda draw, scene: draw(st.integers(low, high))


def choice(*values: Any) -> Maker:
    return lambda draw, scene: draw(st.sampled_from(values))


def flag(draw: Draw, scene: Scene) -> Any:
    return draw(st.booleans())


def maybe(*makers: Maker) -> Maker:
    """Left out in half the calls."""
    return lambda draw, scene: (
        draw(st.sampled_from(makers))(draw, scene) if draw(st.booleans()) else ABSENT
    )


def either(*makers: Maker) -> Maker:
    return lambda draw, scene: draw(st.sampled_from(makers))(draw, scene)
