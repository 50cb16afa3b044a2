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
from lesionkit.nets import load
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
    assert "| mse | water |" in said
    assert f"written to {out}" in said
    assert (out / "evaluation.json").exists()


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
    asked = [sys.executable, "-W", "error", "-m", "lesionkit.cli", "train", "znet"]
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
    assert "invalid choice: 'huge'" in capsys.readouterr().err
