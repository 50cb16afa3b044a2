"""Z-Net: optical signals and an MR image to maps of chromophores.

Feng et al., Optica 9(3), 264-267 (2022), Fig. 1 and equations 1 to 7.
"""

from __future__ import annotations

import itertools
from typing import Any

from lesionkit import arrays
from lesionkit.nets.framework import torch
from lesionkit.nets.layers import (
    Doubling,
    convolution,
    halvings,
    layer,
    two_convolutions,
    with_mask,
)

MODES = {2: "bilinear", 3: "trilinear"}  # of resizing, by dimensions


class ZNet(torch.nn.Module):  # type: ignore[misc]
    """Z-Net: signals go up from 6 x 6, the MRI goes down to it, a third path goes up with both.

    The paper prints no widths; it says 3.48 M parameters. With nine wavelengths this has 3,512,699
    (0.9 per cent more)::

        part                                      widths                               weights
        signals to 6 x 6 (eq. 1)                  9, 128, 256; 3x3, pool, resize       0.305 M
        4 doublings of the signals (eq. 2)        256, 128, 64, 32, 16; 2x2, 3x3       0.370 M
        MRI, 1x1, then 4 halvings (eq. 3, 4)      1, 16; 16, 32, 64, 128, 256; 2 3x3   1.175 M
        fusion, 4 doublings (eq. 5, 6)            512 to 256, 512 to 128, 256 to 64,
                                                  128 to 32; 2x2, 3x3                  1.652 M
        head (eq. 7)                              64 to 8 to 3; 3x3                    0.005 M

    Batch norm and ReLU follow every convolution but the last: behind that they would make an
    absolute concentration depend on the other phantoms of a batch. For 100 pixels the sizes are
    100, 50, 25, 12 and 6.

    Parameters
    ----------
    wavelengths : int, default 9
        Of the signals, 1 or more.
    pixels : int, default 100
        A side of the MR image, 16 or more.
    masked : bool, default False
        Whether a mask of the readings goes in as well.

    Raises
    ------
    TypeError, ValueError
        Where a number is out of range.

    References
    ----------
    Feng et al., Optica 9(3), 264-267, 2022, Fig. 1 and equations 1 to 7.

    Examples
    --------
    >>> import torch
    >>> from lesionkit.nets import ZNet
    >>> net = ZNet(wavelengths=2, pixels=32).eval()
    >>> with torch.no_grad():
    ...     tuple(net(torch.zeros(1, 2, 16, 15), torch.zeros(1, 1, 32, 32)).shape)
    (1, 3, 32, 32)
    """

    name = "znet"
    guided = True
    axes = 2
    widths: tuple[int, ...] = (256, 128, 64, 32, 16)  # coarse to fine

    def __init__(self, wavelengths: int = 9, pixels: int = 100, *, masked: bool = False) -> None:
        super().__init__()
        channels = arrays.integer(wavelengths, "wavelengths", at_least=1) * (2 if masked else 1)
        pixels = arrays.integer(pixels, "pixels", at_least=16)
        first = torch.nn.Sequential(
            convolution(channels, 128),
            convolution(128, self.widths[0]),
            torch.nn.MaxPool2d(2, ceil_mode=True),
        )
        self._build(first, pixels, masked)

    def _build(self, signal_in: Any, pixels: int, masked: bool) -> None:
        """All behind `signal_in`, which makes `widths[0]` channels of the signals."""
        axes, widths = self.axes, self.widths
        self.masked = masked
        self.sizes = halvings(pixels, len(widths) - 1, axes)
        self.signal_in = signal_in
        steps, many = list(itertools.pairwise(widths)), torch.nn.ModuleList
        self.signal_up = many(Doubling(c, out, axes) for c, out in steps)
        self.signal_conv = many(convolution(out, out, axes=axes) for _, out in steps)
        beside = (0,) * len(widths)  # channels of the MRI, coarse to fine
        if self.guided:
            self.mri_in = two_convolutions(1, widths[-1], 1, axes)
            self.mri_down = many(two_convolutions(out, c, axes=axes) for c, out in reversed(steps))
            beside = widths
        fused = widths[:-1]
        given = [c + m + f for c, m, f in zip(widths, beside, (0, *fused), strict=True)]
        self.fusion_up = many(
            Doubling(c, out, axes) for c, out in zip(given[:-1], fused, strict=True)
        )
        self.fusion_conv = many(convolution(out, out, axes=axes) for out in fused)
        self.head = torch.nn.Sequential(
            convolution(given[-1], 8, axes=axes), layer("Conv", axes)(8, 3, 3, padding=1)
        )

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
        small = torch.nn.functional.interpolate(
            self.signal_in(signals), self.sizes[-1], mode=MODES[self.axes], align_corners=False
        )
        optical = [small]  # coarse to fine
        upwards = self.sizes[-2::-1]
        for size, up, conv in zip(upwards, self.signal_up, self.signal_conv, strict=True):
            optical.append(conv(up(optical[-1], size)))
        anatomical: list[Any] = []  # fine to coarse
        if self.guided:
            anatomical, halve = [self.mri_in(mri)], layer("MaxPool", self.axes)(2)
            for down in self.mri_down:
                anatomical.append(halve(down(anatomical[-1])))
        parts = [optical[0], *anatomical[-1:]]
        for level, size in enumerate(upwards):
            fused = self.fusion_conv[level](self.fusion_up[level](torch.cat(parts, 1), size))
            beside = anatomical[-2 - level : -1 - level]
            parts = [optical[level + 1], *beside, fused]
        return self.head(torch.cat(parts, 1))


