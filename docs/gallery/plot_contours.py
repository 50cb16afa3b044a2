"""
Three outlines of one lesion
============================

Without edges, :func:`lesionkit.fronts.chan_vese` within a mask; on edges, pixel by pixel; and a
front that stops in time, :func:`lesionkit.fronts.geodesic_segment`.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage

from lesionkit import fronts


def ellipse(row, column, rows, columns):
    y, x = np.indices((160, 160))
    return ((y - row) / rows) ** 2 + ((x - column) / columns) ** 2 <= 1


random = np.random.default_rng(1)
wave = 2 * np.sin(np.indices((160, 160))[0] / 5)
truth = np.hypot(*(np.indices((160, 160)) - 80.0) * [[[1.2]], [[0.8]]]) < 34 + wave
image = ndimage.gaussian_filter(0.6 * truth + 0.2, 2) + random.normal(0, 0.08, truth.shape)

around = ellipse(80, 80, 60, 70)
two = fronts.chan_vese(image, mu=0.3, mask=around)
region = two if image[two & around].mean() > image[~two & around].mean() else ~two & around
edges = fronts.inverse_gaussian_gradient(image, 100, 3)
start = ellipse(80, 80, 55, 65).astype(np.int8)
snake = fronts.morphological_geodesic_active_contour(
    edges, 120, start, smoothing=2, balloon=-1, threshold=0.5
)
front = fronts.geodesic_segment(ndimage.gaussian_filter(image, 2), [(80, 80)], stop=60.0)

figure, axes = plt.subplots(1, 3, figsize=(10, 3.5), layout="constrained")
shown = {"Chan-Vese": region, "geodesic contour": snake > 0, "front": front}
for each, (name, found) in zip(axes, shown.items(), strict=True):
    dice = 2 * (found & truth).sum() / (found.sum() + truth.sum())
    each.imshow(image, cmap="gray")
    each.contour(truth, [0.5], colors="yellow", linewidths=0.8)
    each.contour(found, [0.5], colors="red")
    each.set_title(f"{name}, Dice {dice:.3f}")
    each.axis("off")
plt.show()
