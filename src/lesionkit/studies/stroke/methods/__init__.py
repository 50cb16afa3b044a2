"""The six segmenters, a file for each kind."""
