"""Draw docs/house.svg from the sources: floors, rooms, and who uses whom.

    python docs/house.py          draw it again
    python docs/house.py --check  exit 1 where the drawing is not that of the sources

The arrows are the imports of src/lesionkit and the includes of csrc, read from the files; the words
stand in FLOORS and WORDS. A module without a floor, an import that leads upstairs, and a domain
that uses another are errors: tests/test_house.py holds it.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE, KERNELS = ROOT / "src/lesionkit", ROOT / "csrc"
DRAWING = Path(__file__).with_name("house.svg")

Arrows = set[tuple[str, str]]

# From the roof down: a module imports from the floors below its own only.
DOMAINS = ("optics", "texture", "clustering", "fronts")
FLOORS: tuple[dict[str, str], ...] = (
    {"cli": "commands; python -m lesionkit"},
    {
        "studies": "a package for each published study",
        "radiomics": "PyRadiomics: files, filters, tables",
        "gpu_report": "every kernel on a card",
    },
    {"nets": "torch: nets, one training loop, checkpoints"},
    {
        "metrics": "scores of masks and of maps",
        "report": "pictures",
        "page": "reports as pages",
        "selftest": "is this install right?",
    },
    dict.fromkeys(DOMAINS, ""),  # drawn with their rooms
    {"io": "files of images"},
    {"geometry": "where the pixels of an image lie", "job": "cases one after the other, resumed"},
    {
        "arrays": "checks of arrays, in words",
        "files": "a file is whole or not there",
        "progress": "bars, or lines in a log",
        "lazy": "names on demand",
        "_jit": "Numba, cached",
    },
    {"homes": "where an array lives", "_core": "the compiled module: the highest level that runs"},
    {"gpu": "compiles and launches csrc/**/*.cu", "processors": "how many threads"},
    {"extras": "libraries, or how to install them"},
)

# What each room holds. A domain's modules that lie in no room are two boxes, above and below.
WORDS = {
    "optics, above": "autograd",
    "optics, below": "spectra",
    "texture, above": "radiomics",
    "texture, below": "GLCM, ROIs, maps, LBP, selection",
    "clustering, above": "segment",
    "clustering, below": "k-means, fuzzy c-means, codebooks",
    "fronts, below": "arrival times, distances, paths, watershed, edge flow",
    "optics/mesh": "elements, checks, files",
    "optics/forward": "the plan, readings, Jacobian",
    "optics/phantoms": "recipe, generator, store",
    "optics/readings": "measured data",
    "optics/reconstruction": "Gauss-Newton, Tikhonov",
    "texture/region": "PyRadiomics' matrices",
    "texture/selection": "choosing of features",
    "clustering/spatial": "neighbours count",
    "fronts/contours": "Chan-Vese, geodesic",
    "csrc/optics": "elements, factor, forward, phantom",
    "csrc/optics/fields": "fields, derivatives on a GPU",
    "csrc/optics/volume": "tetrahedra: V-cycle, fields",
    "csrc/texture": "",
    "csrc/texture/filters": "the Laplacian of a Gaussian",
    "csrc/texture/glcm": "pairs of levels, properties",
    "csrc/texture/maps": "a window at each pixel",
    "csrc/texture/region": "runs, zones, levels",
    "csrc/texture/rois": "thousands of small squares",
    "csrc/texture/shape": "surface, diameters of a mask",
    "csrc/texture/windows": "all families about each voxel",
    "csrc/clustering": "codebook",
    "csrc/clustering/kmeans": "Lloyd; exact in one dimension",
    "csrc/clustering/fcm": "one fused pass",
    "csrc/clustering/spatial": "windows of pixels",
    "csrc/fronts": "frame",
    "csrc/fronts/accurate": "of order 2",
    "csrc/fronts/eikonal": "arrival times",
    "csrc/fronts/marching": "signed distances",
    "csrc/fronts/contours": "Chan-Vese, geodesic",
    "csrc/fronts/watershed": "floods, minima",
    "csrc/common": "threads · SIMD · ordered sums · grids · random numbers · views of arrays",
}


def imports() -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Each import of the package from itself: who, whom, as parts of a module's name."""
    modules = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        modules[parts[:-1] if parts[-1] == "__init__" else parts] = file
    for module, file in modules.items():
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            for name in names:
                first, *whom = name.split(".")
                if first == "lesionkit":
                    found = tuple(whom)
                    while found not in modules:
                        found = found[:-1]
                    yield module, found


