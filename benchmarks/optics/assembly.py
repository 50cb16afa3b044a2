"""The finite elements that ours and the peers share, as a fixed-pattern NumPy assembly.

-div(kappa grad Phi) + mua Phi = q in the disc, kappa dPhi/dn + ksi Phi = 0 on its rim, by linear
triangles. All integrals are exact for maps that are constant in each triangle ("elements") or
linear in it ("nodes"). Written apart from lesionkit's own, which it is compared with.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.optics.problem import REFRACTIVE_INDEX, Array, Problem

# integrals over a triangle of area 1: phi_i phi_j, and phi_c phi_i phi_j
MASS = (1 + np.eye(3)) / 12
NODAL_MASS = np.array(
    [{1: 6, 2: 2, 3: 1}[len({*corners})] / 60 for corners in product(range(3), repeat=3)]
).reshape(3, 3, 3)


def robin(refractive_index: float = REFRACTIVE_INDEX) -> float:
    """ksi = 1 / (2A), from Fresnel's reflection and the critical angle."""
    r0 = ((refractive_index - 1) / (refractive_index + 1)) ** 2
    cosine = np.sqrt(1 - 1 / refractive_index**2)
    a = (2 / (1 - r0) - 1 + cosine**3) / (1 - cosine**2)
    return float(1 / (2 * a))


def stiffness(work: Problem) -> tuple[Array, Array]:
    """|e| grad phi_i . grad phi_j, (m, 3, 3), and |e|, (m,) mm^2."""
    p = work.nodes[work.elements]
    edges = np.roll(p, -2, axis=1) - np.roll(p, -1, axis=1)  # the edge opposite each corner
    u, v = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
    area = (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]) / 2
    return edges @ edges.transpose(0, 2, 1) / (4 * area[:, None, None]), area


class Assembly:
    """A fixed pattern whose values are linear in the maps: values = operator (kappa, mua) + rim.

    at : "elements" or "nodes", where the maps have their values
    lower : keep only the lower triangle of the symmetric matrix
    order : (n,) the old number of each new node, if they are to be renumbered
    """

    def __init__(self, work: Problem, at: str, lower: bool = False, order: Any = None) -> None:
        n, m = len(work.nodes), len(work.elements)
        place = np.arange(n) if order is None else np.argsort(order)
        corners, rim = place[work.elements], place[work.boundary]
        keys = corners[:, :, None].astype(np.int64) * n + corners[:, None, :]  # column n + row
        rim_keys = rim[:, :, None].astype(np.int64) * n + rim[:, None, :]
        pattern = np.unique(keys)
        if lower:
            pattern = pattern[pattern % n >= pattern // n]
        slot, kept = _find(pattern, keys)
        rim_slot, rim_kept = _find(pattern, rim_keys)

        gradients, area = stiffness(work)
        element = np.broadcast_to(np.arange(m)[:, None, None], keys.shape)
        if at == "elements":
            size = m
            terms = [(gradients, element), (area[:, None, None] * MASS, m + element)]
        else:
            size, terms = n, []
            for corner in range(3):
                node = work.elements[element, corner]
                terms.append((gradients / 3, node))
                terms.append((area[:, None, None] * NODAL_MASS[corner], n + node))
        shape = (len(pattern), 2 * size)
        self.operator = sum(
            sparse.csr_array((values[kept], (slot, source[kept])), shape=shape)
            for values, source in terms
        )
        length = np.linalg.norm(np.diff(work.nodes[work.boundary], axis=1), axis=2)[:, :, None]
        rim_values = robin() * length * (1 + np.eye(2)) / 6
        self.rim = np.bincount(rim_slot, rim_values[rim_kept], minlength=len(pattern))
        starts = np.searchsorted(pattern, np.arange(n + 1) * n)
        self.matrix = sparse.csc_matrix(
            (np.ones(len(pattern)), (pattern % n).astype(np.int32), starts.astype(np.int32)),
            shape=(n, n),
        )

    def __call__(self, absorption: Array, scattering: Array) -> sparse.csc_matrix:
        """The matrix of one map; the same object each time, with new values."""
        kappa = 1 / (3 * (absorption + scattering))
        self.matrix.data[:] = self.operator @ np.concatenate([kappa, absorption]) + self.rim
        return self.matrix


def _find(pattern: NDArray[np.int64], keys: NDArray[np.int64]) -> tuple[Any, Any]:
    """Where the keys stand in the sorted pattern, and which of them do."""
    slot = np.minimum(np.searchsorted(pattern, keys), len(pattern) - 1)
    kept = pattern[slot] == keys
    return slot[kept], kept
