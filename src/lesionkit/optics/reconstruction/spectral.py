"""Logs of the readings of tissue at several wavelengths, and their derivatives: what Gauss-Newton
and the homogeneous start are made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from lesionkit.optics.forward.maps import check_finite, coarse
from lesionkit.optics.forward.model import ForwardModel
from lesionkit.optics.forward.plans import At
from lesionkit.optics.forward.solid_plan import Near

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

TISSUE = ("hbo", "hb", "water", "amplitude", "power")
"""What tissue is made of; with lipid, `Problem.contents` names it after water."""
MAX_POWER = 100.0  # of mus': beyond, powers of wavelengths overflow
PER_CENT = ("water", "lipid")  # what cannot be more than all
SPACE = 2**29  # bytes of derivatives that are held at once
FIELDS = 2**26  # bytes of fields of a phantom that are kept from step to step
DIFFERENCE = 1e-4  # relative, of mua and mus', for derivatives to the square of it
NOISE = 0.01  # of a log reading: what priors are weighed against
PRIOR = {"amplitude": 0.5, "power": 0.5}  # of the chromophores: 1
"""How far homogeneous tissue may lie from the reference: factors of e, and the power itself. Some
thousand readings outweigh it; where few wavelengths leave a combination open, it decides."""


@dataclass(frozen=True)
class Problem:
    """What all phantoms of a call share.

    model      : the forward model
    basis      : (properties, k) sparse, at the elements of triangles or the nodes of tetrahedra
    pairs      : (m,) places of the used readings among sources * detectors
    extinction : (wavelengths, chromophores) mm^-1 per micromolar, micromolar, per cent, per cent
    nm         : (wavelengths,)
    maps       : which of `contents` but the power become maps
    contents   : the names of what tissue is made of: TISSUE, or with "lipid" after "water". Arrays
                 of tissue hold them in this order, c of them chromophores
    """

    model: ForwardModel
    basis: sparse.csr_array
    pairs: Index
    extinction: Floats
    nm: Floats
    maps: tuple[str, ...]
    contents: tuple[str, ...] = TISSUE

    @property
    def at(self) -> At:
        """Where properties are."""
        return "nodes" if self.model.mesh.solid else "elements"

    @property
    def in_data_space(self) -> bool:
        """Whether readings are fewer than the unknowns of maps."""
        rows = len(self.nm) * len(self.pairs) * (1 + bool(self.model.frequency))
        k = int(self.basis.shape[1])
        return k > 1 and len(self.maps) * k > rows

    @property
    def chromophores(self) -> int:
        """How many there are: also the place of the scattering amplitude in `contents`."""
        return len(self.contents) - 2

    @property
    def priors(self) -> Floats:
        """PRIOR of each of `contents`."""
        return np.array([PRIOR.get(name, 1.0) for name in self.contents])

    def within(self, tissue: Floats) -> Floats:
        """`tissue` (contents, ...), in place: neither rounding nor a wild step leads beyond what a
        number can be."""
        np.clip(tissue[-1], -MAX_POWER, MAX_POWER, out=tissue[-1])
        for i, name in enumerate(self.contents):
            if name in PER_CENT:
                np.minimum(tissue[i], 100, out=tissue[i])
        return tissue

    @property
    def single(self) -> tuple[str, ...]:
        """What of the scattering is a single number for each phantom."""
        return ("power",) if "amplitude" in self.maps else ("amplitude", "power")

    def spectrum(self, power: Any) -> Any:
        """mus' over its amplitude: (..., wavelengths, 1) for powers (...,)."""
        return ((self.nm / 1000) ** -np.asarray(power)[..., None])[..., None]

    def optical(self, tissue: Floats) -> tuple[Floats, Floats]:
        """mua and mus' (n, wavelengths, properties) in mm^-1 of coefficients (n, contents, k)."""
        c = self.chromophores
        fine = (self.basis @ tissue[:, : c + 1].reshape(-1, tissue.shape[2]).T).T
        fine = np.maximum(fine, 0).reshape(len(tissue), c + 1, -1)  # rounding of a sum of shares
        mua = absorption(self.extinction, fine[:, None, :c])
        return mua, fine[:, c:] * self.spectrum(tissue[:, c + 1, 0])

    def near(self, phantoms: int) -> Near | None:
        """To keep the fields of tetrahedra from step to step, where those of one phantom are few:
        however many there are, each is worked on in the same way."""
        nodes, optodes = len(self.model.mesh.nodes), len(self.model.sources)
        numbers = len(self.nm) * nodes * (optodes + len(self.model.detectors))
        few = numbers * np.dtype(self.model.plans.kind).itemsize <= FIELDS
        return Near({}, np.arange(phantoms)) if self.model.mesh.solid and few else None

    def _each(self, near: Near | None) -> Near | None:
        """The maps of phantoms: one at each wavelength."""
        if near is None:
            return None
        count = len(self.nm)
        return replace(near, maps=(near.maps[:, None] * count + np.arange(count)).ravel())

    def logs(self, mua: Floats, mus: Floats, near: Near | None = None) -> Floats:
        """Logs of the used readings for maps (..., properties): (..., rows)."""
        plans, batch = self.model.plans, mua.shape[:-1]
        mua, mus = (np.ascontiguousarray(x.reshape(-1, x.shape[-1])) for x in (mua, mus))
        found = np.empty((len(mua), len(self.model.sources), len(self.model.detectors)), plans.kind)
        # not by `measure`, which warns: a step too far, to such tissue, is taken back
        more = () if near is None else (self._each(near),)
        plans.at(self.at).measure(mua, mus, found, *more)
        check_finite("measure", mua, mus, found)
        return log(self._used(found.reshape(*batch, *found.shape[1:])))

    def _used(self, readings: Any) -> Any:
        return readings.reshape(*readings.shape[:-2], -1)[..., self.pairs]

    def at_once(self, most: int) -> int:
        """How many phantoms' derivatives there is room for, up to `most`."""
        numbers = 2 * len(self.nm) * int(self.basis.shape[1]) * len(self.pairs)
        return max(1, min(most, SPACE // (numbers * np.dtype(self.model.plans.kind).itemsize)))

    def buffers(self, phantoms: int) -> tuple[Any, Any]:
        """For `derivatives` of as many; it is used again and again, since fresh memory costs."""
        shape = phantoms, len(self.nm), self.basis.shape[1], len(self.pairs)
        return np.empty(shape, self.model.plans.kind), np.empty(shape, self.model.plans.kind)

    def uniform(
        self, mua: Floats, mus: Floats, near: Near | None = None
    ) -> tuple[Floats, Floats, Floats]:
        """Logs of homogeneous tissue (n, wavelengths, 1), and their derivatives by ln mua and ln
        mus', each (n, wavelengths, rows)."""
        if self.model.mesh.solid:
            found = self.model.plans.at(self.at).uniform(mua.ravel(), mus.ravel(), self._each(near))
            here, by_mua, by_mus = (self._used(x).reshape(*mua.shape[:2], -1) for x in found)
            return log(here), _real(mua * by_mua / here), _real(mus * by_mus / here)
        sides = (
            np.stack([mua, mua * (1 + DIFFERENCE), mua]),
            np.stack([mus, mus, mus * (1 + DIFFERENCE)]),
        )
        maps = [np.repeat(side, self.basis.shape[0], axis=-1) for side in sides]
        here, by_mua, by_mus = self.logs(maps[0], maps[1])
        return here, (by_mua - here) / DIFFERENCE, (by_mus - here) / DIFFERENCE

    def derivatives(
        self, tissue: Floats, buffers: tuple[Any, Any], near: Near | None = None
    ) -> tuple[Floats, Derivatives]:
        """Logs (n, wavelengths, rows) of tissue (n, contents, k), and their derivatives."""
        mua, mus = self.optical(tissue)
        n, wavelengths = mua.shape[:2]
        mua, mus = (np.ascontiguousarray(x.reshape(n * wavelengths, -1)) for x in (mua, mus))
        parts = tuple(x[:n].reshape(n * wavelengths, *x.shape[2:]) for x in buffers)
        by = coarse(self.basis, mua.shape[1], self.pairs, of_log=True)
        of_all = self.model.plans.jacobian(
            mua, mus, self.at, parts, coarse=by, near=self._each(near)
        )
        readings = self._used(of_all).reshape(n, wavelengths, -1)
        by_mua, by_mus = (_real(x[:n]) for x in buffers)
        # by ln amplitude: every mus' grows by its own fraction, whatever the map
        c = self.chromophores
        spectrum = self.spectrum(tissue[:, c + 1, 0])
        by_log = np.matmul(tissue[:, None, c : c + 1], by_mus) * spectrum[..., None]
        by_power = -np.log(self.nm / 1000)[:, None, None] * by_log
        single = by_power if "amplitude" in self.maps else np.concatenate([by_log, by_power], 2)
        return log(readings), Derivatives(by_mua, by_mus, single)


def absorption(extinction: Floats, amounts: Floats) -> Floats:
    """mua (n, wavelengths, places) of amounts (n, 1, chromophores, places): summed in one order,
    whatever the batch, which a product of matrices does not promise."""
    e = extinction[:, :, None]
    mua: Floats = e[:, 0] * amounts[:, :, 0]
    for i in range(1, extinction.shape[1]):
        mua = mua + e[:, i] * amounts[:, :, i]
    return mua


class Derivatives(NamedTuple):
    """Of logs, (n, wavelengths, ..., rows): by the coefficients of mua, by those of mus', and by
    the single numbers (ln amplitude, if it is no map, and power)."""

    by_mua: Floats
    by_mus: Floats
    single: Floats

    def weighted(self, root: Floats) -> Derivatives:
        """Those of logs times `root` (n, wavelengths, rows)."""
        return Derivatives(*(part * root[..., None, :] for part in self))


def _real(part: Any) -> Floats:
    """Of ln amplitude; of modulated light those of phase after them."""
    if part.dtype.kind == "c":
        return np.concatenate([part.real, part.imag], axis=-1)
    return np.asarray(part)


def log(readings: Any) -> Floats:
    """ln |reading| of each pair, then the phases of modulated light; NaN of what is not above 0."""
    if readings.dtype.kind == "c":
        return np.concatenate([np.log(np.abs(readings)), np.angle(readings)], axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        amplitude: Floats = np.log(readings)
    return amplitude


def difference(data: Floats, model: Floats, modulated: bool) -> Floats:
    """data - model of logs; phases, the second half, to the nearest turn."""
    out = data - model
    if modulated:
        half = out.shape[-1] // 2
        out[..., half:] = np.angle(np.exp(1j * out[..., half:]))
    return out


def rooted(residual: Floats, root: Floats) -> Floats:
    """residual * root; 0 where the root is, whatever the residual."""
    out: Floats = np.where(root > 0, residual, 0) * root
    return out
