"""Strokes planted into the MNI152 brain: diffusion-weighted slices whose lesions are known exactly.

There is no public set of DWI slices with the four kinds of stroke of Noor's thesis (2020). Here
real lesion shapes (SOOP) are given the contrast of each kind and laid into one average brain. It
tests code and separates what can be told apart from what cannot; it is no clinical evidence.

Signals: S = S0 exp(-b D), b = 1000 s/mm^2. S0 is relative to white matter, D in 1e-3 mm^2/s.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import arrays, io

Real = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class Kind(NamedTuple):
    """What a kind of stroke looks like inside.

    Attributes
    ----------
    s0 : float
        Signal without diffusion weighting, as a factor to mixed white and grey matter.
    diffusivity : float
        1e-3 mm^2/s.
    fluid : bool
        It has turned to fluid, and swallows the CSF it lies in.
    rim : float or None
        S0 of a bright rim.

    Examples
    --------
    >>> from lesionkit.studies.stroke import plant
    >>> plant.KINDS["acute_hemorrhage"].rim
    1.7
    """

    s0: float
    diffusivity: float
    fluid: bool = False
    rim: float | None = None


# What each kind is known to look like on DWI, in the order of the class numbers.
KINDS = {
    "acute_ischemic": Kind(1.15, 0.45),
    "sub_acute_ischemic": Kind(1.45, 0.80),
    "chronic_ischemic": Kind(2.0, 2.0, fluid=True),
    "acute_hemorrhage": Kind(0.40, 0.65, rim=1.7),
}
WHITE, GREY, FLUID = (1.0, 0.75), (1.25, 0.85), (3.0, 3.0)  # S0 and D of the healthy tissues

# A lesion's S0 is its factor times that of mixed white and grey matter. The factor alone, as if to
# white matter, makes lesions 10 % darker than those of the 60 given phantoms, in all four kinds.
TISSUE = 1.1

SCALE = 160.0  # grey levels of S0 = 1
NOISE = SCALE * np.exp(-0.75) / 15  # SD: a 15th of white matter's signal
EDGE = 0.8  # pixels, SD: lesions fade into the tissue, and the scanner blurs both
PATCHES = 3.0  # pixels, SD: of a lesion's unevenness
UNEVEN = 0.11  # SD of S0 and of D, as a fraction
# Of the coil, as shares: SD from slice to slice, SD within one, together 12 % at three SD; pixels.
GAIN, BIAS, BIAS_WIDTH = 0.03, 0.027, 45.0
LARGE = 0.8  # of the largest: planes in which a shape is planted
MIN_SHAPE = 340  # pixels in its largest plane, as in the given phantoms
MIN_PIXELS = 100  # pixels of a planted lesion


@dataclass(frozen=True)
class Template:
    """Fractions of tissue in a healthy brain, 0 to 1, of 1 mm voxels.

    Attributes
    ----------
    white, grey : (planes, rows, columns) array of float32
        White and grey matter; the rest is fluid.
    brain : (planes, rows, columns) array of bool
        The brain.

    Raises
    ------
    ValueError
        Where shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.stroke import plant
    >>> row, column = np.ogrid[:64, :64]
    >>> brain = (np.hypot(row - 32, column - 32) < 28)[None]
    >>> template = plant.Template(np.float32(0.6 * brain), np.float32(0.4 * brain), brain)
    >>> outline = (np.hypot(row - 28, column - 40) < 8)[None]
    >>> shape = plant.Shape("patient 1", outline, np.array([0]))
    >>> template.white.shape
    (1, 64, 64)
    """

    white: npt.NDArray[np.float32]
    grey: npt.NDArray[np.float32]
    brain: Mask

    def __post_init__(self) -> None:
        for name in ("white", "grey", "brain"):
            value = getattr(self, name)
            arrays.check_shape(np.asarray(value), name, ("planes", "rows", "columns"))
            if value.shape != self.white.shape:
                raise ValueError(
                    f"{name} must have the shape of white, {self.white.shape}, got {value.shape}"
                )


@dataclass(frozen=True)
class Shape:
    """A real lesion's outlines in its larger planes, where they lie in the template.

    Attributes
    ----------
    name : str
        Of the patient.
    outlines : (outlines, rows, columns) array of bool
        The outlines.
    planes : (outlines,) array of int
        Of the template.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.stroke import plant
    >>> row, column = np.ogrid[:64, :64]
    >>> brain = (np.hypot(row - 32, column - 32) < 28)[None]
    >>> template = plant.Template(np.float32(0.6 * brain), np.float32(0.4 * brain), brain)
    >>> outline = (np.hypot(row - 28, column - 40) < 8)[None]
    >>> shape = plant.Shape("patient 1", outline, np.array([0]))
    >>> shape.outlines.sum().item()
    193
    """

    name: str
    outlines: Mask
    planes: npt.NDArray[np.intp]


@dataclass(frozen=True)
class Planted:
    """A slice with one planted stroke.

    Attributes
    ----------
    dwi : (rows, columns) array of uint8
        Grey levels.
    adc : (rows, columns) array of uint16
        1e-6 mm^2/s, 0 outside the brain.
    mask : (rows, columns) array of bool
        The lesion, exactly.
    kind : str
        A key of KINDS.
    shape : str
        Of which patient: the group that a split must keep together.
    plane : int
        Of the template.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.stroke import plant
    >>> row, column = np.ogrid[:64, :64]
    >>> brain = (np.hypot(row - 32, column - 32) < 28)[None]
    >>> template = plant.Template(np.float32(0.6 * brain), np.float32(0.4 * brain), brain)
    >>> outline = (np.hypot(row - 28, column - 40) < 8)[None]
    >>> shape = plant.Shape("patient 1", outline, np.array([0]))
    >>> plant.plant(template, [shape], item=3).kind
    'acute_hemorrhage'
    """

    dwi: npt.NDArray[np.uint8]
    adc: npt.NDArray[np.uint16]
    mask: Mask
    kind: str
    shape: str
    plane: int


def data_folder(path: str | os.PathLike[str] | None = None) -> Path:
    """The folder that holds `stroke_dwi` and `misc`.

    Parameters
    ----------
    path : str or path, optional
        None: `data` in the folder that LESIONKIT_DATA names.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ValueError
        Where there is no such folder.

    Examples
    --------
    >>> from lesionkit.studies.stroke import plant
    >>> plant.data_folder("/data")  # doctest: +SKIP
    """
    if path is None:
        root = os.environ.get("LESIONKIT_DATA")
        if not root:
            raise ValueError(
                "path (--data) must be the folder that holds stroke_dwi and misc; got None, and "
                "LESIONKIT_DATA is not set"
            )
        path = Path(root) / "data"
    for needed in ("stroke_dwi/soop_lesion_masks", "misc/mni152_nilearn"):
        if not (Path(path) / needed).is_dir():
            raise ValueError(f"path must be a folder with {needed} in it, got {str(path)!r}")
    return Path(path)


def read_template(path: str | os.PathLike[str] | None = None) -> Template:
    """Read the MNI152 (2009a, symmetric) tissue maps.

    Parameters
    ----------
    path : str or path, optional
        As for :func:`data_folder`.

    Returns
    -------
    Template
        Rows from front to back, the image's left first.

    Raises
    ------
    ValueError
        Where a file is not there or cannot be read.

    Examples
    --------
    >>> from lesionkit.studies.stroke import plant
    >>> template = plant.read_template("/data")  # doctest: +SKIP
    """

    def read(name: str) -> npt.NDArray[np.float32]:
        file = data_folder(path) / "misc/mni152_nilearn" / f"mni_icbm152_{name}_converted.nii.gz"
        return np.asarray(_seen(io.read_image(file).values) / np.float32(255))

    return Template(
        read("wm_tal_nlin_sym_09a"),
        read("gm_tal_nlin_sym_09a"),
        read("t1_tal_nlin_sym_09a") > 0,
    )


def read_shapes(template: Template, path: str | os.PathLike[str] | None = None) -> list[Shape]:
    """Read the SOOP lesion masks, moved into the template.

    They start 20, 22 and 22 voxels (x, y, z) inside the template.

    Parameters
    ----------
    template : Template
        The brain.
    path : str or path, optional
        As for :func:`data_folder`.

    Returns
    -------
    list of Shape
        In the order of their names.

    Raises
    ------
    ValueError
        Where there are no masks, or one cannot be read.

    References
    ----------
    Absher et al., Sci. Data 11, 2024.

    Examples
    --------
    >>> from lesionkit.studies.stroke import plant
    >>> shapes = plant.read_shapes(plant.read_template("/data"), "/data")  # doctest: +SKIP
    """
    files = sorted((data_folder(path) / "stroke_dwi/soop_lesion_masks").glob("*_lesion.nii.gz"))
    if not files:
        raise ValueError("path must hold lesion masks named *_lesion.nii.gz, got none")
    _planes, rows, columns = template.white.shape
    shapes = []
    for file in files:
        lesion = io.read_mask(file).values
        sizes = lesion.sum((1, 2))
        if sizes.max() < MIN_SHAPE:
            continue
        name = file.name.removeprefix("bwsr").removesuffix("_lesion.nii.gz")
        large = np.flatnonzero(sizes >= LARGE * sizes.max())
        whole = np.zeros((len(large), rows, columns), bool)
        whole[:, 22 : 22 + lesion.shape[1], 20 : 20 + lesion.shape[2]] = lesion[large]
        shapes.append(Shape(name, _seen(whole), large + 22))
    return shapes


def _seen(volume: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A volume whose rows go to the front, with the front at the top."""
    return np.ascontiguousarray(volume[:, ::-1])


