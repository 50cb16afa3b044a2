"""`lesionkit completion`: what a shell needs to complete commands and flags with the tab key."""

from __future__ import annotations

import argparse
from typing import Any

from lesionkit import extras
from lesionkit.cli.parser import add_command

SHELLS = ("bash", "zsh", "tcsh")


def add_to(commands: Any) -> None:
    """Add it to the command's parser."""
    parser = add_command(
        commands,
        "completion",
        _completion,
        help="print what makes the tab key complete commands and flags",
        description="Print a script for the shell, which then completes lesionkit's commands, "
        "flags and choices. It needs shtab (extra completion).",
        example='eval "$(lesionkit completion bash)"   # in ~/.bashrc',
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help="bash, zsh or tcsh")


def _completion(options: argparse.Namespace) -> None:
    from lesionkit.cli import build

    shtab = extras.require("shtab", "completion needs")

    print(shtab.complete(build(), options.shell))
