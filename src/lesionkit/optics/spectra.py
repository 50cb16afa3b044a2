"""Absorption and scattering of tissue at the wavelengths of the NIRST system.

Absorption is a sum over chromophores, mua = sum_k epsilon_k c_k; reduced scattering follows the
power law mus' = a (lambda / 1000 nm)^-b. Extinction coefficients are known at nine wavelengths only
(Feng et al., Optica 9(3), 2022), and nothing is interpolated between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from lesionkit import arrays

WAVELENGTHS = (661, 735, 785, 808, 826, 852, 903, 912, 948)
"""The nine wavelengths, nm."""

ROUNDING = 1e-10  # per cent by which means of 100 may lie above it

CHROMOPHORES = ("hbo", "hb", "water")
"""The columns of every table."""


def _table(rows: list[list[float]] | list[float]) -> np.ndarray:
    table = np.array(rows)
    table.flags.writeable = False
    return table


# Prahl's molar extinction of haemoglobin (omlc.org, from Gratzer and Kollias), HbO and Hb in
# 1/(cm M), linear between its even wavelengths; times ln 10 = 2.303 and 1e-4 it is in 1/(mm mM).
# The water column is Segelstein's (1981), 1/mm, linear between his wavelengths.
_PRAHL = [
    [316.8, 3183.42, 0.0003690],
    [413.2, 1101.98, 0.0023063],
    [735.4, 977.04, 0.0021429],
    [856.0, 723.52, 0.0020446],
    [956.4, 693.32, 0.0028793],
    [1062.0, 691.08, 0.0044840],
    [1204.0, 766.24, 0.0069689],
    [1216.4, 776.92, 0.0085379],
    [1207.2, 621.64, 0.0367344],
]

# excoef.txt of NIRFAST (nirfast-admin/NIRFAST, commit 9bbb66a4, 2018). Its haemoglobin is Prahl's,
# its water is its own (10 % below Segelstein's at 735 and 912 nm, within 4 % elsewhere).
_NIRFAST = [
    [0.07295904, 0.73314163, 0.0003650],
    [0.09515996, 0.25378599, 0.0020860],
    [0.16936262, 0.22501231, 0.0022105],
    [0.19713680, 0.16662666, 0.0019700],
    [0.22025892, 0.15967160, 0.0028420],
    [0.24457860, 0.15915572, 0.0044090],
    [0.27728120, 0.17646507, 0.0068745],
    [0.28013692, 0.17892468, 0.0076440],
    [0.27801816, 0.14316369, 0.0371430],
]

EXTINCTION: Mapping[str, np.ndarray] = MappingProxyType(
    {
        "nirfast": _table(_NIRFAST),
        "prahl": _table([[2.303e-4 * hbo, 2.303e-4 * hb, w] for hbo, hb, w in _PRAHL]),
    }
)
"""(9, 3) float64 for each table, rows as WAVELENGTHS, columns as CHROMOPHORES.

