"""What a user reaches is documented in numpydoc's sections, and every example in src runs.

The sections are compared with what the code does: Parameters with the signature, Returns with the
annotation, Raises with whether the function, or one of lesionkit's that it calls, can raise.
"""

from __future__ import annotations

import dataclasses
import dis
import doctest
import functools
import importlib
import importlib.util
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

import lesionkit

SECTIONS = (
    "Parameters",
    "Attributes",
    "Returns",
    "Yields",
    "Raises",
    "See Also",
    "Notes",
    "References",
    "Examples",
)
EXTRA = "torch|nibabel|pydicom|SimpleITK|PIL|h5py|skimage|shtab|cupy"


ROOT = Path(__file__).parents[1]
IMPORT = re.compile(r"^from (lesionkit[\w.]*) import ([\w, ]+)$", re.MULTILINE)


def modules(name: str) -> Iterator[str]:
    """A package of lesionkit's and the modules that it offers, with what they offer in turn."""
    yield name
    if (spec := importlib.util.find_spec(name)) and spec.submodule_search_locations:
        package = importlib.import_module(name)
        homes = getattr(package, "_HOME", {})
        own = [module for module, home in homes.items() if home == name]
        offered = lesionkit.__all__ if package is lesionkit else own
        for module in sorted(set(offered) - {"threads"}):
            yield from modules(f"{name}.{module}")


def in_documents() -> set[tuple[str, str]]:
    """(module, name) of what the examples of README and docs/ import."""
    texts = [path.read_text() for path in (ROOT / "README.md", *ROOT.glob("docs/*.md"))]
    found = [pair for text in texts for pair in IMPORT.findall(text)]
    return {(module, name) for module, names in found for name in names.split(", ")}


def is_ours(thing: Any) -> bool:
    return (getattr(thing, "__module__", None) or "").startswith("lesionkit")


def load(name: str) -> ModuleType:
    """The module; a skip where an extra that it imports is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as missing:
        if not re.fullmatch(EXTRA, missing.name or ""):
            raise
        pytest.skip(f"{missing.name} is not installed")


def public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The functions and classes that a module offers: those of `__all__`, or its own."""
    names = getattr(module, "__all__", None)
    for name in names or [name for name in dir(module) if name[0] != "_"]:
        thing = getattr(module, name)
        own = names or getattr(thing, "__module__", None) == module.__name__
        if own and is_ours(thing) and (inspect.isclass(thing) or inspect.isroutine(thing)):
            yield name, thing


def methods(kind: type) -> Iterator[tuple[str, Any]]:
    """The public methods and properties of a class, those of its bases in lesionkit with them."""
    for base in kind.__mro__:
        for name, thing in vars(base).items() if is_ours(base) else ():
            if name[0] != "_" and not inspect.isclass(thing):
                if isinstance(thing, classmethod | staticmethod):
                    thing = thing.__func__
                if isinstance(thing, property | functools.cached_property | FunctionType):
                    yield name, thing


def sections(text: str) -> dict[str, list[str]]:
    """The lines of each section, and under "" of what stands before the first."""
    found: dict[str, list[str]] = {"": []}
    lines, name = inspect.cleandoc(text).splitlines(), ""
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if line and below == "-" * len(line):
            name, found[line] = line, []
        elif not (name and line == "-" * len(name) and not found[name]):
            found[name].append(line)
    return found


def entries(lines: list[str]) -> list[str]:
    """The names that head the entries of a section: "a, b : float" has two."""
    heads = [line.partition(" :")[0] for line in lines if line and line[0] != " "]
    return [name for head in heads for name in head.split(", ")]


def parameters(function: Any) -> list[str]:
    marks = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    found = [marks.get(p.kind, "") + n for n, p in inspect.signature(function).parameters.items()]
    return [name for name in found if name not in ("self", "cls")]


