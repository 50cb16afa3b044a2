"""Whole extractions beside PyRadiomics and pictologics, each in a long-lived process of its own
environment, in interleaved pairs."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.radiomics.baselines import CASES, folder_of, image_and_mask
from benchmarks.radiomics.processes import Peer, python_of
from benchmarks.report import Report

JOBS: dict[str, dict[str, Any] | None] = {
    "default, 107 features": None,
    "default, no diagnostics": {"setting": {"additionalInfo": False}},
    "LoG x 3 and Wavelet": {
        "imageType": {"Original": {}, "LoG": {"sigma": [1.0, 3.0, 5.0]}, "Wavelet": {}}
    },
    "resampled to 2 mm": {"setting": {"resampledPixelSpacing": [2, 2, 2]}},
}


SOME = ("brain1", "lung1")  # with filters PyRadiomics needs a minute for the largest
TEXTURES = ("glcm", "gldm", "glrlm", "glszm", "ngtdm")
MAPS = {
    "setting": {"additionalInfo": False},
    "featureClass": dict.fromkeys(TEXTURES),
}
SHAPE = {"setting": {"additionalInfo": False}, "featureClass": {"shape": None}}
SIGMAS = (1.0, 3.0, 5.0)  # mm
LONG = 5.0  # seconds: what a peer needs longer for is run as one pair


def against_peers(report: Report) -> None:
    """The table of times, and 50 perturbations beside one run of PyRadiomics."""
    data, python = os.environ.get("LESIONKIT_DATA"), python_of("pyradiomics")
    folder = folder_of(Path(data)) if data else None
    if folder is None or not folder.is_dir() or python is None:
        report.say(
            "radiomics: skipped, it needs $LESIONKIT_DATA/data/pyradiomics and $PYRADIOMICS_PYTHON"
        )
        return
    cases = CASES[:3] if report.quick else CASES
    some = SOME[:1] if report.quick else SOME
    for threads in (1,) if report.quick else (1, 2):
        rows = []
        with Peer(sys.executable, "lesionkit", threads) as ours:
            with Peer(python, "pyradiomics", threads) as peer:
                for job, params in JOBS.items():
                    for case in some if params and "imageType" in params else cases:
                        image, mask = image_and_mask(folder, case)
                        request = {"image": image, "mask": mask, "params": params}
                        rows.append([case, job, *_pairs(report, ours, peer, request)])
                if not report.quick:
                    rows += _shape_and_maps(report, ours, peer, folder)
            other = python_of("pictologics")
            bare = {"settings": {"additionalInfo": False}}  # which it has nothing like
            if other is not None:
                with Peer(other, "pictologics", threads) as peer:
                    for case in cases:
                        image, mask = image_and_mask(folder, case)
                        request = {"image": image, "mask": mask, "params": None, **bare}
                        row = _pairs(report, ours, peer, request)
                        rows.append([case, "no diagnostics, beside pictologics", *row])
        report.table(
            f"Radiomics, {threads} thread{'s' * (threads > 1)}",
            ["case", "job", "ours, CPU ms", "peer, CPU ms", "CPU ratio", "wall ratio"],
            rows,
            "Medians of interleaved pairs, one of jobs that take a peer more than 5 s; ratios "
            "above 1: ours is faster. Images are in memory.",
        )
    _filters(report, folder)
    _perturbed(report, folder, python, cases)


def _shape_and_maps(report: Report, ours: Peer, peer: Peer, folder: Path) -> list[list[str]]:
    """Rows of a ball of a million voxels, and of maps of a region of some thousand."""
    import SimpleITK as sitk

    z, y, x = np.ogrid[-70:71, -70:71, -70:71]
    ball = (z * z + y * y + x * x < 62.04**2).astype(np.int16)
    image, mask = image_and_mask(folder, "brain1")
    maps = {"image": image, "mask": mask, "params": MAPS, "voxelBased": True}
    with tempfile.TemporaryDirectory() as place:
        file = str(Path(place, "ball.nrrd"))
        sitk.WriteImage(sitk.GetImageFromArray(ball), file)
        shape = {"image": file, "mask": file, "params": SHAPE}
        return [
            [f"ball, {ball.sum()} voxels", "shape", *_pairs(report, ours, peer, shape)],
            ["brain1", "maps, 5 families", *_pairs(report, ours, peer, maps)],
        ]


def _filters(report: Report, folder: Path) -> None:
    """The LoG of whole images, whose bits must be SimpleITK's."""
    import SimpleITK as sitk

    import lesionkit
    from lesionkit.radiomics.filters import laplacian_of_gaussian

    lesionkit.threads(1)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    rows = []
    found: dict[str, Any] = {}
    for case in SOME[:1] if report.quick else SOME:
        picture = sitk.ReadImage(image_and_mask(folder, case)[0])
        values, spacing = sitk.GetArrayFromImage(picture), picture.GetSpacing()[::-1]
        for sigma in SIGMAS:

            def ours(sigma: float = sigma, values: Any = values, spacing: Any = spacing) -> None:
                found["ours"] = laplacian_of_gaussian(values, sigma, spacing)

            def theirs(sigma: float = sigma, picture: Any = picture) -> None:
                found["theirs"] = sitk.LaplacianRecursiveGaussian(picture, sigma, True)

            times = np.array([(_cpu(ours), _cpu(theirs)) for _ in range(report.pairs + 1)])[1:]
            same = np.array_equal(found["ours"], sitk.GetArrayViewFromImage(found["theirs"]))
            mine, other = 1e3 * np.median(times, axis=0)
            ratio = np.median(times[:, 1] / times[:, 0])
            row = [case, f"{sigma:g}", f"{mine:.0f}", f"{other:.0f}", f"{ratio:.1f}"]
            rows.append([*row, "yes" if same else "no"])
    report.table(
        "LoG of whole images beside SimpleITK, 1 thread",
        ["case", "sigma, mm", "ours, CPU ms", "SimpleITK, CPU ms", "CPU ratio", "equal bits"],
        rows,
    )


