"""Tables on the screen, in OUT/results.md and on one page, OUT/report.html; pictures in OUT."""

from __future__ import annotations

import html
import resource
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks import plots
from benchmarks.timing import Spread, surroundings

TITLE = "lesionkit bench"
OVER_OURS = "/ ours"  # ends the title of a column of ratios
HOW = (
    "Ours, peer, ours, peer ...: a ratio is that of two neighbours in time. Told are the median of "
    "the ratios and, in brackets, the least and the greatest. Above 1 ours is faster. Answers are "
    "compared before: a row whose answers disagree ends its part."
)


@dataclass(frozen=True)
class Ratio:
    """A row of a table that tells how many times longer a peer takes."""

    part: str
    work: str
    row: str
    spread: Spread


@dataclass
class Report:
    """The settings of a run, and where its results go."""

    out: Path
    quick: bool = False
    pairs: int = 9
    threads: int = 2
    lines: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    _part: str = ""
    _sections: dict[str, list[str]] = field(default_factory=dict)  # of each part, HTML
    _ratios: list[Ratio] = field(default_factory=list)
    _spent: dict[str, tuple[float, float]] = field(default_factory=dict)  # s, MiB
    _start: float = field(default_factory=time.perf_counter)

    def begin(self, part: str) -> None:
        """What follows belongs to this part."""
        self._part, self._start = part, time.perf_counter()

    def end(self, problem: str = "") -> None:
        """The part is done, or could not be."""
        self._spent[self._part] = (time.perf_counter() - self._start, peak_memory())
        if problem:
            self.failed.append(f"{self._part}: {problem}")
            self.say(f"FAILED, {self.failed[-1]}")
        mine = [ratio for ratio in self._ratios if ratio.part == self._part]
        if mine:
            self.figure(f"{self._part}-ratios", plots.ratios(mine))
        self._write_page()

    def say(self, text: str) -> None:
        self._say(text, f"<p>{_inline(text)}</p>")

    def table(self, title: str, header: list[str], rows: list[list[str]], note: str = "") -> None:
        if not rows:
            self.say(f"{title}: nothing here to compare with.")
            return
        widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
        lines = [header, ["-" * width for width in widths], *rows]
        padded = (
            [cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines
        )
        told = "\n".join(f"| {' | '.join(line)} |" for line in padded)
        self._collect(title, header, rows)
        self._say(f"## {title}\n\n{told}\n", f"<h3>{_inline(title)}</h3>{_table(header, rows)}")
        if note:
            self.say(note)

    def figure(self, name: str, figure: Figure) -> None:
        from lesionkit import page

        path = self.out / f"{name}.png"
        self.out.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=120)
        self._say(f"![{name}]({path.name})", page.image(page.png_of(figure), name))

    def _say(self, text: str, shown: str) -> None:
        print(text, flush=True)
        self.lines.append(text + "\n")
        self._sections.setdefault(self._part, []).append(shown)
        self._write()

    def _collect(self, title: str, header: list[str], rows: list[list[str]]) -> None:
        """Remember each ratio, under the words of its row."""
        for place, name in enumerate(header):
            if name.endswith(OVER_OURS):
                for row in rows:
                    spread = Spread.read(row[place])
                    if spread:
                        words = [cell for cell in row[:place] if not _number(cell)]
                        told = ", ".join(words).replace("`", "")
                        self._ratios.append(Ratio(self._part, title, told, spread))

    def _write(self) -> None:
        self.out.mkdir(parents=True, exist_ok=True)
        (self.out / "results.md").write_text("\n".join(self.lines), encoding="utf-8")

    def _write_page(self) -> None:
        from lesionkit import page

        about = "".join(
            f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>"
            for name, value in surroundings(self.pairs, self.threads).items()
        )
        parts = [f"<h1>{TITLE}</h1>", *self._sections.get("", []), f"<dl>{about}</dl>"]
        parts += [page.problems(self.failed), page.note(HOW)]
        if self._ratios:
            parts += ["<h2>In short</h2>", self._nearest()]
        for part, shown in self._sections.items():
            if part:
                parts += [f"<h2>{part}</h2>", *shown]
        if self._spent:
            rows = [[n, f"{s:.0f}", f"{mib:,.0f}"] for n, (s, mib) in self._spent.items()]
            parts += ["<h2>What this run took</h2>"]
            parts += [page.table(["Part", "s", "Peak memory so far, MiB"], rows)]
        page.write(self.out / "report.html", TITLE, parts)

    def _nearest(self) -> str:
        """Of each piece of work the peer that comes nearest to ours."""
        best: dict[tuple[str, str], Ratio] = {}
        for ratio in self._ratios:
            known = best.setdefault((ratio.part, ratio.work), ratio)
            if ratio.spread.median < known.spread.median:
                best[ratio.part, ratio.work] = ratio
        rows = [[r.part, r.work, r.row, str(r.spread)] for r in best.values()]
        header = ["Part", "Work", "The peer that comes nearest", "peer / ours"]
        return f'<div class="words">{_table(header, rows)}</div>'


def peak_memory() -> float:
    """MiB that this process held at most so far."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)


def _table(header: list[str], rows: list[list[str]]) -> str:
    from lesionkit import page

    return page.table(header, [[cell.replace("`", "") for cell in row] for row in rows])


def _inline(text: str) -> str:
    """Markdown's marks of code and titles, as HTML."""
    pieces = html.escape(text.lstrip("# ")).split("`")
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(pieces))


def _number(cell: str) -> bool:
    try:
        float(cell.replace(",", ""))
    except ValueError:
        return cell in ("", "-")
    return True
