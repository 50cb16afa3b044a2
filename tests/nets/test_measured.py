"""A trained net on an instrument's files: calibrated, in the net's frame, some of it missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[nets]'")

from lesionkit import cli  # noqa: E402
from lesionkit.nets import (  # noqa: E402
    Scaling,
    TrainedNet,
    ZNet,
    ZNetWithoutMRI,
    load,
    reconstruct_measured,
)
from lesionkit.optics import (  # noqa: E402
    ForwardModel,
    Mesh,
    PhantomRecipe,
    Readings,
    disc_mesh,
    generate,
    spectra,
    triangular_interface,
    write_mesh,
)
from lesionkit.optics.readings import placement  # noqa: E402

RECIPE = PhantomRecipe(pixels=24, optodes=8, nodes=900, radius=30, pair_distance=(4, 20),
                       wavelengths=(661, 785, 852))  # fmt: skip
TISSUE = {"hbo": 14.0, "hb": 7.0, "water": 35.0, "amplitude": 1.0, "power": 1.0}
SHIFT = np.array([5.0, -2.0])
TURN = 0.6  # rad, of the files' frame: 34.4 degrees, less than three steps of 45
KNOWN: dict[str, Any] = {"frequency": 0, "reference_tissue": TISSUE}


def turned(points: np.ndarray, angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return points @ np.array([[c, s], [-s, c]])


@pytest.fixture(scope="module")
def mesh(tmp_path_factory) -> Path:
    """Files of a disc, turned and shifted, whose optodes are numbered clockwise."""
    out = tmp_path_factory.mktemp("disc")
    disc = disc_mesh(30, 900, 8)
    write_mesh(type(disc)(turned(disc.nodes, TURN) + SHIFT, disc.elements), out / "disc")
    for end in ("source", "meas"):
        lines = [f"{i} {x:.9f} {y:.9f}" for i, (x, y) in enumerate(optodes(), 1)]
        (out / f"disc.{end}").write_text("num x y\n" + "\n".join(lines) + "\n")
    return out / "disc"


def optodes() -> np.ndarray:
    return turned(RECIPE.positions[[2, 1, 0, 7, 6, 5, 4, 3]], TURN) + SHIFT


def measured(lump: float, nm: tuple[float, ...] = (661, 785, 808, 852)) -> Readings:
    """Readings of an instrument whose fibres differ, of homogeneous tissue and a lump in it."""
    disc = disc_mesh(30, 900, 8)
    places = RECIPE.positions[[2, 1, 0, 7, 6, 5, 4, 3]]
    model = ForwardModel(disc, places, places)
    blood = 14 + lump * (np.linalg.norm(disc.nodes - [10, 8], axis=1) < 7)
    mus = spectra.scattering(nm, 1.0, 1.0)[:, None] * np.ones(len(blood))
    strength = np.random.default_rng(1).uniform(0.5, 2, (len(nm), 8, 8)) * 1e4
    found = model.measure(spectra.absorption(nm, blood, 7.0, 35.0), mus) * strength
    pairs = np.argwhere(~np.eye(8, dtype=bool))
    amplitude = found[:, pairs[:, 0], pairs[:, 1]]
    return Readings(np.array(nm, float), pairs, amplitude, 0 * amplitude, amplitude > 0)


class Seen(torch.nn.Module):
    """In the place of a net: it keeps what it is given."""

    name, masked, guided = "znet", True, True

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.given: tuple[Any, ...] = ()

    def forward(self, *given: Any) -> Any:
        self.given = given
        return torch.ones(len(given[0]), 3, 24, 24) * torch.linspace(0, 1, 24)


@pytest.fixture(scope="module")
def net() -> TrainedNet:
    phantoms = generate(RECIPE, 16)
    return TrainedNet(Seen(), Scaling.of(phantoms.signal, RECIPE, "fast"))


def test_readings_arrive_calibrated_and_in_the_nets_order(net: TrainedNet, mesh: Path) -> None:
    """What the net is given is what its own forward model reads of the object, whatever the
    instrument's strengths and frame."""
    made = reconstruct_measured(
        net, measured(14), measured(0), mesh, image=np.ones((9, 9)), **KNOWN
    )
    disc = disc_mesh(30, 900, 8)
    blood = 14 + 14 * (np.linalg.norm(disc.nodes - [10, 8], axis=1) < 7)
    expected = np.empty((1, 3, 8, 7))
    for w, nm in enumerate(RECIPE.wavelengths):
        depth = float(RECIPE.source_depths[w])
        model = ForwardModel(disc, RECIPE.positions, RECIPE.positions, source_depth=depth)
        mus = np.full(len(blood), spectra.scattering([nm], 1.0, 1.0)[0])
        found = model.measure(spectra.absorption([nm], blood, 7.0, 35.0)[0], mus)
        for s in range(8):
            expected[0, w, s] = found[s, (s + 1 + np.arange(7)) % 8]
    # the smaller turn of two that fit: 34.4 degrees back is 10.6 forward, which is one optode on
    given = np.einsum("vw,wsj->vsj", np.linalg.inv(net.scaling.mixing), net.net.given[0][0])
    logs = given * net.scaling.spread + net.scaling.reference
    # sources lie 1 mm deep in one model and 1 / mus' in the other: most of it cancels
    np.testing.assert_allclose(logs, np.log(np.roll(expected[0], 1, axis=1)), atol=0.05)
    assert made.left_out.tolist() == [808]
    assert made.wavelengths.tolist() == [661, 785, 852]
    assert made.readings.all()
    assert len(net.net.given) == 2  # nothing is missing
    assert made.off < 1e-6
    assert made.turned == pytest.approx(45 - np.degrees(TURN), abs=1e-6)