def _pairs(report: Report, ours: Peer, peer: Peer, request: dict[str, Any]) -> list[str]:
    """Our CPU ms, the peer's, and the medians of the ratios of CPU and of wall time."""
    ours.ask(request)  # both are warm
    long = peer.ask(request)["cpu"][0] > LONG
    cpu, wall = [], []
    for _ in range(1 if long else report.pairs):
        pair = [who.ask(request) for who in (ours, peer)]
        cpu.append([answer["cpu"][0] for answer in pair])
        wall.append([answer["wall"][0] for answer in pair])
    times, walls = np.array(cpu), np.array(wall)
    mine, theirs = 1e3 * np.median(times, axis=0)
    return [
        f"{mine:.1f}",
        f"{theirs:.0f}",
        f"{np.median(times[:, 1] / times[:, 0]):.1f}",
        f"{np.median(walls[:, 1] / walls[:, 0]):.1f}",
    ]


def _perturbed(report: Report, folder: Path, python: str, cases: tuple[str, ...]) -> None:
    import lesionkit
    from lesionkit.radiomics import Parameters, masks, robustness, volumes
    from lesionkit.radiomics.extraction import Source

    lesionkit.threads(1)
    rows = []
    with Peer(python, "pyradiomics") as peer:
        for case in cases:
            image, mask = image_and_mask(folder, case)
            source = Source(volumes.read(image, "image"))
            region = masks.find(volumes.read(mask, "mask"), 1)

            def run(source: Source = source, region: Any = region) -> None:
                robustness.perturbed(source, region, Parameters(), 50, 0)

            ratios = []
            for _ in range(report.pairs):
                mine = _cpu(run)
                theirs = peer.ask({"image": image, "mask": mask, "params": None})["cpu"][0]
                ratios.append((mine, theirs))
            mine, theirs = np.median(ratios, axis=0)
            ratio = np.median([b / a for a, b in ratios])
            rows.append([case, f"{mine:.2f}", f"{theirs:.2f}", f"{ratio:.2f}"])
    report.table(
        "50 perturbations beside one run of PyRadiomics, 1 thread",
        ["case", "ours, CPU s", "one run of PyRadiomics, CPU s", "ratio"],
        rows,
    )


def _cpu(run: Callable[[], None]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start
