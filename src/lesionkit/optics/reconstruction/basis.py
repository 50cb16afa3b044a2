"""`GridBasis`: the coarse functions that a reconstruction solves for, apart from the forward mesh.

A forward mesh must be fine where light is steep; an image of tissue holds a few hundred numbers at
most, and the work grows with their cube. So maps are sums of hat functions on a grid of square (or
cubic) cells, and the mesh's nodes take their values from them: two meshes, one for the light and
one for the image (Paulsen et al., Med. Phys. 22, 691, 1995).
"""

from __future__ import annotations

import functools
import itertools

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.spatial import cKDTree

from lesionkit import arrays
from lesionkit.optics.mesh.mesh import Mesh

Floats = npt.NDArray[np.float64]

_PARTS = 5  # of an edge, where functions are averaged over elements
_MAX_FUNCTIONS = 20_000  # functions; their Gram matrix would need 3 GB


class GridBasis:
    """Hat functions on a regular grid over a mesh, of as many dimensions as the mesh.

    `len()` is the number k of functions.

    Parameters
    ----------
    mesh : Mesh
        The mesh.
    spacing : float
        mm between grid points, above 0.

    Attributes
    ----------
    points : (k, dimensions) array
        mm, the grid points whose functions are used: those in the mesh, and around it those that
        are nearest to one of its nodes.
    elements : (mesh elements, k) sparse array
        The means of the functions over the elements; rows sum to 1.
    nodes : (mesh nodes, k) sparse array
        The functions at the nodes; rows sum to 1.

    Raises
    ------
    TypeError, ValueError
        For anything else, or for more than 20,000 functions.

    Examples
    --------
    >>> from lesionkit.optics import GridBasis, disc_mesh
    >>> basis = GridBasis(disc_mesh(20, nodes=300), spacing=5)
    >>> len(basis), basis.at([[1.0, 2.0]]).sum().round(9).item()
    (69, 1.0)
    """

    def __init__(self, mesh: Mesh, spacing: float) -> None:
        if not isinstance(mesh, Mesh):
            raise TypeError(f"mesh must be a lesionkit.optics.Mesh, got {arrays.describe(mesh)}")
        self.mesh = mesh
        self.spacing = arrays.number(spacing, "spacing", above=0, unit="mm")
        low, high = mesh.nodes.min(axis=0), mesh.nodes.max(axis=0)
        with np.errstate(over="ignore"):  # infinite, and refused
            cells = np.ceil((high - low) / self.spacing)
        if np.prod(cells + 1) > _MAX_FUNCTIONS:
            raise ValueError(
                f"spacing must give at most {_MAX_FUNCTIONS} grid points over the mesh, got "
                f"{self.spacing:g} mm, which gives {np.prod(cells + 1):.3g}"
            )
        self._cells = cells.astype(np.int64)
        # the grid lies evenly over the mesh: half of what it is too wide on either side
        self._corner = (low + high - self.spacing * cells) / 2
        places = np.stack(np.meshgrid(*map(np.arange, self._cells + 1), indexing="ij"), axis=-1)
        grid = self._corner + self.spacing * places.reshape(-1, mesh.nodes.shape[1])
        used = mesh.locate(grid)[0] >= 0
        nearest = np.rint((mesh.nodes - self._corner) / self.spacing).astype(np.int64)
        used[np.ravel_multi_index(tuple(nearest.T), tuple(self._cells + 1))] = True
        self._number = np.where(used, np.cumsum(used) - 1, -1)
        self.points = grid[used]
        self._tree = cKDTree(self.points)

    def __len__(self) -> int:
        return len(self.points)

    def __repr__(self) -> str:
        return f"GridBasis({self.mesh!r}, {self.spacing:g} mm: {len(self)} functions)"

    def at(self, points: npt.ArrayLike) -> sparse.csr_array:
        """Values of the functions at points.

        Multilinear between the grid points that are used; where none of a cell is, the nearest one.

        Parameters
        ----------
        points : (n, dimensions) array_like
            mm.

        Returns
        -------
        (n, k) sparse array
            Rows sum to 1.

        Raises
        ------
        TypeError, ValueError
            For points of another kind or shape, NaN and infinity.
        """
        dim = self.points.shape[1]
        places = (arrays.real(points, "points", ("n", dim), "mm") - self._corner) / self.spacing
        cell = np.clip(np.floor(places), 0, np.maximum(self._cells - 1, 0)).astype(np.int64)
        fraction = np.clip(places - cell, 0, 1)
        columns, values = [], []
        for side in itertools.product((0, 1), repeat=dim):
            vertex = np.minimum(cell + side, self._cells)
            number = self._number[np.ravel_multi_index(tuple(vertex.T), tuple(self._cells + 1))]
            weight = np.where(side, fraction, 1 - fraction).prod(axis=1)
            columns.append(np.maximum(number, 0))
            values.append(np.where(number >= 0, weight, 0))
        column, value = np.stack(columns, axis=1), np.stack(values, axis=1)
        total = value.sum(axis=1)
        alone = total < 1e-9
        value = value / np.where(alone, 1, total)[:, None]
        column[alone, 0], value[alone, 0] = self._tree.query(points)[1][alone], 1
        row = np.repeat(np.arange(len(places)), column.shape[1])
        table = sparse.csr_array((value.ravel(), (row, column.ravel())), (len(places), len(self)))
        table.eliminate_zeros()
        return table

    @functools.cached_property
    def nodes(self) -> sparse.csr_array:
        """The functions at the nodes of the mesh."""
        return self.at(self.mesh.nodes)

    @functools.cached_property
    def elements(self) -> sparse.csr_array:
        """The means of the functions over the elements."""
        # straight-sided ones, by the middles of the parts of a regular division
        corners = self.mesh.nodes[self.mesh.corners]  # (m, corners, dimensions)
        count = corners.shape[1]
        steps = itertools.product(range(_PARTS), repeat=count)
        parts = np.array([step for step in steps if sum(step) == _PARTS - 1])
        fractions = (parts + 1 / count) / _PARTS
        places = np.einsum("qc,mcx->mqx", fractions, corners)
        table = self.at(places.reshape(-1, corners.shape[2]))
        row = np.repeat(np.arange(len(corners)), len(fractions))
        mean = np.full(len(row), 1 / len(fractions))
        return sparse.csr_array((mean, (row, np.arange(len(row))))) @ table

    def average(self, points: npt.ArrayLike, values: npt.ArrayLike) -> Floats:
        """Means of values given at points, weighted by each function: MR gray values, say.

        Parameters
        ----------
        points : (n, dimensions) array_like
            mm, pixels or nodes within the mesh.
        values : (..., n) array_like
            Finite.

        Returns
        -------
        (..., k) array of float64
            A function that is 0 at all points takes the value of the nearest one.

        Raises
        ------
        TypeError, ValueError
            Where an argument is not as described.
        """
        table = self.at(points)
        given = arrays.real(values, "values", ("...", table.shape[0]))
        weight = table.sum(axis=0)
        flat = given.reshape(-1, table.shape[0])
        mean = (table.T @ flat.T).T / np.where(weight > 0, weight, 1)
        empty = np.flatnonzero(weight <= 0)
        if len(empty):
            mean[:, empty] = flat[:, cKDTree(points).query(self.points[empty])[1]]
        return np.ascontiguousarray(mean).reshape(*given.shape[:-1], len(self))
