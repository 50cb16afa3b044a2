"""Light in tissue: meshes, the diffusion forward model, spectra and NIRST phantoms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lesionkit.lazy import make_lazy

if TYPE_CHECKING:
    from lesionkit.optics import spectra as spectra
    from lesionkit.optics.forward.jacobian import Jacobian as Jacobian
    from lesionkit.optics.forward.model import ForwardModel as ForwardModel
    from lesionkit.optics.mesh.disc import disc_mesh as disc_mesh
    from lesionkit.optics.mesh.files import read_mesh as read_mesh
    from lesionkit.optics.mesh.files import read_nirfast as read_nirfast
    from lesionkit.optics.mesh.files import write_mesh as write_mesh
    from lesionkit.optics.mesh.mesh import Mesh as Mesh
    from lesionkit.optics.mesh.refinement import refine as refine
    from lesionkit.optics.mesh.triangle import triangular_interface as triangular_interface
    from lesionkit.optics.phantoms.generate import generate as generate
    from lesionkit.optics.phantoms.recipe import PhantomRecipe as PhantomRecipe
    from lesionkit.optics.phantoms.simulation import simulate as simulate
    from lesionkit.optics.phantoms.store import open_phantoms as open_phantoms
    from lesionkit.optics.readings.nirfast_data import read_paa as read_paa
    from lesionkit.optics.readings.readings import Readings as Readings
    from lesionkit.optics.readings.readings import SnirfReadings as SnirfReadings
    from lesionkit.optics.readings.snirf import read_snirf as read_snirf
    from lesionkit.optics.reconstruction.basis import GridBasis as GridBasis
    from lesionkit.optics.reconstruction.calibrated import (
        reconstruct_phantoms as reconstruct_phantoms,
    )
    from lesionkit.optics.reconstruction.measured import Measured as Measured
    from lesionkit.optics.reconstruction.measured import (
        reconstruct_measured as reconstruct_measured,
    )
    from lesionkit.optics.reconstruction.reconstruct import Reconstruction as Reconstruction
    from lesionkit.optics.reconstruction.reconstruct import reconstruct as reconstruct

_HOME = {
    "ForwardModel": "forward.model",
    "GridBasis": "reconstruction.basis",
    "Jacobian": "forward.jacobian",
    "Measured": "reconstruction.measured",
    "Mesh": "mesh.mesh",
    "PhantomRecipe": "phantoms.recipe",
    "Readings": "readings.readings",
    "Reconstruction": "reconstruction.reconstruct",
    "SnirfReadings": "readings.readings",
    "disc_mesh": "mesh.disc",
    "generate": "phantoms.generate",
    "open_phantoms": "phantoms.store",
    "read_mesh": "mesh.files",
    "read_nirfast": "mesh.files",
    "read_paa": "readings.nirfast_data",
    "read_snirf": "readings.snirf",
    "reconstruct": "reconstruction.reconstruct",
    "reconstruct_measured": "reconstruction.measured",
    "reconstruct_phantoms": "reconstruction.calibrated",
    "refine": "mesh.refinement",
    "simulate": "phantoms.simulation",
    "triangular_interface": "mesh.triangle",
    "write_mesh": "mesh.files",
}
_MODULES = ("spectra",)
__all__ = [
    "ForwardModel",
    "GridBasis",
    "Jacobian",
    "Measured",
    "Mesh",
    "PhantomRecipe",
    "Readings",
    "Reconstruction",
    "SnirfReadings",
    "disc_mesh",
    "generate",
    "open_phantoms",
    "read_mesh",
    "read_nirfast",
    "read_paa",
    "read_snirf",
    "reconstruct",
    "reconstruct_measured",
    "reconstruct_phantoms",
    "refine",
    "simulate",
    "spectra",
    "triangular_interface",
    "write_mesh",
]

make_lazy(__name__)
