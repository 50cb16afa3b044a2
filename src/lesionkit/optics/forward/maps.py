"""Property maps as the kernels take them, what is checked of them, and the answer in kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from lesionkit import arrays
from lesionkit.optics.forward.physics import warn_of_no_tissue
from lesionkit.optics.mesh.mesh import Mesh

Floats = npt.NDArray[np.float64]


class Maps(NamedTuple):
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

    def check_finite(self, *parts: Any) -> None:
        check_finite(self.what, self.mua, self.mus, *parts)

    def answer(self, part: Any) -> Any:
        """(n, ...) with the batch axes, in the precision and the library of the maps."""
        part = part.reshape(*self.batch, *part.shape[1:])
        if self.single:
            part = part.astype(np.complex64 if part.dtype.kind == "c" else np.float32)
        return self.home.back(part)


@contextmanager
def given_maps(
    what: str, mesh: Mesh, compat: str | None, absorption: Any, scattering: Any, at: Any
) -> Iterator[Maps]:
    """The maps of a call, checked, while their GPU is the current one, if they are on one; with a
    warning of what no tissue has.

    what   : the method of the forward model that is called
    compat : as of the model
    """
    properties = check_place(mesh, at)
    shape = ("...", properties)
    home = arrays.home(absorption=absorption, scattering=scattering)
    derived = mesh.solid and what in ("jacobian", "gradient")
    if home.gpu is not None and (compat is not None or derived):
        doing = f"compat={compat!r}" if compat else f"the {what} in tetrahedra"
        raise TypeError(f"absorption must be on the CPU for {doing}, got a {home}")
    if compat is not None:
        if what in ("jacobian", "gradient"):
            raise ValueError(f"{what} is not to be had with compat='nirfast'")
        if at != "nodes":
            raise ValueError(f"at must be 'nodes' with compat='nirfast', got {at!r}")
    given = home.view(absorption, "absorption"), home.view(scattering, "scattering")
    check_width(mesh, given[0], "absorption", at)
    check_width(mesh, given[1], "scattering", at)
    single = all(getattr(x, "dtype", None) == np.float32 for x in given)
    with home.current():
        mua = arrays.real(given[0], "absorption", shape, "mm^-1", home.xp, at_least=0)
        mus = arrays.real(given[1], "scattering", shape, "mm^-1", home.xp, above=0)
        if mua.shape != mus.shape:
            raise ValueError(
                f"absorption and scattering must have the same shape, got {mua.shape} and "
                f"{mus.shape}"
            )
        if mua.size:
            warn_of_no_tissue(float(mua.mean()), float(mus.mean()), stacklevel=5)
        flat = mua.reshape(-1, properties), mus.reshape(-1, properties)
        yield Maps(what, home, mua.shape[:-1], single, *flat)


def mixture(values: Floats, fractions: Floats) -> Floats:
    """A property where regions meet, (n, places): values (n, regions), and shares (n, regions - 1,
    places) of all regions but the first."""
    mixed = np.repeat(values[:, :1], fractions.shape[2], axis=1)
    for number in range(1, values.shape[1]):
        mixed += (values[:, number] - values[:, 0])[:, None] * fractions[:, number - 1]
    return mixed


def check_place(mesh: Mesh, at: Any) -> int:
    """How many properties there are at "nodes", "elements" or "quarters"."""
    places = mesh.places
    if isinstance(at, str) and at in places:
        return places[at]
    if isinstance(at, str) and at == "quarters":
        kind = "tetrahedra" if mesh.solid else "3-node triangles"
        raise ValueError(f"at must not be 'quarters' on {kind}, got {mesh!r}")
    got = repr(at) if isinstance(at, str) else arrays.describe(at)
    raise ValueError(f"at must be 'nodes', 'elements' or 'quarters', got {got}")


def check_width(mesh: Mesh, map_: Any, name: str, at: str) -> None:
    """ValueError where a map has as many numbers as another place would take."""
    places, width = mesh.places, (getattr(map_, "shape", ()) or (None,))[-1]
    fits = [place for place, count in places.items() if count == width != places[at]]
    if fits:
        raise ValueError(
            f"{name} must have shape (..., {places[at]}) at the {at}, got "
            f"{arrays.describe(map_)}: so many are the {fits[0]}, at={fits[0]!r}"
        )


def check_finite(what: str, mua: Any, mus: Any, *parts: Any) -> None:
    """Raise where an answer (n, ...) to maps, of NumPy or CuPy, has overflowed."""
    xp = arrays.home(mua=mua).xp
    if not all(bool(xp.isfinite(part).all()) for part in parts):
        raise ValueError(
            "absorption and scattering must be of a size that float64 can work with, got "
            f"{float(mua.min()):g} to {float(mua.max()):g} and {float(mus.min()):g} to "
            f"{float(mus.max()):g} mm^-1: {what} is not finite"
        )


class Coarse(NamedTuple):
    """Functions by which derivatives are wanted, and of which readings.

    functions : how many there are
    rows      : start, function and weight of what each property takes of them, as sparse rows
    pairs     : (m,) int32, places among sources * detectors
    of_log    : derivatives of the logs of readings, not of themselves
    """

    functions: int
    rows: tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float64]]
    pairs: npt.NDArray[np.int32]
    of_log: bool

    def scale(self, readings: Any) -> Any:
        """What derivatives are to be multiplied by, (n, m), for readings (n, ...)."""
        used = readings.reshape(len(readings), -1)[:, self.pairs]
        return np.ascontiguousarray(1 / used) if self.of_log else np.ones(used.shape, used.dtype)


def coarse(basis: Any, properties: int, pairs: Any, *, of_log: bool = False) -> Coarse:
    """A checked basis (properties, k) as the kernels take it."""
    if not sparse.issparse(basis):
        raise TypeError(f"basis must be a sparse array of SciPy, got {arrays.describe(basis)}")
    if basis.ndim != 2 or basis.shape[0] != properties or not basis.shape[1]:
        raise ValueError(f"basis must have shape ({properties}, k), got {basis.shape}")
    table = sparse.csr_array(basis)
    weight = arrays.real(table.data, "basis", (None,))
    rows = table.indptr.astype(np.int64), table.indices.astype(np.int32), weight
    return Coarse(basis.shape[1], rows, np.asarray(pairs, np.int32), of_log)


def check_weights(value: Any, shape: tuple[int, ...], kind: type[np.generic], xp: Any = np) -> Any:
    """Checked weights of readings, of `kind`, as an array of `xp`."""
    weights = xp.asarray(value)
    if weights.dtype.kind not in ("fiu" if kind is np.float64 else "fiuc"):
        light = "continuous" if kind is np.float64 else "modulated"
        raise TypeError(
            f"weight must hold {'real ' * (kind is np.float64)}numbers for {light} light, got "
            f"{arrays.describe(value)}"
        )
    if weights.shape != shape:
        raise ValueError(f"weight must have shape {shape}, got {arrays.describe(value)}")
    if not xp.isfinite(weights).all():
        raise ValueError("weight must be finite, got NaN or infinite numbers")
    return weights.astype(kind)
