"""Phantoms: drawn, measured, kept in a store."""
