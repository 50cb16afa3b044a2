"""Settings change the numbers as PyRadiomics 3.0.1's do: its own, of a ball in a small volume.

Made with NumPy 1.26 and SimpleITK 2.5.7 by RadiomicsFeatureExtractor({"setting": {...,
"additionalInfo": False}, "featureClass": CLASSES}).execute(image, mask).
"""

from __future__ import annotations

from typing import Any

import pytest

from lesionkit.radiomics import RadiomicsFeatureExtractor
from reference import pyradiomics_filters as stored

CLASSES = {
    "firstorder": ["Energy", "Entropy"],
    "glcm": ["Autocorrelation", "JointAverage", "Imc1"],
    "glrlm": ["RunEntropy"],
    "glszm": ["ZonePercentage"],
    "gldm": ["DependenceEntropy"],
    "ngtdm": ["Busyness"],
}
# fmt: off
USUAL = [5646035.0, 4.0441528373023745, 119.58435989009277, 10.379334034780097, -0.20486506531929916, 4.435067699007386, 0.2906178489702517, 6.190112519562611, 0.29857185752081283]  # noqa: E501
VALUES: list[tuple[dict[str, Any], dict[int, float]]] = [  # what is not as USUAL
    ({}, {}),
    ({"distances": [2]}, {2: 110.69824550016092, 3: 10.416635522968077, 4: -0.18908084177793896, 7: 6.922912692171603, 8: 0.5365462961848874}),  # noqa: E501
    ({"distances": [1, 3]}, {2: 101.56073538067847, 3: 10.221163452230048, 4: -0.2610888958864013, 7: 7.052620416958387, 8: 0.5693656913202381}),  # noqa: E501
    ({"weightingNorm": "euclidean"}, {2: 122.07392338144052, 3: 10.248476876462217, 4: -0.3141644977501125, 5: 4.443020483132373}),  # noqa: E501
    ({"weightingNorm": "manhattan"}, {2: 122.05665471774998, 3: 10.244108221003728, 4: -0.33150558044926215, 5: 4.435556669972177}),  # noqa: E501
    ({"weightingNorm": "infinity"}, {2: 122.07988282618041, 3: 10.25179020049377, 4: -0.30505633994621006, 5: 4.440536925847557}),  # noqa: E501
    ({"weightingNorm": "no_weighting"}, {2: 119.69123048668503, 3: 10.374540863177227, 4: -0.10381887043583855, 5: 4.488580216075423}),  # noqa: E501
    ({"symmetricalGLCM": False}, {3: 10.001529108424524, 4: -0.26224050914562613}),
    ({"force2D": True}, {2: 122.09786930218844, 3: 10.250612107713687, 4: -0.34691049174481325, 5: 4.593954079703651, 6: 0.5652173913043478, 7: 5.676090106335993, 8: 0.2092352601311405}),  # noqa: E501
    ({"force2D": True, "force2Ddimension": 1}, {2: 119.7546596858639, 3: 10.40266115696894, 4: -0.19260257883144488, 5: 4.438527465131623, 6: 0.6979405034324943, 7: 5.376686066269669, 8: 0.32329569525327057}),  # noqa: E501
    ({"force2D": True, "force2Ddimension": 2}, {2: 119.41608528684966, 3: 10.387691344419958, 4: -0.20699389416647773, 5: 4.457180426661824, 6: 0.6750572082379863, 7: 5.348367000439634, 8: 0.3298666503847588}),  # noqa: E501
    ({"gldm_a": 2}, {7: 7.494523445700659}),
    ({"voxelArrayShift": 300}, {0: 55549835.0}),
    ({"binCount": 16}, {1: 3.8411969085994606, 2: 89.50976041188258, 3: 8.973746617187317, 4: -0.20773943858475147, 5: 4.2934742983256875, 6: 0.2311212814645309, 7: 6.189143657076908, 8: 0.41930871936971126}),  # noqa: E501
    ({"binWidth": 10}, {1: 5.298394417902173, 2: 704.4963843698113, 3: 25.11361220263135, 4: -0.35160193836260184, 5: 5.460385264212118, 6: 0.6270022883295194, 7: 6.676968561592327, 8: 0.04627239967439187}),  # noqa: E501
]
# fmt: on


@pytest.mark.parametrize(("settings", "other"), VALUES, ids=[str(s) for s, _ in VALUES])
def test_as_pyradiomics(settings: dict[str, Any], other: dict[int, float]) -> None:
    said = {"setting": {**settings, "additionalInfo": False}, "featureClass": CLASSES}
    image, ball = stored.volume()
    found = RadiomicsFeatureExtractor(said).execute(image, ball, spacing=stored.SPACING)
    wanted = [other.get(k, value) for k, value in enumerate(USUAL)]
    assert list(found.values()) == pytest.approx(wanted, rel=1e-12)
    assert not settings or other
