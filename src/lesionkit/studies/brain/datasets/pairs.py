"""Squares of tumour, each with its mirror image in the same slice: sets whose labels no scanner,
size or file format gives away.

Cheng's T1 with contrast (J. Cheng, figshare 10.6084/m9.figshare.1512427): the middle of the
tumour's box or mask; as MAT v7.3, or as JPEG with boxes beside. PyRadiomics' example heads: the
tumour's mask. Skulls are stripped; pixels become 1 mm.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

import lesionkit
from lesionkit import io, job
from lesionkit.studies.brain import regions, skull

Mask = npt.NDArray[np.bool_]
CHENG, HEADS = "brain_tumor/cheng_t1ce", "brain_tumor/pyradiomics"
CLASSES = ("meningioma", "glioma", "pituitary")
FINE = 400  # rows of a slice of Cheng's with pixels of 0.49 mm; others have 0.98
BLOCKS = 4  # of a class's files in the order of their numbers, where patients are not known
ROUGH = 0.1  # of the range: what is no air


class Scan(NamedTuple):
    """An image with its brain, and squares in it.

    Attributes
    ----------
    patient : str
        What is held out together.
    image : (planes, rows, columns) array
        Grey values; about 1 mm in planes.
    brain : array of bool, the same shape
        Where the brain is.
    squares : list of regions.Region
        Of tumour, and as many of their mirror images.
    places : regions.Places or None
        Where squares may lie that are drawn for each seed; None where those above are all.
    lossy : bool
        Whether it came as JPEG.
    """

    patient: str
    image: npt.NDArray[Any]
    brain: Mask
    squares: list[regions.Region]
    places: regions.Places | None = None
    lossy: bool = False


def drawn(scan: Scan, per_class: int, seed: int) -> list[regions.Region]:
    """The squares of a seed."""
    return regions.drawn(scan.places, per_class, seed) if scan.places else scan.squares


class Found(NamedTuple):
    """A set as it was found. told : sentences;  problems : on files that cannot be read"""

    scans: list[Scan]
    told: list[str]
    problems: list[str]


def cheng(folder: Path) -> Found:
    """One pair of squares from each slice where it fits. folder : see `brats.data_folder`"""
    place = folder / CHENG
    files = [p for p in sorted(place.rglob("*")) if p.suffix.lower() in (".mat", ".jpg", ".jpeg")]
    files = [path for path in files if path.stem.isdigit()]
    scans, problems = [], []
    pool = ThreadPoolExecutor(lesionkit.threads(), "lesionkit")
    try:
        done = list(pool.map(_attempt, files, _blocks(files)))
    finally:
        pool.shutdown(cancel_futures=True)
    for scan, problem in done:
        if problem:
            problems.append(problem)
        elif scan is not None and scan.squares:
            scans.append(scan)
    told = []
    if files:
        told.append(
            f"Cheng: {len(scans)} of {len(files)} slices; of the others the middle of the tumour, "
            f"{regions.SIZE} x {regions.SIZE} mm, or its mirror image does not lie in brain and "
            "apart from the tumour."
        )
    if any(scan.lossy for scan in scans):
        told.append(
            "Cheng: 8 bits, lossy (JPEG). Its patients are not known: blocks of consecutive files "
            "are held out, and a patient may lie on the border of two."
        )
    return Found(scans, told, problems)


def _attempt(path: Path, block: str) -> tuple[Scan | None, str]:
    return job.attempt(path, partial(_slice, path, block))


def _blocks(files: list[Path]) -> list[str]:
    """Of each file its class and which quarter of the class's numbers it is in."""
    names = [""] * len(files)
    for kind in {path.parent.name for path in files}:
        of = [i for i, path in enumerate(files) if path.parent.name == kind]
        of.sort(key=lambda i: int(files[i].stem))
        for rank, i in enumerate(of):
            names[i] = f"{kind}-{1 + BLOCKS * rank // len(of)}"
    return names


