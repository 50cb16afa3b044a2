"""Nets that learn from phantoms, and their training: Z-Net and Y-Net. They need torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lesionkit.lazy import make_lazy

if TYPE_CHECKING:
    from lesionkit.nets.data import PhantomDataset as PhantomDataset
    from lesionkit.nets.reconstruction import TrainedNet as TrainedNet
    from lesionkit.nets.reconstruction import load as load
    from lesionkit.nets.scaling import Scaling as Scaling
    from lesionkit.nets.training import TrainingOptions as TrainingOptions
    from lesionkit.nets.training import train as train
    from lesionkit.nets.ynet import YNet as YNet
    from lesionkit.nets.znet import ZNet as ZNet

_HOME = {
    "PhantomDataset": "data",
    "Scaling": "scaling",
    "TrainedNet": "reconstruction",
    "TrainingOptions": "training",
    "YNet": "ynet",
    "ZNet": "znet",
    "load": "reconstruction",
    "train": "training",
}
__all__ = [
    "PhantomDataset",
    "Scaling",
    "TrainedNet",
    "TrainingOptions",
    "YNet",
    "ZNet",
    "load",
    "train",
]

make_lazy(__name__)
