"""Detectors of the stroke study: boxes, proposals, training, scores by hand, files, command."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[nets]'")

from lesionkit import cli  # noqa: E402
from lesionkit.nets import checkpoints  # noqa: E402
from lesionkit.nets.detectors.boxes import iou  # noqa: E402
from lesionkit.nets.detectors.rcnn import Detections, QuickNet  # noqa: E402
from lesionkit.studies.stroke import detect as sd  # noqa: E402
from lesionkit.studies.stroke import plant as sp  # noqa: E402
from lesionkit.studies.stroke import prepare as pr  # noqa: E402

ROWS, COLUMNS = np.mgrid[:96, :80]


@pytest.fixture(scope="module")
def lesions() -> list[sp.Planted]:
    """Eight strokes in a round brain of white matter."""
    brain = np.hypot((ROWS - 48) / 44, (COLUMNS - 40) / 36) < 1
    white = brain.astype(np.float32)
    template = sp.Template(white[None], np.zeros_like(white)[None], brain[None])
    disc = np.hypot((ROWS - 46) / 1.4, COLUMNS - 26) < 9
    shape = sp.Shape("disc", disc[None], np.array([0]))
    return [sp.plant(template, [shape], i) for i in range(8)]


@pytest.fixture(scope="module")
def examples(lesions: list[sp.Planted]) -> list[sd.Example]:
    return [sd.example(lesion) for lesion in lesions]


def test_true_boxes() -> None:
    mask = np.zeros((20, 30), bool)
    mask[2:7, 3:9] = True
    mask[7:12, 9:14] = True  # joined at a corner
    mask[15:18, 20:26] = True  # 18 pixels are too few
    assert sd.true_boxes(mask).tolist() == [[3, 2, 14, 12]]
    assert sd.true_boxes(~mask & False).shape == (0, 4)


def test_proposals_hold_the_lesion(examples: list[sd.Example]) -> None:
    for example in examples[:4]:
        assert len(example.boxes) == 1
        assert iou(example.boxes, example.proposals).max() > 0.6
        assert len(set(map(tuple, example.proposals.tolist()))) == len(example.proposals)
    assert [int(e.labels[0]) for e in examples] == [1, 2, 3, 4] * 2


def test_nothing_is_proposed_in_nothing() -> None:
    assert sd.propose(pr.preprocess(np.zeros((40, 40)))).shape == (0, 4)


def test_what_is_learnt_from(examples: list[sd.Example]) -> None:
    example = examples[0]
    boxes, classes = sd._boxes_to_learn(example, torch.Generator().manual_seed(0))
    best = iou(boxes, example.boxes)[:, 0]
    assert torch.equal(classes > 0, best >= 0.5)
    assert 0 < int((classes > 0).sum()) <= sd.LESIONS
    assert len(boxes) <= sd.LESIONS + sd.OTHERS
    alone = example._replace(boxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long))
    _, classes = sd._boxes_to_learn(alone, torch.Generator().manual_seed(0))
    assert int(classes.sum()) == 0


@pytest.mark.parametrize("method", sd.METHODS)
def test_training(method: Any, examples: list[sd.Example], tmp_path: Path) -> None:
    """It gets better, the same seed gives the same bits, and the file gives the same net back."""
    seen: list[tuple[int, int, str]] = []
    options = sd.Options(epochs=4, rate=0.01, seed=1)
    net = sd.train(method, examples, options, progress=lambda *report: seen.append(report))
    assert [(epoch, of) for epoch, of, _ in seen] == [(e, 4) for e in range(1, 5)]
    losses = [float(what.removeprefix("loss ")) for *_, what in seen]
    if method == "rcnn":
        assert losses[-1] < losses[0]
    state = torch.get_rng_state()
    again = sd.train(method, examples, options)
    assert torch.equal(torch.get_rng_state(), state)
    sd.save(net, tmp_path / "net.pt")
    back = sd.load(tmp_path / "net.pt")
    for one, other, third in zip(
        net.parameters(), again.parameters(), back.parameters(), strict=True
    ):
        assert torch.equal(one, other)
        assert torch.equal(one, third)
    assert [p.name for p in tmp_path.iterdir()] == ["net.pt"]
    found = sd.detect(back, examples[0], least=0.0)
    assert found.boxes.shape == (len(found.scores), 4)
    assert set(found.labels.tolist()) <= {1, 2, 3, 4}


def test_scores_by_hand() -> None:
    """Two lesions; found: the first twice, the second as another kind, and one of nothing."""
    truth = torch.tensor([[0.0, 0, 10, 10], [20, 20, 40, 40]])
    example = sd.Example(torch.zeros(3, 50, 50), truth, torch.tensor([1, 3]), truth)
    found = Detections(
        torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 40, 36], [45, 45, 50, 50]]),
        torch.tensor([0.9, 0.8, 0.7, 0.6]),
        torch.tensor([1, 1, 2, 4]),
    )
    score = sd.score([found], [example])
    assert (score.true, score.found) == (2, 4)
    assert (score.recall, score.precision) == (1, 0.5)
    assert score.mean_iou == pytest.approx(0.9)
    assert (score.kind_recall, score.kind_precision) == (0.5, 0.25)
    assert score.by_kind["acute_ischemic"] == 1
    assert score.by_kind["chronic_ischemic"] == 0
    assert math.isnan(score.by_kind["acute_hemorrhage"])


@pytest.mark.parametrize("method", sd.METHODS)
def test_training_goes_on(method: Any, examples: list[sd.Example], tmp_path: Path) -> None:
    """Stopped after any epoch, to the same bits; a folder of another run is refused."""
    options = sd.Options(epochs=3, seed=1)
    whole = sd.train(method, examples, options)

    def stop(done: int, *_: object) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sd.train(method, examples, options, folder=tmp_path, progress=stop)
    seen: list[int] = []
    net = sd.train(
        method, examples, options, folder=tmp_path, progress=lambda done, *_: seen.append(done)
    )
    assert seen == [3]
    for one, other in zip(net.parameters(), whole.parameters(), strict=True):
        assert torch.equal(one, other)
    with pytest.raises(ValueError, match="holds another run: choose another folder"):
        sd.train(method, examples, sd.Options(epochs=3, seed=2), folder=tmp_path)


def test_scores_of_nothing_found_and_nothing_there() -> None:
    none = Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.long))
    one = Detections(torch.ones(1, 4), torch.ones(1), torch.ones(1, dtype=torch.long))
    empty = sd.Example(torch.zeros(3, 9, 9), torch.zeros(0, 4), torch.zeros(0).long(), none.boxes)
    assert math.isnan(sd.score([none], [empty]).recall)
    assert sd.score([one], [empty]).precision == 0


def test_a_slice_without_a_box_has_no_loss() -> None:
    none = torch.zeros(0, 4)
    empty = sd.Example(torch.zeros(3, 40, 40), none, torch.zeros(0, dtype=torch.long), none)
    losses: list[str] = []
    net = sd.train(
        "rcnn", [empty], sd.Options(1), progress=lambda *report: losses.append(report[2])
    )
    assert losses == ["loss 0"]
    assert not len(sd.detect(net, empty).boxes)


def test_mistakes(examples: list[sd.Example], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="examples must hold at least one example, got none"):
        sd.train("rcnn", [])
    with pytest.raises(ValueError, match="method must be one of rcnn, faster, got 'yolo'"):
        sd.train("yolo", examples)
    with pytest.raises(ValueError, match="epochs must be at least 1, got 0"):
        sd.Options(epochs=0)
    with pytest.raises(ValueError, match="rate must be a finite number above 0, got -1"):
        sd.Options(rate=-1)
    with pytest.raises(FileNotFoundError, match="there is no checkpoint at"):
        sd.load(tmp_path / "none.pt")
    (tmp_path / "bad.pt").write_bytes(b"PK not a checkpoint")
    with pytest.raises(ValueError, match="is damaged, or is no checkpoint of lesionkit"):
        sd.load(tmp_path / "bad.pt")
    checkpoints.save(tmp_path / "other.pt", {"detector": "rcnn", "kinds": ["tumour"]})
    with pytest.raises(ValueError, match="path must be of a detector of acute_ischemic"):
        sd.load(tmp_path / "other.pt")
    for weights in ({}, {"weights": {}}, {"weights": QuickNet(2).state_dict()}):
        checkpoints.save(
            tmp_path / "w.pt", {"detector": "rcnn", "kinds": list(sp.KINDS), **weights}
        )
        with pytest.raises(ValueError, match="path must hold the weights of such a detector"):
            sd.load(tmp_path / "w.pt")
    assert QuickNet().classes == 4


def test_the_command(lesionkit_data: Path, tmp_path: Path, capsys: Any) -> None:
    pytest.importorskip("nibabel", reason="nibabel is not installed: lesionkit[studies]")
    data = str(lesionkit_data / "data")
    out = tmp_path / "study"
    asked = ["stroke-study", "--data", data, "--out", str(out), "--lesions", "20", "--epochs", "1"]
    assert cli.main([*asked, "--figures"]) == 0
    report = capsys.readouterr().out
    assert "six features of 20 lesions" in report
    assert "detectors: 16 slices to learn from, 4 of 1 other shapes" in report
    assert sorted(file.name for file in out.iterdir()) == [
        "classifiers.png", "classifiers.txt", "detections.png", "detectors.json", "faster",
        "faster.pt", "features.tsv", "kinds.npz", "kinds.txt", "rcnn", "rcnn.pt",
        "roc_space.png", "scatter.png",
    ]  # fmt: skip
    table = (out / "kinds.txt").read_text()
    assert table.count("Gaussian SVM") == 6  # by true and found masks, twice; with probabilities
    assert table.count("its own boxes") == 2
    assert len((out / "features.tsv").read_text().splitlines()) == 21
    figures = json.loads((out / "detectors.json").read_text())
    assert figures["rcnn"]["true"] == figures["faster"]["true"] > 0


def test_the_command_tells_mistakes_in_a_line(tmp_path: Path, capsys: Any) -> None:
    out = str(tmp_path / "x")
    assert cli.main(["stroke-study", "--data", str(tmp_path), "--out", out]) == 2
    assert "path must be a folder with" in capsys.readouterr().err
    assert cli.main(["stroke-study", "--lesions", "3", "--out", out]) == 2
    assert "lesions must be at least 20, got 3" in capsys.readouterr().err
    assert not Path(out).exists()


@pytest.mark.parametrize("name", ["epochs", "net"])
def test_without_torch_nothing_is_begun(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    monkeypatch.setitem(sys.modules, "lesionkit.nets.framework", None)
    assert cli.main(["stroke-study", f"--{name}", "2", "--out", str(tmp_path / "x")]) == 2
    assert f"lesionkit: {name}: " in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
