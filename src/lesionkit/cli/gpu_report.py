"""`lesionkit gpu-report`: what a card does with every kernel, on one page."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lesionkit.cli.parser import add_command, add_overwrite, add_threads


def add_to(commands: Any) -> None:
    """Add it to the command's parser."""
    parser = add_command(
        commands,
        "gpu-report",
        _run,
        help="check and time every kernel on this GPU, for a page to send back",
        description="Check every GPU kernel against the CPU, time the main job (20,000 phantoms) "
        "and each kernel beside the bytes and operations that it must move and do, and run "
        "compute-sanitizer and Nsight Compute (ncu) where they are installed. "
        "report.html and report.json in DIR name no user, machine or folder. "
        "Killed, it goes on where it was. Exit code 1 if a kernel is wrong or a row fails.",
        example="lesionkit gpu-report --out report",
        draws_with="plot",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="made if need be")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="run nothing, on a machine without a GPU too: the same files, with the arithmetic of "
        "each kernel and 'not run'",
    )
    add_overwrite(parser)
    add_threads(parser)


def _run(options: argparse.Namespace) -> int:
    from lesionkit.gpu_report import command

    return command.main(options.out, options.dry_run, options.overwrite)
