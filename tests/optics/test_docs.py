"""The examples of docs/nirst.md run, one after the other, and their comments are true."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs/nirst.md").read_text()


def test_examples_run() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 4
    names: dict[str, object] = {}
    for block in blocks:
        if "# needs: torch" in block and importlib.util.find_spec("torch") is None:
            continue
        exec(compile(block, "nirst.md", "exec"), names)
    middle, far = names["found"].at([[5, 3], [-25, -15]])["hbo"]  # type: ignore[attr-defined]
    assert abs(middle - 24) < 2
    assert abs(far - 14) < 1
    nodes = len(names["mua"])  # type: ignore[arg-type]
    assert names["readings"].shape == (4, 4)  # type: ignore[attr-defined]
    assert names["jacobian"].absorption.shape == (4, 4, nodes)  # type: ignore[attr-defined]
    assert names["by"]["hbo"].shape == (4, 4, nodes)  # type: ignore[index]
    assert 500 < nodes < 20_000
