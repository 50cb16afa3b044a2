"""Steps that nets are built of, in two or three dimensions: a convolution with batch norm and ReLU,
and doubling."""

from __future__ import annotations

from typing import Any

from lesionkit.nets.framework import torch


def convolution(channels: int, out: int, size: int = 3, axes: int = 2) -> Any:
    """Convolution, batch norm, ReLU: (n, channels, h, w) to (n, out, h, w).

    It has no bias: batch norm would take it away again.
    """
    return torch.nn.Sequential(
        layer("Conv", axes)(channels, out, size, padding=size // 2, bias=False),
        layer("BatchNorm", axes)(out),
        torch.nn.ReLU(inplace=True),
    )


def two_convolutions(channels: int, out: int, size: int = 3, axes: int = 2) -> Any:
    return torch.nn.Sequential(
        convolution(channels, out, size, axes), convolution(out, out, size, axes)
    )


def layer(name: str, axes: int) -> Any:
    """The module of torch of that name for so many dimensions."""
    return getattr(torch.nn, f"{name}{axes}d")


CHANNELS_LAST = {2: torch.channels_last, 3: torch.channels_last_3d}
"""The layout of tensors with so many axes beside the phantom's and the channel's."""


class Doubling(torch.nn.Module):  # type: ignore[misc]
    """Transposed 2x2 convolution of stride 2, with batch norm and ReLU, to a given size.

    A size may be one more than the double, as from 12 to 25: the last row and column are then
    padded, which is what `output_padding` does.
    """

    def __init__(self, channels: int, out: int, axes: int = 2) -> None:
        super().__init__()
        self.up = layer("ConvTranspose", axes)(channels, out, 2, stride=2, bias=False)
        self.norm = layer("BatchNorm", axes)(out)

    def forward(self, x: Any, size: tuple[int, ...]) -> Any:
        return torch.relu_(self.norm(self.up(x, output_size=size)))


def parameter_count(net: Any) -> int:
    """Trainable numbers of a net."""
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


def halvings(pixels: int, count: int, axes: int = 2) -> list[tuple[int, ...]]:
    """Sizes of a square image under `count` poolings: (100, 100), (50, 50), (25, 25), ..."""
    return [(pixels >> level,) * axes for level in range(count + 1)]


def with_mask(signals: Any, there: Any) -> Any:
    """Signals, and behind them as many channels of 1 where there is a reading; None: everywhere."""
    mask = torch.ones_like(signals) if there is None else there.to(signals.dtype)
    return torch.cat([signals, mask], 1)
