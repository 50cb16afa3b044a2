"""Regions of images for the tests of runs, zones and neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st


@st.composite
def regions(draw: Any) -> tuple[np.ndarray, np.ndarray, int]:
    """(image, mask, levels): 2 or 3 axes, a mask with holes."""
    shape = draw(st.lists(st.integers(1, 7), min_size=2, max_size=3))
    levels = draw(st.sampled_from([1, 2, 3, 5, 9, 300]))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    image = random.integers(0, levels, shape)
    mask = random.uniform(size=shape) < draw(st.sampled_from([0.2, 0.7, 1.0]))
    mask.flat[draw(st.integers(0, mask.size - 1))] = True
    return image, mask, levels
