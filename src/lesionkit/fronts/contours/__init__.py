"""Contours that move: Chan-Vese, geodesic, morphological."""
