"""Cases of a folder one after the other: progress, a bad case named and left, what is done kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from lesionkit import __version__, files
from lesionkit.progress import Progress

Result = TypeVar("Result")


class Case(Protocol):
    """What is done by itself: its name in the results, its file, and all files that it depends
    on."""

    @property
    def name(self) -> str: ...
    @property
    def image(self) -> Path: ...
    @property
    def inputs(self) -> Sequence[Path]: ...


AnyCase = TypeVar("AnyCase", bound=Case)


class Done(NamedTuple):
    """A case that is done, and what is to be told of it; or that could not be, and why."""

    name: str
    record: dict[str, Any]
    problem: str = ""


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


def run(
    cases: Iterable[AnyCase],
    ledger: Ledger,
    do: Callable[[AnyCase], tuple[dict[str, Any], list[str]]],
    enough: Callable[[dict[str, Any]], bool] = lambda _: True,
) -> Iterator[Done]:
    """Each case in turn; what the ledger knows is not done again.

    do     : gives a case's record and the names of the files that it wrote into the folder
    enough : whether a record of the ledger holds all that is wanted; else the case is done again
    """
    for case in cases:
        record = ledger.find(case.name, case.inputs)
        if record is None or not enough(record):
            answer, problem = attempt(case.image, partial(do, case))
            if answer is None:
                ledger.forget(case.name)
                named = problem if str(case.image) in problem else f"{case.image}: {problem}"
                yield Done(case.name, {}, named)
                continue
            record, made = answer
            ledger.put(case.name, case.inputs, made, record)
        yield Done(case.name, record)


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


@contextmanager
def results_in(out: Path) -> Iterator[None]:
    """Inside, the folder is there and this run's alone. If nothing came of it, it goes again."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with files.working_in(out):
        yield


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
            return dict(content["record"]) if same and self._holds(content["files"]) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def all_of(self, done: Sequence[Done]) -> list[Done]:
        """These cases, and what earlier runs of this version have done into the folder beside them,
        by name: tables and reports hold both."""
        these = {one.name for one in done}
        found = list(done)
        for path in sorted(self.folder.glob("*.json")):
            try:
                content = files.read_json(path)
                same = content["job"]["version"] == self.job["version"]
                if same and path.stem not in these and self._holds(content["files"]):
                    found.append(Done(path.stem, dict(content["record"])))
            except (OSError, ValueError, KeyError, TypeError):
                continue
        return sorted(found, key=lambda one: one.name)

    def check_no_others(self, cases: Iterable[Case], *results: str) -> None:
        """ValueError where the folder holds results of one of these names that this run would
        replace: of a case of the same name with other files or options, or of no ledger. Those of
        the same files and options are gone on with, and other cases' are kept beside these."""
        there = [name for name in results if (self.folder.parent / name).exists()]
        made = {path.stem for path in self.folder.glob("*.json")}
        same = all(self.find(case.name, case.inputs) for case in cases if case.name in made)
        if there and not (made and same):
            raise ValueError(
                f"{self.folder.parent} holds results of other files or options "
                f"({', '.join(there)}): choose another --out, or replace them with --overwrite"
            )

    def _holds(self, made: Sequence[str]) -> bool:
        return all((self.folder.parent / file).is_file() for file in made)

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
    """SHA-256 of each file; of a folder that of all files in it."""
    digests = []
    for path in paths:
        content = hashlib.sha256()
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            if file.is_file():
                content.update(file.read_bytes())
        digests.append(content.hexdigest())
    return digests


def write_table(path: Path, rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> None:
    """Write rows as tab-separated text, under the columns' names; what a row lacks is empty."""
    cells = [[str(row.get(name, "")) for name in columns] for row in rows]
    files.write(path, files.table([columns, *cells]))
