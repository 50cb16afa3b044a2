"""Step 1 of the stroke study: grey levels brought to one scale, background, gamma.

Noor, thesis, 2020, and the group's papers (JTEC 3(2), 2011; IJECE 9(3), 2019). Their constants
hold for images whose normal brain lies about 0.1 before the gamma and 0.4 after it, as in their
published histograms.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from lesionkit import arrays
from lesionkit.studies.common.otsu import otsu
from lesionkit.studies.stroke.histograms import (
    GRID,
    TOP,
    Blocks,
    Peak,
    block_histogram,
    peak,
    whole_histogram,
)
from lesionkit.studies.stroke.histograms import Kind as Kind
from lesionkit.studies.stroke.histograms import Levels as Levels
from lesionkit.studies.stroke.histograms import Mask as Mask
from lesionkit.studies.stroke.morphology import label

NORMAL = 0.1  # where the brain's peak lies, before the gamma
BACKGROUND = 0.023
GAMMA = 0.4
BINS = 4096  # of the histogram in which the normal peak is looked for
MAX_VALUE = 1e100  # the largest grey value
MIN_PART = 64  # pixels of a brain, in a slice


class Prepared(NamedTuple):
    """An image ready to be segmented: (rows, columns) or (planes, rows, columns).

    Attributes
    ----------
    levels : array of uint16
        0 to 4095; 0 outside the brain.
    brain : array of bool
        The brain.
    blocks : {"grid", "pixels"}
        Of which the histograms are: 8 x 8 of them in a slice, or of 8 x 8 pixels each.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.stroke import preprocess
    >>> row, column = np.ogrid[:128, :128]
    >>> lesion = np.hypot(row - 50, column - 80) < 8
    >>> slice_ = np.where(np.hypot(row - 64, column - 64) < 50, 100.0, 0.0) + 60 * lesion
    >>> slice_ *= np.random.default_rng(0).normal(1, 0.04, slice_.shape)
    >>> found = preprocess(slice_)
    >>> found.levels.max().item(), len(found.planes)
    (2044, 1)
    """

    levels: Levels
    brain: Mask
    blocks: Blocks = "grid"

    @property
    def enhanced(self) -> npt.NDArray[np.float64]:
        """S of the papers: the levels as numbers from 0 to 1."""
        return self.levels / np.float64(TOP)

    @property
    def planes(self) -> list[Prepared]:
        """The slices of a volume; a slice alone is its own."""
        if self.levels.ndim == 2:
            return [self]
        pairs = zip(self.levels, self.brain, strict=True)
        return [Prepared(levels, brain, self.blocks) for levels, brain in pairs]

    @property
    def box(self) -> tuple[Any, ...]:
        """The index of the rows and columns that hold the brain, of all slices."""
        return (..., *box_of(self.brain))

    @property
    def cropped(self) -> Prepared:
        """The part in `box`: nothing else matters."""
        return Prepared(self.levels[self.box], self.brain[self.box], self.blocks)

    def normal_peak(self, grid: int = GRID) -> Peak | None:
        """Find the normal brain among the levels.

        Parameters
        ----------
        grid : int, default 8
            Blocks along each side of a slice; of blocks of pixels, pixels along each side.

        Returns
        -------
        Peak or None
            The peak of the whole brain's histogram, and where its flanks end in those of the
            blocks; None without a brain.
        """
        blocks = block_histogram(self.levels, self.brain, grid, self.blocks)
        return peak(blocks, whole_histogram(self.levels, self.brain))


def preprocess(
    image: Any, bits: int | None = None, brain: Any = None, blocks: Blocks = "grid"
) -> Prepared:
    """Normalise, remove the background, enhance.

    1. I = g / (2^bits - 1). Without `bits`: I = 0.1 g / p, cut at 1, where p is the normal brain's
       peak, the grey value in which most of the image's light lies: on this scale the papers'
       constants hold for any scanner. (A minimum and maximum instead would hang on single pixels.)
    2. Background is I <= 0.023; of the rest, the largest piece with its holes filled, slice by
       slice, if 64 pixels or more.
    3. S = I^0.4, on 4096 levels.

    Parameters
    ----------
    image : (rows, columns) or (planes, rows, columns) array
        Real numbers, finite in the brain; NaN, as of stripped skulls, is background.
    bits : int, optional
        Of the scanner's numbers, if these use the whole range; 1 to 32.
    brain : array of bool or whole numbers, optional
        Of the image's shape, instead of step 2.
    blocks : {"grid", "pixels"}, default "grid"
        Of the histograms of `adaptive_threshold`: 8 x 8 blocks in a slice, or blocks of 8 x 8
        pixels.

    Returns
    -------
    Prepared
        Levels and brain; nothing is brain in an image of one value.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    Noor, thesis, 2020, and the group's papers (JTEC 3(2), 2011; IJECE 9(3), 2019).

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.stroke import preprocess
    >>> row, column = np.ogrid[:128, :128]
    >>> lesion = np.hypot(row - 50, column - 80) < 8
    >>> slice_ = np.where(np.hypot(row - 64, column - 64) < 50, 100.0, 0.0) + 60 * lesion
    >>> slice_ *= np.random.default_rng(0).normal(1, 0.04, slice_.shape)
    >>> S = preprocess(slice_).enhanced
    >>> S[~lesion & (S > 0)].mean().round(2).item(), S[lesion].mean().round(2).item()
    (0.4, 0.48)
    """
    stored = image_of(image)
    blocks = arrays.one_of(blocks, "blocks", ("grid", "pixels"))
    at = arrays.on_cpu(brain=brain)
    inside = None if brain is None else arrays.mask(brain, stored.shape, at, "brain")
    gray = _finite(stored, inside)
    if bits is not None:
        scale = 1.0 / (2.0 ** arrays.integer(bits, "bits", at_least=1, at_most=32) - 1)
    else:
        normal = normal_peak(gray)
        scale = NORMAL / normal if normal > 0 else 0.0
    levels = _enhanced(gray, scale)
    if inside is None:
        # I > 0.023 is S > 0.023^gamma
        inside = _largest(levels > int(TOP * BACKGROUND**GAMMA))
        if gray is not stored and (holes := np.count_nonzero(inside & np.isnan(stored))):
            raise ValueError(f"image must be finite, got {holes} NaN or infinite inside the brain")
    return Prepared(np.where(inside, levels, np.uint16(0)), inside, blocks)


def prepared(image: Any) -> Prepared:
    """A prepared image as it is, any other prepared with the defaults."""
    return image if isinstance(image, Prepared) else preprocess(image)


def kind_of(kind: Any) -> Kind:
    """The kind of lesion; else a clear error."""
    chosen: Kind = arrays.one_of(kind, "kind", ("hyper", "hypo"))
    return chosen


def image_of(image: Any) -> npt.NDArray[Any]:
    """The image as an array of 2 or 3 axes, which may hold NaN; else a clear error."""
    at = arrays.on_cpu(image=image)
    gray: npt.NDArray[Any] = arrays.image(image, "image", at, kinds="iuf")
    if gray.ndim == 3 and gray.shape[-1] in (3, 4) and min(gray.shape[:2]) > 4:
        raise ValueError(
            f"image must be grey, got what looks like colours ({arrays.describe(gray)}); "
            "pass one channel"
        )
    if gray.ndim not in (2, 3):
        raise ValueError(
            f"image must be (rows, columns) or (planes, rows, columns), got {arrays.describe(gray)}"
        )
    return gray


def _finite(gray: npt.NDArray[Any], inside: Mask | None) -> npt.NDArray[Any]:
    """The same array, or one with 0 where it is not finite outside the brain; ValueError where it
    is not inside, or all of it is NaN. Where the brain is not known yet, NaN may lie anywhere."""
    if inside is None and gray.dtype.kind == "f":
        inside = ~np.isnan(gray)
        if not inside.any():
            inside = None
    finite: npt.NDArray[Any] = arrays.finite_inside(gray, "image", inside)
    greatest = max(abs(float(finite.min())), abs(float(finite.max())))
    if greatest > MAX_VALUE:
        raise ValueError(
            f"image must hold numbers up to {MAX_VALUE:g}, whose squares are finite, got "
            f"{greatest:g}"
        )
    return finite


def normal_peak(gray: npt.NDArray[Any]) -> float:
    """The grey value of the normal brain: where the histogram, each pixel weighted by its value, is
    highest, above the background; 0 where the image has but one value.

    Weights keep the many dark pixels of the air and scalp from winning. The background ends at the
    lesser of the mean and Otsu's threshold: the mean alone fails where air is rare, Otsu's alone
    where a lesion is as large as to be the second class.
    """
    counts, unit, least = _counted(gray)
    values = least + unit * np.arange(counts.size, dtype=np.float64)  # of each bin
    positive = (values > max(least, 0)) & (counts > 0)
    ends = np.cumsum(np.where(positive, counts, 0))
    if not ends[-1]:
        return 0.0
    last = int(np.searchsorted(ends, 0.99 * ends[-1]))
    top = values[last]
    below = counts[: last + 1].astype(np.float64)
    below[-1] += counts[last + 1 :].sum()  # brighter ones count as the top
    begin = min(otsu(below, values[: last + 1]), float(below @ values[: last + 1] / below.sum()))
    inside = (values > begin) & (values < top) & positive
    if not inside.any():
        return float(top)
    chosen = np.flatnonzero(inside)
    light = (counts * values)[chosen[0] : chosen[-1] + 1] * inside[chosen[0] : chosen[-1] + 1]
    smooth = ndimage.gaussian_filter1d(light, max(len(light) / 64, 1e-3), mode="nearest")
    return float(values[chosen[0] + int(smooth.argmax())])


def _counted(gray: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], float, float]:
    """A histogram: counts, the width of a bin, and the middle of the first. Whole numbers get bins
    of whole numbers: else some bins would hold more of them than others, and waves would look like
    peaks."""
    least, most = float(gray.min()), float(gray.max())
    whole = gray.dtype.kind in "iu" or bool((np.rint(gray) == gray).all())
    unit = (most - least) / (BINS - 1) or 1.0
    if whole:
        unit = float(np.ceil((most - least + 1) / BINS))
    if whole and unit == 1 and gray.itemsize <= 2 and least >= 0:
        return np.bincount(gray.ravel())[int(least) :], unit, least
    place = ((gray - least) / unit + (0.0 if whole else 0.5)).astype(np.int64)
    return np.bincount(place.ravel()), unit, least + (unit - 1) / 2 if whole else least


def _enhanced(gray: npt.NDArray[Any], scale: float) -> Levels:
    """S on 4096 levels; small integers are looked up."""
    if gray.dtype.kind in "iu" and gray.itemsize <= 2:
        low, high = int(gray.min()), int(gray.max())
        table = _enhanced(np.arange(low, high + 1, dtype=np.float64), scale)
        return table[gray if low == 0 else gray.astype(np.int64) - low]
    intensity = np.clip(gray * scale, 0, 1)
    return np.rint(TOP * intensity**GAMMA).astype(np.uint16)


def box_of(brain: Mask) -> tuple[slice, slice]:
    """The rows and columns that hold the brain, of all slices."""
    flat: Mask = np.logical_or.reduce(brain.reshape(-1, *brain.shape[-2:]), axis=0)
    sides = []
    for axis in (1, 0):
        inside = np.flatnonzero(flat.any(axis=axis))
        sides.append(slice(int(inside[0]), int(inside[-1]) + 1) if inside.size else slice(0, 1))
    return sides[0], sides[1]


def _largest(candidate: Mask) -> Mask:
    """The largest piece of each slice, its holes filled."""
    out = np.zeros_like(candidate)
    planes = candidate[None] if candidate.ndim == 2 else candidate
    for plane, kept in zip(planes, out[None] if out.ndim == 2 else out, strict=True):
        labels, sizes = label(plane)
        best = int(sizes.argmax())
        if sizes[best] < MIN_PART:
            continue
        piece = labels == best
        # What is not joined to the frame of the piece's box is a hole.
        box = box_of(piece)
        air, _ = label(np.pad(~piece[box], 1, constant_values=True))
        kept[box] = (air != air[0, 0])[1:-1, 1:-1]
    return out
