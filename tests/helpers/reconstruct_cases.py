"""A disc of 8 optodes with lumps in it, and its readings: for tests of `reconstruct`."""

from __future__ import annotations

import functools

import numpy as np

from lesionkit.optics import ForwardModel, GridBasis, disc_mesh, reconstruct, spectra
from lesionkit.optics.reconstruction.spectral import TISSUE

NM = (661, 785, 852, 948)
TISSUE_OF_REFERENCE = {"hbo": 14.0, "hb": 7.0, "water": 35.0, "amplitude": 1.0, "power": 1.0}
PAIRS = np.argwhere(~np.eye(8, dtype=bool))


@functools.cache
def scene(frequency=0.0, spacing=9.0):
    mesh = disc_mesh(radius=20.0, nodes=817, optodes=8)
    angle = np.arange(8) * np.pi / 4
    rim = 20 * np.column_stack([np.cos(angle), np.sin(angle)])
    return ForwardModel(mesh, rim, rim, frequency=frequency), GridBasis(mesh, spacing)


def readings(model, basis, tissue):
    """(n, wavelengths, pairs) for coefficients: tissue[name] (n, k) or a number."""
    hbo, hb, water, amplitude = (
        (basis.elements @ np.broadcast_to(tissue[name], (1, len(basis))).T).T for name in TISSUE[:4]
    )
    mua = spectra.absorption(NM, hbo[0], hb[0], water[0])
    mus = spectra.scattering(NM, amplitude[0], tissue["power"])
    found = model.measure(mua, mus, "elements")
    return found[:, PAIRS[:, 0], PAIRS[:, 1]][None]


def lump(basis, at, factor):
    return 1 + (factor - 1) * np.exp(-np.square((basis.points - at) / 6).sum(axis=1))


@functools.cache
def noiseless(frequency=0.0):
    model, basis = scene(frequency)
    truth = {
        "hbo": 18 * lump(basis, (7, 3), 2.0),
        "hb": 6 * lump(basis, (7, 3), 1.5),
        "water": 30 * lump(basis, (-6, -4), 1.5),
        "amplitude": 1.1 * lump(basis, (0, 8), 1.1),
        "power": 1.2,
    }
    return (
        truth,
        readings(model, basis, truth),
        readings(model, basis, TISSUE_OF_REFERENCE)[0],
    )


def run(frequency=0.0, signal=None, **options):
    model, basis = scene(frequency)
    _, data, against = noiseless(frequency)
    data = data if signal is None else signal
    options = {"pairs": PAIRS, **options}
    return reconstruct(model, data, against, TISSUE_OF_REFERENCE, NM, basis, **options)
