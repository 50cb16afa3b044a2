"""`lesionkit stroke`, and the study around it, `lesionkit stroke-study`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_to(commands: Any) -> None:
    """Add them to the command's parser."""
    stroke = commands.add_parser(
        "stroke",
        help="segment stroke lesions on diffusion MRI: masks, scores, and a report",
        description="Segment stroke lesions by the methods of Noor's thesis (2020). Of a folder "
        "all images are taken, those named *_dwi where there are any; the truth of NAME_dwi or "
        "NAME is NAME_mask. Masks (NIfTI), scores.tsv and report.html go to DIR.",
    )
    stroke.set_defaults(run=_stroke)
    stroke.add_argument(
        "image", type=Path, metavar="IMAGE", help="NIfTI, DICOM or PNG; or a folder of cases"
    )
    stroke.add_argument(
        "--truth", type=Path, metavar="MASK", help="drawn by hand, to score; or a folder of these"
    )
    stroke.add_argument(
        "--method",
        default="all",
        metavar="NAME",
        help="threshold, glcm, watershed, fcm, kmeans, split, or all of them (all)",
    )
    stroke.add_argument(
        "--kind",
        choices=("hyper", "hypo"),
        default="hyper",
        help="brighter than the brain (acute, sub-acute), or darker (chronic) (hyper)",
    )
    stroke.add_argument("--out", type=Path, required=True, metavar="DIR", help="made if need be")
    stroke.add_argument(
        "--max-gib",
        type=float,
        default=2.0,
        metavar="N",
        help="the most that an image may need by its header, in GiB (2)",
    )

    study = commands.add_parser(
        "stroke-study",
        help="plant strokes, and repeat the tables of classifiers and detectors",
        description="Plant strokes of four kinds into the MNI152 brain, by real lesion shapes; "
        "classify them by six features, on shapes not seen; train detectors. Tables and pictures "
        "go to DIR.",
    )
    study.set_defaults(run=_stroke_study)
    study.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="with stroke_dwi/soop_lesion_masks and misc/mni152_nilearn ($LESIONKIT_DATA/data)",
    )
    study.add_argument("--out", type=Path, required=True, metavar="DIR", help="made if need be")
    study.add_argument("--lesions", type=int, default=560, metavar="N", help="560")
    study.add_argument("--seed", type=int, default=0, metavar="S", help="0")
    study.add_argument(
        "--epochs", type=int, default=0, metavar="N", help="of the detectors; 0: none of them (0)"
    )


def _stroke(options: argparse.Namespace) -> int:
    from lesionkit import arrays
    from lesionkit.studies.stroke import job

    most = arrays.number(options.max_gib, "max-gib", above=0, at_most=2**20)
    return job.main(
        options.image,
        options.truth,
        options.method,
        options.kind,
        options.out,
        max(1, round(most * 2**30)),
    )


def _stroke_study(options: argparse.Namespace) -> None:
    from lesionkit.studies.stroke import study

    study.main(options.data, options.out, options.lesions, options.seed, options.epochs)
