"""Y-Net: the net that Z-Net is compared with.

Lan et al., Photoacoustics 20, 100197 (2020), for signals and an MR image instead of photoacoustic
signals and a first picture.
"""

from __future__ import annotations

from typing import Any

from lesionkit import arrays
from lesionkit.nets.framework import torch
from lesionkit.nets.layers import Doubling, convolution, halvings, two_convolutions, with_mask

WIDTHS = (16, 32, 64, 128, 256)


class YNet(torch.nn.Module):  # type: ignore[misc]
    """Y-Net: two encoders meet at the bottom; one decoder goes up with the signals' levels.

    It is the net that Z-Net is compared with, for signals and an MR image instead of photoacoustic
    signals and a first image. The signals are resized to the MRI's size first. Feng et al. (2022)
    say 6.09 M parameters; their figure of it is not public. With nine wavelengths this has
    6,054,395 (0.6 per cent fewer)::

        part                                widths                                     weights
        2 encoders, 5 halvings each         16, 32, 64, 128, 256; two 3x3, pool        2.357 M
        a bottom for each, and their union  256 to 256 each; 512 to 256                2.359 M
        5 doublings                         C: 2x2, next to C of the signals, two 3x3
                                            to C / 2; from 256 to 8                    1.331 M
        head                                8 to 3; 3x3                                0.000 M

    Parameters
    ----------
    wavelengths : int, default 9
        Of the signals, 1 or more.
    pixels : int, default 100
        A side of the MR image, 32 or more.
    masked : bool, default False
        Whether a mask of the readings goes in as well.

    Raises
    ------
    TypeError, ValueError
        Where a number is out of range.

    References
    ----------
    Lan et al., Photoacoustics 20, 100197, 2020.

    Examples
    --------
    >>> import torch
    >>> from lesionkit.nets import YNet
    >>> net = YNet(wavelengths=2, pixels=32).eval()
    >>> with torch.no_grad():
    ...     tuple(net(torch.zeros(1, 2, 16, 15), torch.zeros(1, 1, 32, 32)).shape)
    (1, 3, 32, 32)
    """

    name = "ynet"
    guided = True
    axes = 2

    def __init__(self, wavelengths: int = 9, pixels: int = 100, *, masked: bool = False) -> None:
        super().__init__()
        channels = arrays.integer(wavelengths, "wavelengths", at_least=1) * (2 if masked else 1)
        self.masked = masked
        self.sizes = halvings(arrays.integer(pixels, "pixels", at_least=32), 5)
        self.signal_down, self.mri_down = _encoder(channels), _encoder(1)
        self.signal_bottom, self.mri_bottom = convolution(256, 256), convolution(256, 256)
        self.union = convolution(512, 256)
        self.up = torch.nn.ModuleList(Doubling(c, c) for c in reversed(WIDTHS))
        self.conv = torch.nn.ModuleList(two_convolutions(2 * c, c // 2) for c in reversed(WIDTHS))
        self.head = torch.nn.Conv2d(WIDTHS[0] // 2, 3, 3, padding=1)

    def forward(self, signals: Any, mri: Any, there: Any = None) -> Any:
        """Scaled maps of scaled signals and MR images.

        Parameters
        ----------
        signals : (n, wavelengths, optodes, optodes - 1) tensor
            Scaled, see :class:`Scaling`; float32.
        mri : (n, 1, pixels, pixels) tensor
            Scaled; float32.
        there : (n, wavelengths, optodes, optodes - 1) tensor of bool, optional
            Of a masked net: which readings there are; None: all.

        Returns
        -------
        (n, 3, pixels, pixels) tensor
            HbO, Hb, water, scaled.
        """
        signals = with_mask(signals, there) if self.masked else signals
        wide = torch.nn.functional.interpolate(
            signals, self.sizes[0], mode="bilinear", align_corners=False
        )
        levels = []
        for down in self.signal_down:
            levels.append(down(wide))
            wide = torch.nn.functional.max_pool2d(levels[-1], 2)
        for down in self.mri_down:
            mri = torch.nn.functional.max_pool2d(down(mri), 2)
        x = self.union(torch.cat([self.signal_bottom(wide), self.mri_bottom(mri)], 1))
        for up, conv in zip(self.up, self.conv, strict=True):
            beside = levels.pop()
            x = conv(torch.cat([up(x, beside.shape[-2:]), beside], 1))
        return self.head(x)


def _encoder(channels: int) -> Any:
    widths = zip((channels, *WIDTHS), WIDTHS, strict=False)
    return torch.nn.ModuleList(two_convolutions(c, out) for c, out in widths)
