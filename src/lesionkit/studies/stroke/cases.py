"""Cases of the stroke study: which files of a folder are scans, and what belongs to each."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lesionkit import io
from lesionkit.studies.stroke.names import (
    OTHERS,
    SISS,
    Named,
    named,
    partner,
    scans_in,
    stem_of,
    truth_of,
)
from lesionkit.studies.stroke.names import base_of as base_of

CaseKind = Literal["hyper", "hypo", "auto"]

NO_ADC = (
    "image must be a diffusion image, {} is a map of ADC by {}, in which acute lesions are dark"
)


@dataclass(frozen=True)
class Given:
    """What was named by the user for all cases: files, or folders of them."""

    truth: Path | None = None
    adc: Path | None = None
    b0: Path | None = None
    brain: Path | None = None


@dataclass(frozen=True)
class Case:
    """A diffusion image, and what belongs to it, as far as it is there."""

    name: str
    image: Path
    truth: Path | None = None
    kind: CaseKind = "hyper"
    adc: Path | None = None
    b0: Path | None = None
    brain: Path | None = None
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def inputs(self) -> list[Path]:
        """All files that the results depend on."""
        files = (self.image, self.truth, self.adc, self.b0, self.brain)
        found = [path for path in files if path is not None]
        bvals = [path.with_name(stem_of(path) + ".bval") for path in (self.image, self.b0) if path]
        return found + [path for path in bvals if path.is_file()]


def find_cases(image: Path, given: Given = Given(), kind: CaseKind = "hyper") -> list[Case]:
    """Find the cases of a file or folder, by name.

    A file, or a folder with one DICOM series, is one case. Of a folder those images are cases whose
    names tell that they are of diffusion (dwi, trace); if there are none in it, those of all
    folders below; and if there are none there either, all images in it that have no other role. The
    roles are told by :mod:`names`: a map of ADC, an image without diffusion weighting, masks.
    ValueError where there is no image, where what was given for all fits none of them, or where two
    images have one name.
    """
    if not image.exists():
        raise ValueError(f"{image} does not exist")
    if not image.is_dir() or io.series(image):
        return [_alone(image, given, kind)]
    for path, name in _all_given(given):
        if not path.is_dir():
            raise ValueError(f"{name} must be a folder where the image is one, got {path}")
    near = list(scans_in(image))
    found = [one for one in near if one.role == "dwi"]
    if not found:
        near_or_below = list(scans_in(image, deep=True))
        below = [one for one in near_or_below if not _is_derived(one.path, image)]
        found = [one for one in below if one.role == "dwi"]
        if found:
            near = near_or_below
    found = found or [one for one in near if one.role == "other"]
    if not found:
        maps = sum(one.role == "adc" for one in near)
        raise ValueError(
            f"{image} has no image: NIfTI, DICOM or PNG"
            + f", only {maps} of ADC, which are no diffusion images" * bool(maps)
        )
    names = _names(found, image)
    masks = [*near, *_derived(image)]
    pools = {name: list(scans_in(path, deep=True)) for path, name in _all_given(given)}
    cases = []
    for one, name in zip(found, names, strict=True):
        cases.append(
            Case(
                name,
                one.path,
                truth_of(one, pools.get("truth", masks), kind, elsewhere="truth" in pools),
                kind,
                partner(one, pools.get("adc", near), "adc", elsewhere="adc" in pools),
                partner(one, pools.get("b0", near), "b0", elsewhere="b0" in pools),
                partner(one, pools.get("brain", []), "brain", elsewhere=True),
                _notes(one),
            )
        )
    for path, name in _all_given(given):
        if not any(getattr(case, name) for case in cases):
            wanted = base_of(found[0].stem) + {"truth": "_mask"}.get(name, f"_{name}")
            raise ValueError(f"{name} must hold that of an image, {path} has none such as {wanted}")
    return cases


def _alone(image: Path, given: Given, kind: CaseKind) -> Case:
    """One image, and what was named for it or lies beside it under its name."""
    one = named(image)
    if is_adc(image):
        raise ValueError(NO_ADC.format(image, "its name"))
    for path, name in _all_given(given):
        if not path.exists():
            raise ValueError(f"{name}: {path} does not exist")
        if path.is_dir() and not io.series(path):
            raise ValueError(f"{name} must be a file where the image is one, got the folder {path}")
    near = list(scans_in(one.home, one.stem.startswith(SISS), series=image.is_dir()))
    return Case(
        stem_of(image) if one.home == image.parent else one.home.name,
        image,
        given.truth,
        kind,
        given.adc or partner(one, near, "adc"),
        given.b0 or partner(one, near, "b0"),
        given.brain,
        _notes(one),
    )


def _all_given(given: Given) -> list[tuple[Path, str]]:
    found = ((given.truth, "truth"), (given.adc, "adc"), (given.b0, "b0"), (given.brain, "brain"))
    return [(path, name) for path, name in found if path is not None]


def is_adc(path: Path) -> bool:
    """Whether a file is a map of the apparent diffusion coefficient, by its name."""
    return named(path).role == "adc"


def _is_derived(path: Path, root: Path) -> bool:
    return "derivatives" in path.relative_to(root).parts


def _derived(root: Path) -> list[Named]:
    """What lies beside the raw data of a BIDS tree, where the raw data were named alone."""
    beside = root.parent / "derivatives"
    there = root.name == "rawdata" and beside.is_dir()
    return list(scans_in(beside, deep=True)) if there else []


def _names(found: list[Named], root: Path) -> list[str]:
    """Of each image its stem; of images of one name, and of ISLES 2015's numbers, its place."""
    stems = [base_of(one.stem).lower() for one in found]
    names = []
    for one, stem in zip(found, stems, strict=True):
        place = one.home.relative_to(root).parts
        if one.stem.startswith(SISS) and place:
            names.append("_".join(place))
        else:
            names.append(one.stem if stems.count(stem) == 1 else "_".join((*place, one.stem)))
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{root} has several images named {', '.join(sorted(twice))}")
    bases = [base_of(name) for name in names]
    if twice := {name for name in bases if bases.count(name) > 1}:
        raise ValueError(
            f"{root} has several images whose masks would be {', '.join(sorted(twice))}"
        )
    return names


def _notes(one: Named) -> tuple[str, ...]:
    other = OTHERS.search(one.stem)
    if other and one.role != "dwi":
        word = other[0].strip("_.-")
        return (f"By its name ({word}) this is no diffusion image: outside what the methods are "
                "made for.",)  # fmt: skip
    return ()
