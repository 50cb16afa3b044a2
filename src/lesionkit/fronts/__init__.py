"""Fast marching, contours and watershed."""

from __future__ import annotations

from lesionkit.lazy import make_lazy

make_lazy(__name__)
