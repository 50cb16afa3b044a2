"""The linear estimate beside its definition, the U-Net on it, and averaged weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[nets]'")

from lesionkit.nets import (  # noqa: E402
    LinearUNet,
    TrainingOptions,
    checkpoints,
    fitting,
    load,
    train,
)
from lesionkit.nets.linear import RIDGE, LinearEstimate  # noqa: E402
from lesionkit.nets.phantoms.augmentation import symmetries, turned  # noqa: E402
from lesionkit.nets.phantoms.data import Batch  # noqa: E402
from lesionkit.optics import PhantomRecipe, open_phantoms, triangular_interface  # noqa: E402

WAVELENGTHS, OPTODES, PIXELS = 2, 4, 6
SHAPE = (WAVELENGTHS, OPTODES, OPTODES - 1)


class Stop(Exception):
    pass


@pytest.fixture(scope="module")
def batches() -> list[Batch]:
    random = np.random.default_rng(3)
    made = []
    for count in (40, 25):
        signals = random.normal(size=(count, *SHAPE)) @ random.normal(size=(3, 3)) + 1
        maps = random.normal(size=(count, 3, PIXELS, PIXELS)) + signals.mean((1, 2, 3))[
            :, None, None, None
        ] * np.arange(PIXELS)
        parts = (signals, np.zeros((count, 1, PIXELS, PIXELS)), maps)
        made.append(Batch(*(torch.from_numpy(part).float() for part in parts)))
    return made


def definition(batches: list[Batch], symmetries: int) -> tuple[np.ndarray, ...]:
    """E[x], E[y], C_xx + l, C_yx of the phantoms and their images, one after the other."""
    every = [turned(batch, k) for k in range(symmetries) for batch in batches]
    x = np.concatenate([b.signals.numpy().reshape(len(b.signals), -1) for b in every]).astype(float)
    y = np.concatenate([b.maps.numpy().reshape(len(b.maps), -1) for b in every]).astype(float)
    mx, my = x.mean(0), y.mean(0)
    covariance = (x - mx).T @ (x - mx) / len(x)
    covariance += RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    return mx, my, covariance, (y - my).T @ (x - mx) / len(x)


@pytest.mark.parametrize("symmetries", [1, 8])
def test_it_is_what_the_formula_says(batches: list[Batch], symmetries: int) -> None:
    estimate = LinearEstimate(WAVELENGTHS, OPTODES, PIXELS, masked=False)
    estimate.fit(batches, symmetries, torch.eye(WAVELENGTHS))
    mx, my, covariance, cross = definition(batches, symmetries)
    x = batches[0].signals.numpy().reshape(40, -1)
    expected = my + (x - mx) @ np.linalg.solve(covariance, cross.T)
    found = estimate(batches[0].signals).numpy().reshape(40, -1)
    np.testing.assert_allclose(found, expected, atol=2e-4)


@pytest.mark.parametrize("fallen", [(1,), (0, 2)])
@pytest.mark.parametrize("wavelength", [None, 1])
def test_without_readings_it_is_the_estimate_of_the_others(
    batches: list[Batch], fallen: tuple[int, ...], wavelength: int | None
) -> None:
    """Of signals that were mixed over the wavelengths, and lack readings before that."""
    mixing = np.array([[1.0, 0.4], [0.4, 2.0]])
    estimate = LinearEstimate(WAVELENGTHS, OPTODES, PIXELS, masked=True)
    estimate.fit(batches, 1, torch.from_numpy(mixing))
    detectors = (np.arange(OPTODES)[:, None] + 1 + np.arange(OPTODES - 1)) % OPTODES
    there = np.ones(SHAPE, bool)
    there[:, np.isin(np.arange(OPTODES), fallen)] = False
    there[:, np.isin(detectors, fallen)] = False
    if wavelength is not None:
        there[wavelength] = False
    mx, my, covariance, cross = definition(batches, 1)
    back = np.kron(np.linalg.inv(mixing), np.eye(OPTODES * (OPTODES - 1)))
    known = there.ravel()
    x = (batches[0].signals.numpy().reshape(40, -1) - mx) @ back.T
    inner = (back @ covariance @ back.T)[known][:, known]
    expected = my + x[:, known] @ np.linalg.solve(inner, (cross @ back.T)[:, known].T)
    mask = torch.from_numpy(there).expand(40, *SHAPE).clone()
    mask[3] = True  # a phantom that lacks nothing
    found = estimate(batches[0].signals, mask).numpy().reshape(40, -1)
    np.testing.assert_allclose(np.delete(found, 3, 0), np.delete(expected, 3, 0), atol=5e-4)
    whole = estimate(batches[0].signals).numpy().reshape(40, -1)
    np.testing.assert_array_equal(found[3], whole[3])
    share = estimate.coverage(mask)
    assert share.shape == (40, 1, PIXELS, PIXELS)
    assert (share[3] > 0.9999).all()
    assert (share[0] < 1).all()


def test_only_a_disc_has_symmetries() -> None:
    assert symmetries(PhantomRecipe()) == 8
    assert symmetries(PhantomRecipe(optodes=6)) == 1
    assert symmetries(PhantomRecipe(outline=triangular_interface())) == 1


def options(**others: object) -> TrainingOptions:
    return replace(TrainingOptions(epochs=2, batch=8, learning_rate=0.002, augment=True), **others)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Path:
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("linear") / "run"
    train("linear-unet", store, out, options(average=0.9, missing=0.5), device="cpu")
    return out


def test_resumed_it_is_the_same_run(run: Path, store: Path, tmp_path: Path) -> None:
    def stop(epoch: int, *_: object) -> None:
        if epoch == 2:
            raise Stop

    out = tmp_path / "run"
    asked = options(average=0.9, missing=0.5)
    with pytest.raises(Stop):
        train("linear-unet", store, out, asked, device="cpu", progress=stop)
    train("linear-unet", store, out, asked, device="cpu")
    for name in ("weights.pt", "last.pt"):
        one, other = checkpoints.read(run / name), checkpoints.read(out / name)
        for key in one["state"]:
            assert torch.equal(one["state"][key], other["state"][key]), (name, key)


def test_a_trained_net_reads_phantoms_with_and_without_optodes(run: Path, store: Path) -> None:
    net, phantoms = load(run), open_phantoms(store)
    signals, mri, truth = (
        part[63:] for part in (phantoms.signal, phantoms.mri, phantoms.chromophores)
    )
    whole = net.reconstruct(signals, phantoms.recipe, mri=mri)
    plain = np.broadcast_to(truth.mean((0, 2, 3), keepdims=True), truth.shape)
    inside = phantoms.recipe.inside
    assert ((whole - truth)[..., inside] ** 2).mean() < ((plain - truth)[..., inside] ** 2).mean()
    without = net.reconstruct(signals, mri=mri, missing=(3, 7))
    assert np.isfinite(without).all()
    assert not np.array_equal(whole, without)


def test_what_is_kept_is_the_average(run: Path) -> None:
    kept, last = (checkpoints.read(run / name) for name in ("weights.pt", "last.pt"))
    name = "head.weight"
    assert torch.equal(kept["state"][name], last["average"][f"module.{name}"])
    assert not torch.equal(kept["state"][name], last["state"][name])


def test_averaged_follows_its_definition() -> None:
    net = torch.nn.Linear(1, 1, bias=False)
    average, expected = fitting.averaged(net, 0.9), None
    for count, value in enumerate([1.0, 3.0, -2.0, 0.5] * 30):
        torch.nn.init.constant_(net.weight, value)
        average.update_parameters(net)
        share = max(0.1, 9 / (10 + count))
        expected = value if expected is None else expected + share * (value - expected)
    assert average.module.weight.item() == pytest.approx(expected, rel=1e-5)


def test_refused() -> None:
    with pytest.raises(ValueError, match=r"average must be .*got 1"):
        TrainingOptions(average=1)
    with pytest.raises(ValueError, match="pixels must be at least 16"):
        LinearUNet(pixels=15)
    with pytest.raises(ValueError, match="optodes must be at least 2"):
        LinearUNet(optodes=1)
