"""What the stroke study learns: slabs, the U-Net, kinds of found lesions, and their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("skimage", reason="scikit-image is not installed: pip install '.[studies]'")
torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[nets]'")

from lesionkit import cli, io  # noqa: E402
from lesionkit.nets import checkpoints, fitting  # noqa: E402
from lesionkit.studies.stroke import detect, plant, preprocess  # noqa: E402
from lesionkit.studies.stroke.figures import SHORT  # noqa: E402
from lesionkit.studies.stroke.learned import kinds, models, scans, table, unet  # noqa: E402

ROWS, COLUMNS = np.mgrid[:64, :48]


@pytest.fixture(scope="module")
def template() -> plant.Template:
    """A round head of white matter in grey, of 24 planes."""
    far = np.hypot((ROWS - 32) / 30, (COLUMNS - 24) / 22)
    white = np.repeat((far < 0.7).astype(np.float32)[None], 24, 0)
    brain = np.repeat((far < 1)[None], 24, 0)
    return plant.Template(white, (brain - white).astype(np.float32), brain)


@pytest.fixture(scope="module")
def brain(template: plant.Template) -> scans.Brain:
    return scans.template_brain(template, 2)


@pytest.fixture(scope="module")
def shapes() -> list[scans.Shape]:
    ball = np.linalg.norm(np.mgrid[-9:10, -9:10, -9:10], axis=0) < 8
    return [scans.Shape(str(i), ball.astype(np.float32)) for i in range(3)]


@pytest.fixture(scope="module")
def planted(template: plant.Template) -> list[plant.Planted]:
    """Six shapes as each kind."""
    lesions = []
    for i in range(6):
        outline = np.hypot((ROWS - 24 - 3 * i) / 1.3, COLUMNS - 14) < 7
        shape = plant.Shape(f"shape {i}", outline[None], np.array([5]))
        lesions += [plant.plant(template, [shape], item, seed=i) for item in range(4)]
    return lesions


@pytest.fixture(scope="module")
def lessons(planted: list[plant.Planted]) -> kinds.Lessons:
    return kinds.learn(planted)


def test_brain_of_a_template(template: plant.Template, brain: scans.Brain) -> None:
    assert brain.s0.shape == (12, 32, 24)
    assert brain.spacing == (2.0, 2.0, 2.0)
    assert brain.firsts.tolist() == [0, 1, 2]
    middle = brain.s0[5, 16, 12], brain.diffusivity[5, 16, 12], brain.grey[5, 16, 12]
    assert middle == pytest.approx((*plant.WHITE, 0))
    assert brain.usual[0] == pytest.approx(np.exp(-0.75), rel=0.1)
    # The template's rows go to the back, the brain's to the front.
    ramp = np.repeat(np.linspace(0, 1, 64, dtype=np.float32)[None, :, None], 24, 0).repeat(48, 2)
    turned = scans.template_brain(plant.Template(ramp, ramp, template.brain), 2)
    assert turned.grey[5, 8, 12] > turned.grey[5, 24, 12]


def test_a_laid_shape_keeps_its_volume(brain: scans.Brain, shapes: list[scans.Shape]) -> None:
    planes = slice(0, 12)
    whole = scans.laid(shapes[0], brain, planes, (6, 16, 12), 1.0, False)
    assert whole.sum() * 8 == pytest.approx(shapes[0].inside.sum(), rel=0.1)
    middle = (whole * np.indices(whole.shape)).sum((1, 2, 3)) / whole.sum()
    assert middle == pytest.approx((6, 16, 12), abs=0.01)
    part = scans.laid(shapes[0], brain, slice(4, 9), (6, 16, 12), 1.0, False)
    assert np.array_equal(part, whole[4:9])
    assert scans.laid(shapes[0], brain, planes, (40, 16, 12), 1.0, True).sum() == 0


def test_slabs(brain: scans.Brain, shapes: list[scans.Shape]) -> None:
    """Each alone or after others; lesions are as their kind looks; normal tissue is 0.4 and 1."""
    slabs = [scans.plant_slab([brain], shapes, item, 3) for item in range(30)]
    again = scans.plant_slab([brain], shapes, 7, 3)
    assert all(np.array_equal(*pair) for pair in zip(slabs[7], again, strict=True))
    bright = [s for s in slabs if s.lesions[0].sum() > 20]
    dark = [s for s in slabs if s.lesions[1].sum() > 20]
    assert len(bright) > 3
    assert dark
    for slab in slabs:
        inside = slab.brain & ~np.pad(slab.lesions.any(0), [(1, 1), (0, 0), (0, 0)])
        assert np.median(slab.level[inside]) == pytest.approx(0.4, abs=0.05)
        assert np.median(slab.adc[inside]) == pytest.approx(1, abs=0.2)
        assert not slab.lesions[:, ~slab.brain[1:-1]].any()
    for slab in bright:
        assert np.median(slab.level[1:-1][slab.lesions[0]]) > 0.42


def test_training_goes_on_to_the_same_bits(
    brain: scans.Brain,
    shapes: list[scans.Shape],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unet, "SLABS", 1)
    options = unet.Options(epochs=2, width=1)
    whole = unet.train([brain], shapes, options, tmp_path / "whole")

    def stop(done: int, *_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        unet.train([brain], shapes, options, tmp_path / "parts", stop)
    parts = unet.train([brain], shapes, options, tmp_path / "parts")
    for one, other in zip(whole.parameters(), parts.parameters(), strict=True):
        assert torch.equal(one, other)
    with pytest.raises(ValueError, match="holds another run"):
        unet.train([brain], shapes, unet.Options(epochs=3, width=1), tmp_path / "parts")
    assert (tmp_path / "parts" / fitting.LAST).exists()
    unet.save(whole, tmp_path / "net.pt")
    back = unet.load(tmp_path / "net.pt")
    assert all(map(torch.equal, whole.parameters(), back.parameters()))
    rows = unet.unseen(back, [brain], shapes, 1, 4)
    assert {row["given"] for row in rows} == {"DWI and ADC", "DWI alone"}


def test_what_the_net_is_given() -> None:
    """Three slices of each image, each between its neighbours; the last says whether there is an
    ADC; filled up to 16."""
    level = np.arange(4, dtype=np.float32)[:, None, None] + np.zeros((4, 20, 33), np.float32)
    inside = np.ones(level.shape, bool)
    inside[:, 3, 5] = False
    seen = unet.images_of(level, 2 * level, inside).numpy()
    assert seen.shape == (2, 7, 32, 48)
    assert seen[1, :3, 0, 0] == pytest.approx((np.array([1, 2, 3]) - 0.4) / 0.2)
    assert seen[0, 3:6, 0, 0].tolist() == [-1, 1, 2]  # 0, 2, and 4 cut at 3
    assert not seen[:, :6, 3, 5].any()
    assert not seen[:, :6, 20:].any()
    assert (seen[:, 6] == 1).all()
    alone = unet.images_of(level, None, inside).numpy()
    assert not alone[:, 3:].any()


@pytest.mark.parametrize("spacing", [(2.0, 2.0, 2.0), (5.0, 1.0, 1.3), (1.0, 1.0, 1.0)])
def test_masks_lie_where_the_net_looks(
    spacing: tuple[float, float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A net that calls all bright pixels lesion gives the bright pixels back, on any grid; small
    pieces go; ADC counts in any unit."""

    class Threshold(torch.nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return torch.stack([x[:, 1] - 0.4, -x[:, 4] - 0.3], 1) * 100

    volume = np.full((12, 60, 50), 100.0)
    volume += np.random.default_rng(0).normal(0, 1, volume.shape)
    volume[:, :5] = 0
    volume[3:9, 20:34, 10:24] = 250
    scene = preprocess(volume)
    found = unet.segment(Threshold(), scene, spacing)  # type: ignore[arg-type]
    truth = volume == 250
    assert (found & truth).sum() > 0.85 * truth.sum()
    assert (found & ~truth).sum() < 0.35 * truth.sum()
    adc = np.where(truth, 400.0, 800.0)
    adc[~scene.brain] = np.nan
    one, other = (
        unet.segment(Threshold(), scene, spacing, "hypo", unit * adc)  # type: ignore[arg-type]
        for unit in (1.0, 1e-6)
    )
    assert np.array_equal(one, other)
    assert one.any()
    flat = preprocess(volume[5])
    assert unet.segment(Threshold(), flat, spacing[1:]).shape == (60, 50)  # type: ignore[arg-type]
    monkeypatch.setattr(unet, "MIN_VOLUME", 1e9)
    assert not unet.segment(Threshold(), scene, spacing).any()  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="adc must be above 0 in the brain"):
        unet.segment(Threshold(), scene, spacing, adc=0 * volume)  # type: ignore[arg-type]
    nothing = preprocess(np.zeros((4, 4)))
    assert not unet.segment(Threshold(), nothing, (1, 1)).any()  # type: ignore[arg-type]


