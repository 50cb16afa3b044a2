"""Blocks of a U-Net as Keras users write it: convolutions with bias and ReLU, no batch norm.

Ronneberger, Fischer and Brox, MICCAI 2015, with "same" padding instead of cut borders.
"""

from __future__ import annotations

from typing import Any, Literal

from lesionkit import arrays
from lesionkit.nets.framework import torch

Border = Literal["same", "symmetric"]
PADDING = {"same": torch.nn.ZeroPad2d, "symmetric": torch.nn.ReplicationPad2d}
"""What lies beyond the border: zeros; or the mirror image, of which one pixel is seen."""


def convolution(channels: int, out: int, size: int = 3, border: Border = "same") -> Any:
    """(n, channels, h, w) to (n, out, h, w), He's first weights. Of an even size the missing row
    and column lie below and to the right."""
    layer = torch.nn.Conv2d(channels, out, size)
    torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    torch.nn.init.zeros_(layer.bias)
    before, after = (size - 1) // 2, size // 2
    return torch.nn.Sequential(PADDING[border]((before, after, before, after)), layer)


def two(channels: int, out: int, border: Border = "same") -> Any:
    """Two 3x3 convolutions, a ReLU after each."""
    return torch.nn.Sequential(
        convolution(channels, out, 3, border),
        torch.nn.ReLU(inplace=True),
        convolution(out, out, 3, border),
        torch.nn.ReLU(inplace=True),
    )


class Body(torch.nn.Module):  # type: ignore[misc]
    """Four halvings, a bottom, four doublings with what lies beside them: (n, channels, h, w) to
    (n, width, h, w); h and w are multiples of 16.

    Widths are `width` times 1, 2, 4, 8, 16. A doubling repeats each pixel and convolves 2x2 to half
    the channels. dropout : of the fourth level and of the bottom.
    """

    def __init__(
        self, channels: int, width: int, *, dropout: float = 0.5, border: Border = "same"
    ) -> None:
        super().__init__()
        arrays.one_of(border, "border", tuple(PADDING))
        width = arrays.integer(width, "width", at_least=1, at_most=1024)
        widths = [width << level for level in range(5)]
        ins = [channels, *widths[:-1]]
        self.down = torch.nn.ModuleList(two(a, b, border) for a, b in zip(ins, widths, strict=True))
        self.up = torch.nn.ModuleList(
            torch.nn.Sequential(
                torch.nn.Upsample(scale_factor=2),
                convolution(2 * w, w, 2, border),
                torch.nn.ReLU(inplace=True),
            )
            for w in widths[-2::-1]
        )
        self.join = torch.nn.ModuleList(two(2 * w, w, border) for w in widths[-2::-1])
        self.dropout = torch.nn.Dropout(dropout)

    def forward(self, x: Any) -> Any:
        skip = []
        for level, down in enumerate(self.down):
            x = down(x if level == 0 else torch.nn.functional.max_pool2d(x, 2))
            if level >= 3:
                x = self.dropout(x)
            skip.append(x)
        x = skip.pop()
        for up, join in zip(self.up, self.join, strict=True):
            x = join(torch.cat([skip.pop(), up(x)], 1))
        return x
