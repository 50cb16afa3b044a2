"""What a row of the table is: a function, makers of its arguments, and what it may rightly do."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from .arguments import ABSENT, Maker, Scene
from .hostile import Draw, laid_out, spoilt


@dataclass(frozen=True)
class Target:
    """A public function."""

    domain: str
    name: str
    call: Callable[..., Any]
    makers: Mapping[str, Maker]
    axes: Sequence[int] = (2, 3)  # of the images it takes
    words: Sequence[str] = ()  # that a refusal may name instead of an argument
    nonfinite: str = ""  # where its answer may be NaN or infinite though all is finite; why
    batch: int = 40  # calls that share a seed

    @property
    def full_name(self) -> str:
        return f"{self.domain}.{self.name}"

    def arguments(self, draw: Draw) -> dict[str, Any]:
        """One call's: good ones, some in odd layouts, and in most calls one or two spoilt."""
        scene = Scene.of(draw, self.axes)
        given = {name: maker(draw, scene) for name, maker in self.makers.items()}
        given = {name: value for name, value in given.items() if value is not ABSENT}
        if draw(st.booleans()):
            given = {name: laid_out(draw, value) for name, value in given.items()}
        for _ in range(draw(st.sampled_from((0, 0, 0, 1, 1, 1, 2)))):
            name = draw(st.sampled_from(sorted(self.makers)))
            good = given.get(name)
            given[name] = spoilt(draw, self.makers[name](draw, scene) if good is None else good)
            if given[name] is ABSENT:
                del given[name]
        return given

    def names_an_argument(self, sentence: str) -> bool:
        known = "|".join(re.escape(word) for word in (*self.makers, *self.words))
        return re.search(rf"(?<!\w)({known})(?!\w)", sentence) is not None
