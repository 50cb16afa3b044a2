"""Run lengths (GLRLM): runs of one grey level along a direction, and their sixteen features."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit._core import texture as _kernels
from lesionkit.texture.images import check_memory
from lesionkit.texture.region import runs_gpu
from lesionkit.texture.region.discretise import Region, region_at
from lesionkit.texture.region.emphasis import features_of

MAX_TABLES = 2**28  # bytes, of the directions that are counted at once
RUN_FEATURES = {
    "short_run_emphasis": "small",
    "long_run_emphasis": "large",
    "low_grey_level_run_emphasis": "low_grey",
    "high_grey_level_run_emphasis": "high_grey",
    "short_run_low_grey_level_emphasis": "small_low_grey",
    "short_run_high_grey_level_emphasis": "small_high_grey",
    "long_run_low_grey_level_emphasis": "large_low_grey",
    "long_run_high_grey_level_emphasis": "large_high_grey",
    "grey_level_nonuniformity": "grey_nonuniformity",
    "grey_level_nonuniformity_normalised": "grey_nonuniformity_normalised",
    "run_length_nonuniformity": "size_nonuniformity",
    "run_length_nonuniformity_normalised": "size_nonuniformity_normalised",
    "run_percentage": "percentage",
    "grey_level_variance": "grey_variance",
    "run_length_variance": "size_variance",
    "run_entropy": "entropy",
}


def all_directions(axes: int) -> list[tuple[int, ...]]:
    """The 4 directions of a picture or the 13 of a volume: steps to neighbours, one of each pair of
    opposites, that whose first non-zero part is positive."""
    return [d for d in product((-1, 0, 1), repeat=axes) if d > (0,) * axes]


def run_lengths(image: Any, directions: Any, levels: int, mask: Any = None) -> Any:
    """How many runs of each grey level and length there are along each direction.

    Parameters
    ----------
    image : (rows, columns) or (slices, rows, columns) array of integers
        In [0, levels) in the mask.
    directions : (n, axes) array_like of int, or None
        Steps of -1, 0 or 1, not all 0; None: all 4 or 13. Opposite directions have the same runs.
    levels : int
        1 to 65,536.
    mask : array of bool or int, optional
        Of the image's shape; what is not 0 is inside. None: everything. A run ends at the mask's
        border and at its holes.

    Returns
    -------
    (n, levels, longest) array of int64
        `longest` is the length of the longest run found; column k counts runs of k + 1 voxels. On
        the GPU if image and mask are.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    Galloway, Computer Graphics and Image Processing 4, 172-179, 1975; IBSI reference manual
    (arXiv:1612.07003), section 3.7.

    Examples
    --------
    >>> from lesionkit.texture import run_lengths
    >>> run_lengths([[0, 0, 0, 1], [1, 1, 0, 0]], [(0, 1)], levels=2)[0].tolist()
    [[0, 1, 1], [1, 1, 0]]
    """
    home = arrays.home(image=image, mask=mask)
    with home.current():
        cut = region_at(home, image, levels, mask)
        return home.back(count_runs(cut, steps_of(directions, cut.axes)))


def steps_of(directions: Any, axes: int) -> npt.NDArray[np.int64]:
    """Directions as (n, 3) steps along (z, y, x), each with its first non-zero part positive."""
    given = all_directions(axes) if directions is None else directions
    given = arrays.numbers(given, "directions", kinds="iu", accepted="integers")
    arrays.check_shape(given, "directions", ("n", axes))
    if not len(given) or given.max() > 1 or given.min() < -1 or not given.any(1).all():
        raise ValueError(
            f"directions must be one or more steps of -1, 0 or 1, not all 0, got {given.tolist()}"
        )
    steps = np.zeros((len(given), 3), np.int64)
    steps[:, [0, 2] if axes == 2 else [0, 1, 2]] = given
    forward = [tuple(step) > (0, 0, 0) for step in steps.tolist()]
    steps[~np.array(forward)] *= -1
    return steps


def count_runs(cut: Region, steps: npt.NDArray[np.int64]) -> Any:
    """The runs of a region along steps as `steps_of` gives them, where the region lives."""
    xp = arrays.namespace(cut.padded)
    count = _kernels.run_lengths if xp is np else runs_gpu.run_lengths
    inner = [n - 2 * cut.border for n in cut.padded.shape]
    bound = max(inner if cut.axes == 3 else (inner[0], inner[2]))
    if bound >= 2**16:
        raise ValueError(
            f"image must be less than 65536 voxels wide in the mask's box, got {bound}"
        )
    size = 4 * (cut.levels + 1) * (bound + 1)
    check_memory(
        size,
        f"levels must be so few that runs of {cut.levels} levels and up to {bound} voxels fit into "
        "memory",
    )
    batch_size = max(1, MAX_TABLES // size)
    parts = []
    for first in range(0, len(steps), batch_size):
        some = steps[first : first + batch_size]
        table = xp.zeros((len(some), cut.levels + 1, bound + 1), np.uint32)
        count(cut.padded, cut.border, some, table)
        parts.append(trimmed(table))
    longest = max(part.shape[2] for part in parts)
    counts = xp.zeros((len(steps), cut.levels, longest), np.int64)
    for part, first in zip(parts, range(0, len(steps), batch_size), strict=True):
        counts[first : first + batch_size, :, : part.shape[2]] = part
    return counts


def trimmed(table: Any) -> Any:
    """A table without what stands for level 0 and length 0, up to the longest run found."""
    xp = arrays.namespace(table)
    longest = int(xp.flatnonzero(table[:, 1:, 1:].any((0, 1)))[-1]) + 1
    return table[:, 1:, 1 : longest + 1].astype(np.int64)


def run_length_features(counts: Any, voxels: Any = None) -> dict[str, Any]:
    """The sixteen features of grey level run length matrices.

    Parameters
    ----------
    counts : (..., levels, lengths) array_like
        As :func:`run_lengths` gives them. Sum over directions or slices first to merge them, or
        take the mean of the features to average.
    voxels : float or (...) array_like, optional
        Pixels of the region, by which run_percentage divides. None: the sum of counts * lengths,
        which for merged directions is the region's voxels times the number of directions.

    Returns
    -------
    dict of str to (...) array of float64
        Grey levels are numbered from 1; run_percentage is a fraction, run_entropy in bits.

    Raises
    ------
    TypeError, ValueError
        Where a matrix is empty, or an argument is not as described.

    References
    ----------
    IBSI reference manual (arXiv:1612.07003v11), section 3.7.

    Examples
    --------
    >>> from lesionkit.texture import run_length_features, run_lengths
    >>> counts = run_lengths([[0, 0, 0, 1], [1, 1, 0, 0]], [(0, 1)], levels=2)
    >>> features = run_length_features(counts.sum(0), voxels=8)
    >>> float(features["run_percentage"]), round(float(features["long_run_emphasis"]), 2)
    (0.5, 4.5)
    """
    return features_of(counts, RUN_FEATURES, voxels=voxels)
