"""Masks, sigmas, Huber's norm, lipid, and bounds that survive rounding, in `reconstruct`."""

from __future__ import annotations

import numpy as np
import pytest

from lesionkit.optics import ForwardModel, reconstruct, spectra
from lesionkit.optics.reconstruction.homogeneous import fit
from lesionkit.optics.reconstruction.problem import checked_problem
from reconstruct_cases import NM, PAIRS, TISSUE_OF_REFERENCE, noiseless, readings, run, scene

AT = [[7.0, 3]]


def hbo(found) -> float:
    return float(found.at(AT)["hbo"].ravel()[0])


@pytest.mark.parametrize("frequency", [0.0, 1e8])
def test_what_is_left_out_has_no_say(frequency: float) -> None:
    signal = noiseless(frequency)[1]
    mask = np.ones(signal.shape[1:], bool)
    mask[2, 20] = mask[0, 3] = False
    spoilt = [np.where(mask, signal, bad) for bad in (np.nan, 50 * signal, -1.0)]
    one, *others = (run(frequency, signal=x, mask=mask) for x in spoilt)
    for other in others:
        for name in one.maps:
            np.testing.assert_array_equal(one.maps[name], other.maps[name])
    np.testing.assert_array_equal(one.counted[0], mask)
    assert hbo(one) == pytest.approx(hbo(run(frequency)), rel=0.05)
    certain = run(
        frequency, sigma=np.where(mask, 1.0, 1e6), signal=np.where(mask, signal, signal * 9)
    )
    assert hbo(certain) == pytest.approx(hbo(one), rel=1e-3)


def test_all_alike_is_least_squares() -> None:
    plain = run()
    for options in ({"mask": np.ones((4, 56), bool)}, {"sigma": np.full((4, 56), 3.0)}):
        found = run(**options)
        for name in plain.maps:
            np.testing.assert_allclose(found.maps[name], plain.maps[name], rtol=1e-9)
        np.testing.assert_allclose(found.residuals, plain.residuals, rtol=1e-6)
        np.testing.assert_array_equal(found.counted, 1)
    assert plain.counted is None


@pytest.mark.parametrize("frequency", [0.0, 1e8])
def test_outliers_lead_nowhere(frequency: float) -> None:
    signal = noiseless(frequency)[1] * np.random.default_rng(1).normal(1, 0.01, (1, 4, 56))
    wild = signal.copy()
    wild[0, 2, 20] *= 50
    wild[0, 1, 7] /= 30
    clean, spoilt = (run(frequency, signal=x, robust=1.345) for x in (signal, wild))
    assert hbo(spoilt) == pytest.approx(hbo(clean), rel=0.03)
    assert abs(hbo(run(frequency, signal=wild)) / hbo(clean) - 1) > 0.2
    few = np.argwhere(spoilt.counted[0] < 0.05)
    np.testing.assert_array_equal(few, [[1, 7], [2, 20]])
    assert clean.counted.min() > 0.2


def test_a_mask_for_each_phantom() -> None:
    signal = np.repeat(noiseless()[1], 2, axis=0)
    mask = np.ones(signal.shape, bool)
    mask[1, :, ::5] = False
    both = run(signal=signal, mask=mask, robust=2.0)
    for i in range(2):
        alone = run(signal=signal[i : i + 1], mask=mask[i : i + 1], robust=2.0)
        np.testing.assert_array_equal(both.maps["hbo"][i], alone.maps["hbo"][0])