HbO and Hb in 1/(mm mM), water in 1/mm when pure. "nirfast": NIRFAST's excoef.txt; "prahl": Prahl's
haemoglobin with Segelstein's water.
"""


# Mammalian (pig) fat, by time- and spatially resolved diffuse spectroscopy: van Veen, Sterenborg,
# Pifferi, Torricelli and Cubeddu, OSA Biomedical Topical Meeting 2004, as tabled at omlc.org
# (spectra/fat/fat.txt) in 1/m at whole nanometres; here in 1/mm.
_FAT = [0.414, 0.576, 0.357, 0.497, 0.786, 0.632, 5.078, 7.837, 4.445]

LIPID = _table([1e-3 * per_metre for per_metre in _FAT])
"""(9,) float64 at WAVELENGTHS: absorption of pure lipid in 1/mm, by van Veen et al. (2004)."""


def lipid(wavelength: Any) -> np.ndarray:
    """Absorption of pure lipid.

    Parameters
    ----------
    wavelength : array_like
        nm, any shape, each one of WAVELENGTHS.

    Returns
    -------
    array of float64, of the shape of `wavelength`
        1/mm, from LIPID.

    Raises
    ------
    ValueError
        For another wavelength.
    TypeError
        For what are no numbers.

    References
    ----------
    van Veen et al., OSA Biomedical Topical Meeting, 2004.

    Examples
    --------
    >>> from lesionkit.optics import spectra
    >>> spectra.lipid([785, 912]).tolist()
    [0.000357, 0.007837]
    """
    values: np.ndarray = np.take(LIPID, _places(wavelength))
    return values


def extinction(wavelength: Any, table: str = "nirfast") -> np.ndarray:
    """Extinction coefficients of HbO, Hb and water.

    Parameters
    ----------
    wavelength : array_like
        nm, any shape, each one of WAVELENGTHS.
    table : {"nirfast", "prahl"}, default "nirfast"
        See EXTINCTION.

    Returns
    -------
    (*wavelength.shape, 3) array of float64
        HbO and Hb in 1/(mm mM), pure water in 1/mm.

    Raises
    ------
    ValueError
        For another wavelength, or an unknown table.
    TypeError
        For what are no numbers.

    References
    ----------
    EXTINCTION names the tables' origin.

    Examples
    --------
    >>> from lesionkit.optics import spectra
    >>> spectra.extinction(785).round(4).tolist()
    [0.1694, 0.225, 0.0022]
    """
    if not isinstance(table, str) or table not in EXTINCTION:
        known = " or ".join(repr(name) for name in EXTINCTION)
        raise ValueError(f"table must be {known}, got {arrays.describe(table)}")
    rows: np.ndarray = np.take(EXTINCTION[table], _places(wavelength), axis=0)
    return rows


def _places(wavelength: Any) -> np.ndarray:
    """Which of WAVELENGTHS each is."""
    nm = _real(wavelength, "wavelength")
    same = nm[..., None] == np.array(WAVELENGTHS)
    unknown = nm[~same.any(axis=-1)]
    if unknown.size:
        raise ValueError(
            f"wavelength must be one of {', '.join(map(str, WAVELENGTHS))} nm, got {unknown[0]:g}"
        )
    places: np.ndarray = same.argmax(axis=-1)
    return places


def absorption(
    wavelength: Any, hbo: Any, hb: Any, water: Any, table: str = "nirfast"
) -> np.ndarray:
    """Absorption coefficient mua of tissue.

    Parameters
    ----------
    wavelength : array_like
        nm, any shape, each one of WAVELENGTHS.
    hbo, hb : array_like
        Concentrations of oxy- and deoxyhaemoglobin, micromolar, not negative.
    water : array_like
        Water content in per cent, 0 to 100.
    table : {"nirfast", "prahl"}, default "nirfast"
        See EXTINCTION.

    Returns
    -------
    array
        mm^-1. Its shape is wavelength.shape + the shape to which hbo, hb and water broadcast: every
        wavelength at every place. float32 if the concentrations are, else float64.

    Raises
    ------
    ValueError
        Out of range, not finite, or shapes that do not broadcast.
    TypeError
        For what are no numbers.

    Examples
    --------
    >>> from lesionkit.optics import spectra
    >>> spectra.absorption([661, 852], [10, 30], 5, 40).round(4).tolist()
    [[0.0045, 0.006], [0.005, 0.0099]]
    """
    coefficients = extinction(wavelength, table)
    given = {"hbo": hbo, "hb": hb, "water": water}
    amounts = {}
    for name, value in given.items():
        amounts[name] = amount = _real(value, name)
        low, high = amount.min(initial=0), amount.max(initial=0)
        if low < 0:
            raise ValueError(f"{name} must not be negative, got {low:g}")
        if name == "water" and high > 100 + ROUNDING:
            raise ValueError(f"water must be in per cent, at most 100, got {high:g}")
    try:
        shape = np.broadcast_shapes(*(amount.shape for amount in amounts.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {amount.shape}" for name, amount in amounts.items())
        raise ValueError(f"hbo, hb and water must broadcast together, got {shapes}") from None
    places = (..., *(None,) * len(shape), slice(None))
    mua = mixed_absorption(coefficients[places], *amounts.values())
    mua = _cast(mua, _dtype(*given.values()))
    return np.asarray(_finite(mua, "hbo, hb and water", "mua"))


def _reals(**values: Any) -> list[Any]:
    """The values as arrays or scalars of real numbers, where they live; else TypeError."""
    reals = []
    for name, value in values.items():
        on_gpu = hasattr(value, "__cuda_array_interface__")
        reals.append(value if on_gpu else arrays.numbers(value, name, kinds="fiu"))
    try:
        np.broadcast_shapes(*(array.shape for array in reals))
    except ValueError:
        shapes = ", ".join(f"{name} {np.shape(value)}" for name, value in values.items())
        raise ValueError(f"{', '.join(values)} must broadcast together, got {shapes}") from None
    return reals


def mixed_absorption(coefficients: Any, hbo: Any, hb: Any, water: Any) -> Any:
    """mua of arrays of NumPy or CuPy; ranges are not checked (see :func:`absorption`).

    Parameters
    ----------
    coefficients : (..., 3) array
        As from :func:`extinction`.
    hbo, hb : array
        Micromolar; broadcast against coefficients[..., 0].
    water : array
        Per cent.

    Returns
    -------
    array
        mm^-1.

    Raises
    ------
    ValueError
        Where shapes do not broadcast, or (in NumPy) the answer is not finite.
    TypeError
        For what are no numbers.

    Examples
    --------
    >>> from lesionkit.optics import spectra
    >>> round(float(spectra.mixed_absorption(spectra.extinction(785), 10.0, 5.0, 40.0)), 5)
    0.0037
    """
    (coefficients,) = _reals(coefficients=coefficients)
    if coefficients.shape[-1:] != (3,):
        raise ValueError(
            f"coefficients must have shape (..., 3), got {arrays.describe(coefficients)}"
        )
    _, hbo, hb, water = _reals(coefficients=coefficients[..., 0], hbo=hbo, hb=hb, water=water)
    millimolar, fraction = 1e-3, 1e-2
    with np.errstate(over="ignore", invalid="ignore"):
        mua = (
            coefficients[..., 0] * (millimolar * hbo)
            + coefficients[..., 1] * (millimolar * hb)
            + coefficients[..., 2] * (fraction * water)
        )
    return _finite(mua, "coefficients, hbo, hb and water", "mua")


def power_law(wavelength: Any, amplitude: Any, power: Any) -> Any:
    """mus' of arrays of NumPy or CuPy; ranges are not checked (see :func:`scattering`).

    Parameters
    ----------
    wavelength : array
        nm.
    amplitude : array
        mus' at 1000 nm, mm^-1.
    power : array
        No unit.

    Returns
    -------
    array
        mm^-1, of the shape to which all broadcast.

    Raises
    ------
    ValueError
        Where shapes do not broadcast, or (in NumPy) the answer is not finite.
    TypeError
        For what are no numbers.

    Examples
    --------
    >>> from lesionkit.optics import spectra
    >>> float(spectra.power_law(500, 1.0, 1.0))
    2.0
    """
    wavelength, amplitude, power = _reals(wavelength=wavelength, amplitude=amplitude, power=power)
    with np.errstate(all="ignore"):
        mus = amplitude * (wavelength / 1000) ** -(1.0 * power)
    return _finite(mus, "wavelength, amplitude and power", "mus'")


def _cast(value: Any, dtype: type[np.floating]) -> np.ndarray:
    """As an array of that dtype, infinite where it does not hold a number."""
    with np.errstate(over="ignore"):
        return np.asarray(value, dtype=dtype)


def _finite(value: Any, names: str, of: str) -> Any:
    """The value, which NumPy has made of what is named; ValueError where it is not finite."""
    if isinstance(value, (np.ndarray, np.generic)) and not np.isfinite(value).all():
        bad = np.asarray(value)[~np.isfinite(value)].flat[0]
        raise ValueError(f"{names} must give a finite {of}, got {bad:g}")
    return value


def scattering(wavelength: Any, amplitude: Any, power: Any) -> np.ndarray:
    """Reduced scattering coefficient mus' = amplitude (wavelength / 1000 nm)^-power.

    Parameters
    ----------
    wavelength : array_like
        nm, any shape, above 0.
    amplitude : array_like
        mus' at 1000 nm, mm^-1, above 0.
    power : array_like
        Scattering power, no unit; breast about 0.5 to 1.5.

    Returns
    -------
    array
        mm^-1. Its shape is wavelength.shape + the shape to which amplitude and power broadcast;
        float32 if both are, else float64.

    Raises
    ------
    ValueError
        Out of range, not finite, or shapes that do not broadcast.
    TypeError
        For what are no numbers.

    Examples
    --------
    >>> from lesionkit.optics import spectra
    >>> spectra.scattering([500, 1000], 1.2, 1.0).tolist()
    [2.4, 1.2]
    """
    nm, a, b = _real(wavelength, "wavelength"), _real(amplitude, "amplitude"), _real(power, "power")
    for name, value in (("wavelength", nm), ("amplitude", a)):
        if value.min(initial=1) <= 0:
            raise ValueError(f"{name} must be above 0, got {value.min():g}")
    try:
        shape = np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise ValueError(
            f"amplitude and power must broadcast together, got {a.shape} and {b.shape}"
        ) from None
    mus = power_law(nm[(..., *(None,) * len(shape))], a, b)
    mus = _cast(mus, _dtype(amplitude, power))
    return np.asarray(_finite(mus, "wavelength, amplitude and power", "mus'"))


def _real(value: Any, name: str) -> np.ndarray:
    """Checked and float64, of the shape that came (a number has the shape ())."""
    array: np.ndarray = arrays.real(value, name, ("...",)).reshape(np.shape(value))
    return array


def _dtype(*values: Any) -> type[np.floating]:
    """float32 where the arrays among `values` ask for no more, else float64."""
    kinds = [v if isinstance(v, (int, float)) else np.asarray(v).dtype for v in values]
    return np.float32 if np.result_type(*kinds) == np.float32 else np.float64
