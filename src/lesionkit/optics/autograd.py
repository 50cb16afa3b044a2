"""Readings as a torch function: gradients of a loss flow back to mua and mus'.

torch (extra `nets`) is imported here and nowhere else in `lesionkit.optics`.
"""

from __future__ import annotations

from typing import Any

from lesionkit import arrays, extras
from lesionkit.optics.forward.model import ForwardModel
from lesionkit.optics.forward.plans import At

extras.require("torch", "lesionkit.optics.autograd needs")

import torch  # noqa: E402


def measure(
    model: ForwardModel, absorption: torch.Tensor, scattering: torch.Tensor, at: At = "nodes"
) -> torch.Tensor:
    """:meth:`ForwardModel.measure` of tensors that may carry gradients.

    A backward pass is one :meth:`ForwardModel.gradient` of the whole batch, about three times the
    work of the forward pass; the Jacobian is never formed. Second derivatives are not to be had.

    Parameters
    ----------
    model : ForwardModel
        Without compat.
    absorption, scattering : (..., properties) tensors
        mm^-1, on the CPU or on a GPU (in tetrahedra without gradients).
    at : {"nodes", "elements", "quarters"}, default "nodes"
        As for `measure`.

    Returns
    -------
    (..., sources, detectors) tensor
        mm^-1, real or complex; float32 maps give float32 (complex64), the rest float64
        (complex128).

    Raises
    ------
    TypeError, ValueError
        As `measure`, and for what is not a tensor.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from lesionkit.optics import autograd
    >>> from lesionkit.optics import ForwardModel, disc_mesh
    >>> mesh = disc_mesh(20, nodes=300)
    >>> rim = 20 * np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    >>> model = ForwardModel(mesh, rim, rim)
    >>> mua, mus = np.full(len(mesh.nodes), 0.01), np.full(len(mesh.nodes), 1.0)
    >>> mua = torch.tensor(mua, requires_grad=True)
    >>> autograd.measure(model, mua, torch.tensor(mus)).log().sum().backward()
    >>> mua.grad.shape == mua.shape, bool(mua.grad.sum() < 0)
    (True, True)
    """
    if not isinstance(model, ForwardModel):
        raise TypeError(f"model must be a ForwardModel, got {arrays.describe(model)}")
    for name, value in (("absorption", absorption), ("scattering", scattering)):
        if not isinstance(value, torch.Tensor):
            raise TypeError(f"{name} must be a torch tensor, got {arrays.describe(value)}")
    if model.compat is not None:
        raise ValueError(f"model must be without compat for gradients, got {model.compat!r}")
    for name, value in (("absorption", absorption), ("scattering", scattering)):
        if model.mesh.solid and value.requires_grad and value.device.type != "cpu":
            raise TypeError(
                f"{name} must be on the CPU for gradients in tetrahedra, got a tensor on "
                f"{value.device}"
            )
    readings: torch.Tensor = _Measure.apply(model, absorption, scattering, at)
    return readings


class _Measure(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(ctx: Any, model: Any, absorption: Any, scattering: Any, at: Any) -> Any:
        ctx.model, ctx.at = model, at
        ctx.save_for_backward(absorption, scattering)
        return model.measure(absorption.detach(), scattering.detach(), at)

    @staticmethod
    @torch.autograd.function.once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, cotangent: Any) -> Any:
        # torch asks for Re(conj(cotangent) dR), summed: just what `gradient` is.
        absorption, scattering = (part.detach() for part in ctx.saved_tensors)
        weight = cotangent.detach().resolve_conj()
        by_mua, by_mus = ctx.model.gradient(absorption, scattering, weight, ctx.at)
        return None, by_mua.to(absorption.dtype), by_mus.to(scattering.dtype), None