def test_lessons_and_the_table(planted: list[plant.Planted], lessons: kinds.Lessons) -> None:
    assert len(lessons.features) >= 20
    assert [planted[i].kind for i in lessons.items] == lessons.kinds.tolist()
    rows = table.left_out(planted, {"kmeans": lessons}, 0)
    assert [row.name for row in rows][:2] == ["LDA", "weighted k-NN"]
    cells = rows[0].cells()
    assert cells["n"] == "24"
    assert cells["not found"] == str(24 - len(lessons.features))
    held = [one.shape == "shape 0" for one in planted]
    halves = table.split(planted, {"kmeans": lessons}, held, 0)
    assert [row.name for row in halves][-1] == table.NAMED
    assert all(len(row.told) == 4 for row in halves)


def test_cells_by_hand() -> None:
    truth = ["acute_ischemic", "acute_ischemic", "chronic_ischemic", "acute_hemorrhage"]
    told = ["acute_ischemic", None, "chronic_ischemic", "chronic_ischemic"]
    cells = table.Row("x", "its own boxes", told, truth).cells()
    assert cells["right, %"].startswith("50.0 (")
    assert (cells["not found"], cells["acute"], cells["sub-acute"]) == ("1", "50", "")
    assert (cells["chronic"], cells["hemorrhage"]) == ("100", "0")


