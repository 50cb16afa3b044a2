"""Tables as lines of text."""

from __future__ import annotations


def as_text(rows: list[dict[str, str]]) -> list[str]:
    """A table with its columns aligned."""
    names = list(rows[0])
    widths = [max(len(name), *(len(row[name]) for row in rows)) for name in names]
    lines = [dict(zip(names, names, strict=True)), *rows]
    return [
        "  ".join(
            line[name].ljust(width) for name, width in zip(names, widths, strict=True)
        ).rstrip()
        for line in lines
    ]
