"""A problem for every kernel of `gpu.KERNELS`, a module for each domain, and two more of optics."""

from __future__ import annotations

from lesionkit.gpu_report.problems import clustering, fields, fronts, optics, solids, texture
from lesionkit.gpu_report.rows import Row

MODULES = (optics, fields, solids, texture, clustering, fronts)


def rows(small: bool = False) -> list[Row]:
    """Of every kernel. small: so small that the kernels can run on the host."""
    return [row for module in MODULES for row in module.rows(small)]
