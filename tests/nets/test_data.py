"""Data for training: their scaling, the store as a Dataset, orders, symmetries."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[nets]'")

from lesionkit.nets import PhantomDataset, Scaling  # noqa: E402
from lesionkit.nets.phantoms.augmentation import SYMMETRIES, turned  # noqa: E402
from lesionkit.nets.phantoms.data import Batch, InMemory, Streaming, epoch_order, fits  # noqa: E402
from lesionkit.optics import PhantomRecipe, open_phantoms, simulate  # noqa: E402

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def phantoms(store):
    return open_phantoms(store)


@pytest.fixture(scope="module")
def scaling(phantoms):
    return Scaling.of(phantoms.signal[:49], phantoms.recipe, "fast")


# --- scaling ----------------------------------------------------------------------------------


def test_scaled_signals_are_uncorrelated_and_of_size_one(phantoms, scaling) -> None:
    scaled = scaling.signals(phantoms.signal[:49])
    assert scaled.dtype == np.float32
    covariance = np.cov(np.moveaxis(scaled, 1, 0).reshape(2, -1), dtype=float)
    np.testing.assert_allclose(covariance, np.eye(2), atol=1e-4)  # float32
    np.testing.assert_array_equal(scaling.mixing, scaling.mixing.T)
    log = np.log(phantoms.signal[:49]) - scaling.reference
    np.testing.assert_allclose((log / scaling.spread).std(axis=(0, 2)), 1, rtol=1e-4)


def test_signals_without_noise_or_variance_are_not_blown_up(phantoms) -> None:
    still = np.repeat(phantoms.signal[:1], 4, axis=0)
    for signal in (still, still * np.linspace(0.9, 1.1, 4, dtype=np.float32)[:, None, None, None]):
        made = Scaling.of(signal, phantoms.recipe, "fast")
        assert np.abs(made.signals(signal)).max() < 10


def test_the_reference_is_a_homogeneous_disc(phantoms, scaling) -> None:
    recipe = replace(phantoms.recipe, signal_noise=0)
    tissue = [14, 7, 35, 1, 1]  # the middle of the recipe's ranges
    regions = [[[0, 0, 0, *tissue], [0, 0, 0, *tissue]]]
    signal = simulate(recipe, regions).signal
    np.testing.assert_allclose(np.exp(scaling.reference), signal[0], rtol=1e-5)  # float32
    # float32 logarithms of numbers near the reference, mixed with factors of about 10
    np.testing.assert_allclose(scaling.signals(signal), 0, atol=1e-4)


def test_maps_there_and_back(phantoms, scaling) -> None:
    maps = phantoms.chromophores[:3]
    scaled = scaling.targets(maps)
    assert 0.3 < scaled[scaled > 0].mean() < 2
    back = scaling.maps(torch.from_numpy(scaled))
    np.testing.assert_allclose(back, maps, rtol=1e-6)
    outside = scaling.maps(torch.ones(1, 3, 32, 32))[..., ~phantoms.recipe.inside]
    assert (outside == 0).all()


def test_mri_is_scaled_by_the_gray_values(scaling) -> None:
    gray = np.full((1, 32, 32), 50, np.uint8)
    gray[0, 10:13, 10:13] = 80
    scaled = scaling.mri(gray)
    assert scaled.shape == (1, 1, 32, 32)
    assert set(np.unique(scaled)) == {0.0, 1.0}
    np.testing.assert_array_equal(scaled, scaling.mri(gray.astype(float)))


def test_a_scaling_survives_a_checkpoint(scaling) -> None:
    back = Scaling.from_state(scaling.state())
    assert back.recipe == scaling.recipe
    assert back.near == scaling.near
    np.testing.assert_array_equal(back.reference, scaling.reference)
    np.testing.assert_array_equal(back.spread, scaling.spread)
    np.testing.assert_array_equal(back.mixing, scaling.mixing)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: s[..., :-1], r"signals must have shape \(n, 2, 16, 15\), got float32 array.*"),
        (lambda s: s * np.nan, r"signals must be finite \(mm\^-1\), got 1440 NaN or infinite"),
        (lambda s: s * 0, r"signals must be above 0 mm\^-1, got 0"),
        (lambda s: s * 1000, r"signals must be amplitudes in mm\^-1 .* calibrated by a homogeneous "
                             r"disc: beside the sources they are .* times those of the refer.*"),
        (lambda s: s.astype(str), "signals must hold real numbers.*"),
    ],
)  # fmt: skip
def test_signals_that_are_none(phantoms, scaling, change, sentence) -> None:
    with pytest.raises((ValueError, TypeError), match=f"^{sentence}$"):
        scaling.signals(change(np.asarray(phantoms.signal[:3])))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda m: m[:, :-1], r"mri must have shape \(n, 32, 32\), got uint8 array.*"),
        (lambda m: m * np.nan, r"mri must be finite \(gray\), got 3072 NaN or infinite"),
        (lambda m: m / 80, "mri must have the gray values of the training phantoms, tissue about "
                           "50, got a median of 0.6.*"),
    ],
)  # fmt: skip
def test_mri_that_is_none(phantoms, scaling, change, sentence) -> None:
    with pytest.raises((ValueError, TypeError), match=f"^{sentence}$"):
        scaling.mri(change(np.asarray(phantoms.mri[:3])))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"wavelengths": (661, 808)}, "wavelengths is .661.0, 808.0., it was trained with .661"),
        ({"optodes": 8}, "optodes is 8, it was trained with 16"),
        ({"radius": 42}, "radius is 42.0, it was trained with 41.0"),
        ({"pixels": 33}, "pixels is 33, it was trained with 32"),
    ],
)
def test_another_geometry_is_refused(scaling, change, what) -> None:
    scaling.check(replace(scaling.recipe, hbo=(9, 10), signal_noise=0.1))
    with pytest.raises(ValueError, match=f"^this net cannot read such data: {what}"):
        scaling.check(replace(scaling.recipe, **change))


# --- Dataset ----------------------------------------------------------------------------------


def test_items_are_those_of_the_store(store, phantoms, scaling) -> None:
    dataset = PhantomDataset(store, scaling)
    assert len(dataset) == len(phantoms) == 70
    for index in (0, 63, 64, 69, -1):
        signals, mri, maps = dataset[index]
        row = slice(index % 70, index % 70 + 1)
        np.testing.assert_array_equal(signals, scaling.signals(phantoms.signal[row])[0])
        np.testing.assert_array_equal(mri, scaling.mri(phantoms.mri[row])[0])
        np.testing.assert_array_equal(maps, scaling.targets(phantoms.chromophores[row])[0])
    for index in (70, -71):
        with pytest.raises(ValueError, match="index must be from -70 to 69"):
            dataset[index]


@pytest.mark.parametrize("workers", [0, 2])
def test_workers_give_what_memory_gives(store, phantoms, scaling, workers) -> None:
    orders = epoch_order(0, 63, 20, seed=1, epoch=2)
    kept = InMemory(phantoms, 0, 63, scaling, CPU).batches(orders)
    read = Streaming(store, scaling, CPU, workers).batches(orders)
    for a, b in zip(kept, read, strict=True):
        for one, other in zip(a, b, strict=True):
            assert torch.equal(one, other)


def test_a_dataset_may_be_sent_to_another_process(store, scaling) -> None:
    dataset = PhantomDataset(store, scaling)
    expected = dataset[5]
    sent = pickle.loads(pickle.dumps(dataset))
    assert not sent._chunks
    assert all(torch.equal(a, b) for a, b in zip(sent[5], expected, strict=True))


def test_some_phantoms_in_memory(phantoms, scaling) -> None:
    source = InMemory(phantoms, 49, 63, scaling, CPU)
    (batch,) = source.batches([np.array([62, 49])])
    expected = scaling.targets(phantoms.chromophores[49:63])[[13, 0]]
    np.testing.assert_array_equal(batch.maps, expected)


def test_what_fits(scaling) -> None:
    assert fits(10, scaling, CPU)
    assert not fits(10**12, scaling, CPU)


# --- orders and symmetries --------------------------------------------------------------------


@pytest.mark.parametrize(("first", "stop", "batch"), [(0, 1, 5), (10, 200, 32), (0, 2000, 128)])
def test_an_order_takes_each_phantom_once(first, stop, batch) -> None:
    order = epoch_order(first, stop, batch, seed=3, epoch=1)
    sizes = [len(part) for part in order]
    assert max(sizes) <= batch
    assert max(sizes) - min(sizes) <= 1
    np.testing.assert_array_equal(np.sort(np.concatenate(order)), np.arange(first, stop))


def test_an_order_is_of_its_seed_and_epoch() -> None:
    def order(seed, epoch):
        return np.concatenate(epoch_order(0, 100, 100, seed, epoch)).tolist()

    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1) != order(1, 0)
    assert order(0, 1) != order(1, 1)


def test_turned_phantoms_are_phantoms() -> None:
    """The physics of the turned disc, solved, is the turned signal."""
    recipe = PhantomRecipe(signal_noise=0, mri_noise=0, pixels=20, wavelengths=(808,))
    regions = np.zeros((SYMMETRIES, 3, 8))
    regions[:, :, 3:] = [[14, 7, 35, 1, 1], [30, 9, 60, 1.2, 1], [20, 20, 40, 1, 1]]
    regions[:, 1, :3], regions[:, 2, :3] = (21, 6, 10), (-9, -18, 6)
    for symmetry, moved in enumerate(regions):
        mirrored, quarters = divmod(symmetry, 4)
        if mirrored:
            moved[:, 1] *= -1
        for _ in range(quarters):
            moved[:, 0], moved[:, 1] = -moved[:, 1], moved[:, 0].copy()
    made = simulate(recipe, regions)
    batch = Batch(
        torch.from_numpy(made.signal[:1]),
        torch.from_numpy(made.mri[:1, None]),
        torch.from_numpy(made.chromophores[:1]),
    )
    for symmetry in range(SYMMETRIES):
        signals, mri, maps = turned(batch, symmetry)
        # The mesh is not symmetric: the solver's error, under 1 per cent, is all the difference.
        np.testing.assert_allclose(signals[0], made.signal[symmetry], rtol=0.01)
        np.testing.assert_allclose(maps[0], made.chromophores[symmetry], rtol=1e-4)
        assert np.abs(mri[0, 0].numpy().astype(int) - made.mri[symmetry]).max() <= 1
