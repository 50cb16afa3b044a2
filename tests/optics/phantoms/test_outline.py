"""Recipes of other outlines than a disc: content, places, phantoms, maps, and the commands."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lesionkit import cli
from lesionkit.optics import (
    Mesh,
    Outline,
    PhantomRecipe,
    generate,
    open_phantoms,
    reconstruct_phantoms,
    simulate,
    triangular_interface,
    write_mesh,
)
from lesionkit.optics.mesh.refinement import refine

NARROW = {"single_diameters": (10.0, 14.0), "pair_diameter": 8.0, "pair_distance": (3.0, 20.0)}


@pytest.fixture(scope="module")
def outline() -> Outline:
    return Outline(*triangular_interface(60.0, 6.0))


@pytest.fixture(scope="module")
def recipe(outline: Outline) -> PhantomRecipe:
    return PhantomRecipe(outline=outline, pixels=20, wavelengths=(661, 785, 852), **NARROW)


@pytest.fixture(scope="module")
def phantoms(recipe: PhantomRecipe):
    return generate(recipe, 70, seed=5)


def rectangle() -> Mesh:
    """80 x 30 mm, about (7, -3)."""
    x, y = np.meshgrid(np.linspace(-33, 47, 17), np.linspace(-18, 12, 7))
    number = np.arange(x.size).reshape(x.shape)
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]
    both = [np.stack(three, axis=-1).reshape(-1, 3) for three in ((a, b, c), (a, c, d))]
    return Mesh(np.column_stack([x.ravel(), y.ravel()]), np.concatenate(both))


def test_it_is_known_by_its_content(outline: Outline, recipe: PhantomRecipe) -> None:
    again = PhantomRecipe.from_dict(json.loads(json.dumps(recipe.to_dict())))
    assert again == recipe
    assert hash(again) == hash(recipe)
    assert pickle.loads(pickle.dumps(recipe)) == recipe
    assert replace(recipe, pixels=30).outline == outline
    other = Outline(outline.mesh, outline.optodes[::2])
    assert other != outline
    assert (recipe.radius, recipe.optodes, recipe.nodes) == (outline.half, 16, None)
    # a disc's recipe is what it was
    assert "outline" not in PhantomRecipe().to_dict()


def test_the_square_around_it_is_the_pixels() -> None:
    made = Outline(rectangle(), [[47.0, 0], [7, 12], [-33, -3], [7, -18]])
    assert made.half == 40
    np.testing.assert_allclose(made.optodes, [[40, 3], [0, 15], [-40, 0], [0, -15]], atol=1e-12)
    clockwise = Outline(rectangle(), [[47.0, 0], [7, -18], [-33, -3], [7, 12]])
    assert clockwise == made
    np.testing.assert_allclose(np.abs(made.rim), np.tile([40.0, 15], (4, 1)))
    points = [[0.0, 0], [39, 0], [0, 20], [43, 18], [-30, -14.5]]
    np.testing.assert_allclose(made.depth(points), [15, 1, -5, -np.hypot(3, 3), 0.5])
    inside = made.inside(16)
    assert inside.sum() == 16 * 6
    assert inside[5:11].all()


def test_inclusions_lie_anywhere_inside(recipe: PhantomRecipe) -> None:
    outline = recipe.outline
    radii = np.tile([[4.0, 4.0], [5.0, 0.0]], (300, 1))
    places = outline.place(radii, (3.0, 20.0), 2.0, seed=9, first=40)
    assert (places[1::2, 1] == 0).all()
    deep = outline.depth(places.reshape(-1, 2)).reshape(-1, 2)
    assert (deep[radii > 0] >= radii[radii > 0] + 2).all()
    gap = np.linalg.norm(places[::2, 0] - places[::2, 1], axis=1) - 8
    assert 3 <= gap.min() < 4
    # uniform: of an equilateral triangle's points, a quarter are in the similar one of half size
    size = np.ptp(places[1::2, 0], axis=0)
    inner = outline.depth(places[1::2, 0]) - 7
    assert np.mean(inner > inner.max() / 2) == pytest.approx(1 / 4, abs=0.08)
    assert size[0] == pytest.approx(60 - 2 * np.sqrt(3) * 7, rel=0.1)
    alone = outline.place(radii[100:103], (3.0, 20.0), 2.0, seed=9, first=140)
    np.testing.assert_array_equal(alone, places[100:103])


def test_phantoms_do_not_depend_on_what_is_made_beside_them(recipe, phantoms) -> None:
    few = generate(recipe, 3, seed=5, first=66, batch=1)
    for name in ("signal", "mri", "chromophores", "inclusions"):
        np.testing.assert_array_equal(getattr(few, name), getattr(phantoms, name)[66:69])
    assert (phantoms.mri[:, ~recipe.inside] == 0).all()
    assert (phantoms.mri[:, recipe.inside] > 0).all()
    assert "outline" in phantoms.attributes["method"]["elements"]


def test_maps_are_painted_where_inclusions_lie(recipe, phantoms) -> None:
    x, y = recipe.pixel_middles.T.reshape(2, 20, 20)
    for regions, maps in zip(phantoms.inclusions[:10], phantoms.chromophores, strict=False):
        for u, v, radius, hbo in regions[1:, :4]:
            within = np.hypot(x - u, y - v) < radius - 2.2
            np.testing.assert_allclose(maps[0, within], hbo, rtol=1e-6)
        far = recipe.inside
        for u, v, radius in regions[1:, :3]:
            far = far & (np.hypot(x - u, y - v) > radius + 2.2)
        np.testing.assert_allclose(maps[0, far], regions[0, 3], rtol=1e-6)


def test_simulate_gives_the_signal_of_generate(recipe, phantoms) -> None:
    still = replace(recipe, signal_noise=0.0, mri_noise=0.0)
    drawn = generate(still, 2, seed=5)
    given = simulate(still, drawn.inclusions, seed=5)
    np.testing.assert_allclose(given.signal, drawn.signal, rtol=1e-6)
    np.testing.assert_allclose(given.chromophores, drawn.chromophores, rtol=1e-5)
    regions = np.array(drawn.inclusions)
    regions[0, 1, :3] = 0, 28, 4
    with pytest.raises(ValueError, match="regions must lie within the outline"):
        simulate(still, regions)


def test_dri_finds_the_inclusions(recipe, phantoms) -> None:
    maps = reconstruct_phantoms(phantoms.signal[:2], recipe, mri=phantoms.mri[:2], method="dri")
    truth, inside = phantoms.chromophores[:2], recipe.inside
    for found, true in zip(maps, truth, strict=True):
        assert np.corrcoef(found[:2, inside].sum(axis=0), true[:2, inside].sum(axis=0))[0, 1] > 0.8


def test_the_commands(tmp_path: Path, capsys) -> None:
    fine = refine(rectangle(), np.array([[47.0, 0], [7, 12]]), 2.0, 0.7)
    write_mesh(fine, tmp_path / "box")
    out = tmp_path / "box.zarr"
    made = ["phantoms", "--count", "2", "--out", str(out), "--no-picture", "--pixels", "16"]
    made += ["--wavelengths", "785", "--mri-gray", "100", "200", "--mesh", str(tmp_path / "box")]
    assert cli.main(made) == 2
    assert "box.source" in capsys.readouterr().err
    assert not out.exists()
    (tmp_path / "box.source").write_text("num x y\n1 46 0\n2 7 11\n3 -33 -3\n")
    (tmp_path / "box.meas").write_text("num x y\n1 47 0\n2 7 12\n3 7 -18\n")
    assert cli.main(made) == 0
    store = open_phantoms(out)
    np.testing.assert_allclose(
        store.recipe.positions, [[40, 3], [0, 15], [-40, 0], [0, -15]], atol=1e-9
    )
    assert 80 < np.median(store.mri[0][store.recipe.inside]) < 120
    made[made.index(str(out))] = str(tmp_path / "triangle.zarr")
    made[made.index(str(tmp_path / "box"))] = "triangle"
    assert cli.main(made) == 0
    triangle = open_phantoms(tmp_path / "triangle.zarr").recipe.outline
    assert triangle == Outline(*triangular_interface())


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"radius": 50.0}, "radius belongs to a disc: leave it out where an outline is given"),
        ({"optodes": 8}, "optodes belongs to a disc: leave it out where an outline is given, got"),
        ({"nodes": 900}, "nodes belongs to a disc: leave it out"),
        ({"single_diameters": (40.0,)}, "outline must have room for the recipe's inclusions"),
        ({"outline": {"nodes": []}}, "outline must hold nodes, elements and optodes, got"),
    ],
)
def test_refused(recipe: PhantomRecipe, fields, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        PhantomRecipe.from_dict({"outline": recipe.outline, **NARROW, **fields})


def test_more_refused(recipe: PhantomRecipe, outline: Outline) -> None:
    with pytest.raises(TypeError, match="outline must be an Outline, or a mesh and its optodes"):
        PhantomRecipe(outline=outline.mesh)
    with pytest.raises(ValueError, match="accuracy must be 'accurate' for an outline"):
        generate(recipe, 1, accuracy="fast")
    changed = outline.to_dict()
    changed["nodes"][0][0] += 1e-3
    with pytest.raises(ValueError, match="outline must be what its sha256 says"):
        Outline.from_dict(changed)
    with pytest.raises(ValueError, match="optodes must lie at different places of the rim"):
        Outline(outline.mesh, outline.optodes[[0, 0, 1]])
    with pytest.raises(ValueError, match="optodes must be 2 to 1024, got 1"):
        Outline(outline.mesh, outline.optodes[:1])
