"""Phantoms in three dimensions: ellipsoids in a ball, a cylinder and a mesh, and their stores."""

from __future__ import annotations

import json
import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

import lesionkit
from lesionkit import cli, report
from lesionkit.optics import (
    ForwardModel,
    Outline,
    PhantomRecipe,
    finish_parts,
    generate,
    generate_part,
    open_phantoms,
    reconstruct_phantoms,
    simulate,
    slab_mesh,
    spectra,
)
from lesionkit.optics.phantoms import ellipsoids
from lesionkit.optics.phantoms.factory import SOLID_ACCURACY
from lesionkit.optics.phantoms.solid_factory import SolidFactory, factory_of
from lesionkit.optics.phantoms.store.layout import CHUNK
from reference.optics_solid import inside, sphere_series, tetrahedron_part, voxel_part
from store_cases import ARRAYS, files, stop_after

SMALL = {"single_diameters": (6.0, 8.0), "pair_diameter": 5.0, "pair_distance": (1.0, 8.0)}
TINY = PhantomRecipe(
    shape="ball",
    radius=10,
    optodes=6,
    nodes=300,
    pixels=7,
    wavelengths=(661, 852),
    single_diameters=(5.0, 6.0),
    pair_diameter=4.0,
    pair_distance=(0.5, 4.0),
    margin=1,
)
COUNT = CHUNK + 3
ORIGIN, UPRIGHT = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)
TISSUE = (10.0, 5.0, 40.0, 1.0, 1.0)


def box() -> Outline:
    """Of a mesh of linear tetrahedra, its middle away from the origin."""
    optodes = [[-15.0, 0, 8], [15, 1, 9], [2, 15, 7], [0, -15, 10], [3, 2, 16]]
    return Outline(slab_mesh((30, 30, 16), 8, order=1), optodes)


def places(recipe: PhantomRecipe, count: int = 40) -> np.ndarray:
    return SolidFactory(recipe, 3).draw(0, count)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "balls.zarr"
    generate(TINY, COUNT, path, seed=5)
    return path


# known answers


def test_of_one_tissue_it_is_the_ball_of_the_series() -> None:
    homogeneous = {"contrast": (1, 1), "scattering_contrast": (1, 1), "signal_noise": 0}
    recipe = replace(TINY, wavelengths=(852,), nodes=2057, **homogeneous)
    phantoms = generate(recipe, 2, seed=1)
    out = recipe.positions / 10
    apart = np.arccos(np.clip(out @ out.T, -1, 1))
    order = (np.arange(6)[:, None] + 1 + np.arange(5)) % 6
    angles = apart[np.arange(6)[:, None], order]
    for one in phantoms:
        hbo, hb, water, amplitude, power = one.background[-5:]
        mua = spectra.absorption(852, hbo, hb, water)
        mus = spectra.scattering(852, amplitude, power)
        truth = sphere_series(10, mua, mus, 10 - recipe.source_depths[0], angles.ravel())
        np.testing.assert_allclose(one.signal[0].ravel(), truth, rtol=0.03)


def test_shares_add_up_to_the_volume_of_the_ellipsoid() -> None:
    factory = SolidFactory(replace(TINY, nodes=2057, pixels=20), 3)
    regions = factory.draw(0, 3)
    corners = factory.corners
    volumes = np.linalg.det(corners[:, 1:] - corners[:, :1]) / 6
    for rows in regions:
        exact = 4 / 3 * np.pi * rows[1:, ellipsoids.SEMI_AXES].prod(axis=1)
        by_elements = ellipsoids.shares(factory.elements, rows[1:]) @ volumes
        by_voxels = ellipsoids.shares(factory.voxels, rows[1:]).sum(axis=1)  # of 1 mm^3
        np.testing.assert_allclose(by_elements, exact, rtol=0.03)
        np.testing.assert_allclose(by_voxels, exact, rtol=0.01)


def test_optodes_share_the_surface_evenly() -> None:
    for recipe in (
        PhantomRecipe(shape="ball", optodes=200),
        PhantomRecipe(shape="cylinder", optodes=200, radius=20, height=90),
    ):
        np.testing.assert_allclose(recipe.depth(recipe.positions), 0, atol=1e-12)
        far = np.linalg.norm(recipe.positions[:, None] - recipe.positions, axis=2)
        nearest = np.sort(far, axis=1)[:, 1]
        assert nearest.min() > 0.75 * np.median(nearest)
        following = far[np.arange(199), np.arange(1, 200)]
        assert following.max() < 1.3 * np.median(nearest)
    assert PhantomRecipe(shape="cylinder").positions[:, 2].tolist() == pytest.approx(
        [-28.125 + 3.75 * k for k in range(16)]
    )


