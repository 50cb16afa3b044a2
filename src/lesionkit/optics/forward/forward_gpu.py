"""The forward model on a GPU: its plan as three flat arrays, and the launch of the solver.

The kernel is `measure` of csrc/optics/forward.cu: a block of threads works on one system at a time,
its panels in shared memory where they fit, else in the GPU's own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import _core, gpu

FILE = "optics/forward.cu"
THREADS = 128  # of a block: about the tiles of a middling front's update
BLOCK_ENTRIES = 16  # the block on the diagonal, beside the panels and the inverse pivots


class DevicePlan:
    """The plan of a forward model on a GPU; its methods are those of `_core.optics.ForwardPlan`.

    parts, stack : as for :func:`flatten`
    device       : the GPU's number; xp: cupy, for which this GPU is the current one
    """

    def __init__(self, parts: dict[str, Any], stack: dict[str, Any], device: int, xp: Any) -> None:
        host = flatten(parts, stack)
        self.size, self.max_pivots = stack["size"], max_pivots(parts)
        self.property_nodes = parts["property_nodes"]
        self.device, self.xp = device, xp
        self.in_shared_memory = True  # where they fit; False is for tests
        self.arrays = [xp.asarray(part) for part in host]

    def measure(self, absorption: Any, scattering: Any, out: Any) -> None:
        """Fill out (n, sources, detectors) from maps (n, properties): see `ForwardPlan.measure`."""
        self._launch("MapInput", [absorption, scattering, None, 0], out)

    def measure_mixture(self, fractions: Any, absorption: Any, scattering: Any, out: Any) -> None:
        """Fill out (n, sources, detectors): see `ForwardPlan.measure_mixture`."""
        materials = fractions.shape[1]
        self._launch("MixtureInput", [fractions, absorption, scattering, materials], out)

    def _launch(self, kind: str, inputs: list[Any], out: Any) -> None:
        if not len(out):
            return
        number = "Complex<double>" if out.dtype.kind == "c" else "double"
        kernel = f"measure<{number}, {self.property_nodes}, {kind}>"
        device = gpu.properties(self.device)
        beside = (self.max_pivots + BLOCK_ENTRIES) * out.dtype.itemsize
        panels = self.size * out.dtype.itemsize
        if self.in_shared_memory and beside + panels <= device.shared_per_block:
            shared, scratch = beside + panels, None
            resident = device.shared_per_multiprocessor // (shared + gpu.RESERVED_SHARED)
            grid = min(len(out), max(1, resident) * device.multiprocessors)
        else:
            shared = beside
            grid, scratch = self._scratch(min(len(out), 8 * device.multiprocessors), out)
        args = [*self.arrays, *inputs, len(out), scratch, out]
        gpu.launch(FILE, kernel, grid, THREADS, args, shared)

    def _scratch(self, grid: int, out: Any) -> tuple[int, Any]:
        """Room for the panels of as many blocks as fit into the GPU's memory."""
        fitting = gpu.free_memory() // 2 // (self.size * out.dtype.itemsize)
        grid = max(1, min(grid, fitting))
        with gpu.memory_for(f"the panels of {grid} systems"):
            return grid, self.xp.empty((grid, self.size), out.dtype)


def flatten(
    parts: dict[str, Any], stack: dict[str, Any]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """header, table and values of a plan: `DevicePlan` of csrc/optics/device_plan.hpp.

    parts : as from `build_plan`
    stack : as from `ForwardPlan.stack()`: where the panels lie while a system is solved
    """
    target_start, _ = parts["target_row"]
    column_start, column_target = parts["column_target"]
    counts = {
        "fronts": len(parts["fronts"]),
        "pairs": parts["imaginary_mass"].shape[1],
        "sources": parts["sources"],
        "detectors": parts["detectors"],
        "properties": parts["properties"],
        "size": stack["size"],
        "max_pivots": max_pivots(parts),
    }
    arrays = {
        "shapes": parts["fronts"],
        "panel": stack["panel"],
        "open_from": stack["open_from"],
        "open_to": stack["open_to"],
        "property": parts["property"],
        "source_start": parts["source"][0],
        "source": parts["source"][1],
        "detector_start": parts["detector"][0],
        "detector": parts["detector"][1],
        "column_start": column_start,
        "column_rows": target_start[column_target],
        "column": parts["column"][1],
        "target_row": stack["target_row"],
        "stiffness": parts["stiffness"],
        "area": parts["area"],
        "mass_kind": parts["mass_kind"],
        "mass": parts["mass"],
        "imaginary_mass": parts["imaginary_mass"],
        **_gathered(parts, stack),
    }
    names = _core.optics.ForwardPlan.device_parts
    table, table_places = _concatenate([arrays[name] for name in names["tables"]], np.int32)
    values, value_places = _concatenate([arrays[name] for name in names["values"]], np.float64)
    header = [*(counts[name] for name in names["counts"]), *table_places, *value_places]
    return np.array(header, np.int32), table, values


def max_pivots(parts: dict[str, Any]) -> int:
    """The most columns that one front eliminates."""
    return int(parts["fronts"][:, 0].max())


def _gathered(parts: dict[str, Any], stack: dict[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """Entries by the front that holds them, and for each what elements and constants add to it."""
    added = len(stack["element_entry"])
    front = np.concatenate([parts["entry_front"], parts["fixed_front"]]).astype(np.int64)
    entry = np.concatenate([stack["element_entry"], stack["fixed_entry"]])
    found, index = np.unique(front * stack["size"] + entry, return_inverse=True)
    fixed = np.zeros(len(found))
    np.add.at(fixed, index[added:], parts["fixed_value"])
    contribution = np.argsort(index[:added], kind="stable")
    count = len(parts["fronts"])
    return {
        "gather_start": np.searchsorted(found, np.arange(count + 1) * stack["size"]),
        "gather_entry": found % stack["size"],
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
