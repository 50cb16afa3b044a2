"""Pictures of what lesionkit makes: the name of the file says whether PNG, PDF or SVG."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lesionkit import extras, files

if TYPE_CHECKING:
    from lesionkit.optics.phantoms.store import Phantoms

FORMATS = ("png", "pdf", "svg")

TITLES = {"tikhonov": "Tikhonov", "dri": "DRI", "ynet": "Y-Net", "znet": "Z-Net"}
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
    middle = (np.arange(recipe.pixels) + 0.5) / recipe.pixels - 0.5  # of a disc 1 across
    images = np.where(np.hypot(*np.meshgrid(middle, middle)) <= 0.5, images, np.nan)
    extent = (-recipe.radius, recipe.radius, -recipe.radius, recipe.radius)

    ticks = [-round(recipe.radius), 0, round(recipe.radius)]

    figure = new_figure(figsize=(13.5, 2.35 * rows + 1.2), layout="constrained")
    from matplotlib.colors import Normalize

    figure.suptitle(
        f"{len(phantoms):,} NIRST phantoms, seed {phantoms.seed}: "
        f"{recipe.optodes} optodes, {len(recipe.wavelengths)} wavelengths, "
        f"{100 * recipe.signal_noise:g} % noise"
    )
    axes = figure.subplots(rows, 5, squeeze=False, width_ratios=(1, 1, 1, 1, 1.5))
    for column, (title, unit, colours) in enumerate(IMAGES):
        scale = Normalize(0, max(np.nanmax(images[:, column]), 1e-3))
        for row in range(rows):
            ax = axes[row, column]
            shown = ax.imshow(images[row, column], cmap=colours, norm=scale, extent=extent)
            ax.set(xticks=ticks if row == rows - 1 else [], yticks=[] if column else ticks)
            ax.spines[:].set_visible(False)
            if column == 0:
                ax.set_ylabel(f"phantom {row}\n{_describe(regions[row])}\ny, mm")
        axes[0, column].set_title(title)
        axes[-1, column].set_xlabel("x, mm")
        figure.colorbar(shown, ax=axes[:, column], location="bottom", label=unit, pad=0.02)

    chosen = sorted({0, len(recipe.wavelengths) // 2, len(recipe.wavelengths) - 1})
    for row in range(rows):
        _fan(axes[row, 4], signal[row], recipe.wavelengths, chosen, labelled=row == 0)
        axes[row, 4].sharey(axes[0, 4])
    axes[0, 4].set_title("Signal, a line for each source")
    axes[-1, 4].set_xlabel("detector: places from its source, counter-clockwise")
    save(figure, path)


def compare_maps(
    truth: np.ndarray,
    maps: np.ndarray,
    mri: np.ndarray,
    radius: float,
    title: str,
    path: str | os.PathLike[str],
) -> None:
    """Draw true and recovered maps of a few phantoms into a picture.

    truth, maps : (n, 3, pixels, pixels), as `Phantoms.chromophores`;  mri : (n, pixels, pixels)
    radius      : of the disc, mm
    """
    count, pixels = len(truth), truth.shape[-1]
    middle = (np.arange(pixels) + 0.5) / pixels - 0.5
    outside = np.hypot(*np.meshgrid(middle, middle)) > 0.5
    extent = (-radius, radius, -radius, radius)
    figure = new_figure(figsize=(14, 2.1 * count + 1.2), layout="constrained")
    from matplotlib.colors import Normalize

    figure.suptitle(title)
    axes = figure.subplots(count, 7, squeeze=False)
    columns: list[tuple[Any, str, Any, Any]] = [(mri, f"{IMAGES[3][0]}", IMAGES[3], None)]
    for i in range(3):
        scale = Normalize(0, max(float(truth[:, i].max()), 1e-3) * 1.1)
        columns += [
            (images[:, i], f"{IMAGES[i][0]}, {what}", IMAGES[i], scale)
            for images, what in ((truth, "true"), (maps, "found"))
        ]
    for column, (images, name, (_, unit, colours), scale) in enumerate(columns):
        for row in range(count):
            ax = axes[row, column]
            image = np.where(outside, np.nan, images[row])
            shown = ax.imshow(image, cmap=colours, norm=scale, extent=extent)
            ticks = [-round(radius), 0, round(radius)]
            ax.set(xticks=ticks if row == count - 1 else [], yticks=[] if column else ticks)
            ax.spines[:].set_visible(False)
        axes[0, column].set_title(name)
        axes[-1, column].set_xlabel("x, mm")
        if column % 2 == 0:
            of = axes[:, max(column - 1, 0) : column + 1].ravel().tolist()
            beyond = scale is not None and images[:, ~outside].max() > scale.vmax
            figure.colorbar(
                shown,
                ax=of,
                location="bottom",
                label=f"{IMAGES[column // 2 - 1][0]}, {unit}" if column else unit,
                pad=0.02,
                shrink=0.8,
                extend="max" if beyond else "neither",
            )
    axes[0, 0].set_ylabel("y, mm")
    save(figure, path)


TISSUE_IMAGES = {
    "hbo": IMAGES[0],
    "hb": IMAGES[1],
    "water": IMAGES[2],
    "lipid": ("Lipid", "%", "cividis"),
    "amplitude": ("Scattering amplitude", "mm$^{-1}$", "cividis"),
}


def tissue_maps(
    maps: Mapping[str, np.ndarray],
    extent: Sequence[float],
    title: str,
    path: str | os.PathLike[str],
) -> None:
    """Draw the maps of one object into a picture.

    maps   : "hbo", "hb", "water", "lipid", "amplitude": (rows, columns), NaN outside
    extent : left, right, bottom, top, mm
    """

    figure = new_figure(figsize=(3.4 * len(maps), 3.9), layout="constrained")
    figure.suptitle(title)
    axes = figure.subplots(1, len(maps), squeeze=False)[0]
    axes[0].set_ylabel("y, mm")
    for ax, (name, image) in zip(axes, maps.items(), strict=True):
        label, unit, colours = TISSUE_IMAGES[name]
        shown = ax.imshow(image, cmap=colours, extent=tuple(extent))
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
    """The inclusions' diameters."""
    diameters = [f"{2 * radius:g}" for radius in regions[1:, 2] if radius > 0]
    return f"{' and '.join(diameters)} mm"
