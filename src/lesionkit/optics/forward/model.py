"""`ForwardModel`: what the detectors read, for any number of property maps at once."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from lesionkit import arrays
from lesionkit.optics.forward import optodes
from lesionkit.optics.forward.jacobian import Jacobian
from lesionkit.optics.forward.maps import (
    Maps,
    check_place,
    check_weights,
    coarse,
    given_maps,
)
from lesionkit.optics.forward.physics import check_frequency, checked_index, reading_kind
from lesionkit.optics.forward.plan import Cost
from lesionkit.optics.forward.plans import At, Plans
from lesionkit.optics.mesh.mesh import Mesh


class ForwardModel:
    """Diffusion of light in a mesh: a plan, made once, applied to many property maps.

    Solves -div(kappa grad Phi) + (mua - i omega/c) Phi = q with kappa = 1/(3 (mua + mus')) and
    kappa dPhi/dn + ksi Phi = 0 on the rim (:func:`robin_coefficient`), by linear or quadratic
    finite elements, curved ones isoparametric, for point sources of unit strength. Detectors read
    the fluence Phi at the rim.

    Parameters
    ----------
    mesh : Mesh
        Of triangles of 3 or 6 nodes, or tetrahedra of 4 or 10.
    sources : (s, 2) array_like
        mm, on the rim; moved to the nearest boundary edge if within half an edge, else refused.
        (s, 3) for tetrahedra, on the surface.
    detectors : (d, 2) array_like
        mm, likewise.
    refractive_index : float or (elements,) array, default 1.33
        1 to 10; 1 means matched to the outside. One number is the same everywhere; one for each
        element gives it the speed of light there, and the rim the coefficient of the element behind
        it. What is reflected where regions meet is left out, as in NIRFAST.
    frequency : float, default 0
        Modulation in Hz, 1e6 to 1e10; 0 is continuous wave, with real readings.
    source_depth : float, default 1
        mm along the inward normal from the rim to the point source; 0: sources lie exactly where
        given, anywhere inside.
    compat : {None, "nirfast"}, default None
        "nirfast" reproduces NIRFAST's 2-D readings (its one-sided boundary term, source placement
        and factor cos 0.15), slowly.
    accuracy : float, default 1e-6
        Of tetrahedra: the relative error of a reading, against a solve to rounding, at which the
        iterations end; 1e-8 to 1e-2. Triangles are always solved to rounding.
    source_radius : float, default 0
        mm: a source is spread evenly over a disc of this radius on the surface (of triangles over
        as much of the rim to either side), `source_depth` below it; 0: a point.

    Attributes
    ----------
    source_weights, detector_weights : sparse (count, nodes) arrays
        How each optode meets the nodes; not with `compat`.
    plans : Plans
        What the kernels take; not with `compat`.

    Raises
    ------
    TypeError, ValueError
        Where the mesh is not of triangles, optodes are away from the rim, a depth leads out of the
        mesh, or a number is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.optics import ForwardModel, disc_mesh
    >>> mesh = disc_mesh(20, nodes=300)
    >>> rim = 20 * np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    >>> model = ForwardModel(mesh, rim, rim)
    >>> mua, mus = np.full(len(mesh.nodes), 0.01), np.full(len(mesh.nodes), 1.0)
    >>> readings = model.measure(mua, mus)
    >>> readings.shape, (readings > 0).all().item()
    ((4, 4), True)
    >>> np.allclose(readings[0, 2], readings[2, 0], rtol=1e-3)  # by symmetry
    True
    """

    def __init__(
        self,
        mesh: Mesh,
        sources: npt.ArrayLike,
        detectors: npt.ArrayLike,
        refractive_index: npt.ArrayLike = 1.33,
        frequency: float = 0.0,
        source_depth: float = 1.0,
        compat: Literal["nirfast"] | None = None,
        accuracy: float = 1e-6,
        source_radius: float = 0.0,
    ) -> None:
        if not isinstance(mesh, Mesh):
            raise TypeError(f"mesh must be a lesionkit.optics.Mesh, got {arrays.describe(mesh)}")
        if compat not in (None, "nirfast"):
            raise ValueError(f"compat must be None or 'nirfast', got {compat!r}")
        self.mesh, axes = mesh, mesh.nodes.shape[1]
        self.sources = arrays.real(sources, "sources", (None, axes), "mm")
        self.detectors = arrays.real(detectors, "detectors", (None, axes), "mm")
        for name in ("sources", "detectors"):
            if not len(getattr(self, name)):
                raise ValueError(f"{name} must hold at least one position, got none")
        self.refractive_index = checked_index(refractive_index, len(mesh.elements))
        self.frequency = check_frequency(frequency)
        self.source_depth = arrays.number(source_depth, "source_depth", at_least=0.0, unit="mm")
        self.compat = compat
        self.accuracy = arrays.number(accuracy, "accuracy", at_least=1e-8, at_most=1e-2)
        self.source_radius = arrays.number(source_radius, "source_radius", at_least=0.0, unit="mm")
        if self.source_radius and (not self.source_depth or compat is not None):
            why = "compat" if compat is not None else "source_depth=0, which puts sources anywhere"
            raise ValueError(f"source_radius must be 0 with {why}, got {self.source_radius:g} mm")
        rim = optodes.snap(mesh, self.detectors, "detectors")
        if compat is None:
            self.detector_weights = optodes.rim_weights(mesh, rim)
            self.source_weights = optodes.source_weights(
                mesh, self.sources, self.source_depth, self.source_radius
            )
            self.plans = Plans(
                mesh,
                self.source_weights,
                self.detector_weights,
                self.refractive_index,
                self.frequency,
                self.accuracy,
            )
        else:
            from lesionkit.optics.forward.nirfast import NirfastModel

            if mesh.order == 2 or mesh.solid:
                raise ValueError(
                    f"mesh must be of 3-node triangles with compat='nirfast', got {mesh!r}"
                )
            if not isinstance(self.refractive_index, float):
                raise ValueError("refractive_index must be one number with compat='nirfast'")
            self._nirfast = NirfastModel(
                mesh.nodes,
                mesh.elements,
                self.sources,
                self.detectors,
                self.refractive_index,
                self.frequency,
                self.source_depth,
            )

    def __reduce__(self) -> tuple[Any, ...]:
        return ForwardModel, (
            self.mesh,
            self.sources,
            self.detectors,
            self.refractive_index,
            self.frequency,
            self.source_depth,
            self.compat,
            self.accuracy,
            self.source_radius,
        )

    def __repr__(self) -> str:
        return (
            f"ForwardModel({self.mesh!r}, {len(self.sources)} sources, {len(self.detectors)} "
            f"detectors, {self.frequency:g} Hz, source_depth={self.source_depth:g} mm)"
        )

    def cost(self, at: At = "elements") -> Cost:
        """Count the work per system, from the fronts of the plan.

        Parameters
        ----------
        at : {"nodes", "elements", "quarters"}, default "elements"
            Where properties are given.

        Returns
        -------
        Cost
            Multiply-adds and bytes.

        Raises
        ------
        ValueError
            Where there is no such place, with `compat`, or of tetrahedra, whose work depends on the
            maps.
        """
        if self.compat is not None:
            raise ValueError("cost is not counted with compat='nirfast'")
        if self.mesh.solid:
            raise ValueError(f"cost is counted for triangles, got {self.mesh!r}")
        check_place(self.mesh, at)
        return self.plans.cost(at)

    def measure(
        self, absorption: npt.ArrayLike, scattering: npt.ArrayLike, at: At = "nodes"
    ) -> Any:
        """What each detector reads of each source.

        CuPy arrays and CUDA tensors of torch are solved on their GPU, in the current stream, and
        the readings stay there; torch tensors give tensors. The solve is in float64. It cannot be
        interrupted: give long work in batches. Warns of means that no tissue has: in cm^-1, or
        mixed up.

        Parameters
        ----------
        absorption : (..., nodes | elements | 4 elements) array
            mua in mm^-1, at least 0.
        scattering : array of the shape of `absorption`
            Reduced scattering mus' in mm^-1, above 0.
        at : {"nodes", "elements", "quarters"}, default "nodes"
            "nodes" (interpolated with the mesh's shape functions), "elements" (constant on each),
            or "quarters" of 6-node triangles (:attr:`Mesh.quarters`; constant on each; quarter q of
            element e is number 4 e + q).

        Returns
        -------
        (..., sources, detectors) array
            Fluence in mm^-1 per unit source, own pairs included; real for frequency 0, else
            complex. float32 maps give float32 (complex64) readings.

        Raises
        ------
        TypeError, ValueError
            For shapes, values and kinds of array that do not fit, before any work; ValueError for
            properties so extreme that the answer overflows, or (of tetrahedra) that the iterations
            do not converge: the error that is left is said.
        """
        return self._run("measure", absorption, scattering, at, len(self.detectors))

    def fluence(
        self, absorption: npt.ArrayLike, scattering: npt.ArrayLike, at: At = "nodes"
    ) -> Any:
        """The field of each source at each node.

        Parameters
        ----------
        absorption, scattering, at : arguments
            As for :meth:`measure`.

        Returns
        -------
        (..., sources, nodes) array
            Fluence in mm^-1 per unit source, of the dtype of the readings.

        Raises
        ------
        TypeError, ValueError
            As :meth:`measure`.
        """
        return self._run("fluence", absorption, scattering, at, len(self.mesh.nodes))

    def jacobian(
        self,
        absorption: npt.ArrayLike,
        scattering: npt.ArrayLike,
        at: At = "nodes",
        basis: sparse.sparray | None = None,
    ) -> Jacobian:
        """How each reading changes with mua and mus' of each node, element or quarter.

        By the adjoint method: exact derivatives of these finite-element readings, from the fields
        of the sources and of the detectors (of tetrahedra: solved to 1e-9 of their energy). 8 bytes
        (16 if modulated) for each, so some 20 MB per map at the nodes of the accurate disc; with a
        basis, the derivatives by the properties are never held. Maps on a GPU are worked on there,
        in triangles.

        Parameters
        ----------
        absorption, scattering, at : arguments
            As for :meth:`measure`.
        basis : (properties, k) sparse array, optional
            Derivatives by coarser functions, of which the properties take so much each (a column of
            ones: by a uniform change). On the CPU.

        Returns
        -------
        Jacobian
            `absorption` and `scattering` have the shape (..., sources, detectors, properties | k)
            and no unit.

        Raises
        ------
        TypeError, ValueError
            As :meth:`measure`.

        References
        ----------
        Arridge, Inverse Problems 15, R41, 1999.
        """
        with self._given("jacobian", absorption, scattering, at) as given:
            count, width = given.mua.shape
            places = len(self.sources), len(self.detectors)
            if basis is not None and given.home.gpu is not None:
                raise ValueError(f"basis must be None for maps on a GPU, got {given.home} as maps")
            pairs = places[0] * places[1]
            by = None if basis is None else coarse(basis, width, np.arange(pairs))
            shape = (*places, width) if by is None else (by.functions, pairs)
            kind = reading_kind(self.frequency)
            parts = tuple(given.xp.empty((count, *shape), kind) for _ in range(2))
            readings = self.plans.jacobian(
                given.mua, given.mus, at, parts, coarse=by, device=given.home.gpu
            )
            if by is not None:
                parts = tuple(
                    np.moveaxis(part.reshape(count, by.functions, *places), 1, -1) for part in parts
                )
            given.check_finite(readings, *parts)
            return Jacobian(*(given.answer(part) for part in (readings, *parts)))

    def gradient(
        self,
        absorption: npt.ArrayLike,
        scattering: npt.ArrayLike,
        weight: npt.ArrayLike,
        at: At = "nodes",
    ) -> tuple[Any, Any]:
        """The gradient of a weighted sum of the readings, without the Jacobian.

        It takes the fields of the sources and those of the weighted detectors, one per source. In
        tetrahedra it is for maps on the CPU.

        Parameters
        ----------
        absorption, scattering : arrays
            As for :meth:`measure`.
        weight : (..., sources, detectors) array
            Real, or complex if the light is modulated.
        at : {"nodes", "elements", "quarters"}, default "nodes"
            As for :meth:`measure`.

        Returns
        -------
        by_mua, by_mus : arrays of the shape of the maps
            Derivatives of Re sum(conj(weight) readings) by mua and by mus', in mm^-1 times the
            weight's unit per mm^-1.

        Raises
        ------
        TypeError, ValueError
            As :meth:`measure`.
        """
        with self._given("gradient", absorption, scattering, at) as given:
            home = arrays.home(absorption=absorption, weight=weight)
            shape = (*given.batch, len(self.sources), len(self.detectors))
            weights = check_weights(
                home.view(weight, "weight"), shape, reading_kind(self.frequency), home.xp
            )
            out = given.xp.empty_like(given.mua), given.xp.empty_like(given.mus)
            flat = given.xp.ascontiguousarray(weights.reshape(-1, *shape[-2:]).conj())
            if len(given.mua):
                self.plans.gradient(given.mua, given.mus, flat, at, out, given.home.gpu)
            given.check_finite(*out)
            by_mua, by_mus = (given.answer(part) for part in out)
            return by_mua, by_mus

    def _run(
        self,
        what: str,
        absorption: npt.ArrayLike,
        scattering: npt.ArrayLike,
        at: At,
        width: int,
    ) -> Any:
        with self._given(what, absorption, scattering, at) as given:
            out = given.xp.empty(
                (len(given.mua), len(self.sources), width), reading_kind(self.frequency)
            )
            if self.compat is not None:
                for i in range(len(given.mua)):
                    out[i] = getattr(self._nirfast, what)(given.mua[i], given.mus[i])
            elif len(given.mua) and what == "fluence":
                self.plans.with_fields(at, given.home.gpu)[1].fluence(given.mua, given.mus, out)
            elif len(given.mua):
                self.plans.at(at, given.home.gpu).measure(given.mua, given.mus, out)
            given.check_finite(out)
            return given.answer(out)

    def _given(
        self, what: str, absorption: npt.ArrayLike, scattering: npt.ArrayLike, at: At
    ) -> AbstractContextManager[Maps]:
        return given_maps(what, self.mesh, self.compat, absorption, scattering, at)
