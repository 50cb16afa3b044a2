"""How `radiomics` cuts intensities into levels, and which families it makes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
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
Weighting = Literal["manhattan", "euclidean", "infinity"]
Binning = Literal["width", "count", "levels"]

MAX_DISTANCE = 100  # voxels


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
    bin_range : (float, float), optional
        With "count": the bins lie from the first to the second number, and what is outside gets the
        first or the last level. None: from the least to the greatest intensity.
    aggregation : str, default "3D, averaged"
        IBSI's six ways for the matrices that have directions (glcm, glrlm): "2D, averaged", "2D,
        slice-merged", "2.5D, direction-merged", "2.5D, merged", "3D, averaged", "3D, merged". "2D"
        and "2.5D" look for neighbours and runs within slices only. averaged: the mean of the
        features over directions (and slices); merged: the features of the sum of the matrices;
        slice-merged: summed over directions, averaged over slices; direction-merged: summed over
        slices, averaged over directions. The other families go by the first word: "2D" averages the
        slices' features, "2.5D" adds the slices' matrices. An image of two axes is a single slice:
        every way is "2D" or "2.5D".
    slice_axis : int, default 0
        The axis across the slices of "2D" and "2.5D" (PyRadiomics' force2Ddimension).
    distances : tuple of int, default (1,)
        How far neighbours are away, in voxels along the axis along which they are farthest (glcm,
        gldm, ngtdm): (1, 2) are all within two voxels, (2,) only those on the shell.
    weighting : {None, "manhattan", "euclidean", "infinity"}, default None
        With "2.5D, merged" or "3D, merged": by which norm the step of a direction is measured, in
        mm; its matrix is added exp(-length^2) times (glcm) or length times (glrlm), as with
        PyRadiomics' weightingNorm.
    symmetric : bool, default True
        Whether pairs count in both orders (glcm).
    families : tuple of str, optional
        Which to compute, in this order: shape (of a volume) or shape2D (of a picture), firstorder,
        glcm, glrlm, glszm, gldm, ngtdm. None: all seven that the image has.
    label : int, default 1
        In a mask of integers, the voxels that have it are inside.
    alpha : float, default 0
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
    bin_range: tuple[float, float] | None = None
    aggregation: Aggregation = "3D, averaged"
    slice_axis: int = 0
    distances: tuple[int, ...] = (1,)
    weighting: Weighting | None = None
    symmetric: bool = True
    families: tuple[Family, ...] | None = None
    label: int = 1
    alpha: float = 0.0
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
            "bin_range": None if self.bin_range is None else _range(self.bin_range),
            "aggregation": arrays.one_of(self.aggregation, "aggregation", get_args(Aggregation)),
            "slice_axis": integer(self.slice_axis, "slice_axis", at_least=0, at_most=2),
            "distances": tuple(
                integer(distance, "distances", at_least=1, at_most=MAX_DISTANCE)
                for distance in _tuple(self.distances, "distances", "integers")
            ),
            "weighting": arrays.one_of(self.weighting, "weighting", (None, *get_args(Weighting))),
            "symmetric": arrays.flag(self.symmetric, "symmetric"),
            "families": None
            if self.families is None
            else tuple(
                arrays.one_of(family, "families", get_args(Family))
                for family in _tuple(self.families, "families", "names")
            ),
            "label": integer(self.label, "label", at_least=0),
            "alpha": number(self.alpha, "alpha", at_least=0),
            "shift": number(self.shift, "shift"),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        if self.bin_range is not None and self.binning != "count":
            raise ValueError(f"bin_range must be None where binning is {self.binning!r}")
        if self.weighting is not None and self.aggregation not in ("2.5D, merged", "3D, merged"):
            raise ValueError(
                f"weighting must be None where aggregation is {self.aggregation!r}: it weights the "
                "matrices that '2.5D, merged' and '3D, merged' add"
            )


def checked_settings(name: str, settings: Any, options: dict[str, Any]) -> Settings:
    """Those that a function of that name was given, as Settings or by name; else a clear error."""
    known = [field.name for field in fields(Settings)]
    if unknown := options.keys() - {*known}:
        raise TypeError(f"{name} has no setting {min(unknown)!r}: it has {', '.join(known)}")
    if options and settings is not None:
        raise TypeError(f"settings must be None beside settings by name, {min(options)!r}")
    settings = Settings(**options) if settings is None else settings
    if not isinstance(settings, Settings):
        raise TypeError(f"settings must be Settings, got {arrays.describe(settings)}")
    return settings


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


def _tuple(value: Any, name: str, of: str) -> tuple[Any, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable) or not (found := tuple(value)):
        raise ValueError(f"{name} must be a sequence of {of}, got {value!r}")
    return found


def _range(value: Any) -> tuple[float, float]:
    ends = _tuple(value, "bin_range", "two numbers")
    low, high = (arrays.number(end, "bin_range") for end in ends) if len(ends) == 2 else (0.0, 0.0)
    if not low < high:
        raise ValueError(
            f"bin_range must be two numbers, the first below the second, got {value!r}"
        )
    return low, high
