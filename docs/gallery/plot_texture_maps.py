"""
Maps of texture
===============

A lesion as bright as the tissue about it, but rougher: what :func:`lesionkit.texture.feature_maps`
sees of it in a window about each pixel.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage

from lesionkit.texture import feature_maps


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
image = slice_with_lesion(noise=5.0)
levels = image // 8  # 32 of them
around = [(0, 1), (1, 1), (1, 0), (1, -1)]
names = ["contrast", "inverse_difference_moment", "joint_entropy"]
maps = feature_maps(levels, 9, around, 32, names)

figure, axes = plt.subplots(1, 4, figsize=(11, 3), layout="constrained")
axes[0].imshow(image, cmap="gray")
axes[0].contour(lesion, [0.5], colors="red", linewidths=0.8)
axes[0].set_title("image, lesion outlined")
for each, name, found in zip(axes[1:], names, maps, strict=True):
    each.imshow(np.where(brain, found, np.nan))
    each.set_title(name.replace("_", " "))
for each in axes:
    each.axis("off")
plt.show()

# %%
# How far the lesion stands out, in standard deviations of the brain:

for name, found in zip(names, maps, strict=True):
    apart = (found[lesion].mean() - found[brain].mean()) / found[brain].std()
    print(f"{name:26} {apart:+.2f}")
