"""`PhantomRecipe`: what a set of NIRST phantoms is made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.optics import spectra
from lesionkit.optics.phantoms import ellipsoids
from lesionkit.optics.phantoms.geometry import Geometry
from lesionkit.optics.phantoms.outline import Outline

Range = tuple[float, float]
DISC: dict[str, Any] = {"radius": 41.0, "optodes": 16, "nodes": None, "shape": "disc"}
"""What an outline takes the place of: the defaults."""

SHAPES = ("disc", "ball", "cylinder")
STRETCH = (0.7, 1.3)
HEIGHT = 60.0  # mm
PIXELS = {2: (100, 512), 3: (32, 64)}  # along an axis: the default, and at most


@dataclass(frozen=True, kw_only=True)
class PhantomRecipe(Geometry):
    """A disc of tissue with one or two round inclusions, seen by optodes on its rim and by MRI.

    Or a ball, a cylinder or a mesh of tetrahedra with one or two ellipsoids in it.

    The defaults are the simulations of Feng et al. The ranges of the paper's Table S1 are not
    public: concentrations, contrasts, scattering and the margin are ours. Lengths in mm; a range is
    (low, high), from which a number is drawn uniformly.

    Parameters
    ----------
    shape : {"disc", "ball", "cylinder"}, default "disc"
        A ball or a cylinder is of tetrahedra: maps and MRI are then volumes of voxels
        (docs/light-3d.md).
    radius : float, default 41
        Of the disc, ball or cylinder, at most 1000 mm.
    height : float, optional
        Of a cylinder alone, at most 2000 mm; None: 60.
    optodes : int, default 16
        Sources that are detectors too, equally spaced on the rim; 2 to 1024. On a ball, or the side
        of a cylinder, they lie on a spiral from below, as far from each other as its turns.
    single_diameters : tuple of float, default (12, 16, 20)
        mm; a phantom has one inclusion of one of these diameters, anywhere inside, or, as often,
        two of `pair_diameter`.
    pair_diameter : float, default 16
        mm.
    pair_distance : range, default (4, 42)
        mm between the edges of the two.
    stretch : range, default (0.7, 1.3)
        In three dimensions alone: semi-axis of an inclusion / half its diameter, drawn for each of
        three axes; they point anywhere. Distances are then those of the balls around inclusions.
    margin : float, default 2
        Least distance from an inclusion's edge to the rim, mm (ours).
    nodes : int, optional
        Of a finite element mesh of linear triangles, about, 7 to 1,000,000; see the accuracy of
        :func:`generate`. Too coarse a mesh would make far readings negative where absorption is
        strong: it gets as many nodes as that takes (217 become 817 with the defaults), as the
        geometry in `Phantoms.attributes` says. In three dimensions of quadratic tetrahedra.
    refractive_index : float, default 1.33
        Of all tissue, 1 to 10.
    pixels : int, default 100
        Rows and columns of the maps and the MRI, 1 to 512. In three dimensions planes, rows and
        columns, 1 to 64; 32 where they are not given.
    hbo : range, default (8, 20)
        Of the background, micromolar, at most 10,000 (ours, as all tissue below).
    hb : range, default (4, 10)
        Likewise.
    water : range, default (20, 50)
        Of the background, per cent, at most 100.
    contrast : range, default (1.2, 3)
        Inclusion / background, at most 100, drawn for each chromophore of each inclusion; an
        inclusion's water ends at 100 per cent, the range drawn from with it.
    scattering_amplitude : range, default (0.8, 1.2)
        a of mus' = a (wavelength / 1000 nm)^-b mm^-1, at most 100.
    scattering_power : range, default (0.7, 1.3)
        b, -10 to 10.
    scattering_contrast : range, default (1, 1.3)
        Amplitude of an inclusion / background, at most 100; its power is the background's.
    nominal_scattering : tuple of float, default (1, 1)
        The (a, b) whose 1 / mus' is the depth of the sources at each wavelength.
    wavelengths : tuple of float
        nm, of `spectra.WAVELENGTHS`, which are the default.
    extinction : {"nirfast", "prahl"}, default "nirfast"
        The table of `spectra`.
    signal_noise : float, default 0.02
        Standard deviation of the readings' Gaussian noise, relative, at most 0.15 (amplitudes stay
        positive).
    mri_gray : tuple of float, default (50, 80)
        Gray values of background and inclusion, at most 255.
    mri_noise : float, default 0.04
        Standard deviation of the gray values' Gaussian noise, relative, at most 1.
    outline : Outline, optional
        Tissue of any shape in place of the disc, or a mesh and its optodes, as
        :func:`triangular_interface` gives them. Then `radius` is half a side of the square around
        it, which the pixels fill, and `optodes` their number: leave both out, and `nodes`. With a
        mesh of tetrahedra phantoms are in three dimensions, in a cube.

    Raises
    ------
    TypeError, ValueError
        Where a field is out of range, or inclusions do not fit into the disc.

    References
    ----------
    Feng et al., Optica 9(3), 264-267, 2022.

    Examples
    --------
    >>> from lesionkit.optics import PhantomRecipe
    >>> recipe = PhantomRecipe(radius=50, pixels=64)
    >>> recipe.positions[0].tolist(), recipe.source_depths.round(2).tolist()[:2]
    ([50.0, 0.0], [0.66, 0.74])
    >>> PhantomRecipe.from_dict(recipe.to_dict()) == recipe
    True
    """

    shape: str = "disc"
    radius: float = 41.0
    height: float | None = None
    optodes: int = 16
    single_diameters: tuple[float, ...] = (12.0, 16.0, 20.0)
    pair_diameter: float = 16.0
    pair_distance: Range = (4.0, 42.0)
    stretch: Range = STRETCH
    margin: float = 2.0
    nodes: int | None = None
    refractive_index: float = 1.33
    pixels: int = None  # type: ignore[assignment]  # filled in by what the dimensions are

    hbo: Range = (8.0, 20.0)
    hb: Range = (4.0, 10.0)
    water: Range = (20.0, 50.0)
    contrast: Range = (1.2, 3.0)
    scattering_amplitude: Range = (0.8, 1.2)
    scattering_power: Range = (0.7, 1.3)
    scattering_contrast: Range = (1.0, 1.3)
    nominal_scattering: tuple[float, float] = (1.0, 1.0)

    wavelengths: tuple[float, ...] = spectra.WAVELENGTHS
    extinction: str = "nirfast"
    signal_noise: float = 0.02
    mri_gray: tuple[float, float] = (50.0, 80.0)
    mri_noise: float = 0.04
    outline: Outline | None = None

    def __post_init__(self) -> None:
        """Check every field, and make numbers floats and sequences tuples."""
        number, integer = arrays.number, arrays.integer
        arrays.one_of(self.shape, "shape", SHAPES)
        if self.outline is not None:
            self._take_outline()
        pixels, most = PIXELS[self.axes]
        checked = {
            "height": self._height(),
            "stretch": _range(self.stretch, "stretch", at_least=0.2, at_most=5),
            "radius": number(self.radius, "radius", above=0, at_most=1000, unit="mm"),
            "optodes": integer(self.optodes, "optodes", at_least=2, at_most=1024),
            "single_diameters": _numbers(self.single_diameters, "single_diameters", above=0),
            "pair_diameter": number(self.pair_diameter, "pair_diameter", above=0, unit="mm"),
            "pair_distance": _range(self.pair_distance, "pair_distance", at_least=0),
            "margin": number(self.margin, "margin", at_least=0, unit="mm"),
            "nodes": self.nodes
            if self.nodes is None
            else integer(self.nodes, "nodes", at_least=7, at_most=1_000_000),
            "refractive_index": number(
                self.refractive_index, "refractive_index", at_least=1, at_most=10
            ),
            "pixels": integer(
                pixels if self.pixels is None else self.pixels, "pixels", at_least=1, at_most=most
            ),
            "hbo": _range(self.hbo, "hbo", at_least=0, at_most=10_000),
            "hb": _range(self.hb, "hb", at_least=0, at_most=10_000),
            "water": _range(self.water, "water", at_least=0, at_most=100),
            "contrast": _range(self.contrast, "contrast", at_least=0, at_most=100),
            "scattering_amplitude": _range(
                self.scattering_amplitude, "scattering_amplitude", above=0, at_most=100
            ),
            "scattering_power": _range(
                self.scattering_power, "scattering_power", at_least=-10, at_most=10
            ),
            "scattering_contrast": _range(
                self.scattering_contrast, "scattering_contrast", above=0, at_most=100
            ),
            "nominal_scattering": _numbers(
                self.nominal_scattering, "nominal_scattering", count=2, at_least=-10, at_most=100
            ),
            "wavelengths": _numbers(self.wavelengths, "wavelengths", above=0),
            "signal_noise": number(self.signal_noise, "signal_noise", at_least=0, at_most=0.15),
            "mri_gray": _numbers(self.mri_gray, "mri_gray", count=2, at_least=0, at_most=255),
            "mri_noise": number(self.mri_noise, "mri_noise", at_least=0, at_most=1),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        if self.nominal_scattering[0] <= 0:
            raise ValueError(
                f"nominal_scattering must have an amplitude above 0, got {self.nominal_scattering}"
            )
        if len(set(self.wavelengths)) < len(self.wavelengths):
            raise ValueError(f"wavelengths must differ from each other, got {self.wavelengths}")
        if self.extinction not in spectra.EXTINCTION:
            known = " or ".join(map(repr, spectra.EXTINCTION))
            raise ValueError(f"extinction must be {known}, got {arrays.describe(self.extinction)}")
        spectra.extinction(self.wavelengths)
        if not self.solid and self.stretch != STRETCH:
            raise ValueError(
                f"stretch belongs to three dimensions: leave it out, got {self.stretch}"
            )
        self._check_room()

    def _height(self) -> float | None:
        """That of a cylinder; None of all else."""
        if self.shape == "cylinder":
            height = HEIGHT if self.height is None else self.height
            return arrays.number(height, "height", above=0, at_most=2000, unit="mm")
        if self.height is not None:
            raise ValueError(f"height belongs to a cylinder: leave it out, got {self.height!r}")
        return None

    def _take_outline(self) -> None:
        """Radius and optodes are the outline's."""
        outline: Any = self.outline
        if isinstance(outline, tuple) and len(outline) == 2:
            outline = Outline(*outline)
        if not isinstance(outline, Outline):
            raise TypeError(
                "outline must be an Outline, or a mesh and its optodes, got "
                f"{arrays.describe(outline)}"
            )
        own = DISC | {"radius": outline.half, "optodes": len(outline.optodes)}
        for name, value in own.items():
            if getattr(self, name) not in (value, DISC[name]):
                raise ValueError(
                    f"{name} belongs to a disc: leave it out where an outline is given, got "
                    f"{getattr(self, name)!r}"
                )
            object.__setattr__(self, name, value)
        object.__setattr__(self, "outline", outline)

    def _check_room(self) -> None:
        """Whatever is drawn must fit into the disc, and water into 100 per cent."""
        largest, pair = max(self.single_diameters) / 2, self.pair_diameter / 2
        tight = (self.pair_distance[0], self.pair_distance[0])
        radii = np.array([[largest, 0], [pair, pair]])
        if self.solid:
            for number, reach in enumerate(self.stretch[1] * radii):
                random = ellipsoids.numbers(0, ellipsoids.DRAWS, number)
                ellipsoids.place(self.depth, self.half, reach, tight, self.margin, random)
        elif self.outline is not None:
            self.outline.place(radii, tight, self.margin, 0, 0)
        for name, widest in (
            ("single_diameters", max(self.single_diameters)),
            ("pair_diameter and pair_distance", 2 * self.pair_diameter + self.pair_distance[1]),
        ):
            width, buffers = widest + 2 * self.margin, 2 * self.radius
            if width > buffers and self.outline is None and not self.solid:
                raise ValueError(
                    f"{name} must leave room for the inclusions: with the margin they are up to "
                    f"{width:g} mm wide, got a disc of {buffers:g} mm"
                )
        if max(self.source_depths) >= self.radius:
            raise ValueError(
                f"nominal_scattering must keep the sources, 1 / mus' deep, within the radius of "
                f"{self.radius:g} mm, got a depth of {max(self.source_depths):.3g} mm"
            )
        wettest = self.water[1] * self.contrast[0]
        if wettest > 100:
            raise ValueError(
                "water and contrast must leave an inclusion at most 100 per cent of water, got "
                f"{self.water[1]:g} times at least {self.contrast[0]:g}"
            )

    def to_dict(self) -> dict[str, Any]:
        """The recipe as plain JSON values.

        Returns
        -------
        dict
            What :meth:`from_dict` makes an equal recipe of.
        """
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        outline = fields.pop("outline")
        # what a disc's recipe does not have: stores of discs stay what they are
        for name, absent in (("shape", "disc"), ("height", None)):
            if fields[name] == absent:
                del fields[name]
        if not self.solid:
            del fields["stretch"]
        plain = {name: list(x) if isinstance(x, tuple) else x for name, x in fields.items()}
        return plain if outline is None else {**plain, "outline": outline.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PhantomRecipe:
        """Make a recipe from field names and values.

        Parameters
        ----------
        values : mapping
            What is left out keeps its default.

        Returns
        -------
        PhantomRecipe
            The recipe.

        Raises
        ------
        TypeError, ValueError
            Where there is no such field, or its value is refused.
        """
        if not isinstance(values, Mapping):
            raise TypeError(f"values must be a mapping of fields, got {arrays.describe(values)}")
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"a recipe has no field {unknown[0]!r}; it has {sorted(known)}")
        given = dict(values)
        if isinstance(given.get("outline"), Mapping):
            given["outline"] = Outline.from_dict(given["outline"])
        return cls(**given)

    @property
    def source_depths(self) -> npt.NDArray[np.float64]:
        """Depths of the sources, (wavelengths,) mm: 1 / mus' of the nominal scattering."""
        return 1 / spectra.scattering(self.wavelengths, *self.nominal_scattering)

    @property
    def limits(self) -> npt.NDArray[np.float64]:
        """What drawing a phantom needs, in the order of `Limits` in csrc/optics/phantom.hpp."""
        return np.array(
            [
                *(self.radius, self.margin, self.pair_diameter),
                *(*self.pair_distance, *self.hbo, *self.hb, *self.water),
                *(*self.scattering_amplitude, *self.scattering_power),
                *(*self.contrast, *self.scattering_contrast),
            ]
        )


def _numbers(
    value: Any, name: str, *, count: int | None = None, **limits: Any
) -> tuple[float, ...]:
    """`value` as a tuple of `count` floats (one or more if None) within the limits."""
    wanted = f"{count or 'one or more'} numbers"
    if isinstance(value, str) or not hasattr(value, "__len__") or getattr(value, "ndim", 1) != 1:
        raise TypeError(f"{name} must be a tuple of {wanted}, got {arrays.describe(value)}")
    if len(value) != count if count else not len(value):
        raise ValueError(f"{name} must be a tuple of {wanted}, got {arrays.describe(value)}")
    return tuple(arrays.number(v, f"{name}[{i}]", **limits) for i, v in enumerate(value))


def _range(value: Any, name: str, **limits: Any) -> Range:
    """`value` as (low, high) within the limits, low no higher than high."""
    low, high = _numbers(value, name, count=2, **limits)
    if low > high:
        raise ValueError(f"{name} must be (low, high), got ({low:g}, {high:g})")
    return low, high
