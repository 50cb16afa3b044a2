"""Scans of strokes, case by case: masks, scores and a report."""

from __future__ import annotations

WARNING = (
    "Not for diagnosis. What is brighter or darker than the brain is taken for a lesion; cortex "
    "near air, vessels and old damage look so, too."
)
"""The first line of every report."""
