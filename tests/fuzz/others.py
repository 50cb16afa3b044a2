"""Lines of the table whose arguments are no plain arrays: light, files, nets and the studies."""

# ruff: noqa: E501  a line for each function

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from lesionkit import io, nets, optics
from lesionkit.studies import stroke

from .arguments import (
    Draw,
    Maker,
    Scene,
    choice,
    flag,
    maybe,
    numbers,
    real,
    whole,
)
from .target import Target

RADIUS = 10.0
ANGLES = np.arange(6) * np.pi / 3
RIM = RADIUS * np.stack([np.cos(ANGLES), np.sin(ANGLES)], 1)


@cache
def disc() -> optics.Mesh:
    return optics.disc_mesh(RADIUS, 150, 6)


@cache
def model(frequency: float) -> optics.ForwardModel:
    return optics.ForwardModel(disc(), RIM, RIM, frequency=frequency)


def of_model(method: str) -> Callable[..., Any]:
    def call(absorption: Any, scattering: Any, at: Any = "nodes", frequency: Any = 0.0) -> Any:
        found = getattr(model(1e8 if frequency else 0.0), method)(absorption, scattering, at=at)
        return found.readings if method == "jacobian" else found

    return call


def planned(sources: Any, detectors: Any, **rest: Any) -> Any:
    made = optics.ForwardModel(disc(), sources, detectors, **rest)
    return made.measure(np.full(len(disc().nodes), 0.01), np.ones(len(disc().nodes)))


def refined(points: Any, size: Any, growth: Any = 1.0) -> Any:
    made = optics.refine(disc(), points, size, growth)
    return made.nodes, made.elements


def gridded(spacing: Any) -> Any:
    return optics.GridBasis(disc(), spacing).points


def meshed(nodes: Any, elements: Any) -> Any:
    made = optics.Mesh(nodes, elements)
    return made.nodes, made.elements


def saved(mesh: Any, name: Any, node_data: Any = None) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name if isinstance(name, str) else name
        optics.write_mesh(mesh, path, node_data)
        return _mesh(optics.read_mesh(path))


def scaled(reference: Any, spread: Any, mixing: Any, near: Any) -> Any:
    return repr(nets.Scaling(optics.PhantomRecipe(), reference, spread, mixing, near))


def discs(**given: Any) -> Any:
    made = optics.disc_mesh(**given)
    return made.nodes, made.elements


def recipe(**given: Any) -> Any:
    return repr(optics.PhantomRecipe(**given))


def generated(count: Any, seed: Any, **given: Any) -> Any:
    made = optics.generate(optics.PhantomRecipe(**given), count, seed=seed)
    return made.signal, made.mri, made.chromophores, made.inclusions


def simulated(regions: Any, seed: Any) -> Any:
    made = optics.simulate(optics.PhantomRecipe(nodes=300, pixels=10), regions, seed)
    return made.signal, made.mri, made.chromophores


def reconstructed(signal: Any, reference: Any, **rest: Any) -> Any:
    tissue = {"hbo": 14.0, "hb": 7.0, "water": 35.0, "amplitude": 1.0, "power": 1.0}
    found = optics.reconstruct(
        model(0.0), signal, reference, tissue, (661, 808), basis(), maps=("hbo", "hb"), **rest
    )
    return dict(found.maps)


@cache
def basis() -> optics.GridBasis:
    return optics.GridBasis(disc(), 4.0)


def segmented(image: Any, method: Any, kind: Any, smallest: Any = 20, bits: Any = None) -> Any:
    return stroke.segment(stroke.preprocess(image, bits), method, kind, smallest=smallest)


def preprocessed(image: Any, bits: Any = None, brain: Any = None) -> Any:
    made = stroke.preprocess(image, bits, brain)
    return made.levels, made.brain


def brainlike(draw: Draw, scene: Scene) -> Any:
    """A bright disc with a brighter spot, in noise."""
    side = draw(st.sampled_from((24, 40, 64)))
    rows, columns = np.mgrid[:side, :side] - side / 2
    made = 90.0 * (np.hypot(rows, 1.2 * columns) < 0.4 * side)
    made[side // 3 : side // 2, side // 4 : side // 3] *= 1.8
    made += scene.random.normal(0, draw(st.sampled_from((0, 2, 9))), made.shape)
    return made.clip(0, 255).astype(
        draw(st.sampled_from(("uint8", "uint16", "float32", "float64")))
    )


# --- files ----------------------------------------------------------------------------------------


def damaged(make: Callable[[Path], None], suffix: str) -> Maker:
    """The bytes of a good file, some of them changed, lost or added."""

    @cache
    def good() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"good{suffix}"
            make(path)
            return path.read_bytes()

    def draw_bytes(draw: Draw, scene: Scene) -> Any:
        whole = bytearray(good())
        places = scene.random.integers(0, len(whole), draw(st.sampled_from((0, 1, 1, 2, 30))))
        for place in places.tolist():
            whole[place] = int(scene.random.integers(0, 256))
        if draw(st.integers(0, 7)) == 5:
            del whole[int(scene.random.integers(0, len(whole))) :]
        return bytes(whole)

    return draw_bytes


def reading(read: Callable[[Path], Any], suffix: str, leaves: Callable[[Any], Any]) -> Any:
    """Read a file of these bytes."""

    def call(data: Any) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"file{suffix}"
            path.write_bytes(data if isinstance(data, bytes) else b"")
            return leaves(read(path))

    return call


def _nifti(path: Path) -> None:
    nibabel = io.library("nibabel", "NIfTI")
    voxels = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([1.0, 2, 3, 1])), path)