def test_lipid_beside_the_others() -> None:
    model, basis = scene()
    nm = (661, 735, 785, 852, 912, 948)
    table = np.column_stack([spectra.extinction(nm), spectra.lipid(nm)])

    def signal(lipid):
        amounts = np.array([14e-3, 7e-3, 0.35])
        fine = basis.elements @ np.broadcast_to(lipid, len(basis))
        mua = (table[:, :3] @ amounts)[:, None] + table[:, 3:] * fine / 100
        mus = np.repeat(spectra.scattering(nm, 1.0, 1.0)[:, None], mua.shape[1], 1)
        return model.measure(mua, mus, "elements")[:, PAIRS[:, 0], PAIRS[:, 1]]

    lump = 30 * (1 + np.exp(-np.square((basis.points - [7, 3]) / 6).sum(axis=1)))
    known = {**TISSUE_OF_REFERENCE, "lipid": 30.0}
    maps = ("hbo", "hb", "water", "lipid")
    for extinction in ("nirfast", table):
        found = reconstruct(
            model, signal(lump), signal(30.0), known, nm, basis, pairs=PAIRS, maps=maps,
            regularisation=1e-6, extinction=extinction,
        )  # fmt: skip
        np.testing.assert_allclose(found.maps["lipid"], lump, rtol=0.05)
        assert found.homogeneous["lipid"] > 30
    with pytest.raises(ValueError, match=r"extinction must have shape \(6, 4\)"):
        reconstruct(
            model, signal(lump), signal(30.0), known, nm, basis, pairs=PAIRS,
            extinction=table[:, :3],
        )  # fmt: skip


def test_all_water_is_not_more() -> None:
    """A fit, a map, and a mean of maps that end at 100 per cent are taken where they go on."""
    model, basis = scene()
    wet = {**TISSUE_OF_REFERENCE, "water": 100.0}
    problem, known = checked_problem(model, wet, NM, basis, PAIRS, ("water",), "nirfast")
    data = np.log(readings(model, basis, {**wet, "hbo": 40.0}))
    found = fit(problem, data, known)
    assert found[0, 2] <= 100
    again = reconstruct(
        model, np.exp(data), np.exp(data[0]), dict(zip(problem.contents, found[0], strict=True)),
        NM, basis, pairs=PAIRS,
    )  # fmt: skip
    assert again.maps["water"].max() <= 100
    water = again.at(basis.mesh.nodes)["water"]
    spectra.absorption(661, 1.0, 1.0, water)  # which refuses more


SIGNAL = noiseless()[1]
NONE = np.zeros((4, 56), bool)
TWO = NONE.copy()
TWO[:2] = True


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        ({"mask": np.ones((4, 55), bool)}, ValueError, r"mask must be booleans of shape \(4, 56\)"),
        ({"mask": np.ones((4, 56))}, ValueError, "mask must be booleans of shape"),
        ({"mask": NONE}, ValueError, "mask must leave readings of at least .* 3, got 0"),
        ({"mask": TWO}, ValueError, "mask must leave readings of at least .* 3, got 2"),
        ({"mask": np.ma.masked_array(~NONE, TWO)}, ValueError, "mask has masked entries"),
        ({"sigma": np.ones(4)}, ValueError, r"sigma must have shape \(4, 56\)"),
        ({"sigma": np.zeros((4, 56))}, ValueError, "sigma must be above 0, got 0"),
        ({"robust": -1.0}, ValueError, "robust must be a finite number above 0"),
        ({"robust": True}, TypeError, "robust must be a finite number above 0"),
        ({"maps": ("lipid",)}, ValueError, r"\(lipid, where reference_tissue says it\)"),
        ({"signal": SIGNAL * 1e300 * 1e9}, ValueError, "signal and reference must be of sizes"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_sentence(change, kind, sentence) -> None:
    with pytest.raises(kind, match=sentence):
        run(**change)


def test_units_of_no_tissue_and_frequencies_in_megahertz() -> None:
    model, _ = scene()
    count = len(model.mesh.nodes)
    for mua, mus, doubt in ((0.1, 10.0, "cm"), (0.15, 1.0, "cm"), (1.0, 0.01, "swapped")):
        with pytest.warns(UserWarning, match=f"as of no tissue.*{doubt}"):
            model.measure(np.full(count, mua), np.full(count, mus))
    with pytest.raises(ValueError, match=r"^frequency must be 0, or 1e\+06 to 1e\+10 Hz, got 100$"):
        ForwardModel(model.mesh, model.sources, model.detectors, frequency=100)
