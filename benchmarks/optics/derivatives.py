"""The Jacobian: ours beside what a user would write with CHOLMOD and NumPy."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.optics.assembly import MASS, stiffness
from benchmarks.optics.peers import Cholmod, missing
from benchmarks.optics.problem import Array, disc, ours, phantoms, rings
from benchmarks.report import Report
from benchmarks.timing import Contender, ratio, rounds

NAME = "CHOLMOD simplicial"


class CholmodJacobian(Cholmod):
    """All fields from one factor, then products of small matrices, element by element."""

    def plan(self) -> None:
        super().plan()
        self.gradients, self.area = stiffness(self.work)
        optodes = [self.work.sources.toarray(), self.work.detectors.toarray()]
        self.sources = np.asfortranarray(np.concatenate(optodes).T)

    def __call__(self, absorption: Array, scattering: Array) -> Array:
        """(systems, 2, sources, detectors, elements): by mua and by mus'."""
        return np.array([self.one(a, s) for a, s in zip(absorption, scattering, strict=True)])

    def one(self, absorption: Array, scattering: Array) -> Array:
        field = self.fluence(absorption, scattering)
        half = field.shape[1] // 2
        local = field[self.work.elements]  # (elements, 3, optodes)
        of_sources, of_detectors = local[..., :half], local[..., half:]
        weighted = [self.gradients @ of_detectors, (self.area[:, None, None] * MASS) @ of_detectors]
        by_kappa, by_mua = (-(of_sources.transpose(0, 2, 1) @ w) for w in weighted)
        by_mus = by_kappa * (-1 / (3 * (absorption + scattering) ** 2))[:, None, None]
        return np.stack([by_mua + by_mus, by_mus]).transpose(0, 2, 3, 1)


def derivatives(report: Report) -> None:
    """Pairs of ours and the peer on 1,801 nodes; and what derivatives cost beside readings."""
    count = 8 if report.quick else 64
    work = disc(rings(24))
    model, maps = ours(work), phantoms(work, count)
    random = np.random.default_rng(0)
    weight = random.normal(size=(count, 16, 16))
    contenders = {
        "measure": Contender(partial(model.measure, *maps, at="elements"), count, report.threads),
        "gradient of a weighted sum": Contender(
            partial(model.gradient, *maps, weight, at="elements"), count, report.threads
        ),
        "jacobian": Contender(partial(model.jacobian, *maps, at="elements"), count, report.threads),
    }
    agreement = "-"
    if reason := missing(NAME):
        report.say(f"left out, {reason}")
    else:
        peer, few = CholmodJacobian(work, mode="simplicial"), (maps[0][:8], maps[1][:8])
        found = model.jacobian(*few, at="elements")
        expected = peer(*few)
        scale = np.abs(expected).max(axis=-1, keepdims=True)
        mine = np.stack([found.absorption, found.scattering], axis=1)
        difference = float((np.abs(mine - expected) / scale).max())
        if not difference < 1e-10:
            raise AssertionError(f"Jacobians differ by {difference:.1e}, more than 1e-10")
        agreement = f"{difference:.1e}"
        contenders[f"{NAME} and NumPy: jacobian"] = Contender(partial(peer, *few), 8)
    times = rounds(contenders, report.pairs)
    rows = [
        [
            name,
            f"{np.median(spent) * 1e3:.3f}",
            *(str(ratio(spent, times[one])) for one in ("measure", "jacobian")),
        ]
        for name, spent in times.items()
    ]
    report.table(
        f"Derivatives, {len(work.nodes)} linear nodes (fast), {report.threads} threads",
        ["work", "ms per map", "times measure", "times our jacobian"],
        rows,
        f"256 readings by {len(work.elements):,} elements, by mua and mus'. The largest difference "
        f"from the peer, of each reading's largest derivative: {agreement}.",
    )