def test_where_tissue_is() -> None:
    ball, tall = replace(TINY, pixels=40), PhantomRecipe(shape="cylinder", radius=20, height=80)
    assert ball.inside.mean() == pytest.approx(np.pi / 6, rel=0.01)
    assert tall.half == 40
    assert tall.depth([[0, 0, 38], [0, 15, 0], [0, 0, 41], [21, 0, 0]]).tolist() == [2, 5, -1, -1]
    low, high = tall.pixel_middles[0], tall.pixel_middles[-1]
    assert low.tolist() == [-38.75, 38.75, -38.75]  # the left of the top row of the lowest plane
    assert high.tolist() == [38.75, -38.75, 38.75]
    made = box()
    assert made.half == 15
    np.testing.assert_allclose(made.optodes[-1], [3, 2, 8])  # their order is kept
    points = [[0.0, 0, 0], [0, 0, 7], [12, 0, 0], [0, 0, 9], [16, 0, 0]]
    np.testing.assert_allclose(made.depth(points), [8, 1, 3, -1, -1], atol=1e-12)
    assert made.inside(8).sum() == 8 * 8 * 4
    assert PhantomRecipe(outline=made, pixels=8, **SMALL).inside.sum() == 8 * 8 * 4


# the slow reference


def test_equal_to_plain_loops() -> None:
    factory = SolidFactory(TINY, 3)
    elements = factory.corners[::7].tolist()
    row = factory.draw(0, 1)[0, 1]
    one = row[:3].tolist(), row[3:6].tolist(), row[6:10].tolist()
    by_elements, by_voxels = (
        ellipsoids.shares(cells, row[None])[0] for cells in (factory.elements, factory.voxels)
    )
    slow = [tetrahedron_part(corners, one, ellipsoids.PARTS) for corners in elements]
    # the octahedra between parts may be cut along another diagonal
    np.testing.assert_allclose(by_elements[::7], slow, atol=3 / ellipsoids.PARTS**3)
    assert np.mean(np.equal(by_elements[::7], slow)) > 0.2
    middles, side = TINY.pixel_middles, 20 / 7
    slow = [voxel_part(middle, side, one, ellipsoids.PARTS) for middle in middles.tolist()]
    np.testing.assert_array_equal(by_voxels, slow)
    assert set(by_voxels) - {0, 1}


def test_readings_and_maps_of_given_ellipsoids() -> None:
    recipe = replace(TINY, signal_noise=0, mri_noise=0, pixels=15)
    factory = SolidFactory(recipe, 3)
    turn = (0.0, 0.0, np.sin(np.pi / 8), np.cos(np.pi / 8))  # of 45 degrees about z
    lesion = (1.0, 1, 0, 6, 2, 2, *turn, 25, 6, 60, 1.2, 1)
    absent = (*ORIGIN, 0, 0, 0, *UPRIGHT, *TISSUE)
    regions = np.array([[(*ORIGIN, 10, 10, 10, *UPRIGHT, *TISSUE), lesion, absent]])
    share = ellipsoids.shares(factory.elements, regions[0, 1:])
    assert not share[1].any()
    signal = factory.measure(regions, 0)[0]
    order = (np.arange(6)[:, None] + 1 + np.arange(5)) % 6
    for nm, depth, found in zip(recipe.wavelengths, recipe.source_depths, signal, strict=True):
        mua, mus = (
            spectra.absorption(nm, [10, 25], [5, 6], [40, 60]),
            spectra.scattering(nm, [1, 1.2], 1),
        )
        model = ForwardModel(
            factory.mesh, recipe.positions, recipe.positions, source_depth=depth, accuracy=1e-8
        )
        maps = (value[0] + (value[1] - value[0]) * share[0] for value in (mua, mus))
        readings = model.measure(*maps, at="elements")
        expected = readings[np.arange(6)[:, None], order]
        np.testing.assert_allclose(found, expected, rtol=SOLID_ACCURACY)
    buffers = {
        "chromophores": np.empty((1, 3, 15, 15, 15), np.float32),
        "mri": np.empty((1, 15, 15, 15), np.uint8),
    }
    factory.paint(regions, 0, buffers)
    hbo, mri = buffers["chromophores"][0, 0], buffers["mri"][0]
    # along the long axis, up and to the right, and not beside it
    assert [hbo[7, 7 - k, 7 + k] for k in (-1, 0, 2)] == [25, 25, 25]
    assert [hbo[7, 4, 7], hbo[7, 7, 10], hbo[10, 6, 8], hbo[7, 2, 12]] == [10, 10, 10, 10]
    assert (mri[7, 6, 8], mri[7, 7, 3], mri[0, 0, 0]) == (80, 50, 0)
    assert (hbo[~recipe.inside] == 0).all()


