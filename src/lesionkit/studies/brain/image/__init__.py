"""Images of heads, case by case: brain, tumour, its pieces, scores and a report."""

from __future__ import annotations

WARNING = (
    "Not for diagnosis. What is brighter than the brain is taken for a tumour; vessels, bone and "
    "other lesions are bright, too."
)
"""The first line of every report."""
