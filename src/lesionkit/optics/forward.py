"""`ForwardModel`: what the detectors read, for any number of property maps at once."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from lesionkit import _core, arrays, gpu
from lesionkit.optics import optodes
from lesionkit.optics.device import DevicePlan
from lesionkit.optics.mesh import Mesh
from lesionkit.optics.physics import SPEED_OF_LIGHT, robin_coefficient
from lesionkit.optics.plan import Cost, build_plan

At = Literal["nodes", "elements", "quarters"]


class ForwardModel:
    """Diffusion of light in a 2-D mesh: a plan, made once, applied to many property maps.

    Solves -div(kappa grad Phi) + (mua - i omega/c) Phi = q with kappa = 1/(3 (mua + mus')) and
    kappa dPhi/dn + ksi Phi = 0 on the rim (:func:`robin_coefficient`), by linear or quadratic
    finite elements, bent ones isoparametric, for point sources of unit strength. Detectors read the
    fluence Phi at the rim.

    mesh             : Mesh of triangles of 3 or 6 nodes
    sources          : (s, 2) mm, on the rim; moved to the nearest boundary edge if within half an
                       edge, else refused
    detectors        : (d, 2) mm, likewise
    refractive_index : at least 1, the same everywhere; 1 means matched to the outside
    frequency        : modulation in Hz; 0 is continuous wave, with real readings
    source_depth     : mm along the inward normal from the rim to the point source; 0: sources lie
                       exactly where given, anywhere inside
    compat           : None, or "nirfast" to reproduce NIRFAST's 2-D readings (its one-sided
                       boundary term, source placement and factor cos 0.15), slowly

    Raises TypeError or ValueError, naming the argument: a mesh that is not of triangles, optodes away from the rim, a depth that leads out of the mesh, numbers out of range.

    `source_weights` and `detector_weights` (sparse, (count, nodes); not with compat) say how each
    optode meets the nodes; `cost(at)` counts the work per system.
    """

    def __init__(
        self,
        mesh: Mesh,
        sources: npt.ArrayLike,
        detectors: npt.ArrayLike,
        refractive_index: float = 1.33,
        frequency: float = 0.0,
        source_depth: float = 1.0,
        compat: Literal["nirfast"] | None = None,
    ) -> None:
        if not isinstance(mesh, Mesh):
            raise TypeError(f"mesh must be a lesionkit.optics.Mesh, got {arrays.describe(mesh)}")
        if mesh.elements.shape[1] not in (3, 6) or mesh.nodes.shape[1] != 2:
            raise ValueError(f"mesh must be of triangles, got {mesh!r}")
        if compat not in (None, "nirfast"):
            raise ValueError(f"compat must be None or 'nirfast', got {compat!r}")
        self.mesh = mesh
        self.sources = arrays.real(sources, "sources", (None, 2), "mm")
        self.detectors = arrays.real(detectors, "detectors", (None, 2), "mm")
        for name in ("sources", "detectors"):
            if not len(getattr(self, name)):
                raise ValueError(f"{name} must hold at least one position, got none")
        self.refractive_index = arrays.number(
            refractive_index, "refractive_index", at_least=1.0, at_most=10.0
        )
        self.frequency = arrays.number(frequency, "frequency", at_least=0.0, unit="Hz")
        self.source_depth = arrays.number(source_depth, "source_depth", at_least=0.0, unit="mm")
        self.compat = compat
        self._plans: dict[At, tuple[Any, Cost, dict[str, Any]]] = {}
        self._device_plans: dict[tuple[At, int], DevicePlan] = {}
        rim = optodes.snap_to_rim(mesh, self.detectors, "detectors")
        if compat is None:
            self.detector_weights = optodes.rim_weights(mesh, rim)
            self.source_weights = self._place_sources()
        else:
            from lesionkit.optics.nirfast import NirfastModel

            if mesh.order == 2:
                raise ValueError(
                    f"mesh must be of 3-node triangles with compat='nirfast', got {mesh!r}"
                )
            self._nirfast = NirfastModel(
                mesh.nodes,
                mesh.elements,
                self.sources,
                self.detectors,
                self.refractive_index,
                self.frequency,
                self.source_depth,
            )

    def _place_sources(self) -> sparse.csr_array:
        if self.source_depth == 0:
            return optodes.interior_weights(self.mesh, self.sources, "sources")
        rim = optodes.snap_to_rim(self.mesh, self.sources, "sources")
        inside = rim.position + self.source_depth * rim.inward
        return optodes.interior_weights(self.mesh, inside, "sources")

    def __reduce__(self) -> tuple[Any, ...]:
        return ForwardModel, (
            self.mesh,
            self.sources,
            self.detectors,
            self.refractive_index,
            self.frequency,
            self.source_depth,
            self.compat,
        )

    def __repr__(self) -> str:
        return (
            f"ForwardModel({self.mesh!r}, {len(self.sources)} sources, {len(self.detectors)} "
            f"detectors, {self.frequency:g} Hz, source_depth={self.source_depth:g} mm)"
        )

    def _plan(self, at: At, device: int | None = None) -> Any:
        """The plan for properties given `at`; `device` is the number of a GPU."""
        if device is None:
            return self._planned(at)[0]
        if (at, device) not in self._device_plans:
            cpu, _, parts = self._planned(at)
            xp = gpu.require()
            with xp.cuda.Device(device):
                self._device_plans[at, device] = DevicePlan(parts, cpu.stack(), device, xp)
        return self._device_plans[at, device]

    def cost(self, at: At = "elements") -> Cost:
        """Multiply-adds and bytes per system, counted from the fronts of the plan."""
        if self.compat is not None:
            raise ValueError("cost is not counted with compat='nirfast'")
        self._require_place(at)
        return self._planned(at)[1]

    def _planned(self, at: At) -> tuple[Any, Cost, dict[str, Any]]:
        if at not in self._plans:
            parts, cost = build_plan(
                self.mesh,
                self.source_weights,
                self.detector_weights,
                ksi=robin_coefficient(self.refractive_index),
                wavenumber=2 * np.pi * self.frequency * self.refractive_index / SPEED_OF_LIGHT,
                at=at,
            )
            self._plans[at] = _core.optics.ForwardPlan(parts), cost, parts
        return self._plans[at]

    def _require_place(self, at: Any) -> int:
        """How many properties there are at "nodes", "elements" or "quarters"."""
        if at == "nodes":
            return len(self.mesh.nodes)
        if at == "elements":
            return len(self.mesh.elements)
        if at == "quarters":
            if self.mesh.order == 2:
                return 4 * len(self.mesh.elements)
            raise ValueError(f"at must not be 'quarters' on 3-node triangles, got {self.mesh!r}")
        raise ValueError(f"at must be 'nodes', 'elements' or 'quarters', got {at!r}")

    def measure(
        self, absorption: npt.ArrayLike, scattering: npt.ArrayLike, at: At = "nodes"
    ) -> Any:
        """What each detector reads of each source.

        absorption : (..., nodes | elements | 4 elements) mm^-1, at least 0
        scattering : the same shape, reduced scattering mus' in mm^-1, above 0
        at         : "nodes" (interpolated with the mesh's shape functions), "elements" (constant on
                     each), or "quarters" of 6-node triangles (:attr:`Mesh.quarters`; constant on
                     each; quarter q of element e is number 4 e + q)
        returns    : (..., sources, detectors) fluence in mm^-1 per unit source, own pairs included;
                     real for frequency 0, else complex. float32 maps give float32 (complex64)
                     readings; the solve itself is in float64.

        Raises ValueError or TypeError for shapes, values and kinds of array that do not fit, before
        any work; ValueError for properties so extreme that the answer overflows. It cannot be
        interrupted: give long work in batches.

        Arrays of CuPy and CUDA tensors of torch are solved on their GPU, in the current stream, and
        the readings stay there; torch tensors give tensors.
        """
        return self._run("measure", absorption, scattering, at, len(self.detectors))

    def fluence(
        self, absorption: npt.ArrayLike, scattering: npt.ArrayLike, at: At = "nodes"
    ) -> Any:
        """The field of each source at each node: (..., sources, nodes), else as :meth:`measure`."""
        return self._run("fluence", absorption, scattering, at, len(self.mesh.nodes))

    def _run(
        self, what: str, absorption: npt.ArrayLike, scattering: npt.ArrayLike, at: At, width: int
    ) -> Any:
        properties = self._require_place(at)
        shape = ("...", properties)
        home = arrays.home(absorption=absorption, scattering=scattering)
        if home.gpu is not None and (what == "fluence" or self.compat is not None):
            doing = what if self.compat is None else f"compat={self.compat!r}"
            raise TypeError(f"absorption must be on the CPU for {doing}, got a {home}")
        if self.compat is not None and at != "nodes":
            raise ValueError("at must be 'nodes' with compat='nirfast', got 'elements'")
        given = home.view(absorption, "absorption"), home.view(scattering, "scattering")
        single = all(getattr(x, "dtype", None) == np.float32 for x in given)
        with home.current():
            xp = home.xp
            mua = arrays.real(given[0], "absorption", shape, "mm^-1", xp, at_least=0)
            mus = arrays.real(given[1], "scattering", shape, "mm^-1", xp, above=0)
            if mua.shape != mus.shape:
                raise ValueError(
                    f"absorption and scattering must have the same shape, got {mua.shape} and "
                    f"{mus.shape}"
                )
            batch = mua.shape[:-1]
            mua, mus = mua.reshape(-1, properties), mus.reshape(-1, properties)
            kind = np.complex128 if self.frequency else np.float64
            out = xp.empty((len(mua), len(self.sources), width), kind)
            if self.compat is not None:
                for i in range(len(mua)):
                    out[i] = getattr(self._nirfast, what)(mua[i], mus[i])
            elif len(mua):
                getattr(self._plan(at, home.gpu), what)(mua, mus, out)
            if not bool(xp.isfinite(out).all()):
                raise ValueError(
                    "absorption and scattering must be of a size that float64 can work with, got "
                    f"{float(mua.min()):g} to {float(mua.max()):g} and {float(mus.min()):g} to "
                    f"{float(mus.max()):g} mm^-1: {what} is not finite"
                )
            out = out.reshape(*batch, *out.shape[1:])
            if single:
                out = out.astype(np.complex64 if self.frequency else np.float32)
            return home.back(out)

