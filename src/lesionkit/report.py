"""Pictures of what lesionkit makes: the name of the file says whether PNG, PDF or SVG."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lesionkit import extras, files

if TYPE_CHECKING:
    from lesionkit.optics.phantoms.recipe import PhantomRecipe
    from lesionkit.optics.phantoms.store.phantoms import Phantoms

FORMATS = ("png", "pdf", "svg")

TITLES = {
    "tikhonov": "Tikhonov",
    "dri": "DRI",
    "ynet": "Y-Net",
    "znet": "Z-Net",
    "linear-unet": "linear + U-Net",
    "znet-no-mri": "Z-Net, no MRI",
    "znet3d": "Z-Net in 3-D",
}
"""What the methods of reconstruction are called in tables and pictures."""

# (title, unit of the colour bar, colour map) of the images, from left to right
IMAGES = (
    ("HbO", "µM", "inferno"),
    ("Hb", "µM", "inferno"),
    ("Water", "%", "viridis"),
    ("MRI", "gray value", "gray"),
)


def new_figure(**options: Any) -> Any:
    """A Figure of matplotlib; MissingLibrary where that is not installed."""
    return extras.require("matplotlib.figure", "pictures need").Figure(**options)


def preview(phantoms: Phantoms, path: str | os.PathLike[str], rows: int = 4) -> None:
    """Draw the first few phantoms into a picture: maps, MRI, and the fan of signals of each source.

    phantoms : in memory or in a store; of each the first `rows` are read
    path     : of the picture, which is written over
    """
    rows = min(rows, len(phantoms))
    recipe = phantoms.recipe
    images = np.concatenate(
        [phantoms.chromophores[:rows], np.asarray(phantoms.mri[:rows])[:, None]], axis=1
    )
    signal, regions = np.asarray(phantoms.signal[:rows]), np.asarray(phantoms.inclusions[:rows])
    images, planes = np.where(recipe.inside, images, np.nan), [""] * rows
    if recipe.solid:  # the plane through the middle of the first inclusion
        side = 2 * recipe.half / recipe.pixels
        number = np.floor((regions[:, 1, 2] + recipe.half) / side).astype(int)
        images = images[np.arange(rows), :, number]
        planes = [f"z {(n + 0.5) * side - recipe.half:.0f} mm\n" for n in number]

    figure = new_figure(figsize=(13.5, 2.35 * rows + 1.2), layout="constrained")
    from matplotlib.colors import Normalize

    figure.suptitle(
        f"{len(phantoms):,} NIRST phantoms, seed {phantoms.seed}: "
        f"{recipe.optodes} optodes (dots), {len(recipe.wavelengths)} wavelengths, "
        f"{100 * recipe.signal_noise:g} % noise"
    )
    axes = figure.subplots(rows, 5, squeeze=False, width_ratios=(1, 1, 1, 1, 1.5))
    for column, (title, unit, colours) in enumerate(IMAGES):
        scale = Normalize(0, max(np.nanmax(images[:, column]), 1e-3))
        for row in range(rows):
            ax = axes[row, column]
            shown = show_disc(ax, images[row, column], recipe, cmap=colours, norm=scale)
            if column == 0:
                what = f"phantom {row}\n{planes[row]}inclusions {_describe(regions[row])}"
                ax.set_ylabel(f"{what}\ny, mm")
        axes[0, column].set_title(title)
        figure.colorbar(shown, ax=axes[:, column], location="bottom", label=unit, pad=0.02)

    chosen = sorted({0, len(recipe.wavelengths) // 2, len(recipe.wavelengths) - 1})
    for row in range(rows):
        _fan(axes[row, 4], signal[row], recipe.wavelengths, chosen, labelled=row == 0)
        axes[row, 4].sharey(axes[0, 4])
    only = "" if len(chosen) == len(recipe.wavelengths) else f", {len(chosen)} wavelengths"
    axes[0, 4].set_title(f"Signal, a line for each source{only}")
    axes[-1, 4].set_xlabel("detector: places from its source, counter-clockwise")
    save(figure, path)


def compare_maps(
    truth: np.ndarray,
    maps: np.ndarray,
    mri: np.ndarray,
    recipe: PhantomRecipe,
    title: str,
    path: str | os.PathLike[str],
) -> None:
    """Draw true and recovered maps of a few phantoms, and the difference, into a picture.

    truth, maps : (n, 3, pixels, pixels), as `Phantoms.chromophores`;  mri : (n, pixels, pixels)
    """
    count = len(truth)
    figure = new_figure(figsize=(19.5, 2.1 * count + 1.2), layout="constrained")
    from matplotlib.colors import Normalize

    figure.suptitle(title)
    axes = figure.subplots(count, 10, squeeze=False)

    def draw(images: np.ndarray, column: int, name: str, colours: str, scale: Any) -> Any:
        for row in range(count):
            image = np.where(recipe.inside, images[row], np.nan)
            shown = show_disc(axes[row, column], image, recipe, cmap=colours, norm=scale)
        axes[0, column].set_title(name)
        return shown

    def bar(shown: Any, columns: slice, label: str, extend: str) -> None:
        beside = axes[:, columns].ravel().tolist()
        options = {"location": "bottom", "pad": 0.02, "shrink": 0.8}
        figure.colorbar(shown, ax=beside, label=label, extend=extend, **options)

    name, unit, colours = IMAGES[3]
    shown = draw(mri, 0, name, colours, Normalize(0, float(mri.max())))
    bar(shown, slice(0, 1), unit, "neither")
    for i, (name, unit, colours) in enumerate(IMAGES[:3]):
        scale = Normalize(0, max(float(truth[:, i].max()), 1e-3) * 1.1)
        draw(truth[:, i], 3 * i + 1, f"{name}, true", colours, scale)
        shown = draw(maps[:, i], 3 * i + 2, f"{name}, found", colours, scale)
        beyond = maps[:, i, recipe.inside].max() > scale.vmax
        bar(shown, slice(3 * i + 1, 3 * i + 3), f"{name}, {unit}", "max" if beyond else "neither")
        error = maps[:, i] - truth[:, i]
        shown = draw(error, 3 * i + 3, f"{name}, error", *difference(error[:, recipe.inside]))
        bar(shown, slice(3 * i + 3, 3 * i + 4), f"found - true, {unit}", "neither")
    axes[0, 0].set_ylabel("y, mm")
    save(figure, path)


def difference(errors: np.ndarray) -> tuple[str, Any]:
    """The colour map and the scale of differences: white where there is none."""
    from matplotlib.colors import Normalize

    most = max(float(np.abs(errors).max()), 1e-3)
    return "RdBu_r", Normalize(-most, most)


def show_disc(ax: Any, image: np.ndarray, recipe: PhantomRecipe, **options: Any) -> Any:
    """Draw a map of a phantom: its optodes as dots, mm along the outer axes of the figure."""
    radius = recipe.half
    shown = ax.imshow(image, extent=(-radius, radius, -radius, radius), **options)
    ax.plot(*(1.03 * recipe.positions.T[:2]), ".", color="0.35", markersize=3)
    ticks, place = [-round(radius), 0, round(radius)], ax.get_subplotspec()
    ax.set(
        xlim=(-1.06 * radius, 1.06 * radius),
        ylim=(-1.06 * radius, 1.06 * radius),
        xticks=ticks if place.is_last_row() else [],
        yticks=ticks if place.is_first_col() else [],
        xlabel="x, mm" if place.is_last_row() else None,
    )
    for label, side in zip(ax.get_xticklabels(), ("left", "center", "right"), strict=False):
        label.set_horizontalalignment(side)  # neighbours' numbers do not touch
    ax.spines[:].set_visible(False)
    return shown


TISSUE_IMAGES = {
    "hbo": IMAGES[0],
    "hb": IMAGES[1],
    "water": IMAGES[2],
    "lipid": ("Lipid", "%", "cividis"),
    "amplitude": ("Scattering amplitude", "mm$^{-1}$", "cividis"),
    "hbt": ("HbT", "µM", "inferno"),
    "sto2": ("StO$_2$", "%", "coolwarm"),
}


def tissue_maps(
    maps: Mapping[str, np.ndarray],
    extent: Sequence[float],
    title: str,
    path: str | os.PathLike[str],
    region: np.ndarray | None = None,
) -> None:
    """Draw the maps of one object into a picture.

    maps   : by the names of TISSUE_IMAGES: (rows, columns), NaN outside
    extent : left, right, bottom, top, mm
    region : (rows, columns) of bool, whose outline is drawn
    """

    figure = new_figure(figsize=(3.4 * len(maps), 3.9), layout="constrained")
    figure.suptitle(title)
    axes = figure.subplots(1, len(maps), squeeze=False)[0]
    axes[0].set_ylabel("y, mm")
    for ax, (name, image) in zip(axes, maps.items(), strict=True):
        label, unit, colours = TISSUE_IMAGES[name]
        shown = ax.imshow(image, cmap=colours, extent=tuple(extent))
        if region is not None:
            options = {"colors": "white", "linewidths": 1, "extent": tuple(extent)}
            ax.contour(region, [0.5], origin="image", **options)
        ax.set(title=label, xlabel="x, mm")
        ax.spines[:].set_visible(False)
        bar = figure.colorbar(shown, ax=ax, location="bottom", label=unit)
        bar.ax.locator_params(nbins=5)  # more numbers than these run into one another
    save(figure, path)


def save(figure: Any, path: str | os.PathLike[str]) -> None:
    """Write a figure of matplotlib that is there whole or not at all, as its name says: .png (300
    dots an inch, as papers ask), .pdf or .svg. ValueError for another."""
    kind = os.fspath(path).rpartition(".")[2].lower()
    if kind not in FORMATS:
        raise ValueError(f"path must end in .{', .'.join(FORMATS)}, got {os.fspath(path)}")
    with files.whole(path) as partial:
        figure.savefig(partial, dpi=300, format=kind)


def _fan(
    ax: Any, signal: np.ndarray, wavelengths: tuple[float, ...], chosen: list[int], labelled: bool
) -> None:
    """Amplitude against the detector's place, a line for each source, a colour for a wavelength."""
    places = np.arange(1, signal.shape[2] + 1)
    for number, index in enumerate(chosen):
        lines = ax.semilogy(places, signal[index].T, color=f"C{number}", lw=0.6, alpha=0.7)
        lines[0].set_label(f"{wavelengths[index]:g} nm")
    ax.set(ylabel="amplitude, mm$^{-1}$", xlim=(0, len(places) + 1))
    ax.set_xticks(sorted({1, (len(places) + 1) // 2, len(places)}))
    ax.yaxis.tick_right()
    ax.yaxis.set_label_position("right")
    ax.grid(alpha=0.25)
    if labelled:
        for line in ax.legend(loc="upper center").get_lines():
            line.set(linewidth=2, alpha=1)


def _describe(regions: np.ndarray) -> str:
    """The inclusions' diameters; of ellipsoids those of balls of their volumes."""
    radii: Any = regions[1:, 2]
    from lesionkit.optics.phantoms.ellipsoids import Ellipsoid

    if regions.shape[1] == len(Ellipsoid._fields):
        radii = [round(Ellipsoid(*row).radius, 1) for row in regions[1:]]
    diameters = [f"{2 * radius:g}" for radius in radii if radius > 0]
    return f"{' and '.join(diameters)} mm"
