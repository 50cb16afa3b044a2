"""Radiomics as PyRadiomics does it, from files and parameters to tables of features.

Arrays in and features out is :mod:`lesionkit.texture`; here images and masks are read, prepared and
filtered.
"""

from __future__ import annotations

from lesionkit.lazy import make_lazy

make_lazy(__name__)