def _slice(path: Path, block: str) -> Scan:
    if path.suffix.lower() == ".mat":
        told = io.read_tumour(path)
        image, tumour, patient = told.image.values, told.mask.values, _patient(path)
        boxes = [_box(tumour)] if tumour.any() else []
    else:
        image, patient = io.read_image(path).values, block
        boxes = _boxes(path, image.shape)
        tumour = np.zeros(image.shape, bool)
        for top, bottom, left, right in boxes:
            tumour[top:bottom, left:right] = True
    lossy = path.suffix.lower() != ".mat"
    values = image.astype(np.float32)
    if min(values.shape) >= FINE:
        values, tumour = _halved(values), _halved(tumour.astype(np.float32)) > 0.5
        boxes = [tuple(side // 2 for side in box) for box in boxes]  # type: ignore[misc]
    head = values > values.min() + ROUGH * np.ptp(values)
    head = ndimage.binary_fill_holes(head)
    nothing = Scan(patient, values[None], np.zeros((1, *values.shape), bool), [], None, lossy)
    if not _paired(tumour, np.asarray(head), boxes, patient):  # sooner than a skull is stripped
        return nothing
    brain = skull.strip(values, 1.0).brain
    squares = _paired(tumour, brain, boxes, patient)
    return Scan(patient, values[None], brain[None], squares, None, lossy)


def _paired(tumour: Mask, brain: Mask, boxes: Any, patient: str) -> list[regions.Region]:
    """The square in the middle of the first box that has one, and its mirror image."""
    try:
        there = regions.places(tumour[None], brain[None], patient, normal="mirror")
    except ValueError:
        return []
    assert there.turn is not None
    for top, bottom, left, right in boxes:
        row, column = ((a + b - regions.SIZE) // 2 for a, b in ((top, bottom), (left, right)))
        inside = row in range(there.abnormal.shape[1]) and column in range(there.abnormal.shape[2])
        if inside and there.abnormal[0, row, column]:
            one = regions.Region(patient, 0, row, column, True)
            return [one, one._replace(column=there.turn - column, abnormal=False)]
    return []


def _box(mask: Mask) -> tuple[int, int, int, int]:
    rows, columns = ndimage.find_objects(mask.astype(np.int8))[0]
    return rows.start, rows.stop, columns.start, columns.stop


def _boxes(path: Path, shape: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    """Of lines "class x y width height", shares of the picture."""
    beside = path.with_suffix(".txt")
    if not beside.is_file():
        raise ValueError(f"{path} must have {beside.name} beside it")
    boxes = []
    for line in beside.read_text(errors="replace").splitlines():
        if not line.strip():
            continue
        try:
            _, x, y, wide, high = map(float, line.split())
        except ValueError as problem:
            raise ValueError(f"{beside} must hold lines of five numbers, got {line!r}") from problem
        sides = (y - high / 2, y + high / 2), (x - wide / 2, x + wide / 2)
        if not all(-0.01 <= side <= 1.01 for pair in sides for side in pair):
            raise ValueError(f"{beside} must hold shares of the picture, 0 to 1, got {line!r}")
        (top, bottom), (left, right) = (
            (max(0, round(low * n)), min(n, round(high_ * n)))
            for (low, high_), n in zip(sides, shape, strict=True)
        )
        boxes.append((top, bottom, left, right))
    return boxes


def _patient(path: Path) -> str:
    """A name for the patient that does not tell the number in the file."""
    import h5py

    with h5py.File(path, "r") as file:
        if "PID" not in file["cjdata"]:
            raise ValueError(f"{path} must hold cjdata/PID, so that patients are held out whole")
        told = np.asarray(file["cjdata"]["PID"][()])
    return "patient-" + hashlib.sha256(told.tobytes()).hexdigest()[:8]


def _halved(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Means of 2 x 2 pixels."""
    rows, columns = (n // 2 for n in values.shape)
    parts = values[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2)
    return np.asarray(parts.mean((1, 3)))


def heads(folder: Path) -> Found:
    """Heads NAME_image.nrrd with NAME_label.nrrd: squares of the tumour with mirror images."""
    place = folder / HEADS
    scans, told, problems, sizes = [], [], [], set()
    for path in sorted(place.glob("*_image.nrrd")) if place.is_dir() else []:
        name = path.name.removesuffix("_image.nrrd")
        given, problem = job.attempt(path, partial(_head, path, name))
        if given is None:
            problems.append(problem)
        else:
            scan, size = given
            scans.append(scan)
            sizes.add(size)
    if scans:
        listed = " and ".join(f"{size:.2f}" for size in sorted(sizes))
        told.append(f"Heads of PyRadiomics: {len(scans)}; pixels of {listed} mm became 1 mm.")
    if len(scans) == 1:
        told.append("One head alone: none can be held out, so it has no rows of its own.")
    return Found(scans, told, problems)


def _head(path: Path, name: str) -> tuple[Scan, float]:
    image = io.read_image(path)
    tumour = io.read_mask(path.with_name(f"{name}_label.nrrd"), image).values
    brain = skull.strip(image.values, image.spacing).brain
    scale = (1.0, *image.spacing[-2:])
    values = ndimage.zoom(image.values.astype(np.float32), scale, order=1)
    tumour, brain = (
        ndimage.zoom(mask.astype(np.float32), scale, order=1) > 0.5 for mask in (tumour, brain)
    )
    there = regions.places(tumour, brain, name, normal="mirror")
    return Scan(name, values, brain, [], there), float(image.spacing[-1])