def can_raise(function: Any, owner: type | None = None, seen: set[Any] | None = None) -> bool:
    """Whether a `raise` stands in a function, or in one of lesionkit's that it names."""
    seen = set() if seen is None else seen
    for f in (function, inspect.unwrap(function)):
        if not isinstance(f, FunctionType) or f in seen or not is_ours(f):
            continue
        seen.add(f)
        codes, names = [f.__code__], set[str]()
        for code in codes:
            codes += [c for c in code.co_consts if isinstance(c, CodeType)]
            names |= set(code.co_names) - {"__setattr__", "__delattr__"}  # of a frozen dataclass
            if any(i.opname == "RAISE_VARARGS" for i in dis.get_instructions(code)):
                return True
        called = [f.__globals__[name] for name in names & set(f.__globals__)]
        domains = [thing for thing in called if isinstance(thing, ModuleType)]
        called += [vars(m)[name] for m in domains for name in names & set(vars(m))]
        bases = owner.__mro__ if owner else ()
        called += [vars(base)[name] for base in bases for name in names & set(vars(base))]
        for thing in called:
            if inspect.isclass(thing) and is_ours(thing):
                if can_raise(thing.__init__, thing, seen) or can_raise_after(thing, seen):
                    return True
            elif can_raise(thing, owner, seen):
                return True
    return False


def can_raise_after(kind: type, seen: set[Any] | None = None) -> bool:
    return can_raise(getattr(kind, "__post_init__", None), kind, seen)


def faults_of_text(text: str | None) -> Iterator[str]:
    """What is wrong with a docstring whatever it belongs to."""
    if not text or not text.strip():
        yield "no docstring"
        return
    found = sections(text)
    head = [*found.pop(""), ""]
    if not head[0].endswith(".") or head[1]:
        yield "the summary must be one line that ends with a full stop"
    if unknown := [name for name in found if name not in SECTIONS]:
        yield f"unknown sections {unknown}"
    elif list(found) != sorted(found, key=SECTIONS.index):
        yield f"sections must come in numpydoc's order, got {list(found)}"
    if empty := [name for name, lines in found.items() if not any(lines)]:
        yield f"empty sections {empty}"
    for name in set(found) & {"Parameters", "Attributes", "Returns", "Raises"}:
        heads = [line for line in found[name] if line and line[0] != " "]
        typed = name in ("Parameters", "Attributes")
        if bad := [line for line in heads if typed and not re.match(r"[\w*, ]+ : \S", line)]:
            yield f"{name} must be 'name : type', got {bad}"
        below = [line for line in found[name] if line[:1] == " "]
        if len(below) < len(heads):
            yield f"{name}: an entry says nothing"


def faults_of_function(function: Any, owner: type | None = None) -> Iterator[str]:
    text = inspect.getdoc(function) or ""
    yield from faults_of_text(text)
    found = sections(text)
    wanted = parameters(function)
    if entries(found.get("Parameters", [])) != wanted:
        yield f"Parameters must be {wanted}, got {entries(found.get('Parameters', []))}"
    returns = inspect.signature(function).return_annotation not in (None, "None")
    if returns != bool({"Returns", "Yields"} & set(found)):
        yield f"Returns must {'stand there' if returns else 'not be there: it returns None'}"
    if "Raises" not in found and can_raise(function, owner):
        yield "Raises is not there"
    if owner is None and ">>>" not in text:
        yield "no example"


def faults_of_class(kind: type) -> Iterator[str]:
    text = vars(kind).get("__doc__") or ""
    yield from faults_of_text(text)
    found = sections(text)
    fields = issubclass(kind, tuple) or dataclasses.is_dataclass(kind)
    made = fields or any("__init__" in vars(base) for base in kind.__mro__ if is_ours(base))
    wanted = parameters(kind) if made else []
    told = entries(found.get("Parameters", []))
    if fields and not told:
        told = entries(found.get("Attributes", []))[: len(wanted)]
    if told != wanted:
        yield f"Parameters (or fields as Attributes) must be {wanted}, got {told}"
    if "Raises" not in found and (can_raise(kind.__init__, kind) or can_raise_after(kind)):
        yield "Raises is not there"
    if hasattr(kind, "fit") and "Attributes" not in found:
        yield "an estimator's Attributes are missing"
    if ">>>" not in text:
        yield "no example"


