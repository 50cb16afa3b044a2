"""PyRadiomics' filters on a small image: what tests/data/pyradiomics_filters.json was made with.

python tests/reference/pyradiomics_filters.py     (PyRadiomics 3.0.1, NumPy 1.26, SimpleITK 2.5.7,
SciPy 1.13, trimesh 5.2: LBP3D asks for a SciPy before 1.15)
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).parents[1] / "data" / "pyradiomics_filters.json"
SPACING = (2.5, 0.9, 0.8)  # mm, (z, y, x)

# PyRadiomics' image type and its settings
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "LoG": ("LoG", {"sigma": [1.0, 2.5]}),
    "Wavelet": ("Wavelet", {}),
    "Wavelet, levels": ("Wavelet", {"wavelet": "db3", "level": 2, "start_level": 1}),
    "Wavelet, slices": ("Wavelet", {"wavelet": "haar", "force2D": True}),
    "Square": ("Square", {}),
    "SquareRoot": ("SquareRoot", {}),
    "Logarithm": ("Logarithm", {}),
    "Exponential": ("Exponential", {}),
    "Gradient": ("Gradient", {}),
    "Gradient, voxels": ("Gradient", {"gradientUseSpacing": False}),
    "LBP2D": ("LBP2D", {}),
    "LBP2D, columns": (
        "LBP2D",
        {"force2Ddimension": 2, "lbp2DMethod": "ror", "lbp2DRadius": 2},
    ),
    "LBP3D": ("LBP3D", {}),
    "LBP3D, finer": (
        "LBP3D",
        {"lbp3DLevels": 3, "lbp3DIcosphereRadius": 1.7, "lbp3DIcosphereSubdivision": 2},
    ),
}


def volume() -> tuple[np.ndarray, np.ndarray]:
    """A volume (9, 12, 15) of whole numbers, int16, and a ball in it."""
    z, y, x = np.indices((9, 12, 15))
    image = 200 * np.sin(0.3 * x) * np.cos(0.2 * y + z) + 7 * ((3 * x + 5 * y + z * z) % 11)
    ball = ((z - 4) / 3.5) ** 2 + ((y - 6) / 5) ** 2 + ((x - 7) / 6) ** 2 < 1
    return image.astype(np.int16), ball


def numbers(image: np.ndarray) -> list[float]:
    """What is kept of an image: some of its values in the ball."""
    inside = image[volume()[1]].astype(float)
    return [float(value) for value in inside[:: max(1, len(inside) // 12)]]


if __name__ == "__main__":
    import SimpleITK
    from radiomics import imageoperations, setVerbosity

    setVerbosity(60)
    pair = [SimpleITK.GetImageFromArray(a.astype(np.int16)) for a in volume()]
    for one in pair:
        one.SetSpacing(SPACING[::-1])
    values = {}
    for case, (kind, settings) in CASES.items():
        made = getattr(imageoperations, f"get{kind}Image")(*pair, **settings)
        values[case] = {n: numbers(SimpleITK.GetArrayFromImage(i)) for i, n, _ in made}
    FILE.write_text(json.dumps(values, indent=0) + "\n")
