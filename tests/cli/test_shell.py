"""The shell of the package: what an import costs, threads, instruction sets, checks in words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version

import numpy as np
import pytest

import lesionkit
from fake_cupy import OnTheGpu
from lesionkit import _core, arrays, processors


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `code` in a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


# --- import -----------------------------------------------------------------------------------

USES = """
import json, sys
import numpy
before = set(sys.modules)
import lesionkit
lesionkit.__version__, lesionkit.threads(), dir(lesionkit)
{use}
print(json.dumps(sorted({{name.split(".")[0] for name in set(sys.modules) - before}})))
"""


@pytest.mark.parametrize("use", ["", "lesionkit.optics", "from lesionkit import optics"])
def test_import_brings_numpy_and_the_compiled_module_only(use: str) -> None:
    done = python(USES.format(use=use))
    assert done.returncode == 0, done.stderr
    # the standard library's, too, but not in its list
    brought = set(json.loads(done.stdout)) - set(sys.stdlib_module_names) - {"_xxsubinterpreters"}
    # pybind11 puts a module of its own into sys.modules; it is part of the compiled module.
    assert {name for name in brought if not name.startswith("pybind11")} == {"lesionkit"}


def test_names_of_the_package() -> None:
    assert lesionkit.__version__ == version("lesionkit")
    for name in lesionkit.__all__:
        assert getattr(lesionkit, name) is not None
    assert set(lesionkit.__all__) < set(dir(lesionkit))
    with pytest.raises(AttributeError, match=r"module 'lesionkit' has no attribute 'radar'"):
        lesionkit.radar  # noqa: B018
    with pytest.raises(ImportError, match="radar"):
        from lesionkit import radar  # noqa: F401


# --- threads ----------------------------------------------------------------------------------


@pytest.fixture
def threads_as_they_were() -> Iterator[int]:
    before = lesionkit.threads()
    yield before
    lesionkit.threads(before)


def test_threads_sets_and_tells(threads_as_they_were: int) -> None:
    assert threads_as_they_were >= 1
    for count in (1, 3, np.int64(2), 1024):
        assert lesionkit.threads(count) == count
        assert lesionkit.threads() == count
        assert lesionkit.threads(None) == count
        assert type(lesionkit.threads()) is int


def test_threads_at_first_are_those_of_the_processor() -> None:
    done = python("import lesionkit; print(lesionkit.threads())")
    assert 1 <= int(done.stdout) <= (os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("count", "error", "came"),
    [
        (0, ValueError, "got 0"),
        (-2, ValueError, "got -2"),
        (1025, ValueError, "got 1025"),
        (2**70, ValueError, f"got {2**70}"),
        (2.0, TypeError, "got float 2.0"),
        (True, TypeError, "got bool True"),
        ("2", TypeError, "got str '2'"),
        (np.array([2]), TypeError, r"got int64 array of shape \(1,\)"),
    ],
)
def test_threads_refuses(
    count: object, error: type[Exception], came: str, threads_as_they_were: int
) -> None:
    with pytest.raises(error, match=f"^count must be .*from 1 to 1024, {came}$"):
        lesionkit.threads(count)
    assert lesionkit.threads() == threads_as_they_were


# --- instruction sets -------------------------------------------------------------------------


@pytest.mark.parametrize("level", processors.levels())
def test_each_level_can_be_forced(level: str) -> None:
    code = "from lesionkit import _core; import lesionkit._core.optics; print(_core.level)"
    done = python(code, LESIONKIT_ISA=level)
    assert done.stdout == f"{level}\n", done.stderr


def test_the_highest_level_is_picked() -> None:
    assert _core.level == os.environ.get("LESIONKIT_ISA", processors.levels()[-1])


@pytest.mark.parametrize("level", ["v9", "", "V3"])
def test_a_level_that_is_not_there(level: str) -> None:
    done = python("from lesionkit import _core", LESIONKIT_ISA=level)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "ImportError: LESIONKIT_ISA must be one of the levels that are built and run here, "
        f"{processors.levels()}, got {level!r}"
    )


# --- checks in words --------------------------------------------------------------------------


def test_real_takes_what_numpy_takes_and_changes_nothing() -> None:
    given = np.arange(6, dtype=np.float32).reshape(3, 2).T  # not contiguous, not float64
    kept = given.copy()
    taken = arrays.real(given, "x", (2, 3))
    assert taken.dtype == np.float64
    assert taken.flags.c_contiguous
    np.testing.assert_array_equal(taken, kept)
    np.testing.assert_array_equal(given, kept)
    assert arrays.real([[1, 2]], "x", ("n", 2)).shape == (1, 2)
    for batch in [(), (4,), (4, 5)]:
        assert arrays.real(np.ones((*batch, 3)), "x", ("...", 3)).shape == (*batch, 3)
    assert arrays.real(3, "x", ()).shape == ()


class WithGradients:
    requires_grad = True

    @property
    def __cuda_array_interface__(self) -> object:  # as torch does for such a tensor on a GPU
        raise RuntimeError("Can't get __cuda_array_interface__ on Variable that requires grad")


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([1.0, np.nan, np.inf], ValueError, r"x must be finite \(mm\), got 2 NaN or infinite"),
        (
            [1.0, 2.0],
            ValueError,
            r"x must have shape \(3\), got float64 array of shape \(2,\)",
        ),
        (
            np.ones((1, 3)),
            ValueError,
            r"x must have shape \(3\), got float64 array of shape \(1, 3\)",
        ),
        ([1j, 2, 3], TypeError, r"x must hold real numbers, got complex128 array of shape \(3,\)"),
        ([True] * 3, TypeError, r"x must hold real numbers, got bool array of shape \(3,\)"),
        ("abc", TypeError, "x must hold real numbers, got <U3 array"),
        ([[1], [1, 2], [3]], TypeError, r"x must be an array of real numbers, got list \[\[1\]"),
        (None, TypeError, "x must hold real numbers, got object array"),
        (np.ma.masked_less([1.0, 2, 3], 2), ValueError, "x has masked entries"),
        (OnTheGpu(), TypeError, "x must be a NumPy array, got a GPU array .*copy it to the host"),
        (WithGradients(), TypeError, r"x carries gradients, .*pass x\.detach\(\)"),
    ],
)
def test_real_refuses_in_words(value: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{message}"):
        arrays.real(value, "x", (3,), "mm")


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (0, ValueError, "r must be a finite number of mm above 0 and at most 9, got 0"),
        (10, ValueError, "r must be a finite number of mm above 0 and at most 9, got 10"),
        (np.nan, ValueError, "r must be a finite number of mm .*, got nan"),
        (np.inf, ValueError, "r must be a finite number of mm .*, got inf"),
        ("1", TypeError, "r must be a finite number of mm .*, got str '1'"),
        (True, TypeError, "r must be a finite number of mm .*, got bool True"),
        (1j, TypeError, "r must be a finite number of mm .*, got complex 1j"),
    ],
)
def test_number_refuses_in_words(value: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{message}$"):
        arrays.number(value, "r", above=0, at_most=9, unit="mm")


def test_number_and_integer_take_python_and_numpy_scalars() -> None:
    for value in (3, 3.0, np.float32(3), np.uint8(3)):
        taken = arrays.number(value, "r", at_least=3)
        assert (taken, type(taken)) == (3.0, float)
    for value in (3, np.int64(3), np.uint8(3)):
        taken = arrays.integer(value, "n", at_least=3)
        assert (taken, type(taken)) == (3, int)
    with pytest.raises(ValueError, match=r"^n must be at least 3, got 2$"):
        arrays.integer(2, "n", at_least=3)
