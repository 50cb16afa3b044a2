"""Every damaged byte of a finished store is told, and the file is named."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zarr

from lesionkit import cli
from lesionkit.optics.phantoms.generate import generate
from lesionkit.optics.phantoms.recipe import PhantomRecipe
from lesionkit.optics.phantoms.store.layout import CHUNK, SHARD, crc32c, layouts, shard_index
from lesionkit.optics.phantoms.store.phantoms import Phantoms, open_phantoms
from store_cases import ARRAYS, COUNT, RECIPE, chunks_of, files, old_store, shard

FLIPS = 20  # of each file


@pytest.fixture
def store(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "phantoms.zarr"))


def read_all(path: Path) -> Phantoms:
    phantoms = open_phantoms(path)
    for name in ARRAYS:
        phantoms.read(name, 0, len(phantoms))
    return phantoms


def test_the_checksum_is_that_of_the_standard() -> None:
    assert crc32c(b"123456789") == 0xE3069283  # the check value of CRC-32/ISCSI
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4


def test_every_flipped_bit_is_told_and_its_file_named(store: Path) -> None:
    draw, flips = np.random.default_rng(0), 0
    for file in sorted(store.rglob("*")):
        if file.is_dir():
            continue
        kept = file.read_bytes()
        for place in [0, len(kept) - 1, *draw.integers(len(kept), size=FLIPS - 2)]:
            damaged = bytearray(kept)
            damaged[place] ^= 1 << int(draw.integers(8))
            file.write_bytes(damaged)
            with pytest.raises(ValueError, match=r"phantom store|damaged") as report:
                read_all(store)
            named = store if file.parent == store else file
            assert str(named) in str(report.value)
            flips += 1
        file.write_bytes(kept)
    assert flips == FLIPS * (1 + 3 * len(ARRAYS))
    read_all(store)


@pytest.mark.parametrize("cut", [1, 500, 3000, None])
@pytest.mark.parametrize("name", ARRAYS)
def test_a_cut_file_is_told(store: Path, name: str, cut: int | None) -> None:
    for file in (shard(store, name), store / name / "zarr.json", store / name / "checksums"):
        kept = file.read_bytes()
        file.write_bytes(kept[: -min(cut, len(kept))] if cut else kept + b"more")
        with pytest.raises(ValueError, match="is damaged") as report:
            read_all(store)
        assert str(file) in str(report.value)
        file.write_bytes(kept)


def test_one_damaged_chunk_leaves_the_others(store: Path) -> None:
    file = shard(store, "mri")
    data = bytearray(file.read_bytes())
    data[30] ^= 1
    file.write_bytes(data)
    phantoms = open_phantoms(store)
    memory = generate(RECIPE, COUNT)
    np.testing.assert_array_equal(phantoms.mri[CHUNK:], memory.mri[CHUNK:])
    with pytest.raises(ValueError, match="mri of phantoms 60 to 63 cannot be read") as report:
        phantoms.read("mri", 60, 70)
    assert str(file) in str(report.value)
    for index in (0, [0, 70], slice(None, None, 2), np.arange(COUNT) < 3):
        with pytest.raises(ValueError, match="cannot be read"):
            phantoms.mri[index]


def exchange(file: Path, other: Path) -> None:
    kept = file.read_bytes()
    file.write_bytes(other.read_bytes())
    other.write_bytes(kept)


def test_swapped_chunks_are_told(store: Path) -> None:
    """Each is whole by its own, and Zarr reads them."""
    file = shard(store, "signal")
    first, second, *rest = chunks_of(file)
    pieces = [piece + crc32c(piece).to_bytes(4, "little") for piece in (second, first, *rest)]
    file.write_bytes(b"".join(pieces) + shard_index([len(piece) for piece in pieces]))
    assert zarr.open_group(store, mode="r")["signal"][:].shape[0] == COUNT
    with pytest.raises(ValueError, match=r"signal of phantoms 0 to 63 .*signal/c.0.0.0.0: its byt"):
        read_all(store)


def test_a_file_of_another_store_is_told(store: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.zarr"
    generate(RECIPE, COUNT, other, seed=1)
    for file in sorted(files(store)):
        if (store / file).read_bytes() == (other / file).read_bytes():
            continue  # zarr.json of arrays say the same
        exchange(store / file, other / file)
        with pytest.raises(ValueError, match="is damaged"):
            read_all(store)
        exchange(store / file, other / file)
    for name in ARRAYS:
        exchange(shard(store, name), shard(other, name))
        exchange(store / name / "checksums", other / name / "checksums")
    with pytest.raises(ValueError, match=r"signal/checksums is not as it was written"):
        open_phantoms(store)


def test_swapped_shards_are_told(tmp_path: Path) -> None:
    path = tmp_path / "phantoms.zarr"
    recipe = PhantomRecipe(nodes=217, wavelengths=(661,), pixels=2)
    count = SHARD * CHUNK + CHUNK + 3
    made, memory = generate(recipe, count, path), generate(recipe, count)
    group = zarr.open_group(path, mode="r")
    for name, layout in layouts(recipe).items():
        np.testing.assert_array_equal(getattr(made, name)[:], getattr(memory, name))
        np.testing.assert_array_equal(group[name][-70:], getattr(memory, name)[-70:])
        np.testing.assert_array_equal(made.read(name, 4090, 4100), group[name][4090:4100])
        first, second = (path / name / layout.file(number) for number in (0, 1))
        exchange(first, second)
        with pytest.raises(ValueError, match="its index is that of other chunks"):
            open_phantoms(path).read(name, 0, 1)
        exchange(first, second)
    second.unlink()
    with pytest.raises(ValueError, match="is damaged: its inclusions lacks 1 of 2 files"):
        open_phantoms(path)


CHANGES: list[tuple[str, Callable[[dict], object]]] = [
    ("shape", lambda meta: meta["shape"].__setitem__(0, 2)),
    ("data_type", lambda meta: meta.update(data_type="int32")),
    ("fill_value", lambda meta: meta.update(fill_value=1)),
    ("chunk_grid", lambda meta: meta["chunk_grid"]["configuration"]["chunk_shape"].reverse()),
    ("bytes", lambda meta: bytes_of(meta)["configuration"].update(endian="big")),
]


def bytes_of(metadata: dict) -> dict:
    first = metadata["codecs"][0]
    return first if first["name"] == "bytes" else first["configuration"]["codecs"][0]


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("field", "change"), CHANGES)
@pytest.mark.filterwarnings("ignore:.* is a store of format 1:UserWarning")
def test_metadata_that_lie_are_told(store: Path, tmp_path: Path, version, field, change) -> None:
    path = store if version == 2 else old_store(store, tmp_path / "old.zarr")
    read_all(path)
    file = path / "chromophores" / "zarr.json"
    metadata = json.loads(file.read_text())
    change(metadata)
    file.write_text(json.dumps(metadata))
    sentence = "is not as it was written" if version == 2 else f"says that its {field} is"
    with pytest.raises(ValueError, match=rf"is damaged: {file} {sentence}"):
        open_phantoms(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: root["attributes"].update(seed=1),
        lambda root: root["attributes"]["recipe"].update(signal_noise=0.03),
        lambda root: root["attributes"].pop("checksums"),
        lambda root: root["attributes"]["checksums"].pop("zarr.json"),
        lambda root: root["attributes"]["checksums"].update({"zarr.json": ""}),
        lambda root: root["attributes"].update(checksums=7),
        lambda root: root["attributes"].update(note="mine"),
    ],
)
def test_a_root_that_was_edited_is_told(store: Path, change: Callable[[dict], object]) -> None:
    root = json.loads((store / "zarr.json").read_text())
    change(root)
    (store / "zarr.json").write_text(json.dumps(root, indent=2) + "\n")
    with pytest.raises(ValueError, match=r"is damaged: .*/zarr.json is not as it was written"):
        open_phantoms(store)


@pytest.mark.parametrize("content", ["[" * 100_000 + "]" * 100_000, '{"a": ' * 5000, "[]", "\xff"])
def test_json_that_is_no_store(tmp_path: Path, content: str) -> None:
    (tmp_path / "zarr.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(ValueError, match=r"is not a phantom store$"):
        open_phantoms(tmp_path)


# --- stores of format 1 -----------------------------------------------------------------------


def test_an_old_store_opens_and_says_that_it_has_no_checksums(store: Path, tmp_path: Path) -> None:
    path = old_store(store, tmp_path / "old.zarr")
    with pytest.warns(UserWarning, match=r"old.zarr is a store of format 1, which carries no che"):
        phantoms = open_phantoms(path)
    for name in ARRAYS:
        np.testing.assert_array_equal(
            getattr(phantoms, name)[:], open_phantoms(store).read(name, 0, COUNT)
        )


@pytest.mark.filterwarnings("default:.* is a store of format 1:UserWarning")
def test_the_command_says_that_an_old_store_has_no_checksums(tmp_path: Path, capsys) -> None:
    generate(RECIPE, 3, tmp_path / "new.zarr")
    path = old_store(tmp_path / "new.zarr", tmp_path / "old.zarr")
    asked = ["phantoms", "--count", "3", "--nodes", "817", "--wavelengths", "661", "948"]
    asked += ["--pixels", "12", "--out", str(path), "--no-picture"]
    assert cli.main(asked) == 0
    said = capsys.readouterr()
    assert "nothing to do" in said.out
    warning = f"lesionkit: warning: {path} is a store of format 1, which carries no checksums"
    assert [line.startswith(warning) for line in said.err.splitlines()] == [True]


@pytest.mark.filterwarnings("ignore:.* is a store of format 1:UserWarning")
def test_damage_that_is_seen_in_an_old_store(store: Path, tmp_path: Path) -> None:
    path = old_store(store, tmp_path / "old.zarr")
    for place in (slice(40), slice(10), slice(0), slice(1, None)):
        chunk = path / "mri" / "c.1.0.0"
        kept = chunk.read_bytes()
        chunk.write_bytes(kept[place])
        with pytest.raises(ValueError, match=r"mri of phantoms 64 to 127 .*mri/c.1.0.0: it is cut"):
            read_all(path)
        chunk.write_bytes(kept)
    phantoms = open_phantoms(path)
    chunk.unlink()
    with pytest.raises(ValueError, match=r"mri of phantoms 64 to 64 .*mri/c.1.0.0: it is missing"):
        phantoms.read("mri", 60, 65)
    with pytest.raises(ValueError, match="is damaged: its mri lacks 1 of 6 files"):
        open_phantoms(path)


def test_an_old_part_is_not_mixed_with_new_shards(tmp_path: Path) -> None:
    path = tmp_path / "phantoms.zarr"
    part = tmp_path / "phantoms.zarr.partial"
    part.mkdir()
    job = {**generate(RECIPE, 3).job, "format": 1}
    (part / "journal").write_text(json.dumps(job) + "\n")
    with pytest.raises(ValueError, match=r"holds other phantoms \(format is 1 there, 2 asked\)"):
        generate(RECIPE, 3, path)


# --- the arrays -------------------------------------------------------------------------------

KEYS = [
    *(3, -1, np.int64(70), slice(5, 200), slice(None, None, -7), slice(10, 5), slice(300, 999)),
    *([1, 5, 336, 5, -1], [], np.arange(COUNT) % 3 == 0, np.array([64, 63])),
    *((slice(60, 70), 1), (5, 1, ...), ..., (..., 0), (slice(None), None), (None, 3)),
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_it_is_indexed_as_an_array_of_numpy(whole: Path, key) -> None:
    stored = open_phantoms(whole).signal
    array = np.asarray(stored)
    assert (len(stored), stored.shape, stored.dtype, stored.ndim) == (
        COUNT,
        array.shape,
        array.dtype,
        4,
    )
    if isinstance(key, list) and not key:
        key = np.array(key, int)
    np.testing.assert_array_equal(stored[key], array[key])


def test_indices_that_are_none(whole: Path) -> None:
    stored = open_phantoms(whole).mri
    for key in (COUNT, -COUNT - 1, [COUNT], "signal", 1.5, [[1, 2]], (0, 99)):
        with pytest.raises(IndexError):
            stored[key]
    with pytest.raises(ValueError, match="without a copy"):
        np.array(stored, copy=False)


def test_a_disk_that_fails_is_no_damage(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    phantoms = open_phantoms(whole)

    def fails(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), "here")

    monkeypatch.setattr("io.open", fails)
    with pytest.raises(OSError, match="Too many open files"):
        phantoms.read("mri", 0, 3)
