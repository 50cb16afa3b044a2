"""True and recovered maps beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lesionkit import report
from lesionkit.report import TITLES
from lesionkit.studies.nirst.methods import Case, Maps

CHANNELS = (("HbO", "µM", "inferno"), ("Hb", "µM", "inferno"), ("water", "%", "viridis"))


def comparison(case: Case, recovered: Mapping[str, Maps], path: Path) -> None:
    """Draw two phantoms, the first with one inclusion and the first with most.

    A row for the truth and for each method, with one colour scale down each column.

    Parameters
    ----------
    case : Case
        The phantoms.
    recovered : mapping of str to (n, 3, pixels, pixels) array
        By method.
    path : Path
        Of the picture; its suffix says the format.

    Raises
    ------
    OSError
        Where the picture cannot be written.

    Examples
    --------
    >>> from lesionkit.optics import PhantomRecipe, generate
    >>> from lesionkit.studies.nirst.methods import Case
    >>> recipe = PhantomRecipe(pixels=24, optodes=8, wavelengths=(785,))
    >>> case = Case.of("some", generate(recipe, 2, accuracy="fast"), 0, 2)
    >>> import tempfile
    >>> from pathlib import Path
    >>> from lesionkit.studies.nirst.figures import comparison
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     comparison(case, {"dri": case.truth}, Path(folder, "some.png"))
    ...     len(list(Path(folder).iterdir()))
    1
    """
    counts = [len(case.discs(number)) for number in range(len(case.signal))]
    shown = sorted({counts.index(min(counts)), counts.index(max(counts))})
    if len(shown) == 1 and len(counts) > 1:
        shown = [0, 1]
    rows = {"truth": case.truth, **recovered}
    figure = report.new_figure(
        figsize=(2 + 6.3 * len(shown), 2.0 * len(rows) + 1.1), layout="constrained"
    )
    from matplotlib.colors import Normalize

    axes = figure.subplots(len(rows), 3 * len(shown), squeeze=False)
    radius, inside = case.recipe.radius, case.recipe.inside
    extent = (-radius, radius, -radius, radius)
    for block, phantom in enumerate(shown):
        for channel, (title, unit, colours) in enumerate(CHANNELS):
            column = 3 * block + channel
            scale = Normalize(0, 1.1 * float(case.truth[phantom, channel].max()))
            for row, (name, maps) in enumerate(rows.items()):
                ax = axes[row, column]
                image = np.where(inside, maps[phantom, channel], np.nan)
                drawn = ax.imshow(image, cmap=colours, norm=scale, extent=extent)
                ax.set(xticks=[], yticks=[])
                ax.spines[:].set_visible(False)
                if column == 0:
                    ax.set_ylabel(TITLES.get(name, name))
            axes[0, column].set_title(f"{title}, phantom {case.first + phantom}")
            beyond = max(maps[phantom, channel].max() for maps in rows.values()) > scale.vmax
            figure.colorbar(
                drawn,
                ax=axes[:, column],
                location="bottom",
                label=unit,
                pad=0.02,
                extend="max" if beyond else "neither",
            )
    figure.suptitle(case.title)
    report.save(figure, path)
