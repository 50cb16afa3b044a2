"""
Fuzzy c-means and noise
=======================

Three classes under strong noise, by plain fuzzy c-means and by two methods that look at the
neighbours: :class:`lesionkit.clustering.FCM_S1` and :class:`lesionkit.clustering.FLICM`.
"""

import matplotlib.pyplot as plt
import numpy as np
from head import slice_with_lesion

from lesionkit.clustering import FCM_S1, FLICM, FuzzyCMeans, segment

clean, brain, _ = slice_with_lesion(noise=0.1)
image = slice_with_lesion(noise=20.0)[0].astype(np.uint8)
methods = {
    "fuzzy c-means": FuzzyCMeans(3, random_state=0),
    "FCM_S1, alpha 4": FCM_S1(3, alpha=4.0, random_state=0),
    "FLICM": FLICM(3, random_state=0),
}
truth = segment(clean.astype(np.uint8), FuzzyCMeans(3, random_state=0), brain)

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
