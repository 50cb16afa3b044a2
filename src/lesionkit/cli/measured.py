"""`lesionkit reconstruct` on an instrument's files."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lesionkit import extras
from lesionkit.cli import results
from lesionkit.report import TITLES

if TYPE_CHECKING:
    from lesionkit.studies.nirst.contrast import Contrast

PIXELS = 100  # a side of the maps
CUT = 200  # pixels, a side of a plane that is cut from a volume
GRAY = 50.0  # its median: phantoms' background, for which the gray scale of DRI was chosen
VOLUMES = (".nii", ".nii.gz", ".dcm", ".ima", ".dicom", ".mha", ".mhd", ".nrrd", ".nhdr")
NAMES = {
    **{"hbt": "HbT", "sto2": "StO2", "hbo": "HbO", "hb": "Hb"},
    **{"water": "water", "lipid": "lipid", "amplitude": "scattering"},
}
"""Of maps, in the order in which contrasts are told."""

NEVER = {"maps": "--maps", "least_squares": "--least-squares"}  # of a net


def run(options: argparse.Namespace, needs_mri: bool, net: Any) -> None:
    """Maps, and a picture of them; net: a TrainedNet, or None for Tikhonov and DRI."""
    if options.reference is None:
        raise ValueError("--reference must name the file of a homogeneous object")
    if needs_mri != (options.mri is not None):
        wants = "needs" if needs_mri else "does not take"
        raise ValueError(f"method {options.method!r} {wants} an image, --mri")
    chosen: dict[str, Any] = {"missing": options.missing}
    if options.frequency is not None:
        chosen["frequency"] = options.frequency * 1e6
    if options.tissue is not None:
        contents = ("hbo", "hb", "water", "amplitude", "power")
        chosen["reference_tissue"] = dict(zip(contents, options.tissue, strict=True))
    if options.max_move is not None:
        chosen["max_move"] = options.max_move
    if _mesh(options).solid:
        _volumes(options, net, chosen)
        return
    image = region = None
    if options.mri is not None:
        chosen["image"] = image = _mr_image(options)
    if options.region is not None:
        region = _image(options.region, "--region") > 0
    files = (options.data, options.reference, options.mesh)
    made, told, kept = (_classical if net is None else _learned)(options, net, files, chosen)

    from lesionkit import report
    from lesionkit.optics.reconstruction.blood import with_blood

    images, extent = made.pixels(PIXELS)
    maps = with_blood(images)
    tissue = made.reference_tissue
    found = _contrast(maps, made.mesh, image, region)
    results.save(
        options.out / "maps.npz",
        {
            **maps,
            "extent": np.array(extent),
            **kept,
            **contrast_parts([found]),
            **{f"reference_{name}": np.array(x) for name, x in tissue.items()},
        },
    )
    picture = options.out / f"maps.{options.format}"
    title = f"{options.data.name}, {TITLES[options.method]}"
    report.tissue_maps(maps, extent, title, picture, found and found.region)
    _tell(made, told)
    print(contrast_line([found]))
    print(f"  maps       {options.out / 'maps.npz'}\n  picture    {picture}")


def _tell(made: Any, told: Sequence[str]) -> None:
    """Print what was measured, with what reference, and where its optodes are."""
    for line in told:
        print(line)
    named = [f"{name} {x:.3g}" for name, x in made.reference_tissue.items()]
    print("  reference  " + ", ".join(named))
    moved = [f"{name} up to {far.max():.2g} mm" for name, far in made.moved.items()]
    print(f"  moved      to the rim: {', '.join(moved)}")


def _mesh(options: argparse.Namespace) -> Any:
    from lesionkit.optics import read_mesh
    from lesionkit.optics.readings import instrument

    if not options.data.exists():
        raise FileNotFoundError(f"there is no file {options.data}")
    return read_mesh(instrument.mesh_name(options.data, options.mesh))


def _volumes(options: argparse.Namespace, net: Any, chosen: dict[str, Any]) -> None:
    """Maps in a mesh of tetrahedra: a NIfTI file each, on the voxels of the MR volume, or without
    one on cubes over the mesh. Of the MR volume's header they have the affine alone."""
    from lesionkit import io
    from lesionkit.optics.reconstruction.blood import with_blood

    if net is not None:
        raise ValueError(
            f"method {options.method!r} takes a mesh of triangles, got {_mesh(options)!r}"
        )
    for name in ("fiducials", "plane", "region"):
        if getattr(options, name) is not None:
            raise ValueError(f"--{name} belongs to a mesh of triangles, got {_mesh(options)!r}")
    results.check_no_results(options, *(f"{name}.nii.gz" for name in NAMES))
    like = None
    if options.mri is not None:
        like, chosen["image"] = _mr_volume(options)
        chosen["geometry"] = like.geometry
    files = (options.data, options.reference, options.mesh)
    made, told, _ = _classical(options, net, files, chosen)
    if like is None:
        volumes, where = made.voxels()
        values = next(iter(volumes.values()))
        like = io.Image(values, where, where.affine, np.array([[0, 1], [1, 1], [2, 1]]))
    else:
        volumes, _ = made.voxels(like.values.shape, like.geometry)
    maps = with_blood(volumes)
    for name, values in maps.items():
        io.write_image(options.out / f"{name}.nii.gz", values, like)
    for name in set(NAMES) - set(maps):  # of the run that this one replaces
        (options.out / f"{name}.nii.gz").unlink(missing_ok=True)
    _tell(made, told)
    for name, values in maps.items():
        known = values[~np.isnan(values)]
        spread = f"{known.min():.3g} to {known.max():.3g}, median {np.median(known):.3g}"
        print(f"  {NAMES[name]:10} {spread}: {options.out / name}.nii.gz")


