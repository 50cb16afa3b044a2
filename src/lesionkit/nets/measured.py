"""`reconstruct_measured`: a trained net on an instrument's files, the paper's last step.

An instrument's readings differ from the net's phantoms in three ways, which are taken away here:

strength  each reading is divided by that of a homogeneous object, and multiplied by what the net's
          own phantoms would read on tissue like that object's
place     the files' optodes are found among the net's by a turn and a shift; maps are turned back
gray      an MR image is scaled so that the median of the tissue is the background of the phantoms

What is missing, or flagged as bad, is told to the net by its mask.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from lesionkit import arrays
from lesionkit.nets.reconstruction import TrainedNet
from lesionkit.optics import spectra
from lesionkit.optics.mesh.mesh import Mesh
from lesionkit.optics.phantoms.factory import PhantomFactory
from lesionkit.optics.readings import placement
from lesionkit.optics.readings.placement import Motion
from lesionkit.optics.readings.readings import Readings
from lesionkit.optics.reconstruction.calibration import HUBER, MAX_MOVE, Calibration, calibrate
from lesionkit.optics.reconstruction.images import pixel_middles, sampled, square

Floats = npt.NDArray[np.float64]

MAX_OFF = 1.5
"""mm by which optodes and outline may differ from the net's: 0.5 mm is what light falls by a tenth
in, and most of it is calibrated away."""


@dataclass(frozen=True, eq=False)
class NetMaps:
    """What :func:`reconstruct_measured` found.

    Attributes
    ----------
    maps : (3, pixels, pixels) array of float32
        HbO and Hb, micromolar, and water, per cent, in the net's frame; 0 outside.
    mesh : Mesh
        Of the files.
    wavelengths : (wavelengths,) array
        nm, those that the net was given.
    left_out : (n,) array
        nm, those of the files that the net never learned.
    readings : (wavelengths of the net, optodes, optodes - 1) array of bool
        Those that the net was given.
    reference_tissue : dict of str to float
        What the homogeneous record is made of.
    moved : dict of str to (n,) array
        As of :class:`lesionkit.optics.Measured`.
    off : float
        mm between an optode of the files and the net's, the most.
    motion : Motion
        Of the files' frame onto the net's.
    inside : (pixels, pixels) array of bool
        The net's pixels.
    half : float
        mm, half a side of them all.

    Examples
    --------
    >>> from lesionkit import nets
    >>> made = nets.reconstruct_measured(net, "a.paa", "homog.paa")  # doctest: +SKIP
    >>> made.turned, made.left_out  # doctest: +SKIP
    """

    maps: npt.NDArray[np.float32]
    mesh: Mesh
    wavelengths: Floats
    left_out: Floats
    readings: npt.NDArray[np.bool_]
    reference_tissue: dict[str, float]
    moved: dict[str, Floats]
    off: float
    motion: Motion
    inside: npt.NDArray[np.bool_]
    half: float

    @property
    def turned(self) -> float:
        """Degrees by which the files' frame was turned counter-clockwise onto the net's."""
        return self.motion.degrees

    def pixels(self, count: int = 100) -> tuple[dict[str, Floats], tuple[float, ...]]:
        """The maps as images over the files' mesh: square pixels around its middle.

        Parameters
        ----------
        count : int, default 100
            Rows and columns, 1 to 10,000.

        Returns
        -------
        images : dict of str to (count, count) array
            "hbo", "hb" and "water", row 0 at the top; NaN outside the mesh.
        extent : tuple of float
            (left, right, bottom, top), mm.

        Raises
        ------
        TypeError, ValueError
            Where `count` is out of range.
        """
        count = arrays.integer(count, "count", at_least=1, at_most=10_000)
        points, extent = pixel_middles(self.mesh, count, count)
        within = self.mesh.locate(points)[0] >= 0
        places = self.motion.there(points[within])
        nearest = ndimage.distance_transform_edt(
            ~self.inside, return_distances=False, return_indices=True
        )
        images = {}
        for name, image in zip(spectra.CHROMOPHORES, self.maps, strict=True):
            values = np.full(count * count, np.nan)
            values[within] = sampled(image[tuple(nearest)], places, (0.0, 0.0), self.half)
            images[name] = values.reshape(count, count)
        return images, extent


def reconstruct_measured(
    net: TrainedNet,
    data: str | os.PathLike[str] | Readings,
    reference: str | os.PathLike[str] | Readings,
    mesh: str | os.PathLike[str] | None = None,
    *,
    image: npt.ArrayLike | None = None,
    missing: Sequence[int] = (),
    mask: npt.ArrayLike | None = None,
    frequency: float | None = None,
    reference_tissue: Mapping[str, float] | None = None,
    max_move: float = MAX_MOVE,
    extinction: str | npt.ArrayLike | None = None,
) -> NetMaps:
    """Maps of HbO, Hb and water of a measured object by a trained net.

    The object must have the outline and optodes that the net learned, turned or shifted as it may
    be, and wavelengths of which the net knows some. Amplitudes of modulated light are taken for
    those of continuous light, with a warning.

    Parameters
    ----------
    net : TrainedNet
        Of :func:`load`.
    data, reference, mesh : str or path
        Files as of :func:`lesionkit.optics.reconstruct_measured`.
    image : (rows, columns) array, optional
        Gray values of an MR image, row 0 at the top, of a square around the mesh's middle that is
        as wide as the mesh; scaled so that the tissue's median is the background's gray value of
        the net's phantoms.
    missing : sequence of int, default ()
        Optodes, by their numbers in the files (from 1), that are not to be used.
    mask : (wavelengths, pairs) array of bool, optional
        Readings to use, in the order of `data`.
    frequency, reference_tissue, max_move, extinction : arguments
        As of :func:`lesionkit.optics.reconstruct_measured`.

    Returns
    -------
    NetMaps
        Maps, and what was used.

    Raises
    ------
    FileNotFoundError
        Where there is no file.
    TypeError, ValueError
        Where the net never learned the like: another outline, optodes elsewhere, other wavelengths,
        missing readings of a net that was trained on all; and as of
        :func:`lesionkit.optics.reconstruct_measured`.

    References
    ----------
    Feng et al., Optica 9(3), 264-267, 2022, Figs. 3 and 4.

    Examples
    --------
    >>> from lesionkit import nets
    >>> net = nets.load("runs/znet")  # doctest: +SKIP
    >>> made = nets.reconstruct_measured(net, "a.paa", "homog.paa", image=mri)  # doctest: +SKIP
    >>> images, extent = made.pixels(100)  # doctest: +SKIP
    """
    if not isinstance(net, TrainedNet):
        raise TypeError(f"net must be a TrainedNet, got {arrays.describe(net)}")
    recipe = net.scaling.recipe
    if recipe.solid:
        raise ValueError(f"net must be of two dimensions for measured data, got a {net.name}")
    calibration = calibrate(
        data,
        reference,
        mesh,
        frequency=frequency,
        reference_tissue=reference_tissue,
        maps=("hbo",),
        mask=mask,
        sigma=None,
        robust=HUBER,
        max_move=max_move,
        extinction=extinction,
        missing=missing,
    )
    if calibration.mesh.solid:
        raise ValueError(f"mesh must be of triangles for a net, got {calibration.mesh!r}")
    motion, sources, detectors, off = _placed(calibration, recipe)
    signal = _signal(calibration, net, sources, detectors)
    there = ~np.isnan(signal)
    if not net.net.masked and not there.all():
        raise ValueError(
            f"this {net.name} was trained with all readings: data must have those of "
            f"{recipe.optodes} optodes at {', '.join(f'{nm:g}' for nm in recipe.wavelengths)} nm, "
            f"got {int((~there).sum())} of {there.size} that are missing; a net of lesionkit "
            "train --missing does without some"
        )
    if calibration.model.frequency:
        warnings.warn(
            f"amplitudes of light modulated at {calibration.model.frequency / 1e6:g} MHz are taken "
            "for those of continuous light, which the net learned",
            stacklevel=2,
        )
    _warn_of_tissue(calibration.tissue, recipe)
    gray = None if image is None else _gray(image, calibration.mesh, motion, recipe)
    maps = net.reconstruct(signal[None], mri=gray)[0]
    known = np.isin(calibration.wavelengths, recipe.wavelengths)
    return NetMaps(
        maps,
        calibration.mesh,
        calibration.wavelengths[known],
        calibration.wavelengths[~known],
        there,
        calibration.tissue,
        calibration.moved,
        off,
        motion,
        recipe.inside,
        recipe.radius,
    )


def _placed(calibration: Calibration, recipe: Any) -> tuple[Motion, Any, Any, float]:
    """The motion onto the net's frame, the numbers there of sources and detectors, and mm off."""
    which = [np.unique(column) for column in calibration.pairs.T]
    rims = [rim.places[some] for rim, some in zip(calibration.rims, which, strict=True)]
    motion, nearest, off = placement.find(np.concatenate(rims), recipe.positions, MAX_OFF)
    learned = f"{recipe.optodes} optodes on {recipe.outline_text}"
    if off > MAX_OFF:
        raise ValueError(
            f"data must have their optodes where the net learned them, {learned}: no turn and "
            f"shift brings all of them nearer than {off:.3g} mm, {MAX_OFF:g} are accepted"
        )
    numbers = []
    each = zip(calibration.rims, which, np.split(nearest, [len(which[0])]), strict=True)
    for name, (rim, some, at) in zip(("sources", "detectors"), each, strict=True):
        if len(np.unique(at)) < len(at):
            raise ValueError(
                f"data must have their {name} at different ones of {learned}, got two at one"
            )
        column = np.full(len(rim.places), -1)
        column[some] = at
        numbers.append(column)
    outline = calibration.mesh.nodes[calibration.mesh.boundary[:, 0]]
    edge = recipe.distance_to_rim(motion.there(outline))
    if edge.max() > MAX_OFF:
        raise ValueError(
            f"data must be of the outline that the net learned, {recipe.outline_text}: the rim of "
            f"the mesh is up to {edge.max():.3g} mm off, {MAX_OFF:g} are accepted"
        )
    return motion, numbers[0], numbers[1], off


