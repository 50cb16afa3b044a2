"""
Maps of texture
===============

A lesion as bright as the tissue about it, but rougher: what :func:`lesionkit.texture.feature_maps`
sees of it in a window about each pixel.
"""

import matplotlib.pyplot as plt
import numpy as np
from head import slice_with_lesion

from lesionkit.texture import feature_maps

image, brain, lesion = slice_with_lesion()
levels = (image // 8).astype(np.uint8)  # 32 of them
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
