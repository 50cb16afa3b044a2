"""Readings as a torch function: its gradients, and what it refuses."""

from __future__ import annotations

import functools

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[nets]'")

from lesionkit.optics import ForwardModel, autograd, ball_mesh, disc_mesh  # noqa: E402


@functools.cache
def model(order=1, frequency=0.0):
    mesh = disc_mesh(radius=10.0, nodes=37, optodes=6)
    rim = mesh.nodes[mesh.boundary[::6, 0]]
    return ForwardModel(mesh.to_quadratic() if order == 2 else mesh, rim, rim, frequency=frequency)


def maps(of, at, *batch, dtype=None):
    count = {"nodes": len(of.mesh.nodes), "elements": len(of.mesh.elements)}
    count["quarters"] = 4 * count["elements"]
    seed = torch.Generator().manual_seed(0)
    draw = functools.partial(torch.rand, generator=seed, dtype=dtype or torch.float64)
    mua, mus = 0.002 + 0.02 * draw(*batch, count[at]), 0.5 + draw(*batch, count[at])
    return mua.requires_grad_(), mus.requires_grad_()


@pytest.mark.parametrize("frequency", [0.0, 1e8])
@pytest.mark.parametrize(
    ("order", "at"), [(1, "nodes"), (1, "elements"), (2, "elements"), (2, "quarters")]
)
def test_gradcheck(order, at, frequency):
    of = model(order, frequency)
    arguments = maps(of, at, 2, 1)

    def log_readings(mua, mus):
        return torch.log(autograd.measure(of, mua, mus, at))

    assert torch.autograd.gradcheck(
        log_readings, arguments, eps=1e-6, atol=1e-6, rtol=1e-5, fast_mode=order == 2
    )


@pytest.mark.parametrize(("order", "frequency"), [(1, 1e8), (2, 0.0)])
def test_gradcheck_of_tetrahedra(order, frequency):
    rim = [[5.0, 0, 0], [0, 4, 3]]
    mesh = ball_mesh(5, layers=2, order=order)
    of = ForwardModel(mesh, rim, rim, frequency=frequency, accuracy=1e-8)
    # readings to 1e-8 over steps of 1e-4
    assert torch.autograd.gradcheck(
        lambda mua, mus: torch.log(autograd.measure(of, mua, 100 * mus)),
        [m / (1, 100)[i] for i, m in enumerate(maps(of, "nodes", 1))],
        eps=1e-4, atol=1e-3, rtol=1e-3, fast_mode=True,
    )  # fmt: skip


def test_readings_are_those_of_measure():
    of = model(frequency=1e8)
    mua, mus = maps(of, "nodes", 3)
    readings = autograd.measure(of, mua, mus)
    expected = of.measure(mua.detach().numpy(), mus.detach().numpy())
    np.testing.assert_array_equal(readings.detach().numpy(), expected)
    assert readings.requires_grad


def test_a_loss_finds_its_way_back():
    # descent along the gradient of a misfit lowers it
    of = model()
    truth = of.measure(*(m.detach() for m in maps(of, "nodes")))
    mua = torch.full((37,), 0.01, dtype=torch.float64, requires_grad=True)
    mus = torch.full((37,), 1.0, dtype=torch.float64)
    misfits = []
    for _ in range(5):
        misfit = (torch.log(autograd.measure(of, mua, mus)) - torch.log(truth)).square().sum()
        (slope,) = torch.autograd.grad(misfit, mua)
        misfits.append(float(misfit.detach()))
        mua = (mua - 1e-3 * slope / slope.norm()).detach().requires_grad_()
    assert misfits == sorted(misfits, reverse=True)


def test_single_precision_and_mixtures():
    of = model()
    mua, mus = maps(of, "nodes", 2, dtype=torch.float32)
    readings = autograd.measure(of, mua, mus)
    assert readings.dtype == torch.float32
    readings.sum().backward()
    assert mua.grad.dtype == mus.grad.dtype == torch.float32
    wide = mus.detach().double().requires_grad_()
    mua.grad = None
    readings = autograd.measure(of, mua, wide)
    assert readings.dtype == torch.float64
    readings.sum().backward()
    assert (mua.grad.dtype, wide.grad.dtype) == (torch.float32, torch.float64)


def test_without_gradients_nothing_is_kept():
    of = model()
    with torch.no_grad():
        assert not autograd.measure(of, *maps(of, "nodes")).requires_grad


def test_jacobians_of_tensors_are_tensors():
    of = model(frequency=1e8)
    tensors = [m.detach() for m in maps(of, "nodes")]
    found = of.jacobian(*tensors)
    assert isinstance(found.absorption, torch.Tensor)
    expected = of.jacobian(*(m.numpy() for m in tensors))
    pairs = [
        (found, expected),
        (found.phase(), expected.phase()),
        (found.log_amplitude(), expected.log_amplitude()),
    ]
    for one, other in pairs:
        np.testing.assert_array_equal(one.absorption.numpy(), other.absorption)
    of_water = found.tissue(661, 1.0, 1.0)["water"]
    np.testing.assert_array_equal(of_water.numpy(), expected.tissue(661, 1.0, 1.0)["water"])


def test_second_derivatives_are_refused():
    of = model()
    mua, mus = maps(of, "nodes")
    loss = autograd.measure(of, mua, mus).square().sum()
    (slope,) = torch.autograd.grad(loss, mua, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.sum().backward()


def test_what_is_refused():
    of = model()
    mua, mus = maps(of, "nodes")
    with pytest.raises(TypeError, match="absorption must be a torch tensor, got float64 array"):
        autograd.measure(of, mua.detach().numpy(), mus)
    with pytest.raises(TypeError, match="model must be a ForwardModel, got str"):
        autograd.measure("model", mua, mus)
    with pytest.raises(ValueError, match="scattering must be above 0"):
        autograd.measure(of, mua, -mus)
    with pytest.raises(TypeError, match="absorption carries gradients, which would be lost here"):
        of.measure(mua, mus)
    nirfast = ForwardModel(of.mesh, of.sources, of.detectors, compat="nirfast")
    with pytest.raises(ValueError, match="model must be without compat for gradients"):
        autograd.measure(nirfast, mua, mus)
