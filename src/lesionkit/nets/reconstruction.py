"""`load`: a trained net, ready to turn readings and MR images into maps of chromophores."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.nets import checkpoints
from lesionkit.nets.framework import find_device, torch
from lesionkit.nets.layers import CHANNELS_LAST
from lesionkit.nets.linear_unet import LinearUNet
from lesionkit.nets.phantoms.missing import readings
from lesionkit.nets.phantoms.scaling import Scaling
from lesionkit.nets.ynet import YNet
from lesionkit.nets.znet import ZNet, ZNet3d, ZNetWithoutMRI
from lesionkit.optics.phantoms.recipe import PhantomRecipe

NETS: dict[str, Any] = {net.name: net for net in (ZNet, YNet, LinearUNet, ZNetWithoutMRI, ZNet3d)}
WEIGHTS = "weights.pt"
"""In the folder of a run: the net of its best epoch."""


@dataclass(frozen=True, eq=False)
class TrainedNet:
    """A net with the scaling of its data.

    Attributes
    ----------
    net : ZNet, YNet, LinearUNet, ZNetWithoutMRI or ZNet3d
        The net.
    scaling : Scaling
        Of the training phantoms.
    about : dict
        What the checkpoint says of its making.

    Examples
    --------
    >>> from lesionkit.nets import Scaling, TrainedNet, ZNet
    >>> from lesionkit.optics import PhantomRecipe, generate
    >>> recipe = PhantomRecipe(pixels=32, optodes=8, wavelengths=(785,))
    >>> phantoms = generate(recipe, 8, accuracy="fast")
    >>> scaling = Scaling.of(phantoms.signal, recipe, "fast")
    >>> untrained = TrainedNet(ZNet(wavelengths=1, pixels=32), scaling)
    >>> untrained.name, untrained.reconstruct(phantoms.signal, recipe, mri=phantoms.mri).shape
    ('znet', (8, 3, 32, 32))
    """

    net: Any
    scaling: Scaling
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the net, such as "znet"."""
        return str(self.net.name)

    @property
    def accuracy(self) -> Any:
        """Of the training phantoms, "accurate" or "fast"; None where nothing is known of them."""
        return self.about.get("data", {}).get("accuracy")

    def reconstruct(
        self,
        signals: Any,
        recipe: PhantomRecipe | None = None,
        *,
        mri: Any = None,
        missing: Sequence[int] = (),
        batch: int = 64,
    ) -> npt.NDArray[np.float32]:
        """Maps of chromophores from readings and MR images.

        Parameters
        ----------
        signals : (n, wavelengths, optodes, optodes - 1) array
            Amplitudes, mm^-1, in the store's order. NaN is a reading that is missing, which a net
            takes that was trained with such (`TrainingOptions.missing`).
        recipe : PhantomRecipe, optional
            Of the data; where it is given, its geometry and wavelengths are compared with those
            that the net was trained with.
        mri : (n, pixels, pixels) array, optional
            Gray values, as in the store (volumes of a net in three dimensions); a net without MRI
            does not look at them.
        missing : sequence of int, default ()
            Optodes, from 0, whose readings are not to be used, as source or as detector.
        batch : int, default 64
            Phantoms at once.

        Returns
        -------
        (n, 3, pixels, pixels) array of float32
            HbO and Hb in micromolar, water in per cent; 0 outside the disc. Of a net in three
            dimensions (n, 3, pixels, pixels, pixels).

        Raises
        ------
        TypeError, ValueError
            For another geometry, other wavelengths, another size or scale, and for NaN; without a
            recipe, for what the numbers themselves tell; for missing readings where the net never
            learned to do without, and where none is left.
        """
        batch = arrays.integer(batch, "batch", at_least=1)
        if recipe is not None:
            if not isinstance(recipe, PhantomRecipe):
                raise TypeError(f"recipe must be a PhantomRecipe, got {arrays.describe(recipe)}")
            self.scaling.check(recipe)
        there = self._there(signals, missing)
        if mri is None and self.net.guided:
            raise ValueError(f"mri must be given: this {self.name} is guided by it, got None")
        scaled = self.scaling.signals(signals, there)
        if self.net.guided:
            images = self.scaling.mri(mri)
        else:
            images = np.zeros((len(scaled), 1, *self.scaling.recipe.image_shape), np.float32)
        self.scaling.check_mix(scaled)
        if len(scaled) != len(images):
            raise ValueError(
                f"signals and mri must be of the same phantoms, got {len(scaled)} and {len(images)}"
            )
        out = np.empty((len(scaled), 3, *images.shape[2:]), np.float32)
        device = next(self.net.parameters()).device
        self.net.eval()
        with torch.inference_mode():
            for start in range(0, len(out), batch):
                here = slice(start, start + batch)
                given = (scaled, images) if there is None else (scaled, images, there)
                inputs = (torch.from_numpy(part[here]) for part in given)
                out[here] = self.scaling.maps(self.net(*(part.to(device) for part in inputs)))
        return out

    def _there(self, signals: Any, missing: Sequence[int]) -> npt.NDArray[np.bool_] | None:
        """Which readings there are; None: all of them, which is all that most nets know."""
        shape = self.scaling.reference.shape
        signals = np.asarray(signals)
        if not self.net.masked:
            if len(missing):
                raise ValueError(
                    f"missing must be empty: this {self.name} was trained on all optodes; one of "
                    "lesionkit train --missing does without some"
                )
            return None
        if signals.dtype.kind not in "fiu" or signals.shape[1:] != shape or signals.ndim != 4:
            return None  # `Scaling.signals` says what it must be
        there = readings(signals, missing, shape)
        return None if there.all() else there