def _mr_volume(options: argparse.Namespace) -> tuple[Any, Any]:
    """The MR volume, and its gray values scaled to the phantoms'."""
    from lesionkit import io
    from lesionkit.optics.reconstruction.images import at_middles, check_holds

    images = io.read_images(options.mri)
    if len(images) > 1:
        raise ValueError(
            f"--mri must be one volume, got {options.mri}, which holds {len(images)}: "
            f"{', '.join(list(images)[:4])}{', ...' * (len(images) > 4)}"
        )
    image = next(iter(images.values()))
    if image.values.ndim != 3 or image.geometry.unit != "mm":
        raise ValueError(
            f"--mri must be a volume in mm for a mesh of tetrahedra, got {options.mri} of "
            f"{image.values.ndim} axes in {image.geometry.unit}"
        )
    if not image.placed:
        raise ValueError(
            f"--mri must say where it lies, got {options.mri}, whose sform and qform are not set"
        )
    mesh, name = _mesh(options), f"--mri, {options.mri},"
    check_holds(mesh, image.values.shape, image.geometry, name)
    median = float(np.median(at_middles(mesh, image.values, image.geometry)))
    if not median > 0:
        raise ValueError(
            f"--mri must show tissue within the mesh, got {options.mri}, whose median there is "
            f"{median:g}"
        )
    return image, image.values * (GRAY / median)


def _classical(options: argparse.Namespace, _: Any, files: Any, chosen: Any) -> Any:
    from lesionkit.optics import reconstruct_measured

    if options.least_squares:
        chosen["robust"] = None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".* readings are so far from")  # told below
        made = reconstruct_measured(*files, maps=options.maps, **chosen)
    steps = made.found.residuals[np.isfinite(made.found.residuals)]
    told = [
        f"{options.data} by {TITLES[options.method]}, {len(made.pairs)} pairs",
        "  residuals  " + ", ".join(f"{r:.4f}" for r in steps),
    ]
    if made.outliers:
        named = [f"{s + 1}-{d + 1} at {nm:g} nm" for s, d, nm in made.outliers]
        told.append(f"  outliers   {', '.join(named)}: they hardly count")
    return made, told, {"residuals": made.found.residuals}


def _learned(options: argparse.Namespace, net: Any, files: Any, chosen: Any) -> Any:
    from lesionkit.nets import reconstruct_measured

    for name, flag in NEVER.items():
        if getattr(options, name):
            raise ValueError(f"{flag} belongs to tikhonov and dri, got method {options.method!r}")
    made = reconstruct_measured(net, *files, **chosen)
    told = [
        f"{options.data} by {TITLES[options.method]}, {made.readings.sum()} of "
        f"{made.readings.size} readings that the net knows",
        f"  placed     turned by {made.turned:.1f} degrees onto the net's optodes, at most "
        f"{made.off:.2f} mm off",
    ]
    if len(made.left_out):
        unknown = ", ".join(f"{nm:g}" for nm in made.left_out)
        told.append(f"  left out   {unknown} nm, which the net never learned")
    return made, told, {"readings": made.readings}


def _contrast(maps: Any, mesh: Any, image: Any, region: Any) -> Any:
    """The contrast of the region that is given, or found; None where maps have no HbT to find it
    on, or nothing in them stands out."""
    from lesionkit.optics.reconstruction.images import pixel_middles, sampled, square
    from lesionkit.studies.nirst.contrast import contrast

    if region is None and image is None and "hbt" not in maps:
        return None

    points = pixel_middles(mesh, PIXELS, PIXELS)[0]
    middle, half = square(mesh)

    def over(given: Any, order: int) -> Any:
        return sampled(given, points, middle, half, order).reshape(PIXELS, PIXELS)

    return contrast(
        maps,
        2 * half / PIXELS,
        region=None if region is None else over(region, 0) > 0,
        image=None if image is None else over(image, 1),
    )


