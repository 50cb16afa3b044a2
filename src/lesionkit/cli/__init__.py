"""The `lesionkit` command.

Its exit codes are in `exits`. Heavy modules are imported by the subcommand that needs them.
"""

from __future__ import annotations

import argparse
import platform
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lesionkit import __version__, extras
from lesionkit.cli import (
    brain,
    brain_study,
    completion,
    gpu_report,
    nets,
    phantoms,
    radiomics,
    reconstruct,
    stroke,
    thermogram,
)
from lesionkit.cli.exits import Exit
from lesionkit.cli.parser import Parser, add_command, add_threads


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = build()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.run is not _bench:
        options.parser.check_known(rest[0])
    options.rest = rest
    try:
        with _warnings_in_a_line():
            _limit_threads(options)
            if options.draws_with and not getattr(options, "no_picture", False):
                extras.require("matplotlib", "pictures need", options.draws_with)  # before work
            failed: int | None = options.run(options)
    except ModuleNotFoundError as missing:
        return _complain(str(extras.in_words(missing, f"{options.parser.prog} needs")))
    except ImportError as missing:  # of the compiled module, or of what an extra brings
        return _complain(str(missing))
    except _mistakes() as mistake:
        return _complain(str(mistake))
    except OSError as trouble:
        said = trouble.strerror or str(trouble)
        return _complain(f"{trouble.filename}: {said}" if trouble.filename else said)
    except KeyboardInterrupt as interrupted:
        return _complain(str(interrupted) or "interrupted", Exit.INTERRUPTED)
    return Exit.SOME_FAILED if failed else Exit.DONE


def _limit_threads(options: argparse.Namespace) -> None:
    """--threads, of whatever command has it."""
    if getattr(options, "threads", None) is not None:
        import lesionkit
        from lesionkit import arrays

        lesionkit.threads(arrays.integer(options.threads, "threads", at_least=1, at_most=1024))


@contextmanager
def _warnings_in_a_line() -> Iterator[None]:
    """Inside, what somebody should know is told as a sentence, each once, and not as a place in a
    program."""
    report: set[str] = set()

    def tell(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if not issubclass(category, UserWarning):
            usual(message, category, *place, **more)
        elif str(message) not in report:
            report.add(str(message))
            print(f"lesionkit: warning: {message}", file=sys.stderr)

    with warnings.catch_warnings():
        usual, warnings.showwarning = warnings.showwarning, tell
        yield


def _mistakes() -> tuple[type[Exception], ...]:
    """What is told in one line; asked for only when something has gone wrong."""
    from lesionkit.gpu import GpuError

    return ValueError, TypeError, MemoryError, GpuError


def _complain(sentence: str, code: Exit = Exit.REFUSED) -> int:
    from lesionkit.files import on_one_line

    print(f"lesionkit: {on_one_line(sentence)}", file=sys.stderr)
    return code


def build() -> Parser:
    """The parser of the whole command line."""
    parser = Parser(prog="lesionkit", description="A fast backend for lesion imaging.")
    parser.add_argument("-V", "--version", action="version", version=f"lesionkit {__version__}")
    parser.set_defaults(parser=parser, draws_with="")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    for part in (
        phantoms,
        reconstruct,
        nets,
        stroke,
        brain,
        brain_study,
        thermogram,
        radiomics,
    ):
        part.add_to(commands)
    add_command(
        commands,
        "info",
        _info,
        help="version, instruction set, threads, GPU",
        description="Print the version, the instruction set in use and those that are built, the "
        "threads, and the GPU.",
        example="lesionkit info",
    )
    selftest = add_command(
        commands,
        "selftest",
        _selftest,
        help="do the kernels compute what they should, on this CPU and GPU?",
        description="Check the CPU's kernels of each instruction set that is built and runs here "
        "against plain NumPy and known answers; where there is a GPU, compile every GPU kernel and "
        "check each against the CPU. Prints a table. Exit code 1 if an answer is wrong.",
        example="lesionkit selftest",
    )
    add_threads(selftest)
    gpu_report.add_to(commands)
    add_command(
        commands,
        "bench",
        _bench,
        help="benchmarks against the peers (from a checkout)",
        description="Time lesionkit beside the libraries that do the same work, in one run. It "
        "needs a checkout and its extra, pip install -e '.[bench]'; what follows is handed on to "
        "python -m benchmarks, where python -m benchmarks --help tells more.",
        example="lesionkit bench forward --quick",
        usage="lesionkit bench [-h] [ARGUMENT ...]",
    )
    completion.add_to(commands)
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


def _selftest(_: argparse.Namespace) -> bool:
    from lesionkit import selftest

    return selftest.main() != 0


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
            f"bench needs {missing.name}, which is not installed: {extras.command('bench')}"
        ) from missing
