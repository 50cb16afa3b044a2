"""Subinterpreters: a sentence, and not a process that hangs."""

from __future__ import annotations

import subprocess
import sys

import pytest

HERE = """
try:
    import _interpreters as interpreters
    run = interpreters.exec
except ImportError:
    import _xxsubinterpreters as interpreters
    run = interpreters.run_string
place = interpreters.create()
told = run(place, {code!r})
if told is not None:  # Python 3.13 does not raise it
    raise SystemExit(f"{{told.type.__name__}}: {{told.msg}}")
"""


@pytest.mark.parametrize("name", ["lesionkit", "lesionkit._cpu", "lesionkit.fronts"])
def test_an_import_is_refused_in_a_sentence(name: str) -> None:
    pytest.importorskip("_xxsubinterpreters" if sys.version_info < (3, 13) else "_interpreters")
    command = [sys.executable, "-c", HERE.format(code=f"import {name}")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "ImportError" in done.stderr
    assert "lesionkit works in the main interpreter only" in done.stderr


def test_the_main_interpreter_goes_on() -> None:
    code = "import _xxsubinterpreters" if sys.version_info < (3, 13) else "import _interpreters"
    done = subprocess.run([sys.executable, "-c", f"{code}\nimport lesionkit"], timeout=120)
    assert done.returncode == 0
