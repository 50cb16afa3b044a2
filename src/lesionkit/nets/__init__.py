"""Nets of torch, and their training: Z-Net and Y-Net, which learn from phantoms; the quick net of
R-CNN and Faster R-CNN on it. They need torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lesionkit.lazy import make_lazy

if TYPE_CHECKING:
    from lesionkit.nets.data import PhantomDataset as PhantomDataset
    from lesionkit.nets.detectors.rcnn import QuickNet as QuickNet
    from lesionkit.nets.detectors.rpn import FasterRCNN as FasterRCNN
    from lesionkit.nets.reconstruction import TrainedNet as TrainedNet
    from lesionkit.nets.reconstruction import load as load
    from lesionkit.nets.scaling import Scaling as Scaling
    from lesionkit.nets.training import TrainingOptions as TrainingOptions
    from lesionkit.nets.training import train as train
    from lesionkit.nets.ynet import YNet as YNet
    from lesionkit.nets.znet import ZNet as ZNet

_HOME = {
    "FasterRCNN": "detectors.rpn",
    "PhantomDataset": "data",
    "QuickNet": "detectors.rcnn",
    "Scaling": "scaling",
    "TrainedNet": "reconstruction",
    "TrainingOptions": "training",
    "YNet": "ynet",
    "ZNet": "znet",
    "load": "reconstruction",
    "train": "training",
}
__all__ = [
    "FasterRCNN",
    "PhantomDataset",
    "QuickNet",
    "Scaling",
    "TrainedNet",
    "TrainingOptions",
    "YNet",
    "ZNet",
    "load",
    "train",
]

make_lazy(__name__)