def test_maps_are_turned_back(net: TrainedNet, mesh: Path) -> None:
    made = reconstruct_measured(net, measured(0), measured(0), mesh, image=np.ones((9, 9)), **KNOWN)
    images, extent = made.pixels(60)
    assert extent == pytest.approx((-25, 35, -32, 28), abs=0.1)
    inside = ~np.isnan(images["hbo"])
    assert inside.mean() == pytest.approx(np.pi / 4, abs=0.02)
    # the stand-in's maps grow along the net's x
    middle = (np.arange(60) + 0.5) - 30
    x, y = np.meshgrid(middle, -middle)
    along = turned(np.stack([x, y], axis=-1), np.radians(made.turned))[..., 0]
    near = inside & (np.hypot(x, y) < 25)
    expected = ((along / 30 + 1) / 2 * 24 - 0.5) / 23
    np.testing.assert_allclose(images["hbo"][near] / 20, expected[near], atol=0.01)


def test_an_image_is_turned_into_the_nets_frame_and_scaled(net: TrainedNet, mesh: Path) -> None:
    lump = turned(np.array([[12.0, 9.0]]), np.radians(-(45 - np.degrees(TURN))))[0]
    middle = (np.arange(120) + 0.5) / 2 - 30
    x, y = np.meshgrid(middle, -middle)
    image = np.where(np.hypot(x - lump[0], y - lump[1]) < 6, 1600.0, 1000.0)
    reconstruct_measured(net, measured(0), measured(0), mesh, image=image, **KNOWN)
    gray = net.net.given[1][0, 0].numpy() * 30 + 50  # the recipe's 50 and 80
    x, y = RECIPE.pixel_middles.T.reshape(2, 24, 24)
    away = np.hypot(x - 12, y - 9)
    np.testing.assert_allclose(gray[away < 4], 80, atol=0.1)
    np.testing.assert_allclose(gray[RECIPE.inside & (away > 8)], 50, atol=0.1)


def test_what_is_missing_is_told_by_the_mask(net: TrainedNet, mesh: Path) -> None:
    one, homogeneous = measured(14), measured(0, (661, 785, 808, 852))
    active = one.active.copy()
    active[0, 5] = False
    some = replace(one, active=active)
    made = reconstruct_measured(
        net, some, homogeneous, mesh, image=np.ones((9, 9)), missing=[3], **KNOWN
    )
    lost = ~made.readings
    # number 3 is the net's optode 1, which is 14 readings of each wavelength; and one more
    assert lost[:, 1].all()
    assert lost.sum() == 3 * 14 + 1
    np.testing.assert_array_equal(net.net.given[2][0].numpy(), made.readings)
    two = measured(14, (661, 852)), measured(0, (661, 852))
    made = reconstruct_measured(net, *two, mesh, image=np.ones((9, 9)), **KNOWN)
    assert not made.readings[1].any()


def test_a_net_without_mri_needs_no_image(net: TrainedNet, mesh: Path) -> None:
    alone = TrainedNet(ZNetWithoutMRI(3, 24).eval(), net.scaling)
    made = reconstruct_measured(alone, measured(14), measured(0), mesh, **KNOWN)
    phantoms = generate(RECIPE, 2)
    plain = alone.reconstruct(phantoms.signal)
    np.testing.assert_array_equal(alone.reconstruct(phantoms.signal, mri=phantoms.mri), plain)
    assert made.maps.shape == plain.shape[1:]
    with pytest.raises(ValueError, match="mri must be given: this znet is guided by it, got None"):
        net.reconstruct(phantoms.signal)


