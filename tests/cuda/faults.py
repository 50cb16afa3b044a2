"""What is broken in kernels on purpose, and by whom it is to be noticed (test_kernels.py)."""

from __future__ import annotations

from on_host import ADDRESS, THREAD

RACE, OVERFLOW = "ThreadSanitizer: data race", "AddressSanitizer: heap"
WRONG = "wrong|AddressSanitizer"  # whichever comes first: the step leads astray or out of bounds

DIVIDED = f"{WRONG}|division by zero"  # or the case without a pair is entered

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
SOLIDS, COLUMNS = "optics/volume/assemble.cu", "optics/volume/solve.cu"
WAIT = "__syncthreads();"
# the lines before or after each barrier of a front's work
BARRIERS = {
    "panels are open": ("", "\n    if (here.gather + thread < next.gather) panel"),
    "entries are gathered": ("entries, next, after, thread);\n    ", ""),
    "sums are done": ("", "\n    if (i < shape.rows()) {\n      T factored"),
    "columns are eliminated": ("", "\n  }\n\n  // sum = the entries of row i"),
    "ancestors are updated": ("", "\n    here = next;"),
}
# (file of the case, what is broken, text as it stands, with the fault, flags, what is said)
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
    *(
        (file, f"no barrier once {what}", f"{wait}  // {what}", "", THREAD, f"{RACE}|wrong")
        for file, wait, what in (
            (SOLIDS, "__syncwarp();", "the points are there"),
            (SOLIDS, "__syncwarp();", "the points are read"),
            (COLUMNS, WAIT, "all rows are done"),
            (COLUMNS, WAIT, "the largest of warps are there"),
            (COLUMNS, WAIT, "the sums of warps are there"),
            (COLUMNS, "__syncwarp();", "both parts are read"),
        )
    ),
    *(
        (file, f"bound of {what}", text, text.replace("<", "<="), ADDRESS, WRONG)
        for file, what, text in (
            (SOLIDS, "elements", "i < systems * elements;"),
            (SOLIDS, "rows", "i < systems * rows;"),
            (COLUMNS, "blocks", "item < count * blocks;"),
            (COLUMNS, "pairs", "i < count * of_sources * each;"),
        )
    ),
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
    COLUMNS: ("solve_columns",),
}
