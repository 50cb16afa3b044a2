"""What every command has in common: help, hints, exit codes, threads, progress."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lesionkit
from lesionkit import cli, progress
from lesionkit.cli.exits import Exit
from lesionkit.cli.parser import Parser
from lesionkit.progress import Progress, by_epoch

COMPUTES = {
    "phantoms", "reconstruct", "train", "evaluate", "nirst", "stroke", "stroke-study",
    "thermogram", "thermogram-study", "brain", "brain-study", "radiomics",
    "selftest", "gpu-report",
}  # fmt: skip


def subcommands() -> dict[str, Parser]:
    (action,) = [a for a in cli.build()._actions if isinstance(a, argparse._SubParsersAction)]
    return dict(action.choices)


def refused(capsys, *arguments: str) -> str:
    """What a command says on one line when it refuses."""
    with pytest.raises(SystemExit) as left:
        cli.main(list(arguments))
    assert left.value.code == Exit.REFUSED
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    return line


def test_python_dash_m() -> None:
    asked = [sys.executable, "-m", "lesionkit", "-V"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert done.stdout == f"lesionkit {lesionkit.__version__}\n"


@pytest.mark.parametrize("name", subcommands())
def test_help_says_what_each_thing_is(name: str, capsys) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main([name, "--help"])
    assert left.value.code == Exit.DONE
    said = capsys.readouterr().out
    assert re.search(r"^example:\n  .*lesionkit " + name + r"\b", said, re.MULTILINE)
    for action in subcommands()[name]._actions:
        assert action.help, (name, action.dest)
        assert re.search("[a-z]{3}", action.help), (name, action.dest, action.help)
        takes_a_value = action.option_strings and action.nargs != 0
        if takes_a_value and not action.required:
            assert re.search(r"\(default: ", action.help), (name, action.dest, action.help)


def test_threads_of_every_command_that_computes(capsys) -> None:
    having = {name for name, p in subcommands().items() if "--threads" in p.format_help()}
    assert having == COMPUTES
    assert cli.main(["selftest", "--threads", "0"]) == Exit.REFUSED
    assert capsys.readouterr().err == "lesionkit: threads must be from 1 to 1024, got 0\n"


def test_did_you_mean(capsys) -> None:
    said = refused(capsys, "phantom")
    assert said.endswith("got 'phantom'; did you mean 'phantoms'? (see lesionkit --help)")
    assert "must be one of phantoms, reconstruct, train, " in said
    said = refused(capsys, "Info")
    assert "did you mean 'info'?" in said
    said = refused(capsys, "phantoms", "--count", "3", "--out", "a", "--seeds=4")
    assert said == (
        "lesionkit phantoms: unknown argument --seeds=4; did you mean '--seed'? (see lesionkit "
        "phantoms --help)"
    )
    said = refused(capsys, "phantoms", "--count", "3", "--out", "a", "--dry")
    assert said == "lesionkit phantoms: unknown argument --dry (see lesionkit phantoms --help)"


def test_flags_are_not_abbreviated(capsys) -> None:
    assert "required: --out" in refused(capsys, "phantoms", "--count", "3", "--ou", "a")


def test_choices_in_any_case(tmp_path: Path, capsys) -> None:
    asked = ["reconstruct", str(tmp_path / "no"), "--out", str(tmp_path / "out")]
    assert cli.main([*asked, "--method", "DRI"]) == Exit.REFUSED
    assert "there is no phantom store" in capsys.readouterr().err
    said = refused(capsys, *asked, "--method", "dry")
    known = "tikhonov, dri, znet, ynet, linear-unet, znet-no-mri"
    assert f"must be one of {known}, got 'dry'; did you mean" in said


def test_nodes_and_accurate_are_told_by_their_flags(tmp_path: Path, capsys) -> None:
    asked = ["phantoms", "--count", "3", "--out", str(tmp_path / "a"), "--nodes", "217"]
    assert cli.main([*asked, "--accuracy", "accurate"]) == Exit.REFUSED
    assert "leave out --nodes, or take --accuracy fast" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion(shell: str, capsys) -> None:
    if "shtab" not in sys.modules:
        try:
            import shtab  # noqa: F401
        except ImportError:
            assert cli.main(["completion", shell]) == Exit.REFUSED
            assert "completion needs shtab, which is not installed: " in capsys.readouterr().err
            pytest.skip("shtab is not installed: pip install '.[completion]'")
    assert cli.main(["completion", shell]) == Exit.DONE
    said = capsys.readouterr().out
    assert "phantoms" in said
    assert "--accuracy" in said


# --- progress -------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_without_a_terminal_there_is_a_line_every_30_s(clock, capsys) -> None:
    with Progress("phantoms") as report:
        for second in range(0, 100, 10):
            clock[0] = second
            report(second, 2000)
    assert capsys.readouterr().err.splitlines() == [
        f"lesionkit: {second} of 2,000 phantoms" for second in (30, 60, 90)
    ]


def test_short_work_says_nothing(clock, capsys) -> None:
    with Progress("phantoms") as report:
        report(1, 2)
        report(2, 2)
    assert capsys.readouterr().err == ""


def test_without_a_terminal_there_is_a_line_for_each_epoch(clock, capsys) -> None:
    with Progress("batches") as report:
        tell = by_epoch(report, 2)
        for epoch in (1, 2):
            for batch in (1, 2, 3):
                tell(epoch, batch, 3, 1 / epoch)
    assert capsys.readouterr().err.splitlines() == [
        "lesionkit: epoch 1 of 2, loss 1 (3 of 6 batches)",
        "lesionkit: epoch 2 of 2, loss 0.5 (6 of 6 batches)",
    ]


def test_on_a_terminal_there_is_a_bar(clock, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Progress("phantoms") as report:
        report(64, 128)
        report(128, 128)
        report(1, 6, "another step")
    said = capsys.readouterr().err
    assert "128/128" in said
    assert "another step" in said
    assert "1/6" in said


@pytest.mark.parametrize("name", ["brain", "stroke", "thermogram"])
def test_a_case_that_is_refused_leaves_no_folder(name: str, tmp_path: Path, capsys) -> None:
    for library in ("nibabel", "numba", "skimage", "sklearn"):
        pytest.importorskip(library)
    image, out = tmp_path / "a.nii.gz", tmp_path / "out"
    image.write_bytes(b"no image")
    assert cli.main([name, str(image), "--out", str(out)]) == Exit.REFUSED
    assert "a.nii.gz" in capsys.readouterr().err
    assert not out.exists()
