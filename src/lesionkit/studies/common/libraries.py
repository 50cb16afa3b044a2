"""What the studies of images cannot be imported without: asked for first, in a sentence."""

from __future__ import annotations

from lesionkit import extras

for _module in ("numba", "sklearn"):
    extras.require(_module, "this study needs", "studies")