def _png(path: Path) -> None:
    from PIL import Image

    Image.fromarray(np.arange(60, dtype=np.uint8).reshape(6, 10)).save(path)


def _dicom(path: Path) -> None:
    import pydicom
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["fuzz"])
    made = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID, made.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
    made.SeriesInstanceUID, made.Modality = generate_uid(entropy_srcs=["series"]), "MR"
    made.Rows, made.Columns, made.PixelSpacing = 6, 5, [2.0, 3.0]
    made.ImageOrientationPatient, made.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, 0]
    made.SliceThickness, made.SamplesPerPixel = 4.0, 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit, made.PixelRepresentation, made.InstanceNumber = 15, 0, 1
    made.PixelData = np.arange(30, dtype=np.uint16).tobytes()
    pydicom.dcmwrite(path, made, enforce_file_format=True)


def _npz(path: Path) -> None:
    optics.write_mesh(disc(), path)


def _paa(path: Path) -> None:
    lines = [f"{i % 3 + 1} {i // 3 + 1} 1 {0.1 * i + 0.1:.4f} {i}" for i in range(9)]
    path.write_text("\n".join(["source det w661", *lines]))


def _node(path: Path) -> None:
    path.write_text("\n".join(f"1 {x:.4f} {y:.4f}" for x, y in disc().nodes))


def _read_node(path: Path) -> Any:
    """With a good file of elements beside it."""
    lines = [" ".join(str(n + 1) for n in element) for element in disc().elements]
    path.with_suffix(".elem").write_text("\n".join(lines))
    return optics.read_nirfast(path)


def _mask(path: Path) -> None:
    nibabel = io.library("nibabel", "NIfTI")
    voxels = (np.arange(60).reshape(3, 4, 5) % 3 == 0).astype(np.uint8)
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([1.0, 2, 3, 1])), path)


def _net(path: Path) -> None:
    path.write_bytes(b"PK\3\4" + bytes(range(200)))


