"""Training: it learns, it is repeated and resumed to the bit, and it refuses in sentences."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[nets]'")

from lesionkit import cli, files  # noqa: E402
from lesionkit.nets import TrainingOptions, checkpoints, load, train, training  # noqa: E402
from lesionkit.nets.phantoms import data  # noqa: E402
from lesionkit.nets.phantoms.data import Split  # noqa: E402
from lesionkit.optics import PhantomRecipe, generate, open_phantoms  # noqa: E402
from store_cases import old_store  # noqa: E402


class Stop(Exception):
    pass


def interrupted(at):
    """A progress function that stops the training in batch `at` = (epoch, batch)."""

    def progress(epoch, batch, batches, loss):
        if (epoch, batch) == at:
            raise Stop

    return progress


def assert_same(one: Path, other: Path) -> None:
    for name in ("weights.pt", "last.pt"):
        a, b = checkpoints.read(one / name), checkpoints.read(other / name)
        assert a["state"].keys() == b["state"].keys()
        for key in a["state"]:
            assert torch.equal(a["state"][key], b["state"][key]), (name, key)
    first, second = (json.loads((folder / "run.json").read_text()) for folder in (one, other))
    for record in (first, second):
        for row in record["history"]:
            del row["seconds"]
    assert first == second


def test_a_run_leaves_all_that_it_says(znet_run, store) -> None:
    names = {"run.json", "weights.pt", "last.pt", "curves.png", "card.md"}
    assert {path.name for path in znet_run.iterdir()} == names
    record = json.loads((znet_run / "run.json").read_text())
    assert record["state"] == "finished"
    assert [row["epoch"] for row in record["history"]] == [1, 2]
    assert record["history"][1]["training"] < record["history"][0]["training"]
    assert record["options"]["learning_rate"] == 0.002
    assert record["data"]["seed"] == 4
    assert record["data_path"] == str(store)
    assert record["split"] == {"training": [0, 49], "validation": [49, 63], "test": [63, 70]}
    assert record["environment"]["threads"] == 1
    assert record["parameters"] == sum(p.numel() for p in load(znet_run).net.parameters())
    assert (znet_run / "curves.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    card = (znet_run / "card.md").read_text()
    for said in ("Not a medical device", "seed 4", "| optodes | 16 |", "weights.pt", "Optica 9(3)"):
        assert said in card


@pytest.mark.parametrize("at", [(1, 2), (2, 5)])
def test_interrupted_and_resumed_it_is_the_same_run(tmp_path, store, options, znet_run, at) -> None:
    out = tmp_path / "run"
    with pytest.raises(Stop):
        train("znet", store, out, options, device="cpu", progress=interrupted(at))
    record = json.loads((out / "run.json").read_text())
    assert record["state"] == "running"
    assert len(record["history"]) == at[0] - 1
    seen = []
    train("znet", store, out, options, device="cpu", progress=lambda *a: seen.append(a[0]))
    assert seen[0] == at[0]
    assert_same(out, znet_run)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is sent as a signal")
@pytest.mark.parametrize("at", [(2, 3), (0, 0)])
def test_killed_it_leaves_a_readable_run(tmp_path, store, options, znet_run, at) -> None:
    out = tmp_path / "run"
    script = [sys.executable, str(Path(__file__).with_name("killed.py")), store, out, *at]
    done = subprocess.run(list(map(str, script)), capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    assert load(out).name == "znet"
    train("znet", store, out, options, device="cpu")
    assert_same(out, znet_run)


def test_killed_before_run_json_tells_the_last_epoch(tmp_path, store, options, znet_run) -> None:
    """last.pt is a step ahead then: the run is over, and no epoch is added."""
    out = shutil.copytree(znet_run, tmp_path / "run")
    record = json.loads((out / "run.json").read_text())
    last = record["history"].pop()
    (out / "run.json").write_text(json.dumps({**record, "state": "running"}))

    def nothing_to_do(*_: object) -> None:
        raise AssertionError("it trains")

    found = train("znet", store, out, options, device="cpu", progress=nothing_to_do)
    assert (found["state"], found["history"][-1]) == ("finished", last)
    assert json.loads((out / "run.json").read_text())["state"] == "finished"
    assert_same(out, znet_run)


def test_a_finished_run_is_not_trained_again(znet_run, store, options) -> None:
    before = (znet_run / "last.pt").stat().st_mtime_ns
    record = train("znet", store, znet_run, options, device="cpu", progress=interrupted((1, 1)))
    assert record["state"] == "finished"
    assert (znet_run / "last.pt").stat().st_mtime_ns == before


def test_memory_and_workers_train_the_same_net(
    tmp_path, store, options, znet_run, monkeypatch
) -> None:
    monkeypatch.setattr(data, "fits", lambda *_: False)
    train("znet", store, tmp_path / "run", options, device="cpu", workers=1)
    assert_same(tmp_path / "run", znet_run)


OLD = pytest.mark.filterwarnings("ignore:.* is a store of format 1:UserWarning")  # may be edited


@OLD
def test_nan_in_a_store_beyond_memory_is_told_before_training(tmp_path, store, monkeypatch) -> None:
    import zarr

    copy = old_store(store, tmp_path / "nan.zarr")
    zarr.open_group(copy, mode="r+")["signal"][60, 0, 1, 2] = np.nan  # a validation phantom
    monkeypatch.setattr(data, "fits", lambda *_: False)
    with pytest.raises(ValueError, match=r"^phantoms 0 to 63: signals must be finite .*, got 1"):
        train("znet", copy, tmp_path / "run", TrainingOptions(epochs=1), device="cpu")
    assert not (tmp_path / "run").exists()


def test_ynet_trains_in_bfloat16(tmp_path, store) -> None:
    options = TrainingOptions(
        epochs=2, batch=25, learning_rate=0.001, schedule="cosine", precision="mixed"
    )
    record = train("ynet", store, tmp_path / "run", options, device="cpu")
    assert record["history"][1]["training"] < record["history"][0]["training"]
    assert load(tmp_path / "run").name == "ynet"
    last = checkpoints.read(tmp_path / "run" / "last.pt")
    # The last of four steps, at 3/4 of the cosine.
    rate = last["optimizer"]["param_groups"][0]["lr"]
    assert rate == pytest.approx(0.001 * (1 + np.cos(0.75 * np.pi)) / 2)
    assert all(t.dtype != torch.bfloat16 for t in last["state"].values())


def test_a_net_without_mri_is_trained_and_read(tmp_path, store) -> None:
    options = TrainingOptions(epochs=1, batch=25, missing=1.0)
    run = train("znet-no-mri", store, tmp_path / "alone", options, device="cpu")
    assert (run["state"], run["net"]) == ("finished", "znet-no-mri")
    net, phantoms = load(tmp_path / "alone"), open_phantoms(store)
    maps = net.reconstruct(phantoms.signal[:2], missing=(3,))
    np.testing.assert_array_equal(
        maps, net.reconstruct(phantoms.signal[:2], mri=phantoms.mri[:2], missing=(3,))
    )


def test_it_stops_early(tmp_path, store, monkeypatch) -> None:
    losses = iter([5.0, 3.0, 3.5, 4.0, 1.0])
    monkeypatch.setattr(training.Trainer, "_validate", lambda *_: next(losses))
    options = TrainingOptions(epochs=30, batch=64, patience=2)
    record = train("znet", store, tmp_path / "run", options, device="cpu")
    assert record["state"] == "stopped early"
    assert [row["validation"] for row in record["history"]] == [5.0, 3.0, 3.5, 4.0]
    assert record["best"] == {"epoch": 2, "validation": 3.0}
    assert load(tmp_path / "run").about["epoch"] == 2


def test_a_training_that_leads_astray_is_told(tmp_path, store, monkeypatch) -> None:
    monkeypatch.setattr(training.Trainer, "_validate", lambda *_: float("nan"))
    with pytest.raises(ValueError, match=r"went astray in epoch 1: .* try a learning_rate below"):
        train("znet", store, tmp_path / "run", TrainingOptions(batch=64), device="cpu")


def test_the_split() -> None:
    assert Split.of(20_000) == Split((0, 14_000), (14_000, 18_000), (18_000, 20_000))
    assert Split.of(10) == Split((0, 7), (7, 9), (9, 10))
    with pytest.raises(ValueError, match="at least 10 phantoms to be split, got 9"):
        Split.of(9)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"epochs": 0}, "epochs must be from 1 to 1000000, got 0"),
        ({"batch": 1.5}, "batch must be an integer from 1 to 1000000, got float 1.5"),
        ({"learning_rate": 0}, "learning_rate must be a finite number above 0 and .*, got 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be .*, got nan"),
        ({"schedule": "linear"}, "schedule must be one of 'constant', 'cosine', got 'linear'"),
        ({"precision": "half"}, "precision must be one of .*, got 'half'"),
        ({"patience": -1}, "patience must be from 1 .*, got -1"),
        ({"seed": -1}, "seed must be from 0 .*, got -1"),
        ({"augment": "yes"}, "augment must be True or False, got str 'yes'"),
    ],
)
def test_options_that_are_none(change, sentence) -> None:
    with pytest.raises((ValueError, TypeError), match=f"^{sentence}$"):
        TrainingOptions(**change)


def spoiled(path: Path, name: str) -> Path:
    """A copy of the store at `path` with one array of zeros."""
    import zarr

    copy = old_store(path, path.parent / name)
    zarr.open_group(copy, mode="r+")["signal"][3] = np.nan
    return copy


KNOWN = "'znet', 'ynet', 'linear-unet', 'znet-no-mri' or 'znet3d'"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"net": "unet"},
            "net must be 'znet', 'ynet', 'linear-unet', 'znet-no-mri' or 'znet3d', got str 'unet'",
        ),
        ({"device": "tpu"}, "device must be 'auto', 'cpu', 'cuda' or 'cuda:N', got 'tpu'"),
        ({"options": {"epochs": 3}}, "options must be TrainingOptions, got dict {'epochs': 3}"),
        ({"progress": 3}, "progress must be None or a function, got int 3"),
        ({"out": __file__}, f"out must be a folder, got the file {__file__}"),
        (
            {"net": ["znet"]},
            r"net must be 'znet', 'ynet', 'linear-unet', 'znet-no-mri' or 'znet3d', got list .*",
        ),
        ({"net": "ynet", "options": TrainingOptions(batch=1)}, "batch must leave no phantom by .*"),
        ({"workers": -1}, "workers must be from 0 to 1024, got -1"),
        ({"data": "nowhere.zarr"}, "there is no phantom store at nowhere.zarr"),
        ({"out": "no/such/place"}, "cannot make the folder no/such/place: there is no such place"),
    ],
)
def test_each_mistake_is_a_sentence(tmp_path, store, monkeypatch, arguments, sentence) -> None:
    monkeypatch.chdir(tmp_path)
    asked = {"net": "znet", "data": store, "out": "run", "device": "cpu", **arguments}
    with pytest.raises((ValueError, TypeError, FileNotFoundError), match=f"^{sentence}$"):
        train(**asked)
    assert not os.listdir(tmp_path)


@OLD
def test_a_store_that_is_none(tmp_path, store) -> None:
    nan = spoiled(store, "nan.zarr")
    with pytest.raises(ValueError, match=r"signals must be finite.*, got 480 "):
        train("znet", nan, tmp_path / "run", device="cpu")
    other = tmp_path / "version.zarr"
    shutil.copytree(store, other)
    text = (other / "zarr.json").read_text()
    (other / "zarr.json").write_text(text.replace('"format": 2', '"format": 7'))
    with pytest.raises(ValueError, match="is a phantom store of format 7; this version"):
        train("znet", other, tmp_path / "run", device="cpu")
    recipe = PhantomRecipe(nodes=900, optodes=6, wavelengths=(661,), pixels=32)
    generate(recipe, 10, tmp_path / "six.zarr")
    with pytest.raises(ValueError, match="augment needs a multiple of 4 optodes, got data with 6"):
        train(
            "znet",
            tmp_path / "six.zarr",
            tmp_path / "run",
            TrainingOptions(augment=True),
            device="cpu",
        )
    assert not (tmp_path / "run").exists()


def test_two_trainings_of_one_folder(tmp_path, store, options) -> None:
    pytest.importorskip("fcntl")
    out, report = tmp_path / "run", []

    def second(epoch, batch, batches, loss) -> None:
        report.append(batch)
        with pytest.raises(ValueError, match=r"run is being written by another process$"):
            train("znet", store, out, options, device="cpu")
        raise Stop

    with pytest.raises(Stop):
        train("znet", store, out, options, device="cpu", progress=second)
    assert report == [1]
    assert [path.name for path in out.iterdir()] == ["run.json"]


def test_a_lock_that_a_killed_process_left(tmp_path, store, options) -> None:
    out = tmp_path / "run"
    out.mkdir()
    (out / "lock").touch()
    with pytest.raises(Stop):
        train("znet", store, out, options, device="cpu", progress=interrupted((1, 1)))


def test_a_file_system_without_locks_is_no_hindrance(tmp_path, monkeypatch) -> None:
    fcntl = pytest.importorskip("fcntl")

    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", none)
    with files.working_in(tmp_path / "new"):
        (tmp_path / "new" / "file").touch()
    assert os.listdir(tmp_path / "new") == ["file"]


def test_a_full_disk_stops_a_training_in_a_sentence(tmp_path, store, options, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(checkpoints.torch, "save", full)
    sentence = r"cannot write .*run/weights.pt: No space left on device"
    with pytest.raises(OSError, match=sentence) as report:
        train("znet", store, tmp_path / "run", replace(options, epochs=1, batch=64), device="cpu")
    assert report.value.errno == errno.ENOSPC
    asked = ["train", "znet", "--data", str(store), "--out", str(tmp_path / "other")]
    assert cli.main([*asked, "--epochs", "1", "--batch", "64", "--device", "cpu"]) == 2


def test_a_folder_of_another_run(tmp_path, store, options, znet_run) -> None:
    with pytest.raises(ValueError, match=r"holds another run .batch is 8 there, 9 asked.: choose"):
        train("znet", store, znet_run, replace(options, batch=9), device="cpu")
    with pytest.raises(ValueError, match=r"holds another run .net is 'znet' there, 'ynet' asked"):
        train("ynet", store, znet_run, options, device="cpu")
    (tmp_path / "diary.txt").touch()
    with pytest.raises(ValueError, match=r"exists and holds no run of lesionkit: choose another"):
        train("znet", store, tmp_path, options, device="cpu")
    (tmp_path / "run").mkdir()
    for content in ("{", "[" * 100_000 + "]" * 100_000):
        (tmp_path / "run" / "run.json").write_text(content)
        with pytest.raises(ValueError, match=r"run.json is damaged, or is not a run of this vers"):
            train("znet", store, tmp_path / "run", options, device="cpu")


def test_a_damaged_checkpoint_stops_the_resume(tmp_path, store, options) -> None:
    out = tmp_path / "run"
    with pytest.raises(Stop):
        train("znet", store, out, options, device="cpu", progress=interrupted((2, 1)))
    (out / "last.pt").write_bytes((out / "last.pt").read_bytes()[:-1000])
    with pytest.raises(ValueError, match=r"last.pt is damaged, or is no checkpoint of lesionkit$"):
        train("znet", store, out, options, device="cpu")


def test_a_lost_or_foreign_checkpoint_stops_the_resume(tmp_path, store, options, znet_run) -> None:
    """Else fresh weights, or another run's, would go on under this run's history."""
    out = tmp_path / "run"
    with pytest.raises(Stop):
        train("znet", store, out, options, device="cpu", progress=interrupted((2, 1)))
    (out / "last.pt").unlink()
    with pytest.raises(ValueError, match=r"last.pt is missing, from which 1 epochs go on: choose"):
        train("znet", store, out, options, device="cpu")
    train("znet", store, tmp_path / "other", replace(options, epochs=1, seed=9), device="cpu")
    shutil.copy(tmp_path / "other" / "last.pt", out)
    with pytest.raises(ValueError, match=r"last.pt is of another run than run.json beside it$"):
        train("znet", store, out, options, device="cpu")
    lost = shutil.copytree(znet_run, tmp_path / "lost")
    (lost / "weights.pt").unlink()
    with pytest.raises(ValueError, match=r"holds a finished run, but its weights.pt is gone$"):
        train("znet", store, lost, options, device="cpu")
    record = json.loads((out / "run.json").read_text())
    del record["state"]
    (out / "run.json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match=r"run.json is damaged, or is not a run of this version"):
        train("znet", store, out, options, device="cpu")


def test_numbers_of_numpy_are_options(options) -> None:
    given = replace(options, epochs=np.int64(2), learning_rate=np.float64(0.002))
    assert given == options
    assert type(given.epochs) is int
    assert type(given.learning_rate) is float


@OLD
def test_a_store_that_does_not_say_its_accuracy(tmp_path, store) -> None:
    old = old_store(store, tmp_path / "old.zarr")
    meta = json.loads((old / "zarr.json").read_text())
    assert meta["attributes"].pop("accuracy") == "fast"
    (old / "zarr.json").write_text(json.dumps(meta))
    record = train("znet", old, tmp_path / "run", TrainingOptions(epochs=1), device="cpu")
    assert record["data"]["accuracy"] == "fast"
    assert "accuracy fast" in (tmp_path / "run" / "card.md").read_text()
