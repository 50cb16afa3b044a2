"""scikit-fmm's own tests as tests of ours: an entry for the table of __main__.py.

Its tests are the examples in one docstring, `skfmm.testing`: each becomes a test, in their order,
with the names that the ones before it made.
"""

from __future__ import annotations

import ast

VERSION = "2025.6.23"
PAGE = "skfmm/__init__.py"
# A part of an example's first line -> why it is left out.
LEFT_OUT = {
    "heap": "the heap itself, which scikit-fmm offers too",
    "h.push": "the heap itself, which scikit-fmm offers too",
    "h.pop": "the heap itself, which scikit-fmm offers too",
    "h.update": "the heap itself, which scikit-fmm offers too",
    "h.empty": "the heap itself, which scikit-fmm offers too",
    "print(np.allclose(phi, answer, rtol=1e-9))": "distances taken twice: its contour moves",
}
HEAD = """
import doctest

import pytest
from lesionkit.fronts import distance, extension_velocities, travel_time

TEXT = {text!r}
EXAMPLES = doctest.DocTestParser().get_examples(TEXT)
NAMES = {{
    "distance": distance,
    "extension_velocities": extension_velocities,
    "travel_time": travel_time,
}}


def name(number):
    return f"{{number:03}} {{EXAMPLES[number].source.splitlines()[0]}}"


@pytest.mark.parametrize("number", range(len(EXAMPLES)), ids=map(name, range(len(EXAMPLES))))
def test_example(number):
    test = doctest.DocTest([EXAMPLES[number]], NAMES, name(number), None, None, None)
    said = []
    failed, _ = doctest.DocTestRunner(verbose=False).run(test, out=said.append, clear_globs=False)
    NAMES.update(test.globs)
    assert not failed, "".join(said)
"""


def their_doctests(text: str) -> str:
    """Their page, whose docstring holds the tests, as a file of tests of ours."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == "testing":
            return HEAD.format(text=ast.get_docstring(node, clean=False))
    raise LookupError(f"{PAGE} has no function `testing`")
