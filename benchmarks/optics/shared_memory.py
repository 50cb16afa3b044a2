"""What the solver of csrc/optics/forward.cu asks of a GPU's shared memory for a system, counted
without a GPU: the walk of a block through the real plan, with every address of every warp.

Shared memory has 32 banks of 4 bytes. A warp's request for 8 (16) bytes a lane is served in groups
of 16 (8) lanes; a group takes as many wavefronts, a cycle each, as the fullest bank has words of
different addresses in it (CUDA C++ Best Practices Guide, "Shared Memory and Memory Banks"); a warp
that reads one address takes one.

The walk mirrors the loops of `DeviceFront`: a change there is a change here. Addresses are in
entries (a double, or a complex number of two); -1 is a lane that does not take part.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Lanes = NDArray[np.int64]  # (requests, 32) addresses
WARP = 32
BANK_BYTES = 128  # of all banks together: a wavefront
N = 4  # columns that are eliminated together, and of a tile
NOBODY = -1

# Cycles from an instruction to the use of its result. Assumed, and rounded: of the order that
# microbenchmarks of Hopper report (Luo et al., arXiv:2501.12084).
SHARED_LATENCY = 30
ARITHMETIC_LATENCY = 8  # float64
RECIPROCAL_LATENCY = 30  # the first guess of 1 / x; five multiply-adds make it exact
BARRIER_LATENCY = 30
MEMORY_LATENCY = 270  # L2


@dataclass
class Cost:
    """Of one system, for one block."""

    wavefronts: float = 0
    no_conflicts: float = 0  # wavefronts, had every group of lanes the banks to itself
    requests: float = 0  # instructions of a warp that read or write shared memory
    arithmetic: float = 0  # instructions of a warp on float64 units
    path: float = 0  # cycles of the slowest warp from barrier to barrier, alone on the GPU
    barriers: int = 0

    def add(self, other: Cost) -> None:
        for name in vars(self):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def wavefronts(addresses: Lanes, itemsize: int) -> tuple[Lanes, Lanes]:
    """Of each request (row): wavefronts, and what they were if no two addresses shared a bank."""
    lanes = min(BANK_BYTES // itemsize, WARP)  # served together: a row of banks has as many entries
    groups = addresses.reshape(-1, lanes)
    bank = np.where(groups < 0, NOBODY, groups % lanes)
    order = np.lexsort((groups, bank), axis=1)
    bank, entry = (np.take_along_axis(a, order, 1) for a in (bank, groups))
    new = np.ones(entry.shape, bool)
    new[:, 1:] = entry[:, 1:] != entry[:, :-1]
    new &= bank >= 0
    row = np.broadcast_to(np.arange(len(groups))[:, None], bank.shape)
    found = np.zeros((len(groups), lanes), np.int64)
    np.add.at(found, (row[new], bank[new]), 1)
    shape = (len(addresses), -1)
    many, one = found.max(1).reshape(shape).sum(1), (found.max(1) > 0).reshape(shape).sum(1)
    least = np.where(addresses < 0, np.iinfo(np.int64).max, addresses).min(1)
    uniform = ((addresses == least[:, None]) | (addresses < 0)).all(1)
    used = (addresses >= 0).any(1)
    return np.where(uniform, used, many), np.where(uniform, used, one)


def by_warps(items: Lanes) -> Lanes:
    """(warps, 32): what the lanes of each warp take, a lane the item after its neighbour's."""
    padded = np.full(-(-max(len(items), 1) // WARP) * WARP, NOBODY)
    padded[: len(items)] = items
    return padded.reshape(-1, WARP)


def row_starts(k: int, rows: int) -> Lanes:
    """Where the rows of a panel of k pivots begin, and where it ends: `row_start` of factor.hpp."""
    i = np.arange(rows + 1)  # triangular numbers take the banks in turn, each of 16 once
    return np.where(i <= k, i * (i + 1) // 2, k * (k + 1) // 2 + (i - k) * (k | 1))


@dataclass
class Walk:
    """One block's work on one system."""

    plan: dict[str, Any]  # the tables of `flatten`, by name; of "front" its fields
    itemsize: int
    threads: int = 128
    phases: defaultdict[str, Cost] = field(default_factory=lambda: defaultdict(Cost))
    far: int = 0  # entries read from, or written to, the GPU's memory

    def __post_init__(self) -> None:
        # 1 / D and the block on the diagonal are read 16 bytes at a time
        self.together = 16 // self.itemsize
        # float64 instructions of a product, or a multiply-add, and of 1 / x; and as many of them
        # as wait for each other
        self.product, self.inverse = (1, 5) if self.itemsize == 8 else (4, 9)
        self.product_steps, self.inverse_steps = (1, 5) if self.itemsize == 8 else (2, 8)

    @property
    def whole(self) -> Cost:
        total = Cost()
        for cost in self.phases.values():
            total.add(cost)
        return total

    def request(self, phase: str, addresses: Lanes, times: float = 1) -> None:
        """All rows, each a request of a warp, `times` times."""
        many, one = wavefronts(addresses, self.itemsize)
        cost = self.phases[phase]
        cost.wavefronts += times * float(many.sum())
        cost.no_conflicts += times * float(one.sum())
        cost.requests += times * int((addresses >= 0).any(1).sum())

    def same(self, phase: str, requests: float) -> None:
        """Requests of one address by all lanes."""
        cost = self.phases[phase]
        cost.wavefronts += requests
        cost.no_conflicts += requests
        cost.requests += requests

    def barrier(self, phase: str, path: float = 0) -> None:
        self.phases[phase].barriers += 1
        self.phases[phase].path += BARRIER_LATENCY + path

    def walk(self) -> Cost:
        for f in range(len(self.plan["pivots"]) - 1):
            self.front(f)
        return self.whole

    def front(self, f: int) -> None:
        plan, threads = self.plan, self.threads
        k, update, sources, detectors = (
            int(plan[name][f]) for name in ("pivots", "update", "sources", "detectors")
        )
        start = row_starts(k, k + update + sources + detectors)
        far = bool(plan["far"][f])
        start = start + (0 if far else plan["panel"][f])
        opened = np.arange(plan["open_from"][f], plan["open_to"][f])
        if far:  # the panel comes near
            opened = np.arange(start[-1])
            self.phases["assemble"].path += MEMORY_LATENCY
        self.request("assemble", by_warps(opened))
        self.barrier("assemble", len(opened) / threads * 2)
        gathered = plan["gather_entry"][plan["gather"][f] : plan["gather"][f + 1]]
        self.request("assemble", by_warps(gathered + start[0]), 2)
        later = max(0, -(-len(gathered) // threads) - 1)  # the first were read a front before
        self.barrier("assemble", later * MEMORY_LATENCY + 2 * SHARED_LATENCY)
        for j in range(0, k, N):
            self.eliminate(min(N, k - j), j, start)
        self.update(k, update, start[k:], slice(plan["tile"][f], plan["tile"][f + 1]))
        self.read(k, start[k + update :], sources, detectors)
        self.barrier("update")

    def eliminate(self, columns: int, j: int, start: Lanes) -> None:
        rows = np.arange(j, len(start) - 1)
        turns = -(-len(rows) // self.threads)
        loop = self.pipelined(j, columns * self.product + self.product)
        first = by_warps(rows[: self.threads])
        self.change(columns, j, first, start)
        pivots = np.where((first >= 0) & (first < j + columns), first, NOBODY)
        for n in range(columns):
            self.request("change", np.where(pivots < 0, NOBODY, (pivots - j) * N + n))
        self.barrier("change", loop + 2 * SHARED_LATENCY)
        triangle, warps = columns * (columns + 1) // 2, len(first)
        block = sum(-(-n // self.together) for n in range(1, columns + 1))
        self.same("finish", warps * block + columns)  # the block; 1 / D by one thread
        factor = columns * self.inverse + columns * (columns**2 - 1) // 6 * self.product
        below = columns * (columns - 1) // 2
        self.phases["finish"].arithmetic += warps * (factor + below * self.product)
        taken = [np.where(first < j + columns, NOBODY, first)]
        if turns > 1:
            taken.append(by_warps(rows[self.threads :]))
            self.change(columns, j, taken[1], start)
        for mine in taken:
            self.phases["finish"].arithmetic += (mine >= 0).any(1).sum() * below * self.product
            for n in range(columns):
                at = np.where(mine < 0, NOBODY, start[mine] + j + n)
                self.request("finish", at)
        self.same("finish", triangle)  # the block's own rows, entry by entry
        # pivot by pivot: 1 / D, L, and the next pivot
        steps = self.inverse_steps + 2 * self.product_steps
        chain = columns * (RECIPROCAL_LATENCY + steps * ARITHMETIC_LATENCY)
        solve = columns * self.product_steps * ARITHMETIC_LATENCY
        self.barrier(
            "finish", SHARED_LATENCY + chain + solve + (turns - 1) * (loop + SHARED_LATENCY)
        )

    def change(self, columns: int, j: int, mine: Lanes, start: Lanes) -> None:
        at = np.where(mine < 0, NOBODY, start[mine])
        warps = len(mine)
        for n in range(columns):
            self.request("change", np.where((mine >= 0) & (n <= mine - j), at + j + n, NOBODY))
        self.request("change", at, j)  # w
        each = 1 / self.together + columns  # 1 / D, and a row for each column
        self.same("change", warps * j * each)
        self.phases["change"].arithmetic += warps * j * (columns + 1) * self.product

    def update(self, k: int, update: int, start: Lanes, here: slice) -> None:
        below, tiles = len(start) - 1, self.plan["tiles"][here]
        if not len(tiles):
            return
        rows = tiles[:, 3:].reshape(len(tiles), N, -1).shape[2]
        lanes = by_warps(np.arange(len(tiles)))
        used, warps = lanes >= 0, len(lanes)
        row, apart, column = (np.where(used, tiles[lanes, c], 0) for c in range(3))
        for m in range(rows):
            i = np.minimum(row + m * apart, below - 1)
            self.request("update", np.where(used, start[i], NOBODY), k)
        for n in range(N):
            j = np.minimum(column + n, update - 1)
            self.request("update", np.where(used, start[j], NOBODY), k)
        self.same("update", warps * k / self.together)
        arithmetic = (N * rows + rows) * self.product
        self.phases["update"].arithmetic += warps * k * arithmetic
        for entry in range(N * rows):
            place = np.where(used, tiles[lanes, 3 + entry], NOBODY)
            self.request("scatter", np.maximum(place, NOBODY), 2)
            self.far += 2 * int((place < NOBODY).sum())
            busy = (place != NOBODY).any(1).sum()
            self.phases["scatter"].arithmetic += int(busy) * self.itemsize // 8
        turns = -(-len(tiles) // self.threads)
        loop = turns * self.pipelined(k, arithmetic)
        self.phases["update"].path += loop + (turns - 1) * MEMORY_LATENCY  # the first is there
        places = tiles[:, 3:].reshape(len(tiles), N, rows)
        steps = 1 if self.itemsize == 8 else N  # a tile's entries at once, or column by column
        for part in np.split(places, steps, axis=1):
            for there, latency in (
                (part >= 0, SHARED_LATENCY),
                (part < NOBODY, MEMORY_LATENCY),
            ):
                if there.any():
                    self.phases["scatter"].path += turns * (latency + 2 * N * rows / steps)

    def read(self, k: int, start: Lanes, sources: int, detectors: int) -> None:
        if not sources * detectors:
            return
        pair = by_warps(np.arange(sources * detectors))
        s, d = pair // detectors, pair % detectors
        self.request("read", np.where(pair < 0, NOBODY, start[s]), k)
        self.request("read", np.where(pair < 0, NOBODY, start[sources + d]), k)
        self.same("read", len(pair) * k / self.together)
        self.request("read", pair, 2)
        self.phases["read"].arithmetic += len(pair) * (2 * k * self.product + self.itemsize // 8)
        turns = -(-sources * detectors // self.threads)
        self.phases["read"].path += turns * (
            self.pipelined(k, 2 * self.product) + MEMORY_LATENCY + 2 * SHARED_LATENCY
        )

    def pipelined(self, turns: int, arithmetic: float) -> float:
        """Cycles of a loop whose loads, four turns at a time, do not wait for its sums."""
        each = max(ARITHMETIC_LATENCY, 2 * arithmetic)  # a warp's own float64 units: 16 lanes
        return turns * each + -(-turns // 4) * SHARED_LATENCY
