"""The images of one case: diffusion, ADC, masks, all on the grid of the first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import io
from lesionkit.studies.stroke import adc_map
from lesionkit.studies.stroke.adc.maps import MAX_B, MIN_B
from lesionkit.studies.stroke.cases import NO_ADC, Case
from lesionkit.studies.stroke.names import stem_of
from lesionkit.studies.stroke.prepare import Mask

USUAL_B = 1000.0  # s/mm^2: taken where nobody tells
ZERO_B = 100.0  # s/mm^2: below there is next to no weighting
SHELL = 0.05  # of it: what scanners round b-values by
APART = 0.1  # of a pixel: headers are rounded
COVERED = 0.9  # of the image that another grid must cover
B = re.compile(r"\bb=([-+.\deE]+)")


@dataclass(frozen=True, eq=False)
class Images:
    """What a case is made of, each array of the shape of `dwi.values`."""

    dwi: io.Image
    adc: npt.NDArray[Any] | None
    truth: Mask | None
    brain: Mask | None
    notes: list[str]  # what a reader must know of them


def read(case: Case, bvalue: float | None, max_bytes: int) -> Images:
    """All images of a case; ValueError, in a sentence that names the file, where one cannot be
    read, or does not fit the others.

    bvalue : of the weighted image, s/mm^2, where ADC is worked out; None: by the files, or 1000
    """
    notes = list(case.notes)
    dwi, zero, b = _weighted(case.image, max_bytes, notes)
    adc = None
    if case.adc is not None:
        adc = _map(case.adc, dwi, max_bytes, notes)
    else:
        if case.b0 is not None:
            zero = _unweighted(case.b0, max_bytes)
        if zero is not None:
            adc = _worked_out(zero, dwi, bvalue, b, notes)
    truth = brain = None
    if case.truth is not None:
        truth = io.read_mask(case.truth, dwi, max_bytes=max_bytes).values
        notes.append(f"The truth is {case.truth.name}.")
    if case.brain is not None:
        brain = io.read_mask(case.brain, dwi, max_bytes=max_bytes).values
        if not brain.any():
            raise ValueError(f"{case.brain} must be a mask of the brain, it is empty")
        notes.append(f"The brain is that of {case.brain.name}.")
    if dwi.geometry.unit == "pixel":
        notes.append("The file gives no scale: a pixel counts as 1 mm.")
    return Images(dwi, adc, truth, brain, notes)


def _weighted(
    path: Path, max_bytes: int, notes: list[str]
) -> tuple[io.Image, io.Image | None, float | None]:
    """The diffusion image of a file, and of one with several the image without weighting, too; and
    the b-value, where the file tells it."""
    images = io.read_images(path, max_bytes=max_bytes)
    if all(image.adc for image in images.values()):
        raise ValueError(NO_ADC.format(path, "DICOM's ImageType"))
    values = {name: float(found[1]) for name in images if (found := B.search(name))}
    if len(images) == 1:
        return next(iter(images.values())), None, next(iter(values.values()), _beside(path))
    if len(values) < len(images):
        raise ValueError(
            f"{path} has {len(images)} volumes of shape {next(iter(images.values())).values.shape} "
            "and does not tell their b-values: put a .bval with one for each beside it, or take "
            "the diffusion image out of it"
        )
    high = sorted({b for b in values.values() if MIN_B <= b <= MAX_B})
    if not high:
        raise ValueError(
            f"{path} must hold a volume with a b-value of {MIN_B:g} to {MAX_B:g} s/mm^2, got "
            + ", ".join(f"{b:g}" for b in sorted(set(values.values())))
        )
    nearest = min(high, key=lambda one: abs(one - USUAL_B))
    shell = [name for name in images if abs(values[name] - nearest) <= SHELL * nearest]
    chosen, b = [images[name] for name in shell], float(np.mean([values[name] for name in shell]))
    zeros = [image for name, image in images.items() if 0 <= values[name] < ZERO_B]
    notes.append(
        f"Of {len(images)} volumes those with b = {b:g} s/mm^2 are the diffusion image"
        + (f", the geometric mean of {len(chosen)} directions." if len(chosen) > 1 else ".")
    )
    return _mean(chosen, path, True), _mean(zeros, path, False) if zeros else None, b


def _beside(path: Path) -> float | None:
    """The b-value in the .bval beside a file of one volume."""
    companion = path.with_name(stem_of(path) + ".bval")
    if path.is_dir() or not companion.is_file():
        return None
    try:
        (value,) = (float(word) for word in companion.read_text().split())
    except ValueError as problem:
        raise ValueError(
            f"{companion} must hold one b-value, for {path.name} has one volume"
        ) from problem
    if not MIN_B <= value <= MAX_B:
        raise ValueError(
            f"{companion} must hold a b-value of {MIN_B:g} to {MAX_B:g}, got {value:g}"
        )
    return value


def _mean(images: list[io.Image], path: Path, geometric: bool) -> io.Image:
    """Their mean; that of directions is geometric, which is the trace image."""
    if len(images) == 1:
        return images[0]
    if len({image.values.shape for image in images}) > 1:
        raise ValueError(f"{path} must hold volumes of one shape for each b-value")
    values = np.stack([image.values.astype(np.float64) for image in images])
    if geometric:
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.exp(np.log(np.maximum(values, 0)).mean(0))
    else:
        mean = values.mean(0)
    first = images[0]
    return io.Image(mean, first.geometry, first.affine, first.axes, first.path)


def _map(path: Path, dwi: io.Image, max_bytes: int, notes: list[str]) -> npt.NDArray[Any]:
    """A map of ADC on the grid of the diffusion image."""
    image = _one_of(path, io.read_images(path, max_bytes=max_bytes), "adc", lambda i: i.adc)
    notes.append(f"The map of ADC is {path.name}.")
    return _on_grid(image, dwi, "map of ADC", notes)


def _unweighted(path: Path, max_bytes: int) -> io.Image:
    images = io.read_images(path, max_bytes=max_bytes)
    low = [
        image
        for name, image in images.items()
        if (found := B.search(name)) and 0 <= float(found[1]) < ZERO_B
    ]
    return _mean(low, path, False) if len(low) > 1 else _one_of(path, images, "b0", lambda _: False)


def _one_of(path: Path, images: dict[str, io.Image], what: str, wanted: Any) -> io.Image:
    chosen = [image for image in images.values() if wanted(image)] or list(images.values())
    if len(chosen) != 1:
        raise ValueError(f"{what} must be one image, {path} has {len(chosen)}")
    return chosen[0]


def _worked_out(
    zero: io.Image, dwi: io.Image, asked: float | None, told: float | None, notes: list[str]
) -> npt.NDArray[Any]:
    """ADC of two images; which b-value was taken is told."""
    b = asked or told or USUAL_B
    by = "as asked" if asked else "by the file" if told else "assumed, for no file tells it"
    notes.append(
        f"ADC is worked out from {zero.path.name} with b = {b:g} s/mm^2, {by}."
        + " If the scan had another, give it with --bvalue." * (not asked and not told)
    )
    unweighted = _on_grid(zero, dwi, "image without weighting", notes)
    try:
        return adc_map(unweighted, dwi.values, b)
    except (ValueError, TypeError) as problem:
        raise ValueError(f"{zero.path}: {problem}") from problem


def _on_grid(image: io.Image, like: io.Image, what: str, notes: list[str]) -> npt.NDArray[Any]:
    """The values of an image where those of another lie; resampled, with a word, if they must be.

    ValueError where no place is known, or where less than 90 % of the other is covered."""
    values, shape = image.values, like.values.shape
    places = (image.geometry.unit, like.geometry.unit) == ("mm", "mm")
    seen = [io.format_of(one.path) in io.RASTER for one in (image, like)]
    if values.shape == shape and (not places or any(seen) or _same_place(image, like)):
        return np.ascontiguousarray(values[::-1, ::-1]) if seen[0] != seen[1] else values
    if not places or values.ndim != len(shape) or values.ndim != 3:
        raise ValueError(
            f"{image.path} must have the grid of {like.path}, {shape}, got {values.shape}; only "
            "volumes whose headers give their place are resampled"
        )
    from scipy import ndimage

    matrix = np.linalg.solve(image.geometry.affine, like.geometry.affine)  # (column, row, plane)
    turned = matrix[:3, :3][::-1, ::-1]
    offset = matrix[:3, 3][::-1]
    finite = np.isfinite(values)
    known = ndimage.affine_transform(finite.astype(np.float32), turned, offset, shape, order=1)
    covered = float((known > 0.5).mean())
    if covered < COVERED:
        raise ValueError(
            f"{image.path} must lie where {like.path} lies, it covers {100 * covered:.0f} % of it"
        )
    filled = np.where(finite, values, 0).astype(np.float32)
    out = ndimage.affine_transform(filled, turned, offset, shape, order=1)
    np.divide(out, known, out=out, where=known > 0.5)
    out[known <= 0.5] = np.nan
    notes.append(
        f"The {what} has another grid, {_grid(image)}: it was resampled to that of the diffusion "
        f"image, {_grid(like)}, linearly."
    )
    return np.asarray(out)


def _same_place(image: io.Image, like: io.Image) -> bool:
    shape = like.values.shape
    apart = np.abs(image.geometry.corners(shape) - like.geometry.corners(shape)).max()
    return bool(apart <= APART * min(like.spacing))


def _grid(image: io.Image) -> str:
    shape = " x ".join(map(str, image.values.shape))
    return f"{shape} of {' x '.join(f'{step:.3g}' for step in image.spacing)} mm"
