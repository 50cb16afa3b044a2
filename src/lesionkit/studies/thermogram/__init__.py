"""Breast thermograms: readers, body and breasts, three segmenters, and what in them is a leak.

Kanimozhi, Rajamanogaran and Sathiya, "Assessment of various segmentation approaches to poster
breast cancer using thermal images". Not for diagnosis.
"""

from __future__ import annotations

import lesionkit.studies.common.libraries  # noqa: F401

WARNING = (
    "Not for diagnosis. Sick and Healthy of DMR-IR can be told apart by the wall behind the "
    "patient and by the file number: see the leak rows of lesionkit thermogram-study."
)
"""The first line of every report."""
