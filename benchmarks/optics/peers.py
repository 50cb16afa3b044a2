"""The peers' whole forward model: property maps in, 16 x 16 readings out, one system after another.

A peer is a plan made once from a Problem and then called with maps. What a peer can keep from one
system to the next is kept: pattern, ordering, symbolic factor, assembly operator. All of them solve
for all 16 sources. SuiteSparse (through scikit-sparse) and MKL (through pypardiso) are imported
here and by nothing that lesionkit ships.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse.linalg import splu

from benchmarks.optics.assembly import Assembly, robin
from benchmarks.optics.problem import REFRACTIVE_INDEX, Array, Problem
from benchmarks.timing import cannot_import


class Peer:
    """A plan; calling it solves the maps one by one."""

    def __init__(self, work: Problem, at: str = "elements", **options: Any) -> None:
        self.work, self.at, self.options = work, at, options
        self.sources = np.asfortranarray(work.sources.toarray().T)
        self.detectors = work.detectors
        self.flat = np.ones(len(work.nodes if at == "nodes" else work.elements))  # any map
        self.plan()

    def plan(self) -> None:
        """What is done once for all maps."""

    def fluence(self, absorption: Array, scattering: Array) -> Array:
        """(nodes, sources) of one map."""
        raise NotImplementedError

    def __call__(self, absorption: Array, scattering: Array) -> Array:
        """(systems, sources, detectors) readings of (systems, elements | nodes) maps."""
        fields = map(self.fluence, absorption, scattering)
        return np.array([(self.detectors @ field).T for field in fields])


class Dense(Peer):
    """The judge, for small meshes: the slow reference's matrix, solved by NumPy."""

    def fluence(self, absorption: Array, scattering: Array) -> Array:
        from tests.reference.optics import fem_matrix

        work = self.work
        matrix = fem_matrix(
            work.nodes, work.elements, absorption, scattering, self.at, REFRACTIVE_INDEX
        )
        return np.linalg.solve(matrix, self.sources)


class Cholmod(Peer):
    """Analysed once, refactored in place. CHOLMOD reads only the lower triangle."""

    def plan(self) -> None:
        from sksparse.cholmod import analyze

        self.assembly = Assembly(self.work, self.at, lower=True)
        self.factor = analyze(self.assembly.matrix, ordering_method="best", **self.options)

    def fluence(self, absorption: Array, scattering: Array) -> Array:
        self.factor.cholesky_inplace(self.assembly(absorption, scattering))
        field: Array = self.factor.solve_A(self.sources)
        return field


class SuperLU(Peer):
    """SciPy's splu; it has no kept symbolic factor."""

    def plan(self) -> None:
        self.assembly = Assembly(self.work, self.at)

    def fluence(self, absorption: Array, scattering: Array) -> Array:
        field: Array = splu(self.assembly(absorption, scattering), **self.options).solve(
            self.sources
        )
        return field


class SuperLUKept(SuperLU):
    """The nodes renumbered once by SuperLU's own minimum degree, which is then not run again."""

    def plan(self) -> None:
        super().plan()
        matrix = self.assembly(self.flat, self.flat)
        order = np.argsort(splu(matrix, **(self.options | {"permc_spec": "MMD_AT_PLUS_A"})).perm_c)
        self.assembly = Assembly(self.work, self.at, order=order)
        self.sources = np.asfortranarray(self.sources[order])
        self.detectors = self.detectors[:, order]


class ScikitFem(Peer):
    """scikit-fem's assembly, its basis and boundary term kept, then SuperLU."""

    def plan(self) -> None:
        import skfem
        from skfem.helpers import dot, grad

        mesh = skfem.MeshTri(*map(np.ascontiguousarray, (self.work.nodes.T, self.work.elements.T)))
        order = 2 if self.at == "elements" else 3
        self.basis = skfem.Basis(mesh, skfem.ElementTriP1(), intorder=order)
        of_map = skfem.ElementTriP0() if self.at == "elements" else skfem.ElementTriP1()
        self.map_basis = self.basis.with_element(of_map)
        self.form = skfem.BilinearForm(lambda u, v, w: w.k * dot(grad(u), grad(v)) + w.m * u * v)
        rim = skfem.BilinearForm(lambda u, v, w: robin() * u * v)
        self.rim = rim.assemble(skfem.FacetBasis(mesh, skfem.ElementTriP1(), intorder=2))

    def fluence(self, absorption: Array, scattering: Array) -> Array:
        kappa = self.map_basis.interpolate(1 / (3 * (absorption + scattering)))
        mua = self.map_basis.interpolate(absorption)
        matrix = (self.form.assemble(self.basis, k=kappa, m=mua) + self.rim).tocsc()
        field: Array = splu(matrix, **self.options).solve(self.sources)
        return field


class Pardiso(Peer):
    """MKL's PARDISO for positive definite matrices: analysed once, then phases 22 and 33."""

    def plan(self) -> None:
        from pypardiso import PyPardisoSolver

        self.assembly = Assembly(self.work, self.at, lower=True)  # by columns: the upper by rows
        self.solver = PyPardisoSolver(mtype=2)
        self.solver.libmkl.MKL_Set_Num_Threads(1)  # a change after the analysis would crash it
        self.solver.set_iparm(1, 1)  # no defaults: those below
        self.solver.set_iparm(2, 3)  # parallel nested dissection
        self.phase(12, self.assembly(self.flat, self.flat))

    def phase(self, number: int, matrix: Any) -> Array:
        self.solver.set_phase(number)
        field: Array = self.solver._call_pardiso(matrix, self.sources)
        return field

    def fluence(self, absorption: Array, scattering: Array) -> Array:
        return self.phase(23, self.assembly(absorption, scattering))


SYMMETRIC: dict[str, Any] = {
    "permc_spec": "MMD_AT_PLUS_A",
    "diag_pivot_thresh": 0.0,
    "options": {"SymmetricMode": True},
}
TUNED = SYMMETRIC | {
    "permc_spec": "NATURAL",
    "panel_size": 1,
    "relax": 4,
    "options": {"SymmetricMode": True, "Equil": False},
}

# name: (what it needs beside SciPy, how it is made)
PEERS: dict[str, tuple[str | None, Callable[..., Peer]]] = {
    "CHOLMOD simplicial": ("sksparse.cholmod", lambda *a: Cholmod(*a, mode="simplicial")),
    "CHOLMOD supernodal": ("sksparse.cholmod", lambda *a: Cholmod(*a, mode="supernodal")),
    "SuperLU tuned, order kept": (None, lambda *a: SuperLUKept(*a, **TUNED)),
    "SuperLU MMD symmetric": (None, lambda *a: SuperLU(*a, **SYMMETRIC)),
    "SuperLU COLAMD": (None, SuperLU),
    "scikit-fem + SuperLU": ("skfem", lambda *a: ScikitFem(*a, **SYMMETRIC)),
    "PARDISO SPD": ("pypardiso", Pardiso),
}
BASE = "CHOLMOD simplicial"


def missing(name: str) -> str | None:
    """Why a peer cannot run here, or None."""
    return cannot_import(name, PEERS[name][0])


def peer(name: str, work: Problem, at: str = "elements") -> Peer:
    return PEERS[name][1](work, at)
