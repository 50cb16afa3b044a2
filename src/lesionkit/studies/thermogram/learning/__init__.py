"""Nets that learn from thermograms, and the truths that they learn from."""
