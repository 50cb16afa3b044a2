"""Steps shared out to forks: each is done once; what a fork fails at is left, and not told of."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

import lesionkit
from lesionkit.studies.common import forks


@pytest.mark.parametrize("processes", [1, 3])
def test_each_step_is_done_once(processes: int, tmp_path: Path) -> None:
    told: list[int] = []
    before = lesionkit.threads()

    def do(number: int) -> None:
        (tmp_path / f"{number}-{os.getpid()}").touch(exist_ok=False)

    forks.share(40, do, processes, told.append)
    names = [path.name.split("-") for path in tmp_path.iterdir()]
    assert sorted(int(number) for number, _ in names) == list(range(40))
    own = sorted(int(number) for number, process in names if int(process) == os.getpid())
    assert own == told
    assert lesionkit.threads() == before
    if processes == 1 or sys.platform != "linux":
        assert own == list(range(40))


@pytest.mark.skipif(sys.platform != "linux", reason="steps are shared out on Linux")
def test_what_a_fork_fails_at_is_left(tmp_path: Path) -> None:
    parent = os.getpid()

    def do(number: int) -> None:
        if os.getpid() != parent:
            raise ValueError("not here")
        (tmp_path / str(number)).touch()

    forks.share(20, do, 2, lambda number: None)
    assert len(list(tmp_path.iterdir())) in (19, 20)


@pytest.mark.parametrize("processes", [1, 2])
def test_what_fails_here_is_raised(processes: int) -> None:
    parent = os.getpid()

    def do(number: int) -> None:
        if os.getpid() == parent:
            raise ValueError("this step")
        time.sleep(0.02)

    with pytest.raises(ValueError, match="this step"):
        forks.share(200, do, processes, lambda number: None)
