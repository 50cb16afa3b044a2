"""The commands `train`, `evaluate` and `nirst`."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install '.[nets]'")

from lesionkit import cli
from lesionkit.nets import checkpoints, load
from lesionkit.nets.records import read
from lesionkit.optics import PhantomRecipe, generate

RECIPE = PhantomRecipe(nodes=900, wavelengths=(661, 948), pixels=32)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("store") / "phantoms.zarr"
    generate(RECIPE, 40, path)
    return path


def test_train_then_evaluate(tmp_path, store, capsys) -> None:
    run, out = tmp_path / "run", tmp_path / "evaluation"
    asked = ["train", "znet", "--data", str(store), "--out", str(run), "--epochs", "1"]
    asked += ["--batch", "14", "--learning-rate", "0.001", "--schedule", "cosine", "--augment"]
    asked += ["--patience", "7", "--precision", "mixed", "--seed", "3", "--device", "cpu"]
    assert cli.main(asked) == 0
    assert re.search(r"^znet: finished after 1 epochs, \d+ s$", capsys.readouterr().out, re.M)
    assert read(run)["options"] == {
        "epochs": 1,
        "batch": 14,
        "learning_rate": 0.001,
        "schedule": "cosine",
        "augment": True,
        "patience": 7,
        "precision": "mixed",
        "seed": 3,
    }
    asked = ["evaluate", "--data", str(store), "--nets", str(run), "--methods", "--limit", "2"]
    assert cli.main([*asked, "--out", str(out), "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "| MSE, %² | water |" in said
    assert f"written to {out}" in said
    assert (out / "evaluation.json").exists()
    assert cli.main([*asked, "--out", str(out), "--device", "cpu"]) == 2
    assert "holds results already (evaluation.json, evaluation.md)" in capsys.readouterr().err


def test_train_tells_each_epoch_and_goes_on_with_more(tmp_path, store, capsys) -> None:
    import torch

    run, whole = tmp_path / "run", tmp_path / "whole"
    asked = ["train", "znet", "--data", str(store), "--batch", "14", "--device", "cpu"]
    assert cli.main([*asked, "--out", str(run), "--epochs", "1"]) == 0
    report = capsys.readouterr()
    assert re.fullmatch(r"lesionkit: epoch 1 of 1, loss \S+ \(2 of 2 batches\)\n", report.err)
    assert "the last epoch was the best: more --epochs are likely to help" in report.out
    assert cli.main([*asked, "--out", str(run), "--epochs", "1"]) == 0
    report = capsys.readouterr()
    assert report.err == ""
    assert f"{run} holds this run already, finished after 1 epochs; nothing to do" in report.out
    assert cli.main([*asked, "--out", str(run), "--epochs", "2"]) == 0
    report = capsys.readouterr()
    assert f"{run}: going on from epoch 1" in report.out
    assert report.err.startswith("lesionkit: epoch 2 of 2, loss ")
    assert cli.main([*asked, "--out", str(whole), "--epochs", "2"]) == 0
    left, right = (checkpoints.read(folder / "last.pt") for folder in (run, whole))
    assert all(torch.equal(left["state"][name], right["state"][name]) for name in right["state"])
    assert left["about"] == right["about"]
    assert cli.main([*asked, "--out", str(run), "--epochs", "1"]) == 2
    assert "epochs is 2 there, 1 asked" in capsys.readouterr().err


def test_a_cosine_schedule_has_an_end(tmp_path, store, capsys) -> None:
    run = tmp_path / "run"
    asked = ["train", "znet", "--data", str(store), "--batch", "14", "--device", "cpu"]
    asked += ["--schedule", "cosine", "--out", str(run)]
    assert cli.main([*asked, "--epochs", "1"]) == 0
    assert cli.main([*asked, "--epochs", "2"]) == 2
    said = capsys.readouterr().err
    assert "its cosine schedule has let the learning rate fall to 0 over 1 epochs" in said
    assert cli.main([*asked, "--epochs", "1"]) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_evaluate_of_classical_methods_needs_no_torch(tmp_path) -> None:
    store = tmp_path / "three.zarr"
    generate(PhantomRecipe(nodes=900, wavelengths=(661, 808, 948), pixels=16), 3, store)
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from lesionkit import cli\n"
        f"asked = ['evaluate', '--data', {str(store)!r}, '--limit', '1', '--methods', 'DRI']\n"
        f"sys.exit(cli.main([*asked, '--out', {str(tmp_path / 'e')!r}, '--format', 'svg']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "| MSE, µM² | HbO |" in done.stdout
    assert "lesionkit: three inclusions: DRI (1 of 3 steps)" in done.stderr
    assert (tmp_path / "e" / "unseen-phantoms.svg").is_file()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train", "znet", "--data", "a", "--out", "b"], "there is no phantom store at a"),
        (["train", "znet", "--data", "a", "--out", "b", "--epochs", "0"], "epochs must be .*0"),
        (["train", "znet", "--data", "a", "--out", "b", "--threads", "0"], "threads must .*0"),
        (["train", "znet", "--data", "a", "--out", "b", "--device", "x"], "device must be .*'x'"),
        (["evaluate", "--data", "a", "--nets", "c", "--out", "b"], "there is no checkpoint at c"),
    ],
)
def test_each_mistake_is_one_line(tmp_path, monkeypatch, capsys, arguments, sentence) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.fullmatch(f"lesionkit: {sentence}\n", captured.err)
    assert not os.listdir(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as a signal here")
def test_ctrl_c_stops_and_the_same_command_goes_on(tmp_path, store) -> None:
    run = tmp_path / "run"
    asked = [sys.executable, "-W", "error", "-m", "lesionkit", "train", "znet"]
    asked += ["--data", str(store), "--out", str(run), "--epochs", "400", "--batch", "14"]
    asked += ["--patience", "400", "--device", "cpu", "--threads", "1"]
    with subprocess.Popen(asked, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            if (run / "curves.png").exists():  # all that is imported is there
                process.send_signal(signal.SIGINT)
                break
            time.sleep(0.05)
        errors = process.communicate()[1]
    assert process.returncode == 130, errors
    assert re.search(r"stopped; \d+ epochs are finished and stay in .* goes on from there", errors)
    assert "Traceback" not in errors
    assert read(run)["state"] == "running"
    assert load(run).name == "znet"


def test_nirst_says_what_sizes_there_are(capsys) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["nirst", "--out", "a", "--size", "huge"])
    assert left.value.code == 2
    assert "must be one of paper, small, tiny, got 'huge'" in capsys.readouterr().err
