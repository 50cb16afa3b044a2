"""Radiomics: agreement with PyRadiomics, and speed beside it and pictologics."""
