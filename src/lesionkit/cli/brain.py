"""`lesionkit brain`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lesionkit.cli.parser import add_command, add_overwrite, add_threads


def add_to(commands: Any) -> None:
    """Add it to the command's parser."""
    brain = add_command(
        commands,
        "brain",
        _brain,
        help="find brain tumours on MRI: the brain, masks, pieces, scores and a report",
        description="Strip the skull and segment a tumour that is brighter than the brain, as on "
        "FLAIR. Of a folder all images are taken; the truth of NAME or NAME_flair is NAME_mask, "
        "NAME_label or NAME_seg. Masks (NIfTI), scores.tsv, pieces.tsv and report.html go to DIR. "
        "Killed, it goes on where it was. Not for diagnosis.",
        example="lesionkit brain sub-01_flair.nii.gz --truth sub-01_seg.nii.gz --out result",
        draws_with="studies",
    )
    add = brain.add_argument
    add(
        "image",
        type=Path,
        metavar="IMAGE",
        help="NIfTI, NRRD, MetaImage, DICOM, MAT, PNG or JPEG; or a folder of cases",
    )
    add(
        "--truth",
        type=Path,
        metavar="MASK",
        help="drawn by hand, to score; or a folder of these (default: none, or NAME_mask of a "
        "folder)",
    )
    add(
        "--brain",
        type=Path,
        metavar="MASK",
        help="of the brain; or a folder of these, NAME_brain (default: the skull is stripped here)",
    )
    add(
        "--method",
        default="halfway",
        type=str.lower,
        metavar="NAME",
        help="otsu3, mad, meansd, sobel, watershed, walker, halfway, or all of them "
        "(default: halfway)",
    )
    add("--volume", type=int, metavar="K", help="of a file with several, from 0 (default: none)")
    add(
        "--model",
        type=Path,
        metavar="FILE",
        help="model_flair.json or model_t1c.json of brain-study: normal or abnormal, with a "
        "probability; images must tell their modality by their names, NAME_flair (default: none)",
    )
    add("--out", type=Path, required=True, metavar="DIR", help="made if need be")
    add(
        "--max-gib",
        type=float,
        default=2.0,
        metavar="N",
        help="the most that an image may need by its header, in GiB (default: 2)",
    )
    add_threads(brain)
    add_overwrite(brain)


def _brain(options: argparse.Namespace) -> int:
    from lesionkit import arrays
    from lesionkit.studies.brain.image import job
    from lesionkit.studies.brain.image.cases import Options
    from lesionkit.studies.brain.segmenters import SEGMENTERS

    most = arrays.number(options.max_gib, "max-gib", above=0, at_most=2**20)
    method = arrays.one_of(options.method, "method", (*SEGMENTERS, "all"))
    methods = tuple(SEGMENTERS) if method == "all" else (method,)
    volume = options.volume
    if volume is not None:
        volume = arrays.integer(volume, "volume", at_least=0)
    settings = Options(methods, volume, options.model, max(1, round(most * 2**30)))
    return job.main(
        options.image, options.truth, options.brain, options.out, settings, options.overwrite
    )
