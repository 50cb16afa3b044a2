"""Light in tissue: meshes, the diffusion forward model, spectra and NIRST phantoms."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lesionkit.optics import spectra as spectra
    from lesionkit.optics.forward import ForwardModel as ForwardModel
    from lesionkit.optics.mesh import Mesh as Mesh
    from lesionkit.optics.mesh import disc_mesh as disc_mesh

_HOME = {
    "ForwardModel": "forward",
    "Mesh": "mesh",
    "disc_mesh": "mesh",
}
__all__ = [*_HOME, "spectra"]


def __getattr__(name: str) -> Any:
    if name == "spectra":
        return importlib.import_module("lesionkit.optics.spectra")
    if name in _HOME:
        return getattr(importlib.import_module(f"lesionkit.optics.{_HOME[name]}"), name)
    raise AttributeError(f"module 'lesionkit.optics' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
