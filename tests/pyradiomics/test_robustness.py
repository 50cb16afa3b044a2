"""Perturbed contours and noise: how large they are, and that a number decides on them."""

from __future__ import annotations

import numpy as np
import pytest

from lesionkit.radiomics import Volume
from lesionkit.radiomics.regions import Region, region_of
from lesionkit.radiomics.robustness import SHIFT, perturbations


def ball(image_axes: int = 3) -> tuple[Volume, Region]:
    """An image and a ball, or a disc, in it; voxels of 2 x 1 mm or of 4 x 2 x 1."""
    shape, spacing = ((16, 24, 40), (1.0, 2.0, 4.0)) if image_axes == 3 else ((30, 40), (1.0, 2.0))
    places = np.indices(shape) - np.array(shape).reshape(-1, *(1,) * image_axes) / 2
    far = np.sqrt(sum((p * mm) ** 2 for p, mm in zip(places, spacing[::-1], strict=True)))
    values = np.random.default_rng(0).normal(100, 30, shape)
    return Volume(values, spacing), region_of(Volume((far < 12).astype(np.uint8), spacing))


@pytest.mark.parametrize("axes", [2, 3])
def test_a_contour_shifts_by_half_a_voxel(axes: int) -> None:
    """Of voxels d mm inside those are outside where the shift, which is normal, exceeds d."""
    image, region = ball(axes)
    inside, noise, gone = region.mask.values != 0, [], []
    for seen, mask in perturbations(image, region, 200, 1):
        gone.append(inside & (mask.values == 0))
        noise.append((seen.values - image.values)[region.box])
    edge = inside & ~np.roll(inside, 1, -1)  # half a voxel from the contour, or less
    share = np.mean([part[edge].mean() for part in gone])
    assert share == pytest.approx(0.1587, abs=0.03), SHIFT  # beyond one standard deviation
    assert np.std(noise) == pytest.approx(30, rel=0.05)
    assert abs(np.mean(noise)) < 0.5


def test_a_perturbation_is_its_number_and_seed() -> None:
    image, region = ball()

    def made(count: int, seed: int, **options: bool) -> list[tuple[bytes, bytes]]:
        return [
            (seen.values[region.box].tobytes(), mask.values[region.box].tobytes())
            for seen, mask in perturbations(image, region, count, seed, **options)
        ]

    many = made(4, 7)
    assert many[:2] == made(2, 7)
    assert many[1] not in made(3, 8)
    assert len(set(many)) == 4


def test_about_the_region_and_in_the_whole_image_it_is_the_same() -> None:
    image, region = ball()
    whole = [(s.values.copy(), m.values.copy()) for s, m in perturbations(image, region, 2, 0)]
    for (seen, mask), (values, kept) in zip(
        perturbations(image, region, 2, 0, whole=False), whole, strict=True
    ):
        assert mask.values.sum() == kept.sum()
        there = kept != 0
        np.testing.assert_array_equal(seen.values[mask.values != 0], values[there])
