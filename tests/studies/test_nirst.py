"""The NIRST study: what is compared, how it is judged, and the whole of it, tiny."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[nets]'")

from lesionkit.nets import TrainingOptions  # noqa: E402
from lesionkit.optics import ForwardModel, PhantomRecipe, disc_mesh, generate  # noqa: E402
from lesionkit.studies import nirst  # noqa: E402
from lesionkit.studies.nirst import evaluation  # noqa: E402
from lesionkit.studies.nirst.evaluation import evaluate, judge, table  # noqa: E402
from lesionkit.studies.nirst.methods import (  # noqa: E402
    Case,
    every_second,
    filled,
    three_inclusions,
)

RECIPE = PhantomRecipe(nodes=900, wavelengths=(661, 735, 808, 852, 948), pixels=32)


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# --- every second optode ----------------------------------------------------------------------


def test_every_second_optode_is_a_ring_of_eight() -> None:
    mesh = disc_mesh(nodes=900)
    mua, mus = np.full(len(mesh.nodes), 0.01), np.ones(len(mesh.nodes))
    mua += 0.01 * (mesh.nodes[:, 0] > 10)
    signals = {}
    for optodes in (16, 8):
        rim = replace(RECIPE, optodes=optodes).positions
        readings = ForwardModel(mesh, rim, rim).measure(mua, mus)
        place = (np.arange(optodes)[:, None] + np.arange(1, optodes)) % optodes
        signals[optodes] = np.take_along_axis(readings, place, axis=1)
    # The same readings, solved with other optodes in the plan.
    np.testing.assert_allclose(every_second(signals[16]), signals[8], rtol=1e-6)


def test_filling_keeps_what_is_there_and_a_smooth_rest() -> None:
    optodes = 16
    source, place = np.arange(optodes)[:, None], np.arange(1, optodes)
    reference = (-0.5 * np.minimum(place, optodes - place) + 0 * source).astype(np.float32)[None]
    smooth = 0.3 * np.cos(2 * np.pi * source / optodes) * np.sin(np.pi * place / optodes)
    signal = np.exp(reference + smooth)[None].astype(np.float32)
    whole = filled(every_second(signal), reference)
    assert whole.shape == signal.shape
    assert whole.dtype == np.float32
    np.testing.assert_allclose(every_second(whole), every_second(signal), rtol=1e-6)
    # The error of a straight line between points pi / 4 apart on a wave of 0.3, and at the two
    # ends of a row, where there is but one point, its slope.
    assert np.abs(np.log(whole / signal))[..., 1:-1].max() < 0.3 * (np.pi / 4) ** 2 / 8 * 1.5
    assert np.abs(np.log(whole / signal)).max() < 0.1
    np.testing.assert_allclose(
        filled(every_second(np.exp(reference)[None]), reference)[0], np.exp(reference), rtol=1e-6
    )


# --- three inclusions and judgement -----------------------------------------------------------


def test_three_inclusions_as_the_recipe_has_one() -> None:
    case = three_inclusions(RECIPE, "fast", 12, seed=5)
    again = three_inclusions(RECIPE, "fast", 12, seed=5)
    np.testing.assert_array_equal(case.signal, again.signal)
    assert case.signal.shape == (12, 5, 16, 15)
    for number in range(12):
        discs = case.discs(number)
        assert len(discs) == 3
        assert set(2 * discs[:, 2]) <= {12, 16, 20}
        assert (np.hypot(discs[:, 0], discs[:, 1]) + discs[:, 2] <= 39).all()
        contrast = case.regions[number, 1:, 3:5] / case.regions[number, :1, 3:5]
        assert contrast.min() >= 1.2
        assert contrast.max() <= 3
    with pytest.raises(ValueError, match="no room for three of its inclusions"):
        three_inclusions(replace(RECIPE, single_diameters=(70.0,)), "fast", 1, seed=0)


@pytest.fixture(scope="module")
def case() -> Case:
    return Case.of("some", generate(RECIPE, 5, seed=2), 0, 5)


def test_the_truth_is_perfect(case) -> None:
    figures = judge(case, case.truth)
    assert figures["mse"]["water"] == {"mean": 0, "sd": 0, "missing": 0}
    assert figures["psnr"]["HbO"] == {"mean": None, "sd": None, "missing": 5}
    assert figures["ssim"]["Hb"]["mean"] == pytest.approx(1)
    assert figures["contrast error, %"]["Hb"]["mean"] == pytest.approx(0, abs=1e-4)
    assert figures["displacement, mm"]["HbO"]["mean"] < 2.6  # a pixel


def test_figures_are_means_over_phantoms(case) -> None:
    off = case.truth.copy()
    off[:, 2] += np.arange(5)[:, None, None]  # 0, 1, 2, 3, 4 per cent of water too much
    figures = judge(case, off)
    assert figures["mse"]["water"]["mean"] == pytest.approx(np.mean([0, 1, 4, 9, 16]), rel=1e-5)
    assert figures["mse"]["water"]["sd"] == pytest.approx(np.std([0, 1, 4, 9, 16]), rel=1e-5)
    assert figures["mse"]["HbO"]["mean"] == 0


def test_large_figures_have_no_exponent() -> None:
    cell = evaluation._cell({"mean": 1234.5, "sd": 232.1, "missing": 1})
    assert cell == "1230 ± 230 (1 without)"
    assert evaluation._cell({"mean": 0.01234, "sd": 0.0006, "missing": 0}) == "0.0123 ± 0.0006"


# --- the whole --------------------------------------------------------------------------------


METHODS = ("tikhonov", "dri", "ynet", "znet", "linear-unet")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The whole study on few small phantoms, one epoch each."""
    torch.set_num_threads(1)
    size = nirst.Size(20, TrainingOptions(epochs=1, batch=7), 2, RECIPE)
    out = tmp_path_factory.mktemp("study") / "small"
    patch = pytest.MonkeyPatch()
    patch.setitem(nirst.SIZES, "tiny", size)
    said: list[str] = []
    result = nirst.run(out, "tiny", device="cpu", progress=lambda *report: said.append(report[2]))
    patch.undo()
    return out, result, said