def includes() -> Iterator[tuple[str, str]]:
    """Each include of csrc: the folder of who, the folder of whom."""
    for file in sorted(KERNELS.rglob("*")):
        if file.suffix in (".hpp", ".cpp", ".cu"):
            folder = file.parent.relative_to(ROOT).as_posix()
            for path in re.findall(r'#include "(.+)"', file.read_text()):
                yield folder, (Path("csrc") / path).parent.as_posix()


def room(module: tuple[str, ...]) -> str:
    """The folder of a domain that holds a module, or the domain's module; else the floor's name."""
    if module and module[0] in DOMAINS:
        return "/".join(module[:2])
    return module[0] if module else ""


def arrows() -> tuple[Arrows, Arrows]:
    """Between rooms, of the package and of csrc, without those of a room to itself.

    A domain's __init__.py hands out the names of its rooms, as its bind.cpp does in csrc: what
    every domain does is not drawn.
    """
    python = {(room(who), room(whom)) for who, whom in imports() if room(who) not in DOMAINS}
    kernels = {(who, whom) for who, whom in includes() if not whom.startswith(f"{who}/")}
    return {(a, b) for a, b in python if a != b}, {(a, b) for a, b in kernels if a != b}


def faults(python: Arrows, kernels: Arrows) -> list[str]:
    """What must not be: modules without a floor, imports that lead upstairs, crossed domains."""
    level = {name: i for i, floor in enumerate(FLOORS) for name in floor}
    names = {p.stem for p in PACKAGE.glob("*.py")} | {p.parent.name for p in PACKAGE.glob("*/*.py")}
    found = [
        f"{name} has no floor in docs/house.py"
        for name in sorted(names)
        if name not in level and not name.startswith("__")
    ]
    for who, whom in sorted(python):
        a, b = who.split("/")[0], whom.split("/")[0]
        # the package's own names (threads, __version__) may be asked for from anywhere
        if a in level and b in level and a != b and level[a] >= level[b]:
            found.append(f"{who} imports {whom}, which is not on a floor below")
    for who, whom in sorted(kernels):
        if who != "csrc" and whom not in ("csrc", "csrc/common") and domain(who) != domain(whom):
            found.append(f"{who} includes from {whom}")
    return found


def domain(folder: str) -> str:
    return folder.split("/")[1]


class Column:
    """The rooms of a domain on one side, users above what they use, and the arrows among them."""

    def __init__(self, name: str, rooms: Iterable[str], among: Arrows) -> None:
        self.name, self.arrows = name, {(a, b) for a, b in among if a != b}
        rooms = sorted(set(rooms))
        self.rooms: list[str] = []
        while rooms:  # what uses none of the others goes down first
            free = [r for r in rooms if not any((r, other) in self.arrows for other in rooms)]
            if not free:
                raise ValueError(f"the rooms {', '.join(rooms)} use one another in a circle")
            self.rooms[:0] = free
            rooms = [r for r in rooms if r not in free]


