"""report.html: the answer, the pictures, every table; one file that needs no other."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionkit import __version__, page
from lesionkit.studies.brain import WARNING
from lesionkit.studies.brain.study import tables

if TYPE_CHECKING:
    from lesionkit.studies.brain.study.results import Study

TOGETHER = "\u00a0±\u00a0"  # no line ends there
TITLE = "Brain tumours by texture"
CAPTIONS = {
    "roc": "ROC curves: left all classifiers on regions held out, right the rows of one, of which "
    "the dashed ones leak",
    "regions": "The squares of the first seed, of each patient on one slice",
    "confusions": "Confusion matrices of the study's own row",
}


def write(path: Path, study: Study, figures: Mapping[str, Any]) -> None:
    """Write the page. figures : by the names of CAPTIONS"""
    parts = [
        f"<p><strong>{html.escape(WARNING)}</strong></p><h1>{TITLE}</h1>",
        *(page.note(line) for line in study.told),
        page.problems(study.problems),
        _section(tables.short(study.found)),
    ]
    for name, caption in CAPTIONS.items():
        if name in figures:
            picture = page.image(page.png_of(figures[name]), caption)
            parts.append(f"<h2>{html.escape(caption)}</h2>{picture}")
    parts += [_section(section) for section in [*study.sections, tables.times(study.found)]]
    parts.append(page.note(f"Made by lesionkit {__version__}; not for clinical use."))
    page.write(path, TITLE, parts)


def _section(section: tables.Section) -> str:
    titles = list(section.cells[0])
    rows = [[line[title].replace(" ± ", TOGETHER) for title in titles] for line in section.cells]
    told = [note if note[-1] in ".;" else f"{note}." for note in section.notes]
    notes = page.note(" ".join(told)) if told else ""
    return f"<h2>{html.escape(section.title)}</h2>{page.table(titles, rows)}{notes}"
