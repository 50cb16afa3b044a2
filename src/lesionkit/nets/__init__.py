"""Nets of torch, and their training: Z-Net and Y-Net, which learn from phantoms; the quick net of
R-CNN and Faster R-CNN on it. They need torch."""

from __future__ import annotations

from lesionkit.lazy import make_lazy

make_lazy(__name__)
