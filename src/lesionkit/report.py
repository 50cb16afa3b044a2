"""Pictures of what lesionkit makes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from lesionkit.optics.store import Phantoms

# (title, unit of the colour bar, colour map) of the images, from left to right
IMAGES = (
    ("HbO", "µM", "inferno"),
    ("Hb", "µM", "inferno"),
    ("Water", "%", "viridis"),
    ("MRI", "gray value", "gray"),
)


def preview(phantoms: Phantoms, path: str | os.PathLike[str], rows: int = 4) -> None:
    """Draw the first few phantoms into a PNG: maps, MRI, and the fan of signals of each source.

    phantoms : in memory or in a store; of each the first `rows` are read
    path     : of the picture, which is written over
    """
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

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

    figure = Figure(figsize=(13.5, 2.35 * rows + 1.2), layout="constrained")
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
    figure.savefig(path, dpi=110)


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
