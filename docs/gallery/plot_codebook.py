"""
A few words for all colours
===========================

A made-up thermogram in colours, and :func:`lesionkit.clustering.codebook`: sixteen words merged to
eight and to three, as the codebook method of breast thermograms does.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage

from lesionkit.clustering import codebook

random = np.random.default_rng(0)
y, x = np.mgrid[:160, :200].astype(float)
side = np.abs(x - 99.5)
warm = 31.0 + 2.5 * np.exp(-(((y - 125 + side / 4) / 8) ** 2))
warm += ndimage.gaussian_filter(random.normal(size=y.shape), 8) * 12
celsius = np.where(side < 80 - 8 * np.cos(y / 25), warm, 21)
picture = plt.get_cmap("jet")((celsius - 20) / 15)[..., :3]
picture = (255 * picture).astype(np.uint8)

figure, axes = plt.subplots(1, 4, figsize=(11, 2.7), layout="constrained")
axes[0].imshow(picture)
axes[0].set_title("thermogram")
for each, words in zip(axes[1:], (16, 8, 3), strict=True):
    book = codebook(picture, words, init="blocks", channel_axis=-1)
    each.imshow(book.words[book.labels].astype(np.uint8))
    each.set_title(f"{words} words")
for each in axes:
    each.axis("off")
plt.show()