def package_column(name: str, python: Arrows) -> tuple[Column, dict[str, str]]:
    """A domain's rooms; its single modules are two boxes, those that use a room and the others."""
    folders = {f"{name}/{p.parent.name}" for p in PACKAGE.glob(f"{name}/*/*.py")}
    modules = {f"{name}/{p.stem}" for p in PACKAGE.glob(f"{name}/*.py") if p.stem != "__init__"}
    inside = {(a, b) for a, b in python if a in folders | modules and b in folders | modules}
    above = {a for a, b in inside if b in folders} - folders
    while more := {a for a, b in inside if b in above and a in modules} - above:
        above |= more
    box = {m: f"{name}, above" if m in above else f"{name}, below" for m in modules}
    words = {name: WORDS[name] for name in folders | set(box.values())}
    among = {(box.get(a, a), box.get(b, b)) for a, b in inside}
    return Column(name, words, among), words


def kernel_column(name: str, kernels: Arrows) -> tuple[Column, dict[str, str]]:
    """The folders of a domain in csrc."""
    rooms = {a for a, _ in kernels if a.split("/")[1:2] == [name]}
    if not any(b == f"csrc/{name}" for _, b in kernels) and len(rooms) > 1:
        rooms.remove(f"csrc/{name}")  # bind.cpp alone
    among = {(a, b) for a, b in kernels if a in rooms and b in rooms}
    return Column(f"csrc/{name}", rooms, among), {r: WORDS[r] for r in rooms}


WIDTH, LEFT, GAP = 1180, 40, 14
PLAIN, HOUSE, CELLAR, INK, PALE = "#ffffff", "#dcebf7", "#fbe6cf", "#1d2a36", "#51606e"


class Drawing:
    """An SVG, line by line."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def box(self, x: float, y: float, w: float, h: float, fill: str) -> None:
        self.lines.append(
            f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="4" fill="{fill}" '
            f'stroke="{PALE}"/>'
        )

    def text(self, x: float, y: float, words: str, size: float = 12, **more: str) -> None:
        rest = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
        self.lines.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size:g}"{rest}>{escape(words)}</text>'
        )

    def room(self, x: float, y: float, w: float, h: float, name: str, words: list[str]) -> None:
        self.box(x, y, w, h, PLAIN)
        if name:
            self.text(x + 8, y + 17, name, 12.5, font_weight="bold")
        for i, line in enumerate(words):
            self.text(x + 8, y + (33 if name else 17) + 14 * i, line, 11, fill=PALE)

    def arrow(self, x: float, start: float, end: float, out: float) -> None:
        self.lines.append(
            f'<path d="M{x:g} {start:g}C{x + out:g} {start:g} {x + out:g} {end:g} {x + 2:g} '
            f'{end:g}" fill="none" stroke="{PALE}" stroke-width="1.3" marker-end="url(#tip)"/>'
        )


def reduced(found: Arrows) -> Arrows:
    """The arrows without those that a chain of others implies."""

    def reached(start: str) -> set[str]:
        return {c for a, b in found if a == start for c in {b} | reached(b)}

    return {
        (a, b) for a, b in found if not any(b in reached(c) for x, c in found if x == a and c != b)
    }


def wrapped(words: str, width: int) -> list[str]:
    lines = [""]
    for word in words.split(" "):
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return [line for line in lines if line]


def draw_column(
    drawing: Drawing, x: float, y: float, w: float, column: Column, words: dict[str, str]
) -> float:
    """Draw a domain's rooms below y, its arrows on the right; the height that they take."""
    top, middle = y, {}
    inner = w - 62  # arrows bend out to the right
    for name in column.rooms:
        plain = "," in name or (name.count("/") == 1 and name.startswith("csrc"))  # single files
        lines = wrapped(words[name], 26)
        height = (10 if plain else 26) + 14 * len(lines)
        title = "" if plain else (name.split("/")[-1] + "/")
        drawing.room(x, y, inner, height, title, lines)
        middle[name] = y + height / 2
        y += height + 8
    drawn = reduced(column.arrows)
    for i, (who, whom) in enumerate(sorted(drawn, key=lambda a: (middle[a[0]], middle[a[1]]))):
        apart = middle[whom] - middle[who]
        drawing.arrow(x + inner, middle[who] + 3 * (i % 3 - 1), middle[whom] - 3, 16 + 0.22 * apart)
    return y - top


