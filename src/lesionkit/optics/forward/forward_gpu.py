"""The forward model on a GPU: its plan as three flat arrays, and the launches of the solver.

The kernels are those of csrc/optics/forward.cu: `assemble` works out the entries of many systems'
matrices; in `measure` a block of threads then works on one system at a time, its panels in shared
memory, but those that would leave room for too few blocks.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import _core, gpu

FILE = "optics/forward.cu"
THREADS = 64  # of a block of `measure`: about the rows or tiles of a middling front
ASSEMBLING = 128  # of a block of `assemble`
RESIDENT = 6  # blocks of `measure` for a multiprocessor: more would need fewer registers
BLOCK_ENTRIES = 16  # the block on the diagonal, beside the panels and the inverse pivots
TILE = (4, 2)  # columns and rows of a tile of an update: DeviceTile of csrc/optics/device_plan.hpp
MOST_ENTRIES = 2**30  # bytes of assembled systems at once

Ints = npt.NDArray[np.int64]


class Places(NamedTuple):
    """Where the panels of a plan lie while a system is solved: csrc/optics/device_plan.hpp."""

    panel: Ints  # of each front: where its panel begins, near or far
    far: npt.NDArray[np.bool_]
    open_from: Ints  # near entries that are to be zeroed before a front is worked on
    open_to: Ints
    near_size: int
    far_size: int


class DevicePlan:
    """The plan of a forward model on a GPU; its methods are those of `_core.optics.ForwardPlan`.

    parts  : as from `build_plan`
    device : the GPU's number; xp: cupy, for which this GPU is the current one
    room   : bytes of shared memory that a block may take, for tests; 0: panels lie outside
    """

    def __init__(
        self, parts: dict[str, Any], device: int, xp: Any, room: int | None = None
    ) -> None:
        self.parts, self.device, self.xp, self.room = parts, device, xp, room
        self.property_nodes = parts["property_nodes"]
        self.placed = cache(self._placed)

    def measure(self, absorption: Any, scattering: Any, out: Any) -> None:
        """Fill out (n, sources, detectors) from maps (n, properties): see `ForwardPlan.measure`."""
        self._launch("MapInput", [absorption, scattering, None], 0, out)

    def measure_mixture(self, fractions: Any, absorption: Any, scattering: Any, out: Any) -> None:
        """Fill out (n, sources, detectors): see `ForwardPlan.measure_mixture`."""
        inputs = [fractions, absorption, scattering]
        self._launch("MixtureInput", inputs, fractions.shape[1], out)

    def _placed(self, itemsize: int) -> tuple[list[Any], Places, int, int]:
        """Arrays, places, bytes of shared memory and assembled entries, for numbers of that size.

        As few panels are far as leave room for RESIDENT blocks, or for as many as there can be.
        """
        card = gpu.properties(self.device)
        room = card.shared_per_block if self.room is None else self.room
        beside = max_pivots(self.parts) + BLOCK_ENTRIES
        readings = self.parts["sources"] * self.parts["detectors"]
        best, shared, most = places(self.parts, math.inf), beside * itemsize, 0
        for levels in range(depths(self.parts).max() + 1):
            found = places(self.parts, levels)
            needed = (beside + readings + found.near_size) * itemsize
            blocks = card.shared_per_multiprocessor // (needed + gpu.RESERVED_SHARED)
            if needed <= room and min(blocks, RESIDENT) > most:
                best, shared, most = found, needed, min(blocks, RESIDENT)
        host = flatten(self.parts, best)
        return [self.xp.asarray(part) for part in host], best, shared, gathered_entries(self.parts)

    def _launch(self, kind: str, inputs: list[Any], materials: int, out: Any) -> None:
        """Systems in parts whose assembled entries find room."""
        if not len(out):
            return
        number = "Complex<double>" if out.dtype.kind == "c" else "double"
        arrays, _, _, gathered = self.placed(out.dtype.itemsize)
        of_system = gathered * out.dtype.itemsize
        most = min(MOST_ENTRIES, gpu.free_memory() // 4) // of_system
        count = max(1, min(len(out), most))
        with gpu.memory_for(f"the matrices of {count} systems"):
            entries = self.xp.empty((count, gathered), out.dtype)
        for first in range(0, len(out), count):
            here = slice(first, min(first + count, len(out)))
            given = [None if part is None else part[here] for part in inputs]
            made = entries[: here.stop - here.start]
            kernel = f"assemble<{number}, {self.property_nodes}, {kind}>"
            assemble(kernel, [*arrays, *given, materials], made, self.device)
            self._solve(number, made, out[here])

    def _solve(self, number: str, entries: Any, out: Any) -> None:
        card = gpu.properties(self.device)
        arrays, where, shared, _ = self.placed(out.dtype.itemsize)
        resident = card.shared_per_multiprocessor // (shared + gpu.RESERVED_SHARED)
        blocks = max(1, min(resident, 8)) * card.multiprocessors
        grid, scratch = self._scratch(min(len(out), blocks), where.far_size, out)
        kernel = f"measure<{number}, {'true' if where.near_size else 'false'}>"
        args = [*arrays[:2], entries, len(out), scratch, out]
        gpu.launch(FILE, kernel, grid, THREADS, args, shared)

    def _scratch(self, grid: int, size: int, out: Any) -> tuple[int, Any]:
        """Room for the panels that are far, of as many blocks as fit into the GPU's memory."""
        if not size:
            return grid, None
        fitting = gpu.free_memory() // 2 // (size * out.dtype.itemsize)
        grid = max(1, min(grid, fitting))
        with gpu.memory_for(f"the panels of {grid} systems"):
            return grid, self.xp.empty((grid, size), out.dtype)


