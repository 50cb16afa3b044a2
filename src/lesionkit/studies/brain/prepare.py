"""From a slice or a volume to eight bits: less noise, sharper, the skull away, grey levels."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import arrays

Levels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Equalise = Literal["global", "clahe"] | None
RADIUS = 3  # pixels of the Gaussian's kernel at sigma 1: three standard deviations
CLIP = 0.01  # of CLAHE, scikit-image's default


class Prepared(NamedTuple):
    """A slice or volume of 8 bits, and where its brain is.

    Attributes
    ----------
    levels : array of uint8
        Grey levels, 0 outside the brain.
    brain : array of bool
        Of the same shape.
    """

    levels: Levels
    brain: Mask


def prepare(
    image: Any,
    *,
    sigma: float = 1.0,
    amount: float = 1.0,
    equalise: Equalise = None,
    brain: Any = None,
    spacing: Any = None,
) -> Prepared:
    """The paper's preprocessing: denoise, sharpen, strip, 8 bits.

    Parameters
    ----------
    image : (rows, columns) or (planes, rows, columns) array
        Real numbers, any unit; NaN is background. Each plane is filtered by itself.
    sigma : float, default 1
        Of the Gaussian, pixels; 0 leaves the noise. The paper gives none: 1 is our choice.
    amount : float, default 1
        Of sharpening, x + amount (x - Gaussian of x, sigma 1); 0 for none. Ours, too.
    equalise : {"global", "clahe", None}, default None
        "global" levels the histogram of the brain, "clahe" that of tiles (scikit-image). The paper
        names it in its conclusion only: off.
    brain : array of bool, optional
        Of the image's shape. None: the skull is stripped (`skull.strip`); an image that is stripped
        already is known as such.
    spacing : float or sequence of float, optional
        mm of each axis, or one number for all, for stripping the skull. None: not known, see there.

    Returns
    -------
    Prepared
        levels: uint8, 0 and 255 at the 0.5th and 99.8th percentile of the brain, 0 outside; brain:
        booleans. With an empty brain all levels are 0.

    Raises
    ------
    ValueError, TypeError
        Where an argument is not as said here, or the image has no finite pixel.

    References
    ----------
    Khan et al., 2024, section 3.1 and its conclusion.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.brain.prepare import prepare
    >>> prepare(np.eye(9), brain=np.ones((9, 9), bool)).levels.max()
    np.uint8(255)
    """
    sigma = arrays.number(sigma, "sigma", at_least=0, at_most=50, unit="pixels")
    amount = arrays.number(amount, "amount", at_least=0, at_most=50)
    arrays.one_of(equalise, "equalise", (None, "global", "clahe"))
    given = arrays.regular(image, "image")
    if given.ndim not in (2, 3) or not given.size:
        raise ValueError(
            "image must have shape (rows, columns) or (planes, rows, columns), got "
            f"{arrays.describe(given)}"
        )
    values = given.astype(np.float32, copy=False)
    known = np.isfinite(values) if given.dtype.kind == "f" else np.ones(given.shape, bool)
    if not known.any():
        raise ValueError("image must have finite pixels, got none")
    if not known.all():
        values = np.where(known, values, values[known].min())
    if brain is None:
        from lesionkit.studies.brain import skull

        brain = skull.strip(np.where(known, values, np.nan), spacing).brain
    head = np.asarray(brain, bool)
    if head.shape != values.shape:
        raise ValueError(f"brain must have the image's shape {values.shape}, got {head.shape}")
    head = head & known
    sharp = sharpened(denoised(values, sigma), amount)
    return Prepared(to_levels(sharp, head, equalise), head)


def denoised(values: npt.NDArray[np.float32], sigma: float) -> npt.NDArray[np.float32]:
    """Each plane by a Gaussian of `sigma` pixels."""
    return _smooth(values, sigma) if sigma else values


def sharpened(values: npt.NDArray[np.float32], amount: float) -> npt.NDArray[np.float32]:
    """Unsharp masking of each plane, with a Gaussian of one pixel."""
    if not amount:
        return values
    smooth = _smooth(values, 1.0)
    return values + np.float32(amount) * (values - smooth)


def _smooth(values: npt.NDArray[np.float32], sigma: float) -> npt.NDArray[np.float32]:
    from scipy.ndimage import gaussian_filter

    axes = (values.ndim - 2, values.ndim - 1)
    smooth: npt.NDArray[np.float32] = gaussian_filter(
        values, sigma, mode="nearest", truncate=RADIUS, axes=axes
    )
    return smooth


def to_levels(values: npt.NDArray[np.float32], brain: Mask, equalise: Equalise = None) -> Levels:
    """Eight bits, by the 0.5th and 99.8th percentile of the brain; 0 outside."""
    inside = values[brain]
    if not inside.size:
        return np.zeros(values.shape, np.uint8)
    low, high = np.percentile(inside, (0.5, 99.8))
    share = (inside - np.float32(low)) * np.float32(1 / max(high - low, 1e-30))
    share = np.clip(share, 0, 1)
    if equalise == "global":
        ranks = np.searchsorted(np.sort(share), share, side="right")
        share = (ranks / len(share)).astype(np.float32)
    levels = np.zeros(values.shape, np.uint8)
    if equalise != "clahe":
        levels[brain] = np.rint(share * 255).astype(np.uint8)
        return levels
    whole = np.zeros(values.shape, np.float32)
    whole[brain] = share
    planes = whole if whole.ndim == 3 else whole[None]
    tiled = np.stack([_clahe(plane) for plane in planes]).reshape(values.shape)
    levels[brain] = np.rint(tiled[brain] * 255).astype(np.uint8)
    return levels


def _clahe(plane: npt.NDArray[np.float32]) -> Any:
    from lesionkit.io import library

    exposure = library("skimage.exposure", "CLAHE")
    return exposure.equalize_adapthist(plane, clip_limit=CLIP)
