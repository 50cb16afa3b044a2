"""Stores, whole and in part, that several tests start from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zarr

from lesionkit.optics.phantoms.generate import generate
from lesionkit.optics.phantoms.recipe import PhantomRecipe
from lesionkit.optics.phantoms.store.layout import CHUNK, SHARD, json_bytes, layouts
from lesionkit.optics.phantoms.store.phantoms import open_phantoms

RECIPE = PhantomRecipe(nodes=817, wavelengths=(661, 948), pixels=12)  # that of killed.py

COUNT = 5 * CHUNK + 17

ARRAYS = ("signal", "mri", "chromophores", "inclusions")


def files(folder: Path) -> dict[str, bytes]:
    """Everything in a folder, by path: two stores are the same if this is."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def shard(store: Path, name: str, number: int = 0) -> Path:
    """A file of data."""
    return store / name / layouts(RECIPE)[name].file(number)


def chunks_of(file: Path) -> list[bytes]:
    """What lies in a shard, without the CRC-32C of each chunk."""
    data = file.read_bytes()
    index = np.frombuffer(data[-16 * SHARD - 4 : -4], "<u8").reshape(SHARD, 2)
    there = index[index[:, 0] != 2**64 - 1].astype(int)
    return [data[start : start + length - 4] for start, length in there]


def old_store(store: Path, path: Path) -> Path:
    """The same phantoms at `path` in format 1: a file for each chunk, and no checksum."""
    root = json.loads((store / "zarr.json").read_text())
    del root["attributes"]["checksums"]
    root["attributes"]["format"] = 1
    recipe = PhantomRecipe.from_dict(root["attributes"]["recipe"])
    for name, layout in layouts(recipe).items():
        (path / name).mkdir(parents=True)
        metadata = layout.metadata(root["attributes"]["count"], version=1)
        (path / name / "zarr.json").write_bytes(json_bytes(metadata))
        for number, chunk in enumerate(chunks_of(shard(store, name))):
            (path / name / layout.file(number)).write_bytes(chunk)
    (path / "zarr.json").write_bytes(json_bytes(root))
    return path


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
