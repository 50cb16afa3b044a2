"""Every example of the README and of docs/ runs by itself and prints what stands below it."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
TUTORIALS = set(ROOT.glob("docs/tutorials/*.md"))  # tests/tutorials
NEEDS = re.compile(r"^# needs: (.*)$", re.MULTILINE)
MODULES = {"scikit-learn": "sklearn"} | {name: name for name in ("distributed", "numba", "torch")}


def examples() -> list[object]:
    found: list[object] = []
    for page in [ROOT / "README.md", *sorted(set(ROOT.glob("docs/**/*.md")) - TUTORIALS)]:
        text = page.read_text()
        for block in BLOCK.finditer(text):
            line = text.count("\n", 0, block.start()) + 1
            found.append(pytest.param(*block.groups(), id=f"{page.name}:{line}"))
    return found


@pytest.mark.parametrize(("code", "output"), examples())
def test_an_example_runs_alone_and_prints_what_is_told(code: str, output: str | None) -> None:
    needs = NEEDS.search(code)
    if needs and needs[1] not in MODULES:
        assert needs[1].startswith("files"), needs[1]
        pytest.skip(f"{needs[1]}: its own test makes them")
    if needs and importlib.util.find_spec(MODULES[needs[1]]) is None:
        pytest.skip(f"{needs[1]} is not installed")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "example", "exec"), {})
    assert output is not None, "the example shows no output"
    assert printed.getvalue() == output
