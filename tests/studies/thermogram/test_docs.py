"""The example of docs/thermogram.md runs."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from reference.thermal_body import woman

PAGE = (Path(__file__).parents[3] / "docs/thermogram.md").read_text()


def test_the_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    np.savetxt("breast.txt", woman().celsius, fmt="%.2f")
    names: dict[str, object] = {}
    exec(compile(example, "thermogram.md", "exec"), names)
    assert names["left"].any()
