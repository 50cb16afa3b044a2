"""torch, or a sentence that says how to get it. Every module of `nets` takes it from here."""

from __future__ import annotations

try:
    import torch
except ImportError as problem:
    raise ImportError("lesionkit.nets needs torch: pip install 'lesionkit[nets]'") from problem

__all__ = ["torch"]
