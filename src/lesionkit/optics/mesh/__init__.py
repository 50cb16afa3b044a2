"""Meshes: made, read, checked, refined."""
