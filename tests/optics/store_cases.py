"""Stores, whole and in part, that several tests start from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import zarr

from lesionkit.optics.phantoms import generate
from lesionkit.optics.recipe import PhantomRecipe
from lesionkit.optics.store import CHUNK, open_phantoms

RECIPE = PhantomRecipe(nodes=217, wavelengths=(661, 948), pixels=12)  # that of killed.py

COUNT = 5 * CHUNK + 17

ARRAYS = ("signal", "mri", "chromophores", "inclusions")


def files(folder: Path) -> dict[str, bytes]:
    """Everything in a folder, by path: two stores are the same if this is."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


class Enough(Exception):
    """Raised to stop a run in the middle."""


def stop_after(phantoms: int) -> Callable[[int, int], None]:
    def progress(done: int, count: int) -> None:
        if done >= phantoms:
            raise Enough

    return progress


def part_of(path: Path, done: int = 2 * CHUNK, **changes: object) -> Path:
    """An unfinished store at `path` with at least `done` phantoms; the folder of the part."""
    arguments = {"recipe": RECIPE, "count": COUNT, "seed": 0, **changes}
    with pytest.raises(Enough):
        generate(out=path, batch=CHUNK, progress=stop_after(done), **arguments)
    assert not path.exists()
    return path.with_name(path.name + ".partial")


def never_opens(path: Path) -> None:
    """Neither zarr nor lesionkit takes the part for a store."""
    part = path.with_name(path.name + ".partial")
    for place in (path, part, part / "store", *(part / "store" / name for name in ARRAYS)):
        for kind in (zarr.open_group, zarr.open_array, zarr.open):
            with pytest.raises((FileNotFoundError, ValueError)):
                kind(place, mode="r")
        with pytest.raises((FileNotFoundError, ValueError)):
            open_phantoms(place)