class ZNetWithoutMRI(ZNet):
    """Z-Net with its signals alone: the path of the MR image is left out, all else is the same.

    The paper shows such a net in its Fig. S5(b), whose layout is not public. With nine wavelengths
    this has 1,986,091 parameters. It is trained and used as Z-Net is; the MR image is not looked
    at.

    Parameters
    ----------
    wavelengths, pixels, masked : arguments
        As of :class:`ZNet`.

    Raises
    ------
    TypeError, ValueError
        As of :class:`ZNet`.

    References
    ----------
    Feng et al., Optica 9(3), 264-267, 2022, page 267.

    Examples
    --------
    >>> import torch
    >>> from lesionkit.nets import ZNetWithoutMRI
    >>> net = ZNetWithoutMRI(wavelengths=2, pixels=32).eval()
    >>> with torch.no_grad():
    ...     tuple(net(torch.zeros(1, 2, 16, 15), None).shape)
    (1, 3, 32, 32)
    """

    name = "znet-no-mri"
    guided = False


class ZNet3d(ZNet):
    """Z-Net in three dimensions, small: for phantoms of a ball, a cylinder or a mesh (ours).

    Optodes on a surface have no grid that goes with the voxels'. So the signals' wavelengths are
    mixed to 6, and a full linear layer makes 16 channels of 4 x 4 x 4 of all readings, which go
    through a convolution; from there on it is :class:`ZNet` with three doublings, of 64, 32, 16 and
    8 channels. With nine wavelengths and 16 optodes this has 2,039,391 parameters, of which
    1,475,584 are the full layer's.

    Parameters
    ----------
    wavelengths : int, default 9
        Of the signals, 1 or more.
    pixels : int, default 32
        A side of the MR volume, 16 or more.
    optodes : int, default 16
        2 or more.
    masked : bool, default False
        Whether a mask of the readings goes in as well.

    Raises
    ------
    TypeError, ValueError
        Where a number is out of range.

    References
    ----------
    Feng et al., Optica 9(3), 264-267, 2022, Fig. 1: in two dimensions.

    Examples
    --------
    >>> import torch
    >>> from lesionkit.nets import ZNet3d
    >>> net = ZNet3d(wavelengths=2, pixels=16, optodes=8).eval()
    >>> with torch.no_grad():
    ...     tuple(net(torch.zeros(1, 2, 8, 7), torch.zeros(1, 1, 16, 16, 16)).shape)
    (1, 3, 16, 16, 16)
    """

    name = "znet3d"
    axes = 3
    widths = (64, 32, 16, 8)

    def __init__(
        self, wavelengths: int = 9, pixels: int = 32, *, optodes: int = 16, masked: bool = False
    ) -> None:
        torch.nn.Module.__init__(self)
        channels = arrays.integer(wavelengths, "wavelengths", at_least=1) * (2 if masked else 1)
        pixels = arrays.integer(pixels, "pixels", at_least=16)
        optodes = arrays.integer(optodes, "optodes", at_least=2)
        first = torch.nn.Sequential(
            torch.nn.Flatten(2),
            torch.nn.Conv1d(channels, 6, 1),
            torch.nn.Flatten(),
            torch.nn.Linear(6 * optodes * (optodes - 1), 16 * 4**3),
            torch.nn.Unflatten(1, (16, 4, 4, 4)),
            convolution(16, self.widths[0], axes=3),
        )
        self._build(first, pixels, masked)
