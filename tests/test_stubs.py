"""The stubs of the compiled modules say what the modules have: names, and names of arguments.

mypy.stubtest (in .ci/run) compares the names of functions and classes, but cannot see the
arguments of a compiled function. pybind11 writes them into the first lines of its docstring.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import lesionkit

PACKAGE = Path(lesionkit.__file__).parent
STUBS = sorted([*PACKAGE.glob("_core/*.pyi"), PACKAGE / "_cpu.pyi"])


def in_stub(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, tuple[str, ...]]]:
    """(dotted name, names of arguments) of every function and method in a stub."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from in_stub(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef):
            a = node.args
            yield prefix + node.name, tuple(x.arg for x in (*a.posonlyargs, *a.args, *a.kwonlyargs))


def in_module(module: ModuleType, dotted: str) -> set[tuple[str, ...]]:
    """The names of arguments that a function's docstring tells, once for each overload."""
    thing = module
    for part in dotted.split("."):
        thing = getattr(thing, part)
    lines = re.findall(rf"^(?:\d+\. )?{part}\((.*)\) -> ", thing.__doc__ or "", re.MULTILINE)
    return {tuple(re.findall(r"(?:^|, )\*?(\w+):", line)) for line in lines}


def test_there_are_stubs() -> None:
    assert {p.name for p in STUBS} >= {"__init__.pyi", "optics.pyi", "_cpu.pyi"}
    assert (PACKAGE / "py.typed").exists()


@pytest.mark.parametrize("stub", STUBS, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_stub_names_the_arguments(stub: Path) -> None:
    dotted = ".".join(stub.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
    module = importlib.import_module(f"lesionkit.{dotted}")
    body = ast.parse(stub.read_text()).body
    for name, arguments in set(in_stub(body)):
        assert in_module(module, name) == {arguments}, name
    public = {n for n, thing in vars(module).items() if callable(thing) and n[0] != "_"}
    assert public <= {getattr(node, "name", "") for node in body}, "missing in the stub"