def assemble(kernel: str, given: list[Any], entries: Any, device: int) -> None:
    """Fill entries (systems, gathered); given: the plan's arrays, maps, and how many materials."""
    grid = gpu.blocks_for(entries.size, ASSEMBLING, device)
    gpu.launch(FILE, kernel, grid, ASSEMBLING, [*given, len(entries), entries])


def depths(parts: dict[str, Any]) -> Ints:
    """How far each front is from the root of its tree."""
    depth = np.zeros(len(parts["parent"]), np.int64)
    for f in range(len(depth) - 1, -1, -1):  # parents come after their children
        parent = parts["parent"][f]
        depth[f] = 0 if parent < 0 else depth[parent] + 1
    return depth


def places(parts: dict[str, Any], levels: float) -> Places:
    """Panels with those of the fronts of that many levels from the root far, but no leaves.

    A far panel has a place of its own; the near ones that are open lie on one path to the root,
    one after the other, and a far one that is worked on lies where they would begin.
    """
    pivots, update, sources, detectors = parts["fronts"].astype(np.int64).T
    rows = pivots + update + sources + detectors
    size = pivots * (pivots + 1) // 2 + (rows - pivots) * (pivots | 1)
    parent = parts["parent"]
    leaf = ~np.isin(np.arange(len(size)), parent)
    far = (depths(parts) < levels) & ~(leaf & math.isfinite(levels))
    panel = np.where(far, np.cumsum(np.where(far, size, 0)) - size, 0)
    end = np.where(far, 0, size)
    for f in np.flatnonzero(~far)[::-1]:
        if parent[f] >= 0 and not far[parent[f]]:
            panel[f] = end[parent[f]]
            end[f] += panel[f]
    open_from = end.copy()
    opened = far.copy()
    for f in range(len(size)):
        a = f
        while a >= 0 and not opened[a]:
            opened[a] = True
            open_from[f] = panel[a]
            a = parent[a]
    near = 0 if far.all() else int(max(end.max(), size[far].max(initial=0)))
    return Places(panel, far, open_from, end, near, int(size[far].sum()))


