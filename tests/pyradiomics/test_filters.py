"""PyRadiomics' filters as functions of arrays: its stored numbers, parts, mistakes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from lesionkit.radiomics import filters, patterns
from reference import pyradiomics_filters as stored

IMAGE, BALL = stored.volume()
BOX = (slice(1, 8), slice(3, 9), slice(-4, None))
POINTWISE = {
    "Square": filters.square,
    "SquareRoot": filters.square_root,
    "Logarithm": filters.logarithm,
    "Exponential": filters.exponential,
}


def made(case: str, image: np.ndarray, box: Any = None) -> dict[str, np.ndarray]:
    """What we make of an image, under PyRadiomics' names."""
    kind, settings = stored.CASES[case]
    if kind in POINTWISE:
        return {kind.lower(): POINTWISE[kind](image, box)}
    if kind == "LoG":
        log = filters.laplacian_of_gaussian
        return {
            f"log-sigma-{str(sigma).replace('.', '-')}-mm-3D": log(
                image, sigma, stored.SPACING, box
            )
            for sigma in settings["sigma"]
        }
    if kind == "Wavelet":
        names = {"wavelet": "name", "level": "level", "start_level": "start_level"}
        axes = (2, 1) if "force2D" in settings else None
        ours = {names[name]: value for name, value in settings.items() if name in names}
        return filters.wavelet(image, **ours, axes=axes, box=box)
    if kind == "Gradient":
        return {"gradient": filters.gradient(image, None if settings else stored.SPACING, box)}
    if kind == "LBP2D":
        names = {"lbp2DRadius": "radius", "lbp2DMethod": "method", "force2Ddimension": "axis"}
        ours = {names[name]: value for name, value in settings.items()}
        return {"lbp-2D": patterns.lbp_2d(image, **ours, box=box)}
    return patterns.lbp_3d(
        image,
        BALL,
        settings.get("lbp3DLevels", 2),
        settings.get("lbp3DIcosphereRadius", 1),
        settings.get("lbp3DIcosphereSubdivision", 1),
    )


def needs(case: str) -> None:
    """Skips where the library of a filter is missing."""
    module = {"Wavelet": "pywt", "LBP2D": "skimage"}.get(stored.CASES[case][0])
    if module:
        pytest.importorskip(module, reason=f"{module} is not installed")


@pytest.mark.parametrize("case", stored.CASES)
def test_stored_numbers_of_pyradiomics(case: str) -> None:
    needs(case)
    theirs = json.loads(stored.FILE.read_text())[case]
    ours = made(case, IMAGE)
    assert list(ours) == list(theirs)
    for name, values in theirs.items():
        scale = np.nanmax(np.abs(values))
        assert stored.numbers(ours[name]) == pytest.approx(values, rel=1e-12, abs=1e-13 * scale)


@pytest.mark.parametrize("case", [case for case in stored.CASES if "LBP3D" not in case])
def test_a_box_of_the_whole(case: str) -> None:
    needs(case)
    # wide enough that wavelets do not need all of it
    image = np.tile(IMAGE, (3, 4, 3)).astype(np.float64)[1:]
    for box in (BOX, (slice(20, 22), slice(30, 35), slice(0, 45))):
        whole, part = made(case, image), made(case, image, box)
        assert list(part) == list(whole)
        for name, found in part.items():
            np.testing.assert_allclose(
                found, whole[name][box], rtol=1e-12, atol=1e-12 * abs(whole[name]).max()
            )


def test_of_nothing() -> None:
    for name in ("Square", "SquareRoot", "Logarithm"):
        assert not POINTWISE[name](np.zeros((3, 3))).any()
    np.testing.assert_array_equal(filters.gradient(np.full((3, 4), 5)), np.zeros((3, 4)))


def test_patterns_on_the_sphere_by_their_definition() -> None:
    """Each direction and harmonic in a loop, for a few voxels; harmonics of SciPy."""
    special = pytest.importorskip("scipy.special")
    image = np.random.default_rng(3).normal(size=(7, 8, 9))
    inside = np.zeros(image.shape, bool)
    inside[3, 4, 4:6] = True
    found = patterns.lbp_3d(image, inside, levels=2)
    directions = patterns.sphere(1)
    ndimage = pytest.importorskip("scipy.ndimage")
    for place in np.argwhere(inside):
        around = [ndimage.map_coordinates(image, (place + step)[:, None])[0] for step in directions]
        above = np.array(around) >= image[tuple(place)]
        on_sphere = np.zeros(len(directions), complex)
        for m in (-1, 0, 1):
            # PyRadiomics exchanges the two angles
            harmonic = np.array(
                [
                    special.sph_harm_y(1, m, np.arctan2(d[1], d[0]), np.arccos(d[2]))
                    for d in directions
                ]
            )
            on_sphere += (above * harmonic).sum() * harmonic
        norm = np.sqrt((on_sphere**2).sum()).real
        assert found["lbp-3D-m2"][tuple(place)] == pytest.approx(norm, rel=1e-12)


MISTAKES: list[tuple[Any, str]] = [
    (lambda: filters.square(np.array([[np.nan]])), "image must be finite, got 1 NaN"),
    (lambda: filters.square(np.zeros((0, 3))), "image must hold a voxel or more"),
    (
        lambda: filters.square(IMAGE, BOX[:2]),
        "box must have a slice for each of the image's 3 axes",
    ),
    (lambda: filters.square(IMAGE, (slice(3, 3),) * 3), "box must hold a voxel or more"),
    (lambda: filters.exponential(IMAGE * 0), "image must hold a number other than 0"),
    (lambda: filters.gradient(IMAGE, (1, 1)), r"spacing must have shape \(3\), got"),
    (lambda: filters.laplacian_of_gaussian(IMAGE, 0), "sigma must be a finite number above 0"),
    (lambda: filters.laplacian_of_gaussian(IMAGE, 20), r"image must have at least \[21, 21, 21\]"),
    (lambda: filters.wavelet(IMAGE, "coif99"), "name must be a discrete wavelet of PyWavelets"),
    (lambda: filters.wavelet(IMAGE, axes=(1, 1)), "axes must be different axes of the image's 3"),
    (lambda: filters.wavelet(IMAGE, level=0), "level must be from 1 to 32, got 0"),
    (lambda: patterns.lbp_2d(IMAGE[0, 0]), "image must have 2 or 3 axes"),
    (lambda: patterns.lbp_2d(IMAGE, method="fine"), "method must be 'default', 'ror', "),
    (lambda: patterns.lbp_3d(IMAGE, BALL[1:]), "mask must have shape"),
    (lambda: patterns.lbp_3d(IMAGE[0], BALL[0]), "image must have shape"),
    (lambda: patterns.lbp_3d(IMAGE, BALL, subdivision=5), "subdivision must be from 0 to 4, got 5"),
]


@pytest.mark.parametrize(("call", "said"), MISTAKES, ids=[said for _, said in MISTAKES])
def test_mistakes(call: Any, said: str) -> None:
    pytest.importorskip("pywt", reason="PyWavelets is not installed")
    with pytest.raises((ValueError, TypeError), match=said):
        call()
