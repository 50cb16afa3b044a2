"""Published studies from start to end: one file a paper, readable like its method section."""

from __future__ import annotations

from lesionkit.lazy import make_lazy

_HOME: dict[str, str] = {}
_MODULES = ("brain", "nirst", "stroke", "thermogram")
__all__ = ["brain", "nirst", "stroke", "thermogram"]

make_lazy(__name__)