def flatten(
    parts: dict[str, Any], where: Places
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """header, table and values of a plan: `DevicePlan` of csrc/optics/device_plan.hpp.

    parts : as from `build_plan`
    """
    counts = {
        "fronts": len(parts["fronts"]),
        "pairs": parts["imaginary_mass"].shape[1],
        "sources": parts["sources"],
        "detectors": parts["detectors"],
        "properties": parts["properties"],
        "near": where.near_size,
        "far": where.far_size,
        "max_pivots": max_pivots(parts),
    }
    gather_start, gathered = _gathered(parts)
    tile_start, tiles = _tiles(parts, where)
    pivots, update, sources, detectors = parts["fronts"].T
    fields = {
        "pivots": pivots,
        "update": update,
        "sources": sources,
        "detectors": detectors,
        "panel": where.panel,
        "far": where.far,
        "open_from": where.open_from,
        "open_to": where.open_to,
        "gather": gather_start,
        "tile": tile_start,
        "source": parts["source"][0],
        "detector": parts["detector"][0],
    }
    names = _core.optics.ForwardPlan.device_parts
    records = np.zeros((len(pivots) + 1, len(names["front"])), np.int64)
    for name, of_front in fields.items():
        records[: len(of_front), names["front"].index(name)] = of_front
    arrays = {
        "front": records,
        "tile": tiles,
        "property": parts["property"],
        "source": parts["source"][1],
        "detector": parts["detector"][1],
        "stiffness": parts["stiffness"],
        "area": parts["area"],
        "mass_kind": parts["mass_kind"],
        "mass": parts["mass"],
        "imaginary_mass": parts["imaginary_mass"],
        **gathered,
    }
    table, table_places = _concatenate([arrays[name] for name in names["tables"]], np.int32)
    values, value_places = _concatenate([arrays[name] for name in names["values"]], np.float64)
    header = [*(counts[name] for name in names["counts"]), *table_places, *value_places]
    return np.array(header, np.int32), table, values


def gathered_entries(parts: dict[str, Any]) -> int:
    """How many entries of a system's matrix are assembled."""
    return int(_gathered(parts)[0][-1])


def _tiles(parts: dict[str, Any], where: Places) -> tuple[Ints, Ints]:
    """Where the tiles of each front begin, and all of them, `DeviceTile` of
    csrc/optics/device_plan.hpp: blocks of columns, and the rows from a block's first one on."""
    columns, rows = TILE
    _, update, sources, detectors = parts["fronts"].astype(np.int64).T
    below = update + sources + detectors
    blocks = -(-update // columns)
    front = np.repeat(np.arange(len(update)), blocks)
    column = columns * (np.arange(len(front)) - np.repeat(np.cumsum(blocks) - blocks, blocks))
    apart = -(-(below[front] - column) // rows)  # tiles in a block
    block = np.repeat(np.arange(len(front)), apart)
    row = column[block] + np.arange(len(block)) - np.repeat(np.cumsum(apart) - apart, apart)
    front, column, apart = front[block], column[block], apart[block]

    def spread(of_tile: Ints) -> Ints:
        return of_tile[:, None, None]

    i = spread(row) + spread(apart) * np.arange(rows)
    j = spread(column) + np.arange(columns)[:, None]
    used = (i < spread(below[front])) & (j < spread(update[front])) & (i >= j)
    start, target = parts["column_target"]
    at = np.where(used, spread(start[front]) + j, 0)
    to_row = parts["target_row"][0][target[at]] + np.where(used, i, 0)
    owner = parts["target"][1][target[at]]
    place = where.panel[owner] + parts["target_row"][1][to_row] + parts["column"][1][at]
    place = np.where(used, np.where(where.far[owner], -2 - place, place), -1)
    tiles = np.concatenate(
        [np.stack([row, apart, column], 1), place.reshape(len(place), rows * columns)], axis=1
    )
    return np.searchsorted(front, np.arange(len(update) + 1)), tiles


def max_pivots(parts: dict[str, Any]) -> int:
    """The most columns that one front eliminates."""
    return int(parts["fronts"][:, 0].max())


def _gathered(parts: dict[str, Any]) -> tuple[Ints, dict[str, npt.NDArray[Any]]]:
    """Where the entries that each front holds begin, and for each what elements and constants add
    to it."""
    added = len(parts["entry_front"])
    front = np.concatenate([parts["entry_front"], parts["fixed_front"]]).astype(np.int64)
    entry = np.concatenate([parts["entry_offset"], parts["fixed_offset"]])
    beyond = int(entry.max()) + 1
    found, index = np.unique(front * beyond + entry, return_inverse=True)
    fixed = np.zeros(len(found))
    np.add.at(fixed, index[added:], parts["fixed_value"])
    contribution = np.argsort(index[:added], kind="stable")
    starts = np.searchsorted(found, np.arange(len(parts["fronts"]) + 1) * beyond)
    return starts, {
        "gather_entry": found % beyond,
        "contribution_start": np.searchsorted(
            index[:added][contribution], np.arange(len(found) + 1)
        ),
        "contribution": contribution,
        "fixed": fixed,
    }


def _concatenate(arrays: list[npt.NDArray[Any]], dtype: Any) -> tuple[npt.NDArray[Any], list[int]]:
    """The arrays one after the other, and where each begins."""
    places = np.cumsum([0, *(a.size for a in arrays)])
    whole = np.concatenate([a.ravel() for a in arrays])
    if np.issubdtype(dtype, np.integer) and max(whole.max(), places[-1]) > np.iinfo(dtype).max:
        raise ValueError("mesh must be smaller: the plan's indices do not fit 32 bits on a GPU")
    return whole.astype(dtype), places[:-1].tolist()
