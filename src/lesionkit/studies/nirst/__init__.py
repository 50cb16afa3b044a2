"""MRI-guided near-infrared tomography by a net, after Feng et al. (2022): the whole in `study`, the
comparison of its methods in `evaluation`, which needs torch only where there are nets."""

from __future__ import annotations

from lesionkit.lazy import make_lazy

make_lazy(__name__)
