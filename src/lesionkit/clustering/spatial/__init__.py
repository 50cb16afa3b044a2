"""Fuzzy c-means that look at the neighbours of a pixel."""
