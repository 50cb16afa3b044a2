"""Brain tumours on MRI: masks, textures of small regions, and what in such studies is a leak.

Khan, Iftikhar, Anwar and Ramay, "Brain tumor segmentation and classification using optimized deep
learning", 2024, and the systems that it cites, by one protocol. Where the paper leaves a choice
open, the module that makes it says so. Not for diagnosis.
"""

from __future__ import annotations

WARNING = (
    "Not for diagnosis. A few patients of public sets, scored patient by patient; rows that leak "
    "say so in their names."
)
"""The first line of every report."""
