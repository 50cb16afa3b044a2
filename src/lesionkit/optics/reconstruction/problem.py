"""What all phantoms of a reconstruction share: checked, in words, before any work."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.optics import spectra
from lesionkit.optics.forward.model import ForwardModel
from lesionkit.optics.reconstruction import spectral
from lesionkit.optics.reconstruction.basis import GridBasis
from lesionkit.optics.reconstruction.spectral import MAX_POWER, TISSUE

Floats = npt.NDArray[np.float64]

WITH_LIPID = (*TISSUE[:3], "lipid", *TISSUE[3:])
MAX_TISSUE = {"water": 100.0, "lipid": 100.0}
MAX_EXTINCTION = 1.4  # 1/(mm mM) of HbO and Hb together, from 650 nm
_TO_MM = np.array([1e-3, 1e-3, 1e-2, 1e-2])  # per mM and 1, to per micromolar and per cent


def checked_problem(
    model: Any,
    reference_tissue: Any,
    wavelengths: Any,
    basis: Any,
    pairs: Any,
    maps: Any,
    extinction: Any,
) -> tuple[spectral.Problem, Floats]:
    """What all phantoms share, checked, and the reference's tissue (contents,)."""
    if not isinstance(model, ForwardModel):
        raise TypeError(f"model must be a ForwardModel, got {arrays.describe(model)}")
    if model.compat is not None:
        raise ValueError(f"model must be without compat, got {model.compat!r}")
    if not isinstance(basis, GridBasis):
        raise TypeError(f"basis must be a GridBasis, got {arrays.describe(basis)}")
    if basis.mesh is not model.mesh:
        raise ValueError(f"basis must lie over the model's mesh {model.mesh!r}, got {basis!r}")
    nm = arrays.real(wavelengths, "wavelengths", ("wavelengths",), "nm", above=0)
    if not len(nm) or len(np.unique(nm)) < len(nm):
        raise ValueError(
            f"wavelengths must be one or more that differ from each other, got {nm.tolist()}"
        )
    if not isinstance(reference_tissue, Mapping) or set(reference_tissue) not in (
        set(TISSUE),
        set(WITH_LIPID),
    ):
        raise ValueError(
            f"reference_tissue must say {', '.join(TISSUE)}, and may say lipid, got "
            f"{reference_tissue!r}"
        )
    contents = WITH_LIPID if "lipid" in reference_tissue else TISSUE
    chromophores = len(contents) - 2
    if isinstance(extinction, str):
        coefficients = _known_extinction(nm, extinction, chromophores)
    else:
        coefficients = arrays.real(extinction, "extinction", (len(nm), chromophores), at_least=0)
        _warn_of_units(nm, coefficients)
    listed = isinstance(maps, Iterable) and not isinstance(maps, str)
    names = [*maps] if listed else []
    if not names or any(not isinstance(n, str) or n not in contents[:-1] for n in names):
        lipid = "" if "lipid" in contents else " (lipid, where reference_tissue says it)"
        raise ValueError(
            f"maps must be one or more of {', '.join(contents[:-1])}{lipid}, got {maps!r}"
        )
    chosen = tuple(name for name in contents if name in names)
    separable = len(set(chosen) - {"amplitude"})
    if len(nm) < separable:
        raise ValueError(
            f"wavelengths must be at least as many as the chromophores of maps, {separable}, to "
            f"tell them apart, got {nm.tolist()}; choose fewer maps"
        )
    known = [
        arrays.number(
            reference_tissue[name],
            f"reference_tissue[{name!r}]",
            above=None if name == "power" else 0.0,
            at_least=-MAX_POWER if name == "power" else None,
            at_most=MAX_POWER if name == "power" else MAX_TISSUE.get(name),
        )
        for name in contents
    ]
    sources, detectors = len(model.sources), len(model.detectors)
    if pairs is None:
        places = np.arange(sources * detectors)
    else:
        table = np.asarray(pairs)
        if table.dtype.kind not in "iu" or table.ndim != 2 or table.shape[1] != 2 or not len(table):
            raise ValueError(
                "pairs must be whole numbers of shape (pairs, 2), source and detector of each "
                f"reading, got {arrays.describe(pairs)}"
            )
        if (table < 0).any() or (table >= (sources, detectors)).any():
            raise ValueError(
                f"pairs must count {sources} sources and {detectors} detectors from 0, got "
                f"{table.min(axis=0).tolist()} to {table.max(axis=0).tolist()}"
            )
        places = (table[:, 0] * detectors + table[:, 1]).astype(np.intp)
    problem = spectral.Problem(
        model,
        basis.nodes if model.mesh.solid else basis.elements,
        places,
        coefficients * _TO_MM[:chromophores],
        nm,
        chosen,
        contents,
    )
    return problem, np.array(known)


def _warn_of_units(nm: Floats, coefficients: Floats) -> None:
    """Warn where haemoglobin is not as dark as it is, in 1/(mm mM)."""
    both = coefficients[(nm >= 650) & (nm <= 1000), :2].sum(axis=1)  # 0.3 to 1 there
    if len(both) and not (both.max() < MAX_EXTINCTION and both.min() > 0.1):
        warnings.warn(
            f"HbO and Hb take {both.min():.3g} to {both.max():.3g} 1/(mm mM) in extinction, where "
            "they take 0.3 to 1: are they in 1/(cm mM)?",
            stacklevel=4,
        )


def _known_extinction(nm: Floats, table: str, chromophores: int) -> Floats:
    try:
        known = spectra.extinction(nm, table)
        return known if chromophores == 3 else np.column_stack([known, spectra.lipid(nm)])
    except ValueError as problem:
        if "wavelength" not in str(problem):
            raise
        raise ValueError(
            f"{problem}; for others give extinction as an array (wavelengths, {chromophores})"
        ) from problem
