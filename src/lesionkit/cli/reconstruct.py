"""`lesionkit reconstruct`: maps from a phantom store, or from NIRFAST's measurement files."""

from __future__ import annotations

import argparse
import functools
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lesionkit import extras, files
from lesionkit.cli.parser import add_command, add_format, add_overwrite, add_threads
from lesionkit.cli.results import check_no_results
from lesionkit.progress import Progress
from lesionkit.report import TITLES

Maps = Callable[[np.ndarray, Any, np.ndarray, Path | None], np.ndarray]


class Method(NamedTuple):
    """A way from signals to maps: `maps(signals, recipe, mri, model)` is (n, 3, pixels, pixels)."""

    maps: Maps
    needs_mri: bool
    measured: bool  # reads .paa files too
    says: str


def _classical(name: str) -> Maps:
    def maps(signals: np.ndarray, recipe: Any, mri: np.ndarray, _: Path | None) -> np.ndarray:
        from lesionkit.optics import reconstruct_phantoms

        images = mri if METHODS[name].needs_mri else None
        return reconstruct_phantoms(signals, recipe, mri=images, method=name)  # type: ignore[arg-type]

    return maps


def _learned(name: str) -> Maps:
    def maps(signals: np.ndarray, recipe: Any, mri: np.ndarray, model: Path | None) -> np.ndarray:
        return _trained(name, model).reconstruct(signals, recipe, mri=mri)  # type: ignore[no-any-return]

    return maps


@functools.lru_cache(maxsize=1)
def _trained(name: str, model: Path | None) -> Any:
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
    "tikhonov": Method(_classical("tikhonov"), False, True, "no image: each map near its mean"),
    "dri": Method(_classical("dri"), True, True, "guided by an MR image, without a segmentation"),
    "znet": Method(_learned("znet"), True, False, "a net trained by `lesionkit train`, --weights"),
    "ynet": Method(_learned("ynet"), True, False, "the net that Z-Net is compared with"),
    "linear-unet": Method(_learned("linear-unet"), True, False, "a U-Net on a linear estimate"),
}

AT_ONCE = 32  # phantoms between two looks at Ctrl-C, and two ticks of the bar
ROWS = 4  # phantoms in the picture
PIXELS = 100  # a side, of maps of measured data


def add_to(commands: Any) -> None:
    """Add the subcommand to the parser."""
    parser = add_command(
        commands,
        "reconstruct",
        run,
        draws_with="phantoms",
        help="maps of HbO, Hb and water from signals",
        description="Reconstruct maps from a phantom store, or from a NIRFAST .paa or a SNIRF file "
        "with its homogeneous --reference. Leaves maps.npz and a picture in the folder --out. "
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
        help="for dri on measured data: an image or .npy, rows from the top, over the width and "
        "height of the mesh (default: a store has its own)",
    )
    add(
        "--weights",
        type=Path,
        metavar="RUN",
        help="for a net: the folder of its training run (default: none)",
    )
    add("--first", type=int, metavar="I", help="first phantom of a store (default: 0)")
    add("--count", type=int, metavar="N", help="phantoms of a store (default: all from there on)")
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
        help="of measured data, above 0 (default: what a .snirf file says, 100 for .paa)",
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


def run(options: argparse.Namespace) -> None:
    """Do it."""
    method = METHODS[options.method]
    check_no_results(options, "maps.npz")
    if not method.measured:
        _trained(options.method, options.weights)
    elif options.weights is not None:
        raise ValueError(f"--weights belongs to a net, got method {options.method!r}")
    if options.data.suffix.lower() in (".paa", ".snirf"):
        if not method.measured:
            raise ValueError(f"method {options.method!r} reads a phantom store, got {options.data}")
        for name in ("first", "count"):
            if getattr(options, name) is not None:
                raise ValueError(f"--{name} belongs to a store, got measured data, {options.data}")
        with _folder(options.out):
            _measured(options, method)
    else:
        with _folder(options.out):
            _store(options, method)


