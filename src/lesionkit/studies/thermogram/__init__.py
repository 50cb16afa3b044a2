"""Breast thermograms: readers, body and breasts, three segmenters, and what in them is a leak.

Kanimozhi, Rajamanogaran and Sathiya, "Assessment of various segmentation approaches to poster
breast cancer using thermal images". Not for diagnosis.
"""
