"""One rule for every command's folder of results: what is there is never replaced unasked."""

from __future__ import annotations

import argparse


def check_no_results(options: argparse.Namespace, *names: str) -> None:
    """ValueError where the folder --out holds results of one of these names already, unless
    --overwrite was given."""
    there = [name for name in names if (options.out / name).exists()]
    if there and not options.overwrite:
        raise ValueError(
            f"{options.out} holds results already ({', '.join(there)}): choose another --out, or "
            "replace them with --overwrite"
        )
