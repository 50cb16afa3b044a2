"""`Scaling`: how readings, MRI and maps become numbers of size one for a net, and back.

signals  ln(amplitude / reference) / spread, mixed over the wavelengths. The reference is the
         reading, without noise, of a homogeneous disc of the recipe's middle tissue; the spread,
         the standard deviation of the training phantoms for each wavelength and each place of a
         detector beside its source. Nine wavelengths go up and down together: what tells HbO from
         Hb is a thousandth of their variance. The mixing makes them uncorrelated, of variance 1,
         and is the symmetric matrix that does (ZCA; Bell and Sejnowski, Vision Research 37,
         3327-3338, 1997).
MRI      (gray - background) / (inclusion - background), with the gray values of the recipe.
maps     divided by the upper end of the recipe's background: tissue is about 1, outside is 0.

It travels in the checkpoint, so a net knows what it was trained on, and refuses other data.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.nets.framework import torch
from lesionkit.nets.phantoms.missing import filled
from lesionkit.optics.phantoms.factory import Accuracy
from lesionkit.optics.phantoms.recipe import PhantomRecipe
from lesionkit.optics.phantoms.solid_factory import factory_of
from lesionkit.optics.phantoms.store.layout import region_kind

Floats = npt.NDArray[np.float32]

GEOMETRY = (
    *("shape", "radius", "height", "optodes", "outline", "pixels", "wavelengths"),
    *("nominal_scattering", "refractive_index", "extinction"),
)
"""Fields of a recipe in which data must be those that a net was trained on."""

OTHER_SCALE = 1.0
"""How far beyond the training phantoms' the mean ln(amplitude / reference) of the detectors next to
their sources may be. There tissue changes little: a factor of e more is another unit."""

OTHER_MIX = 8.0
"""How far from 0 the mean of a scaled component over all sources and detectors may be. In training
phantoms it is at most 3, in tissue of twice their range 5; with two wavelengths that have changed
places, 5 to 30."""

MIN_VARIANCE = 1e-5
"""Of the wavelengths' components, by the greatest, that is still taken for a signal."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """What a net must know of its data: how they become numbers of size one, and back.

    The module's text has the formulas.

    Attributes
    ----------
    recipe : PhantomRecipe
        Of the training phantoms.
    reference : (wavelengths, optodes, optodes - 1) array of float32
        ln(mm^-1).
    spread : (wavelengths, 1, optodes - 1) array of float32
        Standard deviations of ln(amplitude / reference).
    mixing : (wavelengths, wavelengths) array of float32
        Symmetric.
    near : tuple of float
        Least and greatest mean of ln(amplitude / reference) of neighbouring optodes.

    Examples
    --------
    >>> from lesionkit.nets import Scaling
    >>> from lesionkit.optics import PhantomRecipe, generate
    >>> recipe = PhantomRecipe(pixels=32, optodes=8, wavelengths=(785,))
    >>> phantoms = generate(recipe, 8, accuracy="fast")
    >>> scaling = Scaling.of(phantoms.signal, recipe, "fast")
    >>> scaled = scaling.signals(phantoms.signal)
    >>> scaled.shape, round(float(scaled.std()), 1)
    ((8, 1, 8, 7), 1.0)
    """

    recipe: PhantomRecipe
    reference: Floats
    spread: Floats
    mixing: Floats
    near: tuple[float, float]

    @classmethod
    def of(cls, signals: Floats, recipe: PhantomRecipe, accuracy: Accuracy) -> Scaling:
        """Find the scaling of training phantoms.

        Parameters
        ----------
        signals : (n, wavelengths, optodes, optodes - 1) array
            mm^-1, above 0.
        recipe : PhantomRecipe
            Of the phantoms.
        accuracy : {"accurate", "fast"}
            Of the phantoms.

        Returns
        -------
        Scaling
            Of these data.

        Raises
        ------
        TypeError, ValueError
            Where signals are not above 0.
        """
        reference = homogeneous_reference(recipe, accuracy)
        log = _logarithm(signals) - reference
        spread = log.std(axis=(0, 2), keepdims=True)[0]
        spread = np.where(spread > 0, spread, 1).astype(np.float32)
        near = _near(log)
        mixing = _whitening(np.moveaxis(log / spread, 1, 0))
        return cls(recipe, reference, spread, mixing, (float(near.min()), float(near.max())))

    @property
    def map_units(self) -> Floats:
        """Micromolar, micromolar and per cent that are 1 to the net, (3, 1, 1) or (3, 1, 1, 1)."""
        highest = [high or 1.0 for _, high in (self.recipe.hbo, self.recipe.hb, self.recipe.water)]
        return np.array(highest, np.float32).reshape(3, *[1] * self.recipe.axes)

    def check(self, recipe: PhantomRecipe) -> None:
        """Refuse data of another geometry.

        Parameters
        ----------
        recipe : PhantomRecipe
            Of the data.

        Raises
        ------
        ValueError
            Where they differ; the message names the fields.
        """
        differ = [
            f"{name} is {getattr(recipe, name)!r}, it was trained with "
            f"{getattr(self.recipe, name)!r}"
            for name in GEOMETRY
            if getattr(recipe, name) != getattr(self.recipe, name)
        ]
        if differ:
            raise ValueError(f"this net cannot read such data: {'; '.join(differ)}")

    def signals(self, signals: Any, there: Any = None) -> Floats:
        """Scale readings.

        Parameters
        ----------
        signals : (n, wavelengths, optodes, optodes - 1) array
            mm^-1.
        there : array of bool, of the same shape, optional
            Which readings there are; None: all of them. What the others hold is not looked at.

        Returns
        -------
        array of float32, of the same shape
            Scaled.

        Raises
        ------
        TypeError, ValueError
            For another shape, for NaN, for what is not above 0, and for readings in another unit.
        """
        shape = ("n", *self.reference.shape)
        if there is not None:
            signals = np.where(there, signals, np.exp(self.reference))
        given = arrays.real(signals, "signals", shape, "mm^-1", above=0, keep_float32=True)
        log = _logarithm(given) - self.reference
        low, high = self.near[0] - OTHER_SCALE, self.near[1] + OTHER_SCALE
        near = _near(log) if there is None else _near_known(log, there)
        if near.size and not (low <= near.min() and near.max() <= high):
            worst = near[np.argmax(np.abs(near - sum(self.near) / 2))]
            raise ValueError(
                "signals must be amplitudes in mm^-1 of a source of strength 1, calibrated by a "
                f"homogeneous disc: beside the sources they are {np.exp(worst):.3g} times those of "
                f"the reference, the net knows {np.exp(low):.3g} to {np.exp(high):.3g}"
            )
        values = log / self.spread
        if there is not None:
            values = filled(values, there).astype(np.float32)
        scaled: Floats = np.einsum("vw,nwsj->nvsj", self.mixing, values, optimize=True)
        return np.ascontiguousarray(scaled)

    def check_mix(self, scaled: Floats) -> None:
        """Refuse scaled signals of other wavelengths, or of these in another order.

        What they have in common is then not what it was in training.

        Parameters
        ----------
        scaled : (n, wavelengths, optodes, optodes - 1) array
            Of :meth:`signals`.

        Raises
        ------
        ValueError
            Where it is so.
        """
        far = np.abs(scaled.mean(axis=(2, 3))).max(axis=1)
        if far.size and far.max() > OTHER_MIX:
            raise ValueError(
                f"signals must be of {self.recipe.wavelengths} nm in this order, in mm^-1: those "
                f"of phantom {far.argmax()} are {far.max():.3g} standard deviations from the "
                "training phantoms'"
            )

    def mri(self, mri: Any) -> Floats:
        """Scale MR images.

        Parameters
        ----------
        mri : (n, pixels, pixels) array
            Gray values; the tissue's median must be within half and double the recipe's background.

        Returns
        -------
        (n, 1, pixels, pixels) array of float32
            Scaled.

        Raises
        ------
        TypeError, ValueError
            For another size, for NaN, and for gray values of another scale.
        """
        shape: tuple[int | str, ...] = ("n", *self.recipe.image_shape)
        if not (isinstance(mri, np.ndarray) and mri.dtype == np.uint8):
            mri = arrays.real(mri, "mri", shape, "gray", keep_float32=True)
        arrays.check_shape(mri, "mri", shape)
        background, inclusion = self.recipe.mri_gray
        if len(mri) and background > 0:
            median = np.median(mri[:, self.recipe.inside], axis=1)
            worst = median[np.argmax(np.abs(np.log(np.maximum(median, 1e-6) / background)))]
            if not background / 2 <= worst <= background * 2:
                raise ValueError(
                    f"mri must have the gray values of the training phantoms, tissue about "
                    f"{background:g}, got a median of {worst:g}"
                )
        step = inclusion - background or 1.0
        scaled = (np.asarray(mri, np.float32) - np.float32(background)) / np.float32(step)
        return scaled[:, None]

    def targets(self, maps: Floats) -> Floats:
        """Scale maps.

        Parameters
        ----------
        maps : (n, 3, pixels, pixels) array
            In the store's units.

        Returns
        -------
        (n, 3, pixels, pixels) array of float32
            Scaled.
        """
        return np.asarray(maps, np.float32) / self.map_units

    def maps(self, outputs: Any) -> Floats:
        """Turn the net's answer back into maps.

        Parameters
        ----------
        outputs : (n, 3, pixels, pixels) tensor
            Of the net.

        Returns
        -------
        (n, 3, pixels, pixels) array of float32
            In the store's units; 0 outside the disc.
        """
        out: Floats = outputs.float().cpu().numpy() * self.map_units
        out *= self.recipe.inside
        return out

    def state(self) -> dict[str, Any]:
        """The scaling as tensors and plain values, for a checkpoint.

        Returns
        -------
        dict
            What :meth:`from_state` reads.
        """
        return {
            "recipe": self.recipe.to_dict(),
            "reference": torch.from_numpy(self.reference),
            "spread": torch.from_numpy(self.spread),
            "mixing": torch.from_numpy(self.mixing),
            "near": list(self.near),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Scaling:
        """Make a scaling of what :meth:`state` gave.

        Parameters
        ----------
        state : dict
            From a checkpoint.

        Returns
        -------
        Scaling
            The same.

        Raises
        ------
        TypeError, ValueError
            Where the recipe in it is refused.
        """
        low, high = state["near"]
        recipe = PhantomRecipe.from_dict(state["recipe"])
        names = ("reference", "spread", "mixing")
        reference, spread, mixing = (state[name].cpu().numpy() for name in names)
        return cls(recipe, reference, spread, mixing, (low, high))


def homogeneous_reference(recipe: PhantomRecipe, accuracy: Accuracy) -> Floats:
    """(wavelengths, optodes, optodes - 1) ln(mm^-1): readings of the middle of the ranges."""
    factory = factory_of(replace(recipe, signal_noise=0), 0, accuracy=accuracy)
    ranges = (recipe.hbo, recipe.hb, recipe.water)
    tissue = [*ranges, recipe.scattering_amplitude, recipe.scattering_power]
    place = [0.0] * (len(region_kind(recipe)._fields) - len(tissue))
    row = [*place, *((low + high) / 2 for low, high in tissue)]
    regions = np.array([[row] * 3])  # inclusions without size
    return _logarithm(factory.measure(regions, 0)[0])


def _whitening(values: Floats) -> Floats:
    """The symmetric matrix that makes the rows of (rows, ...) uncorrelated and of variance 1."""
    covariance = np.cov(values.reshape(len(values), -1), dtype=np.float64).reshape(
        2 * [len(values)]
    )
    strength, vectors = np.linalg.eigh(covariance)
    # Without noise the least would be rounding: it is not blown up beyond this.
    strength = np.maximum(strength, strength.max() * MIN_VARIANCE or 1)
    mixing: Floats = ((vectors / np.sqrt(strength)) @ vectors.T).astype(np.float32)
    return mixing


def _logarithm(signals: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        log: Floats = np.log(signals, dtype=np.float32)
    if not np.isfinite(log).all():
        bad = int(np.count_nonzero(~np.isfinite(log)))
        raise ValueError(f"signals must be finite and above 0 mm^-1, got {bad} that are not")
    return log


def _near_known(log: Floats, there: Any) -> Floats:
    """As `_near`, of the readings that are there; a phantom without any such is left out."""
    beside, known = log[..., [0, -1]], there[..., [0, -1]]
    count = known.sum(axis=(1, 2, 3))
    total = (beside * known).sum(axis=(1, 2, 3))
    near: Floats = total[count > 0] / count[count > 0]
    return near


def _near(log: Floats) -> Floats:
    """(n,): the mean over wavelengths and sources of the two neighbours of each source."""
    near: Floats = log[..., [0, -1]].mean(axis=(1, 2, 3))
    return near
