"""The paper's U-Net: its parameters, its optimisers, its training; planted spots."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lesionkit.studies.thermogram import clusters, regions
from lesionkit.studies.thermogram.learning import plant
from reference.thermal_body import woman

torch = pytest.importorskip("torch", reason="torch is not installed: lesionkit[nets]")
unet = pytest.importorskip("lesionkit.studies.thermogram.learning.unet")


def test_parameters_are_the_papers() -> None:
    """Total Parameters: 31,033,432, as the paper prints."""
    with torch.device("meta"):
        net = unet.UNet()
    assert sum(p.numel() for p in net.parameters()) == 31_033_432
    printed = [1792, 36928, 73856, 147584, 295168, 590080, 1180160, 2359808, 4719616, 9438208]
    sizes = [sum(p.numel() for p in conv.parameters()) for conv in _convolutions(net.body.down)]
    assert sizes == printed
    up = [2097664, 4719104, 2359808, 524544, 1179904, 590080, 131200, 295040, 147584, 32832]
    rows = [
        sum(p.numel() for p in conv.parameters())
        for pair in zip(net.body.up, net.body.join, strict=True)
        for part in pair
        for conv in _convolutions(part)
    ]
    assert rows[:10] == up


def _convolutions(module: object) -> list[object]:
    return [m for m in module.modules() if isinstance(m, torch.nn.Conv2d)]


@pytest.mark.parametrize("border", ["same", "symmetric"])
@pytest.mark.parametrize("shape", [(128, 128), (512, 512), (48, 80)])
def test_shapes_and_ranges(border: str, shape: tuple[int, int]) -> None:
    net = unet.UNet(2, border=border).eval()
    with torch.inference_mode():
        mask, output = net(torch.rand(1, 3, *shape))
    for part in (mask, output):
        assert part.shape == (1, 3, *shape)
        assert 0 <= float(part.min()) <= float(part.max()) <= 1


def test_symmetric_borders_know_no_border_in_a_constant_picture() -> None:
    """Zeros beyond the border do: they are an edge."""
    for border, flat in (("symmetric", True), ("same", False)):
        torch.manual_seed(0)
        net = unet.UNet(4, border=border).eval()
        with torch.inference_mode():
            mask, _ = net(torch.full((1, 3, 64, 64), 0.6))
        assert bool(np.ptp(mask.numpy(), axis=(2, 3)).max() < 1e-5) is flat


@pytest.mark.parametrize("optimiser", ["sgd", "rmsprop"])
def test_a_step_of_the_whole_net(optimiser: str, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (1, 32, 32, 3), np.uint8)
    masks = np.zeros((1, 32, 32), bool)
    masks[0, 8:20, 8:20] = True
    options = unet.Options(optimiser=optimiser, epochs=1, batch=1, width=64)
    net, history = unet.train(images, masks, tmp_path / "run", options)
    assert np.isfinite(history).all()
    assert sum(p.numel() for p in net.parameters()) == 31_033_432


def scenes(count: int, size: int = 32) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    images = random.integers(60, 90, (count, size, size, 3)).astype(np.uint8)
    masks = np.zeros((count, size, size), bool)
    for i, (row, column) in enumerate(random.integers(0, size - 10, (count, 2))):
        masks[i, row : row + 10, column : column + 10] = True
    images[masks] += 100
    return images, masks


def test_training_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    images, masks = scenes(5)
    whole, history = unet.train(images, masks, tmp_path / "a", _options(3))
    unet.train(images, masks, tmp_path / "b", _options(1))
    resumed, again = unet.train(images, masks, tmp_path / "b", _options(3))
    assert history == again
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(a, b)
    with pytest.raises(ValueError, match="holds another run"):
        unet.train(images, masks, tmp_path / "b", _options(3, seed=1))
    trained = unet.load(tmp_path / "b")
    assert trained.segment(images[0]).shape == (32, 32)
    (tmp_path / "b/last.pt").write_bytes(b"no")
    with pytest.raises(ValueError, match="damaged"):
        unet.load(tmp_path / "b")
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        unet.load(tmp_path / "c")


def _options(epochs: int, **more: int) -> object:
    return unet.Options(epochs=epochs, batch=2, width=2, optimiser="rmsprop", **more)


def test_it_learns_squares(tmp_path: Path) -> None:
    images, masks = (np.repeat(part, 2, 0) for part in scenes(4))
    options = unet.Options(epochs=20, batch=1, width=4, dropout=0.0, rate=3e-3)
    net, _ = unet.train(images, masks, tmp_path / "run", options)
    found = unet.probabilities(net, images) > 0.5
    assert 2 * (found & masks).sum() / (found.sum() + masks.sum()) > 0.9


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: unet.UNet(2)(torch.rand(1, 3, 30, 32)), "multiples of 16"),
        (lambda: unet.UNet(0), "width must be"),
        (lambda: unet.UNet(2, border="reflect"), "border must be 'same' or 'symmetric'"),
        (lambda: unet.Options(optimiser="adam"), "optimiser must be 'sgd' or 'rmsprop'"),
        (lambda: unet.Options(epochs=0), "epochs must be"),
        (lambda: unet.tensor(np.zeros((1, 8, 8, 3))), "uint8 array"),
    ],
)
def test_what_is_refused(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_spots_are_what_they_say() -> None:
    scene = woman(noise=0.0)
    one = plant.plant(scene.celsius, scene.body, 3, 5, breasts=scene.breasts, peak=2, fwhm=50)
    again = plant.plant(scene.celsius, scene.body, 3, 5, breasts=scene.breasts, peak=2, fwhm=50)
    np.testing.assert_array_equal(one.celsius, again.celsius)
    warmer = one.celsius - scene.celsius
    assert warmer.max() == pytest.approx(2, abs=1e-3)
    inside = scene.body & (warmer >= 1 - 1e-4)
    np.testing.assert_array_equal(one.mask, inside)
    assert (
        scene.breasts[0][int(one.row), int(one.column)]
        or scene.breasts[1][int(one.row), int(one.column)]
    )
    sides, peaks = set(), []
    for item in range(12):
        spot = plant.plant(scene.celsius, scene.body, item, breasts=scene.breasts)
        sides.add(spot.column < scene.midline)
        peaks.append(spot.peak)
        assert 1 <= spot.peak <= 4
        assert 25 <= spot.fwhm <= 80
    assert sides == {True, False}
    assert np.ptp(peaks) > 1
    nothing = np.zeros_like(scene.body)
    with pytest.raises(ValueError, match="both are empty"):
        plant.plant(scene.celsius, scene.body, 0, breasts=(nothing, nothing))


def test_stages_by_the_rule() -> None:
    breasts = np.zeros((2, 20, 40), bool)
    breasts[0, :, :20] = breasts[1, :, 20:] = True
    red = np.zeros((20, 40), bool)
    report = []
    for part in (np.s_[:0], np.s_[:3, :4], np.s_[:10, :20], np.s_[:10, :]):
        red[:] = False
        red[part] = True
        report.append(regions.stage_of(red, (breasts[0], breasts[1])))
    assert tuple(report) == regions.STAGES
    with pytest.raises(ValueError, match="breasts must have the shape of red"):
        regions.stage_of(red, (breasts[0, :5], breasts[1]))


def test_a_spot_is_red_in_the_codebook() -> None:
    scene = woman(noise=0.02)
    spot = plant.plant(scene.celsius, scene.body, 0, breasts=scene.breasts, peak=4, fwhm=80)
    found = clusters.segment(clusters.picture_of(spot.celsius))
    core = regions.scaled(spot.mask, 128)
    assert found.red[core].mean() > 0.9
