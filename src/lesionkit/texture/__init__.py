"""Texture: co-occurrence matrices, runs, zones, and the features drawn from them."""
