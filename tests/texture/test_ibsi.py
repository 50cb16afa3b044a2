"""The published values of IBSI's digital phantom (tests/data/ibsi)."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from lesionkit.texture import pyradiomics_names as names
from lesionkit.texture.intensity import intensity_features
from lesionkit.texture.radiomics import Settings, radiomics
from lesionkit.texture.region.neighbours import dependence_features, neighbours
from lesionkit.texture.region.runs import run_lengths
from lesionkit.texture.region.zones import zones

DATA = Path(__file__).parents[1] / "data" / "ibsi"
PHANTOM = np.load(DATA / "digital_phantom.npz")
IMAGE, MASK = PHANTOM["image_zyx"], PHANTOM["mask_zyx"] != 0
LEVELS = IMAGE.astype(int) - 1  # 0 to 5 in the mask

# IBSI's name: ours
FIRST_ORDER = {
    "Mean intensity": "mean",
    "Intensity variance": "variance",
    "Intensity skewness": "skewness",
    "(Excess) intensity kurtosis": "kurtosis",
    "Median intensity": "median",
    "Minimum intensity": "minimum",
    r"10\ :sup:`th` intensity percentile": "percentile_10",
    r"90\ :sup:`th` intensity percentile": "percentile_90",
    "Maximum intensity": "maximum",
    "Intensity interquartile range": "interquartile_range",
    "Intensity range": "range",
    "Intensity-based mean absolute deviation": "mean_absolute_deviation",
    "Intensity-based robust mean absolute deviation": "robust_mean_absolute_deviation",
    "Intensity-based median absolute deviation": "median_absolute_deviation",
    "Intensity-based coefficient of variation": "coefficient_of_variation",
    "Intensity-based quartile coefficient of dispersion": "quartile_coefficient_of_dispersion",
    "Intensity-based energy": "energy",
    "Root mean square intensity": "root_mean_square",
}
# what a name says in another way than ours, in the order of replacement
WORDS = {
    "runs": "run",
    "grey level count": "grey level",
    "dependence count": "dependence",
    "information correlation": "information_correlation",
    "non-uniformity": "nonuniformity",
}
# equal to another feature of a symmetric matrix
SAME = {"dissimilarity": "difference_average", "sum_variance": "cluster_tendency"}


def rows(family: str) -> list[dict[str, str]]:
    with (DATA / f"digital_phantom_{family}.csv").open() as file:
        return list(csv.DictReader(file))


def cases(family: str) -> list[tuple[str, str, float]]:
    return [(r["feature"], r["aggregation"], float(r["value"])) for r in rows(family)]


def our_name(feature: str) -> str:
    name = feature.lower()
    for theirs, ours in WORDS.items():
        name = name.replace(theirs, ours)
    first, _, rest = name.partition(" ")
    moved = {"grey level nonuniformity", "run length nonuniformity", "zone size nonuniformity"}
    moved |= {"dependence nonuniformity"}
    if first == "normalised" and rest in moved:
        name = f"{rest} normalised"
    name = name.replace(" ", "_")
    return SAME.get(name, name)


def close(ours: float, published: float) -> bool:
    """Equal once rounded to the published three digits."""
    return abs(float(f"{ours:.3g}") - published) <= 1e-9 * abs(published)


def aggregated(family: str, aggregation: str) -> dict[str, float]:
    """Features of the phantom under our names."""
    way = {"2D": "2D, averaged", "2.5D": "2.5D, merged", "3D": "3D, averaged"}
    settings = Settings(
        binning="levels",
        families=(family,),
        aggregation=way.get(aggregation, aggregation),
    )
    found = radiomics(IMAGE, MASK, PHANTOM["spacing_mm"], settings)
    table = names.FAMILIES[family]
    return {ours: found[f"original_{family}_{theirs}"] for theirs, ours in table.items()}


def test_the_phantom_is_whole() -> None:
    assert MASK.sum() == 74
    assert [len(rows(f)) for f in ("firstorder", "glcm", "glrlm", "glszm", "ngtdm", "ngldm")] == [
        18, 150, 96, 48, 15, 51,
    ]  # fmt: skip


@pytest.mark.parametrize(("feature", "published"), [(c[0], c[2]) for c in cases("firstorder")])
def test_first_order(feature: str, published: float) -> None:
    assert close(intensity_features(IMAGE[MASK])[FIRST_ORDER[feature]], published)


@pytest.mark.parametrize("family", ["glcm", "glrlm", "glszm", "ngtdm"])
def test_textures(family: str) -> None:
    wanted = cases(family)
    found = {way: aggregated(family, way) for way in {way for _, way, _ in wanted}}
    wrong = [
        (feature, way, found[way][our_name(feature)], published)
        for feature, way, published in wanted
        if not close(found[way][our_name(feature)], published)
    ]
    assert not wrong


def dependences(way: str) -> dict[str, float]:
    if way == "3D":
        return dependence_features(neighbours(LEVELS, 6, MASK).dependence)
    slices = [neighbours(i, 6, m).dependence for i, m in zip(LEVELS, MASK, strict=True)]
    if way == "2.5D":
        return dependence_features(sum(slices))
    each = [dependence_features(counts) for counts in slices]
    return {name: np.mean([f[name] for f in each]) for name in each[0]}


def test_dependences() -> None:
    wrong = [
        (feature, way, dependences(way)[our_name(feature)], published)
        for feature, way, published in cases("ngldm")
        if not close(dependences(way)[our_name(feature)], published)
    ]
    assert not wrong
    for way in ("2D", "2.5D", "3D"):
        by_settings = aggregated("gldm", way)
        for name, value in by_settings.items():
            assert value == pytest.approx(dependences(way)[name], rel=1e-12), (name, way)


def published_matrices(kind: str) -> dict[tuple[str, str], dict[tuple[int, int], float]]:
    """{(slice, direction): {(i, j): n}} of a kind of matrix."""
    found: dict[tuple[str, str], dict[tuple[int, int], float]] = defaultdict(dict)
    for row in rows("matrices"):
        if row["matrix"] == kind:
            cell = int(float(row["i"])), int(float(row["j"]))
            found[row["slice"], row["direction_xyz"]][cell] = float(row["n"])
    return found


def cells(counts: np.ndarray, sizes: np.ndarray | None = None) -> dict[tuple[int, int], float]:
    sizes = np.arange(1, counts.shape[1] + 1) if sizes is None else sizes
    return {(int(i) + 1, int(sizes[j])): counts[i, j] for i, j in np.argwhere(counts)}


def test_run_length_matrices() -> None:
    """Each of the published tables, cell for cell."""
    flat = published_matrices("Grey level run length matrix (2D)")
    assert len(flat) == 16
    for (part, direction), table in flat.items():
        x, y, _ = (int(n) for n in direction.strip("()").split(","))
        z = int(part) - 1
        assert cells(run_lengths(LEVELS[z], [(y, x)], 6, MASK[z])[0]) == table
    solid = published_matrices("Grey level run length matrix (3D)")
    assert len(solid) == 13
    for (_, direction), table in solid.items():
        step = tuple(int(n) for n in direction.strip("()").split(","))[::-1]
        assert cells(run_lengths(LEVELS, [step], 6, MASK)[0]) == table


def test_zone_and_dependence_matrices() -> None:
    slices = {str(z + 1): (LEVELS[z], 6, MASK[z]) for z in range(4)}
    for (part, _), table in published_matrices("Grey level size zone matrix (2D)").items():
        assert cells(*zones(*slices[part])) == table
    (solid,) = published_matrices("Grey level size zone matrix (3D)").values()
    assert cells(*zones(LEVELS, 6, MASK)) == solid
    kind = "Neighbouring grey level dependence matrix"
    for (part, _), table in published_matrices(f"{kind} (2D)").items():
        assert cells(neighbours(*slices[part]).dependence) == table
    (solid,) = published_matrices(f"{kind} (3D)").values()
    assert cells(neighbours(LEVELS, 6, MASK).dependence) == solid
