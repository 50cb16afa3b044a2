"""A head of voxels, its optodes and a spot in its brain: of NIRFASTer-FF, read where it lies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import io

from lesionkit.geometry import Geometry
from lesionkit.optics import ForwardModel, GridBasis, mask_mesh, reconstruct, spectra
from lesionkit.optics.forward.surface import nearest_on_surface

ORIGIN = np.array([-86.0, -124, -73.5])  # of the optodes' frame: they lie 0.6 mm off the skin then
BRAIN = (2, 3)  # white and gray matter
TISSUE = {"hbo": 20.0, "hb": 10.0, "water": 70.0, "amplitude": 1.0, "power": 1.0}


def test_a_spot_in_the_brain(lesionkit_data: Path) -> None:
    folder = lesionkit_data / "data/nirst/nirfaster_ff"
    if not (folder / "headvol.mat").is_file():
        pytest.skip("needs LESIONKIT_DATA with data/nirst/nirfaster_ff/headvol.mat")
    labels = io.loadmat(folder / "headvol.mat")["mask"].T  # (z, y, x), 1 mm
    optodes = io.loadmat(folder / "optode_information.mat")
    sources, detectors = optodes["srcpos"], optodes["detpos"]
    assert (len(sources), len(detectors)) == (24, 28)
    affine = np.eye(4)
    affine[:3, 3] = ORIGIN
    mesh = mask_mesh(labels > 0, Geometry(affine), 10.0)
    assert mesh.areas.sum() == pytest.approx((labels > 0).sum(), rel=0.02)

    model = ForwardModel(mesh, sources, detectors)
    place = np.array([5.0, -97, 12])
    assert labels[tuple(np.rint(place - ORIGIN).astype(int)[::-1])] in BRAIN
    lump = np.linalg.norm(mesh.nodes - place, axis=1) < 10
    hbo = np.stack([np.full(len(lump), 20.0), np.where(lump, 80.0, 20.0)])
    mua = spectra.absorption([785], hbo, 10.0, 70.0)[0]
    mus = np.full_like(mua, spectra.scattering(785, 1.0, 1.0))
    readings = model.measure(mua, mus)
    near = np.linalg.norm(sources[:, None] - detectors, axis=2) < 48
    # elements of 10 mm, three decay lengths, are too coarse for some readings
    pairs = np.argwhere(near & (readings > 0).all(axis=0))
    assert len(pairs) > 300
    flat, signal = readings[:, None, pairs[:, 0], pairs[:, 1]]
    basis = GridBasis(mesh, 14.0)
    found = reconstruct(
        model, signal, flat, TISSUE, [785], basis, pairs=pairs, maps=["hbo"], max_iter=3
    )  # fmt: skip
    bright = basis.points[found.maps["hbo"].argmax()]
    assert np.linalg.norm(bright - place) < 14
    middle = np.average(basis.points, axis=0, weights=np.maximum(found.maps["hbo"] - 22, 0))
    assert np.linalg.norm(middle - place) < 10  # within the spot
    ends = [nearest_on_surface(mesh, points)[0].position for points in (sources, detectors)]
    there, back = (
        ForwardModel(mesh, *pair, source_depth=0, accuracy=1e-8).measure(mua[1], mus[1])
        for pair in (ends, ends[::-1])
    )
    np.testing.assert_allclose(there, back.T, rtol=1e-8)
