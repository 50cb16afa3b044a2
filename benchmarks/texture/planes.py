"""The peers in two dimensions: matrices of one image, many small regions, and maps.

"pooled X" is a feature of the sum of all offsets' matrices, where ours is the mean over offsets.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.texture.work import ANGLES, MAZDA, PROPERTIES, Answer, Work, counts, mazda

Run = Callable[[], Answer]
LN2 = np.log(2)
BITS = [name in ("SumEntrp", "Entropy", "DifEntrp") for name in MAZDA]
MAPS = {  # ours: PyRadiomics' name, and what it is multiplied by
    "contrast": ("Contrast", 1.0),
    "homogeneity": ("Idm", 1.0),
    "ASM": ("JointEnergy", 1.0),
    "correlation": ("Correlation", 1.0),
    "entropy": ("JointEntropy", LN2),
}


# --- two dimensions ------------------------------------------------------------------------------


def skimage_one(work: Work) -> Run:
    from skimage.feature import graycomatrix, graycoprops

    def run() -> Answer:
        matrices = graycomatrix(
            work["image"], [1, 2, 3, 4, 5], ANGLES, work.levels, symmetric=True, normed=True
        )
        return {name: graycoprops(matrices, name) for name in PROPERTIES} | {"P": matrices}

    return run


def mahotas_one(work: Work) -> Run:
    from mahotas.features import haralick

    names = {0: "ASM", 1: "contrast", 2: "correlation", 4: "homogeneity"}

    def run() -> Answer:
        found = np.array([haralick(work["image"], distance=d) for d in range(1, 6)])
        found[:, 1::2] = np.nan  # along the diagonals scikit-image takes other pixels
        return {name: found[..., k] for k, name in names.items()}

    return run


def bincount_one(work: Work) -> Run:
    """What a careful user of NumPy writes."""
    weights = np.subtract.outer(np.arange(work.levels), np.arange(work.levels))
    i = np.arange(work.levels)

    def run() -> Answer:
        found: dict[str, list[float]] = {name: [] for name in PROPERTIES}
        for distance in range(1, 6):
            for angle in ANGLES:
                step = (round(distance * np.sin(angle)), round(distance * np.cos(angle)))
                p = counts(work["image"][None], step, work.levels)[0]
                p = p / p.sum()
                mean = p.sum(1) @ i
                variance, asm = p.sum(1) @ i**2 - mean**2, (p * p).sum()
                values = [
                    (p * weights**2).sum(),
                    (p * abs(weights)).sum(),
                    (p / (1 + weights**2)).sum(),
                    asm,
                    np.sqrt(asm),
                    (i @ p @ i - mean**2) / variance,
                ]
                for name, value in zip(PROPERTIES, values, strict=True):
                    found[name].append(value)
        return {name: np.reshape(values, (5, 4)) for name, values in found.items()}

    return run


def bincount_rois(work: Work) -> Run:
    def run() -> Answer:
        found = []
        for start in range(0, work.items, 50):
            part = work["rois"][start : start + 50]
            tables = [counts(part, offset, work.levels) for offset in work.offsets]
            found.append(mazda(np.stack(tables, 1)))
        return {name: np.concatenate([f[name] for f in found]) for name in MAZDA}

    return run


def named(features: Any, above: float = 0.0) -> Answer:
    """Haralick's 1 to 11 of (..., 11 or more), entropies in bits, to MaZda's names and nats;
    `above` is what the sum average lacks."""
    features = np.asarray(features)[..., :11] * np.where(BITS, LN2, 1)
    features[..., 5] += above
    return {name: features[..., k] for k, name in enumerate(MAZDA)}


def mahotas_rois(work: Work) -> Run:
    from mahotas.features import haralick

    def run() -> Answer:
        found = [
            [haralick(roi, distance=d, use_x_minus_y_variance=True) for d in range(1, 6)]
            for roi in work["rois"]
        ]
        return named(np.reshape(found, (work.items, 20, 13)), above=2)  # its levels start at 0

    return run


def without_variance(answer: Answer) -> Answer:
    """cp_measure's difference variance is another quantity: that of the shares themselves."""
    return {name: value for name, value in answer.items() if name != "DifVarnc"}


