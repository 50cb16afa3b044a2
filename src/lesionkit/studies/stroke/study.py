"""What `lesionkit stroke-study` does: plants strokes, and repeats the tables of docs/stroke.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from lesionkit import arrays, files
from lesionkit.extras import MissingLibrary
from lesionkit.progress import Progress
from lesionkit.studies.stroke.classify import as_text, classify
from lesionkit.studies.stroke.features import SIX, lesion_features, perimeter_of
from lesionkit.studies.stroke.figures import (
    draw_classifiers,
    draw_detections,
    draw_roc_space,
    draw_scatter,
)
from lesionkit.studies.stroke.image.scan import RECOMMENDED
from lesionkit.studies.stroke.learned import kinds as files_of_kinds
from lesionkit.studies.stroke.learned.kinds import Lessons, learn
from lesionkit.studies.stroke.learned.table import Row, left_out, lines_of, split
from lesionkit.studies.stroke.plant import (
    KINDS,
    Planted,
    Template,
    data_folder,
    plant,
    read_shapes,
    read_template,
)
from lesionkit.studies.stroke.prepare import preprocess

HELD_OUT = 0.2  # of the shapes, on which detectors are tested
RESULTS = ("features.tsv", "classifiers.txt", "kinds.txt", "detectors.json", "net.txt")
SHOWN = 6  # slices in the picture of detections


def main(
    data: Path | None, out: Path, lesions: int, seed: int, epochs: int, net: int, figures: bool
) -> None:
    """Plant, measure, classify; with `epochs`, train detectors as well, and with `net` the U-Net.
    Prints the tables, and leaves files for `lesionkit stroke --model`.

    data : see :func:`plant.data_folder`;  out : a folder, made if need be
    lesions : 20 or more, in turn of the four kinds
    epochs, net : of training the detectors and the U-Net, 0 for none
    figures : a scatter of features with predictions, and ROC space, as well
    """
    lesions = arrays.integer(lesions, "lesions", at_least=20)
    epochs = arrays.integer(epochs, "epochs", at_least=0)
    net = arrays.integer(net, "net", at_least=0)
    files.check_folder(out)
    if epochs or net:
        _check_torch("epochs" if epochs else "net")
    template = read_template(data)
    shapes = read_shapes(template, data)
    perimeter_of()  # what is missing is told before anything is planted
    out.mkdir(parents=True, exist_ok=True)

    planted = []
    with Progress("lesions") as report:
        for i in range(lesions):
            planted.append(plant(template, shapes, i, seed))
            report(i + 1, lesions)
    lessons, true = _classify(planted, out, seed, figures)
    held = _held(planted, seed)
    told = _detect(planted, held, out, seed, epochs) if epochs else {}
    _kinds(planted, lessons, true, held, told, out, seed)
    if net:
        _segment(template, data_folder(data), out, seed, net)


def _check_torch(name: str) -> None:
    """Before any work: nets come last."""
    try:
        import lesionkit.nets.framework  # noqa: F401
    except ImportError as problem:
        raise MissingLibrary(f"{name}: {problem}") from problem


def _held(planted: list[Planted], seed: int) -> list[bool]:
    """Of each lesion whether its shape is one that is tested on."""
    names = sorted({one.shape for one in planted})
    many = max(1, round(HELD_OUT * len(names)))
    held = set(np.random.default_rng(seed).permutation(names)[:many].tolist())
    return [one.shape in held for one in planted]


def _classify(
    planted: list[Planted], out: Path, seed: int, figures: bool
) -> tuple[Lessons, Lessons]:
    """The lesions as they are found, and as they are."""
    kinds = [one.kind for one in planted]
    groups = [one.shape for one in planted]
    rows = [lesion_features(preprocess(one.dwi).enhanced, one.mask) for one in planted]
    adc = [float(one.adc[one.mask].mean()) / 1000 for one in planted]  # 1e-3 mm^2/s
    header = ("kind", "shape", "plane", *rows[0]._fields, "adc")
    lines = [
        (one.kind, one.shape, str(one.plane), *(f"{v:.6g}" for v in (*row, d)))
        for one, row, d in zip(planted, rows, adc, strict=True)
    ]
    files.write(out / "features.tsv", files.table([header, *lines]))

    six = np.array([[getattr(row, name) for name in SIX] for row in rows])
    found = learn(planted)
    files_of_kinds.save(found, out / files_of_kinds.FILE)
    report = []
    for title, values in (
        (f"six features of {len(planted)} lesions, of their true masks", six),
        ("the same and the lesion's mean ADC", np.column_stack([six, adc])),
    ):
        results = classify(values, kinds, groups, "leave-one-out", seed=seed)
        report += [f"{title}, tested on shapes not seen", as_text(results, kinds), ""]
        if values is six:
            draw_classifiers(results, kinds, out / "classifiers.png")
            if figures:
                best = max(results, key=lambda one: one.accuracy)
                points = [(row.std, row.mean_boundary) for row in rows]
                draw_scatter(points, kinds, best, out / "scatter.png")
                draw_roc_space(results, out / "roc_space.png")
            folds = classify(values, kinds, groups, "folds", seed=seed)
            report += ["the same, five folds", as_text(folds, kinds), ""]
    print("\n".join(report))
    files.write(out / "classifiers.txt", "\n".join(report))
    return found, Lessons(six, np.array(kinds), np.array(groups), np.arange(len(planted)))


def _kinds(
    planted: list[Planted],
    lessons: Lessons,
    true: Lessons,
    held: list[bool],
    told: dict[str, list[str | None]],
    out: Path,
    seed: int,
) -> None:
    """The table from scan to kind: classifiers by true and by found masks, and detectors.

    held : of each lesion whether detectors were tested on it;  told : the kinds that they told
    """
    shapes = len({one.shape for one in planted})
    known = {"true mask": true, RECOMMENDED: lessons}
    parts = [
        f"From scan to kind: {len(planted)} slices, each of {shapes} shapes by what learnt from "
        "the others; a lesion that was not found counts as wrong",
        *lines_of(left_out(planted, known, seed)),
    ]
    if told:
        rows = split(planted, known, held, seed)
        truth = [one.kind for one, tested in zip(planted, held, strict=True) if tested]
        rows += [Row(name, "its own boxes", kinds, truth) for name, kinds in told.items()]
        tested = len({one.shape for one, there in zip(planted, held, strict=True) if there})
        parts += [
            "",
            f"The same on {len(truth)} slices of {tested} shapes, all learnt from the other shapes",
            *lines_of(rows),
        ]
    print("\n".join(parts))
    files.write(out / "kinds.txt", "\n".join(parts) + "\n")


def _segment(template: Template, data: Path, out: Path, seed: int, epochs: int) -> None:
    """Train the U-Net, and test it on planted lesions of shapes not seen."""
    from lesionkit.studies.stroke.learned import scans, unet

    brains = [scans.template_brain(template, 2), scans.template_brain(template, 5)]
    brains.append(scans.real_brain(data))
    learnt, others = unet.halves(scans.read_shapes(data), seed)
    with Progress("epochs") as report:
        options = unet.Options(epochs=epochs, seed=seed)
        net = unet.train(brains, learnt, options, out / "net", report)
    unet.save(net, out / unet.FILE)
    rows = unet.unseen(net, brains, others, seed + 1)
    lines = [
        f"U-Net over DWI and ADC: {net.count:,} parameters, {epochs * unet.SLABS:,} steps, learnt "
        f"from {len(learnt)} shapes; planted slabs of {len(others)} others",
        *lines_of(rows),
    ]
    print("\n".join(lines))
    files.write(out / "net.txt", "\n".join(lines) + "\n")


def _detect(
    planted: list[Planted], held: list[bool], out: Path, seed: int, epochs: int
) -> dict[str, list[str | None]]:
    """The kind that each detector tells of each slice held out; None where it finds nothing."""
    from lesionkit.studies.stroke import detect as sd

    examples = []
    with Progress("proposals") as report:
        for one in planted:
            examples.append(sd.example(one))
            report(len(examples), len(planted))
    tested = [i for i, there in enumerate(held) if there]
    learnt = [examples[i] for i, there in enumerate(held) if not there]
    options = sd.Options(epochs=epochs, drop_every=max(1, round(0.75 * epochs)), seed=seed)

    found: dict[str, Any] = {}
    figures: dict[str, Any] = {}
    shapes = len({planted[i].shape for i in tested})
    print(f"detectors: {len(learnt)} slices to learn from, {len(tested)} of {shapes} other shapes")
    for method in sd.METHODS:
        with Progress("epochs") as report:

            def progress(
                done: int, total: int, what: str, report: Any = report, method: str = method
            ) -> None:
                report(done, total, f"{method}: epoch {done}, {what}")

            net = sd.train(method, learnt, options, folder=out / method, progress=progress)
        sd.save(net, out / f"{method}.pt")
        found[method] = [sd.detect(net, examples[i]) for i in tested]
        scores = sd.score(found[method], [examples[i] for i in tested])
        figures[method] = _plain(scores._asdict())
        print(_report(method, scores))
    files.write(out / "detectors.json", json.dumps(figures, indent=1) + "\n")
    order = range(0, len(tested), 5)[:SHOWN]  # kinds come in fours: each time another kind
    shown = [tested[i] for i in order]
    draw_detections(
        [planted[i] for i in shown],
        [examples[i].boxes for i in shown],
        {method: [answers[i] for i in order] for method, answers in found.items()},
        out / "detections.png",
    )
    return {method: [sd.kind_of(one) for one in answers] for method, answers in found.items()}


def _plain(value: Any) -> Any:
    """nan as None, which JSON knows."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return None if value != value else value


def _report(method: str, scores: Any) -> str:
    kinds = ", ".join(f"{name} {100 * scores.by_kind[name]:.0f}" for name in KINDS)
    return (
        f"  {method:7} recall {100 * scores.recall:.1f} %, precision "
        f"{100 * scores.precision:.1f} %, mean IoU {scores.mean_iou:.2f}; with the right kind "
        f"{100 * scores.kind_recall:.1f} and {100 * scores.kind_precision:.1f} % ({kinds})"
    )
