"""The peers that describe a region in a volume: PyRadiomics, flash-radiomics, mahotas, pictologics.

Answers carry PyRadiomics' names with their family before them; "merged" stands before those that
come from the sum of the 13 directions' matrices, where PyRadiomics takes the mean of 13 features.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.texture.ibsi_names import NAMES
from benchmarks.texture.work import MAZDA, Answer, Work

Run = Callable[[], Answer]
FAMILIES = ["firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"]
RADIOMICS = {  # MaZda's names: PyRadiomics'
    "AngScMom": "JointEnergy",
    "Contrast": "Contrast",
    "Correlat": "Correlation",
    "SumOfSqs": "SumSquares",
    "InvDfMom": "Idm",
    "SumAverg": "SumAverage",
    "SumEntrp": "SumEntropy",
    "Entropy": "JointEntropy",
    "DifVarnc": "DifferenceVariance",
    "DifEntrp": "DifferenceEntropy",
}


def images_of(work: Work) -> tuple[Any, Any]:
    import SimpleITK

    volume = SimpleITK.GetImageFromArray(work["volume"].astype(np.float64))
    return volume, SimpleITK.GetImageFromArray(work["mask"].astype(np.uint8))


def plain(found: dict[str, Any]) -> Answer:
    return {name: np.asarray(value, float) for name, value in found.items()}


def pyradiomics_class(family: str, work: Work) -> Run:
    import radiomics

    radiomics.setVerbosity(60)
    module = importlib.import_module(f"radiomics.{family}")
    images = images_of(work)

    def run() -> Answer:
        features = getattr(module, f"Radiomics{family.upper()}")(
            *images, binCount=work.levels, label=1
        )
        features.enableAllFeatures()
        return plain({f"{family}_{k}": v for k, v in features.execute().items()})

    return run


def pyradiomics_extractor(families: list[str], work: Work) -> Run:
    import radiomics
    from radiomics import featureextractor

    radiomics.setVerbosity(60)
    images = images_of(work)
    extractor = featureextractor.RadiomicsFeatureExtractor(
        binCount=work.levels, additionalInfo=False
    )
    extractor.disableAllFeatures()
    for family in families:
        extractor.enableFeatureClassByName(family)

    def run() -> Answer:
        found = extractor.execute(*images)
        return plain({name.removeprefix("original_"): value for name, value in found.items()})

    return run


def pyradiomics_shape(work: Work) -> Run:
    import radiomics
    from radiomics import shape

    radiomics.setVerbosity(60)
    images = images_of(work)

    def run() -> Answer:
        features = shape.RadiomicsShape(*images, label=1)
        features.enableAllFeatures()
        return plain({f"shape_{name}": value for name, value in features.execute().items()})

    return run


def pyradiomics_voxels(work: Work) -> Run:
    """Its maps, in the voxels of the mask; no MCC, which it gives up where a direction is empty."""
    import radiomics
    import SimpleITK
    from radiomics import featureextractor

    radiomics.setVerbosity(60)
    images = images_of(work)
    extractor = featureextractor.RadiomicsFeatureExtractor(
        binCount=work.levels, additionalInfo=False, voxelBatch=200
    )
    extractor.disableAllFeatures()
    for family in FAMILIES[1:]:
        extractor.enableFeatureClassByName(family)
    places = np.argwhere(work["mask"])
    inside = tuple((places - np.maximum(places.min(0) - 1, 0)).T)  # its maps are cut to the region

    def run() -> Answer:
        found = extractor.execute(*images, voxelBased=True)
        maps = {
            name.removeprefix("original_"): SimpleITK.GetArrayFromImage(image)[inside]
            for name, image in found.items()
        }
        return {name: values for name, values in maps.items() if name != "glcm_MCC"}

    return run


def flash_class(families: list[str], work: Work) -> Run:
    classes = {}
    for family in families:
        module = importlib.import_module(f"flash_radiomics.{family}")
        named_so = "FirstOrder" if family == "firstorder" else family.upper()
        classes[family] = getattr(module, f"Radiomics{named_so}")
    mask = work["mask"].astype(np.uint8)
    settings = {"binCount": work.levels, "backend": "cpu", "num_threads": work.threads}

    def run() -> Answer:
        answer = {}
        for family, features in classes.items():
            found = features(work["volume"], mask, **settings).execute()
            answer |= {f"{family}_{name}": value for name, value in found.items()}
        return plain(answer)

    return run


def mahotas_region(work: Work) -> Run:
    from mahotas.features import haralick

    def run() -> Answer:
        box = tuple(slice(a.min(), a.max() + 1) for a in np.nonzero(work["mask"]))
        found = haralick(work["bins"][box], ignore_zeros=True, use_x_minus_y_variance=True)
        means = found[:, :11].mean(0)
        return {f"glcm_{new}": means[MAZDA.index(old)] for old, new in RADIOMICS.items()}

    return run


def pictologics_region(families: list[str] | None, work: Work) -> Run:
    """IBSI's names with their codes; all directions merged; the same levels, given."""
    from pictologics import set_num_threads
    from pictologics.features.texture import calculate_all_texture_features

    set_num_threads(work.threads)

    def name(key: str) -> str:
        words, _, code = key.rpartition("_")
        known = NAMES.get(code, f"(IBSI) {words}")
        return f"merged {known}" if known.startswith(("glcm", "glrlm")) else known

    def run() -> Answer:
        found = calculate_all_texture_features(
            work["bins"], work["mask"], work.levels, families=families
        )
        return plain({name(key): value for key, value in found.items()})

    return run
