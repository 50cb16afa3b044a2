"""CNN and LSTM: shapes, same bits, nothing of what is held out, the tables; one or two epochs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch comes with lesionkit[nets]")
pytest.importorskip("PIL.Image", reason="Pillow comes with lesionkit[studies]")

from lesionkit import cli  # noqa: E402
from lesionkit.studies.brain import classify, nets  # noqa: E402
from lesionkit.studies.brain.nets import training  # noqa: E402
from lesionkit.studies.brain.study import command, protocol  # noqa: E402
from lesionkit.studies.brain.study import nets as study_nets  # noqa: E402
from lesionkit.texture.selection import Fisher  # noqa: E402
from studies.brain import brain_folder  # noqa: E402

RANDOM = np.random.default_rng(0)
ABNORMAL = np.arange(48) % 2 == 1
PATIENTS = np.repeat(["A", "B", "C"], 16)
NOISE = RANDOM.uniform(-10, 10, (48, 10, 10))
SQUARES = 128 + NOISE * np.where(ABNORMAL, 9, 1)[:, None, None]
COLUMNS = np.where(ABNORMAL, 1.5, -1.5)[:, None] + RANDOM.normal(0, 1, (48, 7))
GIVEN = {kind: COLUMNS if kind.endswith("features") else SQUARES for kind in nets.MODELS}


@pytest.mark.parametrize("kind", nets.MODELS)
def test_each_net_learns_what_is_clear(kind: Any) -> None:
    trained = nets.train(kind, GIVEN[kind], ABNORMAL, epochs=30 if "lstm" in kind else 12)
    told = trained.probability(GIVEN[kind])
    assert told.shape == (48,)
    assert ((told > 0) & (told < 1)).all()
    assert ((told > 0.5) == ABNORMAL).mean() > 0.9
    assert trained.loss[-1] < trained.loss[0]


def test_parameters() -> None:
    """By hand: 1 x 32 x 9 + 32, 32 x 64 x 9 + 64, 576 x 64 + 64, 64 x 2 + 2 of the CNN."""
    count = {
        kind: sum(p.numel() for p in nets.MODELS[kind](10).parameters()) for kind in nets.MODELS
    }
    lstm = 4 * 64 * (64 + 2) + 130  # and 4 x 64 of each column
    assert count == {
        "cnn-features": 128 + 6208 + 20544 + 130,
        "lstm-features": 4 * 64 + lstm,
        "cnn-patch": 320 + 18496 + 36928 + 130,
        "lstm-patch": 4 * 64 * 10 + lstm,
    }


def test_the_same_call_gives_the_same_bits_whatever_the_threads() -> None:
    before = torch.get_num_threads()
    found = []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        torch.manual_seed(threads)
        trained = nets.train("cnn-patch", SQUARES, ABNORMAL, epochs=1)
        assert torch.get_num_threads() == threads
        found.append(trained.probability(SQUARES))
    torch.set_num_threads(before)
    np.testing.assert_array_equal(*found)
    other = nets.train("cnn-patch", SQUARES, ABNORMAL, epochs=1, seed=1)
    assert (other.probability(SQUARES) != found[0]).any()


def test_the_order_of_features_counts() -> None:
    there, back = (
        nets.train("lstm-features", x, ABNORMAL, epochs=1) for x in (COLUMNS, COLUMNS[:, ::-1])
    )
    assert (there.probability(COLUMNS) != back.probability(COLUMNS[:, ::-1])).any()


def test_inputs_are_standardised_by_what_is_learnt_from() -> None:
    squares = nets.train("lstm-patch", SQUARES, ABNORMAL, epochs=1)
    assert (squares.mean, squares.sd) == (SQUARES.mean(), SQUARES.std())
    columns = np.column_stack([COLUMNS, np.ones(48)])
    features = nets.train("lstm-features", columns, ABNORMAL, epochs=1)
    np.testing.assert_array_equal(features.mean, columns.mean(0))
    assert features.sd[-1] == 1  # of a constant


def test_squares_are_turned_and_made_brighter() -> None:
    square = torch.arange(36.0).reshape(1, 6, 6).repeat(400, 1, 1)
    torch.manual_seed(0)
    shown = training.augmented(square)
    ranks = {tuple(one.ravel().argsort().tolist()) for one in shown}
    symmetries = {
        tuple(np.rot90(part, k).ravel().argsort())
        for part in (square[0].numpy(), square[0].numpy()[::-1])
        for k in range(4)
    }
    assert ranks == symmetries
    powers = (shown.amax((1, 2)) / 255).log() / np.log(35 / 255)
    assert 0.8 <= powers.min() < 0.83
    assert 1.17 < powers.max() <= 1.2


def test_brightness_is_not_seen_without_the_mean() -> None:
    trained = nets.train("cnn-patch", SQUARES, ABNORMAL, epochs=1, centred=True)
    told = trained.probability(SQUARES)
    np.testing.assert_allclose(trained.probability(SQUARES - 20), told, atol=1e-6)
    rows = SQUARES.reshape(48, -1)
    kinds = np.where(ABNORMAL, "abnormal", "normal")
    both = nets.Net("cnn-patch", 1, 0, None, (False, True)).fit(rows, kinds)
    alone = nets.train("cnn-patch", SQUARES, ABNORMAL, epochs=1).probability(SQUARES)
    np.testing.assert_allclose(both.predict_proba(rows)[:, 0], (told + alone) / 2)


def test_further_squares_are_of_patients_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[np.ndarray] = []
    usual = training.train

    def told(kind: Any, values: np.ndarray, *given: Any, **how: Any) -> nets.Trained:
        seen.append(values)
        return usual(kind, values, *given, **how)

    monkeypatch.setattr(training, "train", told)
    further = np.repeat(np.arange(1.0, 4), 16)[:, None] * np.ones(100)  # A: 1, B: 2, C: 3
    net = nets.Net("cnn-patch", 1, 0, nets.More(further, ABNORMAL, PATIENTS))
    rows = SQUARES.reshape(48, -1)
    (found,) = classify.evaluate(rows, ABNORMAL, PATIENTS, select=None, table={"net": net})
    assert found.n == 48
    assert [sorted(set(one[32:].ravel())) for one in seen] == [[2, 3], [1, 3], [1, 2]]
    assert all(len(one) == 64 for one in seen)


@pytest.mark.parametrize(
    ("kind", "values", "how", "message"),
    [
        ("cnn", SQUARES, {}, "kind must be"),
        ("cnn-patch", SQUARES[:, :5, :5], {}, "squares of 6 x 6 pixels or more, got 5 x 5"),
        ("cnn-patch", SQUARES[:, 1:], {}, "got 9 x 10"),
        ("cnn-patch", SQUARES - 200, {}, "levels from 0 to 255, got -"),
        ("cnn-patch", np.full((48, 10, 10), np.nan), {}, "values must"),
        ("cnn-features", SQUARES, {}, "values must have shape"),
        ("cnn-features", COLUMNS, {"abnormal": ABNORMAL[:9]}, "each of the 48 rows"),
        ("cnn-features", COLUMNS, {"abnormal": ABNORMAL | True}, "of both kinds"),
        ("cnn-features", COLUMNS, {"epochs": 0}, "epochs must be"),
        ("cnn-features", COLUMNS, {"seed": -1}, "seed must be"),
        ("cnn-features", COLUMNS, {"centred": True}, "centred must be False of features"),
    ],
)
def test_refused(kind: Any, values: Any, how: dict[str, Any], message: str) -> None:
    given = {"abnormal": ABNORMAL, **how}
    with pytest.raises(ValueError, match=message):
        nets.train(kind, values, given.pop("abnormal"), **given)


def test_their_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the study only the nets, an epoch each, ten columns by Fisher, three random folds."""
    monkeypatch.setattr(command, "units", lambda *_: iter(()))
    monkeypatch.setattr(command, "units_of", lambda *_: iter(()))
    monkeypatch.setattr(command.tables, "sections", lambda *_: [])
    monkeypatch.setattr(classify, "fused", lambda: Fisher(10))
    monkeypatch.setattr(protocol, "FOLDS", 3)
    monkeypatch.setattr(study_nets, "DRAWN", 2)
    folder, out = brain_folder.write(tmp_path / "data", 2), tmp_path / "out"
    asked = ["brain-study", "--data", str(folder), "--out", str(out), "--per-class", "4"]
    assert cli.main([*asked, "--modality", "t1c", "--seeds", "1", "--epochs", "1"]) == 0
    told = capsys.readouterr().out
    rows = json.loads((out / "study.json").read_text())["rows"]
    of = {name: [r["key"] for r in rows if r["classifier"] == name] for name in study_nets.NETS}
    every = ["own", "outside", "random", "paper", "shuffled outside", "shuffled"]
    assert of == {
        "CNN, features": every,
        "LSTM, features": every,
        "CNN, squares": ["own", "random", "shuffled"],
        "LSTM, squares": ["own", "random", "shuffled"],
    }
    more = [r for r in rows if r["classifier"] == study_nets.MORE]
    assert [r["key"] for r in more] == ["own", "shuffled"]
    assert all(r["n_rois"] == 16 and r["n_patients"] == 2 for r in rows)
    assert "nets, patients held out, selected inside" in told
    assert "features as the LSTM is given them" in told
    step = next(line for line in told.splitlines() if line.startswith("1  "))
    assert len(step.split()) == 3  # the first of each fold
    assert "CNN and LSTM are not among the classifiers" not in told
    table = ["brain-study", "--table", str(out / "features_t1c.tsv"), "--seeds", "1"]
    assert cli.main([*table, "--epochs", "1", "--out", str(tmp_path / "table")]) == 0
    told = capsys.readouterr().out
    assert "The table given: 16 regions of 2 patients, seeds 0 to 0; nets, patients" in told
    assert study_nets.MORE not in told
    assert cli.main([*asked[:4], str(tmp_path / "none"), "--epochs", "-1"]) == 2
    assert "epochs must be from 0" in capsys.readouterr().err