def _signal(calibration: Calibration, net: TrainedNet, sources: Any, detectors: Any) -> Floats:
    """(wavelengths, optodes, optodes - 1) mm^-1 in the net's order; NaN where there is none."""
    recipe = net.scaling.recipe
    learned = {nm: number for number, nm in enumerate(recipe.wavelengths)}
    count = recipe.optodes
    signal = np.full((len(learned), count, count - 1), np.nan)
    s, d = sources[calibration.pairs[:, 0]], detectors[calibration.pairs[:, 1]]
    apart = s != d  # no net learned what an optode reads of itself
    s, j = s[apart], (d - s - 1)[apart] % count
    models = PhantomFactory(recipe, 0, accuracy=net.accuracy).models
    ratio = np.abs(calibration.signal / calibration.reference)
    for row, nm in enumerate(calibration.wavelengths.tolist()):
        if nm not in learned:
            continue
        model = models[learned[nm]]
        mua, mus = (
            np.full(len(model.mesh.nodes), x[row]) for x in (calibration.mua, calibration.mus)
        )
        readings = model.measure(mua, mus)
        values = ratio[row, apart] * readings[s, (s + 1 + j) % count]
        values[~calibration.used[row, apart]] = np.nan
        signal[learned[nm], s, j] = values
    if np.isnan(signal).all():
        wanted = ", ".join(f"{nm:g}" for nm in recipe.wavelengths)
        raise ValueError(
            f"data must have readings at wavelengths that the net learned, {wanted} nm, got "
            f"{', '.join(f'{nm:g}' for nm in calibration.wavelengths)}"
        )
    return signal


