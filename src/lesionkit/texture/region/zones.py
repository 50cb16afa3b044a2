"""Zones (GLSZM): connected regions of one grey level, and their sixteen features."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lesionkit import arrays
from lesionkit._core import texture as _kernels
from lesionkit.texture.region import zones_gpu
from lesionkit.texture.region.discretise import Region, region_at
from lesionkit.texture.region.emphasis import features_of

ZONE_FEATURES = {
    "small_zone_emphasis": "small",
    "large_zone_emphasis": "large",
    "low_grey_level_zone_emphasis": "low_grey",
    "high_grey_level_zone_emphasis": "high_grey",
    "small_zone_low_grey_level_emphasis": "small_low_grey",
    "small_zone_high_grey_level_emphasis": "small_high_grey",
    "large_zone_low_grey_level_emphasis": "large_low_grey",
    "large_zone_high_grey_level_emphasis": "large_high_grey",
    "grey_level_nonuniformity": "grey_nonuniformity",
    "grey_level_nonuniformity_normalised": "grey_nonuniformity_normalised",
    "zone_size_nonuniformity": "size_nonuniformity",
    "zone_size_nonuniformity_normalised": "size_nonuniformity_normalised",
    "zone_percentage": "percentage",
    "grey_level_variance": "grey_variance",
    "zone_size_variance": "size_variance",
    "zone_size_entropy": "entropy",
}


class Zones(NamedTuple):
    """What :func:`zones` finds.

    Attributes
    ----------
    counts : (levels, k) array of int64
        Zones of each level and size. On the GPU if image and mask are.
    sizes : (k,) array of int64
        The sizes that zones have, voxels, ascending.
    """

    counts: Any
    sizes: Any


def zones(image: Any, levels: int, mask: Any = None, connectivity: int | None = None) -> Zones:
    """How many connected zones of one grey level there are, by level and size.

    Parameters
    ----------
    image : (rows, columns) or (slices, rows, columns) array of integers
        In [0, levels) in the mask.
    levels : int
        1 to 65,536.
    mask : array of bool or int, optional
        Of the image's shape; what is not 0 is inside. None: everything.
    connectivity : int, optional
        Neighbours differ in at most so many axes: 1 is 4 or 6 neighbours; None, the number of axes,
        is all 8 or 26, as in the IBSI and PyRadiomics.

    Returns
    -------
    Zones
        `counts` and `sizes`.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    Thibault et al., PRIP 2009, 140-145; IBSI reference manual (arXiv:1612.07003), section 3.8.

    Examples
    --------
    >>> from lesionkit.texture import zones
    >>> counts, sizes = zones([[0, 0, 1], [1, 0, 1]], levels=2)
    >>> counts.tolist(), sizes.tolist()
    ([[0, 0, 1], [1, 1, 0]], [1, 2, 3])
    """
    home = arrays.home(image=image, mask=mask)
    with home.current():
        cut = region_at(home, image, levels, mask)
        joined = cut.axes if connectivity is None else connectivity
        joined = arrays.integer(joined, "connectivity", at_least=1, at_most=cut.axes)
        return Zones(*(home.back(part) for part in count_zones(cut, joined)))


def count_zones(cut: Region, connectivity: int) -> Zones:
    """The zones of a region, where it lives."""
    kernels = _kernels if arrays.namespace(cut.padded) is np else zones_gpu
    sizes, counts = kernels.zones(cut.padded, cut.border, cut.levels, connectivity)
    return Zones(counts, sizes)


def merged(parts: list[Zones]) -> Zones:
    """The zones of several regions together."""
    sizes = np.unique(np.concatenate([part.sizes for part in parts]))
    counts = np.zeros((len(parts[0].counts), len(sizes)), np.int64)
    for part in parts:
        counts[:, np.searchsorted(sizes, part.sizes)] += part.counts
    return Zones(counts, sizes)


def zone_features(counts: Any, sizes: Any = None, voxels: Any = None) -> dict[str, Any]:
    """The sixteen features of a grey level zone size matrix.

    Parameters
    ----------
    counts : (..., levels, k) array_like
        As :func:`zones` gives them.
    sizes : (k,) array_like, optional
        Voxels of a zone. None: 1, 2, 3 ...
    voxels : float or (...) array_like, optional
        Voxels of the region. None: the sum of counts * sizes, which is the same.

    Returns
    -------
    dict of str to (...) array of float64
        Grey levels are numbered from 1; zone_percentage is a fraction, zone_size_entropy in bits.

    Raises
    ------
    TypeError, ValueError
        Where a matrix is empty, or an argument is not as described.

    References
    ----------
    IBSI reference manual (arXiv:1612.07003v11), section 3.8.

    Examples
    --------
    >>> from lesionkit.texture import zone_features, zones
    >>> found = zones([[0, 0, 1], [1, 0, 1]], levels=2)
    >>> float(zone_features(*found)["zone_percentage"])
    0.5
    """
    return features_of(counts, ZONE_FEATURES, sizes, voxels)
