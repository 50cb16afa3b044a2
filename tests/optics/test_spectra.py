"""Spectra of tissue: the tables, the sums, the shapes, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionkit.optics import spectra

# Two or three products and sums in float64.
ROUNDING = 1e-14
# The printed tables have seven decimals for water and six for haemoglobin.
PRINTED_WATER, PRINTED_HB = 5.1e-8, 5.1e-7
TISSUE = (12.0, 6.0, 30.0)  # HbO and Hb in micromolar, water in per cent

wavelengths = st.sampled_from(spectra.WAVELENGTHS)
amounts = st.floats(0, 100)


@pytest.fixture(scope="module")
def case():
    with np.load(Path(__file__).parents[1] / "data" / "nirfast_coarse.npz") as stored:
        return dict(stored)


# --- known answers -------------------------------------------------------------------------------


def test_nirfast_table(case):
    np.testing.assert_array_equal(spectra.extinction(case["wavelengths"]), case["excoef"])


def test_nirfast_maps(case):
    hbo, hb, water = case["conc"].T  # mM, mM, fraction
    mua = spectra.absorption(case["wavelengths"], 1e3 * hbo, 1e3 * hb, 100 * water)
    mus = spectra.scattering(case["wavelengths"], case["scat_a"], case["scat_b"])
    np.testing.assert_allclose(mua, case["mua_spectral"].T, rtol=ROUNDING)
    np.testing.assert_allclose(mus, case["mus_spectral"].T, rtol=ROUNDING)


def test_prahl_table():
    table = spectra.extinction([661, 808, 948], "prahl")
    haemoglobin = [[0.072959, 0.733142], [0.197137, 0.166627], [0.278018, 0.143164]]
    np.testing.assert_allclose(table[:, :2], haemoglobin, rtol=0, atol=PRINTED_HB)
    water = [0.0003690, 0.0020446, 0.0367344]
    np.testing.assert_allclose(table[:, 2], water, rtol=0, atol=PRINTED_WATER)


def test_the_tables_share_their_haemoglobin_and_not_their_water():
    nirfast, prahl = spectra.EXTINCTION["nirfast"], spectra.EXTINCTION["prahl"]
    np.testing.assert_allclose(nirfast[:, :2], prahl[:, :2], rtol=0, atol=PRINTED_HB)
    ratio = nirfast[:, 2] / prahl[:, 2]
    far = np.isin(spectra.WAVELENGTHS, [735, 912])
    assert np.all(np.abs(ratio[far] - 0.9) < 0.01)
    assert np.all(np.abs(ratio[~far] - 1) < 0.04)


def test_isosbestic_point():
    """Near 800 nm both haemoglobins absorb alike: HbO overtakes Hb between 785 and 808 nm."""
    hbo, hb, _ = spectra.EXTINCTION["prahl"].T
    assert [*(hbo > hb)] == [False] * 3 + [True] * 6


# --- slow reference ------------------------------------------------------------------------------


@given(wavelengths, amounts, amounts, amounts, st.sampled_from(list(spectra.EXTINCTION)))
def test_absorption_is_the_sum_over_chromophores(nm, hbo, hb, water, table):
    row = spectra.EXTINCTION[table][spectra.WAVELENGTHS.index(nm)]
    expected = row[0] * hbo / 1000 + row[1] * hb / 1000 + row[2] * water / 100
    mua = spectra.absorption(nm, hbo, hb, water, table)
    assert mua.shape == ()
    assert mua == pytest.approx(expected, rel=ROUNDING)


@given(wavelengths, st.floats(0.1, 3), st.floats(0, 3))
def test_scattering_is_the_power_law(nm, amplitude, power):
    expected = amplitude * (nm / 1000) ** (-power)
    assert spectra.scattering(nm, amplitude, power) == pytest.approx(expected, rel=ROUNDING)


# --- properties ----------------------------------------------------------------------------------


def test_every_wavelength_at_every_place():
    hbo = np.linspace(5, 20, 12).reshape(3, 4)
    mua = spectra.absorption(np.reshape(spectra.WAVELENGTHS, (9, 1)), hbo, hbo[0], 40)
    assert mua.shape == (9, 1, 3, 4)
    assert mua[5, 0, 1, 2] == spectra.absorption(852, hbo[1, 2], hbo[0, 2], 40)
    mus = spectra.scattering(spectra.WAVELENGTHS, hbo, 1.0)
    assert mus.shape == (9, 3, 4)
    assert spectra.absorption(661, np.zeros((0, 2)), 1, 1).shape == (0, 2)


def test_float32_stays_float32():
    hbo = np.full(3, 12, dtype=np.float32)
    assert spectra.absorption(661, hbo, 6.0, 30).dtype == np.float32
    assert spectra.scattering(661, hbo, 1.0).dtype == np.float32
    assert spectra.absorption(661, hbo, np.float64(6), 30).dtype == np.float64
    assert spectra.absorption(661, [12], [6], [30]).dtype == np.float64


def test_tables_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        spectra.EXTINCTION["nirfast"][0] = 0
    with pytest.raises(TypeError):
        spectra.EXTINCTION["mine"] = np.zeros((9, 3))
    spectra.extinction(661)[:] = 0
    assert spectra.extinction(661).all()


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((700, *TISSUE), r"wavelength must be one of 661, .*, 948 nm, got 700"),
        (([661, 661.5], *TISSUE), "got 661.5"),
        ((661, -1, 6, 30), "hbo must not be negative, got -1"),
        ((661, 12, [1, -0.5], 30), "hb must not be negative, got -0.5"),
        ((661, 12, 6, -1), "water must not be negative, got -1"),
        ((661, 12, 6, 101), "water must be in per cent, at most 100, got 101"),
        ((661, np.nan, 6, 30), "hbo must be finite"),
        ((661, 12, 6, np.inf), "water must be finite"),
        ((np.nan, *TISSUE), "wavelength must be finite"),
        ((661, np.ones(3), np.ones(4), 30), r"hbo, hb and water must broadcast together, got hbo"),
        ((661, *TISSUE, "hale"), "table must be 'nirfast' or 'prahl', got str 'hale'"),
        ((661, *TISSUE, ["nirfast"]), "table must be 'nirfast' or 'prahl', got list"),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        spectra.absorption(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1, 1), "wavelength must be above 0, got 0"),
        ((661, 0, 1), "amplitude must be above 0, got 0"),
        ((661, 1, np.nan), "power must be finite"),
        ((661, np.ones(3), np.ones(4)), "amplitude and power must broadcast together"),
    ],
)
def test_scattering_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        spectra.scattering(*arguments)


@pytest.mark.parametrize("value", ["12", None, 1j, True])
def test_no_number(value):
    with pytest.raises(TypeError, match="hbo must"):
        spectra.absorption(661, value, 6, 30)


def test_lipid_is_the_published_table():
    """van Veen et al., 2004: the peak at 930 nm stands between 912 and 948, low at 785."""
    np.testing.assert_array_equal(spectra.lipid(spectra.WAVELENGTHS), spectra.LIPID)
    assert spectra.lipid([[661, 912]]).shape == (1, 2)
    assert spectra.lipid(912) == pytest.approx(7.837e-3)
    assert spectra.LIPID.argmin() == spectra.WAVELENGTHS.index(785)
    with pytest.raises(ValueError, match="wavelength must be one of"):
        spectra.lipid(930)


def test_words_are_no_numbers():
    for name in ("wavelength", "amplitude", "power"):
        given = {"wavelength": 661.0, "amplitude": 1.0, "power": 1.0, name: np.array(["a"])}
        with pytest.raises(TypeError, match=f"{name} must hold real numbers"):
            spectra.power_law(**given)


def test_formulas_refuse_what_gives_no_finite_numbers():
    for wrong in ({"wavelength": 0.0}, {"wavelength": -661.0, "power": 0.5}, {"amplitude": 1e308}):
        arguments = {"wavelength": 10.0, "amplitude": 1.0, "power": 1.5, **wrong}
        with pytest.raises(ValueError, match="wavelength, amplitude and power must give a finite"):
            spectra.power_law(**arguments)
    with pytest.raises(ValueError, match="must give a finite mus'"):
        spectra.scattering(661, 1e308, 9.0)
    table = spectra.extinction(661)
    with pytest.raises(ValueError, match="must give a finite mua"):
        spectra.mixed_absorption(table * 1e300, 1e300, 1.0, 1.0)
    with pytest.raises(ValueError, match=r"coefficients must have shape \(..., 3\), got .*2"):
        spectra.mixed_absorption(table[:2], 1.0, 1.0, 1.0)
    with pytest.raises(TypeError, match="coefficients must hold real numbers"):
        spectra.mixed_absorption(table.astype(object), 1.0, 1.0, 1.0)


def test_a_power_of_unsigned_integers_is_not_wrapped():
    assert spectra.power_law(500.0, 2.0, np.uint8(2)) == 8.0


def test_what_float32_does_not_hold_is_refused():
    with pytest.raises(ValueError, match="hbo, hb and water must give a finite mua"):
        spectra.absorption(661, np.float32(1e38), 1e308, np.float32(3))
    with pytest.raises(TypeError, match="amplitude must hold real numbers, got"):
        spectra.power_law(661.0, torch_like(), 1.0)


def torch_like():
    torch = pytest.importorskip("torch", reason="torch comes with lesionkit[nets]")
    return torch.ones(2, requires_grad=False) * 1j
