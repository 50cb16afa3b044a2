"""Reports: one HTML file that needs no other."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lesionkit import files

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem;
  color: #222; background: #fff }
table { border-collapse: collapse; margin: .7rem 0 1.2rem; display: block; overflow-x: auto }
td, th { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #ddd }
td:first-child, th:first-child { text-align: left } td:first-child { min-width: 10rem }
img { max-width: 100%; display: block } h2 { margin-top: 2.2rem }
.bad { color: #b00020 } .note { color: #666 }
.tight td, .tight th { padding: .2rem .42rem }
.words td:nth-child(2), .words th:nth-child(2) { text-align: left; min-width: 15rem }
@media (max-width: 40rem) {
  .words td:nth-child(n), .words th:nth-child(n) {
    padding: .2rem .3rem; font-size: 13px; min-width: 0
  }
  .words td:nth-child(2) { min-width: 8rem }
}
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); gap: .6rem }
figure { margin: 0 } figure img { width: 100% } figcaption { font-size: 13px; color: #444 }
.swatch { display: inline-block; width: 1em; height: 1em; margin: 0 .4em -.1em 0 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem }
dt { font-weight: 600 } dd { margin: 0 }
"""


def write(path: Path, title: str, parts: Sequence[str]) -> None:
    """Write a page of parts, which are HTML."""
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style>"
    )
    files.write(
        path, f'<!doctype html><html lang="en">{head}<body>{"".join(parts)}</body></html>\n'
    )


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(title)}</th>" for title in titles)
    body = "".join(
        f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def image(png: bytes, alt: str) -> str:
    data = base64.b64encode(png).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{data}">'


def note(text: str) -> str:
    return f'<p class="note">{html.escape(text)}</p>'


def problems(sentences: Sequence[str]) -> str:
    """The cases that could not be done, and why; nothing where all could."""
    if not sentences:
        return ""
    listed = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in sentences)
    return f'<div class="bad"><p>Not done:</p><ul>{listed}</ul></div>'


def png_of(figure: Any) -> bytes:
    """A figure of matplotlib as PNG."""
    import io

    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=90)
    return stream.getvalue()
