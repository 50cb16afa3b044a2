"""The example of docs/stroke.md runs."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs/stroke.md").read_text()


def test_the_example_runs() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    names: dict[str, object] = {}
    exec(compile(blocks[0], "stroke.md", "exec"), names)
    assert not names["mask"].any()  # type: ignore[attr-defined]
