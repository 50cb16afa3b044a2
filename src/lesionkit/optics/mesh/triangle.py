"""The triangular interface of patients: a breast held between three rows of optodes."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.optics.mesh.mesh import Mesh
from lesionkit.optics.mesh.refinement import refine

AT_OPTODES, GROWTH = 1.6, 0.7  # as of the accurate disc
_MIN_SIDE, _MAX_SIDE = 10.0, 1000.0  # mm


class Interface(NamedTuple):
    """What :func:`triangular_interface` makes.

    Attributes
    ----------
    mesh : Mesh
        Of 6-node triangles.
    optodes : (16, 2) array of float64
        mm on the rim, counter-clockwise, equally spaced on each side, half a step from its ends.
    """

    mesh: Mesh
    optodes: npt.NDArray[np.float64]


def triangular_interface(side: float = 80.0, spacing: float = 4.5) -> Interface:
    """An equilateral triangle of tissue with 16 optodes: 6 on the base, 5 on each other side.

    Like the patient interface of the MRI-guided system of Feng et al., whose 16 fibres lie on the
    sides of a triangle; the lengths are ours, as the paper gives none.

    Parameters
    ----------
    side : float, default 80
        10 to 1000 mm; the base lies along y = -height / 3, the centroid in the origin.
    spacing : float, default 4.5
        mm between the mesh's corner nodes, above 0; 1.6 mm (at most 0.4 spacing) at optodes.

    Returns
    -------
    Interface
        `mesh` and `optodes`.

    Raises
    ------
    TypeError, ValueError
        For anything else, or for a spacing over a quarter of the side.

    References
    ----------
    Feng et al., Optica 9(3), 264-267, 2022.

    Examples
    --------
    >>> from lesionkit.optics import triangular_interface
    >>> mesh, optodes = triangular_interface(spacing=10)
    >>> mesh.order, optodes[:6, 0].round(1).tolist()
    (2, [-33.3, -20.0, -6.7, 6.7, 20.0, 33.3])
    """
    side = arrays.number(side, "side", at_least=_MIN_SIDE, at_most=_MAX_SIDE, unit="mm")
    spacing = arrays.number(spacing, "spacing", above=0, at_most=side / 4, unit="mm")
    if side / spacing > 1000:
        raise ValueError(f"spacing must be at least side / 1000, got {spacing:g} mm")
    rows = math.ceil(side / spacing)
    corners = (
        side
        / math.sqrt(3)
        * np.array([[math.cos(a), math.sin(a)] for a in math.pi * np.array([7 / 6, 11 / 6, 1 / 2])])
    )
    # node j of row i, counted from the base: rows - i + 1 nodes
    i, j = (x.ravel() for x in np.meshgrid(*2 * [np.arange(rows + 1)], indexing="ij"))
    i, j = i[i + j <= rows], j[i + j <= rows]
    fractions = np.column_stack([rows - i - j, j, i]) / rows
    number = np.full((rows + 2, rows + 2), -1)
    number[i, j] = np.arange(len(i))
    here, right, above = number[i, j], number[i, j + 1], number[i + 1, j]
    inner = number[i + 1, j + 1]
    up = np.column_stack([here, right, above])[(right >= 0) & (above >= 0)]
    down = np.column_stack([right, inner, above])[inner >= 0]
    optodes = np.concatenate(
        [
            corners[k] + ((np.arange(n) + 0.5) / n)[:, None] * (corners[(k + 1) % 3] - corners[k])
            for k, n in enumerate((6, 5, 5))
        ]
    )
    coarse = Mesh(fractions @ corners, np.concatenate([up, down]))
    fine = refine(coarse, optodes, min(AT_OPTODES, 0.4 * spacing), GROWTH)
    return Interface(fine.to_quadratic(), optodes)
