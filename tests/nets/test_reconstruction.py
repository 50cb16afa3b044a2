"""A trained net: what it answers, and what it refuses to read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'lesionkit[nets]'")

from lesionkit.nets import checkpoints, load  # noqa: E402
from lesionkit.optics import open_phantoms  # noqa: E402


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
    # Two epochs on 49 phantoms: no good maps, but of the right size.
    typical = np.median(maps[..., phantoms.recipe.inside], axis=(0, 2))
    np.testing.assert_allclose(typical, [14, 7, 35], rtol=0.5)
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