def test_what_the_net_never_learned_is_refused(net: TrainedNet, mesh: Path, tmp_path) -> None:
    both = measured(14), measured(0)
    image = np.ones((9, 9))
    plain = TrainedNet(ZNet(3, 24), net.scaling)
    with pytest.raises(ValueError, match="this znet was trained with all readings: data must have "
                       "those of 8 optodes at 661, 785, 852 nm, got 42 of 168"):  # fmt: skip
        reconstruct_measured(plain, *both, mesh, image=image, missing=[3], **KNOWN)
    other = TrainedNet(net.net, replace(net.scaling, recipe=replace(RECIPE, radius=33.0)))
    with pytest.raises(ValueError, match=r"learned them, 8 optodes on a circle of 33 mm: no turn"):
        reconstruct_measured(other, *both, mesh, image=image, **KNOWN)
    two = measured(14, (735, 808)), measured(0, (735, 808))
    with pytest.raises(ValueError, match="wavelengths that the net learned, 661, 785, 852 nm, got"):
        reconstruct_measured(net, *two, mesh, image=image, **KNOWN)
    with pytest.raises(ValueError, match="gray values above 0 in most of the tissue, got a median"):
        reconstruct_measured(net, *both, mesh, image=0 * image, **KNOWN)
    with pytest.raises(TypeError, match="net must be a TrainedNet, got None"):
        reconstruct_measured(None, *both, mesh)
    with pytest.raises(
        ValueError, match="numbers of optodes that its Readings has readings of, go"
    ):
        reconstruct_measured(net, *both, mesh, image=image, missing=[9], **KNOWN)
    with pytest.warns(UserWarning, match=r"other tissue than .*: hbo 30 \(8 to 20\)"):
        reconstruct_measured(
            net, *both, mesh, image=image, frequency=0, reference_tissue={**TISSUE, "hbo": 30.0}
        )


def test_a_net_of_the_triangular_interface(tmp_path: Path) -> None:
    """Learned on its outline; the files' triangle is turned by 100 degrees."""
    triangle, optodes = triangular_interface(60.0, 6.0)
    small = {"single_diameters": (10,), "pair_diameter": 8, "pair_distance": (3, 9)}
    recipe = PhantomRecipe(outline=(triangle, optodes), pixels=24, wavelengths=(661, 785), **small)
    phantoms = generate(recipe, 8)
    net = TrainedNet(Seen(), Scaling.of(phantoms.signal, recipe, "accurate"))
    places = turned(optodes, np.radians(100))
    write_mesh(Mesh(turned(triangle.nodes, np.radians(100)), triangle.elements), tmp_path / "t.npz")
    for end in ("source", "meas"):
        lines = [f"{i} {x:.9f} {y:.9f}" for i, (x, y) in enumerate(places, 1)]
        (tmp_path / f"t.{end}").write_text("num x y\n" + "\n".join(lines) + "\n")
    pairs = np.argwhere(~np.eye(16, dtype=bool))
    amplitude = np.ones((2, 240))
    both = Readings(np.array([661.0, 785.0]), pairs, amplitude, 0 * amplitude, amplitude > 0)
    made = reconstruct_measured(net, both, both, tmp_path / "t.npz", image=np.ones((9, 9)), **KNOWN)
    assert made.turned == pytest.approx(-100, abs=1e-6)
    assert made.off < 1e-6
    images, _ = made.pixels(30)
    assert np.mean(~np.isnan(images["hb"])) > 0.3
    with pytest.raises(ValueError, match="outline is None, it was trained with Outline"):
        net.scaling.check(RECIPE)


def test_optodes_are_found_by_turn_and_shift_alone() -> None:
    places = np.array([[0.0, 0], [10, 0], [0, 7], [4, 9]])
    moved = turned(places[[3, 0, 2]], 0.4) + SHIFT
    motion, numbers, off = placement.find(moved, places, 0.5)
    assert numbers.tolist() == [3, 0, 2]
    assert off < 1e-9
    assert motion.degrees == pytest.approx(-np.degrees(0.4))
    np.testing.assert_allclose(motion.back(motion.there(moved)), moved, atol=1e-12)
    mirrored = placement.find(places * [-1, 1], places, 0.5)
    assert mirrored[2] > 0.5


def test_the_command_on_measured_files(
    lesionkit_data: Path, znet_run: Path, tmp_path, capsys
) -> None:
    """The disc of NIRFAST, turned by half a step, by a net that learned two of its wavelengths in
    part: 661 of the two, so that the plain net refuses."""
    folder = lesionkit_data / "data/nirst/nirfast_circle_spec"
    asked = ["reconstruct", str(folder / "anom.paa"), "--reference", str(folder / "homog.paa")]
    asked += ["--method", "znet", "--net", str(znet_run), "--out", str(tmp_path / "out")]
    assert cli.main(asked) == 2
    assert "needs an image, --mri" in capsys.readouterr().err
    np.save(tmp_path / "flat.npy", np.ones((8, 8)))
    assert cli.main([*asked, "--mri", str(tmp_path / "flat.npy")]) == 2
    assert "was trained with all readings" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert load(znet_run).accuracy == "fast"
