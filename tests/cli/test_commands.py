"""The `lesionkit` command."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import lesionkit
from lesionkit import _core, cli, report
from lesionkit.optics.phantoms.generate import generate
from lesionkit.optics.phantoms.recipe import PhantomRecipe
from lesionkit.optics.phantoms.store.phantoms import open_phantoms

SMALL = ["--nodes", "817", "--wavelengths", "661", "948", "--pixels", "20"]
RECIPE = PhantomRecipe(nodes=817, wavelengths=(661, 948), pixels=20)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "lesionkit", *arguments]


def test_phantoms_leaves_a_store_a_summary_and_a_picture(tmp_path: Path, capsys) -> None:
    out = tmp_path / "phantoms.zarr"
    assert cli.main(["phantoms", "--count", "70", "--seed", "5", "--out", str(out), *SMALL]) == 0
    made, expected = open_phantoms(out), generate(RECIPE, 70, seed=5)
    np.testing.assert_array_equal(made.signal[:], expected.signal)
    assert made.recipe == RECIPE
    assert sorted(os.listdir(tmp_path)) == ["phantoms.zarr", "phantoms.zarr.png"]
    assert (tmp_path / "phantoms.zarr.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    said = capsys.readouterr().out
    assert "solving" not in said
    assert re.search("accuracy +fast$", said, re.MULTILINE)
    assert re.search(r"^70 phantoms in \d+\.\d s: [\d,]+ a second$", said, re.MULTILINE)
    assert re.search("store .* MiB", said)


def test_phantoms_tell_their_stages_if_asked(tmp_path: Path, capsys) -> None:
    asked = ["phantoms", "--count", "3", "--out", str(tmp_path / "a"), "--no-picture", *SMALL]
    assert cli.main([*asked, "--verbose"]) == 0
    said = capsys.readouterr().out
    for part in ("solving .*plan .*solve ", "beside .*paint .*pack .*write "):
        assert re.search(part, said), part


def test_phantoms_again_does_nothing(tmp_path: Path, capsys) -> None:
    asked = ["phantoms", "--count", "3", "--out", str(tmp_path / "a"), "--no-picture", *SMALL]
    assert cli.main(asked) == 0
    assert cli.main(asked) == 0
    assert "holds these phantoms already; nothing to do" in capsys.readouterr().out
    assert os.listdir(tmp_path) == ["a"]


def test_every_option_reaches_the_recipe(tmp_path: Path) -> None:
    out, before = tmp_path / "a", lesionkit.threads()
    options = ["--noise", "0.01", "--mri-noise", "0.1", "--batch", "2", "--threads", "1"]
    try:
        asked = ["phantoms", "--count", "3", "--out", str(out), "--no-picture", *SMALL, *options]
        assert cli.main(asked) == 0
        assert lesionkit.threads() == 1
    finally:
        lesionkit.threads(before)
    recipe = open_phantoms(out).recipe
    assert (recipe.signal_noise, recipe.mri_noise, recipe.pixels) == (0.01, 0.1, 20)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--count", "0"], "lesionkit: count must be from 1 to .*, got 0"),
        (["--count", "-1"], "lesionkit: count must be from 1 to .*, got -1"),
        (["--count", "many"], "lesionkit phantoms: argument --count: invalid int value: 'many'.*"),
        (["--count", "3", "--wavelengths", "700"], "lesionkit: wavelength must be one of .*"),
        (["--count", "3", "--noise", "nan"], "lesionkit: signal_noise must be .*, got nan"),
        (["--count", "3", "--nodes", "2"], "lesionkit: nodes must be from 7 to 1000000, got 2"),
        (["--count", "3", "--threads", "0"], "lesionkit: threads must be from 1 to 1024, got 0"),
        (["--count", "3", "--seed", "-1"], "lesionkit: seed must be from 0 to .*, got -1"),
        (["--count", "3", "--colour", "red"], "lesionkit phantoms: unknown argument --colour.*"),
        ([], "lesionkit phantoms: one of the arguments --count --finish is required.*"),
    ],
)
def test_each_mistake_is_one_line(tmp_path: Path, capsys, arguments, sentence) -> None:
    try:
        code = cli.main(["phantoms", "--out", str(tmp_path / "a"), *arguments])
    except SystemExit as left:
        code = left.code
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert re.fullmatch(sentence + "\n", captured.err)
    assert os.listdir(tmp_path) == []


def test_a_wrong_instruction_set_is_one_line() -> None:
    for asked in (["info"], ["phantoms", "--count", "1", "--out", "a"]):
        environment = {**os.environ, "LESIONKIT_ISA": "v9"}
        done = subprocess.run(command(*asked), capture_output=True, text=True, env=environment)
        assert (done.returncode, done.stdout) == (2, "")
        assert re.fullmatch(r"lesionkit: LESIONKIT_ISA must be one of .*, got 'v9'\n", done.stderr)


def test_a_place_that_cannot_be_written(tmp_path: Path, capsys) -> None:
    out = tmp_path / "no" / "a"
    assert cli.main(["phantoms", "--count", "3", "--out", str(out), *SMALL]) == 2
    assert capsys.readouterr().err == f"lesionkit: cannot write {out}: there is no such folder\n"


def test_another_job_is_refused(tmp_path: Path, capsys) -> None:
    asked = ["phantoms", "--out", str(tmp_path / "a"), "--no-picture", *SMALL]
    assert cli.main([*asked, "--count", "3"]) == 0
    assert cli.main([*asked, "--count", "2"]) == 2
    assert "(count is 3 there, 2 asked)" in capsys.readouterr().err


def test_a_store_grows(tmp_path: Path, capsys) -> None:
    asked = ["phantoms", "--out", str(tmp_path / "a"), "--no-picture", *SMALL]
    assert cli.main([*asked, "--count", "70"]) == 0
    assert cli.main([*asked, "--count", "80"]) == 0
    assert re.search(r"^16 phantoms in .* \(64 were there before\)$", capsys.readouterr().out, re.M)
    assert len(open_phantoms(tmp_path / "a")) == 80
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as a signal here")
def test_ctrl_c_stops_and_the_same_command_resumes(tmp_path: Path) -> None:
    out = tmp_path / "phantoms.zarr"
    asked = command("phantoms", "--count", "3000", "--out", str(out), *SMALL, "--no-picture")
    asked += ["--batch", "64"]
    journal = tmp_path / "phantoms.zarr.partial" / "journal"
    with subprocess.Popen(asked, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            if journal.exists() and journal.read_text().count("\n") > 3:
                process.send_signal(signal.SIGINT)
                break
            time.sleep(0.002)
        errors = process.communicate()[1]
    assert process.returncode == 130, errors
    assert f"stopped; what is finished stays in {out}.partial, and the same command" in errors
    assert "Traceback" not in errors
    done = subprocess.run(asked, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.search(r"phantoms in .*\(\d+ were there before\)", done.stdout)
    np.testing.assert_array_equal(open_phantoms(out).mri[:], generate(RECIPE, 3000).mri)


def test_info_says_what_is_in_use() -> None:
    done = subprocess.run(command("info"), capture_output=True, text=True, check=True)
    for name, value in {
        "lesionkit": lesionkit.__version__,
        "instructions": _core.level,
        "threads": r"\d+",
        "GPU": "none \\(|.*CuPy",
        "NumPy": np.__version__,
    }.items():
        assert re.search(rf"^{name} +{value}", done.stdout, re.MULTILINE), name


def test_help_and_no_command(capsys) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["--help"])
    assert left.value.code == 0
    assert "phantoms" in capsys.readouterr().out
    with pytest.raises(SystemExit) as left:
        cli.main([])
    assert left.value.code == 2


def test_bench_hands_its_arguments_on(tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "__init__.py").touch()
    (tmp_path / "benchmarks" / "__main__.py").write_text("import sys; print(sys.argv)")
    monkeypatch.setattr(
        cli, "__file__", str(tmp_path / "src" / "lesionkit" / "cli" / "__init__.py")
    )
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    for name in [n for n in sys.modules if n.partition(".")[0] == "benchmarks"]:
        monkeypatch.delitem(sys.modules, name)
    assert cli.main(["bench", "forward", "--quick"]) == 0
    assert "['lesionkit bench', 'forward', '--quick']" in capsys.readouterr().out
    (tmp_path / "benchmarks" / "__main__.py").write_text("import a_missing_peer")
    assert cli.main(["bench"]) == 2
    assert "bench needs a_missing_peer" in capsys.readouterr().err


def test_bench_outside_a_checkout(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(
        cli, "__file__", str(tmp_path / "lib" / "lesionkit" / "cli" / "__init__.py")
    )
    assert cli.main(["bench"]) == 2
    assert "bench runs from a checkout" in capsys.readouterr().err


def test_the_light_commands_import_nothing_heavy() -> None:
    code = (
        "import sys; from lesionkit import cli; cli.main(['info']); "
        "sys.exit(sorted({'zarr', 'matplotlib', 'tqdm', 'scipy'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "recipe",
    [
        RECIPE,
        PhantomRecipe(nodes=217, wavelengths=(808,), pixels=1),
        PhantomRecipe(nodes=217, hbo=(0, 0)),
    ],
)
def test_the_picture_of_any_phantoms(tmp_path: Path, recipe: PhantomRecipe) -> None:
    report.preview(generate(recipe, 1), tmp_path / "one.png")
    assert (tmp_path / "one.png").stat().st_size > 10_000


def test_reconstruct_reads_a_store(tmp_path: Path, capsys) -> None:
    store, out = tmp_path / "a.zarr", tmp_path / "maps"
    wavelengths = ["--wavelengths", "661", "852", "948"]
    made = ["phantoms", "--count", "3", "--out", str(store), "--no-picture", "--pixels", "20"]
    assert cli.main([*made, *wavelengths]) == 0
    asked = ["reconstruct", str(store), "--out", str(out)]
    assert cli.main([*asked, "--method", "dri", "--first", "1", "--count", "2"]) == 0
    assert sorted(os.listdir(out)) == ["maps.npz", "maps.png"]
    maps = np.load(out / "maps.npz")
    assert maps["chromophores"].shape == (2, 3, 20, 20)
    np.testing.assert_array_equal(maps["index"], [1, 2])
    np.testing.assert_array_equal(maps["hbt"], maps["chromophores"][:, :2].sum(axis=1))
    assert maps["contrast_hbt"].min() > 1
    said = capsys.readouterr().out
    assert re.search("mean squared error over the disc  HbO .* uM.2, Hb .*, water", said)
    assert re.search("contrast   HbT .* ± .*2 of 2 phantoms; region found by k-means on the", said)
    before = (out / "maps.npz").read_bytes()
    assert cli.main([*asked, "--method", "tikhonov"]) == 2
    said = capsys.readouterr().err
    assert f"{out} holds results already (maps.npz): choose another --out, or replace" in said
    assert (out / "maps.npz").read_bytes() == before
    again = [*asked, "--method", "tikhonov", "--overwrite", "--format", "pdf"]
    assert cli.main(again) == 0
    assert (out / "maps.npz").read_bytes() != before
    assert (out / "maps.pdf").read_bytes()[:5] == b"%PDF-"
    asked[-1] = str(tmp_path / "other")
    for arguments, sentence in (
        (["--method", "dri", "--first", "3"], "first must be from 0 to 2, got 3"),
        (["--method", "dri", "--count", "4"], "count must be from 1 to 3, got 4"),
        (["--method", "dri", "--mri", "a.png"], "--mri belongs to measured data, got a store, "),
        (["--method", "dri", "--missing", "16"], "missing must be from 0 to 15, got 16"),
    ):
        assert cli.main([*asked, *arguments]) == 2
        assert sentence in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main([*asked, "--method", "dri", "--missing", "3;4"])
    assert "must be whole numbers between commas, such as 3,7, got '3;4'" in capsys.readouterr().err
    nowhere = ["reconstruct", str(tmp_path / "no"), "--method", "dri", "--out", asked[-1]]
    assert cli.main(nowhere) == 2
    assert "there is no phantom store at" in capsys.readouterr().err
