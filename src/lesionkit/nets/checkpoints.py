"""Checkpoints: tensors and plain values in one file, written whole or not at all.

They are read with `torch.load(weights_only=True)`, which runs no code that a file brings along, and
carry a checksum of all that is in them, since torch does not look at the archive's own.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lesionkit import files
from lesionkit.nets.framework import torch

FORMAT = 1
"""Version of what is in a checkpoint."""


def save(path: Path, content: Mapping[str, Any]) -> None:
    """Write a checkpoint of tensors, numbers, strings, lists and dicts."""
    all_of_it = {"format": FORMAT, **content}
    with files.whole(path) as partial:
        torch.save({**all_of_it, "checksum": _checksum(all_of_it)}, partial)


def read(path: str | os.PathLike[str], device: Any = "cpu") -> dict[str, Any]:
    """What :func:`save` wrote. FileNotFoundError or ValueError, in a sentence, for all else."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint at {path}")
    damaged = ValueError(f"{path} is damaged, or is no checkpoint of lesionkit")
    # Older ways of saving are not read: they are pickles without an archive around them.
    if not zipfile.is_zipfile(path):
        raise damaged
    try:
        content = torch.load(path, map_location=device, weights_only=True)
        found, checksum = content["format"], content.pop("checksum")
        if found == FORMAT and checksum != _checksum(content):
            raise damaged
    except (RuntimeError, KeyError, TypeError, ValueError, EOFError, OSError, AttributeError):
        raise damaged from None
    except pickle.UnpicklingError:
        raise damaged from None
    if found != FORMAT:
        raise ValueError(
            f"{path} is a checkpoint of format {found}; this version of lesionkit reads format "
            f"{FORMAT}"
        )
    return dict(content)


def _checksum(content: Any) -> str:
    """SHA-256 over names, values and the bytes of tensors, whatever their layout in memory."""
    digest = hashlib.sha256()

    def add(value: Any) -> None:
        if isinstance(value, torch.Tensor):
            digest.update(f"{value.dtype}{tuple(value.shape)}".encode())
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        elif isinstance(value, Mapping):
            for key, inner in value.items():
                digest.update(repr(key).encode())
                add(inner)
        elif isinstance(value, list | tuple):
            digest.update(f"[{len(value)}".encode())
            for inner in value:
                add(inner)
        else:
            digest.update(repr(value).encode())

    add(content)
    return digest.hexdigest()
