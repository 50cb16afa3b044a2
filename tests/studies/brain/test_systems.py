"""The cited systems: rough sets and least squares by hand, and that every pipeline runs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.base import clone
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.utils.estimator_checks import parametrize_with_checks

from lesionkit.studies.brain.classify import evaluate
from lesionkit.studies.brain.systems import lssvm, rough
from lesionkit.studies.brain.systems.lssvm import LsSvm
from lesionkit.studies.brain.systems.table import System, systems

RANDOM = np.random.default_rng(0)
ROUGH = np.arange(48) % 2 == 1
WHITE = RANDOM.normal(size=(48, 10, 10))
SOFT = gaussian_filter(WHITE, (0, 1.2, 1.2))  # smoother, and of less contrast
ROIS = 120 + 30 * np.where(ROUGH[:, None, None], WHITE, SOFT)
PATIENTS = np.repeat(["A", "B", "C"], 16)


def test_dependency_and_reduct_by_hand() -> None:
    bins = np.array([[0, 0, 5], [0, 1, 5], [1, 0, 5], [1, 1, 5]])
    exclusive = np.array([0, 1, 1, 0])
    assert [rough.dependency(bins[:, [c]], exclusive) for c in range(3)] == [0, 0, 0]
    assert rough.dependency(bins, exclusive) == 1
    assert rough.dependency(bins[:, [0]], np.array([0, 0, 1, 0])) == 0.5
    assert rough.reduct(bins, exclusive) == [0, 1]
    assert rough.reduct(bins, np.array([0, 1, 0, 1])) == [1]


def test_the_linear_system() -> None:
    points, sign = RANDOM.normal(size=(12, 3)), np.where(np.arange(12) % 2, 1.0, -1.0)
    kernel = rbf_kernel(points)
    weights, bias = lssvm._solved(kernel, sign, 10.0)
    assert abs(weights.sum()) < 1e-10
    np.testing.assert_allclose(kernel @ weights + bias + weights / 10, sign, atol=1e-10)


@parametrize_with_checks([LsSvm()])
def test_the_estimator_keeps_scikit_learns_ways(estimator: object, check: object) -> None:
    check(estimator)  # type: ignore[operator]


@pytest.mark.parametrize("name", list(systems()))
def test_every_system_tells_rough_from_smooth(name: str) -> None:
    system: System = systems()[name]
    values = system.measure(ROIS)
    assert values.shape[0] == 48
    assert np.isfinite(values).all()
    (found,) = evaluate(
        values,
        ROUGH,
        PATIENTS,
        table={name: clone(system.estimator)},
        select="inside" if system.selector is not None else None,
        selector=system.selector,
    )
    assert found.accuracy > 0.8


def test_sizes() -> None:
    table = systems()
    sizes = {name: table[name].measure(ROIS).shape[1] for name in table}
    assert (sizes["glcm-ann"], sizes["naive-bayes"], sizes["rlm-cslbp-ann"]) == (44, 9, 60)
    assert (sizes["dwt-pca-ann"], sizes["svm-32"], sizes["hbtc-mlp"]) == (37, 220, 245)
