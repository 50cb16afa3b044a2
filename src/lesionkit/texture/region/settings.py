"""How `radiomics` cuts intensities into levels, and which families it makes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from lesionkit import arrays

Aggregation = Literal[
    "2D, averaged",
    "2D, slice-merged",
    "2.5D, direction-merged",
    "2.5D, merged",
    "3D, averaged",
    "3D, merged",
]
Family = Literal["shape", "shape2D", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"]
Binning = Literal["width", "count", "levels"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How :func:`radiomics` works; the defaults are PyRadiomics'.

    Parameters
    ----------
    binning : {"width", "count", "levels"}, default "width"
        "width": bins of `bin_width`. "count": `bin_count` equal bins from the least to the greatest
        intensity. "levels": intensities are levels, whole numbers >= 1.
    bin_width : float, default 25
        In the unit of the intensities, above 0.
    bin_origin : float, optional
        Where the first bin begins. None: at the multiple of the width below the least intensity, as
        in PyRadiomics. A number as in IBSI (the least intensity of the range that was segmented).
    bin_count : int, default 32
        1 to 65,535.
    aggregation : str, default "3D, averaged"
        IBSI's six ways for the matrices that have directions (glcm, glrlm): "2D, averaged", "2D,
        slice-merged", "2.5D, direction-merged", "2.5D, merged", "3D, averaged", "3D, merged". "2D"
        and "2.5D" look for neighbours and runs within slices only. averaged: the mean of the
        features over directions (and slices); merged: the features of the sum of the matrices;
        slice-merged: summed over directions, averaged over slices; direction-merged: summed over
        slices, averaged over directions. The other families go by the first word: "2D" averages the
        slices' features, "2.5D" adds the slices' matrices. An image of two axes is a single slice:
        every way is "2D" or "2.5D".
    families : tuple of str, optional
        Which to compute, in this order: shape (of a volume) or shape2D (of a picture), firstorder,
        glcm, glrlm, glszm, gldm, ngtdm. None: all seven that the image has.
    label : int, default 1
        In a mask of integers, the voxels that have it are inside.
    alpha : int, default 0
        How far the levels of dependent voxels may be apart (gldm; PyRadiomics' gldm_a).
    shift : float, default 0
        Added to intensities for Energy, TotalEnergy and RootMeanSquared (PyRadiomics'
        voxelArrayShift).

    Raises
    ------
    TypeError, ValueError
        Where a field is not as described.

    Examples
    --------
    >>> from lesionkit.texture import Settings
    >>> Settings(binning="count", bin_count=64, families=["glcm"]).families
    ('glcm',)
    """

    binning: Binning = "width"
    bin_width: float = 25.0
    bin_origin: float | None = None
    bin_count: int = 32
    aggregation: Aggregation = "3D, averaged"
    families: tuple[Family, ...] | None = None
    label: int = 1
    alpha: int = 0
    shift: float = 0.0

    def __post_init__(self) -> None:
        """Check every field, and make numbers floats and sequences tuples."""
        number, integer = arrays.number, arrays.integer
        checked = {
            "binning": arrays.one_of(self.binning, "binning", get_args(Binning)),
            "bin_width": number(self.bin_width, "bin_width", above=0),
            "bin_origin": None
            if self.bin_origin is None
            else number(self.bin_origin, "bin_origin"),
            "bin_count": integer(self.bin_count, "bin_count", at_least=1, at_most=65535),
            "aggregation": arrays.one_of(self.aggregation, "aggregation", get_args(Aggregation)),
            "families": None
            if self.families is None
            else tuple(
                arrays.one_of(family, "families", get_args(Family))
                for family in _tuple(self.families)
            ),
            "label": integer(self.label, "label", at_least=0),
            "alpha": integer(self.alpha, "alpha", at_least=0),
            "shift": number(self.shift, "shift"),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)


def families_of(settings: Settings, axes: int) -> tuple[Family, ...]:
    """Those to compute of an image of so many axes; ValueError where it has no such shape."""
    shape, other = ("shape", "shape2D") if axes == 3 else ("shape2D", "shape")
    if settings.families is None:
        return tuple(family for family in get_args(Family) if family != other)
    if other in settings.families:
        raise ValueError(
            f"families must hold {shape!r} in place of {other!r} for an image of {axes} axes, "
            f"got {settings.families}"
        )
    return settings.families


def _tuple(value: Any) -> tuple[Any, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable) or not (found := tuple(value)):
        raise ValueError(f"families must be a sequence of names, got {value!r}")
    return found
