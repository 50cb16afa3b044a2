"""True and recovered maps beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lesionkit import report
from lesionkit.report import TITLES
from lesionkit.studies.nirst.methods import Case, Maps

CHANNELS = (("HbO", "µM", "inferno"), ("Hb", "µM", "inferno"), ("water", "%", "viridis"))


def comparison(case: Case, recovered: Mapping[str, Maps], path: Path) -> None:
    """Draw two phantoms, the first with one inclusion and the first with most.

    The MR image, a row for the truth and for each method with one colour scale down each column,
    and a row for the error of each method with another.

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
    lines = 1 + len(rows) + len(recovered)
    figure = report.new_figure(
        figsize=(2 + 6.3 * len(shown), 1.8 * lines + 1.1), layout="constrained"
    )
    from matplotlib.colors import Normalize

    axes = figure.subplots(lines, 3 * len(shown), squeeze=False)
    inside = case.recipe.inside

    def draw(line: int, column: int, image: Any, colours: str, scale: Any) -> Any:
        seen = np.where(inside, image, np.nan)
        return report.show_disc(axes[line, column], seen, case.recipe, cmap=colours, norm=scale)

    def bar(drawn: Any, beside: Any, unit: str, extend: str = "neither") -> None:
        options = {"location": "bottom", "pad": 0.02, "aspect": 25}
        figure.colorbar(drawn, ax=beside, label=unit, extend=extend, **options)

    for block, phantom in enumerate(shown):
        first = 3 * block
        drawn = draw(0, first, case.mri[phantom], "gray", Normalize(0, case.mri[phantom].max()))
        axes[0, first].set_title(f"MRI, phantom {case.first + phantom}")
        bar(drawn, axes[0, first], "gray value")
        for other in axes[0, first + 1 : first + 3]:
            other.axis("off")
        for channel, (title, unit, colours) in enumerate(CHANNELS):
            column = first + channel
            scale = Normalize(0, 1.1 * float(case.truth[phantom, channel].max()))
            for line, maps in enumerate(rows.values(), start=1):
                drawn = draw(line, column, maps[phantom, channel], colours, scale)
            axes[1, column].set_title(title)
            beyond = max(maps[phantom, channel].max() for maps in rows.values()) > scale.vmax
            extend = "max" if beyond else "neither"
            bar(drawn, axes[1 : 1 + len(rows), column], f"{title}, {unit}", extend)
            off = [
                rows[name][phantom, channel] - case.truth[phantom, channel] for name in recovered
            ]
            if off:
                white = report.difference(np.array(off)[:, inside])
                for line, error in enumerate(off, start=1 + len(rows)):
                    drawn = draw(line, column, error, *white)
                bar(drawn, axes[1 + len(rows) :, column], f"error, {unit}")
    for line, name in enumerate(["", *rows, *(f"{name} - truth" for name in recovered)]):
        method, _, minus = name.partition(" - ")
        label = TITLES.get(method, method) + (f" - {minus}" if minus else "")
        axes[line, 0].set_ylabel(f"{label}\ny, mm" if label else "y, mm")
    figure.suptitle(case.title)
    report.save(figure, path)


def distributions(each: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Draw MSE and PSNR of all phantoms as boxes, after the paper's Fig. 2.

    Parameters
    ----------
    each : mapping of str to mapping
        By method, of `paper.each`.
    path : Path
        Of the picture; its suffix says the format.

    Raises
    ------
    OSError
        Where the picture cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from lesionkit.studies.nirst.figures import distributions
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     each = {"dri": {"mse": [[1.0, 2.0]] * 3, "psnr": [[30.0, None]] * 3}}
    ...     distributions(each, Path(folder, "boxes.png"))
    ...     len(list(Path(folder).iterdir()))
    1
    """
    figure = report.new_figure(figsize=(3.6 * len(CHANNELS), 6.4), layout="constrained")
    axes = figure.subplots(2, len(CHANNELS), squeeze=False)
    names = [TITLES.get(name, name) for name in each]
    for column, (title, unit, _) in enumerate(CHANNELS):
        for row, (name, label) in enumerate((("mse", f"MSE, {unit}²"), ("psnr", "PSNR, dB"))):
            values = [[x for x in one[name][column] if x is not None] for one in each.values()]
            ax = axes[row, column]
            ax.boxplot(values, whis=(5, 95), showmeans=True, flierprops={"markersize": 2})
            ax.set_xticks(range(1, len(names) + 1), names, rotation=25, ha="right")
            ax.set_ylabel(label)
            ax.grid(axis="y", alpha=0.3)
            if name == "mse" and all(min(v, default=0) > 0 for v in values):
                ax.set_yscale("log")
        axes[0, column].set_title(title)
    figure.suptitle("Unseen phantoms: quartiles, 5 to 95 per cent, and means (triangles)")
    report.save(figure, path)
