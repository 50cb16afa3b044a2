"""`ForwardModel`: what the detectors read, for any number of property maps at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from lesionkit import _core, arrays, gpu
from lesionkit.optics.forward import optodes
from lesionkit.optics.forward.forward_gpu import DevicePlan
from lesionkit.optics.forward.jacobian import Jacobian
from lesionkit.optics.forward.physics import (
    SPEED_OF_LIGHT,
    check_frequency,
    robin_coefficient,
    warn_of_no_tissue,
)
from lesionkit.optics.forward.plan import Cost, build_plan
from lesionkit.optics.mesh.mesh import Mesh

At = Literal["nodes", "elements", "quarters"]

FIELD_BYTES = 64 * 2**20  # of the fields that are held at once for a Jacobian


class ForwardModel:
    """Diffusion of light in a 2-D mesh: a plan, made once, applied to many property maps.

    Solves -div(kappa grad Phi) + (mua - i omega/c) Phi = q with kappa = 1/(3 (mua + mus')) and
    kappa dPhi/dn + ksi Phi = 0 on the rim (:func:`robin_coefficient`), by linear or quadratic
    finite elements, curved ones isoparametric, for point sources of unit strength. Detectors read
    the fluence Phi at the rim.

    Parameters
    ----------
    mesh : Mesh
        Of triangles of 3 or 6 nodes.
    sources : (s, 2) array_like
        mm, on the rim; moved to the nearest boundary edge if within half an edge, else refused.
    detectors : (d, 2) array_like
        mm, likewise.
    refractive_index : float, default 1.33
        At least 1, the same everywhere; 1 means matched to the outside.
    frequency : float, default 0
        Modulation in Hz, 1e6 to 1e10; 0 is continuous wave, with real readings.
    source_depth : float, default 1
        mm along the inward normal from the rim to the point source; 0: sources lie exactly where
        given, anywhere inside.
    compat : {None, "nirfast"}, default None
        "nirfast" reproduces NIRFAST's 2-D readings (its one-sided boundary term, source placement
        and factor cos 0.15), slowly.

    Attributes
    ----------
    source_weights, detector_weights : sparse (count, nodes) arrays
        How each optode meets the nodes; not with `compat`.

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
        self.frequency = check_frequency(frequency)
        self.source_depth = arrays.number(source_depth, "source_depth", at_least=0.0, unit="mm")
        self.compat = compat
        self._plans: dict[At, tuple[Any, Cost, dict[str, Any]]] = {}
        self._device_plans: dict[tuple[At, int], DevicePlan] = {}
        rim = optodes.snap_to_rim(mesh, self.detectors, "detectors")
        if compat is None:
            self.detector_weights = optodes.rim_weights(mesh, rim)
            self.source_weights = self._place_sources()
        else:
            from lesionkit.optics.forward.nirfast import NirfastModel

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
            Where there is no such place, or with `compat`.
        """
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
        places = self.mesh.places
        if isinstance(at, str) and at in places:
            return places[at]
        if isinstance(at, str) and at == "quarters":
            raise ValueError(f"at must not be 'quarters' on 3-node triangles, got {self.mesh!r}")
        got = repr(at) if isinstance(at, str) else arrays.describe(at)
        raise ValueError(f"at must be 'nodes', 'elements' or 'quarters', got {got}")

    def _require_width(self, map_: Any, name: str, at: At) -> None:
        """ValueError where a map has as many numbers as another place would take."""
        places, width = self.mesh.places, (getattr(map_, "shape", ()) or (None,))[-1]
        fits = [place for place, count in places.items() if count == width != places[at]]
        if fits:
            raise ValueError(
                f"{name} must have shape (..., {places[at]}) at the {at}, got "
                f"{arrays.describe(map_)}: so many are the {fits[0]}, at={fits[0]!r}"
            )

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
            properties so extreme that the answer overflows.
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
        of the sources and of the detectors. On the CPU. 8 bytes (16 if modulated) for each, so some
        20 MB per map at the nodes of the accurate disc; with a basis, the derivatives by the
        properties are never held.

        Parameters
        ----------
        absorption, scattering, at : arguments
            As for :meth:`measure`.
        basis : (properties, k) sparse array, optional
            Derivatives by coarser functions, of which the properties take so much each (a column of
            ones: by a uniform change).

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
            count, kind = len(given.mua), self._kind
            places = len(self.sources), len(self.detectors)
            readings = np.empty((count, *places), kind)
            width, pairs = given.mua.shape[1], len(self.sources) * len(self.detectors)
            functions, coarse = (width, None) if basis is None else basis_rows(basis, width)
            shape = (*places, width) if basis is None else (functions, pairs)
            parts = [np.empty((count, *shape), kind) for _ in range(2)]
            for some, fields in self._fields(given.mua, given.mus, readings, at):
                maps = self._plan(at), given.mua[some], given.mus[some], fields
                if coarse is None:
                    _core.optics.jacobian(*maps, *(part[some] for part in parts))
                else:
                    whole = np.arange(pairs, dtype=np.int32), np.ones((len(fields), pairs), kind)
                    _core.optics.coarse_jacobian(
                        *maps, *coarse, *whole, *(part[some] for part in parts)
                    )
            if basis is not None:
                parts = [
                    np.moveaxis(part.reshape(count, functions, *places), 1, -1) for part in parts
                ]
            given.require_finite(readings, *parts)
            return Jacobian(*(given.answer(part) for part in (readings, *parts)))

    def _fields(
        self, mua: Any, mus: Any, readings: Any, at: At
    ) -> Iterator[tuple[slice, npt.NDArray[Any]]]:
        """Fill the readings of maps (n, properties), some at a time; yields which, and the fields
        (some, nodes, optodes) of their sources and detectors."""
        optodes = len(self.sources) + len(self.detectors)
        at_once = max(_core.optics.lanes, FIELD_BYTES // (16 * len(self.mesh.nodes) * optodes))
        for first in range(0, len(mua), at_once):
            some = slice(first, first + at_once)
            maps = self._plan(at), mua[some], mus[some]
            fields = np.empty((len(maps[1]), len(self.mesh.nodes), optodes), self._kind)
            _core.optics.fields(*maps, readings[some], fields)
            yield some, fields

    def gradient(
        self,
        absorption: npt.ArrayLike,
        scattering: npt.ArrayLike,
        weight: npt.ArrayLike,
        at: At = "nodes",
    ) -> tuple[Any, Any]:
        """The gradient of a weighted sum of the readings, without the Jacobian.

        It takes one more field per source, that of the weighted detectors. On the CPU.

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
            weights = _weights(home.view(weight, "weight"), shape, self._kind)
            out = np.empty_like(given.mua), np.empty_like(given.mus)
            flat = np.ascontiguousarray(weights.reshape(-1, *shape[-2:]).conj())
            _core.optics.gradient(self._plan(at), given.mua, given.mus, flat, *out)
            given.require_finite(*out)
            by_mua, by_mus = (given.answer(part) for part in out)
            return by_mua, by_mus

    @property
    def _kind(self) -> Any:
        """The dtype of readings."""
        return np.complex128 if self.frequency else np.float64

    def _run(
        self,
        what: str,
        absorption: npt.ArrayLike,
        scattering: npt.ArrayLike,
        at: At,
        width: int,
        doubt: bool = True,
    ) -> Any:
        with self._given(what, absorption, scattering, at, doubt) as given:
            out = given.xp.empty((len(given.mua), len(self.sources), width), self._kind)
            if self.compat is not None:
                for i in range(len(given.mua)):
                    out[i] = getattr(self._nirfast, what)(given.mua[i], given.mus[i])
            elif len(given.mua):
                getattr(self._plan(at, given.home.gpu), what)(given.mua, given.mus, out)
            given.require_finite(out)
            return given.answer(out)

    @contextmanager
    def _given(
        self,
        what: str,
        absorption: npt.ArrayLike,
        scattering: npt.ArrayLike,
        at: At,
        doubt: bool = True,
    ) -> Iterator[_Given]:
        """The maps, checked, while their GPU is the current one, if they are on one; with `doubt`,
        a warning of what no tissue has."""
        properties = self._require_place(at)
        shape = ("...", properties)
        home = arrays.home(absorption=absorption, scattering=scattering)
        if home.gpu is not None and (what != "measure" or self.compat is not None):
            doing = what if self.compat is None else f"compat={self.compat!r}"
            raise TypeError(f"absorption must be on the CPU for {doing}, got a {home}")
        if self.compat is not None:
            if what in ("jacobian", "gradient"):
                raise ValueError(f"{what} is not to be had with compat='nirfast'")
            if at != "nodes":
                raise ValueError(f"at must be 'nodes' with compat='nirfast', got {at!r}")
        given = home.view(absorption, "absorption"), home.view(scattering, "scattering")
        self._require_width(given[0], "absorption", at)
        self._require_width(given[1], "scattering", at)
        single = all(getattr(x, "dtype", None) == np.float32 for x in given)
        with home.current():
            mua = arrays.real(given[0], "absorption", shape, "mm^-1", home.xp, at_least=0)
            mus = arrays.real(given[1], "scattering", shape, "mm^-1", home.xp, above=0)
            if mua.shape != mus.shape:
                raise ValueError(
                    f"absorption and scattering must have the same shape, got {mua.shape} and "
                    f"{mus.shape}"
                )
            if doubt and mua.size:
                warn_of_no_tissue(float(mua.mean()), float(mus.mean()), stacklevel=5)
            flat = mua.reshape(-1, properties), mus.reshape(-1, properties)
            yield _Given(what, home, mua.shape[:-1], single, *flat)


class _Given(NamedTuple):
    """Property maps as the kernels take them, and how to answer in kind."""

    what: str
    home: arrays.Home
    batch: tuple[int, ...]
    single: bool  # they came as float32
    mua: Any  # (n, properties) float64, mm^-1
    mus: Any

    @property
    def xp(self) -> Any:
        return self.home.xp

    def require_finite(self, *parts: Any) -> None:
        """Raise where the answer (n, ...) has overflowed."""
        if not all(bool(self.xp.isfinite(part).all()) for part in parts):
            raise ValueError(
                "absorption and scattering must be of a size that float64 can work with, got "
                f"{float(self.mua.min()):g} to {float(self.mua.max()):g} and "
                f"{float(self.mus.min()):g} to {float(self.mus.max()):g} mm^-1: {self.what} is not "
                "finite"
            )

    def answer(self, part: Any) -> Any:
        """(n, ...) with the batch axes, in the precision and the library of the maps."""
        part = part.reshape(*self.batch, *part.shape[1:])
        if self.single:
            part = part.astype(np.complex64 if part.dtype.kind == "c" else np.float32)
        return self.home.back(part)


def basis_rows(
    basis: Any, properties: int
) -> tuple[int, tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float64]]]:
    """How many functions a checked basis has, and its rows as the kernel takes them."""
    if not sparse.issparse(basis):
        raise TypeError(f"basis must be a sparse array of SciPy, got {arrays.describe(basis)}")
    if basis.ndim != 2 or basis.shape[0] != properties or not basis.shape[1]:
        raise ValueError(f"basis must have shape ({properties}, k), got {basis.shape}")
    rows = sparse.csr_array(basis)
    weight = arrays.real(rows.data, "basis", (None,))
    return basis.shape[1], (rows.indptr.astype(np.int64), rows.indices.astype(np.int32), weight)


def _weights(value: Any, shape: tuple[int, ...], kind: type[np.generic]) -> npt.NDArray[Any]:
    """Checked weights of readings, of `kind`."""
    weights = np.asarray(value)
    if weights.dtype.kind not in ("fiu" if kind is np.float64 else "fiuc"):
        light = "continuous" if kind is np.float64 else "modulated"
        raise TypeError(
            f"weight must hold {'real ' * (kind is np.float64)}numbers for {light} light, got "
            f"{arrays.describe(value)}"
        )
    if weights.shape != shape:
        raise ValueError(f"weight must have shape {shape}, got {arrays.describe(value)}")
    if not np.isfinite(weights).all():
        raise ValueError("weight must be finite, got NaN or infinite numbers")
    return weights.astype(kind)
