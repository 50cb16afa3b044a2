"""`LinearUNet`: a U-Net that corrects the best linear estimate of the maps."""

from __future__ import annotations

import itertools
from typing import Any

from lesionkit import arrays
from lesionkit.nets.framework import torch
from lesionkit.nets.layers import Doubling, halvings, two_convolutions
from lesionkit.nets.linear import LinearEstimate

WIDTHS = (16, 32, 64, 128, 256)


class LinearUNet(torch.nn.Module):  # type: ignore[misc]
    """A U-Net that corrects the best linear estimate of the maps, with the MR image beside it.

    Z-Net has to learn where in the disc a reading comes from; here that is computed in closed form
    from the first training phantoms, and the net begins with a blurred map. It is the design of
    Jin et al. (2017) for X-ray CT, with a linear estimate in the place of the filtered back
    projection::

        part                                widths                                     weights
        estimate on 25 x 25 pixels, resized, and MRI        3 + 1
        5 levels, 4 halvings                16, 32, 64, 128, 256; two 3x3, pool        1.179 M
        4 doublings                         to 128, 64, 32, 16; 2x2, two 3x3           0.763 M
        head, added to the estimate         16 to 3; 1x1                               0.000 M

    With nine wavelengths 1,942,995 weights are trained; the estimate has 4.05 million more.

    Parameters
    ----------
    wavelengths : int, default 9
        Of the signals, 1 or more.
    pixels : int, default 100
        A side of the MR image, 16 or more.
    optodes : int, default 16
        Sources, each read by all others; 2 or more.
    masked : bool, default False
        Whether readings may be missing. Their expectation given the others then stands in their
        place, and a further input says how much of each pixel's estimate is measured.

    Raises
    ------
    TypeError, ValueError
        Where a number is out of range.

    References
    ----------
    Jin et al., IEEE Transactions on Image Processing 26(9), 4509-4522, 2017. Ronneberger, Fischer
    and Brox, MICCAI 2015.

    Examples
    --------
    >>> import torch
    >>> from lesionkit.nets import LinearUNet
    >>> net = LinearUNet(wavelengths=2, pixels=32).eval()
    >>> with torch.no_grad():
    ...     tuple(net(torch.zeros(1, 2, 16, 15), torch.zeros(1, 1, 32, 32)).shape)
    (1, 3, 32, 32)
    """

    name = "linear-unet"
    guided = True
    axes = 2

    def __init__(
        self, wavelengths: int = 9, pixels: int = 100, *, optodes: int = 16, masked: bool = False
    ) -> None:
        super().__init__()
        wavelengths = arrays.integer(wavelengths, "wavelengths", at_least=1)
        pixels = arrays.integer(pixels, "pixels", at_least=16)
        optodes = arrays.integer(optodes, "optodes", at_least=2)
        self.masked = masked
        self.sizes = halvings(pixels, len(WIDTHS) - 1)
        self.estimate = LinearEstimate(wavelengths, optodes, pixels, masked=masked)
        channels = zip((5 if masked else 4, *WIDTHS), WIDTHS, strict=False)
        upwards = list(itertools.pairwise(reversed(WIDTHS)))
        self.down = torch.nn.ModuleList(two_convolutions(c, out) for c, out in channels)
        self.up = torch.nn.ModuleList(Doubling(c, out) for c, out in upwards)
        self.join = torch.nn.ModuleList(two_convolutions(2 * out, out) for _, out in upwards)
        self.head = torch.nn.Conv2d(WIDTHS[0], 3, 1)

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
        first = self._resized(self.estimate(signals, there))
        parts = [first, mri]
        if self.masked:
            there = torch.ones_like(signals) if there is None else there
            parts.append(self._resized(self.estimate.coverage(there)))
        x = torch.cat(parts, 1)
        beside = []
        for level, down in enumerate(self.down):
            x = down(x if level == 0 else torch.nn.functional.max_pool2d(x, 2))
            beside.append(x)
        x = beside.pop()
        for up, join in zip(self.up, self.join, strict=True):
            x = join(torch.cat([beside.pop(), up(x, self.sizes[len(beside)])], 1))
        return first + self.head(x)

    def _resized(self, image: Any) -> Any:
        return torch.nn.functional.interpolate(
            image, self.sizes[0], mode="bilinear", align_corners=False
        )
