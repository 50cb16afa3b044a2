"""`lesionkit thermogram`, and the study around it, `lesionkit thermogram-study`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_to(commands: Any) -> None:
    """Add them to the command's parser."""
    one = commands.add_parser(
        "thermogram",
        help="segment breast thermograms, and tell what in them is a leak",
        description="Part body, midline and breasts of a thermogram, segment it by the codebook "
        "method of Kanimozhi et al. and by trained U-Nets, and compare left and right. Masks "
        "(PNG), steps, tables and report.html go to DIR. What is done already is not done again. "
        "Not for diagnosis.",
    )
    one.set_defaults(run=_thermogram)
    one.add_argument(
        "image",
        type=Path,
        metavar="IMAGE",
        help="temperature text, 16-bit PNG, radiometric FLIR JPEG, palette or grey picture; or a "
        "folder of these",
    )
    one.add_argument(
        "--truth", type=Path, metavar="MASK", help="drawn by hand, to score; or a folder of these"
    )
    one.add_argument(
        "--method",
        default="codebook",
        metavar="NAME",
        help="codebook, unet, enhanced, or all of them (codebook)",
    )
    one.add_argument(
        "--weights", type=Path, metavar="DIR", help="of thermogram-study --epochs, for the nets"
    )
    one.add_argument("--palette", metavar="NAME", help="rainbow, iron, grey (the one that fits)")
    one.add_argument(
        "--limits",
        type=float,
        nargs=2,
        metavar="C",
        help="temperatures of the coldest and the hottest colour; without them those of a picture "
        "are not known",
    )
    one.add_argument(
        "--unit", choices=("auto", "C", "F", "K"), default="auto", help="of text (the header's)"
    )
    one.add_argument(
        "--fill", action="store_true", help="fill pixels of text that have no temperature"
    )
    one.add_argument("--out", type=Path, required=True, metavar="DIR", help="made if need be")

    study = commands.add_parser(
        "thermogram-study",
        help="repeat the tables of docs/thermogram.md, leaks first",
        description="Measure the thermograms of DMR-IR: leaks, the paper's rule, asymmetry; with "
        "--epochs train U-Nets on planted hot spots. Tables and pictures go to DIR.",
    )
    study.set_defaults(run=_study)
    study.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="with breast_thermal/dmr_ir ($LESIONKIT_DATA/data)",
    )
    study.add_argument("--out", type=Path, required=True, metavar="DIR", help="made if need be")
    study.add_argument("--width", type=int, default=8, metavar="W", help="of the U-Nets (8)")
    study.add_argument(
        "--epochs", type=int, default=0, metavar="N", help="of the U-Nets; 0: none of them (0)"
    )
    study.add_argument("--seed", type=int, default=0, metavar="S", help="0")


def _thermogram(options: argparse.Namespace) -> int:
    from lesionkit.studies.thermogram import job
    from lesionkit.studies.thermogram.cases import METHODS, Options

    methods = METHODS if options.method == "all" else (options.method,)
    limits = tuple(options.limits) if options.limits else None
    settings = Options(
        methods, options.palette, limits, options.unit, options.fill, options.weights
    )
    return job.main(options.image, options.truth, options.out, settings)


def _study(options: argparse.Namespace) -> None:
    from lesionkit.studies.thermogram import study

    study.main(options.data, options.out, options.width, options.epochs, options.seed)
