"""
Light in three dimensions
=========================

Two spheres in a ball, found from light alone, and a lesion in a breast, found with an MR image for
a guide (DRI): :class:`lesionkit.optics.ForwardModel` and :func:`lesionkit.optics.reconstruct` on
tetrahedra. Each column is a plane, in mm; above is the truth.
"""

import matplotlib.pyplot as plt
import numpy as np

from lesionkit.optics import ForwardModel, GridBasis, Mesh, ball_mesh, reconstruct, spectra

NM = [661, 785, 852]
TISSUE = {"hbo": 14.0, "hb": 7.0, "water": 35.0, "amplitude": 1.0, "power": 1.0}
PLANES = {"from above": (0, 1), "from the front": (0, 2), "from the side": (1, 2)}


def spread(count, lowest=-1.0):
    """Unit vectors, evenly over a sphere from a height on."""
    z = lowest + (1 - lowest) * (np.arange(count) + 0.5) / count
    turn = np.pi * (1 + np.sqrt(5)) * np.arange(count)
    return np.column_stack([*(np.sqrt(1 - z**2) * [np.cos(turn), np.sin(turn)]), z])


def found_in(mesh, optodes, lesion, spacing, image=None):
    """Maps of twice the HbO in a lesion, from readings with 1 % of noise."""
    model = ForwardModel(mesh, optodes, optodes, accuracy=1e-5)
    hbo = np.where([np.zeros(len(mesh.nodes), bool), lesion(mesh.nodes)], 28.0, 14.0)
    mua = spectra.absorption(NM, hbo, 7.0, 35.0)
    mus = np.broadcast_to(spectra.scattering(NM, 1.0, 1.0)[:, None, None], mua.shape)
    pairs = np.argwhere(~np.eye(len(optodes), dtype=bool))
    flat, signal = np.moveaxis(model.measure(mua, mus)[..., pairs[:, 0], pairs[:, 1]], 1, 0)
    signal = signal * np.random.default_rng(0).normal(1, 0.01, signal.shape)
    basis = GridBasis(mesh, spacing)
    gray = None if image is None else basis.average(mesh.nodes, image(mesh.nodes))
    return reconstruct(
        model, signal, flat, TISSUE, NM, basis, pairs=pairs, gray=gray, maps=["hbo", "hb"]
    )


def show(mesh, lesion, found, through, title):
    """Truth above and what was found below, in three planes through a point."""
    figure, axes = plt.subplots(2, 3, figsize=(9, 5.6), layout="constrained")
    for column, (name, (across, up)) in enumerate(PLANES.items()):
        low, high = mesh.nodes.min(axis=0), mesh.nodes.max(axis=0)
        x, y = (np.linspace(low[i], high[i], 120) for i in (across, up))
        points = np.tile(np.array(through, float), (120, 120, 1))
        points[..., across], points[..., up] = x, y[:, None]
        points = points.reshape(-1, 3)
        outside = mesh.locate(points)[0] < 0
        truth = np.where(lesion(points), 28.0, 14.0)
        for row, values in enumerate((truth, found.at(points)["hbo"])):
            picture = np.where(outside, np.nan, values).reshape(120, 120)
            shown = axes[row, column].pcolormesh(x, y, picture, vmin=10, vmax=28, cmap="magma")
            axes[row, column].set(aspect="equal", xlabel="xyz"[across], ylabel="xyz"[up])
        axes[0, column].set_title(name)
    figure.colorbar(shown, ax=axes, label="HbO, micromolar")
    figure.suptitle(title)


# %%
# Two spheres in a ball, from light alone: 24 optodes all around, each a source and a detector.

ball = ball_mesh(25, layers=12, order=1)


def spheres(points):
    right = np.linalg.norm(points - [11, 0, 2], axis=1) < 6
    return right | (np.linalg.norm(points - [-11, 0, -2], axis=1) < 5)


found = found_in(ball, 25 * spread(24), spheres, spacing=4)
show(ball, spheres, found, (11, 0, 1), "Two spheres in a ball, by light alone")

# %%
# A lesion in a breast, guided by an MR image in which a cyst is as bright as it. Light tells
# which of the two is full of blood, though not wholly: the cyst has no more than its surroundings,
# and what the map shows there is borrowed from the image.

x, y, z = ball.nodes.T
breast = Mesh(np.column_stack([x, y, np.where(z > 0, 1.3, 0.4) * z]), ball.elements)
height, turn = np.repeat([4.0, 14.0, 23.0], 8), np.arange(24) * np.pi / 4
around = 25 * np.sqrt(1 - (height / (25 * 1.3)) ** 2)
fibres = np.column_stack([around * np.cos(turn), around * np.sin(turn), height])


def lesion(points):
    return np.linalg.norm(points - [9, 3, 12], axis=1) < 6


def mri(points):
    cyst = np.linalg.norm(points - [-8, 3, 12], axis=1) < 6
    noise = np.random.default_rng(1).normal(0, 2, len(points))
    return np.where(lesion(points) | cyst, 80.0, 50.0) + noise


found = found_in(breast, fibres, lesion, spacing=4, image=mri)
show(breast, lesion, found, (9, 3, 12), "A lesion and a cyst in a breast, guided by MRI")
plt.show()
