"""One rule for every command's folder of results: what is there is never replaced unasked."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lesionkit import files


def check_no_results(options: argparse.Namespace, *names: str) -> None:
    """ValueError where the folder --out holds results of one of these names already, unless
    --overwrite was given."""
    there = [name for name in names if (options.out / name).exists()]
    if there and not options.overwrite:
        raise ValueError(
            f"{options.out} holds results already ({', '.join(there)}): choose another --out, or "
            "replace them with --overwrite"
        )


def save(path: Path, parts: Mapping[str, Any]) -> None:
    """Write arrays as .npz, whole or not at all."""
    import numpy as np

    with files.whole(path) as partial, open(partial, "wb") as stream:
        np.savez_compressed(stream, **parts)