def plant(template: Template, shapes: Sequence[Shape], item: int, seed: int = 0) -> Planted:
    """Item `item` of the endless set `seed`: the same alone, or after any others.

    Kinds take turns, and each shape is given all kinds before the next shape comes; after the last
    the first comes again. The plane is drawn among the shape's, and whether it is mirrored.

    Parameters
    ----------
    template : Template
        The brain.
    shapes : sequence of Shape
        One or more.
    item : int
        0 or more.
    seed : int, default 0
        0 or more.

    Returns
    -------
    Planted
        A slice with its lesion.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, or less than 100 pixels of an outline lie inside the
        brain.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.stroke import plant
    >>> row, column = np.ogrid[:64, :64]
    >>> brain = (np.hypot(row - 32, column - 32) < 28)[None]
    >>> template = plant.Template(np.float32(0.6 * brain), np.float32(0.4 * brain), brain)
    >>> outline = (np.hypot(row - 28, column - 40) < 8)[None]
    >>> shape = plant.Shape("patient 1", outline, np.array([0]))
    >>> one = plant.plant(template, [shape], item=0)
    >>> one.kind, (one.dwi[one.mask].mean() > one.dwi[brain[0] & ~one.mask].mean()).item()
    ('acute_ischemic', True)
    """
    item = arrays.integer(item, "item", at_least=0)
    seed = arrays.integer(seed, "seed", at_least=0)
    if not shapes:
        raise ValueError("shapes must hold at least one shape, got none")
    rng = np.random.default_rng([seed, item])
    kind = list(KINDS)[item % len(KINDS)]
    shape = shapes[item // len(KINDS) % len(shapes)]
    if shape.outlines.shape[1:] != template.brain.shape[1:]:
        raise ValueError(
            f"shapes must be of the template's planes, {template.brain.shape[1:]}, got "
            f"{shape.outlines.shape[1:]} for {shape.name}"
        )
    drawn = rng.integers(len(shape.planes))
    plane, outline = int(shape.planes[drawn]), shape.outlines[drawn]
    if rng.random() < 0.5:
        outline = outline[:, ::-1]
    brain = template.brain[plane]
    lesion = _smoothed(outline) & brain
    if lesion.sum() < MIN_PIXELS:
        raise ValueError(
            f"shapes must have {MIN_PIXELS} pixels inside the brain, got {int(lesion.sum())} for "
            f"{shape.name} in plane {plane}"
        )
    dwi, adc = _scan(template.white[plane], template.grey[plane], brain, lesion, KINDS[kind], rng)
    return Planted(dwi, adc, lesion, kind, shape.name, plane)


def _smoothed(outline: Mask) -> Mask:
    """Closed and opened by a pixel: warping left holes and spurs."""
    from scipy import ndimage

    return np.asarray(ndimage.binary_opening(ndimage.binary_closing(outline)))


def _scan(
    white: npt.NDArray[np.float32],
    grey: npt.NDArray[np.float32],
    brain: Mask,
    lesion: Mask,
    kind: Kind,
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint16]]:
    """DWI and ADC of a plane with a lesion in it."""
    from scipy import ndimage

    fractions = np.stack([white, grey, np.clip(1 - white - grey, 0, 1)]).astype(np.float64) * brain
    fluid = fractions[2]
    s0, diffusivity = np.tensordot(np.array([WHITE, GREY, FLUID]).T, fractions, 1)

    weight = ndimage.gaussian_filter(lesion.astype(np.float64), EDGE) * brain
    if not kind.fluid:
        weight *= 1 - fluid
    inside: Real = np.full(lesion.shape, kind.s0)
    if kind.rim is not None:
        inside[lesion & ~ndimage.binary_erosion(lesion, np.ones((3, 3)))] = kind.rim
    inside *= TISSUE
    inside *= 1 + UNEVEN * _smooth_noise(lesion.shape, PATCHES, rng)
    slower = kind.diffusivity * (1 + UNEVEN * _smooth_noise(lesion.shape, PATCHES, rng))
    s0 += weight * (inside - s0)
    diffusivity += weight * (slower - diffusivity)

    bias = GAIN * rng.standard_normal() + BIAS * _smooth_noise(lesion.shape, BIAS_WIDTH, rng)
    coil = SCALE * (1 + bias)
    b0 = _rician(ndimage.gaussian_filter(s0 * coil, EDGE), rng)
    dwi = _rician(ndimage.gaussian_filter(s0 * np.exp(-diffusivity) * coil, EDGE), rng)
    adc = np.where(brain, 1e3 * np.log(b0 / dwi), 0)
    return (
        np.clip(np.rint(dwi), 0, 255).astype(np.uint8),
        np.clip(np.rint(adc), 0, 4000).astype(np.uint16),
    )


def _smooth_noise(shape: tuple[int, ...], width: float, rng: np.random.Generator) -> Real:
    """Noise of mean 0 and SD 1 that changes over about `width` pixels."""
    from scipy import ndimage

    waves = np.fft.rfft2(rng.standard_normal(shape))
    noise = np.fft.irfft2(ndimage.fourier_gaussian(waves, width, shape[-1]), shape)
    return np.asarray((noise - noise.mean()) / noise.std())


def _rician(signal: Real, rng: np.random.Generator) -> Real:
    real, imaginary = rng.normal(0, NOISE, (2, *signal.shape))
    return np.asarray(np.hypot(signal + real, imaginary))