def test_the_study_leaves_all_of_it(study) -> None:
    out, result, said = study
    stages = [re.sub("loss .*", "loss", what) for what in dict.fromkeys(said) if what]
    assert stages[:5] == [
        "phantoms",
        "ynet: epoch 1 of 1, loss",
        "znet: epoch 1 of 1, loss",
        "linear-unet: epoch 1 of 1, loss",
        "unseen phantoms: Tikhonov",
    ]
    assert sorted(os.listdir(out)) == [
        *("evaluation", "linear-unet", "phantoms.zarr", "ynet", "znet")
    ]
    names = {"8-of-16-optodes.png", "evaluation.json", "evaluation.md", "distributions.png"}
    names |= {"three-inclusions.png", "unseen-phantoms.png"}
    assert set(os.listdir(out / "evaluation")) == names
    assert json.loads((out / "evaluation" / "evaluation.json").read_text()) == result
    for name, figures in result["sets"].items():
        assert list(figures["methods"]) == [*METHODS], name
        assert figures["phantoms"] == 2
    text = (out / "evaluation" / "evaluation.md").read_text()
    for said_there in ("0.05 ± 0.04", "43.3 ± 3.8", "## three inclusions: 2", "| ms per phantom"):
        assert said_there in text
    assert "| | | Tikhonov | DRI | Y-Net | Z-Net | linear + U-Net |" in text
    assert re.search(
        r"parameters, millions \| 6.0\d \| 3.5\d \| .*\n\| \*the paper\* \| 6.09 \| 3.48", text
    )
    assert "Z-Net's MSE of all is " in text
    share = RECIPE.inside.mean()
    for name, figures in result["sets"]["unseen phantoms"]["methods"].items():
        each = result["sets"]["unseen phantoms"]["each"][name]
        assert np.mean(each["mse"][1]) == pytest.approx(figures["mse"]["Hb"]["mean"])
        assert np.mean(each["psnr"][2]) == pytest.approx(figures["psnr"]["water"]["mean"])
        over = figures["mse"]["Hb"]["mean"] * share
        assert f"{float(f'{over:.3g}'):.6g} ±" in text.split("MSE, µM², over the square | Hb ")[1]
    values = result["sets"]["three inclusions"]["values"]
    assert {len(x) for rows in values.values() for x in rows.values()} == {3}
    assert list(values["water"]) == ["truth", "tikhonov", "dri", "ynet", "znet", "linear-unet"]
    for row in ("MSE, µM² | HbO", "MSE, %² | water", "PSNR, dB | Hb", "SSIM | Hb"):
        (cells,) = re.findall(rf"^\| {re.escape(row)} \| (.*) \|$", text.split("## ")[1], re.M)
        assert cells.count("**") == 2  # the best one
    assert text == table(result)


