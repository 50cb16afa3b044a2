"""An image of a head through the study: read, stripped, segmented, measured, written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import __version__, io, metrics
from lesionkit.studies.brain import skull
from lesionkit.studies.brain.image import pieces, report, squares
from lesionkit.studies.brain.model import Model
from lesionkit.studies.brain.segmenters import SEGMENTERS, segment

Mask = npt.NDArray[np.bool_]

CONTRASTS = ("_flair", "_t1c", "_t1ce", "_t1w", "_t2w", "_t1", "_t2", "_image")
TRUTHS = ("_mask", "_label", "_seg", "_msk")
BRAINS = ("_desc-brain_mask", "_brainmask", "_brain")
SCORES = ("dice", "jaccard", "fpr", "fnr", "hausdorff95")


@dataclass(frozen=True)
class Options:
    """How images are read and segmented."""

    methods: tuple[str, ...] = ("halfway",)
    volume: int | None = None  # of a file with several
    model: Path | None = None  # that brain-study has saved
    max_bytes: int = io.MAX_BYTES  # the most that a header may ask for


@dataclass(frozen=True)
class Case:
    """An image, and its masks, if there are any."""

    name: str
    image: Path
    truth: Path | None = None
    brain: Path | None = None

    @property
    def inputs(self) -> list[Path]:
        return [path for path in (self.image, self.truth, self.brain) if path is not None]


def find_cases(image: Path, truth: Path | None, brain: Path | None) -> list[Case]:
    """A file, or a folder with one DICOM series; of another folder all images but masks.

    The truth of NAME, NAME_flair, NAME_t1c and so on is NAME_mask, NAME_label or NAME_seg, in the
    folder `truth` or beside the image; its brain NAME_desc-brain_mask, NAME_brainmask or
    NAME_brain, in the folder `brain` or beside it.
    """
    if not image.exists():
        raise ValueError(f"{image} does not exist")
    if not image.is_dir() or io.series(image):
        for mask, name in ((truth, "truth"), (brain, "brain")):
            if mask is not None and not mask.is_file():
                raise ValueError(f"{name} must be a mask where the image is a file, got {mask}")
        return [Case(_stem(image), image, truth, brain)]
    for folder, name in ((truth, "truth"), (brain, "brain")):
        if folder is not None and not folder.is_dir():
            raise ValueError(f"{name} must be a folder where the image is one, got {folder}")
    found = [
        path
        for path in sorted(image.iterdir())
        if not path.name.startswith(".")
        and (io.series(path) if path.is_dir() else path.name.lower().endswith(io.ENDINGS))
    ]
    chosen = [path for path in found if not _stem(path).lower().endswith(TRUTHS + BRAINS)]
    if not chosen:
        raise ValueError(f"{image} has no image: {', '.join(io.FORMATS)}")
    stems = [_stem(path) for path in chosen]
    cases = []
    for path in chosen:
        stem = _stem(path)
        name = stem if stems.count(stem) == 1 else path.name.replace(".", "_")
        masks = _beside(path, truth or image, TRUTHS), _beside(path, brain or image, BRAINS)
        cases.append(Case(name, path, *masks))
    for folder, what in ((truth, "truth"), (brain, "brain")):
        if folder is not None and not any(getattr(case, what) for case in cases):
            raise ValueError(f"{what} must hold masks such as {stems[0]}_mask, {folder} has none")
    return cases


def _stem(path: Path) -> str:
    for ending in io.ENDINGS:
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)]
    return path.name


def _base(stem: str) -> str:
    for contrast in CONTRASTS:
        if stem.lower().endswith(contrast):
            return stem[: -len(contrast)]
    return stem


def _beside(image: Path, folder: Path, endings: tuple[str, ...]) -> Path | None:
    names = {name + end for name in (_stem(image), _base(_stem(image))) for end in endings}
    for path in sorted(folder.iterdir()):
        if _stem(path) in names and path.name.lower().endswith(io.ENDINGS):
            return path
    return None


def process(
    case: Case, options: Options, out: Path, model: Model | None = None
) -> tuple[dict[str, Any], list[str]]:
    """The record of a case, and the names of the files that were written to `out`.

    model : what `options.model` holds
    """
    if model is not None:
        squares.check_modality(case.image, _stem(case.image), model)
    image = _read(case.image, options)
    notes: list[str] = []
    if case.image.name.lower().endswith((".jpg", ".jpeg")):
        notes.append("8 bits, lossy: JPEG changes grey values.")
    values = image.values
    if values.dtype.kind == "f" and np.isinf(values).any():
        raise ValueError(f"{case.image} must hold finite numbers, or NaN as background")
    known = image.geometry.unit == "mm"
    if not known:
        notes.append("The file gives no scale: a pixel counts as 1 mm.")
    if case.brain is not None:
        brain = io.read_mask(case.brain, image, max_bytes=options.max_bytes).values
        if values.dtype.kind == "f" and (brain & np.isnan(values)).any():
            raise ValueError(f"{case.image} must be finite in the brain of {case.brain}, it is NaN")
        notes.append(f"The brain is that of {case.brain.name}.")
    else:
        brain, note = skull.strip(values, image.spacing if known else None)
        notes += [note] if note else []
    if not brain.any():
        raise ValueError(f"{case.image}: no brain was found; give its mask with --brain")
    truth = None
    if case.truth is not None:
        truth = io.read_mask(case.truth, image, max_bytes=options.max_bytes).values
    told = None if model is None else squares.judge(values, brain, model, case.image)
    made = _write(case, out, "desc-brain", brain, image, "The brain.")
    record: dict[str, Any] = {
        "notes": notes,
        "spacing": [float(step) for step in image.spacing[-2:]] if known else None,
        "scores": [],
        "pieces": [],
        "squares": [],
    }
    if model is not None and told is not None:
        notes.append(squares.about(model))
        record["squares"] = told.rows()
    finite = np.where(brain, values, 0)
    masks: dict[str, Mask] = {}
    for method in options.methods:
        mask = segment(finite, brain, method, spacing=image.spacing)
        masks[method] = mask
        what = (SEGMENTERS[method].__doc__ or "").strip().split("\n")[0]
        made += _write(case, out, f"label-tumour_desc-{method}", mask, image, what)
        size = metrics.volume(mask, image.geometry)
        row = {
            "method": method,
            "size": f"{size:.1f}",
            "unit": "mm^3" if mask.ndim == 3 else "mm^2",
        }
        if truth is not None:
            scores = metrics.scores(mask, truth, image.geometry)
            row |= {name: f"{getattr(scores, name):.4f}" for name in SCORES}
            row |= {"true_size": f"{scores.true_volume:.1f}", **_free(mask, truth)}
        if told is not None:
            row |= told.answer(mask)
        record["scores"].append(row)
        chance = (lambda _: None) if told is None else told.of
        for piece in pieces.describe(mask, image.geometry, report.as_seen(image), chance):
            record["pieces"].append({"method": method, **piece._asdict()})
    if not any(mask.any() for mask in masks.values()):
        notes.append("No tumour was found.")
    chart = None if told is None else told.chart
    record["section"] = report.section(case.name, values, brain, masks, truth, image, record, chart)
    return record, made


def _read(path: Path, options: Options) -> io.Image:
    images = io.read_images(path, max_bytes=options.max_bytes)
    if options.volume is None and len(images) > 1:
        shape = next(iter(images.values())).values.shape
        raise ValueError(
            f"{path} has {len(images)} volumes of shape {shape}: name the one to take with "
            f"--volume, 0 to {len(images) - 1}"
        )
    if options.volume is not None and options.volume >= len(images):
        raise ValueError(f"volume must be 0 to {len(images) - 1} in {path}, got {options.volume}")
    return list(images.values())[options.volume or 0]


def _free(mask: Mask, truth: Mask) -> dict[str, str]:
    """Of a volume the mean of pixels found on slices without tumour."""
    if mask.ndim == 2 or (free := ~truth.any((1, 2))).sum() == 0:
        return {}
    return {"pixels_on_free_slices": f"{mask[free].sum((1, 2)).mean():.1f}"}


def _write(
    case: Case, out: Path, what: str, mask: Mask, image: io.Image, sentence: str
) -> list[str]:
    """Write a mask and its sidecar; their names."""
    path = out / f"{case.name}_{what}_mask.nii.gz"
    sidecar: Mapping[str, Any] = {
        "Type": "Brain" if what == "desc-brain" else "Lesion",
        "Sources": [case.image.name],
        "Description": sentence,
        "Manual": False,
        "GeneratedBy": [{"Name": "lesionkit", "Version": __version__}],
    }
    io.write_mask(path, mask, image, sidecar)
    return [path.name, io.sidecar_of(path).name]
