"""Texture: ours and the peers on the same images."""