def _store(options: argparse.Namespace, method: Method) -> None:
    from lesionkit import arrays
    from lesionkit.optics import open_phantoms

    for name in ("mri", "reference", "mesh", "frequency", "maps", "max_move", "least_squares"):
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
            pieces.append(method.maps(signal, phantoms.recipe, mri, options.weights))
            told(end - first, count)
    maps = np.concatenate(pieces)
    truth = phantoms.read("chromophores", first, first + count)
    inside = phantoms.recipe.inside
    error = np.square(maps - truth, dtype=np.float64)[..., inside].mean(axis=(0, 2))
    arrays_out = {"chromophores": maps, "index": np.arange(first, first + count)}
    _save(options.out / "maps.npz", {**arrays_out, "method": np.array(options.method)})

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
    print(f"  maps       {options.out / 'maps.npz'}\n  picture    {picture}")


def _titled(method: str, first: int, count: int) -> str:
    last = first + count - 1
    which = f"phantom {first}" if count == 1 else f"phantoms {first} to {last}"
    return f"{TITLES[method]}, {which}"


def _measured(options: argparse.Namespace, method: Method) -> None:
    from lesionkit.optics.reconstruction.measured import reconstruct_measured

    if options.reference is None:
        raise ValueError("--reference must name the file of a homogeneous object")
    if method.needs_mri != (options.mri is not None):
        wants = "needs" if method.needs_mri else "does not take"
        raise ValueError(f"method {options.method!r} {wants} an image, --mri")
    image = None if options.mri is None else _image(options.mri)
    chosen: dict[str, Any] = {"robust": None} if options.least_squares else {}
    if options.max_move is not None:
        chosen["max_move"] = options.max_move
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".* readings are so far from")  # told below
        measured = reconstruct_measured(
            options.data,
            options.reference,
            options.mesh,
            frequency=None if options.frequency is None else options.frequency * 1e6,
            maps=options.maps,
            image=image,
            **chosen,
        )
    maps, extent = measured.pixels(PIXELS)
    found = measured.found
    _save(
        options.out / "maps.npz",
        {
            **maps,
            "extent": np.array(extent),
            "residuals": found.residuals,
            **{f"reference_{name}": np.array(x) for name, x in measured.reference_tissue.items()},
        },
    )

    from lesionkit import report

    picture = options.out / f"maps.{options.format}"
    report.tissue_maps(maps, extent, f"{options.data.name}, {TITLES[options.method]}", picture)
    steps = found.residuals[np.isfinite(found.residuals)]
    print(f"{options.data} by {TITLES[options.method]}, {len(measured.pairs)} pairs")
    print("  residuals  " + ", ".join(f"{r:.4f}" for r in steps))
    tissue = ", ".join(f"{name} {x:.3g}" for name, x in measured.reference_tissue.items())
    print(f"  reference  {tissue}")
    moved = [f"{name} up to {far.max():.2g} mm" for name, far in measured.moved.items()]
    print(f"  moved      to the rim: {', '.join(moved)}")
    if measured.outliers:
        named = [f"{s + 1}-{d + 1} at {nm:g} nm" for s, d, nm in measured.outliers]
        print(f"  outliers   {', '.join(named)}: they hardly count")
    print(f"  maps       {options.out / 'maps.npz'}\n  picture    {picture}")


def _image(path: Path) -> np.ndarray:
    """Gray values (rows, columns) of an .npy or an image file."""
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        if path.suffix.lower() == ".npy":
            return np.asarray(np.load(path, allow_pickle=False))
        with extras.require("PIL.Image", "pictures need").open(path) as image:
            return np.asarray(image.convert("F"))
    except (ValueError, OSError) as problem:
        raise ValueError(f"--mri must be an image or .npy, got {path}: {problem}") from problem


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


def _save(path: Path, parts: dict[str, np.ndarray]) -> None:
    with files.whole(path) as partial, open(partial, "wb") as stream:
        np.savez_compressed(stream, **parts)  # type: ignore[arg-type]
