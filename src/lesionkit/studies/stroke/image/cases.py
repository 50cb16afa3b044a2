"""Cases of the stroke study: which files of a folder are scans, and which are their masks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lesionkit import io
from lesionkit.io.common import ADC
from lesionkit.studies.stroke import Kind

ENDINGS = tuple(ending for ending in io.ENDINGS if ending != ".mat")
MASKS = ("_mask", "_msk")
NO_ADC = (
    "image must be a diffusion image, {} is a map of ADC by {}, in which acute lesions are dark"
)


@dataclass(frozen=True)
class Case:
    """An image to segment, and the mask drawn by hand, if there is one."""

    name: str
    image: Path
    truth: Path | None = None
    kind: Kind = "hyper"

    @property
    def inputs(self) -> list[Path]:
        return [path for path in (self.image, self.truth) if path is not None]


def find_cases(image: Path, truth: Path | None = None, kind: Kind = "hyper") -> list[Case]:
    """Find the cases of a file or folder.

    A file, or a folder with one DICOM series, is one case. Of another folder the images whose names
    end with "_dwi" are cases, and without such all images whose names do not end with "_mask" or
    "_msk", and all folders in it with a DICOM series. The truth of NAME_dwi or NAME is a file
    NAME_mask or NAME_msk. Maps of ADC, known by their names, are left out of a folder; one that is
    named itself is refused.
    """
    if not image.exists():
        raise ValueError(f"{image} does not exist")
    if not image.is_dir() or io.series(image):
        _check_no_adc(image)
        return [Case(_stem(image), image, truth, kind)]
    if truth is not None and not truth.is_dir():
        raise ValueError(f"truth must be a folder where the image is one, got {truth}")
    entries = sorted(p for p in image.iterdir() if not p.name.startswith("."))
    files = [
        p
        for p in entries
        # A link to nothing has the name of an image: it is a case, which cannot be read.
        if (io.series(p) if p.is_dir() else p.name.lower().endswith(ENDINGS))
    ]
    maps = [p for p in files if is_adc(p) and not _stem(p).endswith(MASKS)]
    files = [p for p in files if p not in maps]
    chosen = [p for p in files if _stem(p) != base_of(_stem(p))]
    chosen = chosen or [p for p in files if not _stem(p).endswith(MASKS)]
    if not chosen:
        raise ValueError(
            f"{image} has no image: NIfTI, DICOM or PNG"
            + f", only {len(maps)} of ADC, which are no diffusion images" * bool(maps)
        )
    names = [_stem(p) for p in chosen]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{image} has several images named {', '.join(sorted(twice))}")
    cases = [Case(_stem(p), p, _truth_of(p, truth or image), kind) for p in chosen]
    if truth is not None and not any(case.truth for case in cases):
        wanted = base_of(names[0]) + MASKS[0]
        raise ValueError(f"truth must hold the mask of an image, {truth} has none such as {wanted}")
    return cases


def is_adc(path: Path) -> bool:
    """Whether a file is a map of the apparent diffusion coefficient, by its name."""
    return bool(ADC.search(_stem(path)))


def _check_no_adc(image: Path) -> None:
    if is_adc(image):
        raise ValueError(NO_ADC.format(image, "its name"))


def _stem(path: Path) -> str:
    for ending in ENDINGS:
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)]
    return path.name


def base_of(name: str) -> str:
    """The name without "_dwi", in whatever case."""
    return name[: -len("_dwi")] if name.lower().endswith("_dwi") else name


def _truth_of(image: Path, folder: Path) -> Path | None:
    name = base_of(_stem(image))
    for path in sorted(folder.iterdir()):
        if _stem(path) in [name + mask for mask in MASKS] and path.name.lower().endswith(ENDINGS):
            return path
    return None
