"""Detectors of boxes: R-CNN on the quick net, and Faster R-CNN."""
