"""Light in tissue: meshes, the diffusion forward model, spectra and NIRST phantoms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lesionkit.lazy import make_lazy

if TYPE_CHECKING:
    from lesionkit.optics import spectra as spectra
    from lesionkit.optics.basis import GridBasis as GridBasis
    from lesionkit.optics.calibrated import reconstruct_phantoms as reconstruct_phantoms
    from lesionkit.optics.disc import disc_mesh as disc_mesh
    from lesionkit.optics.forward import ForwardModel as ForwardModel
    from lesionkit.optics.jacobian import Jacobian as Jacobian
    from lesionkit.optics.measured import Measured as Measured
    from lesionkit.optics.measured import reconstruct_measured as reconstruct_measured
    from lesionkit.optics.mesh import Mesh as Mesh
    from lesionkit.optics.mesh_files import read_mesh as read_mesh
    from lesionkit.optics.mesh_files import read_nirfast as read_nirfast
    from lesionkit.optics.mesh_files import write_mesh as write_mesh
    from lesionkit.optics.nirfast_data import read_paa as read_paa
    from lesionkit.optics.phantoms import generate as generate
    from lesionkit.optics.readings import Readings as Readings
    from lesionkit.optics.readings import SnirfReadings as SnirfReadings
    from lesionkit.optics.recipe import PhantomRecipe as PhantomRecipe
    from lesionkit.optics.reconstruct import Reconstruction as Reconstruction
    from lesionkit.optics.reconstruct import reconstruct as reconstruct
    from lesionkit.optics.refinement import refine as refine
    from lesionkit.optics.simulation import simulate as simulate
    from lesionkit.optics.snirf import read_snirf as read_snirf
    from lesionkit.optics.store import open_phantoms as open_phantoms
    from lesionkit.optics.triangle import triangular_interface as triangular_interface

_HOME = {
    "ForwardModel": "forward",
    "GridBasis": "basis",
    "Jacobian": "jacobian",
    "Measured": "measured",
    "Mesh": "mesh",
    "PhantomRecipe": "recipe",
    "Readings": "readings",
    "Reconstruction": "reconstruct",
    "SnirfReadings": "readings",
    "disc_mesh": "disc",
    "generate": "phantoms",
    "open_phantoms": "store",
    "read_mesh": "mesh_files",
    "read_nirfast": "mesh_files",
    "read_paa": "nirfast_data",
    "read_snirf": "snirf",
    "reconstruct": "reconstruct",
    "reconstruct_measured": "measured",
    "reconstruct_phantoms": "calibrated",
    "refine": "refinement",
    "simulate": "simulation",
    "triangular_interface": "triangle",
    "write_mesh": "mesh_files",
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
