"""Solves of a mesh of tetrahedra on a GPU, with the kernels of csrc/optics/volume.

As on the CPU: 32 right-hand sides side by side, conjugate gradients in float32 refined in float64,
readings corrected with the detectors' own fields, the same hierarchy. The smoother is another (see
lanes.hpp), so fields agree as far as they are solved, and not to the bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from lesionkit import arrays, gpu
from lesionkit.optics.forward import hierarchy, solid_plan
from lesionkit.optics.forward.solid_plan import SolidPlan

ASSEMBLE, SOLVE = "optics/volume/assemble.cu", "optics/volume/solve.cu"
THREADS = 128  # of a block that assembles or reads
SOLVING = 512  # of a block of `solve_columns`
WARP = 32
COLUMNS = 32  # W in csrc/optics/volume/iterations.hpp
IN_WARP = 752  # numbers that a warp shares in `element_matrices<10>`
VECTORS = 5  # of a block of `solve_columns`, beside those of coarser levels
STATES = ("scale", "energy before", "energy", "iterations")
PARTS = (
    "nodes", "start", "column", "value", "weight", "up_start", "up_column", "up", "down_start",
    "down_column", "down", "room",
)  # fmt: skip

Ints = npt.NDArray[np.int64]


class DeviceSolid:
    """A :class:`SolidPlan` for maps on a GPU.

    plan   : that of the CPU
    device : the GPU's number; xp: cupy, for which this GPU is the current one
    dense  : so many unknowns or fewer are solved with a dense inverse; for tests
    """

    def __init__(self, plan: SolidPlan, device: int, xp: Any, dense: int = hierarchy.DENSE) -> None:
        self.plan, self.device, self.xp, self.dense = plan, device, xp, dense
        parts, imaginary = plan.parts, plan.parts["imaginary"]
        self.nodes, self.modulated = parts["nodes"], len(imaginary) > 0
        self.width = COLUMNS // 2 if self.modulated else COLUMNS  # optodes of a block
        self.blocks = -(-sum(plan.optodes) // self.width)
        self.element_nodes, self.elements = parts["element_nodes"], len(parts["element"])
        self.pairs = self.element_nodes * (self.element_nodes + 1) // 2
        self.entries = len(parts["column"])
        names = "element", "property", "place", "start", "fixed"
        self.on = {name: xp.asarray(np.ascontiguousarray(parts[name])) for name in names}
        self.given = [xp.asarray(part) for part in _contributions(parts)]
        self.imaginary = [None, None]
        if self.modulated:
            self.imaginary = [xp.asarray(imaginary.astype(t)) for t in (np.float64, np.float32)]
        self.detector = [xp.asarray(part) for part in parts["detector"]]
        weights = [
            sparse.csr_array((rows[2], rows[1], rows[0]), (len(rows[0]) - 1, self.nodes))
            for rows in (parts["source"], parts["detector"])
        ]
        right = sparse.vstack(weights, format="csr")
        right.sum_duplicates()
        optode, node = right.tocoo().coords
        places = optode // self.width, node, optode % self.width
        self.right = [xp.asarray(part) for part in places], xp.asarray(right.data)
        self.column = xp.asarray(_columns(np.arange(sum(plan.optodes)), self.width))
        self._backgrounds: dict[tuple[int, int], tuple[list[Any], int, int]] = {}

    def measure(self, mua: Any, mus: Any, out: Any) -> None:
        """Fill out (n, sources, detectors) from maps (n, properties)."""
        for some in self._batches(mua, mus):
            out[some] = self._solve(mua[some], mus[some], reading=self.plan.accuracy)[0]

    def fluence(self, mua: Any, mus: Any, out: Any) -> None:
        """Fill out (n, sources, nodes) from maps (n, properties)."""
        column, position = self.column[: self.plan.optodes[0]], self.xp.asarray(self.plan.position)
        for some in self._batches(mua, mus):
            field = self._solve(mua[some], mus[some], field=solid_plan.FIELD)[1]
            rows = self.xp.moveaxis(field, 3, 2).reshape(len(field), -1, self.nodes)
            found = rows[:, column]
            if self.modulated:
                found = found + 1j * rows[:, column + self.width]
            out[some] = found[..., position]

    def _batches(self, mua: Any, mus: Any) -> list[Any]:
        """Numbers of maps that are solved together: of one background, as many as find room."""
        means = _means(mua, mus)
        vectors = self.blocks * self.nodes * COLUMNS
        each = 20 * vectors + 12 * self.entries + 8 * self.elements * self.pairs + 4 * self.nodes
        size = max(1, gpu.free_memory() // 2 // each)
        return [self.xp.asarray(some) for some in solid_plan.batches(means[0], means[1], size)]

    def _solve(
        self, mua: Any, mus: Any, *, field: float = 0.0, reading: float = 0.0
    ) -> tuple[Any, Any]:
        """Readings (n, sources, detectors), and fields (n, block, node, column) of all optodes, to
        one of the two accuracies; refuses what does not converge."""
        xp, n = self.xp, len(mua)
        means = _means(mua, mus)
        shape = n, self.blocks, self.nodes, COLUMNS
        with gpu.memory_for(f"the fields of {n} systems"):
            matrices = self.assemble(mua, mus)
            vectors = xp.zeros(shape), xp.zeros(shape), xp.zeros(shape, np.float32)
            state = xp.zeros((n, self.blocks, len(STATES), COLUMNS))
            answers = [xp.zeros((n, *self.plan.optodes), self.plan.kind) for _ in range(2)]
        where, weights = self.right
        vectors[1][:, where[0], where[1], where[2]] = weights  # what fields of 0 leave over
        background = self._background(float(means[0][0]), float(means[1][0]))
        first = self.plan.core.first_target
        target = np.array([first(a, b, field, reading) for a, b in zip(*means, strict=True)])
        worst, iterations, before = np.zeros(n), np.zeros(n), None
        open_ = np.arange(n)
        for _ in range(solid_plan.ROUNDS):
            self._round(background, matrices, xp.asarray(target), open_, vectors, state)
            self._read(open_, vectors, state, answers)
            iterations[open_] += arrays.to_host(state[:, :, 3].max(axis=(1, 2)))[open_]
            if reading:
                off = (abs(answers[1]) / (reading * abs(answers[0]))).max(axis=(1, 2))
            else:
                energies = state[:, :, 1:3].swapaxes(1, 2).reshape(n, 2, -1)[..., self.column]
                before = energies[:, 0] if before is None else before
                off = (energies[:, 1] / (field * before)).max(axis=1)
            worst[open_] = arrays.to_host(off)[open_]
            # a reading's error is the product of those of two fields
            needed = np.maximum(worst, 1e-300) ** (-1 / 2 if reading else -1.0)
            target = np.clip(needed, *self.plan.core.targets)
            open_ = open_[~(worst[open_] <= 1)]
            if not len(open_):
                break
        self.iterations = int(iterations.max())
        solid_plan.check_converged(worst.max(), self.iterations, max(field, reading))
        return answers[0], vectors[0]

    def assemble(self, mua: Any, mus: Any) -> tuple[Any, Any, Any]:
        """Matrices (n, entries) in float64 and float32, and 1 / sum |a_ij| of rows (n, nodes)."""
        xp, n, parts = self.xp, len(mua), self.plan.parts
        given = xp.empty((n, self.elements, self.pairs))
        made = xp.empty((n, self.entries)), xp.empty((n, self.entries), np.float32)
        weight = xp.empty((n, self.nodes), np.float32)
        on, warps = self.on, THREADS // WARP
        together = 1 if self.element_nodes == 4 else WARP
        grid = gpu.blocks_for(n * self.elements * together, THREADS, self.device)
        args = [on["element"], on["property"], parts["property_nodes"], on["place"], mua, mus]
        args += [self.plan.properties, n, self.elements, parts["straight"], given]
        kernel = f"element_matrices<{self.element_nodes}>"
        gpu.launch(
            ASSEMBLE, kernel, grid, THREADS, args, 0 if together == 1 else 8 * IN_WARP * warps
        )
        grid = gpu.blocks_for(n * self.nodes, THREADS, self.device)
        args = [on["start"], *self.given, on["fixed"], given, self.elements * self.pairs, n]
        gpu.launch(ASSEMBLE, "matrix_rows", grid, THREADS, [*args, self.nodes, *made, weight])
        return *made, weight

    def _round(
        self,
        background: tuple[list[Any], int, int],
        matrices: tuple[Any, Any, Any],
        target: Any,
        open_: Ints,
        vectors: tuple[Any, Any, Any],
        state: Any,
    ) -> None:
        """A round of iterations of the open systems."""
        xp, (levels, count, room) = self.xp, background
        real, single, weight = matrices
        size = (VECTORS * self.nodes + room) * COLUMNS
        grid = min(len(open_) * self.blocks, gpu.properties(self.device).multiprocessors)
        grid = max(1, min(grid, gpu.free_memory() // 2 // (4 * size)))
        with gpu.memory_for(f"the vectors of {grid} blocks"):
            scratch = xp.empty((grid, size), np.float32)
        args = [*levels, count, real, single, *self.imaginary, weight, target, xp.asarray(open_)]
        args += [len(open_), self.blocks, size, scratch, *vectors, state]
        shared = 2 * COLUMNS * 8 * (SOLVING // WARP)
        gpu.launch(SOLVE, "solve_columns", grid, SOLVING, args, shared)

    def _read(self, open_: Ints, vectors: tuple[Any, Any, Any], state: Any, answers: Any) -> None:
        """Readings of the open systems, and what is left of their errors."""
        sources, detectors = self.plan.optodes
        args = [self.nodes, sources, detectors, int(self.modulated), *self.detector]
        args += [self.xp.asarray(open_), len(open_), *vectors, state]
        args += [part.view(np.float64) for part in answers]
        threads = len(open_) * self.blocks**2 * self.width * WARP  # or fewer
        grid = gpu.blocks_for(threads, THREADS, self.device)
        gpu.launch(SOLVE, "read_pairs", grid, THREADS, args)

    def _background(self, mua: float, mus: float) -> tuple[list[Any], int, int]:
        """Arrays of the hierarchy of a homogeneous background; levels above the coarsest; rows of
        the vectors of coarser ones."""
        key = solid_plan.background_key(mua, mus)
        if key not in self._backgrounds:
            levels, inverse = self.plan.background(key, self.dense)
            pattern = self.plan.parts["start"], self.plan.parts["column"]
            *host, room = flatten(levels, inverse, pattern)
            self._backgrounds[key] = [self.xp.asarray(h) for h in host], len(levels), room
        return self._backgrounds[key]


def _means(mua: Any, mus: Any) -> tuple[Any, Any]:
    """Of each map, on the host."""
    return arrays.to_host(mua.mean(axis=1)), arrays.to_host(mus.mean(axis=1))


def _columns(optodes: Ints, width: int) -> Ints:
    """Where the columns of optodes stand among those of all blocks."""
    return optodes // width * COLUMNS + optodes % width


def _contributions(parts: dict[str, Any]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """For each entry of the matrix, where its elements' parts begin, and their places among
    (elements, pairs), in the order of elements."""
    entry = parts["entry"].reshape(-1).astype(np.int64)
    mirror = parts["mirror"][entry]
    place = np.arange(len(entry))
    beside = mirror != entry  # off the diagonal: above it as well
    entry = np.concatenate([entry, mirror[beside]])
    place = np.concatenate([place, place[beside]])
    order = np.lexsort((place, entry))
    start = np.searchsorted(entry[order], np.arange(len(parts["column"]) + 1))
    if place.max() > np.iinfo(np.int32).max:
        raise ValueError("mesh must be smaller: the plan's indices do not fit 32 bits on a GPU")
    return start.astype(np.int32), place[order].astype(np.int32)


def flatten(
    levels: list[dict[str, Any]], inverse: Any, pattern: tuple[Any, Any]
) -> tuple[Ints, npt.NDArray[np.int32], npt.NDArray[np.float32], int]:
    """Records (levels and the coarsest, PARTS), table and numbers of a hierarchy, as solve.cu reads
    them, and the rows of the vectors of all but the first level.

    levels, inverse : as from `hierarchy.build`
    pattern         : start and column of the first level's matrix
    """
    table: list[npt.NDArray[Any]] = []
    numbers: list[npt.NDArray[Any]] = []
    records = np.zeros((len(levels) + 1, len(PARTS)), np.int64)
    sizes = [level["nodes"] for level in levels] + [len(inverse)]
    room = 0
    for i, (record, nodes) in enumerate(zip(records, sizes, strict=True)):
        record[[PARTS.index("nodes"), PARTS.index("room")]] = nodes, room
        if i == len(levels):
            parts: dict[str, Any] = {"value": inverse.ravel()}
            room += 2 * nodes
        else:
            level = levels[i]
            up = level["up"], level["up_column"], level["up_start"]
            down = sparse.csr_array(sparse.csr_array(up, (nodes, sizes[i + 1])).T)
            down.sort_indices()
            parts = {name: level[name] for name in ("start", "column", "value")}
            if i == 0:
                parts["start"], parts["column"] = pattern
            else:
                parts["weight"] = 1 / np.add.reduceat(abs(level["value"]), level["start"][:-1])
                room += 3 * nodes
            parts |= {name: level[name] for name in ("up_start", "up_column", "up")}
            parts |= {"down_start": down.indptr, "down_column": down.indices, "down": down.data}
        for name, part in parts.items():
            to = table if np.issubdtype(part.dtype, np.integer) else numbers
            record[PARTS.index(name)] = sum(map(len, to))
            to.append(part)
    return records, np.concatenate(table).astype(np.int32), np.concatenate(numbers), room
