"""MRI-guided near-infrared tomography by a net, after Feng et al. (2022): the whole in `study`, the
comparison of its methods in `evaluation`, which needs torch only where there are nets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lesionkit.lazy import make_lazy

if TYPE_CHECKING:
    from lesionkit.studies.nirst.study import DEVICES as DEVICES
    from lesionkit.studies.nirst.study import SIZES as SIZES
    from lesionkit.studies.nirst.study import Size as Size
    from lesionkit.studies.nirst.study import run as run

_HOME = {"DEVICES": "study", "SIZES": "study", "Size": "study", "run": "study"}
_MODULES = ("evaluation", "figures", "methods")
__all__ = ["DEVICES", "SIZES", "Size", "run"]

make_lazy(__name__)
