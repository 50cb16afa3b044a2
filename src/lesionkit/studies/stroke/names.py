"""What a file of a stroke data set is, and whose: by its name alone.

Layouts as they are downloaded: BIDS (sub-1/ses-1/dwi/sub-1_ses-1_dwi.nii.gz; Gorgolewski et al.,
Scientific Data 3, 2016); SOOP (OpenNeuro ds004889: sub-1_rec-TRACE_dwi, sub-1_rec-ADC_dwi, and
derivatives/lesion_masks/sub-1/dwi/sub-1_space-TRACE_desc-lesion_mask); ISLES 2022 (rawdata and
derivatives/sub-*/ses-*/*_msk); ISLES 2015, SISS (a folder for each case, in it
VSD.Brain.XX.O.MR_DWI.NUMBER and VSD.Brain_3more.XX.XX.OT.NUMBER, each in a folder of its name).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from lesionkit import io
from lesionkit.io.common import ADC
from lesionkit.studies.stroke import SEGMENTERS, SEGMENTERS_ADC

Role = Literal["dwi", "adc", "b0", "truth", "brain", "other"]

ENDINGS = tuple(ending for ending in io.ENDINGS if ending != ".mat")
SISS = "VSD."  # what names of ISLES 2015 begin with
EDGE, END = r"(?:^|[_.-])", r"(?=$|[_.-])"
DWI = re.compile(rf"{EDGE}(?:dwi|tracew?|b1000){END}", re.I)
B0 = re.compile(rf"{EDGE}b-?0{END}", re.I)
MAPS = re.compile(r"rec-(?:fa|colfa|md|rd|ad|tensor)(?:$|_)", re.I)  # of a tensor: no images
OTHERS = re.compile(rf"{EDGE}(?:flair|t1|t1w|t1c|t2|t2w|t2star|swi|pd|ct|ncct|sbref){END}", re.I)
TRUTH = re.compile(rf"_(?:mask|msk)$|label-lesion|lesion-msk$|{EDGE}OT{END}")
BRAIN = re.compile(r"(?:desc-brain_mask|brain_?mask|_brain)$", re.I)
NO_LESION = re.compile(r"(?:lvo|cow)-msk$|desc-(?:cow|lvo)", re.I)  # vessels, in ISLES 2024
OURS = re.compile(
    rf"label-lesion_desc-(?:{'|'.join((*SEGMENTERS, *SEGMENTERS_ADC))}|unet(?:-adc)?)_mask$"
)
STRIPPED = re.compile(
    rf"(?:^|[_.-])(?:(?:rec|desc)-)?(?:e?adc(?:map)?|dwi|tracew?|b1000|b-?0|mask|msk){END}", re.I
)
# Of several masks of one case the first that fits; a kind's own before that of all lesions.
USUAL = ("label-lesion", "lesion-msk", "desc-lesion_", "_msk", "_mask", "OT")
BEST = {
    "hyper": ("desc-lesionAcute", *USUAL),
    "hypo": ("desc-lesionChronic", *USUAL),
    "auto": USUAL,
}


class Named(NamedTuple):
    """A file, or a folder with a DICOM series, and what its name tells."""

    path: Path
    stem: str  # without its ending
    role: Role
    home: Path  # the folder that holds all of a case
    base: str  # the stem without the words for what it is
    subject: str  # of BIDS, "" where there is none
    session: str

    @property
    def person(self) -> tuple[str, str]:
        return self.subject, self.session


def named(path: Path) -> Named:
    """What a path's name tells."""
    stem = stem_of(path)
    home = path.parent
    if stem.startswith(SISS):
        home = home.parent if home.name.startswith(SISS) else home
        return Named(path, stem, _role(stem), home, "", "", "")
    subject, session = (
        found[1] if (found := re.search(rf"(?:^|_){key}-([^_]+)", stem)) else ""
        for key in ("sub", "ses")
    )
    return Named(path, stem, _role(stem), home, STRIPPED.sub("", stem), subject, session)


def _role(stem: str) -> Role:
    if BRAIN.search(stem):
        return "brain"
    if TRUTH.search(stem):
        return "other" if OURS.search(stem) or NO_LESION.search(stem) else "truth"
    if ADC.search(stem):
        return "adc"
    if DWI.search(stem):
        return "other" if MAPS.search(stem) else "dwi"
    return "b0" if B0.search(stem) else "other"


def stem_of(path: Path) -> str:
    """A name without its ending."""
    for ending in ENDINGS:
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)]
    return path.name


def base_of(name: str) -> str:
    """The name of a case without "_dwi", in whatever case."""
    return name[: -len("_dwi")] if name.lower().endswith("_dwi") else name


def scans_in(folder: Path, deep: bool = False, series: bool = True) -> Iterator[Named]:
    """The images of a folder, by name.

    deep   : of all folders below, too, but for those with results of lesionkit
    series : folders with a DICOM series count as images
    """
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if series and io.series(path):
                yield named(path)
            elif deep and not (path / "scores.tsv").exists() and not _leads_up(path):
                yield from scans_in(path, deep)
        # A link to nothing has the name of an image: it is a case, which cannot be read.
        elif path.name.lower().endswith(ENDINGS):
            yield named(path)


def _leads_up(folder: Path) -> bool:
    """Whether a folder is a link to one that holds it."""
    above = folder.parent.resolve()
    return folder.is_symlink() and folder.resolve() in (above, *above.parents)


def partner(one: Named, others: list[Named], role: Role, elsewhere: bool = False) -> Path | None:
    """The file of a role that belongs to an image: with the same name but for what it is, or the
    only one of the same subject and session.

    elsewhere : the others lie in a folder that was named for them
    """
    fits = [o for o in others if o.role == role and o.path != one.path]
    same = [
        o for o in fits if o.base == one.base and (o.home == one.home or (elsewhere and o.base))
    ]
    if not same and one.subject:
        same = [o for o in fits if o.person == one.person]
        same = same if len(same) == 1 else []
    return same[0].path if same else None


def truth_of(one: Named, others: list[Named], kind: str, elsewhere: bool = False) -> Path | None:
    """The mask that belongs to an image, by the same rule; of several that of the kind."""
    fits = [o for o in others if o.role == "truth"]
    exact = [o for o in fits if o.stem in (base_of(one.stem) + "_mask", base_of(one.stem) + "_msk")]
    exact = [o for o in exact if elsewhere or o.home == one.home]
    if exact:
        return exact[0].path
    if one.subject:
        fits = [o for o in fits if o.person == one.person]
    else:
        fits = [o for o in fits if o.home == one.home and o.base == one.base]
    ranked = [o for word in BEST[kind] for o in fits if word in o.stem]
    return ranked[0].path if ranked else None
