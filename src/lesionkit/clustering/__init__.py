"""k-means and fuzzy c-means, plain and spatial, and codebooks."""

from __future__ import annotations

from lesionkit.lazy import make_lazy

make_lazy(__name__)
