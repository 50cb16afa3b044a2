"""The documentation site: `sphinx-build -W docs site`, see CONTRIBUTING.md.

Sphinx, since the docstrings are numpydoc and its inventory lets other projects link to ours. The
pages of the reference are written from each package's `__all__` when this file is read.
"""

from __future__ import annotations

import importlib.util
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from sphinx.errors import SphinxError
from sphinx.ext.autodoc.mock import MockFinder
from sphinx.pycode import ModuleAnalyzer

import lesionkit

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # checks.py
REFERENCE = HERE / "reference"
INSIDE = {"lesionkit.nets.framework"}  # torch, for the modules of nets

project = "lesionkit"
author = "the lesionkit developers"
version = release = lesionkit.__version__
extensions = [
    "myst_parser",
    "sphinx_gallery.gen_gallery",  # before those that import torch
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
]
exclude_patterns = ["_templates", "gallery"]
templates_path = ["_templates"]
html_theme = "pydata_sphinx_theme"
html_title = "lesionkit"
html_theme_options = {
    "navbar_align": "left",
    "show_prev_next": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "collapse_navigation": True,
}
html_sidebars = {"index": []}
html_show_sourcelink = False
myst_heading_anchors = 3
autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_typehints = "none"  # numpydoc's sections say more
sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "pictures",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,
    "min_reported_time": 1e9,
}
numpydoc_show_class_members = False

import checks  # noqa: E402

if importlib.util.find_spec("torch") is None:  # the docstrings need none of its gigabytes
    sys.meta_path.insert(0, MockFinder(["torch"]))


def packages() -> Iterator[ModuleType]:
    """Those that say what they offer."""
    for found in pkgutil.walk_packages(lesionkit.__path__, "lesionkit."):
        if any(part.startswith("_") for part in found.name.split(".")) or found.name in INSIDE:
            continue
        package = importlib.import_module(found.name)
        if getattr(package, "__all__", None):
            yield package


def write_reference() -> None:
    """A page for each package, which lists its names, and an index of them."""
    REFERENCE.mkdir(exist_ok=True)
    found = {package.__name__: package for package in packages()}
    for name, package in found.items():
        own = [each for each in package.__all__ if f"{name}.{each}" not in found]
        offered = "\n".join(f"   {each}" for each in sorted(own, key=str.lower))
        (REFERENCE / f"{name}.rst").write_text(
            f"{name}\n{'=' * len(name)}\n\n"
            f".. automodule:: {name}\n   :no-members:\n\n"
            f".. currentmodule:: {name}\n\n"
            f".. autosummary::\n   :toctree: names\n\n{offered}\n"
        )
    listed = "\n".join(f"   {name}" for name in found)
    (REFERENCE / "index.rst").write_text(
        "Reference\n=========\n\nEvery public name, from its docstring.\n\n"
        f".. toctree::\n   :maxdepth: 1\n\n{listed}\n"
    )


def read_source(_: Any, __: str, source: list[str]) -> None:
    """Pages outside docs/ that are part of the site stand there under names of their own."""
    source[0] = source[0].replace("](../benchmarks/README.md", "](benchmarks.md")


def data_docs(_: Any, what: str, name: str, *rest: Any) -> None:
    """A constant's own words, which stand below it in the module that it comes from."""
    lines = rest[-1]
    package, _, constant = name.rpartition(".")
    home = getattr(sys.modules.get(package), "_HOME", {}).get(constant)
    if what == "data" and home:
        lines[:] = ModuleAnalyzer.for_module(home).find_attr_docs().get(("", constant), [])


def check(app: Any, error: Exception | None) -> None:
    """The finished site: every public name is in its inventory, every link leads somewhere."""
    if error is None and app.builder.name == "html":
        site = Path(app.outdir)
        faults = checks.links(site) + checks.names(site, packages())
        if faults:
            raise SphinxError("\n".join(faults))


def setup(app: Any) -> None:
    app.connect("source-read", read_source)
    app.connect("build-finished", check)
    app.connect("autodoc-process-docstring", data_docs)


write_reference()
for name in [name for name in sys.modules if name.partition(".")[0] == "torch"]:
    del sys.modules[name]  # the gallery's arrays are no tensors of a mock
