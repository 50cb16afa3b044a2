"""Run lengths (GLRLM): runs of one grey level along a direction, and their sixteen features."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit._core import texture as _core
from lesionkit.texture.discretise import Region, region
from lesionkit.texture.emphasis import divisor, emphases, matrix, renamed

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

    image      : (rows, columns) or (slices, rows, columns) integers, in [0, levels) in the mask
    directions : (n, axes) steps of -1, 0 or 1, not all 0; None: all 4 or 13. Opposite directions
                 have the same runs.
    levels     : 1 to 65,536
    mask       : the image's shape, booleans or integers (not 0: inside); None: everything. A run
                 ends at the mask's border and at its holes.
    returns    : (n, levels, longest) int64, where `longest` is the length of the longest run found;
                 column k counts runs of k + 1 voxels. On a GPU if image and mask are.
    Raises TypeError or ValueError for anything else.
    Source: Galloway, Computer Graphics and Image Processing 4, 172-179, 1975; IBSI 3.7.
    """
    home = arrays.home(image=image, **({} if mask is None else {"mask": mask}))
    if home.gpu is not None:
        from lesionkit.texture import runs_gpu

        return runs_gpu.count_runs(image, directions, levels, mask)
    cut = region(image, levels, mask)
    return home.back(count_runs(cut, steps_of(directions, cut.axes)))


def steps_of(directions: Any, axes: int) -> npt.NDArray[np.int64]:
    """Directions as (n, 3) steps along (z, y, x), each with its first non-zero part positive."""
    given = np.asarray(all_directions(axes) if directions is None else directions)
    if given.dtype.kind not in "iu":
        raise TypeError(f"directions must hold integers, got {arrays.describe(given)}")
    arrays.require_shape(given, "directions", ("n", axes))
    if not len(given) or given.max() > 1 or given.min() < -1 or not given.any(1).all():
        raise ValueError(
            f"directions must be one or more steps of -1, 0 or 1, not all 0, got {given.tolist()}"
        )
    steps = np.zeros((len(given), 3), np.int64)
    steps[:, [0, 2] if axes == 2 else [0, 1, 2]] = given
    forward = [tuple(step) > (0, 0, 0) for step in steps.tolist()]
    steps[~np.array(forward)] *= -1
    return steps


def count_runs(cut: Region, steps: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The runs of a region along steps as `steps_of` gives them."""
    inner = [n - 2 * cut.border for n in cut.padded.shape]
    bound = max(inner if cut.axes == 3 else (inner[0], inner[2]))
    if bound >= 2**16:
        raise ValueError(
            f"image must be less than 65536 voxels wide in the mask's box, got {bound}"
        )
    table = np.zeros((len(steps), cut.levels + 1, bound + 1), np.uint32)
    _core.run_lengths(cut.padded, cut.border, steps, table)
    counts: npt.NDArray[np.int64] = trimmed(table)
    return counts


def trimmed(table: Any) -> Any:
    """A table without what stands for level 0 and length 0, up to the longest run found."""
    xp = arrays.namespace(table)
    longest = int(xp.flatnonzero(table[:, 1:, 1:].any((0, 1)))[-1]) + 1
    return table[:, 1:, 1 : longest + 1].astype(np.int64)


def run_length_features(counts: Any, pixels: Any = None) -> dict[str, Any]:
    """The sixteen features of run length matrices.

    counts : (..., levels, lengths), as :func:`run_lengths` gives them; sum over directions or
             slices first to merge them, or take the features' mean to average
    pixels : of the region, a number or (...), by which run_percentage divides; None: the sum of
             counts * lengths, which for merged directions is the region's voxels times directions
    returns: name (RUN_FEATURES) -> (...) float64; NaN of an empty matrix. Grey levels are numbered
             from 1; run_percentage is a fraction, run_entropy in bits.
    Source: IBSI reference manual (arXiv:1612.07003v11), section 3.7.
    """
    home = arrays.home(counts=counts)
    with home.current():
        checked = matrix(counts)
        voxels = divisor(pixels, "pixels", checked)
        found = renamed(emphases(checked, voxels=voxels), RUN_FEATURES)
        return {name: home.back(value) for name, value in found.items()}
