"""Z-Net in three dimensions: its shapes, its training on volumes, and what does not go together."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lesionkit import cli, nets
from lesionkit.nets.layers import parameter_count
from lesionkit.optics import PhantomRecipe, generate, open_phantoms

RECIPE = PhantomRecipe(
    shape="ball",
    radius=10,
    optodes=6,
    nodes=300,
    pixels=16,
    wavelengths=(661, 852),
    single_diameters=(5.0, 6.0),
    pair_diameter=4.0,
    pair_distance=(0.5, 4.0),
    margin=1,
)
ONCE = nets.TrainingOptions(epochs=1, batch=4, missing=0.5)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "balls.zarr"
    generate(RECIPE, 12, path)
    return path


@pytest.fixture(scope="module")
def run(store: Path) -> Path:
    asked = [
        "train",
        "znet3d",
        "--data",
        os.fspath(store),
        "--out",
        os.fspath(store.parent / "run"),
    ]
    options = ["--epochs", "1", "--batch", "4", "--missing", "0.5"]
    assert cli.main([*asked, *options, "--device", "cpu"]) == 0
    return store.parent / "run"


def test_parameters_and_sizes() -> None:
    assert parameter_count(nets.ZNet3d()) == 2_039_391
    for pixels, bottom in ((16, 2), (29, 3)):
        net = nets.ZNet3d(1, pixels, optodes=4).eval()
        assert net.sizes[-1] == (bottom,) * 3
        with torch.no_grad():
            maps = net(torch.zeros(1, 1, 4, 3), torch.zeros(1, 1, pixels, pixels, pixels))
        assert maps.shape == (1, 3, pixels, pixels, pixels)


def test_volumes_are_scaled_and_back(store: Path) -> None:
    phantoms = open_phantoms(store)
    scaling = nets.Scaling.of(phantoms.signal[:], RECIPE, "fast")
    assert scaling.map_units.shape == (3, 1, 1, 1)
    truth = scaling.targets(phantoms.chromophores[:])
    maps = scaling.maps(torch.from_numpy(truth))
    np.testing.assert_allclose(maps, phantoms.chromophores[:], rtol=1e-6)
    assert np.median(scaling.mri(phantoms.mri[:])[:, 0, RECIPE.inside]) == 0


def test_trained_on_a_store_it_answers_with_volumes(store: Path, run: Path) -> None:
    net, phantoms = nets.load(run), open_phantoms(store)
    found = net.reconstruct(phantoms.signal[:3], phantoms.recipe, mri=phantoms.mri[:3])
    assert (net.name, found.shape) == ("znet3d", (3, 3, 16, 16, 16))
    assert (found[..., ~RECIPE.inside] == 0).all()
    alone = net.reconstruct(phantoms.signal[1:2], mri=phantoms.mri[1:2], missing=[2])
    assert np.isfinite(alone).all()
    card = (run / "card.md").read_text()
    assert "ellipsoids in a ball" in card
    assert "an MR image of 16 x 16 x 16" in card


def test_a_stream_gives_the_same_phantoms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lesionkit.nets.phantoms.stream.VALIDATION", (0, 4))
    stream = nets.PhantomStream(recipe=RECIPE, per_epoch=4)
    made = [nets.train("znet3d", stream, tmp_path / name, ONCE, device="cpu") for name in "ab"]
    first, second = (record["history"][0]["validation"] for record in made)
    assert first == second


def test_what_does_not_go_together(store: Path, run: Path, tmp_path: Path) -> None:
    flat = PhantomRecipe(pixels=16, optodes=4, wavelengths=(785,), nodes=300)
    with pytest.raises(ValueError, match="net must be znet3d for phantoms in 3 dimensions, got zn"):
        nets.train("znet", store, tmp_path / "a", ONCE)
    stream = nets.PhantomStream(recipe=flat, per_epoch=4)
    with pytest.raises(ValueError, match=r"net must be znet or .* in 2 dimensions, got znet3d"):
        nets.train("znet3d", stream, tmp_path / "a", ONCE)
    with pytest.raises(ValueError, match="augment needs a disc, which is symmetric, got a ball of"):
        nets.train("znet3d", store, tmp_path / "a", replace(ONCE, augment=True))
    net, phantoms = nets.load(run), open_phantoms(store)
    with pytest.raises(ValueError, match="shape is 'cylinder', it was trained with 'ball'"):
        net.reconstruct(
            phantoms.signal[:1], replace(RECIPE, shape="cylinder"), mri=phantoms.mri[:1]
        )
    with pytest.raises(ValueError, match="mri must have shape"):
        net.reconstruct(phantoms.signal[:1], mri=phantoms.mri[:1, 0])
    with pytest.raises(ValueError, match="net must be of two dimensions for measured data"):
        nets.reconstruct_measured(net, "a.paa", "b.paa")
    with pytest.raises(ValueError, match="pixels must be"):
        nets.ZNet3d(pixels=8)
    assert (
        cli.main(["evaluate", "--data", os.fspath(store), "--out", os.fspath(tmp_path / "e")]) == 2
    )
