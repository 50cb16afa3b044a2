"""Fronts beside scikit-fmm, scikit-image and SimpleITK."""
