"""Tumour-to-normal contrast: a lesion's mean over that of the tissue around it, map by map.

Feng et al. (2022) tell a malignant lesion from a benign one by the contrast of total haemoglobin:
1.47 and 1.05, of one patient each. How they drew their regions is not public.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from lesionkit import arrays
from lesionkit.clustering import KMeans, segment

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

MARGIN = 5.0
"""mm around the region that count neither as lesion nor as normal tissue: light blurs its rim."""


@dataclass(frozen=True, eq=False)
class Contrast:
    """What :func:`contrast` found.

    Attributes
    ----------
    region : (rows, columns) array of bool
        The lesion.
    how : str
        Where the region comes from, in words.
    lesion, normal : dict of str to float
        Means of each map over the lesion, and over the tissue more than a margin from it.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.nirst.contrast import contrast
    >>> hbt = np.ones((20, 20))
    >>> hbt[5:8, 5:8] = 1.5
    >>> found = contrast({"hbt": hbt}, 2.0)
    >>> found.ratios["hbt"], found.region.sum()
    (1.5, np.int64(9))
    """

    region: Mask
    how: str
    lesion: dict[str, float]
    normal: dict[str, float]

    @property
    def ratios(self) -> dict[str, float]:
        """Lesion over normal tissue, by map; NaN where there is none of it in normal tissue."""
        pairs = {name: (value, self.normal[name]) for name, value in self.lesion.items()}
        return {name: a / b if b else float("nan") for name, (a, b) in pairs.items()}


def contrast(
    maps: Mapping[str, npt.ArrayLike],
    pixel: float,
    *,
    region: npt.ArrayLike | None = None,
    image: npt.ArrayLike | None = None,
    margin: float = MARGIN,
) -> Contrast | None:
    """Contrast of a lesion with the normal tissue around it, of each map.

    Where no region is given, it is found: the pixels are cut into two classes by k-means (the
    optimum in one dimension), of the MR image where there is one, else of the map of total
    haemoglobin, and the largest connected part of the brighter class is the lesion. So tissue
    without a lesion has a region, too, and a contrast a little above 1.

    Parameters
    ----------
    maps : mapping of str to (rows, columns) array
        "hbt" among them unless a region or an image is given; NaN outside the tissue.
    pixel : float
        A side of a pixel, mm.
    region : (rows, columns) array of bool, optional
        The lesion.
    image : (rows, columns) array, optional
        Gray values of the MR plane on the pixels of the maps.
    margin : float, default 5
        mm around the lesion that do not count as normal tissue.

    Returns
    -------
    Contrast or None
        Region, means and ratios; None where no region is given and none stands out.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, a region holds no tissue, or leaves none beyond the
        margin.

    References
    ----------
    Feng et al., Optica 9(3), 264-267, 2022, Figs. 3 and 4.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.nirst.contrast import contrast
    >>> hbo, lesion = np.full((20, 20), 10.0), np.zeros((20, 20), bool)
    >>> lesion[5:8, 5:8] = True
    >>> round(contrast({"hbo": hbo + 4.7 * lesion}, 2.0, region=lesion).ratios["hbo"], 6)
    1.47
    """
    if not isinstance(maps, Mapping) or not maps:
        raise TypeError(f"maps must be a mapping of names to maps, got {arrays.describe(maps)}")
    images = {name: np.asarray(values, np.float64) for name, values in maps.items()}
    shape = next(iter(images.values())).shape
    if len(shape) != 2 or any(x.shape != shape for x in images.values()):
        raise ValueError(
            "maps must be of one shape (rows, columns), got "
            + ", ".join(str(x.shape) for x in images.values())
        )
    pixel = arrays.number(pixel, "pixel", above=0, unit="mm")
    margin = arrays.number(margin, "margin", at_least=0, unit="mm")
    tissue = ~np.isnan(next(iter(images.values())))
    if region is not None:
        given = arrays.numbers(region, "region", accepted="booleans")
        if given.dtype != bool or given.shape != shape:
            raise ValueError(
                f"region must be booleans of shape {shape}, as the maps, got "
                f"{arrays.describe(region)}"
            )
        lesion, how = given & tissue, "given"
    elif image is not None:
        gray = arrays.real(image, "image", shape)
        lesion, how = find_region(gray, tissue), "found by k-means on the MR plane"
    elif "hbt" in images:
        lesion, how = find_region(images["hbt"], tissue), "found by k-means on the map of HbT"
    else:
        raise ValueError(f"maps must hold 'hbt' where no region is given, got {sorted(images)}")
    if region is None and not lesion.any():
        return None
    if not lesion.any():
        raise ValueError("region must hold some of the tissue, got none")
    around = tissue & (ndimage.distance_transform_edt(~lesion) * pixel > margin)
    if not around.any():
        raise ValueError(
            f"region must leave normal tissue more than {margin:g} mm away, it leaves none"
        )
    means: list[dict[str, float]] = []
    for where in (lesion, around):
        means.append({})
        for name, values in images.items():
            known = values[where & ~np.isnan(values)]  # saturation is NaN where there is no blood
            means[-1][name] = float(known.mean()) if known.size else float("nan")
    return Contrast(lesion, how, *means)


def find_region(image: Floats, tissue: Mask) -> Mask:
    """The largest connected part of the brighter of two classes of an image.

    Parameters
    ----------
    image : (rows, columns) array
        Finite in the tissue.
    tissue : (rows, columns) array of bool
        Where to look.

    Returns
    -------
    (rows, columns) array of bool
        Empty where all pixels are alike.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.nirst.contrast import find_region
    >>> image = np.array([[50.0, 51, 80], [49, 50, 79], [82, 50, 50]])
    >>> find_region(image, np.ones((3, 3), bool)).astype(int).tolist()
    [[0, 0, 1], [0, 0, 1], [0, 0, 0]]
    """
    known = np.where(tissue, image, 0)
    if np.ptp(known[tissue]) == 0:
        return np.zeros_like(tissue)
    brighter = segment(known, KMeans(2, init="optimal"), mask=tissue) == 1
    parts, count = ndimage.label(brighter)
    largest: Mask = parts == 1 + np.bincount(parts.ravel(), minlength=count + 1)[1:].argmax()
    return largest
