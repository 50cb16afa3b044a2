"""What the finished site must keep; needs no network."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

TARGET = re.compile(r"""\s(?:href|src)=["']([^"']*)["']""")
PLACE = re.compile(r"""\s(?:id|name)=["']([^"']+)["']""")
OUTSIDE = re.compile(r"^(?:[a-z]+:|//)")


def links(site: Path) -> list[str]:
    """Those of the pages that lead to no file, or to no place in it."""
    faults = []
    for page in sorted(set(site.rglob("*.html")) - set(site.rglob("_static/**/*.html"))):
        for target in sorted(set(TARGET.findall(_text(page)))):
            name, _, place = unquote(target).partition("#")
            name = name.partition("?")[0]
            if OUTSIDE.match(target):
                continue
            file = (page.parent / name).resolve() if name else page
            if file.is_dir():
                file /= "index.html"
            if not file.is_file():
                faults.append(f"{page.relative_to(site)}: no file {target}")
            elif place and file.suffix == ".html" and place not in _places(file):
                faults.append(f"{page.relative_to(site)}: no place {target}")
    return faults


def names(site: Path, packages: Iterable[ModuleType]) -> list[str]:
    """Those of each `__all__` that objects.inv lacks."""
    data = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    known = {line.split(" ", 1)[0] for line in zlib.decompress(data).decode().splitlines()}
    offered = [f"{package.__name__}.{name}" for package in packages for name in package.__all__]
    return [f"objects.inv has no {name}" for name in offered if name not in known]


@cache
def _text(page: Path) -> str:
    text = re.sub(r"<script.*?</script>|<!--.*?-->", "", page.read_text(), flags=re.DOTALL)
    return re.sub(r"<pre>.*?</pre>", "", text, flags=re.DOTALL)


@cache
def _places(page: Path) -> frozenset[str]:
    return frozenset(PLACE.findall(page.read_text()))