def load(path: str | os.PathLike[str], device: str = "cpu") -> TrainedNet:
    """Read the net of a training run.

    No code that a file may hold is run.

    Parameters
    ----------
    path : str or path
        Of the run's folder, or of a checkpoint in it.
    device : str, default "cpu"
        "cpu", "auto" (a GPU if torch has one), "cuda", "cuda:1", ...

    Returns
    -------
    TrainedNet
        Ready to turn readings and MR images into maps.

    Raises
    ------
    FileNotFoundError
        Where there is none.
    ValueError
        For a damaged file or one of another format.

    Examples
    --------
    >>> from lesionkit import nets
    >>> net = nets.load("runs/znet")  # doctest: +SKIP
    >>> maps = net.reconstruct(phantoms.signal, mri=phantoms.mri)  # doctest: +SKIP
    """
    device_found = find_device(device)
    place = Path(path)
    file = place / WEIGHTS if place.is_dir() else place
    content = checkpoints.read(file)
    try:
        scaling = Scaling.from_state(content["scaling"])
        about = dict(content["about"])
        net = build(content["net"], scaling.recipe, masked="missing" in about["options"])
        net.load_state_dict(content["state"])
        about["data"]["seed"], about["split"]["test"]  # what an evaluation asks for
    except (KeyError, RuntimeError, TypeError, AttributeError):
        raise ValueError(f"{file} is a checkpoint of something else") from None
    net = net.to(device_found, memory_format=CHANNELS_LAST[net.axes])
    return TrainedNet(net.eval(), scaling, about)


def build(name: str, recipe: PhantomRecipe, *, masked: bool = False) -> Any:
    """A fresh net for data of this recipe; masked: of which readings may be missing."""
    arrays.one_of(name, "net", tuple(NETS))
    sizes = (len(recipe.wavelengths), recipe.pixels)
    if name in (LinearUNet.name, ZNet3d.name):
        return NETS[name](*sizes, optodes=recipe.optodes, masked=masked)
    return NETS[name](*sizes, masked=masked)


def check_axes(name: str, recipe: PhantomRecipe) -> None:
    """ValueError where a net has other dimensions than the data."""
    fitting = [known for known, net in NETS.items() if net.axes == recipe.axes]
    if name not in fitting:
        raise ValueError(
            f"net must be {' or '.join(fitting)} for phantoms in {recipe.axes} dimensions, got "
            f"{name}"
        )
