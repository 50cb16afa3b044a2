"""`RadiomicsFeatureExtractor` as scripts use it, on made-up volumes."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

from lesionkit.radiomics import RadiomicsFeatureExtractor, Volume
from lesionkit.texture import radiomics

RANDOM = np.random.default_rng(22)
VOLUME = RANDOM.normal(100, 40, (9, 20, 24)).astype(np.float32)
MASK = np.zeros(VOLUME.shape, np.uint8)
MASK[2:7, 3:15, 5:20] = 1
MASK[4, 6:9, 8:12] = 0
MASK[7:9, 16:20, :6] = 2
SPACING = (5.0, 0.8, 0.8)


def features(mask: Any = MASK, label: Any = None, volume: Any = VOLUME, **settings: Any) -> Any:
    extractor = RadiomicsFeatureExtractor(**settings)
    return extractor.execute(volume, mask, label, spacing=SPACING)


def test_features_are_those_of_the_texture_domain() -> None:
    found = features(binWidth=10, additionalInfo=False)
    families = ("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
    wanted = radiomics(VOLUME, MASK == 1, SPACING, bin_width=10, families=families)
    assert {name: found[name] for name in wanted} == wanted
    classes = list(dict.fromkeys(name.split("_")[1] for name in found))
    assert [name for name in classes if name != "shape"] == sorted(
        name for name in classes if name != "shape"
    )


def test_a_region_is_found_in_masks_of_all_kinds() -> None:
    wanted = features()
    for mask in (MASK.astype(np.float64) * 0.9999999, MASK.astype(np.int32), MASK.astype(">i2")):
        found = features(mask)
        assert all(found[name] == value for name, value in wanted.items() if "glcm" in name)
    layers = np.stack([MASK == 2, MASK == 1], axis=-1).astype(np.uint8)
    volume = Volume(VOLUME, SPACING[::-1])
    segments = Volume(layers, SPACING[::-1], (0.0,) * 3, tuple(np.eye(3).ravel()))
    found = RadiomicsFeatureExtractor().execute(volume, segments, label_channel=1)
    assert all(found[name] == value for name, value in wanted.items() if "glcm" in name)


def test_labels_are_chosen_and_united() -> None:
    number = "diagnostics_Mask-original_VoxelNum"
    assert features(label=2)[number] == (MASK == 2).sum()
    assert features(label=[1, 2])[number] == features(label="all")[number] == (MASK > 0).sum()
    with pytest.warns(UserWarning, match="no label 1, .* its only label, 255"):
        assert features(np.uint8(255) * (MASK == 1))[number] == (MASK == 1).sum()


def test_diagnostics_know_image_and_mask() -> None:
    found = features()
    told = {name.removeprefix("diagnostics_"): value for name, value in found.items()}
    assert told["Image-original_Hash"] == hashlib.sha1(VOLUME.tobytes()).hexdigest()
    assert told["Mask-original_Hash"] == hashlib.sha1(MASK.astype("<u4").tobytes()).hexdigest()
    assert told["Mask-original_BoundingBox"] == (5, 3, 2, 15, 12, 5)
    assert told["Mask-original_VolumeNum"] == 1
    z, y, x = np.argwhere(MASK == 1).mean(0)
    np.testing.assert_allclose(told["Mask-original_CenterOfMass"], (0.8 * x, 0.8 * y, 5 * z))
    assert told["Image-original_Spacing"] == (0.8, 0.8, 5.0)
    assert told["Configuration_Settings"]["label"] == 1


def test_names_as_scripts_use_them() -> None:
    extractor = RadiomicsFeatureExtractor({"setting": {"binWidth": 5}}, additionalInfo=False)
    assert extractor.settings["binWidth"] == 5
    extractor.disableAllFeatures()
    extractor.enableFeatureClassByName("ngtdm")
    extractor.enableFeatureClassByName("gldm")
    extractor.enableFeatureClassByName("gldm", False)
    extractor.enableFeaturesByName(firstorder=["Mean", "StandardDeviation", "10Percentile"])
    assert "glcm" in extractor.featureClassNames
    found = extractor.execute(VOLUME, MASK)
    assert list(found)[:2] == ["original_ngtdm_Busyness", "original_ngtdm_Coarseness"]
    assert list(found)[-3:] == [
        f"original_firstorder_{name}" for name in ("Mean", "StandardDeviation", "10Percentile")
    ]
    values = VOLUME[MASK == 1].astype(float)
    assert found["original_firstorder_StandardDeviation"] == pytest.approx(values.std())
    extractor.loadJSONParams('{"featureClass": {"glcm": ["Contrast"]}}')
    extractor.addProvenance(False)
    assert list(extractor.execute(VOLUME, MASK)) == ["original_glcm_Contrast"]


def test_names_that_there_are_not_are_told() -> None:
    extractor = RadiomicsFeatureExtractor()
    with pytest.warns(UserWarning, match="unknown feature class 'ngtmd': did you mean 'ngtdm'"):
        extractor.enableFeatureClassByName("ngtmd")
    with pytest.warns(UserWarning, match="unknown image type 'Log': did you mean 'LoG'"):
        extractor.enableImageTypeByName("Log")
    with pytest.raises(ValueError, match="unknown feature of glcm 'Constrast'"):
        extractor.enableFeaturesByName(glcm=["Constrast"])
    with pytest.warns(UserWarning, match="unknown setting 'verbose'"):
        RadiomicsFeatureExtractor(verbose=True)
    extractor.settings["binWdth"] = 3
    with pytest.warns(UserWarning, match="unknown setting 'binWdth': did you mean 'binWidth'"):
        extractor.execute(VOLUME, MASK)


def test_one_bin_is_told() -> None:
    with pytest.warns(UserWarning, match="falls into one bin of width 25: choose"):
        features(volume=VOLUME / 1e4 + 1)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"label": 3}, "mask has no label 3, its labels are 1, 2"),
        ({"label": [3, 4]}, "mask has no label 3 or 4, its labels are 1, 2"),
        ({"mask": MASK * 0}, "mask must hold a label, all of it is 0"),
        ({"mask": MASK * 0.5}, "mask must hold whole numbers, got 0.5"),
        ({"mask": MASK[1:]}, r"must lie on the grid of the image, it has \(24, 20, 8\) voxels"),
        ({"mask": np.indices(MASK.shape).sum(0) == MASK}, "two voxels or more, got one"),
        ({"minimumROIDimensions": 3, "label": 9}, "no label 9"),
        ({"minimumROISize": 10**6}, "must hold more than 1000000 voxels .* got"),
        ({"volume": np.where(MASK == 1, np.nan, VOLUME)}, "finite inside the mask, got 888 NaN"),
        (
            {"resegmentRange": [5000]},
            r"must leave two voxels or more, absolute \[5000",
        ),
        ({"binWidth": 1e-9}, "65535 bins or fewer"),
        ({"normalize": 3}, "normalize must be True or False"),
        ({"resampledPixelSpacing": [2, 2]}, "resampledPixelSpacing must have 3 numbers"),
    ],
)
def test_bad_input_has_a_sentence(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises((TypeError, ValueError), match=sentence):
        features(**change)


def test_a_plane_and_a_line() -> None:
    plane, line = np.zeros_like(MASK), np.zeros_like(MASK)
    plane[3, 4:9, 4:9] = 1
    line[3, 4, 4:9] = 1
    assert len(features(plane)) > 93
    assert len(features(line, minimumROIDimensions=1)) > 93
    with pytest.raises(ValueError, match=r"must have 2 dimensions .* got a line of 5 x 1 x 1"):
        features(line)
    with pytest.raises(ValueError, match=r"must have 3 dimensions .* got a plane of 5 x 5 x 1"):
        features(plane, minimumROIDimensions=3)


def test_maps_in_place_of_features() -> None:
    sitk = pytest.importorskip("SimpleITK")
    extractor = RadiomicsFeatureExtractor(kernelRadius=2, initValue=-1.0, force2D=True)
    extractor.enabledFeatures = {"shape": [], "glcm": ["Contrast"], "firstorder": ["Mean"]}
    found = extractor.execute(VOLUME, MASK, voxelBased=True, spacing=SPACING)
    maps = {name: one for name, one in found.items() if isinstance(one, sitk.Image)}
    assert list(maps) == ["original_glcm_Contrast", "original_firstorder_Mean"]
    mean = maps["original_firstorder_Mean"]
    assert mean.GetSize() == (19, 16, 9)  # of the region, 2 voxels wider where there are any
    np.testing.assert_allclose(mean.GetOrigin(), (3 * 0.8, 0.8, 0.0))
    values = sitk.GetArrayFromImage(mean)
    inside = MASK[:, 1:17, 3:22] == 1
    assert (values[~inside] == -1).all()
    window = np.s_[4, 8:13, 13:18]
    expected = VOLUME[window][MASK[window] == 1].mean()
    assert values[4, 10 - 1, 15 - 3] == pytest.approx(expected)
    extractor.settings["weightingNorm"] = "euclidean"
    with pytest.raises(ValueError, match="weightingNorm must be None where voxelBased"):
        extractor.execute(VOLUME, MASK, voxelBased=True)


@pytest.mark.parametrize("kind", ["LoG", "Wavelet", "Square", "LBP2D", "LBP3D", "Gradient"])
def test_filters_have_their_names(kind: str) -> None:
    for module in ("SimpleITK", "pywt", "skimage"):
        pytest.importorskip(module)
    extractor = RadiomicsFeatureExtractor(additionalInfo=False, binCount=8)
    extractor.disableAllImageTypes()
    extractor.enableImageTypeByName(kind, customArgs={"sigma": [1, 2.5]} if kind == "LoG" else None)
    extractor.enabledFeatures = {"firstorder": ["Mean"]}
    found = [name.removesuffix("_firstorder_Mean") for name in extractor.execute(VOLUME, MASK)]
    assert (
        found
        == {
            "LoG": ["log-sigma-1-mm-3D", "log-sigma-2-5-mm-3D"],
            "Wavelet": [
                f"wavelet-{x}" for x in ["LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH", "LLL"]
            ],
            "Square": ["square"],
            "LBP2D": ["lbp-2D"],
            "LBP3D": ["lbp-3D-m1", "lbp-3D-m2", "lbp-3D-k"],
            "Gradient": ["gradient"],
        }[kind]
    )


def test_resampled_grids_begin_where_the_mask_does() -> None:
    pytest.importorskip("SimpleITK")
    found = features(resampledPixelSpacing=[1.6, 0, 2.5], interpolator="sitkLinear", padDistance=1)
    assert found["diagnostics_Image-interpolated_Spacing"] == (1.6, 0.8, 2.5)
    assert found["diagnostics_Image-interpolated_Size"] == (11, 16, 13)
    assert found["original_shape_VoxelVolume"] == pytest.approx(
        1.6 * 0.8 * 2.5 * found["diagnostics_Mask-interpolated_VoxelNum"]
    )


def test_a_mask_elsewhere_is_brought_to_the_grid_if_asked() -> None:
    pytest.importorskip("SimpleITK")
    image = Volume(VOLUME, SPACING[::-1])
    mask = Volume(MASK[1:, 2:, 1:], SPACING[::-1], (0.8, 1.6, 5.0))
    with pytest.raises(ValueError, match="geometryTolerance allows more, correctMask resamples"):
        RadiomicsFeatureExtractor().execute(image, mask)
    found = RadiomicsFeatureExtractor(correctMask=True).execute(image, mask)
    assert found["diagnostics_Mask-corrected_BoundingBox"] == (5, 3, 2, 15, 12, 5)
    away = Volume(MASK, SPACING[::-1], (0.8 * 6, 0.0, 0.0))
    with pytest.raises(ValueError, match="must lie inside the image, its box goes"):
        RadiomicsFeatureExtractor(correctMask=True).execute(image, away)
    near = Volume(MASK, SPACING[::-1], (1e-4, 0.0, 0.0))
    with pytest.raises(ValueError, match=r"its origin 0\.0001 mm off"):
        RadiomicsFeatureExtractor().execute(image, near)
    assert RadiomicsFeatureExtractor(geometryTolerance=1e-3).execute(image, near)
