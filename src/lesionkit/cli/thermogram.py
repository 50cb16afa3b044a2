"""`lesionkit thermogram`, and the study around it, `lesionkit thermogram-study`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lesionkit.cli.parser import add_command, add_threads


def add_to(commands: Any) -> None:
    """Add them to the command's parser."""
    one = add_command(
        commands,
        "thermogram",
        _thermogram,
        draws_with="studies",
        help="segment breast thermograms, and tell what in them is a leak",
        description="Part body, midline and breasts of a thermogram, segment it by the codebook "
        "method of Kanimozhi et al. and by trained U-Nets, and compare left and right. Masks "
        "(PNG), steps, tables and report.html go to DIR. What is done already is not done again. "
        "Not for diagnosis.",
        example="lesionkit thermogram FOLDER --out result",
    )
    add = one.add_argument
    add(
        "image",
        type=Path,
        metavar="IMAGE",
        help="temperature text, 16-bit PNG, radiometric FLIR JPEG, palette or grey picture; or a "
        "folder of these",
    )
    add(
        "--truth",
        type=Path,
        metavar="MASK",
        help="drawn by hand, to score; or a folder of these (default: none)",
    )
    add(
        "--method",
        default="codebook",
        type=str.lower,
        metavar="NAME",
        help="codebook, unet, enhanced, or all of them (default: codebook)",
    )
    add(
        "--weights",
        type=Path,
        metavar="DIR",
        help="for the nets: the folder of thermogram-study --epochs N (default: none)",
    )
    add(
        "--palette",
        type=str.lower,
        metavar="NAME",
        help="rainbow, iron, grey (default: the one that fits)",
    )
    add(
        "--limits",
        type=float,
        nargs=2,
        metavar="C",
        help="temperatures of the coldest and the hottest colour, in degrees C (default: those of "
        "a picture are not known)",
    )
    add(
        "--unit",
        choices=("auto", "C", "F", "K"),
        default="auto",
        help="of text (default: auto, which is what its header says)",
    )
    add("--fill", action="store_true", help="fill pixels of text that have no temperature")
    add("--out", type=Path, required=True, metavar="DIR", help="made if need be")
    add(
        "--max-gib",
        type=float,
        default=2.0,
        metavar="N",
        help="the most that a file may have, or its header ask for, in GiB (default: 2)",
    )
    add_threads(one)

    study = add_command(
        commands,
        "thermogram-study",
        _study,
        draws_with="studies",
        help="repeat the tables of docs/thermogram.md, leaks first",
        description="Measure the thermograms of DMR-IR: leaks, the paper's rule, asymmetry; with "
        "--epochs train U-Nets on planted hot spots, on masks of bodies and breasts and on the red "
        "cluster, and CNNs on sick and healthy. Tables and pictures go to DIR.",
        example="lesionkit thermogram-study --data FOLDER --out study",
    )
    add = study.add_argument
    add(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="with breast_thermal/dmr_ir (default: $LESIONKIT_DATA/data)",
    )
    add("--out", type=Path, required=True, metavar="DIR", help="made if need be")
    add("--width", type=int, default=8, metavar="W", help="channels of the U-Nets (default: 8)")
    add(
        "--epochs",
        type=int,
        default=0,
        metavar="N",
        help="of the U-Nets; 0 trains none of them (default: 0)",
    )
    add(
        "--seed",
        type=int,
        default=0,
        metavar="S",
        help="of weights, spots and halves (default: 0)",
    )
    add_threads(study)


def _thermogram(options: argparse.Namespace) -> int:
    from lesionkit import arrays
    from lesionkit.studies.thermogram import job
    from lesionkit.studies.thermogram.cases import METHODS, Options

    most = arrays.number(options.max_gib, "max-gib", above=0, at_most=2**20)
    methods = METHODS if options.method == "all" else (options.method,)
    limits = tuple(options.limits) if options.limits else None
    settings = Options(
        methods,
        options.palette,
        limits,
        options.unit,
        options.fill,
        options.weights,
        max(1, round(most * 2**30)),
    )
    return job.main(options.image, options.truth, options.out, settings)


def _study(options: argparse.Namespace) -> None:
    from lesionkit.studies.thermogram import study

    study.main(options.data, options.out, options.width, options.epochs, options.seed)