def written(mask: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        like = Path(folder) / "like.nii"
        _nifti(like)
        path = Path(folder) / "mask.nii.gz"
        io.write_mask(path, mask, io.read_image(like))
        return io.read_mask(path).values


def _image(found: Any) -> Any:
    return found.values, found.spacing, found.affine


def _mesh(found: Any) -> Any:
    return found.nodes, found.elements


FILE = ("file", "cannot be read")
ANY_VALUE = "a damaged file may hold any number"


def file(domain: str, name: str, make: Any, suffix: str, read: Any, leaves: Any = repr) -> Target:
    makers = {"data": damaged(make, suffix)}
    words = (*FILE, f"file{suffix}")
    call = reading(read, suffix, leaves)
    return Target(domain, name, call, makers, words=words, nonfinite=ANY_VALUE)


TISSUE = {
    "absorption": lambda draw, s: s.random.uniform(0.002, 0.02, (*_batch(draw), 169)),
    "scattering": lambda draw, s: s.random.uniform(0.5, 2, 169),
}
RECIPE: dict[str, Maker] = {
    "radius": maybe(real(20, 60)), "optodes": maybe(whole(3, 16)), "margin": maybe(real(0, 5)),
    "pixels": choice(5, 10, 20), "nodes": choice(200, 300), "hbo": maybe(choice((8.0, 20.0), (1, 1))),
    "signal_noise": maybe(real(0, 0.1)), "contrast": maybe(choice((1.2, 3.0), (1, 1))),
    "wavelengths": choice((661,), (661, 808, 903)),
}  # fmt: skip


def _batch(draw: Draw) -> tuple[int, ...]:
    return draw(st.sampled_from(((), (), (1,), (3,))))


def spectrum(name: str, **makers: Maker) -> Target:
    call = getattr(optics.spectra, name)
    waves = {"wavelength": choice(661, 735.5, [661, 808], np.array([903.0, 948]))}
    return Target("optics", name, call, {**({} if "coefficients" in makers else waves), **makers})


BLOOD = {name: choice(10.0, 3, np.float32(7)) for name in ("hbo", "hb", "water")}

OTHERS: tuple[Target, ...] = (
    *(Target("optics", f"ForwardModel.{name}", of_model(name), {**TISSUE, "at": maybe(choice("nodes", "elements")), "frequency": choice(0, 1)}, batch=20) for name in ("measure", "fluence", "jacobian")),
    Target("optics", "ForwardModel", planned, {"sources": lambda draw, s: RIM[: draw(st.integers(1, 6))].copy(), "detectors": lambda draw, s: RIM.copy(), "refractive_index": maybe(real(1, 2)), "frequency": maybe(choice(0, 1e8)), "source_depth": maybe(real(0, 3))}, batch=10, words=("optode", "optodes", "rim")),
    Target("optics", "Mesh", meshed, {"nodes": lambda draw, s: disc().nodes.copy(), "elements": lambda draw, s: disc().elements.copy()}, words=("node", "element")),
    Target("optics", "write_mesh", saved, {"mesh": lambda draw, s: disc(), "name": choice("a.npz", "a.vtk", "a.node", "a.msh"), "node_data": maybe(lambda draw, s: {"u": s.random.normal(size=169)})}, words=("path", "node_data", "a.npz", "a.vtk", "a.node", "a.msh")),
    Target("optics", "disc_mesh", discs, {"radius": maybe(real(1, 50)), "nodes": whole(60, 400), "optodes": maybe(whole(3, 16))}),
    Target("optics", "refine", refined, {"points": lambda draw, s: s.random.uniform(-5, 5, (3, 2)), "size": real(0.5, 5), "growth": maybe(real(0.5, 2))}, batch=10),
    Target("optics", "GridBasis", gridded, {"spacing": real(0.5, 15)}, words=("basis",)),
    Target("optics", "PhantomRecipe", recipe, RECIPE, words=("inclusion", "inclusions")),
    Target("optics", "generate", generated, {**RECIPE, "count": whole(1, 3), "seed": whole(0, 9)}, batch=5, words=("inclusion", "inclusions")),
    Target("optics", "simulate", simulated, {"regions": lambda draw, s: optics.generate(optics.PhantomRecipe(nodes=300, pixels=10), 2, seed=draw(st.integers(0, 3))).inclusions, "seed": whole(0, 9)}, batch=5),
    Target("optics", "reconstruct", reconstructed, {"signal": numbers(2, 36, low=0.1), "reference": numbers(2, 36, low=0.1), "iterations": choice(1, 2), "regularisation": maybe(real(1e-4, 1))}, batch=10),
    spectrum("extinction", table=maybe(choice("nirfast", "prahl"))), spectrum("absorption", **BLOOD), spectrum("scattering", amplitude=real(0.5, 2), power=real(0, 3)),
    spectrum("power_law", amplitude=real(0.5, 2), power=real(0, 3)), spectrum("mixed_absorption", coefficients=numbers(2, 3, high=0.01), **BLOOD),
    file("optics", "read_mesh", _npz, ".npz", optics.read_mesh, _mesh),
    file("optics", "read_nirfast", _node, ".node", _read_node),
    file("optics", "read_paa", _paa, ".paa", optics.read_paa),
    file("io", "read_image.nii", _nifti, ".nii", io.read_image, _image), file("io", "read_image.nii.gz", _nifti, ".nii.gz", io.read_image, _image),
    file("io", "read_image.png", _png, ".png", io.read_image, _image), file("io", "read_image.dcm", _dicom, ".dcm", io.read_image, _image),
    file("io", "read_mask", _mask, ".nii", io.read_mask, _image),
    Target("io", "write_mask", written, {"mask": lambda draw, s: s.random.uniform(size=(5, 4, 3)) < 0.5}),
    Target("nets", "TrainingOptions", lambda **given: repr(nets.TrainingOptions(**given)), {"epochs": whole(1, 9), "batch": whole(1, 9), "learning_rate": real(1e-4, 1), "augment": flag, "patience": whole(1, 9), "seed": whole(0, 9)}),
    Target("nets", "Scaling", scaled, {"reference": numbers(9, 16, 15), "spread": numbers(9, 1, 15, low=0.1), "mixing": numbers(9, 9), "near": choice((0.1, 0.2))}),
    *(Target("nets", name, lambda name=name, **given: repr(getattr(nets, name)(**given)), {"wavelengths": whole(1, 3), "pixels": choice(32, 100)}, batch=3) for name in ("ZNet", "YNet")),
    Target("nets", "QuickNet", lambda **given: repr(nets.QuickNet(**given)), {"classes": whole(2, 5)}, batch=5),
    file("nets", "load", _net, ".pt", nets.load),
    Target("studies.stroke", "preprocess", preprocessed, {"image": brainlike, "bits": maybe(whole(1, 16))}),
    Target("studies.stroke", "segment", segmented, {"image": brainlike, "method": choice(*stroke.SEGMENTERS), "kind": choice("hyper", "hypo"), "smallest": maybe(whole(0, 30))}, batch=10),
)  # fmt: skip