def test_unseen_phantoms_are_the_last_tenth(study, tmp_path) -> None:
    out, _, _ = study
    asked: list[tuple[int, int, str]] = []
    result = evaluate(
        out / "phantoms.zarr",
        [out / "znet"],
        tmp_path / "a",
        methods=(),
        progress=lambda *words: asked.append(words),
    )
    assert result["sets"]["unseen phantoms"]["phantoms"] == 2
    assert (1, 3, "three inclusions: Z-Net") in asked
    assert asked[-1][:2] == (3, 3)
    generate(RECIPE, 4, tmp_path / "other.zarr", seed=9)
    runs = [out / "znet", shutil.copytree(out / "znet", tmp_path / "again")]
    result = evaluate(tmp_path / "other.zarr", runs, tmp_path / "b", methods=())
    unseen = result["sets"]["unseen phantoms"]
    assert unseen["phantoms"] == 4
    assert unseen["methods"]["znet znet"]["mse"] == unseen["methods"]["again"]["mse"]
    assert "| | | znet znet | again |" in (tmp_path / "b" / "evaluation.md").read_text()


def test_equal_phantoms_of_another_store_are_not_unseen(study, tmp_path, monkeypatch) -> None:
    """More of the seed that the net was trained on, or made elsewhere: the first are the same."""
    out, _, _ = study
    more = tmp_path / "more.zarr"
    monkeypatch.setattr("lesionkit.optics.phantoms.making.instruction_set", lambda _: "another")
    generate(RECIPE, 25, more)
    result = evaluate(more, [out / "znet"], tmp_path / "a", methods=())
    assert result["sets"]["unseen phantoms"]["phantoms"] == 25 - 18
    generate(RECIPE, 12, tmp_path / "few.zarr")
    with pytest.raises(ValueError, match=r"^data must hold phantoms that no net has seen: .* 12; "):
        evaluate(tmp_path / "few.zarr", [out / "znet"], tmp_path / "b", methods=())
    assert not (tmp_path / "b").exists()


def test_a_recipe_without_room_for_three_is_told_before_any_work(tmp_path) -> None:
    generate(replace(RECIPE, single_diameters=(70.0,)), 2, tmp_path / "wide.zarr")
    with pytest.raises(ValueError, match="no room for three of its inclusions"):
        evaluate(tmp_path / "wide.zarr", [], tmp_path / "e")
    assert not (tmp_path / "e").exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"methods": ["art"]}, "methods must be of tikhonov, dri, got 'art'"),
        ({"runs": [], "methods": []}, "there is nothing to compare: give runs or methods"),
        ({"limit": 0}, "limit must be at least 1, got 0"),
        ({"out": "no/such/place"}, "cannot make the folder no/such/place: there is no such place"),
        ({"data": "nowhere"}, "there is no phantom store at nowhere"),
        ({"runs": "znet"}, "runs must be a list of folders, got str 'znet'"),
        ({"out": __file__}, f"out must be a folder, got the file {__file__}"),
        ({"device": "gpu"}, "device must be 'auto', 'cpu', 'cuda' or 'cuda:N', got 'gpu'"),
        ({"twice": True}, "runs of one net must have different names, got znet znet twice"),
        ({"other": True}, "this net cannot read such data: wavelengths is .*"),
    ],
)
def test_each_mistake_is_a_sentence(study, tmp_path, monkeypatch, change, sentence) -> None:
    monkeypatch.chdir(tmp_path)
    out, _, _ = study
    asked = {"data": out / "phantoms.zarr", "runs": [out / "znet"], "out": tmp_path / "e"}
    if change.pop("twice", False):
        asked["runs"] *= 2
    if change.pop("other", False):
        asked["data"] = tmp_path / "other.zarr"
        generate(replace(RECIPE, wavelengths=(735, 948)), 10, asked["data"])
    with pytest.raises((ValueError, TypeError, FileNotFoundError), match=f"^{sentence}$"):
        evaluate(**{**asked, **change})
    assert not (tmp_path / "e").exists()


def test_sizes() -> None:
    assert nirst.SIZES["paper"] == nirst.Size(20_000, TrainingOptions())
    with pytest.raises(ValueError, match="size must be one of 'paper', 'small', 'tiny', got 'big'"):
        nirst.run("out", "big")
    with pytest.raises(ValueError, match="device must be one of 'auto', 'cpu', 'cuda', got 'tpu'"):
        nirst.run("out", "tiny", device="tpu")
    with pytest.raises(FileNotFoundError, match="cannot make the folder no/out: there is no such"):
        nirst.run("no/out", "tiny")
    assert set(evaluation.PAPER) == {"dri", "ynet", "znet"}
