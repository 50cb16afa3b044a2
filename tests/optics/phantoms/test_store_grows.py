"""A finished store of fewer phantoms grows, and is then what one call would have made."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lesionkit.optics import generate
from lesionkit.optics.phantoms.store import writer
from lesionkit.optics.phantoms.store.layout import CHUNK, SHARD
from lesionkit.optics.phantoms.store.phantoms import open_phantoms
from store_cases import COUNT, RECIPE, Enough, files, old_store, part_of, shard, stop_after

MORE = COUNT + 2 * CHUNK


@pytest.fixture
def few(whole: Path, tmp_path: Path) -> Path:
    """A store of COUNT phantoms, which is not a whole number of chunks."""
    return shutil.copytree(whole, tmp_path / "few.zarr")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("many") / "many.zarr"
    generate(RECIPE, MORE, path)
    return path


def test_it_grows_to_the_same_bytes(few: Path, many: Path) -> None:
    seen: list[int] = []
    grown = generate(RECIPE, MORE, few, batch=CHUNK, progress=lambda done, _: seen.append(done))
    assert len(grown) == MORE
    assert seen[0] == COUNT // CHUNK * CHUNK  # whole chunks are kept
    assert files(few) == files(many)
    assert os.listdir(few.parent) == ["few.zarr"]


def test_into_a_second_shard(few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With shards of 4 chunks: the first is whole, the second is not."""
    for module in ("layout", "writer", "reader"):
        monkeypatch.setattr(f"lesionkit.optics.phantoms.store.{module}.SHARD", 4)
    monkeypatch.setattr("lesionkit.optics.phantoms.store.layout.INDEX_BYTES", 16 * 4 + 4)
    monkeypatch.setattr("lesionkit.optics.phantoms.store.reader.INDEX_BYTES", 16 * 4 + 4)
    generate(RECIPE, COUNT, tmp_path / "a.zarr")
    assert SHARD == 64
    generate(RECIPE, MORE, tmp_path / "a.zarr")
    generate(RECIPE, MORE, tmp_path / "b.zarr")
    assert files(tmp_path / "a.zarr") == files(tmp_path / "b.zarr")


def test_it_is_as_it_was_until_it_is_whole(few: Path, many: Path) -> None:
    before = files(few)
    with pytest.raises(Enough):
        generate(RECIPE, MORE, few, batch=CHUNK, progress=stop_after(COUNT))
    assert files(few) == before
    assert len(open_phantoms(few)) == COUNT
    generate(RECIPE, MORE, few)
    assert files(few) == files(many)


@pytest.mark.parametrize("step", ["copy", "before"])
def test_a_process_may_die_at_any_step(
    few: Path, many: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While shards are copied, or between the two renames at the end."""
    rename, copy = Path.rename, shutil.copyfile
    copied: list[Path] = []

    def dying_copy(source: Path, target: Path) -> None:
        copied.append(target)
        if len(copied) == 3:
            raise Enough
        copy(source, target)

    def dying_rename(self: Path, target: Path) -> Path:
        if self.name == "store":
            raise Enough
        return rename(self, target)

    with monkeypatch.context() as patch:
        if step == "copy":
            patch.setattr(writer.shutil, "copyfile", dying_copy)
        else:
            patch.setattr(Path, "rename", dying_rename)
        with pytest.raises(Enough):
            generate(RECIPE, MORE, few)
    assert few.exists() == (step == "copy")
    generate(RECIPE, MORE, few)
    assert files(few) == files(many)
    assert os.listdir(few.parent) == ["few.zarr"]


def test_damage_in_what_is_kept_is_made_anew(few: Path, many: Path) -> None:
    file = shard(few, "mri")
    data = bytearray(file.read_bytes())
    data[40] ^= 1
    file.write_bytes(data)
    generate(RECIPE, MORE, few)
    assert files(few) == files(many)


def test_another_recipe_does_not_grow(few: Path) -> None:
    before = files(few)
    with pytest.raises(ValueError, match=r"\(recipe.signal_noise is 0.02 there, 0.01 asked\)"):
        generate(replace(RECIPE, signal_noise=0.01), MORE, few)
    with pytest.raises(ValueError, match=r"\(seed is 0 there, 3 asked\)"):
        generate(RECIPE, MORE, few, seed=3)
    assert files(few) == before


def test_format_1_does_not_grow(few: Path, tmp_path: Path) -> None:
    old = old_store(few, tmp_path / "old.zarr")
    with pytest.raises(ValueError, match=rf"count is {COUNT} there, {MORE} asked"):
        generate(RECIPE, MORE, old)


def test_a_part_of_other_phantoms_beside_it(few: Path, tmp_path: Path) -> None:
    part = part_of(tmp_path / "other.zarr", seed=5)
    part.rename(few.with_name(few.name + ".partial"))
    with pytest.raises(ValueError, match=r"few.zarr.partial holds other phantoms"):
        generate(RECIPE, MORE, few)
    journal = few.with_name(few.name + ".partial") / "journal"
    assert json.loads(journal.read_text().splitlines()[0])["seed"] == 5
