"""The stroke study on files: each case read, segmented by each method, scored and written."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from lesionkit import __version__, io, job, metrics
from lesionkit.geometry import Geometry
from lesionkit.io.common import ADC
from lesionkit.studies.stroke import SEGMENTERS, Kind, Mask, Prepared, preprocess

AREA = 20.0  # mm^2, of the smallest region in a slice: the papers' 20 pixels, of 1 mm
ENDINGS = tuple(ending for ending in io.ENDINGS if ending != ".mat")
MASKS = ("_mask", "_msk")
NO_ADC = (
    "image must be a diffusion image, {} is a map of ADC by {}, in which acute lesions are dark"
)
PIXELS = Geometry(np.eye(4), 2, "pixel")  # of a case that has not been read


@dataclass(frozen=True)
class Case:
    """An image to segment, and the mask drawn by hand, if there is one.

    Attributes
    ----------
    name : str
        Of the case.
    image : Path
        The image.
    truth : Path or None
        The mask.
    kind : {"hyper", "hypo"}
        Of lesion.

    Examples
    --------
    >>> from pathlib import Path
    >>> from lesionkit.studies.stroke.cases import Case
    >>> Case("one", Path("one_dwi.nii.gz")).kind
    'hyper'
    """

    name: str
    image: Path
    truth: Path | None = None
    kind: Kind = "hyper"


@dataclass(frozen=True)
class Found:
    """What one method found in a case."""

    mask: Mask | None  # None once it is no longer needed
    seconds: float  # of the segmenter alone
    volume: float  # mm^3, of a slice mm^2
    scores: metrics.Scores | None


@dataclass(frozen=True)
class Outcome:
    """A case that is done; or that could not be, and why."""

    case: Case
    scene: Prepared | None = None
    truth: Mask | None = None
    found: dict[str, Found] = field(default_factory=dict)
    seconds: float = 0.0  # of the preprocessing
    geometry: Geometry = PIXELS  # of the image
    problem: str = ""

    def slim(self) -> Outcome:
        """The same without arrays: a folder may hold thousands of volumes."""
        found = {method: replace(f, mask=None) for method, f in self.found.items()}
        return replace(self, scene=None, truth=None, found=found)


def find_cases(image: Path, truth: Path | None = None, kind: Kind = "hyper") -> list[Case]:
    """Find the cases of a file or folder.

    A file, or a folder with one DICOM series, is one case. Of another folder the images whose names
    end with "_dwi" are cases, and without such all images whose names do not end with "_mask" or
    "_msk", and all folders in it with a DICOM series. The truth of NAME_dwi or NAME is a file
    NAME_mask or NAME_msk. Maps of ADC, known by their names, are left out of a folder; one that is
    named itself is refused.

    Parameters
    ----------
    image : Path
        File or folder.
    truth : Path, optional
        The mask of a file; the folder of masks, where `image` is a folder. None: next to the image.
    kind : {"hyper", "hypo"}, default "hyper"
        Of lesions.

    Returns
    -------
    list of Case
        By name.

    Raises
    ------
    ValueError
        Where there is no image, no mask in `truth`, or two images have one name.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from lesionkit.studies.stroke.cases import find_cases
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("1_dwi.nii.gz", "1_mask.nii.gz", "1_adc.nii.gz", "2_dwi.nii.gz"):
    ...         Path(folder, name).touch()
    ...     [(case.name, case.truth is not None) for case in find_cases(Path(folder))]
    [('1_dwi', True), ('2_dwi', False)]
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
    chosen = [p for p in files if _stem(p) != _base(_stem(p))]
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
        wanted = _base(names[0]) + MASKS[0]
        raise ValueError(f"truth must hold the mask of an image, {truth} has none such as {wanted}")
    return cases


def is_adc(path: Path) -> bool:
    """Whether a file is a map of the apparent diffusion coefficient, by its name."""
    return bool(ADC.search(_stem(path)))


def _check_no_adc(image: Path) -> None:
    if is_adc(image):
        raise ValueError(NO_ADC.format(image, "its name"))


def run(
    cases: Sequence[Case],
    methods: Iterable[str],
    out: Path,
    max_bytes: int = io.MAX_BYTES,
) -> Iterator[Outcome]:
    """Each case in turn; masks and their sidecars are written to `out`. A case that cannot be done
    leaves none there, not even of an earlier run. `max_bytes` is as of :func:`io.read_images`."""
    out.mkdir(parents=True, exist_ok=True)
    chosen = list(methods)
    _warm(chosen)
    for case in cases:
        done, problem = job.attempt(case.image, partial(_done, case, chosen, out, max_bytes))
        outcome = done or Outcome(case, problem=problem)
        if outcome.problem:
            for method in chosen:
                mask = out / mask_name(case.name, method)
                if case.truth is None or mask.resolve() != case.truth.resolve():
                    mask.unlink(missing_ok=True)
                    io.sidecar_of(mask).unlink(missing_ok=True)
        yield outcome


