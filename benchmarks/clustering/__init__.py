"""K-means and fuzzy c-means: ours and the peers on the same samples."""
