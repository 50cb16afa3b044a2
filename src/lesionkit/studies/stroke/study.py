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
from lesionkit.studies.stroke.figures import draw_classifiers, draw_detections
from lesionkit.studies.stroke.plant import KINDS, Planted, plant, read_shapes, read_template
from lesionkit.studies.stroke.prepare import preprocess

HELD_OUT = 0.2  # of the shapes, on which detectors are tested
SHOWN = 6  # slices in the picture of detections


def main(data: Path | None, out: Path, lesions: int, seed: int, epochs: int) -> None:
    """Plant, measure, classify; with `epochs`, train detectors as well. Prints the tables.

    data : see :func:`plant.data_folder`;  out : a folder, made if need be
    lesions : 20 or more, in turn of the four kinds;  epochs : of training, 0 for no detectors
    """
    lesions = arrays.integer(lesions, "lesions", at_least=20)
    epochs = arrays.integer(epochs, "epochs", at_least=0)
    files.check_folder(out)
    if epochs:
        _check_torch()
    template = read_template(data)
    shapes = read_shapes(template, data)
    perimeter_of()  # what is missing is told before anything is planted
    out.mkdir(parents=True, exist_ok=True)

    planted = []
    with Progress("lesions") as report:
        for i in range(lesions):
            planted.append(plant(template, shapes, i, seed))
            report(i + 1, lesions)
    _classify(planted, out, seed)
    if epochs:
        _detect(planted, out, seed, epochs)


def _check_torch() -> None:
    """Before any work: the detectors come last."""
    try:
        import lesionkit.nets.framework  # noqa: F401
    except ImportError as problem:
        raise MissingLibrary(f"epochs: {problem}") from problem


def _classify(planted: list[Planted], out: Path, seed: int) -> None:
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
    report = []
    for title, values in (
        (f"six features of {len(planted)} lesions", six),
        ("the same and the lesion's mean ADC", np.column_stack([six, adc])),
    ):
        results = classify(values, kinds, groups, "leave-one-out", seed=seed)
        report += [f"{title}, tested on shapes not seen", as_text(results, kinds), ""]
        if values is six:
            draw_classifiers(results, kinds, out / "classifiers.png")
            folds = classify(values, kinds, groups, "folds", seed=seed)
            report += ["the same, five folds", as_text(folds, kinds), ""]
    print("\n".join(report))
    files.write(out / "classifiers.txt", "\n".join(report))


def _detect(planted: list[Planted], out: Path, seed: int, epochs: int) -> None:
    from lesionkit.studies.stroke import detect as sd

    examples = []
    with Progress("proposals") as report:
        for one in planted:
            examples.append(sd.example(one))
            report(len(examples), len(planted))
    names = sorted({one.shape for one in planted})
    many = max(1, round(HELD_OUT * len(names)))
    held = set(np.random.default_rng(seed).permutation(names)[:many].tolist())
    tested = [i for i, one in enumerate(planted) if one.shape in held]
    learnt = [examples[i] for i, one in enumerate(planted) if one.shape not in held]
    options = sd.Options(epochs=epochs, drop_every=max(1, round(0.75 * epochs)), seed=seed)

    found: dict[str, Any] = {}
    figures: dict[str, Any] = {}
    print(f"detectors: {len(learnt)} slices to learn from, {len(tested)} of {many} other shapes")
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
