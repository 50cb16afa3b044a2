"""The paper's U-Net, with its two optimisers, after section 6.2 and 6.3.

The printed table ends early; its total, 31,033,432 parameters, is that of this net: a usual U-Net,
a 3x3 convolution to a mask of three colours, and a 1x1 convolution of mask and input to the output.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.nets import checkpoints, fitting
from lesionkit.nets.framework import torch
from lesionkit.nets.unet import Body, Border, convolution
from lesionkit.progress import Callback
from lesionkit.studies.thermogram.readers import colour

MASK = (1.0, 1.0, 49 / 255)  # the colour of a lesion in the mask; all else is 0   [paper]
MOMENTUM = 0.9  # of SGD: without it the net stays where it began for thousands of steps   [ours]
METHODS = {"unet": "sgd", "enhanced": "rmsprop"}  # [paper]
OPTIMISERS: Mapping[str, Callable[[Any, float], Any]] = {
    "sgd": lambda parameters, rate: torch.optim.SGD(parameters, rate, MOMENTUM),
    "rmsprop": lambda parameters, rate: torch.optim.RMSprop(parameters, rate, 0.9, 1e-7),
}
RATES = {"sgd": 0.01, "rmsprop": 1e-3}  # Keras' defaults: the paper has none


class UNet(torch.nn.Module):  # type: ignore[misc]
    """forward(rgb): (n, 3, h, w) from 0 to 1, h and w multiples of 16, to (mask, output), each
    (n, 3, h, w) from 0 to 1.

    width  : channels of the first level; 64 gives the paper's 31,033,432 parameters
    border : "same", zeros, as the printed shapes need; "symmetric", as the text says
    """

    def __init__(self, width: int = 64, *, dropout: float = 0.5, border: Border = "same") -> None:
        super().__init__()
        self.body = Body(3, width, dropout=dropout, border=border)
        self.mask = convolution(width, 3, 3, border)
        self.output = convolution(6, 3, 1)

    def forward(self, rgb: Any) -> tuple[Any, Any]:
        if rgb.ndim != 4 or rgb.shape[1] != 3 or rgb.shape[2] % 16 or rgb.shape[3] % 16:
            raise ValueError(
                "rgb must have shape (n, 3, rows, columns), rows and columns multiples of 16, got "
                f"{tuple(rgb.shape)}"
            )
        mask = torch.sigmoid(self.mask(self.body(rgb)))
        return mask, torch.sigmoid(self.output(torch.cat([mask, rgb], 1)))


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to train; what the paper does not tell is Keras' or ours.

    optimiser : "sgd" (the paper's U-Net) or "rmsprop" (its "enhanced" one)
    rate      : None: Keras' default, 0.01 and 0.001
    weight    : of lesion pixels in the loss; 1: all pixels count alike
    """

    optimiser: str = "rmsprop"
    epochs: int = 100
    batch: int = 4
    rate: float | None = None
    width: int = 64
    border: Border = "same"
    dropout: float = 0.5
    weight: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        arrays.one_of(self.optimiser, "optimiser", tuple(OPTIMISERS))
        arrays.integer(self.epochs, "epochs", at_least=1)
        arrays.number(self.weight, "weight", above=0)
        if self.rate is not None:
            arrays.number(self.rate, "rate", above=0)


def train(
    images: Any,
    masks: Any,
    out: Path,
    options: Options | None = None,
    *,
    progress: Callback | None = None,
) -> tuple[UNet, list[float]]:
    """A trained net, and the loss of each epoch. The same call goes on where one was interrupted.

    images : (n, rows, columns, 3) uint8;  masks : (n, rows, columns) booleans
    out    : folder of the run
    The loss is the cross entropy of the mask (lesions yellow, all else black) plus the mean square
    error of the output, which shall be the image where the mask is, else black. Both begin at the
    constant that the cross entropy likes best: else the first hundreds of steps go into learning
    that lesions are rare.
    """
    options = options or Options()
    rgb, truth = tensor(images), torch.from_numpy(np.asarray(masks, bool))[:, None]
    if len(rgb) != len(truth) or rgb.shape[2:] != truth.shape[2:]:
        raise ValueError(
            f"masks must have the shape of images, {tuple(rgb.shape)}, got {tuple(truth.shape)}"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        net = UNet(options.width, dropout=options.dropout, border=options.border)
    fraction = float(truth.float().mean())
    _begin(net, options.weight * fraction / (options.weight * fraction + 1 - fraction))
    rate = options.rate or RATES[options.optimiser]
    optimizer = OPTIMISERS[options.optimiser](net.parameters(), rate)
    yellow = torch.tensor(MASK)[None, :, None, None]

    def loss_of(chosen: fitting.Indices, _: int) -> Any:
        x, lesion = rgb[chosen], truth[chosen].float()
        mask, output = net(x)
        weights = 1 + (options.weight - 1) * lesion
        entropy = torch.nn.functional.binary_cross_entropy(mask, lesion * yellow, reduction="none")
        error = (output - x * lesion).square()
        return (weights * (entropy + error)).mean()

    about = {k: v for k, v in asdict(options).items() if k != "epochs"}
    about["lessons"] = hashlib.sha256(rgb.numpy().tobytes() + truth.numpy().tobytes()).hexdigest()
    history = fitting.fit(
        net, optimizer, loss_of, len(rgb), out, about,
        epochs=options.epochs, batch=options.batch, seed=options.seed, progress=progress,
    )  # fmt: skip
    return net, history


def _begin(net: UNet, fraction: float) -> None:
    """Set the last biases so that each pixel begins as a lesion of this probability."""
    begin = torch.logit(fraction * torch.tensor(MASK), eps=1e-4)
    with torch.no_grad():
        for head in (net.mask, net.output):
            head[1].bias.copy_(begin)


def tensor(images: Any) -> Any:
    """Pictures, (n, rows, columns, 3) uint8, as (n, 3, rows, columns) from 0 to 1."""
    pixels = np.asarray(images)
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] != 3:
        raise ValueError(
            "images must be a uint8 array of shape (n, rows, columns, 3), got "
            f"{arrays.describe(pixels)}"
        )
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))).float() / 255


def probabilities(net: Any, images: Any, batch: int = 16) -> npt.NDArray[np.float32]:
    """(n, rows, columns): how sure the net is of a lesion, the mean of the mask's red and green."""
    rgb = tensor(images)
    net.eval()
    with torch.inference_mode():
        parts = [net(rgb[i : i + batch])[0][:, :2].mean(1) for i in range(0, len(rgb), batch)]
    found: npt.NDArray[np.float32] = torch.cat(parts).numpy()
    return found


class Trained:
    """A net from a folder."""

    def __init__(self, net: UNet, digest: str) -> None:
        self.net, self.digest = net, digest

    def segment(self, rgb: colour.Rgb) -> npt.NDArray[np.bool_]:
        """(rows, columns): the lesion of a picture, 128 x 128 x 3."""
        return np.asarray(probabilities(self.net, rgb[None])[0] > 0.5)


def load(folder: Path) -> Trained:
    """The net that :func:`train` left in a folder."""
    path = folder / fitting.LAST
    content = checkpoints.read(path)
    try:
        about = content["about"]
        net = UNet(int(about["width"]), border=about["border"])
        net.load_state_dict(content["state"])
    except (KeyError, TypeError, RuntimeError) as problem:
        raise ValueError(f"{path} is no U-Net of thermogram-study") from problem
    weights = float(sum(p.detach().double().abs().sum() for p in net.parameters()))
    return Trained(net.eval(), f"{weights!r}")
