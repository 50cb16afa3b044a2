"""The options of a recipe of phantoms, which several commands take."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lesionkit.optics.phantoms.recipe import PhantomRecipe

FIELDS = {
    "nodes": "nodes",
    "wavelengths": "wavelengths",
    "noise": "signal_noise",
    "mri_noise": "mri_noise",
    "pixels": "pixels",
}
"""Of options: the field of `PhantomRecipe`."""


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Add them to a command's parser."""
    add = parser.add_argument
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
        help="about so many nodes of a fast mesh; only with --accuracy fast (default: 1801)",
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
    add("--pixels", type=int, metavar="N", help="a side of maps and MRI (default: 100)")


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
    return PhantomRecipe(**{name: value for name, value in asked.items() if value is not None})
