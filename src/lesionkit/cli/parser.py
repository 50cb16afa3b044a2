"""The command line's manners: one-line mistakes with a hint, help with defaults and an example."""

from __future__ import annotations

import argparse
import difflib
import textwrap
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from lesionkit.cli.exits import Exit

WIDTH = 88  # columns of descriptions


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, what may have been meant, and where help is.

    Flags are not abbreviated: what is short for one today could be short for two tomorrow. Choices
    are taken in capital and small letters.
    """

    def __init__(self, *names: Any, **options: Any) -> None:
        options.setdefault("allow_abbrev", False)
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*names, **options)

    def add_argument(self, *names: Any, **options: Any) -> Any:
        choices = options.get("choices")
        if choices is not None and "type" not in options:
            options["type"] = any_case(choices)
        return super().add_argument(*names, **options)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            raise argparse.ArgumentError(
                action, f"must be one of {', '.join(known)}, got {value!r}{meant(value, known)}"
            )

    def error(self, message: str) -> NoReturn:
        self.exit(Exit.REFUSED, f"{self.prog}: {message} (see {self.prog} --help)\n")

    def check_known(self, argument: str) -> NoReturn:
        """Say that there is no such argument."""
        flags = [flag for action in self._actions for flag in action.option_strings]
        name = argument.partition("=")[0]
        self.error(f"unknown argument {argument}{meant(name, flags)}")


def any_case(choices: Iterable[str]) -> Callable[[str], str]:
    """A converter to the choice that is written so but for capital letters; others stay."""
    spelled = {choice.casefold(): choice for choice in choices}
    return lambda text: spelled.get(text.casefold(), text)


def meant(word: Any, known: Iterable[str]) -> str:
    """ "; did you mean 'phantoms'?", or nothing."""
    spelled = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(str(word).casefold(), spelled, 1)
    return f"; did you mean {spelled[close[0]]!r}?" if close else ""


def add_command(
    commands: Any,
    name: str,
    run: Callable[[argparse.Namespace], Any],
    *,
    help: str,
    description: str,
    example: str = "",
    draws_with: str = "",
    **options: Any,
) -> Parser:
    """Add a subcommand.

    example    : a whole command line, which stands under its help
    draws_with : the extra that it needs, if it makes pictures
    """
    parser: Parser = commands.add_parser(
        name,
        help=help,
        description=textwrap.fill(description, WIDTH),
        epilog=f"example:\n  {example}" if example else None,
        **options,
    )
    parser.set_defaults(run=run, parser=parser, draws_with=draws_with)
    return parser


def add_threads(parser: argparse.ArgumentParser) -> None:
    """--threads, of a command that computes; `main` sees to it."""
    parser.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="threads on the CPU (default: all that this process may use)",
    )


def add_overwrite(parser: argparse.ArgumentParser) -> None:
    """--overwrite, of a command whose folder may hold results already."""
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace the results that the folder holds; without it they are kept, and the command "
        "refuses",
    )


def add_format(parser: argparse.ArgumentParser) -> None:
    """--format, of a command that draws."""
    from lesionkit.report import FORMATS

    parser.add_argument(
        "--format",
        choices=FORMATS,
        default=FORMATS[0],
        help="of pictures: png has 300 dots an inch, pdf and svg lines for print "
        "(default: %(default)s)",
    )
