"""Texture: co-occurrence matrices, runs, zones, and the features drawn from them."""

from __future__ import annotations

from lesionkit.lazy import make_lazy

make_lazy(__name__)
