"""Checkpoints: tensors and plain values in one file, written whole or not at all.

They are read with `torch.load(weights_only=True)`, which runs no code that a file brings along, and
carry a checksum of all that is in them, since torch does not look at the archive's own.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lesionkit import files
from lesionkit.nets.framework import torch

FORMAT = 1
"""Version of what is in a checkpoint."""


def save(path: Path, content: Mapping[str, Any]) -> None:
    """Write a checkpoint of tensors, numbers, strings, lists and dicts. OSError, in a sentence,
    where it cannot be written."""
    all_of_it = {"format": FORMAT, **content}
    with files.whole(path) as partial, open(partial, "wb") as stream:
        try:
            torch.save({**all_of_it, "checksum": _checksum(all_of_it)}, stream)
        except RuntimeError as problem:  # torch buries what the system said
            if isinstance(problem.__context__, OSError):
                raise problem.__context__ from None
            raise


def read(path: str | os.PathLike[str], device: Any = "cpu") -> dict[str, Any]:
    """What :func:`save` wrote. FileNotFoundError or ValueError, in a sentence, for all else.

    A checkpoint takes no more memory than its file is long: `save` packs nothing. What would take
    more is refused, however great real ones grow.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint at {path}")
    damaged = ValueError(f"{path} is damaged, or is no checkpoint of lesionkit")
    size = path.stat().st_size
    try:
        # Older ways of saving are not read: they are pickles without an archive around them.
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        _check_weights_size(path, size, unpacked)
        content = torch.load(path, map_location=device, weights_only=True)
        _check_weights_size(path, size, 0, content)
        found, checksum = content["format"], content.pop("checksum")
        if found == FORMAT and checksum != _checksum(content):
            raise damaged
    except _Bomb as problem:
        raise ValueError(str(problem)) from None
    except (PermissionError, MemoryError):
        raise
    except Exception:  # whatever torch and pickle trip over in bytes of any kind
        raise damaged from None
    if found != FORMAT:
        raise ValueError(
            f"{path} is a checkpoint of format {found}; this version of lesionkit reads format "
            f"{FORMAT}"
        )
    return dict(content)


class _Bomb(Exception):
    """A small file that asks for a lot of memory."""


def _check_weights_size(path: Path, size: int, unpacked: int, content: Any = None) -> None:
    """_Bomb where an archive, or what was in it, is longer than its file. Pickles can name one
    value a million times, and tensors repeat one number."""
    left = size - unpacked

    def spend(value: Any) -> None:
        nonlocal left
        if isinstance(value, torch.Tensor):
            left -= value.numel() * value.element_size()
        else:
            left -= len(value) if isinstance(value, str | bytes) else 1
        if left < 0:
            raise _Bomb(
                f"{path} is no checkpoint of lesionkit: what it holds is longer than the file, "
                f"which has {size:,} bytes"
            )
        if isinstance(value, Mapping):
            for pair in value.items():
                spend(pair)
        elif isinstance(value, list | tuple | set | frozenset):
            for inner in value:
                spend(inner)

    spend(content)


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
