"""Tables on the screen and in OUT/results.md, pictures in OUT."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from matplotlib.figure import Figure


@dataclass
class Report:
    """The settings of a run, and where its results go."""

    out: Path
    quick: bool = False
    pairs: int = 9
    threads: int = 2
    lines: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        print(text, flush=True)
        self.lines.append(text + "\n")
        self._write()

    def table(self, title: str, header: list[str], rows: list[list[str]], note: str = "") -> None:
        widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
        lines = [header, ["-" * width for width in widths], *rows]
        padded = (
            [cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines
        )
        self.say(f"## {title}\n")
        self.say("\n".join(f"| {' | '.join(line)} |" for line in padded) + "\n")
        if note:
            self.say(note)

    def figure(self, name: str, figure: Figure) -> None:
        path = self.out / f"{name}.png"
        figure.savefig(path, dpi=120)
        self.say(f"![{name}]({path.name})")

    def _write(self) -> None:
        self.out.mkdir(parents=True, exist_ok=True)
        (self.out / "results.md").write_text("\n".join(self.lines), encoding="utf-8")
