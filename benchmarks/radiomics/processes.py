"""Peers in long-lived processes of their own environments, asked in lines of JSON."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

SCRIPT = Path(__file__).with_name("peer.py")


def python_of(who: str) -> str | None:
    """The Python of a peer's environment: $PYRADIOMICS_PYTHON, $PICTOLOGICS_PYTHON."""
    return os.environ.get(f"{who.upper()}_PYTHON")


class Peer:
    """A process that measures what it is asked to, on so many threads."""

    def __init__(self, python: str, who: str, threads: int = 1) -> None:
        names = ("OMP", "OPENBLAS", "ITK_GLOBAL_DEFAULT", "NUMBA", "LESIONKIT")
        limits = {f"{name}_NUM_THREADS": str(threads) for name in names}
        limits["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = str(threads)
        self._process = subprocess.Popen(
            [python, str(SCRIPT), who],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **limits},
        )

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: Any, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer; RuntimeError with the peer's words where it has none."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"problem": "it ended"}
        if answer["problem"]:
            raise RuntimeError(f"{request}: {answer['problem']}")
        return answer
