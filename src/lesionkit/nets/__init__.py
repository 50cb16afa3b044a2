"""Nets of torch: the quick net of R-CNN and Faster R-CNN on it. They need torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lesionkit.lazy import make_lazy

if TYPE_CHECKING:
    from lesionkit.nets.detector import QuickNet as QuickNet
    from lesionkit.nets.rpn import FasterRCNN as FasterRCNN

_HOME = {
    "FasterRCNN": "rpn",
    "QuickNet": "detector",
}
__all__ = [
    "FasterRCNN",
    "QuickNet",
]

make_lazy(__name__)
