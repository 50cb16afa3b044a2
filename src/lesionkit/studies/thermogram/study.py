"""What `lesionkit thermogram-study` does: the tables of docs/thermogram.md, leaks first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from lesionkit import arrays, files
from lesionkit.studies.common import job, page
from lesionkit.studies.common.discrimination import Auc, added, area, auc, out_of_fold
from lesionkit.studies.thermogram import WARNING, measure, textures
from lesionkit.studies.thermogram.leaks import WALL, Leaks
from lesionkit.studies.thermogram.measure import SCALES, Woman

COLUMNS = ("row", "features", "all", "adds (all)", "space files", "adds (space)")


def main(data: Path | None, out: Path, width: int, epochs: int, seed: int) -> None:
    """Measure, tabulate; with `epochs`, train U-Nets on planted spots as well. Prints the tables.

    data : see `measure.data_folder`;  out : a folder, made if need be
    width, epochs : of the U-Nets, 0 epochs for none;  seed : of folds, spots and weights
    """
    from tqdm import tqdm

    width = arrays.integer(width, "width", at_least=1, at_most=256)
    epochs = arrays.integer(epochs, "epochs", at_least=0, at_most=10**5)
    seed = arrays.integer(seed, "seed", at_least=0, at_most=2**31)
    files.require_folder(out)
    folder = measure.data_folder(data)
    if epochs:
        from lesionkit.studies.thermogram import spots  # what is missing is told first
    out.mkdir(parents=True, exist_ok=True)
    rows = measure.index(folder)
    women = list(tqdm(measure.women(data), total=len(rows), unit=" women", disable=None))
    table = leak_table(women, seed)
    told = "\n".join([WARNING, "", *_counts(women), "", *as_text(table)])
    print(told)
    files.write(out / "table.txt", told + "\n")
    job.write_table(out / "table.tsv", table, COLUMNS)
    _measured(women, out / "women.tsv")
    parts = [
        f"<p><strong>{WARNING}</strong></p><h1>The thermograms of DMR-IR: leaks first</h1>",
        *(page.note(line) for line in _counts(women)),
        page.table(COLUMNS, [[row[name] for name in COLUMNS] for row in table]),
    ]
    if epochs:
        summary, pictures = spots.compare(women, out, width, epochs, seed)
        print("\n".join(["", *as_text(summary)]))
        job.write_table(out / "spots.tsv", summary, tuple(summary[0]))
        files.write(out / "spots.json", json.dumps(summary, indent=1) + "\n")
        titles = list(summary[0])
        parts += [
            "<h2>Planted hot spots on women not seen</h2>",
            page.table(titles, [[row[name] for name in titles] for row in summary]),
            *(page.picture(path.read_bytes(), path.stem) for path in pictures),
        ]
    page.write(out / "report.html", "The thermograms of DMR-IR", parts)


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
    wall = np.column_stack([column[name] for name in WALL])
    camera = np.column_stack([wall, column["noise"], column["body_mean"]])
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
    space = np.array([not w.semicolon for w in women])
    rows = []
    for name, features, method in groups:
        row = {"row": name, "features": str(1 if features.ndim == 1 else features.shape[1])}
        for title, chosen in (("all", np.ones(len(women), bool)), ("space", space)):
            head = "all" if title == "all" else "space files"
            row[head], row[f"adds ({title})"] = _told(women, features, camera, chosen, method, seed)
        rows.append(row)
    return rows


def _told(
    women: list[Woman], features: Any, camera: Any, chosen: Any, method: bool, seed: int
) -> tuple[str, str]:
    sick = np.array([w.sick for w in women])[chosen]
    patients = np.array([w.patient for w in women])[chosen]
    if len(np.unique(patients[sick])) < 2 or len(np.unique(patients[~sick])) < 2:
        return "–", "–"
    values, beside = features[chosen], camera[chosen]
    if values.ndim == 1:
        known = np.where(np.isfinite(values), values, np.nanmedian(values))
        lower = area(sick, known) < 0.5
        found = auc(sick, -known if lower else known, seed=seed)
        told = f"{found}{' lower in sick' if lower else ''}"
    else:
        found = auc(sick, out_of_fold(values, sick, patients, seed=seed), seed=seed)
        told = str(found)
    if not method:
        return told, ""
    base = out_of_fold(beside, sick, patients, seed=seed)
    both = out_of_fold(np.column_stack([beside, values]), sick, patients, seed=seed)
    more: Auc = added(sick, both, base, seed=seed)
    return told, f"{more.value:+.3f} ({more.low:+.2f} to {more.high:+.2f})"


def as_text(rows: list[dict[str, str]]) -> list[str]:
    """A table with its columns aligned."""
    names = list(rows[0])
    widths = [max(len(name), *(len(row[name]) for row in rows)) for name in names]
    lines = [dict(zip(names, names, strict=True)), *rows]
    return [
        "  ".join(
            line[name].ljust(width) for name, width in zip(names, widths, strict=True)
        ).rstrip()
        for line in lines
    ]


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
