"""docs/house.svg is drawn from the imports and includes that there are, which keep the rules; rooms
and files have a size that can be overlooked."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ("csrc", "src", "tests", "benchmarks")
SOURCES = (".py", ".hpp", ".cpp", ".cu")
MAX_FILES = 16  # directly in a folder
MAX_LINES = 400  # of a file, docstrings not counted


@pytest.fixture(scope="module")
def house() -> ModuleType:
    spec = importlib.util.spec_from_file_location("house", ROOT / "docs/house.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_drawing_is_that_of_the_sources(house: ModuleType) -> None:
    assert house.DRAWING.read_text() == house.draw(), "draw it again: python docs/house.py"


def test_the_rules_hold(house: ModuleType) -> None:
    assert house.faults(*house.arrows()) == []


@pytest.mark.parametrize(
    ("python", "kernels", "sentence"),
    [
        ({("texture/glcm", "clustering/kmeans")}, set(), "texture/glcm imports clustering/kmeans"),
        ({("arrays", "io")}, set(), "arrays imports io, which is not on a floor below"),
        ({("nets", "studies")}, set(), "nets imports studies"),
        (set(), {("csrc/fronts/eikonal", "csrc/texture/glcm")}, "eikonal includes from csrc/tex"),
    ],
)
def test_a_broken_rule_is_told(
    house: ModuleType,
    python: set[tuple[str, str]],
    kernels: set[tuple[str, str]],
    sentence: str,
) -> None:
    (found,) = house.faults(python, kernels)
    assert sentence in found


def test_a_circle_of_rooms_is_told(house: ModuleType) -> None:
    with pytest.raises(ValueError, match="the rooms a, b use one another in a circle"):
        house.Column("x", ["a", "b", "c"], {("a", "b"), ("b", "a"), ("a", "c")})


def test_the_table_names_what_there_is() -> None:
    """Every path in the table of docs/architecture.md exists."""
    page = (ROOT / "docs/architecture.md").read_text()
    table = page[page.index("| Look for | In |") : page.index("## How data flow")]
    paths = re.findall(r"`((?:csrc|src|docs|tests)/[\w/.*-]+)`", table)
    assert len(paths) > 15
    assert [path for path in paths if not list(ROOT.glob(path.rstrip("/")))] == []


def sources() -> list[Path]:
    found = [f for floor in FLOORS for f in (ROOT / floor).rglob("*") if f.suffix in SOURCES]
    assert len(found) > 500
    return found


def test_folders_hold_few_files() -> None:
    files = Counter(file.parent.relative_to(ROOT) for file in sources())
    assert {str(folder): n for folder, n in files.items() if n > MAX_FILES} == {}


def docstrings(text: str) -> int:
    """Their lines."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    firsts = [node.body[0] for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)]
    found = [one for one in firsts if isinstance(one, ast.Expr) and ast.unparse(one)[0] in "'\"r"]
    return sum((one.end_lineno or 0) - one.lineno + 1 for one in found)


def test_files_are_short() -> None:
    lines = {}
    for file in sources():
        text = file.read_text()
        lines[str(file.relative_to(ROOT))] = len(text.splitlines())
        if file.suffix == ".py" and text:
            lines[str(file.relative_to(ROOT))] -= docstrings(text)
    assert {file: n for file, n in lines.items() if n > MAX_LINES} == {}
