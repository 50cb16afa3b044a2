"""Every kernel of csrc, by the cases of `lesionkit selftest`: on the host against the CPU, with its
blocks forward, backward and together, under sanitizers; and on a GPU where there is one.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import on_host
import pytest
from on_host import ADDRESS, CSRC, THREAD, KernelFault

from lesionkit import gpu, selftest

OnHost = Callable[..., None]
RACE, OVERFLOW = "ThreadSanitizer: data race", "AddressSanitizer: heap"
WRONG = "wrong|AddressSanitizer"  # whichever comes first: the step leads astray or out of bounds

DIVIDED = f"{WRONG}|division by zero"  # or the case without a pair is entered

# (file of the case, what is broken, where, text as it stands, with the fault, flags, what is said)
KMEANS = "clustering/kmeans/kmeans.cu"
PHANTOM, FORWARD = "optics/phantom.cu", "optics/forward.cu"
FIELDS = "optics/fields/fields.cu"
ROIS = "texture/rois/rois.cu"
GLCM, MAPS = "texture/glcm/glcm.cu", "texture/maps/maps.cu"
RUNS, ZONES = "texture/region/runs.cu", "texture/region/zones.cu"
FCM, SPATIAL = "clustering/fcm/fcm.cu", "clustering/spatial/spatial.cu"
CONTOURS = "fronts/contours/chan_vese.cu"
FRONTS, LABELS = "fronts/eikonal/sweep.cu", "fronts/eikonal/labels.cu"
ACCURATE = "fronts/accurate/accurate.cu"
WAIT = "__syncthreads();"
# the lines before or after each barrier of a front's work
BARRIERS = {
    "panels are open": ("", "\n    if (here.gather + thread < next.gather) panel"),
    "entries are gathered": ("entries, next, after, thread);\n    ", ""),
    "sums are done": ("", "\n    if (i < shape.rows()) {\n      T factored"),
    "columns are eliminated": ("", "\n  }\n\n  // sum = the entries of row i"),
    "ancestors are updated": ("", "\n    here = next;"),
}
FAULTS = [
    *(
        (FORWARD, f"no barrier once {what}", f"{a}{WAIT}{b}", f"{a}{b}", THREAD, RACE)
        for what, (a, b) in BARRIERS.items()
    ),
    (
        FORWARD,
        "bound of tiles",
        "if (place < -1) far[-2 - place] = ",
        "if (place < 0) far[-2 - place] = ",
        ADDRESS,
        f"{WRONG}|runtime error",
    ),
    *(
        (FIELDS, f"no barrier once {what}", f"{WAIT}  // {what}", "", THREAD, f"{RACE}|wrong")
        for what in (
            "what the update's rows give is there",
            "the front's fields are there, and all is read",
        )
    ),
    (
        FIELDS,
        "bound of items",
        "i < count; i += step) work",
        "i <= count; i += step) work",
        ADDRESS,
        OVERFLOW,
    ),
    (FORWARD, "bound of entries", "i < systems * each;", "i <= systems * each;", ADDRESS, OVERFLOW),
    (PHANTOM, "bound of items", "i < count; i +=", "i <= count; i +=", ADDRESS, OVERFLOW),
    (PHANTOM, "bound of pixels", "if (place >= area) return;", "", ADDRESS, OVERFLOW),
    (PHANTOM, "bound of noise", "if (place >= size) return;", "", ADDRESS, OVERFLOW),
    (
        PHANTOM,
        "every thread does all",
        "int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step",
        "int64_t i = 0; i < count; i += step / step",
        THREAD,
        RACE,
    ),
    *(
        (ROIS, f"no barrier once {what}", f"{wait}  // {what}", "", THREAD, f"{RACE}|wrong")
        for wait, what in (
            (WAIT, "levels are there"),
            ("__syncwarp();", "keys are there"),
            ("__syncwarp();", "features are there, and keys have been read"),
            (WAIT, "levels have been read"),
            (WAIT, "values are there"),
            (WAIT, "the four are found"),
            (WAIT, "the range is known"),
        )
    ),
    (ROIS, "bound of pairs", "q < pairs;", "q <= pairs;", ADDRESS, WRONG),
    (
        ROIS,
        "bound of levels",
        "i < pixels; i += blockDim.x) level[i]",
        "i <= pixels; i += blockDim.x) level[i]",
        ADDRESS,
        OVERFLOW,
    ),
    (
        ROIS,
        "bound of values",
        "i < pixels; i += blockDim.x) value[i]",
        "i <= pixels; i += blockDim.x) value[i]",
        ADDRESS,
        OVERFLOW,
    ),
    *(
        (GLCM, f"no barrier once {what}", f"{WAIT}  // {what}", "", THREAD, RACE)
        for what in ("the table is clear", "the pairs are counted", "the table is read")
    ),
    *(
        (
            GLCM,
            f"no atomic for {what}",
            f"atomicAdd(&{cell}, {one}){end}",
            f"{cell} += {one}{end}",
            THREAD,
            RACE,
        )
        for what, cell, one, end in (
            ("the block's table", "table[a * levels + b]", "1", "; });"),
            ("the answer", "counts[slot * size + cell]", "count", ";"),
            ("a mirrored pair", "table[b * levels + a]", "1", ";"),
        )
    ),
    (GLCM, "bound of pairs", "i < pairs.size();", "i <= pairs.size();", ADDRESS, DIVIDED),
    (GLCM, "bound of lines", "i < n * length;", "i <= n * length;", ADDRESS, OVERFLOW),
    (RUNS, "bound of voxels", "i < count * voxels;", "i <= count * voxels;", ADDRESS, OVERFLOW),
    (
        RUNS,
        "no atomic for a run",
        "atomicAdd(&table[cells.cell(k, *voxel, length)], 1)",
        "table[cells.cell(k, *voxel, length)] += 1",
        THREAD,
        RACE,
    ),
    *(
        (
            ZONES,
            f"bound of {what}",
            f"i < {end}; i += step",
            f"i <= {end}; i += step",
            ADDRESS,
            OVERFLOW,
        )
        for what, end in (("voxels", "size.size()"), ("labels", "count"))
    ),
    (ZONES, "no atomic", "atomicAdd(changed, 1)", "++*changed", THREAD, RACE),
    *(
        (CONTOURS, f"no barrier once {what}", f"{WAIT}  // {what}", "", THREAD, f"{RACE}|wrong")
        for what in (
            "the sums of warps are there",
            "they are read",
            "the totals are there",
        )
    ),
    (
        CONTOURS,
        "bound of pixels",
        "int64_t i = first; i < size; i += step) {",
        "int64_t i = first; i <= size; i += step) {",
        ADDRESS,
        OVERFLOW,
    ),
    *(
        (KMEANS, f"no barrier once {what}", f"{WAIT}  // {what}", "", THREAD, f"{RACE}|wrong")
        for what in ("the sums are clear", "the block's sums are there", "the warps are added")
    ),
    (
        KMEANS,
        "no atomic for a share",
        "atomicAdd(&to[label * width + e], share)",
        "to[label * width + e] += share",
        THREAD,
        RACE,
    ),
    (
        KMEANS,
        "bound of labelled samples",
        "for (int64_t i = first; i < n; i += step) {",
        "for (int64_t i = first; i <= n; i += step) {",
        ADDRESS,
        OVERFLOW,
    ),
    *(
        (FRONTS, f"no barrier once {what}", f"{wait}  // {what}", "", THREAD, RACE)
        for wait, what in (
            (WAIT, "the tile is there"),
            (f"if (colour == 0) {WAIT}", "red nodes are done"),
            (WAIT, "the faces are known"),
        )
    ),
    *(
        (FRONTS, f"no atomic for {what}", f"atomicAdd(&{cell}, 1)", f"{cell}++", THREAD, RACE)
        for what, cell in (
            ("a change", "changed[turn % 3]"),
            ("a face", "faces[2 * d]"),
            ("a tile", "queued[next * tiles + other]"),
            ("a place in the list", "counts[next]"),
        )
    ),
    (FRONTS, "corners are read", "&& !t.corner(at) ", "", THREAD, RACE),
    (FRONTS, "bound of nodes", "i < t.count_all();", "i <= t.count_all();", ADDRESS, OVERFLOW),
    (
        FRONTS,
        "bound of the list",
        "k < counts[list];",
        "k <= counts[list];",
        THREAD,
        f"{RACE}|{WRONG}",
    ),
    *(
        (LABELS, f"bound of {what}", f"i < {end}; i +=", f"i <= {end}; i +=", ADDRESS, OVERFLOW)
        for what, end in (("nodes", "images * size"), ("parents", "count"))
    ),
    *(
        (ACCURATE, f"no barrier once {what}", f"{wait}  // {what}", "", THREAD, f"{RACE}|wrong")
        for wait, what in (
            (WAIT, "all know whether it is asked for"),
            (WAIT, "the tile is there"),
            (f"if (third < 2) {WAIT}", "a third is done"),
            (WAIT, "the last third is done"),
            (WAIT, "the faces are known"),
        )
    ),
    (ACCURATE, "no atomic", "atomicAdd(&faces[2 * d], 1)", "faces[2 * d]++", THREAD, RACE),
    (ACCURATE, "two thirds", "% 3 != third", "% 2 != third", THREAD, RACE),
    (
        ACCURATE,
        "tiles of both colours",
        "if (sum % 2 != colour) continue;",
        "if (sum < colour - 1) continue;",
        THREAD,
        RACE,
    ),
    (ACCURATE, "corners are read", "&& !t.corner(at);", ";", THREAD, RACE),
    *(
        (ACCURATE, f"bound of {what}", f"i < {end};", f"i <= {end};", ADDRESS, OVERFLOW)
        for what, end in (
            ("nodes", "t.count_all()"),
            ("starts", "points + starts"),
            ("images", "images"),
        )
    ),
    (
        ACCURATE,
        "no atomic for a start",
        "atomicMin(reinterpret_cast<uint64_t*>(time), bits_as<uint64_t>(to));",
        "if (to < *time) *time = to;",
        THREAD,
        RACE,
    ),
    (LABELS, "no atomic", "atomicAdd(changed, 1)", "++*changed", THREAD, RACE),
    (MAPS, "bound of pixels", "pixel < pixels;", "pixel <= pixels;", ADDRESS, OVERFLOW),
    (MAPS, "bound of codes", "i < rows * columns;", "i <= rows * columns;", ADDRESS, OVERFLOW),
    (MAPS, "codes of one thread", "shared + threadIdx.x", "shared", THREAD, RACE),
    *(
        (FCM, f"no barrier once {what}", f"{WAIT}  // {what}", "", THREAD, f"{RACE}|wrong")
        for what in (
            "the sums of threads are there",
            "the sums of parts are there",
            "the centres are there",
            "the totals are there, and all have read the progress",
            "the shifts are there",
        )
    ),
    (FCM, "no atomic", "atomicAdd(&progress->untrusted, 1)", "++progress->untrusted", THREAD, RACE),
    (
        FCM,
        "bound of samples",
        "; i < n; i += step) take",
        "; i <= n; i += step) take",
        ADDRESS,
        WRONG,
    ),
    (SPATIAL, "bound of pixels", "; i < count; i +=", "; i <= count; i +=", ADDRESS, OVERFLOW),
    (SPATIAL, "bound of a line", "if (x >= 0) visit", "visit", ADDRESS, WRONG),
    (
        SPATIAL,
        "pixels of one thread",
        "; i += step)",
        "; i += step / step)",
        THREAD,
        RACE,
    ),
]


# What is no kernel itself is part of some: of all of its file, but here.
PART_OF = {
    FORWARD: ("measure<double, true>", "measure<double, false>"),
    FIELDS: ("solve_fields<double>", "gradient<1>"),
    ACCURATE: ("start_fronts<double>",),
    FCM: ("fcm_pass<4, 4>",),
    SPATIAL: ("window_mean<float>",),
}


def where(file: str, text: str) -> str:
    """The .cu, or the header beside it that the text is in."""
    beside = sorted((CSRC / file).parent.glob("*.hpp"))
    texts = {str(path.relative_to(CSRC)): path.read_text() for path in (CSRC / file, *beside)}
    return next((name for name, said in texts.items() if text in said), file)


def kernels_with(file: str, source: str, text: str) -> tuple[str, ...]:
    """The kernels of a file that the text is in: the others need not be compiled with a fault."""
    before = source[: source.index(text)]
    at = before.rfind("\n__global__")
    if at < 0 or "\n}\n" in before[at:] or text.startswith("__global__"):
        return PART_OF.get(file, gpu.KERNELS[file])
    name = re.search(r"void (?:__launch_bounds__\(.*?\) )?(\w+)\(", source[at:])
    assert name, source[at : at + 80]
    return tuple(kernel for kernel in gpu.KERNELS[file] if kernel.split("<")[0] == name[1])


def test_every_kernel_has_a_case() -> None:
    assert selftest.CASES.keys() == gpu.KERNELS.keys()


@pytest.mark.parametrize("order", on_host.ORDERS)
@pytest.mark.parametrize("file", selftest.CASES)
def test_on_host_as_on_the_cpu(kernels_on_host: OnHost, file: str, order: on_host.Order) -> None:
    kernels_on_host(order)
    for check in selftest.CASES[file](np):
        assert check.passed, check


@pytest.mark.parametrize("flags", [THREAD, ADDRESS], ids=["thread", "address"])
@pytest.mark.parametrize("file", selftest.CASES)
def test_sanitizers_are_silent(kernels_on_host: OnHost, file: str, flags: tuple[str, ...]) -> None:
    kernels_on_host("together", flags)
    for check in selftest.CASES[file](np):
        assert check.passed, check


@pytest.mark.parametrize(
    ("file", "text", "fault", "flags", "said"),
    [(f[0], *f[2:]) for f in FAULTS],
    ids=[f"{Path(f[0]).stem}: {f[1]}" for f in FAULTS],
)
def test_a_fault_is_noticed(
    kernels_on_host: OnHost,
    tmp_path: Path,
    file: str,
    text: str,
    fault: str,
    flags: tuple[str, ...],
    said: str,
) -> None:
    place = where(file, text)
    source = (CSRC / place).read_text()
    assert source.count(text) == 1, f"{file} has changed: bring FAULTS up to date"
    shutil.copytree(CSRC, tmp_path / "csrc")
    (tmp_path / "csrc" / place).write_text(source.replace(text, fault))
    faulty = kernels_with(file, source, text)
    kernels_on_host("together", flags, tmp_path / "csrc", faulty)
    assert re.search(said, symptoms(file))


def symptoms(file: str) -> str:
    """What goes wrong when the kernels of a file run on the host."""
    try:
        wrong = [check.what for check in selftest.CASES[file](np) if not check.passed]
    except KernelFault as fault:
        return str(fault)
    return f"wrong: {wrong}" if wrong else "nothing"


@pytest.mark.gpu
@pytest.mark.parametrize("file", selftest.CASES)
def test_on_the_gpu_as_on_the_cpu(cupy: Any, file: str) -> None:
    for check in selftest.CASES[file](cupy):
        assert check.passed, check