def returned(function: Any) -> Iterator[type]:
    """The classes of lesionkit's that a function returns, by its annotation."""
    known = inspect.unwrap(function).__globals__
    for name in re.findall(r"\b[A-Z]\w*", str(inspect.signature(function).return_annotation)):
        if inspect.isclass(kind := known.get(name)) and is_ours(kind):
            yield kind


def faults_of(name: str, thing: Any) -> Iterator[str]:
    """What is wrong with the text of a function, or of a class, its methods, and what they return;
    a class that is only returned needs no example of its own."""
    if not inspect.isclass(thing):
        yield from (f"{name}: {fault}" for fault in faults_of_function(thing))
        for kind in returned(thing):
            for fault in faults_of(kind.__name__, kind):
                if not fault.endswith("no example"):
                    yield fault
        return
    yield from (f"{name}: {fault}" for fault in faults_of_class(thing))
    for method, f in methods(thing):
        if isinstance(f, FunctionType):
            found = [*faults_of_function(f, thing)]
            for kind in set(returned(f)) - {thing}:
                found += [fault for fault in faults_of_class(kind) if fault != "no example"]
        else:
            f = f.fget if isinstance(f, property) else f.func
            found = [*faults_of_text(inspect.getdoc(f))]
        yield from (f"{name}.{method}: {fault}" for fault in found)


@pytest.mark.parametrize("name", list(modules("lesionkit")))
def test_public_names_are_documented(name: str) -> None:
    found = [fault for pair in public(load(name)) for fault in faults_of(*pair)]
    assert found == []


@pytest.mark.parametrize(("module", "name"), sorted(in_documents()))
def test_what_documents_import_is_documented(module: str, name: str) -> None:
    offered = load(module)
    thing = getattr(offered, name, None) or load(f"{module}.{name}")
    if isinstance(thing, ModuleType):
        found = [fault for pair in public(thing) for fault in faults_of(*pair)]
    elif isinstance(thing, dict):  # of functions, such as SEGMENTERS
        found = [fault for pair in thing.items() for fault in faults_of(*pair)]
    else:
        found = list(faults_of(name, thing))
    assert found == []


SOURCES = sorted(
    module.name
    for module in pkgutil.walk_packages(lesionkit.__path__, "lesionkit.")
    if not re.search(r"__main__|\._core|\._cpu", module.name)
)


@pytest.mark.parametrize("name", SOURCES)
def test_sections_are_right_wherever_they_stand(name: str) -> None:
    module = load(name)
    found = []
    for thing in vars(module).values():
        if getattr(thing, "__module__", "") == name and "\n---" in (inspect.getdoc(thing) or ""):
            found += list(faults_of(thing.__name__, thing))
    assert [fault for fault in found if not fault.endswith("no example")] == []


@pytest.mark.parametrize("name", ["lesionkit", *SOURCES])
def test_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they stand, copied into a fresh interpreter, in an empty folder that stays empty."""
    path = Path(*name.split("."))
    root = Path(lesionkit.__file__).parents[1]
    source = next(p for p in (root / f"{path}.py", root / path / "__init__.py") if p.exists())
    if ">>>" not in source.read_text():
        return
    module = load(name)
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(verbose=False)
    for example in doctest.DocTestFinder(exclude_empty=True).find(module, name, globs={}):
        report: list[str] = []
        runner.run(example, out=report.append)
        absent = re.search(rf"(?:No module named '|files need )({EXTRA})", "".join(report))
        if absent:
            pytest.skip(f"{absent[1]} is not installed")
        assert not report, "".join(report)
    assert not list(tmp_path.iterdir())


def f_planted(x: int) -> int:
    """Twice x.

    Parameters
    ----------
    y : int
        A number.
    """
    if x < 0:
        raise ValueError(x)
    return 2 * x


def test_a_fault_is_seen() -> None:
    f_planted.__module__ = "lesionkit.planted"
    assert list(faults_of_function(f_planted)) == [
        "Parameters must be ['x'], got ['y']",
        "Returns must stand there",
        "Raises is not there",
        "no example",
    ]
