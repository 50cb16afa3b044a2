"""The phantom store: what zarr reads, killing and resuming, and every way to be refused."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import zarr

from lesionkit import _core
from lesionkit.optics.phantoms.generate import generate
from lesionkit.optics.phantoms.recipe import PhantomRecipe
from lesionkit.optics.phantoms.store import writer
from lesionkit.optics.phantoms.store.layout import CHUNK, SHARD, Layout
from lesionkit.optics.phantoms.store.phantoms import open_phantoms
from store_cases import (
    ARRAYS,
    COUNT,
    RECIPE,
    Enough,
    files,
    never_opens,
    old_store,
    part_of,
    shard,
    stop_after,
)

KILLED = Path(__file__).with_name("killed.py")
SEALED = {"zarr.json"} | {
    f"{name}/{file}" for name in ARRAYS for file in ("zarr.json", "checksums")
}


# --- a finished store -------------------------------------------------------------------------


def test_zarr_reads_what_generate_makes_in_memory(whole: Path) -> None:
    group, memory = zarr.open_group(whole, mode="r"), generate(RECIPE, COUNT)
    assert sorted(group.array_keys()) == sorted(ARRAYS)
    for name in ARRAYS:
        np.testing.assert_array_equal(group[name][:], getattr(memory, name))
        assert (group[name].chunks[0], group[name].shards[0]) == (CHUNK, SHARD * CHUNK)
    attributes = dict(group.attrs)
    assert attributes.pop("checksums").keys() == SEALED
    assert attributes == json.loads(json.dumps(dict(memory.attributes)))
    assert PhantomRecipe.from_dict(attributes["recipe"]) == RECIPE
    assert (attributes["count"], attributes["seed"]) == (COUNT, 0)
    assert attributes["instruction_set"] == _core.level
    assert len(attributes["geometry"]["optodes"]) == 16
    assert group["inclusions"].attrs["columns"][0] == "x"


def test_open_phantoms_reads_it(whole: Path) -> None:
    opened = open_phantoms(str(whole))
    assert (len(opened), opened.recipe, opened.seed) == (COUNT, RECIPE, 0)
    np.testing.assert_array_equal(opened.mri[70:80], generate(RECIPE, 80).mri[70:])
    with pytest.raises(TypeError, match="does not support item assignment"):
        opened.mri[0] = 1


def test_the_layout_is_the_one_that_zarr_would_write(whole: Path, tmp_path: Path) -> None:
    source = zarr.open_group(whole, mode="r")
    for name in ARRAYS:
        copy = zarr.create_array(
            tmp_path / name,
            shape=source[name].shape,
            dtype=source[name].dtype,
            chunks=source[name].chunks,
            shards=source[name].shards,
            compressors=source[name].compressors,
            fill_value=0,
            dimension_names=source[name].metadata.dimension_names,
            attributes=dict(source[name].attrs),
            chunk_key_encoding={"name": "default", "separator": "."},
        )
        ours = json.loads((whole / name / "zarr.json").read_text())
        theirs = json.loads((tmp_path / name / "zarr.json").read_text())
        theirs.pop("storage_transformers", None)
        assert ours == theirs
        copy[:] = source[name][:]
        theirs, ours = files(tmp_path / name), files(whole / name)
        assert ours.keys() - theirs.keys() == {"checksums"}
        assert sum(map(len, theirs.values())) > 1000
        for file in theirs.keys() - {"zarr.json"}:
            assert ours[file] == theirs[file]


@pytest.mark.parametrize("batch", [1, 7, 256])
def test_batches_make_equal_stores(whole: Path, tmp_path: Path, batch: int) -> None:
    generate(RECIPE, COUNT, tmp_path / "other.zarr", batch=batch)
    assert files(tmp_path / "other.zarr") == files(whole)
    assert os.listdir(tmp_path) == ["other.zarr"]


def test_a_finished_store_of_the_same_job_is_opened(whole: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in whole.rglob("*")}
    again = generate(RECIPE, COUNT, whole, progress=stop_after(0))
    assert len(again) == COUNT
    assert {file: file.stat().st_mtime_ns for file in whole.rglob("*")} == before


# --- killed and resumed -----------------------------------------------------------------------


def run(path: Path, step: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(KILLED), str(path), str(COUNT), str(step)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def not_yet(store: Path) -> set[str]:
    """The small files that are still missing."""
    names = SEALED
    return {name for name in names if not (store / name).exists()}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9")
def test_killed_at_any_step_and_resumed_it_is_the_same(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "phantoms.zarr"
    uninterrupted = run(tmp_path / "first.zarr", 0)
    assert uninterrupted.returncode == 0, uninterrupted.stderr
    steps = int(uninterrupted.stdout)
    draw = random.Random(2)
    # early, in the middle, and among the last steps: metadata, rename, clearing up
    kills = [1, 3, 6, draw.randrange(8, 30), draw.randrange(8, 30), steps - 11, steps - 4]
    for kill in kills:
        died = run(path, kill)
        if died.returncode == 0:  # resumed near the end, it had fewer steps to go
            break
        assert died.returncode == -signal.SIGKILL, died.stderr
        store = path.with_name(path.name + ".partial") / "store"
        if (store / "signal" / "checksums").exists():  # metadata come when every chunk is there
            assert files(store).keys() == files(whole).keys() - not_yet(store)
        elif not path.exists():
            never_opens(path)
    done = run(path, 0)
    assert done.returncode == 0, done.stderr
    assert files(path) == files(whole) == files(tmp_path / "first.zarr")
    assert not path.with_name(path.name + ".partial").exists()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9")
def test_killed_at_any_moment_and_resumed_it_is_the_same(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "phantoms.zarr"
    journal = path.with_name(path.name + ".partial") / "journal"
    draw = random.Random(3)
    for _ in range(3):
        command = [sys.executable, str(KILLED), str(path), str(COUNT), "0"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            while process.poll() is None and not journal.exists():
                time.sleep(0.001)
            time.sleep(draw.uniform(0, 0.1))
            process.kill()
        if path.exists():
            break
        never_opens(path)
    assert run(path, 0).returncode == 0
    assert files(path) == files(whole)


@pytest.mark.parametrize("kept", [0, 1, 8, 10])
def test_at_the_very_end_every_step_may_be_the_last(
    whole: Path, tmp_path: Path, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Die after `kept` small files, or after the rename (10)."""
    path = tmp_path / "phantoms.zarr"
    write, written = writer._write, []

    def dies(file: Path, data: bytes) -> None:
        if len(written) == kept:
            raise Enough
        write(file, data)
        written.append(file)

    def no_clearing(folder: Path, **_: object) -> None:
        raise Enough

    with monkeypatch.context() as patched:
        patched.setattr(writer, "_write", dies)
        patched.setattr(writer.shutil, "rmtree", no_clearing)
        with pytest.raises(Enough):
            generate(RECIPE, COUNT, path)
    assert path.exists() == (kept == 10)
    if kept < 9:
        with pytest.raises(FileNotFoundError):
            zarr.open_group(path.with_name(path.name + ".partial") / "store", mode="r")
    generate(RECIPE, COUNT, path)
    assert files(path) == files(whole)
    assert os.listdir(tmp_path) == ["phantoms.zarr"]


