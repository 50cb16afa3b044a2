"""`lesionkit reconstruct`: maps from a phantom store, or from NIRFAST's measurement files."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lesionkit import files
from lesionkit.cli import measured, results
from lesionkit.cli.parser import add_command, add_format, add_overwrite, add_threads
from lesionkit.progress import Progress
from lesionkit.report import TITLES

Maps = Callable[..., np.ndarray]


class Method(NamedTuple):
    """A way from signals to maps: `maps(signals, recipe, mri, model, missing)` is (n, 3, pixels,
    pixels)."""

    maps: Maps
    needs_mri: bool
    learned: bool  # of a net, --weights
    says: str


def _classical(name: str) -> Maps:
    def maps(signals: Any, recipe: Any, mri: Any, _: Path | None, missing: Any) -> np.ndarray:
        from lesionkit.optics import reconstruct_phantoms

        images = mri if METHODS[name].needs_mri else None
        return reconstruct_phantoms(signals, recipe, mri=images, method=name, missing=missing)  # type: ignore[arg-type]

    return maps


def _learned(name: str) -> Maps:
    def maps(signals: Any, recipe: Any, mri: Any, model: Path | None, missing: Any) -> np.ndarray:
        net = trained(name, model)
        return net.reconstruct(signals, recipe, mri=mri, missing=missing)  # type: ignore[no-any-return]

    return maps


@functools.lru_cache(maxsize=1)
def trained(name: str, model: Path | None) -> Any:
    """The net that --weights names."""
    if model is None:
        raise ValueError(f"method {name!r} needs --weights, the folder of a training run")
    try:
        from lesionkit.nets.reconstruction import load
    except ImportError as missing:
        raise ValueError(str(missing)) from missing
    net = load(model)
    if net.name != name:
        raise ValueError(f"--weights must hold a {name}, got the {net.name} of {model}")
    return net


METHODS = {
    "tikhonov": Method(_classical("tikhonov"), False, False, "no image: each map near its mean"),
    "dri": Method(_classical("dri"), True, False, "guided by an MR image, without a segmentation"),
    "znet": Method(_learned("znet"), True, True, "a net trained by `lesionkit train`, --weights"),
    "ynet": Method(_learned("ynet"), True, True, "the net that Z-Net is compared with"),
    "linear-unet": Method(_learned("linear-unet"), True, True, "a U-Net on a linear estimate"),
    "znet-no-mri": Method(_learned("znet-no-mri"), False, True, "Z-Net of the signals alone"),
}

AT_ONCE = 32  # phantoms between two looks at Ctrl-C, and two ticks of the bar
ROWS = 4  # phantoms in the picture
MEASURED = (
    *("mri", "fiducials", "plane", "region", "reference", "mesh", "frequency", "maps"),
    *("tissue", "max_move", "least_squares"),
)
"""Options that a store has no use for."""


def add_to(commands: Any) -> None:
    """Add the subcommand to the parser."""
    parser = add_command(
        commands,
        "reconstruct",
        run,
        draws_with="phantoms",
        help="maps of HbO, Hb and water from signals",
        description="Reconstruct maps from a phantom store, or from a NIRFAST .paa or a SNIRF file "
        "with its homogeneous --reference. Leaves maps.npz and a picture in the folder --out; of a "
        "mesh of tetrahedra a NIfTI volume for each map. "
        "Methods: " + "; ".join(f"{name}: {method.says}" for name, method in METHODS.items()) + ".",
        example="lesionkit reconstruct phantoms.zarr --method dri --count 4 --out dri",
    )
    add = parser.add_argument
    add("data", type=Path, metavar="DATA", help="a store, a .paa or a .snirf file")
    add("--method", choices=METHODS, required=True, help="see above")
    add("--out", type=Path, required=True, metavar="DIR", help="made if need be")
    add(
        "--mri",
        type=Path,
        metavar="IMAGE",
        help="for dri and nets on measured data: an image or .npy, rows from the top, over the "
        "width and height of the mesh; for a mesh of tetrahedra, which lies in its space (right, "
        "front, up, mm), a volume, whose voxels the maps will have (default: a store has its own)",
    )
    add(
        "--weights",
        "--net",
        dest="weights",
        type=Path,
        metavar="RUN",
        help="for a net: the folder of its training run (default: none)",
    )
    add("--first", type=int, metavar="I", help="first phantom of a store (default: 0)")
    add("--count", type=int, metavar="N", help="phantoms of a store (default: all from there on)")
    add(
        "--fiducials",
        type=Path,
        metavar="FILE",
        help="cut the image from the volume --mri (NIfTI, DICOM, ...): a line for each of three "
        "markers or more, x y of the mesh and their place in the volume, right front up, all mm "
        "(default: --mri is the plane)",
    )
    add(
        "--plane",
        type=float,
        nargs=9,
        metavar="MM",
        help="the same by nine numbers: the place (right, front, up) of the mesh's origin in the "
        "volume, and the directions of its x and y axes (default: none)",
    )
    add(
        "--region",
        type=Path,
        metavar="MASK",
        help="of measured data: the lesion whose contrast with normal tissue is told, an image or "
        ".npy as --mri, above 0 inside (default: found by k-means on the MR plane, or on HbT)",
    )
    add(
        "--missing",
        type=_numbers,
        default=(),
        metavar="I,J",
        help="do without these optodes, such as 3,7: by their numbers in measured files, from 0 in "
        "a store; a net must have been trained with --missing (default: none)",
    )
    add(
        "--reference",
        type=Path,
        metavar="FILE",
        help="measured data of a homogeneous object (default: none; measured data need one)",
    )
    add(
        "--mesh",
        type=Path,
        metavar="NAME",
        help="of measured data (default: the one beside them)",
    )
    add(
        "--frequency",
        type=float,
        metavar="MHZ",
        help="of measured data; 0: the amplitudes are of continuous light, which needs --tissue "
        "(default: what a .snirf file says, 100 for .paa)",
    )
    add(
        "--tissue",
        type=float,
        nargs=5,
        metavar=("HBO", "HB", "WATER", "A", "B"),
        help="of the homogeneous object: micromolar, per cent, mus' = A (nm / 1000)^-B (default: "
        "the best fit, which needs phases)",
    )
    add(
        "--maps",
        nargs="+",
        choices=("hbo", "hb", "water", "lipid", "amplitude"),
        metavar="MAP",
        help="of measured data: hbo, hb, water, lipid, amplitude; two wavelengths need no more "
        "than two chromophores (default: hbo hb water amplitude)",
    )
    add(
        "--max-move",
        type=float,
        metavar="MM",
        help="of measured data: optodes further from the rim of the mesh are refused (default: 3)",
    )
    add(
        "--least-squares",
        action="store_true",
        help="of measured data: let outliers count like all readings",
    )
    add_threads(parser)
    add_format(parser)
    add_overwrite(parser)


def _numbers(text: str) -> tuple[int, ...]:
    """Whole numbers between commas."""
    try:
        return tuple(map(int, text.split(",")))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be whole numbers between commas, such as 3,7, got {text!r}"
        ) from None


def run(options: argparse.Namespace) -> None:
    """Do it."""
    method = METHODS[options.method]
    results.check_no_results(options, "maps.npz")
    net = None
    if method.learned:
        net = trained(options.method, options.weights)
    elif options.weights is not None:
        raise ValueError(f"--weights belongs to a net, got method {options.method!r}")
    if options.data.suffix.lower() in (".paa", ".snirf"):
        for name in ("first", "count"):
            if getattr(options, name) is not None:
                raise ValueError(f"--{name} belongs to a store, got measured data, {options.data}")
        with _folder(options.out):
            measured.run(options, method.needs_mri, net)
    else:
        with _folder(options.out):
            _store(options, method)


def _store(options: argparse.Namespace, method: Method) -> None:
    from lesionkit import arrays
    from lesionkit.optics import open_phantoms, spectra
    from lesionkit.optics.reconstruction.blood import with_blood
    from lesionkit.studies.nirst.contrast import contrast

    for name in (
        "mri",
        "region",
        "reference",
        "mesh",
        "frequency",
        "maps",
        "max_move",
        "least_squares",
    ):
        if getattr(options, name) not in (None, False):
            flag = name.replace("_", "-")
            raise ValueError(f"--{flag} belongs to measured data, got a store, {options.data}")
    phantoms = open_phantoms(options.data)
    first = arrays.integer(options.first or 0, "first", at_least=0, at_most=len(phantoms) - 1)
    rest = len(phantoms) - first
    count = arrays.integer(
        rest if options.count is None else options.count, "count", at_least=1, at_most=rest
    )
    pieces = []
    with Progress("phantoms") as told:
        for begin in range(first, first + count, AT_ONCE):
            end = min(begin + AT_ONCE, first + count)
            signal, mri = (phantoms.read(name, begin, end) for name in ("signal", "mri"))
            maps = method.maps(signal, phantoms.recipe, mri, options.weights, options.missing)
            pieces.append(maps)
            told(end - first, count)
    maps = np.concatenate(pieces)
    truth = phantoms.read("chromophores", first, first + count)
    inside = phantoms.recipe.inside
    error = np.square(maps - truth, dtype=np.float64)[..., inside].mean(axis=(0, 2))
    blood = with_blood(dict(zip(spectra.CHROMOPHORES, np.moveaxis(maps, 1, 0), strict=True)))
    kept = {"chromophores": maps, "hbt": blood["hbt"], "sto2": blood["sto2"]}
    kept |= {"index": np.arange(first, first + count), "method": np.array(options.method)}
    images = phantoms.read("mri", first, first + count)
    tissue = {name: np.where(phantoms.recipe.inside, x, np.nan) for name, x in blood.items()}
    pixel = 2 * phantoms.recipe.radius / phantoms.recipe.pixels
    found = [
        contrast({name: x[i] for name, x in tissue.items()}, pixel, image=image)
        for i, image in enumerate(images)
    ]
    kept |= measured.contrast_parts(found)
    results.save(options.out / "maps.npz", kept)

    from lesionkit import report

    picture = options.out / f"maps.{options.format}"
    shown = slice(0, min(ROWS, count))
    report.compare_maps(
        truth[shown],
        maps[shown],
        np.asarray(phantoms.mri[first : first + count][shown]),
        phantoms.recipe,
        _titled(options.method, first, min(ROWS, count)),
        picture,
    )
    named = zip(("HbO", "Hb", "water"), error, ("uM^2", "uM^2", "%^2"), strict=True)
    print(f"{count:,} phantoms by {TITLES[options.method]}")
    print(
        "  mean squared error over the disc  " + ", ".join(f"{n} {e:.3g} {u}" for n, e, u in named)
    )
    print(measured.contrast_line(found))
    print(f"  maps       {options.out / 'maps.npz'}\n  picture    {picture}")


def _titled(method: str, first: int, count: int) -> str:
    last = first + count - 1
    which = f"phantom {first}" if count == 1 else f"phantoms {first} to {last}"
    return f"{TITLES[method]}, {which}"


@contextmanager
def _folder(path: Path) -> Iterator[None]:
    """Within the block the folder is there; it goes again if nothing came into it."""
    files.check_folder(path, "--out")
    made = [part for part in (path, *path.parents) if not part.exists()]
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for part in made:
            if any(part.iterdir()):
                break
            part.rmdir()
        raise
