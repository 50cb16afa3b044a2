"""Ours and its peers on the same work, in one run, with equal answers (see README.md)."""
