"""What the writers of a phantom store note while it grows: the job, and each finished chunk.

A store is made by one process, or in parts by several, each with a lock and a journal of its own:

    journal, lock                 of the one process
    journal.3-of-8, lock.3-of-8   of the third part of eight
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lesionkit import arrays, files
from lesionkit.optics.phantoms.store.layout import CHUNK, SHARD, shard_count
from lesionkit.optics.phantoms.store.phantoms import JOB

MAX_PARTS = 2**20
FINISHING = f"{files.LOCK}.finish"
"""The lock of whoever makes the store of its parts."""


class Chunk(NamedTuple):
    """What a journal says of a chunk: bytes and CRC-32C, in each array."""

    lengths: list[int]
    sums: list[int]


class Part(NamedTuple):
    """Which of how many parts, from 1."""

    number: int
    of: int

    @property
    def suffix(self) -> str:
        return "" if self.of == 1 else f".{self.number}-of-{self.of}"

    @property
    def lock(self) -> str:
        return f"{files.LOCK}{self.suffix}"

    @property
    def journal(self) -> str:
        return f"journal{self.suffix}"

    def __str__(self) -> str:
        return f"part {self.number} of {self.of}"

    def shards(self, count: int) -> range:
        """The shards of a store of so many phantoms that are this part's; none where there are
        fewer than parts."""
        total = shard_count(count)
        return range(total * (self.number - 1) // self.of, total * self.number // self.of)

    def phantoms(self, count: int) -> range:
        """The phantoms in these shards."""
        shards = self.shards(count)
        size = SHARD * CHUNK
        return range(min(shards.start * size, count), min(shards.stop * size, count))


WHOLE = Part(1, 1)


def check_part(part: Any) -> Part:
    """`part` as a Part; TypeError or ValueError where it is none."""
    if not isinstance(part, tuple | list) or len(part) != 2:
        raise TypeError(f"part must be two integers (number, of), got {arrays.describe(part)}")
    of = arrays.integer(part[1], "part[1]", at_least=1, at_most=MAX_PARTS)
    return Part(arrays.integer(part[0], "part[0]", at_least=1, at_most=of), of)


def begun(folder: Any) -> dict[Part, tuple[Any, dict[int, Chunk]]]:
    """The parts that have a journal in this folder, if it is there: the job of each, and the chunks
    that it tells of."""
    found: dict[Part, tuple[Any, dict[int, Chunk]]] = {}
    if files.is_remote(folder):
        folder.fs.invalidate_cache()  # others write, too
    for name in [file.name for file in folder.iterdir()] if folder.is_dir() else ():
        place = re.fullmatch(r"journal(?:\.(\d+)-of-(\d+))?", name)
        if place and (told := read(folder / name))[0] is not None:
            found[WHOLE if place[1] is None else Part(int(place[1]), int(place[2]))] = told
    return dict(sorted(found.items()))


def check_others(folder: Path, part: Part, job: Mapping[str, Any]) -> None:
    """ValueError where parts lie in this folder that do not go with this one."""
    for other, (theirs, _) in begun(folder).items():
        if other.of != part.of:
            raise ValueError(
                f"{folder} grows in {other.of} {'parts' if other.of > 1 else 'part'}: go "
                f"on as it was begun, not with {part}, or remove it"
            )
        check_same_job(folder, theirs, job)


def is_ours(name: str) -> bool:
    """Whether a writer made this file or folder, which is no part of the store itself."""
    journal = re.fullmatch(r"(lock|journal)(\.\d+-of-\d+)?(\.new)?", name)
    return name in ("before", FINISHING) or journal is not None


def phantoms_of(attributes: Mapping[str, Any]) -> float:
    """Phantoms of a store; infinite where it does not tell, so that no other is more."""
    count = attributes.get("count")
    return count if type(count) is int else math.inf


def check_same_job(place: Path, theirs: Any, ours: Mapping[str, Any]) -> None:
    """ValueError that says in what the job found at `place` differs from the one asked for."""

    def flat(job: Mapping[str, Any]) -> dict[str, Any]:
        recipe = {f"recipe.{name}": value for name, value in job["recipe"].items()}
        # Stores from before there was a choice are fast; some described their method there.
        given = {"accuracy": a if isinstance(a := job.get("accuracy"), str) else "fast"}
        given["first"] = job.get("first", 0)  # told where it is not 0
        own = {name: job[name] for name in JOB if name not in ("recipe", *given)}
        return own | given | recipe

    try:
        there, here = flat(theirs), flat(ours)
    except (KeyError, TypeError, AttributeError):
        raise ValueError(f"{place} was not made by lesionkit: choose another path") from None
    differ = [name for name in {**there, **here} if there.get(name) != here.get(name)]
    if differ:
        what = "; ".join(f"{n} is {there.get(n)!r} there, {here.get(n)!r} asked" for n in differ)
        raise ValueError(f"{place} holds other phantoms ({what}): remove it or choose another path")


def line(number: int, chunk: Chunk) -> str:
    """What a journal says of a chunk."""
    return json.dumps({"chunk": number, **chunk._asdict()}) + "\n"


def read(journal: Path) -> tuple[Any, dict[int, Chunk]]:
    """The job of a journal, None where there is none, and the chunks that it tells of."""
    lines = list(_json_lines(journal))
    return (lines[0] if lines else None), dict(filter(None, map(_journalled, lines[1:])))


def _journalled(told: Any) -> tuple[int, Chunk] | None:
    """A line of the journal; None for what is none."""
    try:
        number, chunk = told["chunk"], Chunk(told["lengths"], told["sums"])
        good = all(type(n) is int and n >= 0 for n in (number, *chunk.lengths, *chunk.sums))
        return (number, chunk) if good and len(chunk.lengths) == len(chunk.sums) else None
    except (KeyError, TypeError):
        return None


def _json_lines(file: Path) -> Iterator[Any]:
    """The whole lines of a journal; a torn one is passed over."""
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return
    for torn in text.splitlines():
        try:
            yield files.parse_json(torn)
        except ValueError:
            continue
