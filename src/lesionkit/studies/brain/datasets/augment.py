"""Copies of images that differ as other scans of the same might, and filters against noise."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lesionkit import arrays, extras

How = Literal["none", "gaussian", "median", "nlm", "tv"]
DENOISERS: tuple[How, ...] = ("none", "gaussian", "median", "nlm", "tv")
TITLES = {
    "none": "no denoising",
    "gaussian": "Gaussian (the paper's)",
    "median": "median",
    "nlm": "non-local means",
    "tv": "total variation",
}
GAIN = 0.1  # brighter or darker by up to this share
NOISE = 0.02  # standard deviation, of the image's range
SIGMA = 1.0  # pixels of the Gaussian
MEDIAN = 3  # pixels of a side
PATCH, REACH = 5, 5  # pixels: a patch of non-local means, and how far it is looked for
STRENGTH = 0.1  # of non-local means and total variation, of the range: scikit-image's default
STREAM = 5  # of the random numbers of augmentation


def augment(images: Any, seed: int = 0, first: int = 0) -> Any:
    """A changed copy of each image: turned or mirrored, brighter or darker, noisier.

    Parameters
    ----------
    images : (n, rows, columns) array
        uint8, or finite floats.
    seed : int, default 0
        0 or more.
    first : int, default 0
        The number of the first image. Image i is drawn from (seed, first + i) alone: the same in
        whatever batch.

    Returns
    -------
    array of the images' shape and dtype
        One of the seven symmetries of the square that move it (of a rectangle of three), times 0.9
        to 1.1, plus Gaussian noise of 2 per cent of 255, or of floats of the image's range. uint8
        is rounded and cut to 0 to 255.

    Raises
    ------
    ValueError, TypeError
        Where an argument is not as said here.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.brain.datasets.augment import augment
    >>> rois = np.arange(200, dtype=np.uint8).reshape(2, 10, 10)
    >>> bool((augment(rois)[1] == augment(rois[1:], first=1)[0]).all())
    True
    """
    given = np.asarray(images)
    if given.ndim != 3 or (given.dtype != np.uint8 and given.dtype.kind != "f"):
        raise ValueError(
            "images must be uint8 or floats of shape (n, rows, columns), got "
            f"{arrays.describe(given)}"
        )
    if not np.isfinite(given).all():
        raise ValueError("images must be finite, got NaN or infinity")
    seed = arrays.integer(seed, "seed", at_least=0)
    first = arrays.integer(first, "first", at_least=0)
    copies = np.empty_like(given)
    square = given.shape[1] == given.shape[2]
    for number, (image, copy) in enumerate(zip(given, copies, strict=True), first):
        counter = np.array([0, 0, STREAM, number], np.uint64)
        random = np.random.Generator(np.random.Philox(key=seed, counter=counter))
        which = int(random.integers(1, 8 if square else 4))
        mirrored = image[:, ::-1] if which & 1 else image
        turned = mirrored[::-1, ::-1] if which & 2 else mirrored
        turned = turned.T if which & 4 else turned
        span = 255.0 if given.dtype == np.uint8 else float(np.ptp(image))
        changed = turned * random.uniform(1 - GAIN, 1 + GAIN)
        changed = changed + NOISE * span * random.standard_normal(image.shape)
        copy[:] = changed.clip(0, 255).round() if given.dtype == np.uint8 else changed
    return copies


def denoise(image: Any, brain: Any, how: How = "gaussian") -> npt.NDArray[np.float32]:
    """Each plane with less noise.

    Parameters
    ----------
    image : (planes, rows, columns) array
        Finite real numbers.
    brain : array of bool, the image's shape
        Its 0.5th and 99.8th percentile of grey are what the strengths of non-local means and total
        variation are shares of.
    how : {"none", "gaussian", "median", "nlm", "tv"}, default "gaussian"
        Gaussian of 1 pixel; median of 3 x 3; non-local means (patches of 5 x 5 up to 5 pixels
        away, h 0.1); total variation (weight 0.1). Of the last two scikit-image's defaults but for
        the patches; nothing is fitted to any score.

    Returns
    -------
    array of float32
        Of the image's shape.

    Raises
    ------
    ValueError, TypeError
        Where an argument is not as said here.

    References
    ----------
    Buades, Coll and Morel, CVPR 2005; Chambolle, J. Math. Imaging and Vision 20, 89, 2004.
    """
    from scipy import ndimage

    arrays.one_of(how, "how", DENOISERS)
    given = arrays.real(arrays.regular(image, "image"), "image", ("planes", "rows", "columns"))
    values: npt.NDArray[np.float32] = given.astype(np.float32)
    inside = np.asarray(brain, bool)
    if inside.shape != values.shape:
        raise ValueError(f"brain must have the image's shape {values.shape}, got {inside.shape}")
    if how == "none" or not inside.any():
        return values
    if how == "gaussian":
        smooth = ndimage.gaussian_filter(values, (0, SIGMA, SIGMA), mode="nearest", truncate=3)
        return np.asarray(smooth)
    if how == "median":
        return np.asarray(ndimage.median_filter(values, (1, MEDIAN, MEDIAN)))
    restoration = extras.require("skimage.restoration", "denoising needs", "studies")
    low, high = np.percentile(values[inside], (0.5, 99.8))
    span = np.float32(max(high - low, 1e-30))
    scaled = (values - np.float32(low)) / span
    if how == "nlm":
        planes = [
            restoration.denoise_nl_means(
                plane, patch_size=PATCH, patch_distance=REACH, h=STRENGTH, fast_mode=True
            )
            for plane in scaled
        ]
    else:
        planes = [restoration.denoise_tv_chambolle(plane, weight=STRENGTH) for plane in scaled]
    less: npt.NDArray[np.float32] = np.asarray(np.stack(planes) * span + low, np.float32)
    return less
