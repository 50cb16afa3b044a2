"""PyRadiomics on small volumes: what tests/data/pyradiomics.json was made with.

python tests/reference/pyradiomics.py     (PyRadiomics 3.0.1, NumPy 1.26, SimpleITK)
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).parents[1] / "data" / "pyradiomics.json"
FAMILIES = ("shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
SPACING = (2.5, 0.8, 0.7)  # mm, (z, y, x)

# name: PyRadiomics' settings
CASES: dict[str, dict[str, Any]] = {
    "defaults": {},
    "narrow bins": {"binWidth": 7.3},
    "bin count": {"binCount": 16},
    "alpha and shift": {"binWidth": 12, "gldm_a": 1, "voxelArrayShift": 100},
    "shells": {"distances": [1, 3], "symmetricalGLCM": False},
    "far shell, many bins": {"distances": [2], "symmetricalGLCM": False, "binWidth": 1},
    "weights": {"weightingNorm": "manhattan", "binWidth": 1},
    "slices": {"force2D": True, "force2Ddimension": 1, "distances": [1, 2]},
    "weights in slices": {"force2D": True, "force2Ddimension": 2, "weightingNorm": "euclidean"},
    "added up": {"weightingNorm": "no_weighting", "symmetricalGLCM": False, "binWidth": 1},
}


def volume() -> tuple[np.ndarray, np.ndarray]:
    """A volume (9, 12, 14) of waves from -150 to 150, in 16ths, and a ball with holes in it."""
    z, y, x = np.indices((9, 12, 14))
    waves = np.sin(0.9 * z + 0.5 * x) + np.cos(0.7 * y * x / 9) + np.sin(2.1 * y - z)
    image = np.round(50 * 16 * waves) / 16
    ball = ((z - 4) / 4.2) ** 2 + ((y - 6) / 5) ** 2 + ((x - 7) / 6) ** 2 < 1
    return image, ball & ((z + 3 * y + 5 * x) % 11 != 0)


def noise() -> np.ndarray:
    """A mask (12, 13, 14) by chance: cubes and squares of all kinds occur in it."""
    return np.random.default_rng(8).random((12, 13, 14)) < 0.5


def extract(
    image: np.ndarray,
    mask: np.ndarray,
    settings: dict[str, Any],
    spacing: Any = SPACING,
    families: Any = FAMILIES,
) -> dict[str, float]:
    """The features of PyRadiomics' default run."""
    import SimpleITK
    from radiomics import featureextractor, setVerbosity

    np.float = float  # noqa: NPY001  (PyRadiomics 3.0.1 uses the name, which NumPy dropped)
    setVerbosity(60)
    pair = [SimpleITK.GetImageFromArray(a) for a in (image, mask.astype(np.uint8))]
    for one in pair:
        one.SetSpacing(tuple(map(float, spacing[::-1])))
    extractor = featureextractor.RadiomicsFeatureExtractor(additionalInfo=False, **settings)
    extractor.disableAllFeatures()
    for family in families:
        extractor.enableFeatureClassByName(family)
    found = extractor.execute(*pair)
    return {name: float(value) for name, value in found.items() if name.startswith("original_")}


MAPS: dict[str, dict[str, Any]] = {
    "maps": {"binWidth": 20, "gldm_a": 1, "voxelArrayShift": 30},
    "maps, whole windows": {"maskedKernel": False, "initValue": -7, "symmetricalGLCM": False},
    "maps, slices": {
        "force2D": True,
        "force2Ddimension": 1,
        "kernelRadius": 2,
        "distances": [1, 2],
    },
}


def maps(settings: dict[str, Any]) -> dict[str, list[float]]:
    """Its voxel-based maps, in nine voxels of the mask. MCC it gives up as soon as a direction of
    one window has no pair, and JointAverage is NaN there."""
    import SimpleITK
    from radiomics import featureextractor

    np.float = float  # noqa: NPY001
    image, mask = volume()
    pair = [SimpleITK.GetImageFromArray(a) for a in (image, mask.astype(np.uint8))]
    for one in pair:
        one.SetSpacing(SPACING[::-1])
    extractor = featureextractor.RadiomicsFeatureExtractor(additionalInfo=False, **settings)
    extractor.disableAllFeatures()
    for family in FAMILIES[1:]:
        extractor.enableFeatureClassByName(family)
    found = extractor.execute(*pair, voxelBased=True)
    return {
        name: [float(one[tuple(at.tolist())]) for at in np.argwhere(mask)[::41, ::-1]]
        for name, one in (
            (name, SimpleITK.Resample(value, pair[0], SimpleITK.Transform(), 1))
            for name, value in found.items()
            if name.startswith("original_")
        )
    }


if __name__ == "__main__":
    values = {name: extract(*volume(), settings) for name, settings in CASES.items()}
    one = noise().astype(float)
    values["noise"] = extract(one, one > 0, {}, families=("shape",))
    values["noise, a slice"] = extract(one[5], one[5] > 0, {}, SPACING[1:], ("shape2D",))
    values |= {name: maps(settings) for name, settings in MAPS.items()}
    FILE.write_text(json.dumps(values, indent=0) + "\n")
