"""Lines of the table whose arguments are no plain arrays: light, nets and the studies."""

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
    mask,
    maybe,
    numbers,
    positive,
    real,
    spacing,
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
        modulated = isinstance(frequency, int) and frequency > 0
        found = getattr(model(1e8 if modulated else 0.0), method)(absorption, scattering, at=at)
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
        made = optics.read_mesh(path)
        return made.nodes, made.elements


def scaled(reference: Any, spread: Any, mixing: Any, near: Any) -> Any:
    return repr(nets.Scaling(optics.PhantomRecipe(), reference, spread, mixing, near))


def made_of(mesh: Any) -> Any:
    """A function that makes a mesh, as one that returns arrays."""

    def arrays_of(**given: Any) -> Any:
        made = mesh(**given)
        return made.nodes, made.elements

    return arrays_of


def outlined(optodes: Any) -> Any:
    made = optics.Outline(disc(), optodes)
    return made.optodes, made.mesh.nodes, made.sha256


def planes(**given: Any) -> Any:
    return io.Plane(**given).places([[1.0, 2.0]])


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


def paired(**given: Any) -> Any:
    made = stroke.pair(**given)
    return made.dwi, made.adc, made.brain


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
    Target("optics", "ForwardModel", planned, {"sources": lambda draw, s: RIM[: draw(st.integers(1, 6))].copy(), "detectors": lambda draw, s: RIM.copy(), "refractive_index": maybe(real(1, 2)), "frequency": maybe(choice(0, 1e8)), "source_depth": maybe(real(0, 3)), "source_radius": maybe(real(0, 3))}, batch=10, words=("optode", "optodes", "rim", "spots")),
    Target("optics", "Mesh", meshed, {"nodes": lambda draw, s: disc().nodes.copy(), "elements": lambda draw, s: disc().elements.copy()}, words=("node", "element")),
    Target("optics", "write_mesh", saved, {"mesh": lambda draw, s: disc(), "name": choice("a.npz", "a.vtk", "a.node", "a.msh"), "node_data": maybe(lambda draw, s: {"u": s.random.normal(size=169)})}, words=("path", "node_data", "a.npz", "a.vtk", "a.node", "a.msh")),
    Target("optics", "disc_mesh", made_of(optics.disc_mesh), {"radius": maybe(real(1, 50)), "nodes": whole(60, 400), "optodes": maybe(whole(3, 16))}),
    Target("optics", "mask_mesh", made_of(optics.mask_mesh), {"mask": lambda draw, s: s.random.uniform(size=(6, 7, 8)) < 0.8, "spacing": maybe(real(0.5, 2)), "size": real(2, 8)}),
    Target("optics", "ball_mesh", made_of(optics.ball_mesh), {"radius": maybe(real(1, 50)), "layers": whole(2, 4), "order": maybe(choice(1, 2))}),
    Target("optics", "cylinder_mesh", made_of(optics.cylinder_mesh), {"radius": real(20, 40), "height": real(20, 40), "spacing": real(10, 20), "order": maybe(choice(1, 2))}),
    Target("optics", "slab_mesh", made_of(optics.slab_mesh), {"size": numbers(3, low=20, high=40), "spacing": real(10, 20), "order": maybe(choice(1, 2))}),
    Target("optics", "refine", refined, {"points": lambda draw, s: s.random.uniform(-5, 5, (3, 2)), "size": real(0.5, 5), "growth": maybe(real(0.5, 2))}, batch=10),
    Target("optics", "GridBasis", gridded, {"spacing": real(0.5, 15)}, words=("basis",)),
    Target("optics", "Outline", outlined, {"optodes": lambda draw, s: RIM[: draw(st.integers(2, 6))].copy()}, batch=10),
    Target("io", "Plane", planes, {"origin": numbers(3), "x": numbers(3), "y": numbers(3)}),
    Target("optics", "PhantomRecipe", recipe, {**RECIPE, "shape": maybe(choice("ball", "cylinder"))}, words=("inclusion", "inclusions")),
    Target("optics", "generate", generated, {**RECIPE, "count": whole(1, 3), "seed": whole(0, 9)}, batch=5, words=("inclusion", "inclusions")),
    Target("optics", "simulate", simulated, {"regions": lambda draw, s: optics.generate(optics.PhantomRecipe(nodes=300, pixels=10), 2, seed=draw(st.integers(0, 3))).inclusions, "seed": whole(0, 9)}, batch=5),
    Target("optics", "reconstruct", reconstructed, {"signal": numbers(2, 36, low=0.1), "reference": numbers(2, 36, low=0.1), "iterations": choice(1, 2), "regularisation": maybe(real(1e-4, 1))}, batch=10, words=("model", "scattering")),
    spectrum("extinction", table=maybe(choice("nirfast", "prahl"))), spectrum("absorption", **BLOOD), spectrum("scattering", amplitude=real(0.5, 2), power=real(0, 3)),
    spectrum("power_law", amplitude=real(0.5, 2), power=real(0, 3)), spectrum("mixed_absorption", coefficients=numbers(2, 3, high=0.01), **BLOOD),
    Target("nets", "TrainingOptions", lambda **given: repr(nets.TrainingOptions(**given)), {"epochs": whole(1, 9), "batch": whole(1, 9), "learning_rate": real(1e-4, 1), "augment": flag, "patience": whole(1, 9), "seed": whole(0, 9)}),
    Target("nets", "Scaling", scaled, {"reference": numbers(9, 16, 15), "spread": numbers(9, 1, 15, low=0.1), "mixing": numbers(9, 9), "near": choice((0.1, 0.2))}),
    *(Target("nets", name, lambda name=name, **given: repr(getattr(nets, name)(**given)), {"wavelengths": whole(1, 3), "pixels": choice(32, 100)}, batch=3) for name in ("ZNet", "YNet", "LinearUNet", "ZNetWithoutMRI", "ZNet3d")),
    Target("nets", "QuickNet", lambda **given: repr(nets.QuickNet(**given)), {"classes": whole(2, 5)}, batch=5),
    Target("studies.stroke", "adc_map", stroke.adc_map, {"b0": positive(), "dwi": positive(), "bvalue": maybe(real(100, 3000))}),
    Target("studies.stroke", "adc_scaled", stroke.adc_scaled, {"adc": positive(0, 3), "brain": maybe(mask)}),
    Target("studies.stroke", "pair", paired, {"image": brainlike, "adc": lambda draw, scene: 8.0 * brainlike(draw, scene), "spacing": maybe(spacing)}, batch=10),
    Target("studies.stroke", "preprocess", preprocessed, {"image": brainlike, "bits": maybe(whole(1, 16))}),
    Target("studies.stroke", "segment", segmented, {"image": brainlike, "method": choice(*stroke.SEGMENTERS), "kind": choice("hyper", "hypo"), "smallest": maybe(whole(0, 30))}, batch=10),
)  # fmt: skip
