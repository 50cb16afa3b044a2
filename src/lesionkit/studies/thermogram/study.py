"""What `lesionkit thermogram-study` does: the tables of docs/thermogram.md, leaks first."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lesionkit import arrays, files, job, page
from lesionkit.progress import Progress
from lesionkit.studies.common.discrimination import added, area, auc, out_of_fold
from lesionkit.studies.common.text import as_text
from lesionkit.studies.thermogram import WARNING, measure, textures
from lesionkit.studies.thermogram.leaks import WALL, Leaks
from lesionkit.studies.thermogram.measure import SCALES, Woman

COLUMNS = ("row", "features", "all", "adds (all)", "space files", "adds (space)")


def main(data: Path | None, out: Path, width: int, epochs: int, seed: int) -> None:
    """Measure, tabulate; with `epochs`, train U-Nets on planted spots as well. Prints the tables.

    data : see `measure.data_folder`;  out : a folder, made if need be
    width, epochs : of the U-Nets, 0 epochs for none;  seed : of folds, spots and weights
    """
    width = arrays.integer(width, "width", at_least=1, at_most=256)
    epochs = arrays.integer(epochs, "epochs", at_least=0, at_most=10**5)
    seed = arrays.integer(seed, "seed", at_least=0, at_most=2**31)
    files.check_folder(out)
    folder = measure.data_folder(data)
    if epochs:
        from lesionkit.studies.thermogram.learning import (  # what is missing is told first
            silver,
            spots,
        )
    out.mkdir(parents=True, exist_ok=True)
    rows = measure.index(folder)
    women = []
    with Progress("women") as progress:
        for woman in measure.women(data):
            women.append(woman)
            progress(len(women), len(rows))
    table = leak_table(women, seed) + (cnn_rows(women, seed) if epochs else [])
    report = "\n".join([WARNING, "", *_counts(women), "", *as_text(table)])
    print(report)
    files.write(out / "table.txt", report + "\n")
    job.write_table(out / "table.tsv", table, COLUMNS)
    _measured(women, out / "women.tsv")
    parts = [
        f"<p><strong>{WARNING}</strong></p><h1>The thermograms of DMR-IR: leaks first</h1>",
        *(page.note(line) for line in _counts(women)),
        page.table(COLUMNS, [[row[name] for name in COLUMNS] for row in table]),
    ]
    if epochs:
        summary, pictures = spots.compare(women, out, width, epochs, seed)
        parts += [*_shown("Planted hot spots on women not seen", summary, out / "spots")]
        parts += [page.image(path.read_bytes(), path.stem) for path in pictures]
        repeated = silver.compare(women, out, width, epochs, seed)
        parts += [*_shown("Truths that a program drew, women not seen", repeated, out / "silver")]
    page.write(out / "report.html", "The thermograms of DMR-IR", parts)


def _shown(title: str, rows: list[dict[str, str]], path: Path) -> list[str]:
    """Print a table, write PATH.tsv and PATH.json; its part of the page."""
    print("\n".join(["", *as_text(rows)]))
    names = tuple(rows[0])
    job.write_table(path.with_suffix(".tsv"), rows, names)
    files.write(path.with_suffix(".json"), json.dumps(rows, indent=1) + "\n")
    return [f"<h2>{title}</h2>", page.table(names, [[row[n] for n in names] for row in rows])]


def _counts(women: list[Woman]) -> list[str]:
    sick = [woman for woman in women if woman.sick]
    healthy = [woman for woman in women if not woman.sick]
    flagged = [
        f"{scale} {sum(w.red_cluster[i] > 0 for w in sick)} of {len(sick)} sick and "
        f"{sum(w.red_cluster[i] > 0 for w in healthy)} of {len(healthy)} healthy"
        for i, scale in enumerate(SCALES)
    ]
    missed = ", ".join(
        f"{100 * np.mean([w.no_range[i] for w in women]):.0f} % ({scale})"
        for i, scale in enumerate(SCALES)
    )
    return [
        f"{len(women)} women, {len(sick)} sick; in {sum(w.semicolon for w in sick)} sick and "
        f"{sum(w.semicolon for w in healthy)} healthy the matrix came with semicolons (a leak; "
        "never a feature).",
        f"The paper's rule, a red cluster is there, flags: {'; '.join(flagged)}.",
        f"Pixels of the body in no range of the paper: {missed}.",
        f"Not from the front (left and right not compared): "
        f"{', '.join(w.name for w in women if w.asymmetry is None) or 'none'}.",
    ]


def leak_table(women: list[Woman], seed: int = 0) -> list[dict[str, str]]:
    """Rows of the study's table: leaks, then methods; AUC with its interval over patients.

    Single numbers: the AUC of the number itself, or of its negative where that is the greater (then
    "lower in sick"). Several: logistic regression on patients not seen, 10 x 10 folds. "adds" is
    the AUC that a method adds to the leaks that a camera has (wall, noise, body mean) in the same
    folds, and its interval: a method counts only by this.
    """
    leak = np.array([w.leaks for w in women], float)
    column = dict(zip(Leaks._fields, leak.T, strict=True))
    reds = np.array([(w.red_range, w.red_cluster) for w in women])  # (women, 2, scales)
    camera = _camera(women)
    wall = camera[:, : len(WALL)]
    apart = np.array([w.asymmetry or [np.nan] * 9 for w in women], float)
    texture = textures.features(women)
    groups: list[tuple[str, Any, bool]] = [
        ("leak: file number", column["number"], False),
        ("leak: wall alone, 4 numbers", wall, False),
        ("leak: noise of pixels", column["noise"], False),
        ("leak: mean of the body", column["body_mean"], False),
        ("leak: maximum", column["maximum"], False),
        ("leaks of the camera: wall, noise, body mean", camera, False),
        *((f"red range's area, {scale}", reds[:, 0, i], True) for i, scale in enumerate(SCALES)),
        *((f"red cluster's area, {scale}", reds[:, 1, i], True) for i, scale in enumerate(SCALES)),
        ("left against right, histogram alone", apart[:, 8], True),
        ("left against right, 9 numbers", apart, True),
        (f"textures (MaZda's) of the breasts, {texture.shape[1]} numbers", texture, True),
    ]
    rows, columns = [], _columns(women, seed)
    for name, features, method in groups:
        row = {"row": name, "features": str(1 if features.ndim == 1 else features.shape[1])}
        for group in columns:
            report = adds = "–"
            if group.enough:
                report = _report(features[group.which], group.sick, group.patients, seed)
                adds = group.adds(features[group.which]) if method else ""
            row[group.title], row[f"adds ({group.title.split()[0]})"] = report, adds
        rows.append(row)
    return rows


def _camera(women: list[Woman]) -> Any:
    """(women, 6): the leaks that a camera has: wall, noise, body mean."""
    return np.array(
        [[*(getattr(w.leaks, name) for name in (*WALL, "noise", "body_mean"))] for w in women]
    )


class _Column:
    """The women of a column of the table, and what the camera's numbers tell of them alone."""

    def __init__(self, women: list[Woman], title: str, which: Any, seed: int) -> None:
        self.title, self.which, self.seed = title, which, seed
        self.sick, self.patients = (
            np.array([getattr(w, name) for w in women])[which] for name in ("sick", "patient")
        )
        self.enough = all(
            len(np.unique(self.patients[self.sick == kind])) >= 2 for kind in (True, False)
        )
        self.camera = _camera(women)[which]

    @cached_property
    def base(self) -> Any:
        return out_of_fold(self.camera, self.sick, self.patients, seed=self.seed)

    def adds(self, values: Any) -> str:
        """What numbers add to the AUC of the camera's, on the same folds."""
        together = np.column_stack([self.camera, values])
        both = out_of_fold(together, self.sick, self.patients, seed=self.seed)
        more = added(self.sick, both, self.base, seed=self.seed)
        return f"{more.value:+.3f} ({more.low:+.2f} to {more.high:+.2f})"


