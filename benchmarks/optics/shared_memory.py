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
from typing import Any, NamedTuple

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


class Schedule(NamedTuple):
    """How threads share the work of a front, and where its rows lie."""

    name: str
    threads: int = 128
    tile_rows: int = 2  # of a tile of the update
    apart: bool = False  # a tile's rows lie `tiles down` apart, not side by side
    odd_rows: bool = False  # below its pivots a panel's rows are an odd number of entries long
    sums_in_memory: bool = False  # of the columns that are eliminated together
    all_factor: bool = False  # warps without a row factor the block on the diagonal as well
    columns_scaled: bool = False  # by 1 / D, in the update, in the place of rows


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


def by_warps(threads: int, items: Lanes) -> Lanes:
    """(warps, 32): what each lane takes when thread t takes items[t], items[t + threads] and so on.

    Warps without an item are left out.
    """
    padded = np.full(-(-max(len(items), 1) // WARP) * WARP, NOBODY)
    padded[: len(items)] = items
    return padded.reshape(-1, WARP)


@dataclass
class Walk:
    """One block's work on one system."""

    plan: dict[str, Any]  # the tables of `flatten`, by name
    schedule: Schedule
    itemsize: int
    phases: defaultdict[str, Cost] = field(default_factory=lambda: defaultdict(Cost))

    def __post_init__(self) -> None:
        # float64 instructions of a product, or a multiply-add, and of 1 / x
        self.product, self.inverse = (1, 5) if self.itemsize == 8 else (4, 9)

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

    def same(self, phase: str, warps: float) -> None:
        """Requests of one address by all lanes."""
        cost = self.phases[phase]
        cost.wavefronts += warps
        cost.no_conflicts += warps
        cost.requests += warps

    def barrier(self, phase: str, path: float = 0) -> None:
        self.phases[phase].barriers += 1
        self.phases[phase].path += BARRIER_LATENCY + path

    def walk(self) -> Cost:
        for f in range(len(self.plan["shapes"])):
            self.front(f)
        return self.whole

    def front(self, f: int) -> None:
        plan, threads = self.plan, self.schedule.threads
        k, update, sources, detectors = map(int, plan["shapes"][f])
        start = plan["panel"][f] + self.row_starts(k, k + update + sources + detectors)
        opened = np.arange(plan["open_from"][f], plan["open_to"][f])
        self.request("assemble", by_warps(threads, opened))
        self.barrier("assemble", len(opened) / threads * 2)
        here = slice(plan["gather_start"][f], plan["gather_start"][f + 1])
        gathered = by_warps(threads, plan["gather_entry"][here])
        self.request("assemble", gathered, 2)
        many = -(-(here.stop - here.start) // threads)
        self.barrier("assemble", many * (4 * MEMORY_LATENCY + 2 * SHARED_LATENCY))
        self.eliminate(k, start)
        self.update(f, k, update, start[k:])
        self.read(k, start[k + update :], sources)
        self.phases["read"].path += MEMORY_LATENCY if sources * detectors else 0
        self.barrier("update")

    def row_starts(self, k: int, rows: int) -> Lanes:
        """Where the rows of a panel of k pivots begin, and where it ends."""
        i = np.arange(rows + 1)  # triangular numbers take the banks in turn, each of 16 once
        length = k | 1 if self.schedule.odd_rows else k
        return np.where(i <= k, i * (i + 1) // 2, k * (k + 1) // 2 + (i - k) * length)

    def eliminate(self, k: int, start: Lanes) -> None:
        rows, threads = len(start) - 1, self.schedule.threads
        for j in range(0, k, N):
            columns = min(N, k - j)
            mine = by_warps(threads, np.arange(j, rows))
            at = np.where(mine < 0, NOBODY, start[mine])
            warps, turns = len(mine), -(-(rows - j) // threads)
            last = np.where(mine < 0, 0, np.minimum(mine - j + 1, columns))
            self.request("change", at, j)  # w
            self.same("change", warps * j)  # 1 / D
            for n in range(columns):
                self.same("change", warps * j)  # row j + n
                sums = np.where(last > n, at + j + n, NOBODY)
                self.request("change", sums, 2 * j if self.schedule.sums_in_memory else 2)
            self.phases["change"].arithmetic += warps * j * (columns * self.product + self.product)
            chain = SHARED_LATENCY + ARITHMETIC_LATENCY * self.product
            if self.schedule.sums_in_memory:  # a sum is read, changed and written column by column
                path = j * columns * chain
            else:
                path = self.pipelined(j, columns * self.product + self.product)
            pivots = np.where((mine >= 0) & (mine < j + columns), mine, NOBODY)
            for n in range(columns):
                block = np.where((pivots >= 0) & (last > n), pivots - j, NOBODY)
                self.request("change", np.where(block < 0, NOBODY, start[pivots] + j + n))
                self.request("change", np.where(block < 0, NOBODY, block * N + n))
            self.barrier("change", turns * (path + 2 * SHARED_LATENCY))
            self.finish(columns, np.where(mine < j + columns, NOBODY, mine), start, j)

    def finish(self, columns: int, mine: Lanes, start: Lanes, j: int) -> None:
        """`finish_columns`: the block by every warp, then the rows below, then the block's own."""
        warps = self.schedule.threads // WARP
        if not self.schedule.all_factor:
            warps = min(warps, len(mine))
        triangle = columns * (columns + 1) // 2
        self.same("finish", warps * triangle)
        factor = columns * self.inverse + columns * (columns**2 - 1) // 6 * self.product
        below = columns * (columns - 1) // 2
        self.phases["finish"].arithmetic += warps * (factor + below * self.product)
        for n in range(columns):
            at = np.where(mine < 0, NOBODY, start[mine] + j + n)
            self.request("finish", at, 1 + (n > 0))
        used = (mine >= 0).any(1).sum()
        self.phases["finish"].arithmetic += used * below * self.product
        self.same("finish", triangle + columns)  # the block's rows, and 1 / D
        turns = -(-int((mine >= 0).sum()) // self.schedule.threads)
        # pivot by pivot: 1 / D, L, and the next pivot
        steps = self.inverse + 2 * self.product
        chain = columns * (RECIPROCAL_LATENCY + steps * ARITHMETIC_LATENCY)
        rows = turns * (2 * SHARED_LATENCY + columns * self.product * ARITHMETIC_LATENCY)
        self.barrier("finish", SHARED_LATENCY + chain + rows)

    def update(self, f: int, k: int, update: int, start: Lanes) -> None:
        below, m = len(start) - 1, self.schedule.tile_rows
        down, across = -(-below // m), -(-update // N)
        tile = by_warps(self.schedule.threads, np.arange(down * across))
        if not down * across:
            return
        first = tile % down * (1 if self.schedule.apart else m)
        i = first[..., None] + np.arange(m) * (down if self.schedule.apart else 1)
        j = tile // down * N
        used = (tile >= 0) & (i.max(-1) >= j)
        j = np.where(used, j, NOBODY)
        busy = used.any(1)
        i, j = i[busy], j[busy]
        used = j >= 0
        warps = len(i)
        for r in range(m):
            self.request(
                "update", np.where(used, start[np.minimum(i[..., r], below - 1)], NOBODY), k
            )
        for n in range(N):
            row = np.minimum(j + n, update - 1)
            self.request("update", np.where(used, start[row], NOBODY), k)
        self.same("update", warps * k)
        scaled = N if self.schedule.columns_scaled else m
        self.phases["update"].arithmetic += warps * k * (N * m + scaled) * self.product
        columns = slice(self.plan["column_start"][f], self.plan["column_start"][f + 1])
        rows, column = self.plan["column_rows"][columns], self.plan["column"][columns]
        for n in range(N):
            c = np.minimum(j + n, update - 1)
            for r in range(m):
                mine = used & (j + n < update) & (i[..., r] < below) & (i[..., r] >= j + n)
                place = self.plan["target_row"][
                    np.where(mine, rows[c] + np.minimum(i[..., r], below - 1), 0)
                ]
                self.request("scatter", np.where(mine, place + column[c], NOBODY), 2)
                self.phases["scatter"].arithmetic += int(mine.any(1).sum()) * (self.itemsize // 8)
        turns = -(-down * across // self.schedule.threads)
        loop = self.pipelined(k, (N * m + scaled) * self.product)
        # entries one after the other: two tables of the plan, the stack
        self.phases["update"].path += turns * loop
        self.phases["scatter"].path += turns * (2 * MEMORY_LATENCY + N * m * SHARED_LATENCY)

    def read(self, k: int, start: Lanes, sources: int) -> None:
        detectors = len(start) - 1 - sources
        pair = by_warps(self.schedule.threads, np.arange(sources * detectors))
        if not sources * detectors:
            return
        s, d = pair // detectors, pair % detectors
        self.request("read", np.where(pair < 0, NOBODY, start[s]), k)
        self.request("read", np.where(pair < 0, NOBODY, start[sources + d]), k)
        self.same("read", len(pair) * k)
        self.phases["read"].arithmetic += len(pair) * k * (self.product + self.product)
        turns = -(-sources * detectors // self.schedule.threads)
        self.phases["read"].path += turns * (
            self.pipelined(k, self.product + self.product) + MEMORY_LATENCY
        )

    def pipelined(self, turns: int, arithmetic: float) -> float:
        """Cycles of a loop whose loads, four turns at a time, do not wait for its sums."""
        each = max(ARITHMETIC_LATENCY, 2 * arithmetic)  # a warp's own float64 units: 16 lanes
        return turns * each + -(-turns // 4) * SHARED_LATENCY
