"""The façades of every kernel at sizes drawn at random: what they launch, with nothing run."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from audits.launch_rules import Launch

from fake_cupy import OPT_IN
from lesionkit import gpu
from lesionkit.clustering import fcm_gpu, kmeans_gpu
from lesionkit.clustering.spatial import spatial_gpu
from lesionkit.fronts import arrival_gpu
from lesionkit.fronts.contours import chan_vese_gpu
from lesionkit.optics.forward import fields_gpu
from lesionkit.optics.forward.forward_gpu import DevicePlan
from lesionkit.optics.forward.model import ForwardModel
from lesionkit.optics.forward.plans import At
from lesionkit.optics.forward.solid_gpu import DeviceSolid
from lesionkit.optics.forward.solid_plan import SolidPlan
from lesionkit.optics.mesh.disc import disc_mesh
from lesionkit.optics.mesh.solids import ball_mesh
from lesionkit.optics.phantoms import phantoms_gpu
from lesionkit.optics.phantoms.recipe import PhantomRecipe
from lesionkit.texture import glcm_gpu, maps_gpu, rois_gpu
from lesionkit.texture.region import runs_gpu, zones_gpu

Random = np.random.Generator


def sizes(random: Random, most: int, count: int) -> list[int]:
    """Whole numbers from 1, small ones as likely as large ones."""
    return [int(most ** random.uniform()) for _ in range(count)]


def phantoms(random: Random) -> None:
    n, elements, pixels, optodes = sizes(random, 30, 4)
    recipe, seed, first = PhantomRecipe(), 2**64 - 1, 2**40
    regions = np.zeros((n, 3, 8))
    diameters = np.array(recipe.single_diameters)
    phantoms_gpu.draw_regions(recipe.limits, diameters, seed, first, regions)
    corners, shares = np.zeros((elements, 3, 2)), np.zeros((n, 2, elements))
    phantoms_gpu.element_shares(regions, corners, shares)
    maps = np.zeros((n, 3, pixels, pixels), np.float32), np.zeros((n, pixels, pixels), np.uint8)
    phantoms_gpu.paint(regions, recipe.radius, recipe.mri_gray, 0.1, seed, first, *maps)
    readings = np.zeros((9, n, optodes + 1, optodes + 1))
    signal = np.zeros((n, 9, optodes + 1, optodes), np.float32)
    phantoms_gpu.add_noise(readings, 0.01, seed, first, signal)


@cache
def small_model(nodes: int) -> ForwardModel:
    """Of a disc of triangles of 3 or 6 nodes, with 6 optodes."""
    mesh = disc_mesh(radius=10.0, nodes=61, optodes=6)
    rim = mesh.nodes[mesh.boundary[::4, 0]]
    return ForwardModel(mesh if nodes == 3 else mesh.to_quadratic(), rim, rim)


@cache
def small_plan(nodes: int, at: At, room: int | None, card: int) -> DevicePlan:
    """Of that model, placed for the card that `gpu.properties` tells of."""
    return DevicePlan(small_model(nodes).plans.parts(at), 0, np, room)


def forward(random: Random) -> None:
    n, materials = sizes(random, 40, 2)
    wanted: tuple[tuple[int, At], ...]
    wanted = ((3, "elements"), (3, "nodes"), (6, "quarters"), (6, "nodes"))
    for nodes, at in wanted:
        parts = small_model(nodes).plans.parts(at)
        for kind in (np.float64, np.complex128):
            for room in (None, 0):
                plan = small_plan(nodes, at, room, gpu.properties(0).capability)
                out, maps = np.zeros((n, 6, 6), kind), np.ones((n, parts["properties"]))
                plan.measure(maps, maps, out)
                if kind is np.float64 and at != "nodes":
                    fractions = np.ones((n, materials, parts["properties"]))
                    tissue = np.ones((n, materials + 1))
                    plan.measure_mixture(fractions, tissue, tissue, out)


def fields(random: Random) -> None:
    n, nodes, sources, detectors = sizes(random, 30, 4)
    for kind in (np.float64, np.complex128):
        for element_nodes, values in ((3, 1), (3, 3), (6, 1), (6, 4), (6, 6)):
            plan = object.__new__(fields_gpu.FieldPlan)
            plan.max_pivots, plan.size, plan.entries, plan.properties = sizes(random, 200, 4)
            plan.device, plan.xp, plan.columns = 0, np, None
            plan.nodes, plan.sources, plan.detectors = nodes, sources, detectors
            plan.element_nodes, plan.values, plan.elements = element_nodes, values, nodes
            table = np.zeros(9, np.int32)
            plan.plan, plan.node, plan.of_property = (
                [table, table, np.zeros(9)],
                [table] * 2,
                [table] * 2,
            )
            plan.element_node = np.zeros((nodes, element_nodes), np.int32)
            maps = [np.ones((n, plan.properties)) for _ in range(2)]
            plan.fluence(*maps, np.zeros((n, sources, nodes), kind))
            readings = np.zeros((n, sources, detectors), kind)
            field = np.zeros((n, nodes, sources + detectors), kind)
            fields_gpu.fields(plan, *maps, readings, field)
            made = [np.zeros((n, sources, detectors, plan.properties), kind) for _ in range(2)]
            fields_gpu.jacobian(plan, *maps, field, *made)
            fields_gpu.gradient(plan, *maps, readings, *(np.zeros_like(maps[0]) for _ in range(2)))


@cache
def small_solid(order: int, frequency: float, at: At) -> SolidPlan:
    """Of a ball of tetrahedra of 4 or 10 nodes, with 5 sources and 40 detectors."""
    mesh = ball_mesh(5, layers=2, order=order)
    rim = mesh.nodes[mesh.boundary[:40, 0]]
    plan: SolidPlan = ForwardModel(mesh, rim[:5], rim, frequency=frequency).plans.at(at)
    return plan


def solids(random: Random) -> None:
    (n,) = sizes(random, 40, 1)
    for order, frequency, at in ((1, 0.0, "nodes"), (1, 1e8, "elements"), (2, 0.0, "nodes")):
        plan = small_solid(order, frequency, at)
        maps = np.full((2, n, plan.properties), 0.01)
        DeviceSolid(plan, 0, np).measure(*maps, np.zeros((n, 5, 40), plan.kind))


def kmeans(random: Random) -> None:
    n, k = sizes(random, 3000, 2)
    for dtype in (np.float32, np.float64):
        for d in (1, 3, 16):
            x, weights = np.zeros((n, d), dtype), np.ones(n)
            for clusters in (k, min(k, 4), 8):
                for weight in (None, weights):
                    centres = np.zeros((clusters, d))
                    kmeans_gpu.lloyd(x, weight, False, centres, 1, 0.0, False)
            centres = np.zeros((k, d))
            counts = np.zeros(k, np.int64)
            kmeans_gpu.nearest(x, None, centres, np.zeros(n, np.int32), counts)
            kmeans_gpu.distances(x, centres, np.zeros((n, k), dtype))


def fuzzy(random: Random) -> None:
    n, c = sizes(random, 60, 2)
    for dtype in (np.float32, np.float64):
        for d in (1, 4, 9):
            for clusters in (c, 2, 3, 4, 5):
                x, centres = np.zeros((n, d), dtype), np.zeros((clusters, d))
                fcm_gpu.fcm_fit(x, None, 1.0, 1.0, 1.0, 2.0, 3, 0.1, False, centres)
            x, centres = np.zeros((n, d), dtype), np.zeros((c, d))
            fcm_gpu.fcm_fit(x, np.ones(n), 1.0, 1.0, 1.0, 1.7, 3, 0.1, True, centres)
            fcm_gpu.fcm_memberships(x, 1.7, centres, -1, np.zeros((n, c)))
            fcm_gpu.fcm_distances(x, centres, np.zeros((n, c), np.float32))
            fcm_gpu.fcm_labels(x, centres, np.zeros(n, np.int32))


def spatial(random: Random) -> None:
    c, channels, rows, columns = sizes(random, 40, 4)
    half, border = (0, 1, 2), int(random.integers(4))
    for dtype in (np.float32, np.float64):
        x, centres = np.zeros((channels, 1, rows, columns), dtype), np.zeros((c, channels))
        mask, share = np.ones(x.shape[1:], np.uint8), np.ones(x.shape[1:], dtype)
        for there in (None, mask):
            spatial_gpu.window_mean(x, there, half, border, True, x.copy())
            spatial_gpu.window_median(x, there, half, border, False, x.copy())
        flat, settings = x.reshape(channels, -1), (2, 0.1, centres)
        spatial_gpu.spatial_fcm_fit(flat, flat[0].copy(), None, 2.0, *settings)
        plane = np.zeros(x.shape[1:], dtype)
        for weight in (None, share):
            rules = (x, weight, half, border, 1.7)
            spatial_gpu.sfcm_fit(*rules, 1.0, 2.0, *settings)
            spatial_gpu.sfcm_planes(*rules, 1.0, 2.0, centres, 0, plane, None)
            u, spare = np.zeros((2, c, *x.shape[1:]), dtype)
            spatial_gpu.flicm_fit(*rules, *settings, u, spare, np.zeros(plane.shape, np.int32))


def regions(random: Random) -> None:
    count, pixels = sizes(random, 4000, 2)
    offsets, features = np.ones((2, 3), np.int64), np.arange(3, dtype=np.int32)
    for normalise, dtype in ((1, np.float64), (2, np.float64), (0, np.uint8), (0, np.uint16)):
        rois, out = np.zeros((count, 1, 1, pixels), dtype), np.zeros((count, 2, 3))
        rois_gpu.roi_features(rois, offsets, 16, normalise, features, 1.0, out)


def cooccurrence(random: Random) -> None:
    batch, levels, edge = sizes(random, 256, 3)
    levels, batch = max(levels, 2), min(batch, 5)
    offsets = np.ones((3, 3), np.int64)
    image = np.zeros((batch, 2, 3, edge), np.uint16)
    for kind in (np.uint32, np.uint64):
        for mask in (None, np.ones(image.shape, np.uint8)):
            for shared in (True, False):
                counts = np.zeros((batch, 3, levels, levels), kind)
                glcm_gpu.count_pairs(image, mask, offsets, True, counts, shared)
    for matrix in (np.uint32, np.uint64, np.float64):
        lines, totals = np.zeros((batch, 5 * levels - 1)), np.zeros((batch, 3))
        glcm_gpu.marginals(np.zeros((batch, levels, levels), matrix), lines, totals)


def runs(random: Random) -> None:
    levels, *shape = sizes(random, 30, 4)
    for dtype in (np.uint8, np.uint16, np.uint32):
        table = np.zeros((13, levels + 1, max(shape) + 1), np.uint32)
        directions = np.ones((13, 3), np.int64)
        runs_gpu.run_lengths(np.zeros([n + 2 for n in shape], dtype), 1, directions, table)


def zones(random: Random) -> None:
    for dtype in (np.uint8, np.uint16, np.uint32):
        padded = np.zeros([n + 2 for n in sizes(random, 30, 3)], dtype)
        padded[1, 1, 1] = 1
        zones_gpu.zones(padded, 1, 3, 2)


def contours(random: Random) -> None:
    channels, *shape = sizes(random, 30, 4)
    for dtype in (np.float32, np.float64):
        image, phi = np.zeros((channels, *shape), dtype), np.zeros(shape, dtype)
        for mask in (None, np.ones(shape, np.uint8)):
            lambdas = [1.0] * 2 * channels
            chan_vese_gpu.chan_vese(image, mask, phi, True, 0.1, lambdas, 0.0, 2, 0.5, True)


def fronts(random: Random) -> None:
    images, *shape = sizes(random, 40, 4)
    for dtype in (np.float32, np.float64):
        for size in (shape, [1, *shape[1:]]):
            speed = np.ones((images, *size), dtype)
            starts = np.arange(images + 1), np.zeros(images, np.int64), np.zeros(images)
            for mask in (None, np.ones(speed.shape, np.uint8)):
                rest = (1.0, (1.0, 1.0, 2.0), math.inf, *starts, np.empty_like(speed))
                arrival_gpu.arrival_times(speed, mask, *rest)


def accurate(random: Random) -> None:
    images, *shape = sizes(random, 20, 4)
    for dtype in (np.float32, np.float64):
        for size in ([2, *shape[1:]], [1, *shape[1:]]):
            speed = np.ones((images, *size), dtype)
            starts = np.arange(images + 1), np.zeros(images, np.int64), np.zeros(images, dtype)
            for order, reach in ((1, math.inf), (2, -1.0), (2, 0.0)):
                problem = (speed, None, 1.0, (1.0, 1.0, 2.0), math.inf, *starts)
                seeds = np.ones(images, np.int32), np.zeros((images, 2, 4))
                arrival_gpu.make_accurate(*problem, np.zeros_like(speed), order, reach, *seeds)


def labels(random: Random) -> None:
    images, *shape = sizes(random, 20, 4)
    for dtype in (np.float32, np.float64):
        times = np.zeros((images, *shape), dtype)
        starts = np.arange(images + 1), np.zeros(images, np.int64), np.zeros(images)
        label_of = np.ones(images, np.int32)
        arrival_gpu.front_labels(times, *starts, label_of, np.zeros(times.shape, np.int32))


def maps(random: Random) -> None:
    rows, columns, *window = sizes(random, 20, 5)
    window = [min(window[0], 3), min(window[1], rows), min(window[2], columns)]
    image, out = np.zeros((3, rows, columns), np.uint16), np.zeros((1, 2, 3, rows, columns))
    offsets = np.ones((2, 3), np.int64)
    for shared in (True, False):
        maps_gpu.feature_maps(
            image, tuple(window), offsets, 8, [0, 1], True, 0.0, math.e, out, shared
        )
    for dtype in (np.uint8, np.uint16, np.float32, np.float64):
        image, codes = (
            np.zeros((rows + 2, columns + 2), dtype),
            np.zeros((rows, columns), np.uint16),
        )
        neighbours = np.zeros((8, 6))
        maps_gpu.cs_lbp(image, neighbours, 0.1, codes)


FACADES: dict[str, Callable[[Random], None]] = {
    "clustering/fcm/fcm.cu": fuzzy,
    "clustering/kmeans/kmeans.cu": kmeans,
    "clustering/spatial/spatial.cu": spatial,
    "fronts/contours/chan_vese.cu": contours,
    "fronts/accurate/accurate.cu": accurate,
    "fronts/eikonal/labels.cu": labels,
    "fronts/eikonal/sweep.cu": fronts,
    "optics/fields/fields.cu": fields,
    "optics/forward.cu": forward,
    "optics/phantom.cu": phantoms,
    "optics/volume/assemble.cu": solids,
    "optics/volume/solve.cu": solids,
    "texture/glcm/glcm.cu": cooccurrence,
    "texture/maps/maps.cu": maps,
    "texture/region/runs.cu": runs,
    "texture/region/zones.cu": zones,
    "texture/rois/rois.cu": regions,
}

# What a kernel leaves where its façade looks whether all is done.
DONE: dict[str, Callable[[Any], None]] = {
    "fcm_update": lambda args: args[-1].__setitem__(0, fcm_gpu.DONE),
    "relax_tiles": lambda args: args[-2].fill(0),
    "read_pairs": lambda args: args[-2].fill(1),
}


def recorded(monkeypatch: pytest.MonkeyPatch, file: str, card: int, random: Random) -> list[Launch]:
    """The launches of a file's façades on a card, at sizes drawn."""
    found: list[Launch] = []

    def launch(*given: Any, **options: Any) -> None:
        found.append(Launch(*given, **options))
        for name, act in DONE.items():
            if found[-1].kernel.split("<")[0] == name:
                act(found[-1].args)

    shared = OPT_IN[card]
    card_properties = gpu.Properties("card", card, 132, shared, shared + 1024, 2**34)
    with monkeypatch.context() as patch:
        patch.setattr(gpu, "launch", launch)
        patch.setattr(gpu, "properties", lambda _: card_properties)
        patch.setattr(gpu, "free_memory", lambda: 2**33)
        patch.setattr(np, "empty", np.zeros)
        patch.setattr(np, "empty_like", np.zeros_like)
        for _ in range(3):
            FACADES[file](random)
    return found