def _done(case: Case, methods: list[str], out: Path, max_bytes: int) -> Outcome:
    image = io.read_image(case.image, max_bytes=max_bytes)
    if image.adc:
        raise ValueError(NO_ADC.format(case.image, "DICOM's ImageType"))
    truth = None
    if case.truth is not None:
        truth = io.read_mask(case.truth, image, max_bytes=max_bytes).values
    start = time.perf_counter()
    try:
        scene = preprocess(image.values)
    except (ValueError, TypeError) as problem:
        raise ValueError(f"{case.image}: {problem}") from problem
    prepared = time.perf_counter() - start
    smallest = max(1, round(AREA / math.prod(image.spacing[-2:])))
    if smallest > math.prod(scene.brain.shape[-2:]):
        rows, columns = image.spacing[-2:]
        raise ValueError(
            f"{case.image} must have slices larger than {AREA:g} mm^2, which is the smallest "
            f"lesion; its pixels are {rows:g} x {columns:g} mm"
        )
    found = {}
    for method in methods:
        start = time.perf_counter()
        mask = SEGMENTERS[method](scene, case.kind, smallest=smallest)
        seconds = time.perf_counter() - start
        scores = None if truth is None else metrics.scores(mask, truth, image.geometry)
        found[method] = Found(mask, seconds, metrics.volume(mask, image.geometry), scores)
        io.write_mask(out / mask_name(case.name, method), mask, image, _sidecar(case, method))
    return Outcome(case, scene, truth, found, prepared, image.geometry)


def _warm(methods: list[str]) -> None:
    """Load what methods need, so that the first case's times are times of work."""
    slice_ = np.zeros((64, 64), np.uint16)
    slice_[8:56, 12:52] = 100 + np.arange(40) % 7
    slice_[20:34, 16:28] = 300
    for method in methods:
        SEGMENTERS[method](slice_)


def mask_name(case: str, method: str) -> str:
    """BIDS' name of a derived mask: NAME_label-lesion_desc-METHOD_mask.nii.gz."""
    return f"{_base(case)}_label-lesion_desc-{method}_mask.nii.gz"


def _sidecar(case: Case, method: str) -> dict[str, object]:
    what = (SEGMENTERS[method].__doc__ or "").strip().split("\n")[0]
    return {
        "Type": "Lesion",
        "Sources": [case.image.name],
        "Description": f"{what} Kind: {case.kind}intense.",
        "Manual": False,
        "GeneratedBy": [{"Name": "lesionkit", "Version": __version__}],
    }


def _stem(path: Path) -> str:
    for ending in ENDINGS:
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)]
    return path.name


def _base(name: str) -> str:
    """The name without "_dwi", in whatever case."""
    return name[: -len("_dwi")] if name.lower().endswith("_dwi") else name


def _truth_of(image: Path, folder: Path) -> Path | None:
    name = _base(_stem(image))
    for path in sorted(folder.iterdir()):
        if _stem(path) in [name + mask for mask in MASKS] and path.name.lower().endswith(ENDINGS):
            return path
    return None


def table(outcomes: Iterable[Outcome]) -> list[dict[str, str]]:
    """A row for each case and method; empty where there is no truth."""
    rows = []
    for outcome in outcomes:
        for method, found in outcome.found.items():
            row = {
                "case": outcome.case.name,
                "kind": outcome.case.kind,
                "method": method,
                "volume": f"{found.volume:.1f}",
                "seconds": f"{found.seconds:.4f}",
            }
            scores = found.scores
            for name in (*metrics.Scores._fields[:6], "true_volume"):
                row[name] = "" if scores is None else f"{getattr(scores, name):.4f}"
            rows.append(row)
    return rows


def means(outcomes: Iterable[Outcome]) -> dict[str, dict[str, float]]:
    """The mean of each score of each method, over the cases that have a truth. A distance that is
    infinite, for one mask is empty, is left out of its mean."""
    gathered: dict[str, list[metrics.Scores]] = {}
    for outcome in outcomes:
        for method, found in outcome.found.items():
            if found.scores is not None:
                gathered.setdefault(method, []).append(found.scores)
    result = {}
    for method, scores in gathered.items():
        columns = np.array(scores, float)
        columns[~np.isfinite(columns)] = np.nan
        known = np.isfinite(columns).any(0)
        result[method] = {
            name: float(np.nanmean(columns[:, i])) if known[i] else math.inf
            for i, name in enumerate(metrics.Scores._fields)
        }
    return result
