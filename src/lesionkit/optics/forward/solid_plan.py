"""The plan of a mesh of tetrahedra: the matrix's pattern and what no property changes."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import reverse_cuthill_mckee

from lesionkit import _core
from lesionkit.optics.forward import hierarchy
from lesionkit.optics.forward.dissection import adjacency
from lesionkit.optics.forward.maps import mixture
from lesionkit.optics.forward.physics import reading_kind
from lesionkit.optics.mesh import elements as fem
from lesionkit.optics.mesh.mesh import Mesh

Floats = npt.NDArray[np.float64]

FIELD_BYTES = 64 * 2**20  # of the fields that are held at once
FIELD, DERIVATIVE_FIELD = 1e-12, 1e-9  # relative error of fields, in the energy norm
ROUNDS = 12  # of refinement, each of some iterations


@dataclass(frozen=True)
class Near:
    """Fields of earlier maps, from which the solves of others begin that are not far from them.

    kept : of each map by its number, (nodes of `core`, optodes)
    maps : (n,) the numbers of those of a call
    """

    kept: dict[int, npt.NDArray[Any]]
    maps: npt.NDArray[np.intp]

    def fields(self, some: npt.NDArray[np.intp]) -> npt.NDArray[Any] | None:
        """Those of some maps of the call, or None where there are not all."""
        numbers = self.maps[some].tolist()
        if any(number not in self.kept for number in numbers):
            return None
        return np.stack([self.kept[number] for number in numbers])

    def keep(self, some: npt.NDArray[np.intp], fields: npt.NDArray[Any]) -> None:
        """Those of some maps of the call are the nearest now."""
        self.kept.update(zip(self.maps[some].tolist(), fields, strict=True))


class SolidPlan:
    """Solves of a mesh of tetrahedra with properties at one place.

    sources, detectors : sparse (count, nodes) weights
    ksi, wavenumber    : as of `build_plan`
    accuracy           : relative error of readings
    """

    def __init__(
        self,
        mesh: Mesh,
        sources: sparse.csr_array,
        detectors: sparse.csr_array,
        *,
        ksi: float | Floats,
        wavenumber: float | Floats,
        at: str,
        accuracy: float,
    ) -> None:
        self.accuracy, self.kind = accuracy, reading_kind(float(np.max(wavenumber)))
        self._mesh, count = mesh, len(mesh.nodes)
        self.optodes = sources.shape[0], detectors.shape[0]
        pattern = adjacency(count, mesh.elements) + sparse.eye_array(count, format="csr")
        order = reverse_cuthill_mckee(sparse.csr_matrix(pattern), symmetric_mode=True)
        self.position = np.empty(count, np.int64)  # of each node in the plan
        self.position[order] = np.arange(count)
        pattern = sparse.csr_array(pattern[order][:, order])
        pattern.sort_indices()
        self._pattern = pattern
        ranks = np.argsort(mesh.bent, kind="stable")  # straight elements first
        ordered = mesh.elements[ranks]
        where = self.position[ordered]
        row, column = np.tril_indices(ordered.shape[1])
        pairs = where[:, row].ravel(), where[:, column].ravel()
        nodal = at == "nodes"
        self.properties = count if nodal else len(ordered)
        self.parts: dict[str, Any] = {
            "element_nodes": ordered.shape[1],
            "property_nodes": ordered.shape[1] if nodal else 1,
            "nodes": count,
            "properties": self.properties,
            "straight": int(np.count_nonzero(~mesh.bent)),
            "element": where.astype(np.int32),
            "property": (ordered if nodal else ranks).astype(np.int32),
            "place": mesh.nodes[order],
            "start": pattern.indptr.astype(np.int32),
            "column": pattern.indices.astype(np.int32),
            "diagonal": hierarchy.diagonal_entries(pattern),
            "mirror": self._entries(pattern.indices, _rows(pattern)),
            "entry": self._entries(np.maximum(*pairs), np.minimum(*pairs)),
            "fixed": self._robin(ksi),
            "imaginary": np.empty(0),
            "source": self._optodes(sources),
            "detector": self._optodes(detectors),
        }
        self.core = _core.optics.VolumePlan(self.parts)
        if np.any(wavenumber):
            mass = self._mass(self.parts, wavenumber)
            self.parts["imaginary"] = -np.max(wavenumber) * mass
            self.core = _core.optics.VolumePlan(self.parts)
        self._hierarchies: dict[tuple[int, int], Any] = {}

    def measure(
        self, mua: Floats, mus: Floats, out: npt.NDArray[Any], near: Near | None = None
    ) -> None:
        """Fill out (n, sources, detectors) from maps (n, properties)."""
        nothing = np.empty((0, 0, 0), self.kind)
        for some in self._batches(mua, mus):
            fields = nothing if near is None else self._room(some)
            maps = mua[some], mus[some], out, some, fields
            self._solve(*maps, near=near, reading=self.accuracy)

    def measure_mixture(
        self, fractions: Floats, mua: Floats, mus: Floats, out: npt.NDArray[Any]
    ) -> None:
        """Fill out (n, sources, detectors) from the values (n, regions) of regions, and from the
        shares (n, regions - 1, properties) of all but the first."""
        self.measure(mixture(mua, fractions), mixture(mus, fractions), out)

    def with_sources(self, sources: sparse.csr_array) -> SolidPlan:
        """The plan of other sources; what does not depend on them is shared with this one."""
        other = copy.copy(self)
        other.optodes = sources.shape[0], self.optodes[1]
        other.parts = self.parts | {"source": self._optodes(sources)}
        other.core = _core.optics.VolumePlan(other.parts)
        return other

    def fluence(self, mua: Floats, mus: Floats, out: npt.NDArray[Any]) -> None:
        """Fill out (n, sources, nodes) from maps (n, properties)."""
        sources = out.shape[1]
        for some in self._batches(mua, mus):
            fields = self._room(some)
            readings = np.empty((len(mua), *self.optodes), self.kind)
            self._solve(mua[some], mus[some], readings, some, fields, field=FIELD)
            out[some] = np.swapaxes(fields[:, self.position, :sources], 1, 2)

    def fields(
        self, mua: Floats, mus: Floats, readings: npt.NDArray[Any], near: Near | None = None
    ) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[Any]]]:
        """Fill readings (n, sources, detectors) of maps (n, properties), some at a time; yields
        their numbers, and fields (some, nodes of `core`, optodes) for derivatives of readings."""
        for some in self._batches(mua, mus):
            fields = self._room(some)
            of = mua[some], mus[some], readings, some, fields
            self._solve(
                *of,
                near=near,
                field=DERIVATIVE_FIELD,
                reading=self.accuracy,
            )
            yield some, fields

    def uniform(
        self, mua: Floats, mus: Floats, near: Near | None = None
    ) -> tuple[npt.NDArray[Any], ...]:
        """Readings (n, sources, detectors) of homogeneous tissue (n,), and their derivatives by mua
        and by mus' of all of it."""
        out = np.empty((3, len(mua), *self.optodes), self.kind)
        kappa = 1 / (3 * (mua + mus))
        stiffness, mass = self._terms
        maps = [np.repeat(x[:, None], self.properties, axis=1) for x in (mua, mus)]
        for some, fields in self.fields(maps[0], maps[1], out[0], near):
            for i, field in zip(some, fields, strict=True):
                ahead, back = np.split(field, self.optodes[:1], axis=1)
                out[1, i], along = (-((term @ ahead).T @ back) for term in (mass, stiffness))
                out[2, i] = -3 * kappa[i] ** 2 * along
        out[1] += out[2]
        return tuple(out)

    @functools.cached_property
    def _terms(self) -> tuple[sparse.csr_array, sparse.csr_array]:
        """What the matrix takes of kappa, in mm, and of mua, in mm^-1, both the same everywhere."""
        ones = np.ones((1, self.properties))
        first = self._matrix(ones, ones)  # kappa is 1/6
        more_mua, more_mus = self._matrix(2 * ones, ones), self._matrix(ones, 2 * ones)  # and 1/9
        terms = -18 * (more_mus - first), more_mua - more_mus
        made = []
        for values in terms:
            made.append(self._pattern.copy())
            made[-1].data = values.ravel()
        return made[0], made[1]

    def matrix(self, mua: Floats, mus: Floats) -> sparse.csr_array:
        """The real part of the matrix of one map, (nodes, nodes)."""
        pattern = self._pattern.copy()
        pattern.data = self._matrix(mua[None], mus[None]).ravel()
        return sparse.csr_array(pattern[self.position][:, self.position])

    def _batches(self, mua: Floats, mus: Floats) -> list[npt.NDArray[np.intp]]:
        """Numbers of maps that are solved together: of one background, some at a time."""
        size = max(1, FIELD_BYTES // (16 * len(self._mesh.nodes) * sum(self.optodes)))
        return batches(mua.mean(axis=1), mus.mean(axis=1), size)

    def _solve(
        self,
        mua: Floats,
        mus: Floats,
        readings: npt.NDArray[Any],
        some: npt.NDArray[np.intp],
        fields: npt.NDArray[Any],
        *,
        near: Near | None = None,
        field: float = 0.0,
        reading: float = 0.0,
    ) -> None:
        """Fill readings[some] and fields; refuses what does not converge."""
        start = None if near is None else near.fields(some)
        if start is None:
            start = np.empty((0, 0, 0), self.kind)
        found = np.empty((len(mua), *readings.shape[1:]), self.kind)
        iterations = np.zeros(len(mua), np.int32)
        background = self._hierarchy(float(mua[0].mean()), float(mus[0].mean()))
        left = _core.optics.volume_fields(
            self.core,
            background,
            mua,
            mus,
            start,
            field,
            reading,
            ROUNDS,
            found,
            fields,
            iterations,
        )
        self.iterations = int(iterations.max(initial=0))
        check_converged(left, self.iterations, max(field, reading))
        readings[some] = found
        if near is not None:
            near.keep(some, fields)

    def _room(self, some: npt.NDArray[np.intp]) -> npt.NDArray[Any]:
        """For the fields of so many maps."""
        return np.empty((len(some), len(self._mesh.nodes), sum(self.optodes)), self.kind)

    def _hierarchy(self, mua: float, mus: float) -> Any:
        """That of a homogeneous background, the means rounded to powers of two."""
        key = background_key(mua, mus)
        if key not in self._hierarchies:
            self._hierarchies[key] = _core.optics.Hierarchy(*self.background(key))
        return self._hierarchies[key]

    def background(
        self, key: tuple[int, int], dense: int = hierarchy.DENSE
    ) -> tuple[list[dict[str, Any]], npt.NDArray[np.float32]]:
        """Levels and inverse, as of `hierarchy.build`, of a background of :func:`background_key`;
        dense: as there."""
        matrix = self._pattern.copy()
        maps = (np.full((1, self.properties), 2.0**power) for power in key)
        matrix.data = self._matrix(*maps).ravel()
        first = self._linear() if self._mesh.order == 2 else None
        return hierarchy.build(matrix, first, dense)

    def _linear(self) -> sparse.csr_array:
        """Interpolation of linear elements at the nodes of quadratic ones."""
        mesh, count = self._mesh, len(self._mesh.nodes)
        corners = np.unique(mesh.corners)
        ends = mesh.corners[:, np.array(fem.EDGES_OF[4])].reshape(-1, 2)
        middles, first = np.unique(mesh.elements[:, 4:], return_index=True)
        ends = ends[first]
        row = np.concatenate([corners, middles, middles])
        column = np.concatenate([corners, ends[:, 0], ends[:, 1]])
        value = np.concatenate([np.ones(len(corners)), np.full(2 * len(middles), 0.5)])
        row, column = self.position[row], self.position[column]
        kept = np.unique(column)
        up = sparse.csr_array((value, (row, np.searchsorted(kept, column))), (count, len(kept)))
        up.sort_indices()
        return up

    def _matrix(self, mua: Floats, mus: Floats) -> Floats:
        out = np.empty((len(mua), self._pattern.nnz))
        _core.optics.volume_matrix(self.core, mua, mus, out)
        return out

    def _mass(self, parts: dict[str, Any], weight: float | Floats) -> Floats:
        """int phi phi of each entry; or with a weight for each element, of which the greatest
        counts 1: two matrices of the same kappa, whose mua differs by it."""
        ones, core = np.ones((1, self.properties)), self.core
        more = weight / np.max(weight)
        if np.ndim(weight):
            ones = np.ones((1, len(self._mesh.elements)))
            ranks = np.argsort(self._mesh.bent, kind="stable").astype(np.int32)
            by_element = {"properties": len(ranks), "property_nodes": 1, "property": ranks}
            core = _core.optics.VolumePlan(parts | by_element)
        out = np.empty((2, self._pattern.nnz))
        _core.optics.volume_matrix(core, (1 + more) * ones, (2 - more) * ones, out[:1])
        _core.optics.volume_matrix(core, ones, 2 * ones, out[1:])
        mass: Floats = out[0] - out[1]
        return mass

    def _entries(self, row: npt.NDArray[Any], column: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Where entries of the pattern stand, by their rows and columns."""
        count = self._pattern.shape[0]
        all_ = _rows(self._pattern) * count + self._pattern.indices
        wanted = row.astype(np.int64) * count + column
        found: npt.NDArray[np.int32] = np.searchsorted(all_, wanted).astype(np.int32)
        return found

    def _robin(self, ksi: float | Floats) -> Floats:
        """The boundary term of each entry."""
        face = self.position[self._mesh.boundary]
        mass = face_mass(self._mesh.order, self._mesh.nodes[self._mesh.boundary])
        mass = np.reshape(ksi, (-1, 1, 1)) * mass
        row = np.repeat(face, face.shape[1], axis=1).ravel()
        column = np.tile(face, face.shape[1]).ravel()
        fixed = np.zeros(self._pattern.nnz)
        np.add.at(fixed, self._entries(row, column), mass.ravel())
        return fixed

    def _optodes(self, weights: sparse.csr_array) -> tuple[Any, Any, Floats]:
        return (
            weights.indptr.astype(np.int32),
            self.position[weights.indices].astype(np.int32),
            weights.data,
        )


def background_key(mua: float, mus: float) -> tuple[int, int]:
    """Powers of two next to mean properties in mm^-1."""
    return round(np.log2(max(mua, 1e-6))), round(np.log2(max(mus, 1e-6)))


def batches(mua: Floats, mus: Floats, size: int) -> list[npt.NDArray[np.intp]]:
    """Numbers of maps of mean properties (n,) that are solved together: of one background, at most
    `size`."""
    keys = [background_key(*pair) for pair in zip(mua, mus, strict=True)]
    made = []
    for key in dict.fromkeys(keys):
        same = np.flatnonzero([other == key for other in keys])
        made += [same[first : first + size] for first in range(0, len(same), size)]
    return made


def check_converged(left: float, iterations: int, wanted: float) -> None:
    """ValueError where a relative error of `left` times what is wanted is left."""
    if not left <= 1:
        raise ValueError(
            "absorption and scattering must be such that the solve converges, got a relative "
            f"error of {left * wanted:.2g} after {iterations} iterations, where {wanted:.2g} is "
            "asked for"
        )


def _rows(matrix: sparse.csr_array) -> npt.NDArray[np.int64]:
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def face_mass(order: int, places: Floats) -> Floats:
    """int phi_a phi_b over faces (b, 3 or 6, 3) mm -> (b, nodes, nodes) mm^2, bent ones too, by the
    rules that go with those of the losses (csrc/optics/volume/tetrahedron.hpp): half exact and half
    from the corners of linear elements; corners, middles and centre, exact to degree 3, else."""
    corners = np.eye(3)
    if order == 1:
        exact, share = fem.quadrature(fem.STRAIGHT)
        points = np.concatenate([corners, exact])
        weight = np.concatenate([np.full(3, 1 / 3), share]) / 2
    else:
        points = np.concatenate([corners, 0.5 * (1 - corners), np.full((1, 3), 1 / 3)])
        weight = np.array([1 / 20] * 3 + [2 / 15] * 3 + [9 / 20])
    phi = fem.shape_functions(order, points)
    along = fem.by_all_but_last(fem.shape_derivatives(order, points))
    first, second = (np.einsum("qa,fax->fqx", along[..., i], places) for i in range(2))
    size = np.linalg.norm(np.cross(first, second), axis=-1) / 2
    out: Floats = np.einsum("q,fq,qa,qb->fab", weight, size, phi, phi, optimize=True)
    return out