# properties


@pytest.mark.parametrize("shape", ["ball", "cylinder", "mesh"])
def test_ellipsoids_lie_inside_and_apart(shape: str) -> None:
    if shape == "mesh":
        recipe = PhantomRecipe(outline=box(), margin=1, **{**SMALL, "single_diameters": (6.0,)})
    else:
        recipe = replace(TINY, shape=shape)
    regions = places(recipe, 40 if shape != "mesh" else 8)
    middles, axes, turns = (
        regions[:, 1:, some] for some in (ellipsoids.MIDDLE, ellipsoids.SEMI_AXES, ellipsoids.TURN)
    )
    there = axes.min(axis=2) > 0
    assert there[:, 0].all()
    assert 0 < there[:, 1].mean() < 1
    reach = axes.max(axis=2)
    assert (recipe.depth(middles[there]) >= reach[there] + recipe.margin).all()
    pair = there.all(axis=1)
    gap = np.linalg.norm(middles[pair, 0] - middles[pair, 1], axis=1) - reach[pair].sum(axis=1)
    low, high = recipe.pair_distance
    assert ((gap >= low) & (gap <= high)).all()
    np.testing.assert_allclose(np.linalg.norm(turns, axis=2), 1)
    radius = recipe.pair_diameter / 2
    assert ((axes[pair] >= 0.7 * radius) & (axes[pair] <= 1.3 * radius)).all()


@settings(max_examples=8)
@given(first=st.integers(0, 2**40 - 3), count=st.integers(1, 3), seed=st.integers(0, 2**64 - 1))
def test_a_phantom_is_its_seed_and_index(first: int, count: int, seed: int) -> None:
    factory = SolidFactory(TINY, seed)
    together = factory.draw(first, count)
    for number in range(count):
        np.testing.assert_array_equal(factory.draw(first + number, 1)[0], together[number])


def test_same_bits_whatever_is_made_beside_it_and_by_how_many_threads(whole: Path) -> None:
    phantoms, before = open_phantoms(whole), lesionkit.threads()
    try:
        for threads, first, count, batch in ((1, 62, 3, 1), (2, 60, 6, 4)):
            lesionkit.threads(threads)
            few = generate(TINY, count, seed=5, first=first, batch=batch)
            for name in ARRAYS:
                whole_rows = getattr(phantoms, name)[first : first + count]
                np.testing.assert_array_equal(getattr(few, name), whole_rows)
    finally:
        lesionkit.threads(before)


def test_stores_in_parts_and_resumed_have_the_same_bytes(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Exception, match=r"^$"):
        generate(TINY, COUNT, tmp_path / "a.zarr", seed=5, progress=stop_after(CHUNK))
    generate(TINY, COUNT, tmp_path / "a.zarr", seed=5)
    assert files(tmp_path / "a.zarr") == files(whole)
    generate_part(TINY, COUNT, tmp_path / "b.zarr", (1, 1), seed=5)
    for module in ("layout", "journal", "writer", "reader"):
        monkeypatch.setattr(f"lesionkit.optics.phantoms.store.{module}.SHARD", 1)
    for module in ("layout", "reader"):
        monkeypatch.setattr(f"lesionkit.optics.phantoms.store.{module}.INDEX_BYTES", 20)
    for part in (2, 1):
        generate_part(TINY, COUNT, tmp_path / "c.zarr", (part, 2), seed=5)
    found = finish_parts(tmp_path / "c.zarr")
    monkeypatch.undo()
    assert len(found) == COUNT
    assert files(tmp_path / "b.zarr") == files(whole)


def test_a_store_is_plain_zarr_and_says_what_it_holds(whole: Path) -> None:
    group, phantoms = zarr.open_group(whole, mode="r"), open_phantoms(whole)
    assert {name: array.shape for name, array in group.arrays()} == {
        "signal": (COUNT, 2, 6, 5),
        "mri": (COUNT, 7, 7, 7),
        "chromophores": (COUNT, 3, 7, 7, 7),
        "inclusions": (COUNT, 3, 15),
    }
    np.testing.assert_array_equal(group["chromophores"][3:5], phantoms.chromophores[3:5])
    names = group["chromophores"].metadata.dimension_names
    assert names == ("phantom", "chromophore", "plane", "row", "column")
    assert group["inclusions"].attrs["columns"] == list(ellipsoids.COLUMNS)
    assert len(group["inclusions"].attrs["units"]) == 15
    assert phantoms.recipe == TINY
    assert "quadratic tetrahedra" in phantoms.attributes["method"]["elements"]
    assert repr(phantoms).endswith("2 wavelengths, 7 x 7 x 7 voxels>")
    one = next(one for one in phantoms if len(one.inclusions) == 2)
    assert isinstance(one.inclusions[1], ellipsoids.Ellipsoid)
    assert inside(
        one.inclusions[0][:3],
        *(one.inclusions[0][s] for s in (slice(3), slice(3, 6), slice(6, 10))),
    )
    assert repr(one).count("mm at (") == 2
    assert repr(one).count(",") == 4


