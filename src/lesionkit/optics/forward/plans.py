"""The plans of a forward model: one for each place of properties, on the CPU and on each GPU."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from lesionkit import _core, gpu
from lesionkit.optics.forward import fields_gpu
from lesionkit.optics.forward.forward_gpu import DevicePlan
from lesionkit.optics.forward.maps import Coarse
from lesionkit.optics.forward.physics import SPEED_OF_LIGHT, reading_kind, robin_coefficient
from lesionkit.optics.forward.plan import Cost, build_plan
from lesionkit.optics.forward.solid_gpu import DeviceSolid
from lesionkit.optics.forward.solid_plan import Near, SolidPlan
from lesionkit.optics.mesh.mesh import Mesh
from lesionkit.optics.mesh.topology import elements_behind

At = Literal["nodes", "elements", "quarters"]

FIELD_BYTES = 64 * 2**20  # of the fields that are held at once for a Jacobian


class Plans:
    """What the kernels of `_core.optics` take of a forward model, made when it is first needed.

    source_weights, detector_weights : sparse (count, nodes): how each optode meets the nodes
    refractive_index, frequency, accuracy : as of :class:`ForwardModel`

    `kind` is the dtype of readings.
    """

    def __init__(
        self,
        mesh: Mesh,
        source_weights: sparse.csr_array,
        detector_weights: sparse.csr_array,
        refractive_index: float | npt.NDArray[np.float64],
        frequency: float,
        accuracy: float,
    ) -> None:
        self._mesh, self._optodes = mesh, (source_weights, detector_weights)
        self.kind = reading_kind(frequency)
        self._ksi: float | npt.NDArray[np.float64]
        if isinstance(refractive_index, float):
            self._ksi = robin_coefficient(refractive_index)
        else:
            rim = mesh.boundary[:, : mesh.nodes.shape[1]]
            behind = refractive_index[elements_behind(mesh.corners, rim)]
            values, which = np.unique(behind, return_inverse=True)
            self._ksi = np.array([robin_coefficient(value) for value in values])[which]
        self._wavenumber = 2 * np.pi * frequency * refractive_index / SPEED_OF_LIGHT
        self._accuracy = accuracy
        self._solid: dict[At, SolidPlan] = {}
        self._made: dict[At, tuple[Any, Cost, dict[str, Any]]] = {}
        self._on_devices: dict[tuple[At, int], DevicePlan | DeviceSolid] = {}
        self._with_fields: dict[tuple[At, int], fields_gpu.FieldPlan] = {}

    def at(self, place: At, device: int | None = None) -> Any:
        """The plan for properties given at `place`; `device` is the number of a GPU."""
        if device is None:
            return self._in_tetrahedra(place) if self._mesh.solid else self._at(place)[0]
        if (place, device) not in self._on_devices:
            xp, made = gpu.require(), DeviceSolid if self._mesh.solid else DevicePlan
            given: Any = self._in_tetrahedra(place) if self._mesh.solid else self.parts(place)
            with xp.cuda.Device(device):
                self._on_devices[place, device] = made(given, device, xp)
        return self._on_devices[place, device]

    def with_fields(self, place: At, device: int | None = None) -> tuple[Any, Any]:
        """Kernels of fields and derivatives, under the names of `_core.optics`, and the plan that
        they take; `device` is the number of a GPU."""
        if device is None or self._mesh.solid:
            return _core.optics, self.at(place, device)
        if (place, device) not in self._with_fields:
            xp = gpu.require()
            with xp.cuda.Device(device):
                made = fields_gpu.FieldPlan(self.parts(place), device, xp)
            self._with_fields[place, device] = made
        return fields_gpu, self._with_fields[place, device]

    def cost(self, place: At) -> Cost:
        """Multiply-adds and bytes per system."""
        return self._at(place)[1]

    def parts(self, place: At) -> dict[str, Any]:
        """The plan in parts, as `build_plan` makes them."""
        return self._at(place)[2]

    def _in_tetrahedra(self, place: At) -> SolidPlan:
        if place not in self._solid:
            self._solid[place] = SolidPlan(
                self._mesh,
                *self._optodes,
                ksi=self._ksi,
                wavenumber=self._wavenumber,
                at=place,
                accuracy=self._accuracy,
            )
        return self._solid[place]

    def _at(self, place: At) -> tuple[Any, Cost, dict[str, Any]]:
        if place not in self._made:
            parts, cost = build_plan(
                self._mesh, *self._optodes, ksi=self._ksi, wavenumber=self._wavenumber, at=place
            )
            self._made[place] = _core.optics.ForwardPlan(parts), cost, parts
        return self._made[place]

    def jacobian(
        self,
        mua: Any,
        mus: Any,
        place: At,
        out: tuple[Any, Any],
        *,
        coarse: Coarse | None = None,
        device: int | None = None,
        near: Near | None = None,
    ) -> Any:
        """Fill derivatives by mua and by mus' of maps (n, properties); returns the readings.

        out    : two (n, sources, detectors, properties) arrays; with `coarse` (n, functions, pairs)
        device : as of :meth:`at`
        near   : of tetrahedra: fields to begin with
        """
        kernels, plan = self.with_fields(place, device)
        if self._mesh.solid:
            plan = plan.core
        xp = np if device is None else gpu.require()
        readings = xp.empty((len(mua), *(w.shape[0] for w in self._optodes)), self.kind)
        for some, fields in self._fields(mua, mus, readings, place, device, near):
            maps = plan, mua[some], mus[some], fields
            parts = [part[some] for part in out]
            if coarse is None:
                kernels.jacobian(*maps, *parts)
            else:
                scale = coarse.scale(readings[some])
                kernels.coarse_jacobian(*maps, *coarse.rows, coarse.pairs, scale, *parts)
            for part, found in zip(out, parts, strict=True):
                if not isinstance(some, slice):
                    part[some] = found
        return readings

    def gradient(
        self,
        mua: Any,
        mus: Any,
        weight: Any,
        place: At,
        out: tuple[Any, Any],
        device: int | None = None,
    ) -> None:
        """Fill derivatives (n, properties) of the sums of readings times weight (n, sources,
        detectors), their real part; `device`: as of :meth:`at`."""
        kernels, plan = self.with_fields(place, device)
        if not self._mesh.solid:
            kernels.gradient(plan, mua, mus, weight, *out)
            return
        readings = np.empty_like(weight)
        for some, fields in plan.fields(mua, mus, readings):
            parts = [part[some] for part in out]
            maps = plan.core, mua[some], mus[some], fields
            kernels.volume_gradient(*maps, weight[some], *parts)
            for part, found in zip(out, parts, strict=True):
                part[some] = found

    def _fields(
        self,
        mua: Any,
        mus: Any,
        readings: Any,
        place: At,
        device: int | None,
        near: Near | None,
    ) -> Iterator[tuple[Any, Any]]:
        """Fill the readings of maps (n, properties), some at a time; yields which, and the fields
        (some, nodes, optodes) of their sources and detectors."""
        kernels, plan = self.with_fields(place, device)
        if self._mesh.solid:
            yield from plan.fields(mua, mus, readings, near)
            return
        xp = np if device is None else gpu.require()
        optodes = sum(weights.shape[0] for weights in self._optodes)
        nodes = len(self._mesh.nodes)
        batch_size = max(_core.optics.lanes, FIELD_BYTES // (16 * nodes * optodes))
        for first in range(0, len(mua), batch_size):
            some = slice(first, first + batch_size)
            maps = plan, mua[some], mus[some]
            fields = xp.empty((len(maps[1]), nodes, optodes), self.kind)
            kernels.fields(*maps, readings[some], fields)
            yield some, fields