def test_the_store_tells_its_accuracy_and_keeps_to_it(tmp_path: Path) -> None:
    recipe = PhantomRecipe(wavelengths=(948,), pixels=2)
    path = tmp_path / "phantoms.zarr"
    part = part_of(path, recipe=recipe)
    with pytest.raises(ValueError, match=r"accuracy is 'accurate' there, 'fast' asked"):
        generate(recipe, COUNT, path, accuracy="fast")
    assert part.is_dir()
    made = generate(recipe, COUNT, path)
    assert open_phantoms(path).attributes["accuracy"] == made.attributes["accuracy"] == "accurate"
    with pytest.raises(ValueError, match=r"accuracy is 'accurate' there, 'fast' asked"):
        generate(recipe, COUNT, path, accuracy="fast")
    assert files(path) == files(tmp_path / "phantoms.zarr")


def test_a_store_from_before_accuracies_is_fast(whole: Path, tmp_path: Path) -> None:
    """It said nothing of them, or described its method under that name."""
    path = old_store(whole, tmp_path / "phantoms.zarr")
    root = path / "zarr.json"
    metadata = json.loads(root.read_text())
    del metadata["attributes"]["method"]
    metadata["attributes"]["accuracy"] = {"model": "linear triangles"}
    root.write_text(json.dumps(metadata))
    with pytest.warns(UserWarning, match="is a store of format 1, which carries no checksums"):
        made = generate(RECIPE, COUNT, path)
    for name in ARRAYS:
        kept = zarr.open_group(whole, mode="r")[name][:]
        np.testing.assert_array_equal(getattr(made, name)[:], kept)


def test_a_part_never_opens_and_what_is_finished_is_kept(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "phantoms.zarr"
    part = part_of(path)
    never_opens(path)
    lines = (part / "journal").read_bytes().splitlines()[1:]
    kept = [json.loads(line)["chunk"] for line in lines]
    assert kept == list(range(len(kept)))
    assert len(kept) >= 2
    made: list[int] = []
    pack = Layout.pack

    def counted(self: Layout, chunk: np.ndarray) -> bytes:
        made.append(len(chunk))
        return pack(self, chunk)

    monkeypatch.setattr(Layout, "pack", counted)
    generate(RECIPE, COUNT, path)
    assert files(path) == files(whole)
    assert len(made) == len(ARRAYS) * (6 - len(kept))


DAMAGES = ["torn line", "no newline", "other lines", "cut file", "lost file", "rot", "longer file"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found_and_mended(whole: Path, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "phantoms.zarr"
    part = part_of(path)
    journal = part / "journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    victim = shard(part / "store", "mri")
    if damage == "torn line":
        journal.write_bytes(b"".join(lines[:-1]) + lines[-1][:9] + b"\n" + b"\x00\xff\n[1]\n7\n")
    elif damage == "no newline":
        journal.write_bytes(b"".join(lines)[:-1])
    elif damage == "other lines":
        with journal.open("ab") as file:
            file.write(b'{"chunk": 2, "lengths": [-1, 1, 1, 1], "sums": [0, 0, 0, 0]}\n')
            file.write(b"[" * 100_000 + b"]" * 100_000 + b"\n")
    elif damage == "cut file":
        victim.write_bytes(victim.read_bytes()[:-1])
    elif damage == "lost file":
        victim.unlink()
    elif damage == "longer file":
        victim.write_bytes(victim.read_bytes() + b"more")
    else:
        victim.write_bytes(victim.read_bytes()[:-1] + b"?")
    generate(RECIPE, COUNT, path)
    assert files(path) == files(whole)
