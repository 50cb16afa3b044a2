"""torch, or a sentence that says how to get it, and its devices. Every module of `nets` takes torch
from here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lesionkit import extras

extras.require("torch", "lesionkit.nets needs")

import torch  # noqa: E402

__all__ = ["find_device", "one_thread", "torch"]


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside, torch computes on one thread: sums have the same bits wherever, and nets of a few
    thousand weights are trained sooner."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def find_device(device: str) -> Any:
    """The torch device that is meant; ValueError where there is none."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(device)
    except (RuntimeError, TypeError):
        place = None
    if place is None or place.type not in ("cpu", "cuda"):
        raise ValueError(f"device must be 'auto', 'cpu', 'cuda' or 'cuda:N', got {device!r}")
    if place.type == "cuda" and (place.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"device is {device!r}, but torch finds no such GPU here")
    return place
