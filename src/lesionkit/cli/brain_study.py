"""`lesionkit brain-study`: the tables of docs/brain.md, leaks beside."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lesionkit.cli.parser import add_command, add_format, add_threads


def add_to(commands: Any) -> None:
    """Add it to the command's parser."""
    study = add_command(
        commands,
        "brain-study",
        _study,
        help="repeat the tables of docs/brain.md: brain tumours by texture, leaks beside",
        description="Draw squares of tumour and of normal brain, measure MaZda's features, select, "
        "classify patients not seen, and print beside it what each leak would have given: "
        "selection outside the folds, random folds, shuffled labels. Tables, pictures and "
        "report.html go to DIR. "
        "Killed, it goes on where it was. Not for diagnosis.",
        example="lesionkit brain-study --data FOLDER --out study",
        draws_with="studies",
    )
    add = study.add_argument
    add(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="with brain_tumor/brats2013/slices (default: $LESIONKIT_DATA/data)",
    )
    add(
        "--table",
        type=Path,
        metavar="FILE",
        help="in place of --data: regions measured elsewhere, tab- or comma-separated, with the "
        "columns patient, class (0 normal, 1 abnormal) and features; Mean is the mean intensity, "
        "slice the slice, if they are there (default: none)",
    )
    add("--out", type=Path, required=True, metavar="DIR", help="made if need be")
    add(
        "--modality",
        choices=("t1c", "flair", "both"),
        default="both",
        help="t1c, flair, both (default: both)",
    )
    add(
        "--split",
        choices=("patient", "slice", "random"),
        default="patient",
        help="what the study's own rows hold out: patient; slice and random leak "
        "(default: patient)",
    )
    add(
        "--per-class",
        type=int,
        default=34,
        metavar="N",
        help="squares of each kind and patient (default: 34)",
    )
    add("--seed", type=int, default=0, metavar="S", help="the first of them (default: 0)")
    add(
        "--seeds",
        type=int,
        default=5,
        metavar="N",
        help="how many draws of squares, folds and weights (default: 5)",
    )
    add(
        "--epochs",
        type=int,
        default=0,
        metavar="N",
        help="of CNN and LSTM, on features and on squares, with torch; 20 take some 30 minutes "
        "more, 0 trains none of them (default: 0)",
    )
    add("--overwrite", action="store_true", help="replace a finished study in DIR")
    add_format(study)
    add_threads(study)


def _study(options: argparse.Namespace) -> int:
    from lesionkit.studies.brain.study import command

    if options.data is not None and options.table is not None:
        raise ValueError("give --data or --table, got both")
    asked = {name: getattr(options, name) for name in command.Options._fields}
    return command.main(
        options.data,
        options.out,
        command.Options(**asked),
        table=options.table,
        pictures=options.format,
        anew=options.overwrite,
    )
