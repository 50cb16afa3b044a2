"""`lesionkit stroke`, and the study around it, `lesionkit stroke-study`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lesionkit.cli.parser import add_command, add_overwrite, add_threads
from lesionkit.cli.results import check_no_results


def add_to(commands: Any) -> None:
    """Add them to the command's parser."""
    stroke = add_command(
        commands,
        "stroke",
        _stroke,
        draws_with="studies",
        help="segment stroke lesions on diffusion MRI: masks, scores, and a report",
        description="Segment stroke lesions by the methods of Noor's thesis (2020), on the "
        "diffusion image and, where there is one, on the map of ADC. Of a folder (BIDS, SOOP, "
        "ISLES 2015 and 2022 as downloaded, or images in it) the images named _dwi or _trace are "
        "taken, with their ADC (_adc, rec-ADC_dwi) or _b0, and the truth (NAME_mask, "
        "derivatives/**). Masks (NIfTI), scores.tsv and report.html go to DIR; runs on other files "
        "or by other methods add to what is there. Killed, it goes on where it was. Not for "
        "diagnosis.",
        example="lesionkit stroke sub-01_dwi.nii.gz --truth sub-01_mask.nii.gz --out result",
    )
    add = stroke.add_argument
    add(
        "image",
        type=Path,
        metavar="IMAGE",
        help="NIfTI, DICOM, NRRD, MetaImage, PNG or JPEG; or a folder of cases",
    )
    for name, what in (
        ("adc", "the map of ADC; or a folder of these (default: by its name beside the image)"),
        ("b0", "the image without weighting, of which ADC is worked out (default: NAME_b0)"),
        ("truth", "drawn by hand, to score; or a folder of these (default: none; of a folder by "
                  "its name)"),
        ("brain", "mask of the brain; or a folder of these, NAME_brain (default: found here)"),
    ):  # fmt: skip
        add(f"--{name}", type=Path, metavar="FILE", help=what)
    add(
        "--bvalue",
        type=float,
        metavar="B",
        help="of the diffusion image, s/mm^2, where ADC is worked out (default: the file's, or "
        "1000, which is told)",
    )
    add(
        "--method",
        default="all",
        type=str.lower,
        metavar="NAME",
        help="threshold, glcm, watershed, fcm, kmeans, split, or all of them, with ADC on both "
        "images as well; NAME-adc: on both only (default: all)",
    )
    add(
        "--kind",
        choices=("hyper", "hypo", "auto"),
        default="hyper",
        help="hyper: brighter than the brain (acute, sub-acute); hypo: darker (chronic); auto: of "
        "each case what is farther from the normal brain (default: hyper)",
    )
    add(
        "--blocks",
        choices=("grid", "pixels"),
        default="grid",
        help="of the threshold's histograms, on the DWI alone: grid, 8 x 8 of them in a slice; "
        "pixels, of 8 x 8 pixels each (default: grid)",
    )
    add(
        "--figures",
        action="store_true",
        help="draw each step as well, as in the thesis, into DIR/figures: histograms, "
        "co-occurrence, clusters, features, ROC space",
    )
    add(
        "--model",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="what lesionkit stroke-study left, once for each: kinds.npz names the kind of each "
        "lesion, rcnn.pt and faster.pt draw boxes, net.pt is one method more (default: none)",
    )
    add("--out", type=Path, required=True, metavar="DIR", help="made if need be")
    add(
        "--max-gib",
        type=float,
        default=2.0,
        metavar="N",
        help="the most that an image may need by its header, in GiB (default: 2)",
    )
    add_threads(stroke)
    add_overwrite(stroke)

    study = add_command(
        commands,
        "stroke-study",
        _stroke_study,
        draws_with="studies",
        help="plant strokes, and repeat the tables of classifiers and detectors",
        description="Plant strokes of four kinds into the MNI152 brain, by real lesion shapes; "
        "classify them by six features, on shapes not seen; train detectors and a U-Net. Tables, "
        "pictures and files for lesionkit stroke --model go to DIR; a training that was stopped "
        "goes on there with --overwrite.",
        example="lesionkit stroke-study --data FOLDER --lesions 80 --out study",
    )
    add = study.add_argument
    add(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="with stroke_dwi/soop_lesion_masks and misc/mni152_nilearn (default: "
        "$LESIONKIT_DATA/data)",
    )
    add("--out", type=Path, required=True, metavar="DIR", help="made if need be")
    add("--lesions", type=int, default=560, metavar="N", help="planted in all (default: 560)")
    add(
        "--seed",
        type=int,
        default=0,
        metavar="S",
        help="of places, shapes and folds (default: 0)",
    )
    add(
        "--epochs",
        type=int,
        default=0,
        metavar="N",
        help="of the detectors; 0 trains none of them (default: 0)",
    )
    add(
        "--net",
        type=int,
        default=0,
        metavar="N",
        help="epochs of the U-Net over DWI and ADC, of 100 slabs each; 0 trains none (default: 0)",
    )
    add(
        "--figures",
        action="store_true",
        help="draw a scatter of features with predictions, and ROC space, as well",
    )
    add_threads(study)
    add_overwrite(study)


def _stroke(options: argparse.Namespace) -> int:
    from lesionkit import arrays
    from lesionkit.studies.stroke.adc.maps import MAX_B, MIN_B
    from lesionkit.studies.stroke.cases import Given
    from lesionkit.studies.stroke.image import job
    from lesionkit.studies.stroke.image.process import Options, methods_of
    from lesionkit.studies.stroke.learned.models import read

    most = arrays.number(options.max_gib, "max-gib", above=0, at_most=2**20)
    bvalue = options.bvalue
    if bvalue is not None:
        bvalue = arrays.number(bvalue, "bvalue", at_least=MIN_B, at_most=MAX_B, unit="s/mm^2")
    return job.main(
        options.image,
        Given(options.truth, options.adc, options.b0, options.brain),
        options.kind,
        options.out,
        Options(
            methods_of(options.method),
            bvalue,
            options.blocks,
            options.figures,
            max(1, round(most * 2**30)),
            read(options.model),
        ),
        options.overwrite,
    )


def _stroke_study(options: argparse.Namespace) -> None:
    from lesionkit.studies.stroke import study

    check_no_results(options, *study.RESULTS)
    study.main(
        options.data,
        options.out,
        options.lesions,
        options.seed,
        options.epochs,
        options.net,
        options.figures,
    )
