"""Cases of a folder one after the other: progress, a bad case named and left, what is done kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from lesionkit import __version__, files
from lesionkit.progress import Progress

Case = TypeVar("Case")
Result = TypeVar("Result")


def attempt(path: Path, do: Callable[[], Result]) -> tuple[Result | None, str]:
    """What `do` gives, and no problem; or None, and in a sentence why a case could not be done."""
    try:
        return do(), ""
    except (ValueError, TypeError) as problem:
        return None, str(problem)
    except MemoryError:
        return None, f"{path} needs more memory than there is"
    except OSError as trouble:
        return None, f"{path}: {trouble.strerror or trouble}"


def work(
    outcomes: Iterable[Result],
    total: int,
    problem_of: Callable[[Result], str],
    keep: Callable[[Result], object],
    finish: Callable[[], object],
) -> int:
    """Take each outcome as it comes, and tell how far it is; the command's exit code, 0 or 1.

    problem_of : why a case could not be done, "" if it could: it is printed, and the rest goes on.
                 One case alone that cannot be done raises ValueError, which is exit code 2
    keep       : called with each outcome
    finish     : called at the end, and when interrupted, if anything was kept
    """
    failed, some = 0, False
    try:
        with Progress("cases") as progress:
            progress(0, total)
            for number, outcome in enumerate(outcomes, start=1):
                problem = problem_of(outcome)
                if problem and total == 1:
                    raise ValueError(problem)
                if problem:
                    progress.say(f"lesionkit: {files.on_one_line(problem)}")
                    failed += 1
                keep(outcome)
                some = True
                progress(number, total)
    finally:
        if some:
            finish()
    return int(failed > 0)


class Ledger:
    """What earlier runs into a folder have done, by the case's name and the job.

    A record counts while the input has the same bytes, the options and lesionkit's version are the
    same, and all files that it tells of are there; else the case is done again.
    """

    def __init__(self, folder: Path, job: Mapping[str, Any]) -> None:
        self.folder = folder / "done"
        self.job = json.loads(json.dumps({**job, "version": __version__}))

    def find(self, name: str, inputs: Sequence[Path]) -> dict[str, Any] | None:
        """The record of a case that is done; None if it is not."""
        try:
            content = files.read_json(self._path(name))
            same = content["job"] == self.job and content["inputs"] == _digests(inputs)
            there = all((self.folder.parent / file).is_file() for file in content["files"])
            return dict(content["record"]) if same and there else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(
        self, name: str, inputs: Sequence[Path], made: Sequence[str], record: Mapping[str, Any]
    ) -> None:
        """Write down that a case is done. made : names of files in the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        content = {
            "job": self.job, "inputs": _digests(inputs), "files": list(made), "record": record
        }  # fmt: skip
        files.write(self._path(name), json.dumps(content) + "\n")

    def forget(self, name: str) -> None:
        """Remove a record, and the files it tells of: the case could not be done this time."""
        path = self._path(name)
        try:
            made = files.read_json(path)["files"]
        except (OSError, ValueError, KeyError, TypeError):
            made = []
        for file in made:
            (self.folder.parent / str(file)).unlink(missing_ok=True)
        path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"


def _digests(paths: Sequence[Path]) -> list[str]:
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]


def write_table(path: Path, rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> None:
    """Write rows as tab-separated text, under the columns' names; what a row lacks is empty."""
    cells = [[str(row.get(name, "")) for name in columns] for row in rows]
    files.write(path, files.table([columns, *cells]))
