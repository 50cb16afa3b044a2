"""Published studies from start to end: one file a paper, readable like its method section."""

from __future__ import annotations

from lesionkit.lazy import make_lazy

make_lazy(__name__)
