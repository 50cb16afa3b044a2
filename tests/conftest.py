"""What all tests share: the folder of real data, and a line that says what is being tested."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import lesionkit
from lesionkit import _core, processors

# A job in the background ignores Ctrl-C, and so would the commands that the tests start and stop.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No time is asserted in a test. With CI set, the examples are the same in every run.
settings.register_profile(
    "lesionkit",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.load_profile("lesionkit")


def pytest_report_header() -> list[str]:
    data = os.environ.get("LESIONKIT_DATA")
    return [
        f"lesionkit {lesionkit.__version__}: level {_core.level} of "
        f"{', '.join(processors.levels())}; {lesionkit.threads()} threads",
        f"LESIONKIT_DATA: {data or 'not set, so the tests that read real data will be skipped'}",
    ]


@pytest.fixture(scope="session")
def lesionkit_data() -> Path:
    """The folder that holds data/ and reference/: real images and the values of other programs."""
    value = os.environ.get("LESIONKIT_DATA")
    if not value:
        pytest.skip("LESIONKIT_DATA is not set: no folder of real data to read")
    folder = Path(value)
    if not (folder / "data").is_dir() or not (folder / "reference").is_dir():
        pytest.fail(f"LESIONKIT_DATA={value} does not hold data/ and reference/")
    return folder
