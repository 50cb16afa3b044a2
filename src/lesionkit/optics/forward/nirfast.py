"""NIRFAST's two-dimensional forward model, reproduced for agreement and not for speed.

The rules are those of NIRFAST (github.com/nirfast-admin/NIRFAST, commit 9bbb66a4, 2018;
Dehghani et al., Commun. Numer. Meth. Eng. 25, 2009), in our own words. It solves, on triangles of
three nodes with nodal properties,

    -div(kappa grad phi) + (mua - i omega / c) phi = q,   kappa = 1 / (3 (mua + mus')),
    kappa dphi/dn + ksi phi = 0,                          c = 3e11 / n mm/s,

but departs from the discretisation that this equation asks for in four ways:

1. The mass integral takes the mid-edge rule, which is exact for constant properties only.
2. The boundary term is one-sided: of the pair of off-diagonal entries of an edge, only the one in
   the row of the larger node number is filled. The matrix is not symmetric, the answer depends on
   the numbering of the nodes, and it converges to a boundary with 5/6 of ksi.
3. A point source carries the factor exp(0.15 i), of which continuous light keeps the real part.
4. Sources move with the scattering of the map (see ``NirfastModel.place_sources``), and on spectral
   meshes again for each wavelength (see ``replay_sources``).

``compat="nirfast"`` of the forward model stands on this file; the model to trust is the default.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.linalg import splu

from lesionkit.optics.forward.physics import robin_coefficient

SPEED_OF_LIGHT = 3e11  # mm/s, NIRFAST's value
SOURCE_PHASE = 0.15  # rad
MARGIN = 1e-9  # how far outside an element, in barycentric units, a point may seem by rounding


class NirfastModel:
    """NIRFAST's two-dimensional model of one mesh, one set of optodes and one frequency.

    nodes            : (nodes, 2) float64, mm
    elements         : (elements, 3) integer, nodes counted from 0
    sources          : (sources, 2) float64, mm, nominal places at the rim
    detectors        : (detectors, 2) float64, mm, moved to the nearest point of the rim
    refractive_index : at least 1, the same everywhere
    frequency        : Hz, 0 for continuous light
    source_depth     : 0 leaves the sources exactly where given (NIRFAST's "fixed" sources); any
                       other value has them placed by NIRFAST's rule, anew for each map

    Arguments are taken as checked. ValueError: a source or a detector lies outside the mesh.
    """

    def __init__(
        self, nodes: np.ndarray, elements: np.ndarray, sources: np.ndarray, detectors: np.ndarray,
        refractive_index: float = 1.33, frequency: float = 0.0, source_depth: float = 1.0,
    ) -> None:  # fmt: skip
        self._rim = _Rim(nodes, elements)
        self._sources = np.array(sources, dtype=np.float64)
        self._moves = source_depth != 0
        if not self._moves:
            self._rim.weights(self._sources, "source")  # refuses one outside now, not later
        self._omega_over_c = 2 * math.pi * frequency * refractive_index / SPEED_OF_LIGHT
        self._fixed_terms(robin_coefficient(refractive_index))
        on_rim = np.array([self._rim.nearest(point)[0] for point in np.asarray(detectors)])
        weights = self._rim.weights(on_rim.reshape(-1, 2), "detector")
        weights[:, ~self._rim.flagged] = 0  # interior nodes do not count, the rest sum to 1
        self._detectors = weights / weights.sum(axis=1, keepdims=True)

    def place_sources(self, scattering: np.ndarray) -> np.ndarray:
        """Where the sources lie for a map of mus': (nodes,) mm^-1 -> (sources, 2) mm.

        From the nominal place to the nearest point of the rim, then along the normal of that edge
        inwards by 1 / mean(mus') over the nodes; by 1 mm where ten such lengths exceed the mesh.
        """
        return self._rim.move_inside(self._sources, scattering) if self._moves else self._sources

    def fluence(self, absorption: np.ndarray, scattering: np.ndarray) -> np.ndarray:
        """Fluence at every node for one map: (nodes,) mua and mus' in mm^-1 -> (sources, nodes).

        mm^-1. Sources have the strength exp(0.15 i); at frequency 0, cos 0.15 and float64, else
        complex128. ValueError: a source cannot be placed inside the mesh.
        """
        strength = np.exp(1j * SOURCE_PHASE)
        sources = self._rim.weights(self.place_sources(scattering), "source")
        right = sources * (strength if self._omega_over_c else strength.real)
        # The matrix is not symmetric but nearly so, and its diagonal dominates: SuperLU's options
        # for that case keep pivots on the diagonal and the order of the symmetric pattern.
        factor = splu(
            self._matrix(absorption, scattering),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.1,
            options={"SymmetricMode": True},
        )
        return np.ascontiguousarray(factor.solve(np.ascontiguousarray(right.T)).T)

    def measure(self, absorption: np.ndarray, scattering: np.ndarray) -> np.ndarray:
        """Fluence at the detectors: (nodes,) mua and mus' in mm^-1 -> (sources, detectors).

        float64 at frequency 0, else complex128; NIRFAST's amplitude and phase are its modulus and
        angle. All pairs are given, the ones that NIRFAST's link file leaves out included.
        """
        readings: np.ndarray = self.fluence(absorption, scattering) @ self._detectors.T
        return readings

    def _fixed_terms(self, ksi: float) -> None:
        """What does not depend on the maps: where entries lie, gradients, the boundary term."""
        corners = np.sort(self._rim.elements, axis=1)
        x, y = np.moveaxis(self._rim.nodes[corners], 2, 0)
        gradient = np.stack(
            [np.roll(y, -1, 1) - np.roll(y, 1, 1), np.roll(x, 1, 1) - np.roll(x, -1, 1)]
        )
        twice_area = np.abs(gradient[0, :, 1] * gradient[1, :, 2]
                            - gradient[0, :, 2] * gradient[1, :, 1])  # fmt: skip
        products = np.einsum("xei,xej->eij", gradient, gradient)
        self._corners = corners
        self._area = twice_area / 2
        self._stiffness = products / (2 * twice_area)[:, None, None]

        # Each element gives one edge at most: the first of these whose two ends are on the rim.
        flags = self._rim.flagged[corners]
        pairs = [(0, 2), (0, 1), (1, 2)]
        both = np.stack([flags[:, i] & flags[:, j] for i, j in pairs], axis=1)
        chosen = np.array(pairs)[both.argmax(axis=1)][both.any(axis=1)]
        small, large = np.take_along_axis(corners[both.any(axis=1)], chosen, axis=1).T
        length = np.hypot(*(self._rim.nodes[small] - self._rim.nodes[large]).T)
        self._rows = np.concatenate([np.repeat(corners, 3, axis=1).ravel(), small, large, large])
        self._columns = np.concatenate([np.tile(corners, 3).ravel(), small, large, small])
        self._edge_terms = np.concatenate([length / 3, length / 3, length / 6]) * ksi

    def _matrix(self, absorption: np.ndarray, scattering: np.ndarray) -> coo_array:
        kappa = 1 / (3 * (absorption + scattering))
        loss = absorption - 1j * self._omega_over_c if self._omega_over_c else absorption
        v = loss[self._corners]
        middle = (v + np.roll(v, -1, axis=1)) / 2  # of the edges 01, 12, 20
        mass = np.empty((len(v), 3, 3), dtype=v.dtype)
        for i in range(3):
            j = (i + 1) % 3
            mass[:, i, i] = middle[:, i] + middle[:, i - 1]
            mass[:, i, j] = mass[:, j, i] = middle[:, i]
        mass *= (self._area / 12)[:, None, None]
        terms = kappa[self._corners].mean(axis=1)[:, None, None] * self._stiffness + mass
        entries = np.concatenate([terms.ravel(), self._edge_terms])
        n = len(self._rim.nodes)
        return coo_array((entries, (self._rows, self._columns)), shape=(n, n)).tocsc()


def replay_sources(
    nodes: np.ndarray, elements: np.ndarray, sources: np.ndarray, scattering: np.ndarray
) -> np.ndarray:
    """Where NIRFAST's sources lie for each wavelength of a spectral mesh.

    Loading such a mesh moves the sources from their nominal places by the first wavelength's
    scattering; a run moves them again from there for that wavelength, and then, from that second
    place, once for each further wavelength. Each move looks for the nearest edge anew, so that at a
    corner of the rim a source creeps along it.

    nodes, elements, sources : as for ``NirfastModel``
    scattering               : (wavelengths, nodes) mus' in mm^-1, wavelengths ascending
    returns                  : (wavelengths, sources, 2) mm, each row for a ``NirfastModel`` with
                               ``source_depth=0``
    """
    rim = _Rim(nodes, elements)
    first = rim.move_inside(rim.move_inside(sources, scattering[0]), scattering[0])
    further = [rim.move_inside(first, row) for row in scattering[1:]]
    return np.stack([first, *further])


class _Rim:
    """The mesh as NIRFAST's optode rules see it: nodes flagged as boundary, edges between them."""

    def __init__(self, nodes: np.ndarray, elements: np.ndarray) -> None:
        self.nodes = np.array(nodes, dtype=np.float64)
        self.elements = np.array(elements, dtype=np.int64)
        every = np.sort(self.elements[:, [0, 1, 0, 2, 1, 2]].reshape(-1, 2), axis=1)
        edges, count = np.unique(every, axis=0, return_counts=True)
        self.flagged = np.zeros(len(self.nodes), dtype=bool)
        self.flagged[edges[count == 1]] = True
        # By flags, as there: a chord between two boundary nodes counts as an edge of the rim.
        self.edges = edges[self.flagged[edges].all(axis=1)]
        self._boundary = np.flatnonzero(self.flagged)

    def nearest(self, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest point of the rim, and the unit normal of its edge (of either sign).

        Only the edges at the nearest boundary node are tried; of equals the first is taken.
        """
        closest = np.argmin(np.hypot(*(self.nodes[self._boundary] - point).T))
        node = self._boundary[closest]
        best, distance = None, math.inf
        for a, b in self.nodes[self.edges[(self.edges == node).any(axis=1)]]:
            along = b - a
            foot = a + along * min(max(np.dot(point - a, along) / np.dot(along, along), 0), 1)
            away = math.hypot(*(point - foot))
            if away < distance:
                best, distance = (foot, np.array([-along[1], along[0]]) / math.hypot(*along)), away
        assert best is not None  # a boundary node ends two edges at least
        return best

    def move_inside(self, points: np.ndarray, scattering: np.ndarray) -> np.ndarray:
        """Each point moved to the rim, then 1 / mean(mus') inside (``place_sources``)."""
        depth = 1 / float(np.mean(scattering))
        if 10 * depth > min(np.ptp(self.nodes, axis=0)):
            depth = 1.0
        moved = np.empty((len(points), 2))
        for i, point in enumerate(points):
            foot, normal = self.nearest(point)
            tried = np.stack([foot + normal * depth, foot - normal * depth])
            inside = self._locate(tried)[1].min(axis=1) >= -MARGIN
            if not inside.any():
                raise ValueError(
                    f"source {i} at {point} mm cannot be placed {depth} mm inside the mesh"
                )
            moved[i] = tried[0 if inside[0] else 1]
        return moved

    def weights(self, points: np.ndarray, what: str) -> np.ndarray:
        """(points, nodes) barycentric weights of each point in the element that contains it."""
        element, fractions = self._locate(points)
        outside = np.flatnonzero(fractions.min(axis=1, initial=0) < -MARGIN)
        if outside.size:
            raise ValueError(
                f"{what} {outside[0]} at {points[outside[0]]} mm lies outside the mesh"
            )
        weights = np.zeros((len(points), len(self.nodes)))
        np.put_along_axis(weights, self.elements[element], fractions, axis=1)
        return weights

    def _locate(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The element of each point, the one in which it lies deepest, and its three shares."""
        corner = self.nodes[self.elements]
        found = np.empty(len(points), dtype=np.int64)
        fractions = np.empty((len(points), 3))
        for i, point in enumerate(points):
            x, y = np.moveaxis(corner - point, 2, 0)
            part = np.roll(x, -1, 1) * np.roll(y, 1, 1) - np.roll(x, 1, 1) * np.roll(y, -1, 1)
            part /= part.sum(axis=1, keepdims=True)
            found[i] = part.min(axis=1).argmax()
            fractions[i] = part[found[i]]
        return found, fractions