def draw() -> str:
    python, kernels = arrows()
    if wrong := faults(python, kernels):
        raise ValueError("; ".join(wrong))
    drawing, y = Drawing(), 58.0
    drawing.text(
        LEFT,
        26,
        "src/lesionkit/: Python. Each floor imports from the floors below it.",
        14,
        font_weight="bold",
    )
    drawing.text(
        LEFT,
        45,
        "Arrows: who uses whom among the rooms of a domain; what a chain of arrows implies is left "
        "out. No domain uses another.",
        12,
        fill=PALE,
    )
    columns = (WIDTH - 2 * LEFT + GAP) / len(DOMAINS)
    for floor in FLOORS:
        each = (WIDTH - 2 * LEFT + GAP) / len(floor)
        if tuple(floor) == DOMAINS:
            height = draw_domains(
                drawing, y, columns, [package_column(d, python) for d in DOMAINS], HOUSE
            )
        else:
            height = 44.0
            for i, (name, words) in enumerate(floor.items()):
                x = LEFT + i * each
                folder = (PACKAGE / name).is_dir()
                drawing.box(x, y, each - GAP, height, HOUSE)
                drawing.text(
                    x + 10, y + 18, name + ("/" if folder else ".py"), 12.5, font_weight="bold"
                )
                drawing.text(x + 10, y + 34, words, 11, fill=PALE)
        y += height + 10
    y += 22
    drawing.text(
        LEFT,
        y,
        "csrc/: C++20 and CUDA. Fills arrays that Python made and checked; only "
        "bind.cpp knows Python.",
        14,
        font_weight="bold",
    )
    y += 14
    y += (
        draw_domains(drawing, y, columns, [kernel_column(d, kernels) for d in DOMAINS], CELLAR) + 10
    )
    drawing.box(LEFT, y, WIDTH - 2 * LEFT, 44, CELLAR)
    drawing.text(LEFT + 10, y + 18, "common/", 12.5, font_weight="bold")
    drawing.text(LEFT + 10, y + 34, WORDS["csrc/common"], 11, fill=PALE)
    y += 66
    drawing.text(
        LEFT,
        y,
        "compiled for x86-64-v2, v3 and v4 from the same files: _core_v2, _core_v3, "
        "_core_v4; elsewhere once: _core_base",
        12,
        fill=PALE,
    )
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 20:g}" '
        f'font-family="DejaVu Sans, Verdana, Arial, sans-serif" fill="{INK}">',
        "<title>The house: who lives on which floor, and who uses whom</title>",
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0L10 5L0 10z" fill="{PALE}"/></marker></defs>',
        f'<rect width="{WIDTH}" height="{y + 20:g}" fill="#ffffff"/>',
    ]
    return "\n".join([*head, *drawing.lines, "</svg>"]) + "\n"


def draw_domains(
    drawing: Drawing,
    y: float,
    width: float,
    columns: list[tuple[Column, dict[str, str]]],
    fill: str,
) -> float:
    """The four domains side by side, each with its rooms; the height that they take."""
    trial = Drawing()
    height = 34 + max(draw_column(trial, 0, 0, width - GAP - 20, *column) for column in columns)
    for i, (column, words) in enumerate(columns):
        x = LEFT + i * width
        drawing.box(x, y, width - GAP, height, fill)
        drawing.text(x + 10, y + 19, column.name.split("/")[-1] + "/", 13.5, font_weight="bold")
        draw_column(drawing, x + 10, y + 30, width - GAP - 20, column, words)
    return height


def main() -> int:
    drawn = draw()
    if sys.argv[1:] == ["--check"]:
        return int(DRAWING.read_text() != drawn)
    DRAWING.write_text(drawn)
    return 0


if __name__ == "__main__":
    sys.exit(main())
