"""
Times of arrival and the quickest way
=====================================

A front that starts at a point, :func:`lesionkit.fronts.arrival_time`, round a wall; the way back,
:func:`lesionkit.fronts.geodesic_path`; and which of two seeds came first.
"""

import matplotlib.pyplot as plt
import numpy as np

from lesionkit.fronts import arrival_time, geodesic_path

speed = np.ones((160, 200))
speed[:120, 90:100] = 0  # a wall
speed[:, 140:160] = 0.4  # a slow strip
seed, goal = (20.0, 20.0), (30.0, 180.0)
times = arrival_time(speed, seed, order=2)
way = geodesic_path(times, goal, seeds=seed)

both, first = arrival_time(speed, [seed, (140.0, 190.0)], return_labels=True)

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
shown = left.imshow(np.where(np.isfinite(times), times, np.nan))
left.contour(np.where(np.isfinite(times), times, np.nan), 24, colors="white", linewidths=0.5)
left.plot(way[:, 1], way[:, 0], "r", lw=2)
left.set_title("times, and the quickest way")
figure.colorbar(shown, ax=left)
right.imshow(np.where(np.isfinite(both), first, np.nan), cmap="coolwarm")
right.set_title("which seed came first")
plt.show()

# %%

print(
    f"{times[30, 180]:.1f} by the front, {np.hypot(*np.diff(way, axis=0).T).sum():.1f} pixels long"
)
