"""Stores in an object store: fsspec's in memory, which keeps what is put and knows no rename."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lesionkit import cli
from lesionkit.optics import finish_parts, generate, generate_part, open_phantoms
from lesionkit.optics.phantoms.store import remote
from store_cases import COUNT, RECIPE, Enough, files, stop_after

fsspec = pytest.importorskip("fsspec")
URL = "memory://bucket/p.zarr"


@pytest.fixture(autouse=True)
def memory(small_shards: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty object store, and a folder of temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    store = fsspec.filesystem("memory")
    store.store.clear()
    yield store
    store.store.clear()


def kept(store: Any) -> dict[str, bytes]:
    """What lies in the object store, by name."""
    return {name: store.cat_file(name) for name in store.find("/bucket")}


def test_parts_make_the_same_bytes_as_in_a_folder(memory: Any, alone: Path, tmp_path: Path) -> None:
    for number in (3, 1, 2):
        generate_part(RECIPE, COUNT, URL, (number, 3))
        with pytest.raises(FileNotFoundError, match="unfinished part"):
            open_phantoms(URL)
    store = finish_parts(URL)
    there = {name.removeprefix("/bucket/p.zarr/"): data for name, data in kept(memory).items()}
    assert there == files(alone)
    assert not any((tmp_path / "temporary").iterdir())
    for name in ("signal", "mri", "chromophores", "inclusions"):
        assert np.array_equal(store.read(name, 0, COUNT), open_phantoms(alone).read(name, 0, COUNT))
    assert finish_parts(URL).attributes == store.attributes  # is there


def test_one_call_makes_the_whole(memory: Any, alone: Path) -> None:
    made = generate(RECIPE, COUNT, URL)
    assert {n.removeprefix("/bucket/p.zarr/"): d for n, d in kept(memory).items()} == files(alone)
    assert len(made) == COUNT == len(generate(RECIPE, COUNT, URL))
    with pytest.raises(ValueError, match="cannot grow in its object store"):
        generate(RECIPE, COUNT + 1, URL)


def test_a_part_that_was_cut_short_is_missing_and_made_again(
    memory: Any, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate_part(RECIPE, COUNT, URL, (1, 2))
    with pytest.raises(Enough):
        generate_part(RECIPE, COUNT, URL, (2, 2), progress=stop_after(1))
    puts, put = [], remote._put

    def dies(file: Path, target: Any) -> None:
        if len(puts) == 2:
            raise ConnectionError("gone")
        puts.append(put(file, target))

    monkeypatch.setattr(remote, "_put", dies)
    with pytest.raises(ConnectionError):
        generate_part(RECIPE, COUNT, URL, (2, 2))
    with pytest.raises(ValueError, match="lacks 1 of 2 parts: 2"):
        finish_parts(URL)
    monkeypatch.setattr(remote, "_put", put)
    generate_part(RECIPE, COUNT, URL, (2, 2))
    finish_parts(URL)
    assert {n.removeprefix("/bucket/p.zarr/"): d for n, d in kept(memory).items()} == files(alone)


def test_what_does_not_go_together_is_refused(memory: Any) -> None:
    generate_part(RECIPE, COUNT, URL, (1, 2))
    with pytest.raises(ValueError, match="grows in 2 parts"):
        generate_part(RECIPE, COUNT, URL, (1, 3))
    with pytest.raises(ValueError, match="seed is 0 there, 1 asked"):
        generate_part(RECIPE, COUNT, URL, (2, 2), seed=1)
    generate_part(RECIPE, COUNT, URL, (2, 2))
    shard = next(name for name in memory.find("/bucket") if "/mri/c.0" in name)
    memory.pipe_file(shard, b"x" + memory.cat_file(shard)[1:])
    with pytest.raises(ValueError, match="lacks 1 of 2 parts: 1"):
        finish_parts(URL)


def test_the_command(memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = ["--nodes", "217", "--wavelengths", "661", "--pixels", "2"]
    assert cli.main(["phantoms", "--count", "3", "--out", URL, *recipe]) == 0
    assert len(open_phantoms(URL)) == 3
    assert (tmp_path / "p.zarr.png").exists()