def test_kinds_of_found_lesions(planted: list[plant.Planted], lessons: kinds.Lessons) -> None:
    """In a volume each piece is told by the slice in which it is largest."""
    model = kinds.Classifier(lessons)
    dark = planted[2]
    scene = preprocess(np.stack([dark.dwi] * 3))
    mask = np.stack([dark.mask] * 3)
    mask[0] &= ROWS < 25
    mask[2] = False
    mask[2, 40:42, 30:32] = True
    first, second = model.name(scene, mask)
    assert (first.plane, second.plane) == (1, 2)
    alone = model.probabilities(np.array([kinds.six(scene.planes[1], dark.mask)]))[0]
    assert first.kind == list(plant.KINDS)[int(alone.argmax())]
    assert first.probability == pytest.approx(alone.max())
    assert 0.25 < first.probability <= 1
    assert second.box == (40, 30, 42, 32)
    assert not second.familiar
    assert second.pixels == 4
    assert model.name(scene, mask & False) == []
    chances = model.probabilities(lessons.features)
    assert np.allclose(chances.sum(1), 1)
    assert np.mean(np.array(list(plant.KINDS))[chances.argmax(1)] == lessons.kinds) > 0.8


def test_files_of_kinds(lessons: kinds.Lessons, tmp_path: Path) -> None:
    """The same classifier comes back; each bad file has a sentence; nothing in one is run."""
    path = tmp_path / "kinds.npz"
    kinds.save(lessons, path)
    back = kinds.load(path)
    assert np.array_equal(
        back.probabilities(lessons.features),
        kinds.Classifier(lessons).probabilities(lessons.features),
    )
    assert [p.name for p in tmp_path.iterdir()] == ["kinds.npz"]
    whole = path.read_bytes()
    content = dict(np.load(path))
    for name, change, sentence in (
        ("cut", None, "is damaged, or is no file of kinds of stroke"),
        ("version", {"version": np.array(2)}, "is of version 2 of kinds of stroke.*uses version 1"),
        ("what", {"what": np.array("other")}, "is damaged, or is no file of kinds"),
        ("nan", {"features": np.nan * lessons.features}, "is damaged, or is no file of kinds"),
        ("short", {"kinds": lessons.kinds[:3]}, "is damaged, or is no file of kinds"),
        ("pickled", {"features": np.array([{}], object)}, "is damaged, or is no file of kinds"),
    ):
        bad = tmp_path / f"{name}.npz"
        if change is None:
            bad.write_bytes(whole[: len(whole) // 2])
        else:
            np.savez(bad, **{**content, **change})
        with pytest.raises(ValueError, match=sentence):
            kinds.load(bad)
    with pytest.raises(FileNotFoundError, match="there is no file of kinds of stroke"):
        kinds.load(tmp_path / "none.npz")
    with pytest.raises(ValueError, match="model must be a file of stroke-study, there is none at"):
        models.read([tmp_path / "none.npz"])


def test_files_of_models(lessons: kinds.Lessons, tmp_path: Path) -> None:
    """Three kinds of file are told apart; two of one, a stranger, an old one are refused."""
    named, net, boxes = tmp_path / "kinds.npz", tmp_path / "net.pt", tmp_path / "rcnn.pt"
    kinds.save(lessons, named)
    unet.save(unet.LesionNet(1), net)
    detect.save(detect._new("rcnn"), boxes)
    read = models.read([named, net, boxes])
    assert isinstance(read.net, unet.LesionNet)
    assert read.kinds is not None
    assert list(read.detectors) == ["rcnn"]
    assert models.read([]) == models.Models()
    for path in (named, net, boxes):
        with pytest.raises(ValueError, match="one file of each kind, got a second"):
            models.read([path, path])
    checkpoints.save(tmp_path / "other.pt", {"model": "something"})
    checkpoints.save(tmp_path / "old.pt", {"model": unet.WHAT, "version": 0})
    checkpoints.save(
        tmp_path / "wrong.pt",
        {"model": unet.WHAT, "version": unet.VERSION, "width": 1, "weights": {}},
    )
    (tmp_path / "broken.pt").write_bytes(net.read_bytes()[:1000])
    for name, sentence in (
        ("other.pt", "model must be a file of stroke-study .* is a checkpoint of something else"),
        ("old.pt", "of version 0; this version of lesionkit uses version 1"),
        ("wrong.pt", "does not hold the weights of a U-Net over DWI and ADC"),
        ("broken.pt", "is damaged, or is no checkpoint of lesionkit"),
    ):
        with pytest.raises(ValueError, match=sentence):
            models.read([tmp_path / name])
    with pytest.raises(ValueError, match="must be of a U-Net over DWI and ADC, got"):
        unet.load(tmp_path / "other.pt")


class _Box(torch.nn.Module):  # type: ignore[misc]
    """A detector that finds each proposal to be chronic."""

    def forward(self, crops: Any) -> Any:
        answers = torch.zeros(len(crops), 5)
        answers[:, 3] = 10
        return answers


@pytest.mark.parametrize("upright", [True, False])
def test_boxes_come_back_to_the_slice(planted: list[plant.Planted], upright: bool) -> None:
    """On a slice of 2 mm that lies upside down as well."""
    one = planted[2]
    dwi, mask = one.dwi[::2, ::2], one.mask[::2, ::2]
    if not upright:
        dwi, mask = dwi[::-1], mask[::-1]
    found = models.boxes(_Box(), preprocess(dwi), (2.0, 2.0), upright)
    rows, columns = np.nonzero(mask)
    truth = torch.tensor([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]]).float()
    assert detect.bx.iou(found.boxes, truth).max() > 0.5
    assert set(found.labels.tolist()) == {3}


def image_of(scene: Any, spacing: tuple[float, ...]) -> io.Image:
    """Whose rows go to the front where it is a volume."""
    affine = np.diag([spacing[-1], -spacing[-2] if len(spacing) == 2 else spacing[-2], 1.0, 1.0])
    affine[2, 2] = spacing[0]
    return io.Image(scene.levels, io.Geometry(affine, len(spacing)), affine, np.eye(3, 2))


def test_what_is_told(planted: list[plant.Planted], lessons: kinds.Lessons) -> None:
    one = planted[2]
    scene = preprocess(np.stack([one.dwi] * 2))
    mask = np.stack([one.mask] * 2)
    of = models.Models(None, kinds.Classifier(lessons), {"rcnn": _Box()})
    told = of.tell(scene, image_of(scene, (5.0, 1.0, 1.0)), mask, "kmeans")
    (named,) = of.kinds.name(scene, mask) if of.kinds else ()
    assert [row["kind"] for row in told.rows] == [SHORT[named.kind]]
    assert float(told.rows[0]["ml"]) == pytest.approx(mask.sum() * 5 / 1000, abs=0.01)
    assert f"<td>{SHORT[named.kind]}</td>" in told.section
    assert "<img" in told.section
    flat = scene.planes[0]
    nothing = of.tell(flat, image_of(flat, (1.0, 1.0)), mask[0] & False, "kmeans")
    assert nothing.rows == []


def test_the_command(
    planted: list[plant.Planted], lessons: kinds.Lessons, tmp_path: Path, capsys: Any
) -> None:
    """A slice: the net is a method more, the lesion's kind is named, a second run goes on; what is
    no model is refused before any work."""
    PIL = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    scan, out = tmp_path / "one_dwi.png", tmp_path / "out"
    PIL.fromarray(planted[2].dwi).save(scan)
    kinds.save(lessons, tmp_path / "kinds.npz")
    torch.manual_seed(0)
    unet.save(unet.LesionNet(1), tmp_path / "net.pt")
    detect.save(detect._new("rcnn"), tmp_path / "rcnn.pt")
    asked = ["stroke", str(scan), "--method", "kmeans", "--kind", "hypo", "--out", str(out)]
    for name in ("kinds.npz", "net.pt", "rcnn.pt"):
        asked += ["--model", str(tmp_path / name)]
    assert cli.main(asked) == 0
    table = (out / "scores.tsv").read_text()
    assert [line.split("\t")[3] for line in table.splitlines()] == ["method", "kmeans", "unet"]
    head, row = ((out / "kinds.tsv").read_text().splitlines())[:2]
    named = dict(zip(head.split("\t"), row.split("\t"), strict=True))
    assert named["method"] == "kmeans"
    assert named["kind"] in SHORT.values()
    report = (out / "report.html").read_text()
    assert "What kind it looks like: kmeans" in report
    assert "Boxes of detectors: rcnn" in report
    assert (out / "one_label-lesion_desc-unet_mask.nii.gz").exists()
    assert cli.main(asked) == 0
    assert (out / "report.html").read_text() == report
    capsys.readouterr()
    assert cli.main([*asked[:-2]]) == 2  # other models: other results
    assert "choose another --out" in capsys.readouterr().err
    (tmp_path / "broken.pt").write_bytes(b"PK")
    bad = [
        "stroke",
        str(scan),
        "--out",
        str(tmp_path / "x"),
        "--model",
        str(tmp_path / "broken.pt"),
    ]
    assert cli.main(bad) == 2
    assert "is damaged, or is no checkpoint of lesionkit" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
