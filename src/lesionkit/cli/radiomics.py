"""`lesionkit radiomics`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lesionkit.cli.parser import add_command, add_threads


def add_to(commands: Any) -> None:
    """Add it to the command's parser."""
    radiomics = add_command(
        commands,
        "radiomics",
        _radiomics,
        help="radiomics features of a table of cases, with PyRadiomics' parameters and names",
        description="Measure each case of a table: images and masks in, a table of features out, "
        "with PyRadiomics' parameter files, columns and numbers. A case that cannot be done is "
        "told and left empty. Killed, it goes on where it was. Not for diagnosis.",
        example="lesionkit radiomics cases.csv --param params.yaml --out features.csv -j 4",
    )
    add = radiomics.add_argument
    add(
        "cases",
        type=Path,
        metavar="TABLE",
        help="CSV with the columns Image and Mask, and Label, Label_channel, ID or others if need "
        "be; paths are seen from its folder. Images: NRRD, NIfTI, MetaImage, DICOM; masks: these, "
        "RTSTRUCT and DICOM SEG. A Label may be 2, 1+2 (one region) or all",
    )
    add(
        "--param",
        type=Path,
        metavar="FILE",
        help="PyRadiomics' parameters, YAML or JSON (default: its defaults, 107 features)",
    )
    add(
        "--setting",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting in place of the parameters' own, binWidth=5 or sigma=1,3,5; may be given "
        "several times (default: none)",
    )
    add(
        "--out",
        type=Path,
        metavar="FILE",
        help="the table of features, CSV; needed but for --validate (default: none)",
    )
    add(
        "--validate",
        action="store_true",
        help="check the table, its files' places and the parameters, and measure nothing",
    )
    add(
        "-j",
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="processes on this machine; it changes no result (default: 1)",
    )
    add(
        "--cluster",
        metavar="ADDRESS",
        help="of Dask's scheduler, tcp://HOST:PORT, whose workers see the same files (default: "
        "none)",
    )
    add(
        "--perturb",
        type=int,
        default=0,
        metavar="N",
        help="measure each case N times more, with perturbed contours and noise, and write "
        "ICC(3,1) of each feature beside the table; 0: do not (default: 0)",
    )
    add("--seed", type=int, default=0, metavar="S", help="of the perturbations (default: 0)")
    add_threads(radiomics)
    add(
        "--overwrite",
        action="store_true",
        help="replace the table; without it it is kept, and the command refuses",
    )


def _radiomics(options: argparse.Namespace) -> int:
    from lesionkit import arrays
    from lesionkit.radiomics.parameters import parse_settings, read_parameters
    from lesionkit.radiomics.table.command import Options, check, main
    from lesionkit.radiomics.table.measured import Task

    jobs = arrays.integer(options.jobs, "jobs", at_least=1, at_most=1024)
    perturb = arrays.integer(options.perturb, "perturb", at_least=0, at_most=10_000)
    if perturb == 1:
        raise ValueError("perturb must be 0, or two or more to be compared, got 1")
    seed = arrays.integer(options.seed, "seed", at_least=0)
    parameters = read_parameters(options.param)
    parameters.settings |= parse_settings(options.setting)
    task = Task(parameters, perturb, seed)
    if options.validate:
        return check(options.cases, task)
    if options.out is None:
        raise ValueError("--out must name the table of features; only --validate needs none")
    how = Options(jobs, options.cluster)
    return main(options.cases, options.out, task, how, options.overwrite)