def cp_measure_rois(work: Work) -> Run:
    from cp_measure.core.numba.measuretexture import get_texture

    side = int(np.ceil(np.sqrt(work.items)))
    rois = np.zeros((side**2, 10, 10), np.uint8)
    rois[: work.items] = work["rois"]
    tile = rois.reshape(side, side, 10, 10).swapaxes(1, 2).reshape(side * 10, -1) / (
        work.levels - 1
    )
    labels = np.kron(np.arange(1, side**2 + 1).reshape(side, side), np.ones((10, 10), int))
    labels[labels > work.items] = 0

    def run() -> Answer:  # it drops level 0 and cuts anew, so its values are not compared
        found = [get_texture(labels, tile, scale=d, gray_levels=work.levels) for d in range(1, 6)]
        return {"(own levels)": np.array([len(each) for each in found])}

    return run


def cp_measure_kernel(work: Work) -> Run:
    """The inner kernel, not a public call: the best that its package could do."""
    from cp_measure.core.numba._texture import haralick_object

    offsets = np.array([(0, *offset) for offset in work.offsets], np.int64)
    wide = np.uint8 if work.levels < 256 else np.uint16

    def run() -> Answer:
        shifted = (work["rois"].astype(wide) + 1)[:, None]  # level 0 is its background
        found = np.array([haralick_object(roi, offsets) for roi in shifted])
        return without_variance(named(found))

    return run


# --- maps ----------------------------------------------------------------------------------------


def padded_images(work: Work) -> tuple[Any, Any]:
    import SimpleITK

    mask = np.zeros((1, *work["padded"].shape), np.uint8)
    mask[:, 3:-3, 3:-3] = 1
    volume = work["padded"][None].astype(np.float32)
    return SimpleITK.GetImageFromArray(volume), SimpleITK.GetImageFromArray(mask)


def maps_of(found: dict[str, Any], shape: tuple[int, ...]) -> Answer:
    import SimpleITK

    answer = {}
    for name, (theirs, factor) in MAPS.items():
        image = next(value for key, value in found.items() if key.endswith(theirs))
        plane = SimpleITK.GetArrayFromImage(image)[0]
        answer[name] = (plane if plane.shape == shape else plane[3:-3, 3:-3]) * factor
    return answer


def pyradiomics_maps(work: Work) -> Run:
    import radiomics
    from radiomics import glcm

    radiomics.setVerbosity(60)
    images = padded_images(work)
    plane = {"voxelBased": True, "kernelRadius": 3, "force2D": True, "force2Ddimension": 0}

    def run() -> Answer:
        settings = {"binWidth": 1, "label": 1, "maskedKernel": False, "voxelBatch": 4096}
        features = glcm.RadiomicsGLCM(*images, **settings, **plane)
        for name, _ in MAPS.values():
            features.enableFeatureByName(name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return maps_of(features.execute(), work["image"].shape)

    return run


def flash_maps(work: Work) -> Run:
    from flash_radiomics import RadiomicsFeatureExtractor

    logging.getLogger("flash_radiomics").setLevel(logging.ERROR)
    images = padded_images(work)
    folder = tempfile.TemporaryDirectory()
    settings: dict[str, Any] = {"label": 1, "binWidth": 1.0, "distances": [1]}
    settings |= {"force2D": True, "force2Ddimension": 0, "hdf5OutputDirectory": folder.name}
    plan = {
        "setting": settings,
        "voxelSetting": {"kernelRadius": 3, "maskedKernel": False},
        "imageType": {"Original": {}},
        "spatialFeatureClass": {"glcm": [name for name, _ in MAPS.values()]},
    }
    extractor = RadiomicsFeatureExtractor(plan, backend="cpu", num_threads=work.threads)

    def run(keep: Any = folder) -> Answer:
        return maps_of(extractor.execute(*images, spatialMode=True), work["image"].shape)

    return run


def itk_maps(work: Work) -> Run:
    """Eight features of the sum of the four offsets' matrices."""
    import itk

    itk.MultiThreaderBase.SetGlobalDefaultNumberOfThreads(work.threads)
    image, vector = itk.Image[itk.F, 2], itk.VectorImage[itk.F, 2]

    def run() -> Answer:
        texture = itk.CoocurrenceTextureFeaturesImageFilter[image, vector].New(
            Input=itk.image_from_array(work["padded"].astype(np.float32))
        )
        texture.SetNumberOfBinsPerAxis(work.levels)
        texture.SetHistogramMinimum(0)
        texture.SetHistogramMaximum(work.levels)
        window = itk.Neighborhood[itk.B, 2]()
        window.SetRadius(work.window // 2)
        texture.SetNeighborhoodRadius(window.GetRadius())
        texture.Update()
        found = itk.array_from_image(texture.GetOutput())[3:-3, 3:-3]
        return {"pooled contrast": found[..., 4], "pooled homogeneity": found[..., 3]}

    return run
