"""The options of a recipe of phantoms, which several commands take."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lesionkit.optics.phantoms.outline import Outline
    from lesionkit.optics.phantoms.recipe import PhantomRecipe

FIELDS = {
    "shape": "shape",
    "nodes": "nodes",
    "wavelengths": "wavelengths",
    "noise": "signal_noise",
    "mri_noise": "mri_noise",
    "pixels": "pixels",
    "mri_gray": "mri_gray",
    "mesh": "outline",
}
"""Of options: the field of `PhantomRecipe`."""

ONE_FIBRE = 0.5  # mm between source and detector of one fibre, at most


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Add them to a command's parser."""
    add = parser.add_argument
    add(
        "--shape",
        choices=("disc", "ball", "cylinder"),
        help="of the tissue; ball and cylinder are of tetrahedra, with ellipsoids in them, and "
        "maps and MRI are volumes (default: disc)",
    )
    add(
        "--accuracy",
        choices=("accurate", "fast"),
        help="of the signals: accurate, within 1 per cent; fast, 2 to 33 per cent off in a third "
        "of the time (default: accurate, but fast with --nodes)",
    )
    add(
        "--nodes",
        type=int,
        metavar="N",
        help="about so many nodes of a fast mesh; only with --accuracy fast (default: 1801; of "
        "tetrahedra 10179)",
    )
    add(
        "--wavelengths",
        type=float,
        nargs="+",
        metavar="NM",
        help="some of the nine wavelengths, in nm (default: all nine)",
    )
    add("--noise", type=float, metavar="SD", help="of signals, relative (default: 0.02)")
    add("--mri-noise", type=float, metavar="SD", help="of gray values, relative (default: 0.04)")
    add(
        "--pixels",
        type=int,
        metavar="N",
        help="a side of maps and MRI (default: 100, of volumes 32)",
    )
    add(
        "--mri-gray",
        type=float,
        nargs=2,
        metavar=("TISSUE", "LESION"),
        help="gray values of background and inclusions in the MRI (default: 50 80)",
    )
    add(
        "--mesh",
        metavar="NAME",
        help="tissue of another outline in place of the disc: a mesh of triangles with NIRFAST's "
        "NAME.source and NAME.meas beside it, all of which are sources and detectors; or triangle, "
        "the interface of patients (default: a disc of 82 mm with 16 optodes)",
    )


def has_recipe(options: argparse.Namespace) -> bool:
    """Whether one of them was given."""
    return any(getattr(options, name) is not None for name in (*FIELDS, "accuracy"))


def recipe_of(options: argparse.Namespace) -> PhantomRecipe:
    """The recipe that was asked for; ValueError for nodes of an accurate mesh."""
    from lesionkit.optics.phantoms.recipe import PhantomRecipe

    if options.nodes is not None and options.accuracy == "accurate":
        raise ValueError(
            "--accuracy accurate has a mesh of its own: leave out --nodes, or take --accuracy fast"
        )
    asked = {field: getattr(options, name) for name, field in FIELDS.items()}
    if options.mesh is not None:
        asked["outline"] = outline_of(options.mesh)
    return PhantomRecipe(**{name: value for name, value in asked.items() if value is not None})


def outline_of(name: str) -> Outline:
    """The outline of a mesh's file and of the optodes beside it; or "triangle"."""
    from lesionkit.optics import Outline, triangular_interface
    from lesionkit.optics.readings import instrument
    from lesionkit.optics.reconstruction.calibration import MAX_MOVE

    if name == "triangle":
        return Outline(*triangular_interface())
    mesh, placed = instrument.read_files(Path(name))
    places = [point for one in placed for point in one.onto_rim(mesh, MAX_MOVE).places]
    optodes: list[Any] = []
    for place in places:  # fibres that are source and detector stand in both files
        if all(math.dist(place, other) > ONE_FIBRE for other in optodes):
            optodes.append(place)
    return Outline(mesh, optodes)
