"""Readings that are missing: what stands in their place, training without some, and inference."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[nets]'")

from lesionkit.nets import TrainingOptions, ZNet, load, train  # noqa: E402
from lesionkit.nets.phantoms import missing  # noqa: E402
from lesionkit.optics import open_phantoms  # noqa: E402
from lesionkit.studies.nirst.methods import Case, learned  # noqa: E402

SHAPE = (2, 16, 15)


@pytest.fixture(scope="module")
def masked_run(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Path:
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("masked") / "run"
    options = TrainingOptions(epochs=2, batch=16, learning_rate=0.002, missing=0.6)
    train("znet", store, out, options, device="cpu")
    return out


def test_the_readings_of_optodes() -> None:
    """By the definition: detector j of source s is optode (s + 1 + j) mod optodes."""
    present = np.array([True, True, False, True, False])
    found = missing.of_optodes(present)
    for source in range(5):
        for j in range(4):
            assert found[source, j] == (present[source] and present[(source + 1 + j) % 5])


def test_what_stands_in_the_place_of_what_is_missing() -> None:
    values = np.array([[[[1.0, np.nan]], [[np.nan, np.nan]], [[4.0, np.nan]]]])  # 3 wavelengths
    there = ~np.isnan(values)
    plain = np.nan_to_num(values)
    expected = [[[[1, 0]], [[2.5, 0]], [[4, 0]]]]
    np.testing.assert_array_equal(missing.filled(plain, there), expected)
    found = missing.filled(torch.from_numpy(plain), torch.from_numpy(there))
    np.testing.assert_array_equal(found, expected)


def test_what_is_drawn_lacks_one_to_half_of_the_optodes() -> None:
    random = np.random.default_rng(0)
    there = np.concatenate([missing.drawn(random, 3, 16).numpy() for _ in range(400)])
    assert there.shape == (400, 3, 16, 15)
    optodes = there.any(axis=(1, 3)).sum(1)
    assert (optodes.min(), optodes.max()) == (8, 15)
    lacking = (~there.any(axis=(2, 3))).sum(1)
    assert lacking.max() == 1
    assert 60 < lacking.sum() < 140  # a quarter of 400
    again = missing.drawn(np.random.default_rng(0), 3, 16).numpy()
    np.testing.assert_array_equal(there[:1], again)


def test_a_net_that_learned_it_does_without(masked_run: Path, store: Path) -> None:
    net, phantoms = load(masked_run), open_phantoms(store)
    assert net.net.masked
    assert json.loads((masked_run / "run.json").read_text())["options"]["missing"] == 0.6
    signals, mri = phantoms.signal[60:], phantoms.mri[60:]
    whole = net.reconstruct(signals, mri=mri)
    without = net.reconstruct(signals, mri=mri, missing=(3, 7))
    holes = signals.copy()
    detectors = (np.arange(16)[:, None] + 1 + np.arange(15)) % 16
    gone = np.isin(np.arange(16), (3, 7))
    holes[..., gone[:, None] | gone[detectors]] = np.nan
    np.testing.assert_array_equal(net.reconstruct(holes, mri=mri), without)
    junk = np.where(np.isnan(holes), np.nan, holes)
    junk[:, :, 3], junk[:, :, 7] = 0, 1e9  # what the fallen optodes say is not looked at
    np.testing.assert_array_equal(net.reconstruct(junk, mri=mri, missing=(3, 7)), without)
    assert not np.array_equal(whole, without)
    case = Case.of("8 of 16", phantoms, 60, 70)
    sparse = learned(net)(replace(case, sparse=True))
    np.testing.assert_array_equal(
        sparse, net.reconstruct(signals, mri=mri, missing=range(1, 16, 2))
    )
    one = signals.copy()
    one[:, 1] = np.nan  # a wavelength
    assert np.isfinite(net.reconstruct(one, mri=mri)).all()


def test_nothing_missing_is_no_mask(masked_run: Path, store: Path) -> None:
    net = load(masked_run).net
    random = torch.Generator().manual_seed(0)
    signals = torch.randn(2, *SHAPE, generator=random)
    mri = torch.randn(2, 1, 32, 32, generator=random)
    with torch.inference_mode():
        whole = net(signals, mri)
        np.testing.assert_array_equal(net(signals, mri, torch.ones(2, *SHAPE) > 0), whole)


def test_resumed_it_is_the_same_to_the_bit(masked_run: Path, store: Path, tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(epoch: int, *_: object) -> None:
        if epoch == 2:
            raise Stop

    options = TrainingOptions(epochs=2, batch=16, learning_rate=0.002, missing=0.6)
    with pytest.raises(Stop):
        train("znet", store, tmp_path / "run", options, device="cpu", progress=stop)
    train("znet", store, tmp_path / "run", options, device="cpu")
    one, other = (load(folder).net.state_dict() for folder in (masked_run, tmp_path / "run"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_what_is_refused(masked_run: Path, znet_run: Path, store: Path) -> None:
    net, phantoms = load(masked_run), open_phantoms(store)
    signals, mri = phantoms.signal[:2], phantoms.mri[:2]
    with pytest.raises(ValueError, match="missing must leave some readings, phantom 0 has none"):
        net.reconstruct(signals, mri=mri, missing=range(16))
    with pytest.raises(ValueError, match="missing must be from 0 to 15, got 16"):
        net.reconstruct(signals, mri=mri, missing=[16])
    with pytest.raises(TypeError, match="missing must be a sequence of optodes' numbers, got int"):
        net.reconstruct(signals, mri=mri, missing=3)
    zero = signals.copy()
    zero[0, 0, 3] = 0  # zeros are no missing readings
    with pytest.raises(ValueError, match="signals"):
        net.reconstruct(zero, mri=mri)
    plain = load(znet_run)
    with pytest.raises(ValueError, match="missing must be empty: this znet was trained on all"):
        plain.reconstruct(signals, mri=mri, missing=(3,))
    holes = signals.copy()
    holes[:, :, 3] = np.nan
    with pytest.raises(ValueError, match="signals"):
        plain.reconstruct(holes, mri=mri)
    for share in (-0.1, 1.1):
        with pytest.raises(ValueError, match="missing must be a finite number at least 0 and at"):
            TrainingOptions(missing=share)
    assert not ZNet(2, 32).masked