def test_recipes_are_known_by_their_content() -> None:
    for recipe in (
        TINY,
        PhantomRecipe(shape="cylinder", height=50),
        PhantomRecipe(outline=box(), pixels=9, **SMALL),
    ):
        again = PhantomRecipe.from_dict(json.loads(json.dumps(recipe.to_dict())))
        assert (again, hash(again)) == (recipe, hash(recipe))
        assert pickle.loads(pickle.dumps(recipe)) == recipe
    assert PhantomRecipe(shape="ball").pixels == 32
    # a disc's recipe is what it was
    assert PhantomRecipe().pixels == 100
    assert not {"shape", "height", "stretch"} & set(PhantomRecipe().to_dict())


def test_on_the_command_line(tmp_path: Path) -> None:
    out = tmp_path / "balls.zarr"
    asked = ["phantoms", "--count", "2", "--shape", "ball", "--nodes", "4000", "--pixels", "8"]
    assert cli.main([*asked, "--wavelengths", "735", "--no-picture", "--out", os.fspath(out)]) == 0
    assert open_phantoms(out).mri.shape == (2, 8, 8, 8)


def test_a_picture_of_a_plane_through_an_inclusion(
    whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phantoms, saved = open_phantoms(whole), []
    monkeypatch.setattr(report, "save", lambda figure, path: saved.append(figure))
    report.preview(phantoms, "a.png", rows=1)
    plane = int((phantoms[0].inclusions[0].z + 10) / (20 / 7))
    ax = saved[0].axes[0]
    assert f"z {(plane + 0.5) * 20 / 7 - 10:.0f} mm" in ax.get_ylabel()
    np.testing.assert_array_equal(
        ax.images[0].get_array().filled(0), phantoms.chromophores[0, 0, plane]
    )


# bad input


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"shape": "egg"}, "shape must be 'disc', 'ball' or 'cylinder', got str 'egg'"),
        ({"shape": "ball", "height": 50}, "height belongs to a cylinder: leave it out, got 50"),
        ({"height": 50}, "height belongs to a cylinder"),
        ({"shape": "cylinder", "height": 0}, "height must be"),
        ({"stretch": (1, 1.2)}, "stretch belongs to three dimensions"),
        ({"shape": "ball", "stretch": (0.1, 1)}, "stretch"),
        ({"shape": "ball", "pixels": 65}, "pixels must be"),
        ({"shape": "ball", "radius": 10}, "must leave room for the inclusions"),
        ({"shape": "cylinder", "height": 15}, "must leave room for the inclusions"),
        ({"shape": "ball", "outline": box()}, "shape belongs to a disc"),
        ({"outline": (box().mesh, [[0, 0, 0], [15, 0, 0]])}, "optodes must lie on the surface"),
        ({"outline": (box().mesh, [[15.0, 0], [0, 15]])}, "optodes must have shape"),
        ({"outline": (box().mesh, [[15.0, 0, 0]] * 2)}, "optodes must lie at different places"),
    ],
)
def test_recipes_that_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PhantomRecipe(**fields)


def test_what_there_is_in_two_dimensions_alone() -> None:
    with pytest.raises(ValueError, match="device must be 'cpu' or 'auto' for phantoms of tetra"):
        generate(TINY, 2, device="cuda")
    with pytest.raises(ValueError, match="some readings cannot be told from 0 on 309 nodes"):
        generate(replace(TINY, hbo=(2000, 2000)), 1)
    with pytest.raises(ValueError, match="accuracy must be 'accurate' for an outline"):
        generate(PhantomRecipe(outline=box(), **SMALL), 1, accuracy="fast")
    for call in (
        lambda: simulate(TINY, np.ones((1, 2, 8))),
        lambda: reconstruct_phantoms(np.ones((1, 2, 6, 5)), TINY),
    ):
        with pytest.raises(ValueError, match="got one in three dimensions"):
            call()
    assert type(factory_of(PhantomRecipe(), 0)) is not SolidFactory
