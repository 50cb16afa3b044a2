"""A problem for every kernel of `gpu.KERNELS`, a module for each domain."""

from __future__ import annotations

from lesionkit.gpu_report.problems import clustering, fronts, optics, texture
from lesionkit.gpu_report.rows import Row

DOMAINS = (optics, texture, clustering, fronts)


def rows(small: bool = False) -> list[Row]:
    """Of every kernel. small: so small that the kernels can run on the host."""
    return [row for domain in DOMAINS for row in domain.rows(small)]
