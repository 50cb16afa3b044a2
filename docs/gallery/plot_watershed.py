"""
Touching objects by watershed
=============================

Markers by :func:`lesionkit.fronts.h_minima` of the distance to the border, and
:func:`lesionkit.fronts.watershed` from them.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage

from lesionkit.fronts import distance_transform, h_minima, watershed

random = np.random.default_rng(3)
y, x = np.indices((160, 240))
cells = np.zeros(y.shape, bool)
for row, column, radius in zip(
    random.uniform(15, 145, 40), random.uniform(15, 225, 40), random.uniform(9, 15, 40), strict=True
):
    cells |= np.hypot(y - row, x - column) < radius

depth = -distance_transform(cells)
markers = h_minima(depth, 1.0)
labels = watershed(depth, markers, mask=cells)

figure, axes = plt.subplots(1, 3, figsize=(11, 2.8), layout="constrained")
colours = random.permutation(labels.max() + 1)[labels]
shown = {
    "mask": cells,
    "distance": np.where(cells, -depth, np.nan),
    f"{labels.max()} objects": np.where(cells, colours, np.nan),
}
for each, (name, picture) in zip(axes, shown.items(), strict=True):
    each.imshow(picture, cmap="gray" if name == "mask" else "turbo")
    each.set_title(name)
    each.axis("off")
plt.show()

# %%
# Without the watershed the touching ones are one:

print(ndimage.label(cells)[1], "connected parts")
