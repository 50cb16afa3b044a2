"""A store in parts: in any order, at once, killed, on a cluster; and what does not go together."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lesionkit import _core, cli
from lesionkit import files as lock_files
from lesionkit.optics import PhantomRecipe, finish_parts, generate, generate_part, open_phantoms
from lesionkit.optics.phantoms.store.journal import FINISHING, MAX_PARTS, Part
from lesionkit.optics.phantoms.store.layout import CHUNK
from store_cases import COUNT, RECIPE, Enough, files, never_opens, stop_after

TINY = PhantomRecipe(nodes=217, wavelengths=(661,), pixels=2)
AS_COMMAND = ["--nodes", "217", "--wavelengths", "661", "--pixels", "2", "--no-picture"]


@pytest.mark.parametrize("of", [2, 3])
def test_in_any_order_they_make_the_same_bytes(alone: Path, tmp_path: Path, of: int) -> None:
    path = tmp_path / "a.zarr"
    made: list[int] = []
    for number in range(of, 0, -1):
        made += generate_part(RECIPE, COUNT, path, (number, of))
        never_opens(path)
    assert sorted(made) == list(range(COUNT))
    assert len(finish_parts(path)) == COUNT
    assert files(path) == files(alone)
    assert sorted(os.listdir(tmp_path)) == ["a.zarr", "alone.zarr"]
    assert generate_part(RECIPE, COUNT, path, (1, of)) == Part(1, of).phantoms(COUNT)  # is there
    finish_parts(path)
    assert files(path) == files(alone)


def test_at_once(alone: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    threads = [
        threading.Thread(target=generate_part, args=(RECIPE, COUNT, path, (number, 3)))
        for number in (1, 2, 3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    finish_parts(path)
    assert files(path) == files(alone)


def test_a_part_that_was_stopped_goes_on(alone: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    generate_part(RECIPE, COUNT, path, (2, 2))
    with pytest.raises(Enough):
        generate_part(RECIPE, COUNT, path, (1, 2), batch=CHUNK, progress=stop_after(CHUNK))
    with pytest.raises(ValueError, match=r"a.zarr.partial lacks 1 of 2 parts: 1; make them as"):
        finish_parts(path)
    seen: list[int] = []
    generate_part(RECIPE, COUNT, path, (1, 2), progress=lambda done, _: seen.append(done))
    assert seen[0] >= CHUNK
    finish_parts(path)
    assert files(path) == files(alone)


def test_a_part_is_read_before_it_is_part_of_a_store(alone: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    for number in (1, 2, 3):
        generate_part(RECIPE, COUNT, path, (number, 3))
    shard = tmp_path / "a.zarr.partial" / "store" / "mri" / "c.1.0.0"
    data = bytearray(shard.read_bytes())
    data[50] ^= 4
    shard.write_bytes(data)
    with pytest.raises(ValueError, match=r"lacks 1 of 3 parts: 2; make"):
        finish_parts(path)
    generate_part(RECIPE, COUNT, path, (2, 3))
    finish_parts(path)
    assert files(path) == files(alone)


def test_a_finished_store_grows_in_parts(alone: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    generate(RECIPE, 3 * CHUNK + 5, path)
    before = files(path)
    for number in (2, 1):
        generate_part(RECIPE, COUNT, path, (number, 2))
        assert files(path) == before
    finish_parts(path)
    assert files(path) == files(alone)


def test_more_parts_than_shards(alone: Path, tmp_path: Path) -> None:
    made = [generate_part(RECIPE, COUNT, tmp_path / "a.zarr", (k, 5)) for k in range(1, 6)]
    assert sum(map(len, made)) == COUNT
    assert [len(mine) > 0 for mine in made].count(True) == 3
    finish_parts(tmp_path / "a.zarr")
    assert files(tmp_path / "a.zarr") == files(alone)


def test_what_does_not_go_together(
    small_shards: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.zarr"
    generate_part(RECIPE, COUNT, path, (1, 2))
    before = files(tmp_path)
    edited = replace(RECIPE, signal_noise=0.01)
    with pytest.raises(ValueError, match=r"recipe.signal_noise is 0.02 there, 0.01 asked"):
        generate_part(edited, COUNT, path, (2, 2))
    with pytest.raises(ValueError, match=r"grows in 2 parts: go on as it was begun, not with part"):
        generate_part(RECIPE, COUNT, path, (1, 3))
    with pytest.raises(ValueError, match=r"grows in 2 parts: go on as it was begun, not with part"):
        generate(RECIPE, COUNT, path)
    with pytest.raises(ValueError, match=r"count is 337 there, 500 asked"):
        generate_part(RECIPE, 500, path, (2, 2))
    with pytest.raises(ValueError, match=r"first is 0 there, 64 asked"):
        generate_part(RECIPE, COUNT, path, (2, 2), first=64)
    with monkeypatch.context() as patch:
        patch.setattr(_core, "level", "v9")
        with pytest.raises(ValueError, match=r"instruction_set is '.*' there, 'v9' asked"):
            generate_part(RECIPE, COUNT, path, (2, 2))
    assert files(tmp_path) == before


def test_two_writers_of_one_part(small_shards: None, tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    path = tmp_path / "a.zarr"

    def second(done: int, count: int) -> None:
        with pytest.raises(ValueError, match=r"partial is being written by another process$"):
            generate_part(RECIPE, COUNT, path, (1, 2))
        with pytest.raises(ValueError, match=r"partial is being written by another process$"):
            finish_parts(path)

    generate_part(RECIPE, COUNT, path, (1, 2), progress=second)


def test_nothing_to_finish(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"^there is no phantom store at .*a.zarr$"):
        finish_parts(tmp_path / "a.zarr")
    (tmp_path / "a.zarr.partial").mkdir()
    with pytest.raises(FileNotFoundError, match="is the unfinished part of a store"):
        finish_parts(tmp_path / "a.zarr")


@pytest.mark.parametrize("line", ["7", "[]", '{"a": 1}', '{"recipe": 3}', '{"version": "0"}'])
def test_parts_that_are_somebody_elses(tmp_path: Path, line: str) -> None:
    part = tmp_path / "a.zarr.partial"
    part.mkdir()
    (part / "journal.1-of-2").write_text(line + "\n")
    with pytest.raises(ValueError, match=r"a.zarr.partial was not made by lesionkit: choose ano"):
        finish_parts(tmp_path / "a.zarr")


def test_parts_that_do_not_make_a_store(small_shards: None, tmp_path: Path) -> None:
    path, part = tmp_path / "a.zarr", tmp_path / "a.zarr.partial"
    for number in (1, 2):
        generate_part(RECIPE, COUNT, path, (number, 2))
    journal = part / "journal.1-of-2"
    other = shutil.copy(journal, part / "journal.1-of-3")
    with pytest.raises(ValueError, match="holds journals of 2 and of 3 parts: remove"):
        finish_parts(path)
    os.remove(other)
    kept = journal.read_text()
    journal.write_text(kept.replace('"version": "', '"version": "9.'))
    with pytest.raises(ValueError, match=r"was begun by lesionkit 9\..*: finish it with"):
        finish_parts(path)
    journal.write_text(kept)
    with (
        lock_files.locked(part, FINISHING),
        pytest.raises(ValueError, match=r"partial is being written by another process$"),
    ):
        finish_parts(path)
    assert len(finish_parts(path)) == COUNT
    assert os.listdir(tmp_path) == ["a.zarr"]


@pytest.mark.parametrize(
    ("part", "error", "sentence"),
    [
        ((0, 2), ValueError, r"^part\[0\] must be from 1 to 2, got 0"),
        ((3, 2), ValueError, r"^part\[0\] must be from 1 to 2, got 3"),
        ((1, 0), ValueError, rf"^part\[1\] must be from 1 to {MAX_PARTS}, got 0"),
        (3, TypeError, r"^part must be two integers \(number, of\), got int"),
        ((1, 2, 3), TypeError, r"^part must be two integers"),
        ((1.5, 2), TypeError, r"^part\[0\] must be an integer"),
    ],
)
def test_parts_that_are_none(tmp_path: Path, part: Any, error: type, sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        generate_part(RECIPE, COUNT, tmp_path / "a.zarr", part)
    assert not os.listdir(tmp_path)


def test_first(small_shards: None, tmp_path: Path) -> None:
    whole = generate(RECIPE, COUNT)
    for out in (None, tmp_path / "a.zarr"):
        some = generate(RECIPE, 100, out, first=70)
        for name in ("signal", "mri", "chromophores", "inclusions"):
            np.testing.assert_array_equal(getattr(some, name)[:], getattr(whole, name)[70:170])
        assert some.job["first"] == 70
    assert len(generate(RECIPE, 100, out, first=70)) == 100
    with pytest.raises(ValueError, match=r"first is 70 there, 0 asked"):
        generate(RECIPE, 100, out)
    with pytest.raises(ValueError, match=r"first must be from 0 to"):
        generate(RECIPE, 3, first=-1)


# --- the command ------------------------------------------------------------------------------


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "a.zarr")
    count = ["--count", "4163", *AS_COMMAND, "--out", out]
    for part in ("2/3", "3/3"):
        assert cli.main(["phantoms", "--part", part, *count]) == 0
        assert "phantoms --finish --out" in capsys.readouterr().out
    assert cli.main(["phantoms", "--part", "1/3", *count]) == 0
    assert "part 1 of 3 is left without phantoms" in capsys.readouterr().out
    assert cli.main(["phantoms", "--finish", "--out", out, "--no-picture"]) == 0
    assert len(open_phantoms(out)) == 4163
    assert cli.main(["phantoms", *count]) == 0
    assert "nothing to do" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["--part", "3/2", "--count", "5"], "part[0] must be from 1 to 2, got 3"),
        (["--part", "3", "--count", "5"], "it must be K/N, such as 3/64, got '3'"),
        (["--part", "-1/2", "--count", "5"], "--part"),
        (["--finish", "--count", "5"], "argument --count: not allowed with argument --finish"),
        (["--finish", "--seed", "5"], "--finish needs nothing but --out"),
        (["--finish"], "there is no phantom store at"),
        ([], "one of the arguments --count --finish is required"),
    ],
)
def test_the_command_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: list[str], sentence: str
) -> None:
    try:
        code = cli.main(["phantoms", *asked, "--out", str(tmp_path / "a.zarr")])
    except SystemExit as left:
        code = left.code
    assert code == 2
    assert sentence in capsys.readouterr().err
    assert not os.listdir(tmp_path)


# --- a cluster --------------------------------------------------------------------------------


@pytest.fixture
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed", reason="it comes with lesionkit[cluster]")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as workers,
        distributed.Client(workers) as client,
    ):
        yield client


@pytest.mark.filterwarnings("ignore")  # what Dask says of workers that die
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9")
def test_a_cluster_whose_workers_are_killed(cluster: Any, tmp_path: Path) -> None:
    count, killed = 3 * 64 * CHUNK - 5, []

    def kill(done: int, of: int) -> None:
        if not killed:
            killed.append(next(iter(cluster.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    made = generate(TINY, count, tmp_path / "a.zarr", client=cluster, progress=kill)
    assert len(made) == count
    assert killed
    generate(TINY, count, tmp_path / "b.zarr")
    assert files(tmp_path / "a.zarr") == files(tmp_path / "b.zarr")
    shutil.rmtree(tmp_path / "b.zarr")
    with pytest.raises(ValueError, match="client needs out, the path of a store"):
        generate(TINY, 3, client=cluster)
    with pytest.raises(TypeError, match=r"client must be a dask\.distributed\.Client, got str"):
        generate(TINY, 3, tmp_path / "c.zarr", client="tcp://here")
