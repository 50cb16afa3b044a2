"""The symmetries of a phantom: turned by quarters and mirrored, it is another phantom.

They are exact, since optodes and pixels fall onto each other: eight phantoms for the price of one.
"""

from __future__ import annotations

from lesionkit.nets.framework import torch
from lesionkit.nets.phantoms.data import Batch
from lesionkit.optics.phantoms.recipe import PhantomRecipe

SYMMETRIES = 8


def symmetries(recipe: PhantomRecipe) -> int:
    """How many there are of its phantoms: 8 in a disc, else 1, phantoms as they are."""
    other = recipe.solid or recipe.outline is not None
    return 1 if other or recipe.optodes % 4 else SYMMETRIES


def turned(batch: Batch, symmetry: int) -> Batch:
    """The batch mirrored top to bottom if `symmetry` is 4 or more, then turned by symmetry % 4
    quarters counter-clockwise. The number of optodes must be a multiple of 4.

    Optode s lies at the angle 2 pi s / optodes. Mirrored it is optode -s, and detector j of it,
    optode s + 1 + j, comes to optodes - 2 - j places after that.
    """
    signals, mri, maps = batch
    mirrored, quarters = divmod(symmetry, 4)
    optodes = signals.shape[2]
    if mirrored:
        signals = signals.flip(2, 3).roll(1, 2)
        mri, maps = mri.flip(-2), maps.flip(-2)
    if quarters:
        signals = signals.roll(quarters * optodes // 4, 2)
        mri, maps = (torch.rot90(part, quarters, (-2, -1)) for part in (mri, maps))
    return Batch(signals, mri, maps)