def _mr_image(options: argparse.Namespace) -> Any:
    """Gray values over the square around the mesh: of an image, or cut from a volume."""
    from lesionkit import io
    from lesionkit.optics import read_mesh
    from lesionkit.optics.readings import instrument
    from lesionkit.optics.reconstruction.images import pixel_middles

    if options.fiducials is not None and options.plane is not None:
        raise ValueError("--plane and --fiducials say the same: give one of them")
    if options.fiducials is not None:
        rows = _fiducials(options.fiducials)
        plane = io.Plane.of_fiducials(rows[:, :2], rows[:, 2:])
        print(f"  fiducials  up to {plane.off:.2g} mm off their places")
    elif options.plane is not None:
        plane = io.Plane(*np.reshape(options.plane, (3, 3)))
    elif options.mri.is_dir() or options.mri.name.lower().endswith(VOLUMES):
        raise ValueError(f"--mri is a volume, {options.mri}: give --fiducials or --plane")
    else:
        return _image(options.mri, "--mri")
    mesh = read_mesh(instrument.mesh_name(options.data, options.mesh))
    points, _ = pixel_middles(mesh, CUT, CUT)
    values = plane.cut(io.read_image(options.mri), points)
    tissue = mesh.locate(points)[0] >= 0
    outside = np.isnan(values) & tissue
    if outside.any():
        raise ValueError(
            f"--mri must hold the whole plane, got {options.mri}, outside of which lie "
            f"{100 * outside.sum() / tissue.sum():.3g} % of the mesh"
        )
    median = float(np.median(values[tissue]))
    if not median > 0:
        raise ValueError(
            f"--mri must show tissue in the plane, got {options.mri}, whose median there is "
            f"{median:g}"
        )
    return np.where(tissue, values * (GRAY / median), 0).reshape(CUT, CUT)


def _fiducials(path: Path) -> Any:
    """(n, 5) numbers of a text file."""
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    lines = [line.replace(",", " ").split() for line in path.read_text().splitlines()]
    try:
        rows = np.array([[float(x) for x in line] for line in lines if line])
        if rows.ndim != 2 or rows.shape[1] != 5:
            raise ValueError
    except ValueError:
        raise ValueError(
            f"--fiducials must hold lines of five numbers, x y right front up, got {path}"
        ) from None
    return rows


def _image(path: Path, flag: str) -> Any:
    """Gray values (rows, columns) of an .npy or an image file."""
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        if path.suffix.lower() == ".npy":
            image = np.asarray(np.load(path, allow_pickle=False))
        else:
            with extras.require("PIL.Image", "pictures need").open(path) as picture:
                image = np.asarray(picture.convert("F"))
    except (ValueError, OSError) as problem:
        raise ValueError(f"{flag} must be an image or .npy, got {path}: {problem}") from problem
    if image.ndim != 2 or not image.size:
        raise ValueError(f"{flag} must be an image of rows and columns, got shape {image.shape}")
    return image


def contrast_parts(found: Sequence[Contrast | None]) -> dict[str, Any]:
    """What maps.npz holds of the contrast of each object: NaN where none was found."""
    known = [one for one in found if one is not None]
    if not known:
        return {}
    empty = np.zeros_like(known[0].region)
    regions = [empty if one is None else one.region for one in found]
    kept = {}
    for name in known[0].ratios:
        values = [np.nan if one is None else one.ratios[name] for one in found]
        kept[f"contrast_{name}"] = np.array(values)
    return {"region": np.stack(regions), "region_from": np.array(known[0].how), **kept}


def contrast_line(found: Sequence[Contrast | None]) -> str:
    """What is printed of it."""
    known = [one for one in found if one is not None]
    if not known:
        return "  contrast   none: no region is given, and none is found"
    told = []
    for name in sorted(known[0].ratios, key=list(NAMES).index):
        values = np.array([one.ratios[name] for one in known])
        spread = f" ± {values.std():.2f}" if len(values) > 1 else ""
        told.append(f"{NAMES[name]} {values.mean():.2f}{spread}")
    many = f", {len(known)} of {len(found)} phantoms" if len(found) > 1 else ""
    return f"  contrast   {', '.join(told)} (lesion / normal tissue{many}; region {known[0].how})"