def _warn_of_tissue(tissue: Mapping[str, float], recipe: Any) -> None:
    """Warn where the homogeneous object is of tissue that the net never saw: so may the object."""
    ranges = {
        "hbo": recipe.hbo,
        "hb": recipe.hb,
        "water": recipe.water,
        "amplitude": recipe.scattering_amplitude,
        "power": recipe.scattering_power,
    }
    beyond = [
        f"{name} {tissue[name]:.3g} ({low:g} to {high:g})"
        for name, (low, high) in ranges.items()
        if not low <= tissue[name] <= high
    ]
    if beyond:
        warnings.warn(
            "the homogeneous object is of other tissue than the backgrounds that the net learned: "
            + ", ".join(beyond),
            stacklevel=3,
        )


def _gray(image: npt.ArrayLike, mesh: Mesh, motion: Motion, recipe: Any) -> Floats:
    """(1, pixels, pixels) gray values in the net's frame, of the phantoms' scale."""
    values = arrays.real(image, "image", ("rows", "columns"))
    if not values.size:
        raise ValueError(f"image must have pixels, got shape {values.shape}")
    gray = sampled(values, motion.back(recipe.pixel_middles), *square(mesh))
    gray = gray.reshape(recipe.pixels, recipe.pixels)
    median = float(np.median(gray[recipe.inside]))
    if not median > 0:
        raise ValueError(
            f"image must have gray values above 0 in most of the tissue, got a median of {median:g}"
        )
    scaled: Floats = np.clip(gray * (recipe.mri_gray[0] / median), 0, 255) * recipe.inside
    return scaled[None]
