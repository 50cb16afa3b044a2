"""A trained net: what it answers, and what it refuses to read."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[nets]'")

from lesionkit import cli  # noqa: E402
from lesionkit.nets import Scaling, checkpoints, load  # noqa: E402
from lesionkit.optics import PhantomRecipe, generate, open_phantoms  # noqa: E402


@pytest.fixture(scope="module")
def phantoms(store):
    return open_phantoms(store)


@pytest.fixture(scope="module")
def trained(znet_run):
    return load(znet_run)


def test_maps_in_the_units_of_the_store(trained, phantoms) -> None:
    signal, mri = np.asarray(phantoms.signal[49:]), np.asarray(phantoms.mri[49:])
    before = signal.copy(), mri.copy()
    maps = trained.reconstruct(signal, phantoms.recipe, mri=mri)
    assert maps.dtype == np.float32
    assert maps.shape == (21, 3, 32, 32)
    assert (maps[..., ~phantoms.recipe.inside] == 0).all()
    scaling = trained.scaling
    inputs = (torch.from_numpy(part) for part in (scaling.signals(signal), scaling.mri(mri)))
    with torch.inference_mode():
        plain = trained.net(*inputs).numpy() * np.array([20, 10, 50])[:, None, None]
    # float32 sums in another order
    np.testing.assert_allclose(maps, plain * phantoms.recipe.inside, rtol=1e-4, atol=1e-3)
    assert all(np.array_equal(a, b) for a, b in zip(before, (signal, mri), strict=True))


def test_any_batch_and_layout_of_arrays(trained, phantoms) -> None:
    signal, mri = np.asarray(phantoms.signal[:5]), np.asarray(phantoms.mri[:5])
    maps = trained.reconstruct(signal, mri=mri)
    # float32 sums in another order
    np.testing.assert_allclose(
        trained.reconstruct(signal, mri=mri, batch=2), maps, rtol=1e-4, atol=1e-3
    )
    turned = np.asfortranarray(signal.astype(float))
    turned.flags.writeable = False
    np.testing.assert_allclose(
        trained.reconstruct(turned, mri=mri[::-1][::-1]), maps, rtol=1e-4, atol=1e-3
    )
    assert trained.reconstruct(signal[:0], mri=mri[:0]).shape == (0, 3, 32, 32)


def test_a_file_or_its_folder(znet_run, trained) -> None:
    for path in (znet_run / "weights.pt", znet_run / "last.pt", str(znet_run)):
        assert load(path).name == "znet"
    assert trained.about["data"]["count"] == 70
    assert trained.about["options"]["batch"] == 8


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"mri": slice(3)}, "signals and mri must be of the same phantoms, got 2 and 3"),
        ({"recipe": {"wavelengths": (661, 735)}}, "this net cannot read such data: wavelengths .*"),
        ({"recipe": {"radius": 50}}, "this net cannot read such data: radius is 50.0, .*"),
        ({"recipe": None}, "recipe must be a PhantomRecipe, got int 1"),
        ({"batch": 0}, "batch must be at least 1, got 0"),
    ],
)
def test_each_mistake_is_a_sentence(trained, phantoms, change, sentence) -> None:
    recipe = phantoms.recipe
    if "recipe" in change:
        recipe = 1 if change["recipe"] is None else replace(recipe, **change["recipe"])
    mri = np.asarray(phantoms.mri[change.get("mri", slice(2))])
    with pytest.raises((ValueError, TypeError), match=f"^{sentence}$"):
        trained.reconstruct(phantoms.signal[:2], recipe, mri=mri, batch=change.get("batch", 64))


def test_what_cannot_be_loaded(tmp_path, znet_run) -> None:
    with pytest.raises(FileNotFoundError, match="there is no checkpoint at"):
        load(tmp_path)
    content = checkpoints.read(znet_run / "weights.pt")
    content["state"].popitem()
    checkpoints.save(tmp_path / "weights.pt", content)
    with pytest.raises(ValueError, match="is a checkpoint of something else"):
        load(tmp_path)
    checkpoints.save(tmp_path / "weights.pt", {"net": "znet"})
    with pytest.raises(ValueError, match="is a checkpoint of something else"):
        load(tmp_path)
    (tmp_path / "weights.pt").write_bytes(b"PK")
    with pytest.raises(ValueError, match="is damaged, or is no checkpoint"):
        load(tmp_path)


def test_wavelengths_in_another_order_are_refused() -> None:
    """Where no recipe tells: what nine wavelengths have in common does."""
    recipe = PhantomRecipe(nodes=900, pixels=8)
    signal = generate(recipe, 40, seed=1).signal
    scaling = Scaling.of(signal, recipe, "fast")
    scaling.check_mix(scaling.signals(generate(recipe, 40, seed=2).signal))
    scaling.check_mix(scaling.signals(generate(replace(recipe, signal_noise=0.15), 40).signal))
    swapped = signal[:, [0, 2, 1, *range(3, 9)]]
    with pytest.raises(ValueError, match=r"^signals must be of \(661.0, .* nm in this order, in"):
        scaling.check_mix(scaling.signals(swapped))


def test_devices(znet_run) -> None:
    assert load(znet_run, "auto").name == "znet"
    with pytest.raises(ValueError, match=r"^device must be 'auto', 'cpu', 'cuda' or 'cuda:N', got"):
        load(znet_run, "gpu")
    with pytest.raises(ValueError, match=r"^device is 'cuda:99', but torch finds no such GPU here"):
        load(znet_run, "cuda:99")


# --- lesionkit reconstruct --------------------------------------------------------------------


def test_the_command(tmp_path, store, znet_run, trained, phantoms, capsys) -> None:
    asked = ["reconstruct", str(store), "--method", "znet", "--weights", str(znet_run)]
    assert cli.main([*asked, "--out", str(tmp_path / "maps"), "--first", "60", "--count", "3"]) == 0
    assert "3 phantoms by Z-Net" in capsys.readouterr().out
    with np.load(tmp_path / "maps" / "maps.npz") as file:
        made = file["chromophores"]
    expected = trained.reconstruct(phantoms.signal[60:63], mri=phantoms.mri[60:63])
    np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-3)  # float32
    assert (tmp_path / "maps" / "maps.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("method", "weights", "sentence"),
    [
        ("znet", None, "method 'znet' needs --weights, the folder of a training run"),
        ("ynet", "run", "--weights must hold a ynet, got the znet of .*"),
        ("dri", "run", "--weights belongs to a net, got method 'dri'"),
        ("znet", "nowhere", "there is no checkpoint at nowhere"),
    ],
)
def test_mistakes_of_the_command(
    tmp_path, store, znet_run, monkeypatch, capsys, method, weights, sentence
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["reconstruct", str(store), "--method", method, "--out", "maps"]
    if weights:
        asked += ["--weights", str(znet_run) if weights == "run" else weights]
    assert cli.main(asked) == 2
    assert re.fullmatch(f"lesionkit: {sentence}\n", capsys.readouterr().err)
    assert not list(tmp_path.iterdir())


def test_a_refused_store_leaves_no_folder(tmp_path, znet_run, capsys) -> None:
    recipe = PhantomRecipe(nodes=900, wavelengths=(661, 948), pixels=40)
    generate(recipe, 2, tmp_path / "other.zarr")
    asked = ["reconstruct", str(tmp_path / "other.zarr"), "--method", "znet"]
    asked += ["--weights", str(znet_run), "--out", str(tmp_path / "new" / "maps")]
    assert cli.main(asked) == 2
    assert "pixels is 40, it was trained with 32" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["other.zarr"]
