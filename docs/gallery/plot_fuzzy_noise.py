"""
Fuzzy c-means and noise
=======================

Three classes under strong noise, by plain fuzzy c-means and by two methods that look at the
neighbours: :class:`lesionkit.clustering.FCM_S1` and :class:`lesionkit.clustering.FLICM`.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage

from lesionkit.clustering import FCM_S1, FLICM, FuzzyCMeans, segment


def ellipse(row, column, rows, columns):
    y, x = np.indices((160, 160))
    return ((y - row) / rows) ** 2 + ((x - column) / columns) ** 2 <= 1


def slice_with_lesion(noise):
    """A lesion as bright as the white matter about it, but rougher."""
    random = np.random.default_rng(0)
    tissue = 90.0 * brain + 50.0 * ellipse(80, 80, 52, 40)
    for side in (-12, 12):
        tissue[ellipse(74, 80 + side, 18, 6)] = 40  # ventricles
    image = ndimage.gaussian_filter(tissue, 0.8) + random.normal(0, noise, tissue.shape)
    image += lesion * ndimage.gaussian_filter(random.normal(0, 60, tissue.shape), 1)
    return np.clip(image, 0, 255).astype(np.uint8)


brain, lesion = ellipse(80, 80, 64, 52), ellipse(98, 100, 13, 11)
clean, image = slice_with_lesion(noise=0.1), slice_with_lesion(noise=20.0)
methods = {
    "fuzzy c-means": FuzzyCMeans(3, random_state=0),
    "FCM_S1, alpha 4": FCM_S1(3, alpha=4.0, random_state=0),
    "FLICM": FLICM(3, random_state=0),
}
truth = segment(clean, FuzzyCMeans(3, random_state=0), brain)

figure, axes = plt.subplots(1, 4, figsize=(11, 3), layout="constrained")
axes[0].imshow(image, cmap="gray")
axes[0].set_title("image")
for each, (name, method) in zip(axes[1:], methods.items(), strict=True):
    classes = segment(image, method, brain)
    each.imshow(classes, cmap="gray", vmin=-1, vmax=2)
    each.set_title(f"{name}\n{(classes == truth)[brain].mean():.0%} as without noise")
for each in axes:
    each.axis("off")
plt.show()
