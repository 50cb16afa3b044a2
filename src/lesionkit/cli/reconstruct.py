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

from lesionkit import files

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
}

AT_ONCE = 32  # phantoms between two looks at Ctrl-C, and two ticks of the bar
ROWS = 4  # phantoms in the picture
PIXELS = 100  # a side, of maps of measured data


def add_to(commands: Any) -> None:
    """Add the subcommand to the parser."""
    parser = commands.add_parser(
        "reconstruct",
        help="maps of HbO, Hb and water from signals",
        description="Reconstruct maps from a phantom store, or from a NIRFAST .paa or a SNIRF file "
        "with its homogeneous --reference. Leaves maps.npz and maps.png in the folder --out. "
        "Methods: " + "; ".join(f"{name}: {method.says}" for name, method in METHODS.items()) + ".",
    )
    parser.set_defaults(run=run)
    parser.add_argument("data", type=Path, metavar="DATA", help="a store, a .paa or a .snirf file")
    parser.add_argument("--method", choices=METHODS, required=True)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="made if need be")
    parser.add_argument(
        "--mri",
        type=Path,
        metavar="IMAGE",
        help="an image or .npy, rows from the top, over the width and height of the mesh (a store "
        "has its own)",
    )
    parser.add_argument("--weights", type=Path, metavar="RUN", help="of a net: its training run")
    parser.add_argument("--first", type=int, metavar="I", help="phantom of a store (0)")
    parser.add_argument("--count", type=int, metavar="N", help="phantoms of a store (all)")
    parser.add_argument(
        "--reference", type=Path, metavar="FILE", help="homogeneous, of measured data"
    )
    parser.add_argument(
        "--mesh", type=Path, metavar="NAME", help="of measured data (the one beside it)"
    )
    parser.add_argument(
        "--frequency",
        type=float,
        metavar="MHZ",
        help="of measured data, above 0 (what a .snirf file says, 100 for .paa)",
    )
    parser.add_argument(
        "--maps",
        nargs="+",
        choices=("hbo", "hb", "water", "lipid", "amplitude"),
        help="of measured data; two wavelengths need no more than two chromophores (hbo hb water "
        "amplitude)",
    )
    parser.add_argument(
        "--max-move",
        type=float,
        metavar="MM",
        help="of measured data: optodes further from the rim of the mesh are refused (3)",
    )
    parser.add_argument(
        "--least-squares",
        action="store_true",
        help="of measured data: let outliers count like all readings",
    )


def run(options: argparse.Namespace) -> None:
    """Do it."""
    method = METHODS[options.method]
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
    from tqdm import tqdm

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
    with tqdm(total=count, unit=" phantoms", disable=None) as bar:
        for begin in range(first, first + count, AT_ONCE):
            end = min(begin + AT_ONCE, first + count)
            signal, mri = (phantoms.read(name, begin, end) for name in ("signal", "mri"))
            pieces.append(method.maps(signal, phantoms.recipe, mri, options.weights))
            bar.update(end - begin)
    maps = np.concatenate(pieces)
    truth = phantoms.read("chromophores", first, first + count)
    error = np.square(maps - truth, dtype=np.float64).mean(axis=(0, 2, 3))
    arrays_out = {"chromophores": maps, "index": np.arange(first, first + count)}
    _save(options.out / "maps.npz", {**arrays_out, "method": np.array(options.method)})

    from lesionkit import report

    shown = slice(0, min(ROWS, count))
    report.compare_maps(
        truth[shown],
        maps[shown],
        np.asarray(phantoms.mri[first : first + count][shown]),
        phantoms.recipe.radius,
        f"{options.method}, phantoms {first} to {first + min(ROWS, count) - 1}",
        options.out / "maps.png",
    )
    named = zip(("HbO", "Hb", "water"), error, ("uM^2", "uM^2", "%^2"), strict=True)
    print(f"{count:,} phantoms by {options.method}")
    print(
        "  mean squared error over all pixels  "
        + ", ".join(f"{n} {e:.3g} {u}" for n, e, u in named)
    )
    print(f"  maps       {options.out / 'maps.npz'}\n  picture    {options.out / 'maps.png'}")


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

    report.tissue_maps(
        maps, extent, f"{options.data.name}, {options.method}", options.out / "maps.png"
    )
    steps = found.residuals[np.isfinite(found.residuals)]
    print(f"{options.data} by {options.method}, {len(measured.pairs)} pairs")
    print("  residuals  " + ", ".join(f"{r:.4f}" for r in steps))
    tissue = ", ".join(f"{name} {x:.3g}" for name, x in measured.reference_tissue.items())
    print(f"  reference  {tissue}")
    moved = [f"{name} up to {far.max():.2g} mm" for name, far in measured.moved.items()]
    print(f"  moved      to the rim: {', '.join(moved)}")
    if measured.outliers:
        named = [f"{s + 1}-{d + 1} at {nm:g} nm" for s, d, nm in measured.outliers]
        print(f"  outliers   {', '.join(named)}: they hardly count")
    print(f"  maps       {options.out / 'maps.npz'}\n  picture    {options.out / 'maps.png'}")


def _image(path: Path) -> np.ndarray:
    """Gray values (rows, columns) of an .npy or an image file."""
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        if path.suffix.lower() == ".npy":
            return np.asarray(np.load(path, allow_pickle=False))
        from PIL import Image

        with Image.open(path) as image:
            return np.asarray(image.convert("F"))
    except (ValueError, OSError) as problem:
        raise ValueError(f"--mri must be an image or .npy, got {path}: {problem}") from problem


@contextmanager
def _folder(path: Path) -> Iterator[None]:
    """Within the block the folder is there; it goes again if nothing came into it."""
    files.require_folder(path, "--out")
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