def _columns(women: list[Woman], seed: int) -> list[_Column]:
    space = np.array([not w.semicolon for w in women])
    return [
        _Column(women, title, which, seed)
        for title, which in (("all", np.ones(len(women), bool)), ("space files", space))
    ]


def _report(values: Any, sick: Any, patients: Any, seed: int) -> str:
    if values.ndim > 1:
        return str(auc(sick, out_of_fold(values, sick, patients, seed=seed), seed=seed))
    known = np.where(np.isfinite(values), values, np.nanmedian(values))
    lower = area(sick, known) < 0.5
    found = auc(sick, -known if lower else known, seed=seed)
    return f"{found}{' lower in sick' if lower else ''}"


def cnn_rows(women: list[Woman], seed: int = 0) -> list[dict[str, str]]:
    """Rows of a CNN of whole pictures and of one of breasts, of women not seen. "adds": what its
    score, of women not seen, adds to the camera's numbers in a logistic regression."""
    from lesionkit.studies.thermogram.learning import cnn

    rows, columns = [], _columns(women, seed)
    for name, inputs in (
        ("CNN of whole pictures, 22-37 C", cnn.whole(women)),
        ("CNN of the breasts, one noise level", cnn.breasts(women)),
    ):
        row = {"row": name, "features": "–"}
        for column in columns:
            report = adds = "–"
            if column.enough:
                seen = inputs[column.which]
                scores = cnn.out_of_fold(seen, column.sick, column.patients, seed=seed)
                report, adds = str(auc(column.sick, scores, seed=seed)), column.adds(scores)
            row[column.title], row[f"adds ({column.title.split()[0]})"] = report, adds
        rows.append(row)
    return rows


def _measured(women: list[Woman], path: Path) -> None:
    rows = []
    for woman in women:
        row: dict[str, object] = {"woman": woman.name, "sick": int(woman.sick)}
        row |= {k: f"{v:.6g}" for k, v in woman.leaks._asdict().items()}
        row |= {f"red_range_{i}": f"{v:.5f}" for i, v in enumerate(woman.red_range)}
        row |= {f"red_cluster_{i}": f"{v:.5f}" for i, v in enumerate(woman.red_cluster)}
        row |= {"midline": f"{woman.axis.column:g}", "mirror": f"{woman.axis.correlation:.3f}"}
        if woman.asymmetry is not None:
            row |= {k: f"{v:.5f}" for k, v in woman.asymmetry._asdict().items()}
        rows.append(row)
    job.write_table(path, rows, tuple(dict.fromkeys(name for row in rows for name in row)))
