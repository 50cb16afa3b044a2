"""PyRadiomics' parameters are read as they are; what is wrong in them is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lesionkit.radiomics import read_parameters
from lesionkit.radiomics.parameters import DEFAULTS

CT = """
# as PyRadiomics' examples: comments, empty lists, nothing after a colon
imageType:
  Original: {}
  LoG:
    sigma: [1.0, 2]
  Wavelet:
featureClass:
  shape:
  firstorder: []
  glcm:
    - 'Autocorrelation'
    - 'SumVariance'
setting:
  interpolator: 'sitkBSpline'
  resampledPixelSpacing:
  weightingNorm:
  binWidth: 25
  geometryTolerance: 1e-3
voxelSetting:
  kernelRadius: 2
  initValue: nan
"""


def test_a_file_of_yaml(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    file = tmp_path / "ct.yaml"
    file.write_text(CT)
    read = read_parameters(file)
    assert read.image_types == {"Original": {}, "LoG": {"sigma": [1.0, 2]}, "Wavelet": {}}
    assert read.features == {
        "shape": [],
        "firstorder": [],
        "glcm": ["Autocorrelation", "SumVariance"],
    }
    assert read.settings["geometryTolerance"] == 0.001
    assert read.settings["initValue"] != read.settings["initValue"]
    assert read.settings["resampledPixelSpacing"] is None
    assert read.settings["padDistance"] == DEFAULTS["padDistance"]


def test_json_and_a_dictionary_say_the_same(tmp_path: Path) -> None:
    said = {"setting": {"binCount": 16, "interpolator": 3}, "imageType": {"Square": {}}}
    file = tmp_path / "p.json"
    file.write_text(json.dumps(said))
    read = read_parameters(said)
    assert read == read_parameters(file)
    assert read.settings["interpolator"] == "sitkBSpline"
    assert list(read.features) == [*read_parameters(None).features, "shape2D"]


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"settings": {}}, "parameters: unknown key 'settings': did you mean 'setting'"),
        ({"setting": {"binwidth": 5}}, "unknown setting 'binwidth': did you mean 'binWidth'"),
        ({"imageType": {"Log": {}}}, "unknown image type 'Log': did you mean 'LoG'"),
        ({"imageType": {"LoG": {"sigmas": [1]}}}, "unknown setting 'sigmas': did you mean 'sigma'"),
        ({"featureClass": {"glcms": None}}, "unknown feature class 'glcms': did you mean 'glcm'"),
        ({"featureClass": {"glcm": ["Contrst"]}}, "unknown feature of glcm 'Contrst'"),
        (
            {"featureClass": {"glcm": "Contrast"}},
            "glcm must be a list of features, got str 'Contrast'",
        ),
        ({"setting": {"binWidth": 0}}, "binWidth must be a finite number above 0, got 0"),
        ({"setting": {"normalize": "yes"}}, "normalize must be True or False, got str 'yes'"),
        ({"setting": {"resegmentRange": [1, 2, 3]}}, "resegmentRange must have 1 to 2 numbers"),
        ({"setting": {"weightingNorm": "max"}}, "weightingNorm must be 'euclidean'"),
        ({"setting": {"label": 0}}, "label must be at least 1, got 0"),
        (["setting"], "the whole must be a mapping"),
    ],
)
def test_what_is_wrong_is_named(said: object, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    file.write_text(json.dumps(said))
    with pytest.raises((TypeError, ValueError)) as problem:
        read_parameters(file)
    assert sentence.removeprefix("parameters: ") in str(problem.value)
    assert str(problem.value).startswith(str(file))


def test_a_file_that_is_none(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    (tmp_path / "p.yaml").write_text("a: [1")
    (tmp_path / "p.json").write_text("{")
    with pytest.raises(ValueError, match=r"p\.yaml is no YAML"):
        read_parameters(tmp_path / "p.yaml")
    with pytest.raises(ValueError, match=r"p\.json is no JSON"):
        read_parameters(tmp_path / "p.json")
    with pytest.raises(OSError, match=r"q\.yaml"):
        read_parameters(tmp_path / "q.yaml")
