"""What is refused of stores, paths and writers, and what is left alone."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest
import zarr

from lesionkit import _core
from lesionkit.optics.phantoms.generate import generate
from lesionkit.optics.phantoms.store import writer
from lesionkit.optics.phantoms.store.layout import CHUNK
from lesionkit.optics.phantoms.store.phantoms import open_phantoms
from lesionkit.optics.phantoms.store.writer import StoreWriter
from store_cases import (
    COUNT,
    RECIPE,
    files,
    never_opens,
    part_of,
)


@pytest.mark.parametrize(
    ("changes", "differs"),
    [
        ({"seed": 1}, "seed is 0 there, 1 asked"),
        ({"count": COUNT - 1}, f"count is {COUNT} there, {COUNT - 1} asked"),
        (
            {"recipe": replace(RECIPE, signal_noise=0.01)},
            "recipe.signal_noise is 0.02 there, 0.01 asked",
        ),
    ],
)
@pytest.mark.parametrize("state", ["finished", "partial"])
def test_another_job_is_refused(
    whole: Path, tmp_path: Path, state: str, changes: dict[str, object], differs: str
) -> None:
    path = whole
    if state == "partial":
        path = tmp_path / "phantoms.zarr"
        part_of(path)
    before = files(path.parent)
    with pytest.raises(ValueError, match=rf"holds other phantoms \({differs}\): remove it or"):
        generate(**{"recipe": RECIPE, "count": COUNT, "out": path, **changes})
    assert files(path.parent) == before


def test_another_instruction_set_or_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part_of(tmp_path / "phantoms.zarr")
    monkeypatch.setattr(_core, "level", "v9")
    monkeypatch.setattr("lesionkit.__version__", "9.9")
    sentence = r"version is '.*' there, '9.9' asked; instruction_set is '.*' there, 'v9' asked"
    with pytest.raises(ValueError, match=sentence):
        generate(RECIPE, COUNT, tmp_path / "phantoms.zarr")


def test_two_writers_at_once_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    path = tmp_path / "phantoms.zarr"

    def second(done: int, count: int) -> None:
        with pytest.raises(ValueError, match=r"partial is being written by another process$"):
            generate(RECIPE, COUNT, path)

    assert len(generate(RECIPE, COUNT, path, progress=second)) == COUNT


@pytest.mark.parametrize("what", ["file", "empty folder", "other group", "newer format"])
def test_what_is_no_phantom_store_is_left_alone(tmp_path: Path, what: str) -> None:
    path = tmp_path / "phantoms.zarr"
    sentence = "is not a phantom store"
    if what == "file":
        path.write_text("mine")
    elif what == "empty folder":
        path.mkdir()
    elif what == "other group":
        zarr.create_group(path)
    else:
        path.mkdir()
        (path / "zarr.json").write_text('{"attributes": {"format": 99}}')
        sentence = "is a phantom store of format 99; this version of lesionkit reads formats 1 to 2"
    before = files(tmp_path)
    for refused in (lambda: generate(RECIPE, COUNT, path), lambda: open_phantoms(path)):
        with pytest.raises(ValueError, match=sentence):
            refused()
    assert files(tmp_path) == before
    assert os.listdir(tmp_path) == ["phantoms.zarr"]


def test_a_partial_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    part = tmp_path / "phantoms.zarr.partial"
    part.mkdir()
    (part / "thesis.tex").write_text("mine")
    with pytest.raises(ValueError, match="was not made by lesionkit: choose another path"):
        generate(RECIPE, COUNT, tmp_path / "phantoms.zarr")
    assert (part / "thesis.tex").read_text() == "mine"


@pytest.mark.parametrize("kept", [2, 6])
def test_progress_counts_the_phantoms_that_are_there(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "phantoms.zarr"
    part = part_of(path, COUNT)  # stopped after the last chunk, which holds 17
    job, *chunks = (part / "journal").read_text().splitlines(keepends=True)
    (part / "journal").write_text(job + "".join(chunks[:kept]))
    seen: list[int] = []
    generate(RECIPE, COUNT, path, batch=CHUNK, progress=lambda done, _: seen.append(done))
    assert seen[0] == min(kept * CHUNK, COUNT)
    assert seen[-1] == COUNT
    assert seen == sorted(seen)


def test_a_folder_beside_a_finished_store_is_left_alone(tmp_path: Path) -> None:
    generate(RECIPE, COUNT, tmp_path / "phantoms.zarr")
    part = tmp_path / "phantoms.zarr.partial"
    part.mkdir()
    (part / "my_notes.txt").write_text("mine")
    generate(RECIPE, COUNT, tmp_path / "phantoms.zarr")
    assert (part / "my_notes.txt").read_text() == "mine"


def test_a_damaged_store_is_named(tmp_path: Path) -> None:
    generate(RECIPE, COUNT, tmp_path / "phantoms.zarr")
    (tmp_path / "phantoms.zarr" / "mri" / "zarr.json").unlink()
    with pytest.raises(ValueError, match="is damaged: it lacks 'mri'"):
        open_phantoms(tmp_path / "phantoms.zarr")


def test_opening_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"^there is no phantom store at .*nothing$"):
        open_phantoms(tmp_path / "nothing")
    part = part_of(tmp_path / "phantoms.zarr")
    for path in (tmp_path / "phantoms.zarr", part):
        with pytest.raises(FileNotFoundError, match="is the unfinished part of a store"):
            open_phantoms(path)


def test_paths_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError, match=r"^cannot write .*: there is no such folder$"):
        generate(RECIPE, COUNT, tmp_path / "no" / "phantoms.zarr")
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"cannot write .*: there is no such folder$"):
        generate(RECIPE, COUNT, tmp_path / "file" / "phantoms.zarr")
    with pytest.raises(OSError, match=r"cannot write .*: File name too long$"):
        generate(RECIPE, COUNT, tmp_path / ("x" * 300))

    def refuse(self: Path, **_: object) -> None:  # a real folder would not refuse root
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(PermissionError, match=r"cannot write .*: Permission denied$"):
        generate(RECIPE, COUNT, tmp_path / "phantoms.zarr")
    assert os.listdir(tmp_path) == ["file"]


def test_a_full_disk(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "phantoms.zarr"
    append, buffers = writer._append, [9]

    def until_full(file: Path, data: bytes) -> None:
        if buffers[0] == 0:
            append(file, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
        buffers[0] -= 1
        append(file, data)

    with monkeypatch.context() as patched:
        patched.setattr(writer, "_append", until_full)
        sentence = r"cannot write .*phantoms.zarr: No space left on device; what is finished stays"
        with pytest.raises(OSError, match=sentence) as refused:
            generate(RECIPE, COUNT, path)
    assert refused.value.errno == errno.ENOSPC
    never_opens(path)
    generate(RECIPE, COUNT, path)
    assert files(path) == files(whole)


def test_the_lock_goes_with_the_writer(tmp_path: Path) -> None:
    job = {"format": 1, "version": "0", "instruction_set": "x", "seed": 0, "count": 1}
    job["recipe"] = RECIPE.to_dict()
    for _ in range(2):
        with StoreWriter(tmp_path / "a.zarr", job, RECIPE) as writer:
            assert writer.done == set()
