"""
Light in a breast-sized disc
============================

The field of one source with a lesion in the way, :class:`lesionkit.optics.ForwardModel`, and which
tissue a pair of source and detector sees: a row of the Jacobian, the "banana".
"""

import matplotlib.pyplot as plt
import numpy as np

from lesionkit.optics import ForwardModel, disc_mesh

mesh = disc_mesh(radius=41.0, nodes=1801)
angle = np.arange(16) * np.pi / 8
rim = 41.0 * np.column_stack([np.cos(angle), np.sin(angle)])
model = ForwardModel(mesh, rim, rim)

place = np.hypot(mesh.nodes[:, 0] - 15, mesh.nodes[:, 1] - 10)
absorption = np.where(place < 10, 0.03, 0.008)  # mm^-1
scattering = np.full(len(mesh.nodes), 1.0)
field = model.fluence(absorption, scattering)[0]
seen = model.jacobian(absorption, scattering).log_amplitude().absorption[0, 5]

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for axes, values, name in ((left, np.log10(field), "log10 of fluence, source 0"),
                           (right, -seen, "seen by source 0 and detector 5, mm")):  # fmt: skip
    shown = axes.tripcolor(*mesh.nodes.T, mesh.elements, values, shading="gouraud")
    figure.colorbar(shown, ax=axes)
    axes.plot(*rim.T, "k.")
    axes.add_patch(plt.Circle((15, 10), 10, fill=False, color="red"))
    axes.set(title=name, aspect="equal", xlabel="mm")
plt.show()
