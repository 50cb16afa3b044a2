"""Whether times are asked for: by `pytest benchmarks`, and by nothing else.

In the run of all tests, with several workers (-n) or with --benchmark-disable everything is small
and runs once: a smoke test, in which the answers are compared all the same.
"""

from __future__ import annotations

import importlib.util

import pytest

if importlib.util.find_spec("pytest_benchmark") is None:
    collect_ignore_glob = ["*/bench_*.py"]


def pytest_configure(config: pytest.Config) -> None:
    of_all = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    if of_all or config.getoption("numprocesses", None):
        config.option.benchmark_disable = True


@pytest.fixture(scope="session")
def timed(request: pytest.FixtureRequest) -> bool:
    return not request.config.getoption("benchmark_disable")
