"""The `lesionkit` command.

Exit codes: 0 done; 1 the GPU failed its selftest, or a case of several could not be done; 2 a
mistake in what was asked, or a file that cannot be read or written, told in one line; 130
interrupted. Heavy modules are imported by the subcommand that needs them.
"""

from __future__ import annotations

import argparse
import platform
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from lesionkit import __version__
from lesionkit.cli import nets, phantoms, reconstruct, stroke, thermogram


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.run is not _bench:
        parser.error(f"unknown argument {rest[0]}")
    options.rest = rest
    try:
        with _warnings_in_a_line():
            code: int | None = options.run(options)
    except ImportError as missing:  # of the compiled module, or of what an extra brings
        return _complain(str(missing))
    except _mistakes() as mistake:
        return _complain(str(mistake))
    except OSError as trouble:
        return _complain(str(trouble) if trouble.filename else trouble.strerror or str(trouble))
    except KeyboardInterrupt:
        print("lesionkit: interrupted", file=sys.stderr)
        return 130
    return code or 0


@contextmanager
def _warnings_in_a_line() -> Iterator[None]:
    """Inside, what somebody should know is told as a sentence, each once, and not as a place in a
    program."""
    told: set[str] = set()

    def tell(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if not issubclass(category, UserWarning):
            usual(message, category, *place, **more)
        elif str(message) not in told:
            told.add(str(message))
            print(f"lesionkit: warning: {message}", file=sys.stderr)

    with warnings.catch_warnings():
        usual, warnings.showwarning = warnings.showwarning, tell
        yield


def _mistakes() -> tuple[type[Exception], ...]:
    """What is told in one line; asked for only when something has gone wrong."""
    from lesionkit.gpu import GpuError
    from lesionkit.io import MissingLibrary

    return ValueError, TypeError, MemoryError, GpuError, MissingLibrary


def _complain(sentence: str) -> int:
    from lesionkit.files import on_one_line

    print(f"lesionkit: {on_one_line(sentence)}", file=sys.stderr)
    return 2


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; the usage is a --help away."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="lesionkit", description="A fast backend for lesion imaging.")
    parser.add_argument("--version", action="version", version=f"lesionkit {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    for part in (phantoms, reconstruct, nets, stroke, thermogram):
        part.add_to(commands)

    info = commands.add_parser("info", help="version, instruction set, threads, GPU")
    info.set_defaults(run=_info)

    selftest = commands.add_parser(
        "selftest",
        help="does the GPU compute what the CPU computes?",
        description="Compile every GPU kernel, check each against the CPU, and print one table. "
        "Exit code 1 without a GPU, or if an answer is wrong.",
    )
    selftest.set_defaults(run=_selftest)

    bench = commands.add_parser(
        "bench", help="benchmarks against the peers (from a checkout)", add_help=False
    )
    bench.set_defaults(run=_bench)
    return parser


def _info(_: argparse.Namespace) -> None:
    import numpy as np

    import lesionkit
    from lesionkit import _core, _cpu, gpu, processors

    rows = {
        "lesionkit": lesionkit.__version__,
        "instructions": f"{_core.level} (built: {', '.join(processors.levels())}; this processor: "
        f"{', '.join(_cpu.levels())})",
        "threads": f"{lesionkit.threads()}",
        "GPU": gpu.describe(),
        "Python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "NumPy": np.__version__,
        "installed": str(Path(lesionkit.__file__).parent),
    }
    for name, value in rows.items():
        print(f"{name:13} {value}")


def _selftest(_: argparse.Namespace) -> int:
    from lesionkit import selftest

    return selftest.main()


def _bench(options: argparse.Namespace) -> None:
    import runpy

    checkout = Path(__file__).resolve().parents[3]
    if not (checkout / "benchmarks" / "__main__.py").is_file():
        raise ValueError(
            "bench runs from a checkout: install lesionkit from one with 'pip install -e .[bench]'"
        )
    sys.path.insert(0, str(checkout))
    sys.argv = ["lesionkit bench", *options.rest]
    try:
        runpy.run_module("benchmarks", run_name="__main__")
    except ModuleNotFoundError as missing:
        raise ValueError(
            f"bench needs {missing.name}, which is not installed: pip install -e '.[bench]'"
        ) from missing
