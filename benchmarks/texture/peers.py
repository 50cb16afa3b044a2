"""The peers of the texture workloads: a peer is made once from a Work and then called.

Making a peer is what its user does once (imports, settings, images in the peer's own type); calling
it starts from the raw arrays and returns a dict of arrays. Names that ours has too are compared.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from benchmarks.texture.planes import (
    bincount_one,
    bincount_rois,
    cp_measure_kernel,
    cp_measure_rois,
    flash_maps,
    itk_maps,
    mahotas_one,
    mahotas_rois,
    pyradiomics_maps,
    skimage_one,
)
from benchmarks.texture.regions import (
    FAMILIES,
    Run,
    flash_class,
    mahotas_region,
    pictologics_region,
    pyradiomics_class,
    pyradiomics_extractor,
    pyradiomics_shape,
    pyradiomics_voxels,
)
from benchmarks.texture.work import Work
from benchmarks.timing import cannot_import

os.environ.setdefault("PICTOLOGICS_DISABLE_WARMUP", "1")  # compiled by the round that is not timed

# workload: name: (what it needs beside NumPy, how it is made)
PEERS: dict[str, dict[str, tuple[str | None, Callable[[Work], Run]]]] = {
    "W1": {
        "scikit-image": ("skimage", skimage_one),
        "mahotas": ("mahotas", mahotas_one),
        "NumPy bincount": (None, bincount_one),
    },
    "W2": {
        "mahotas": ("mahotas", mahotas_rois),
        "cp_measure": ("cp_measure.core.numba.measuretexture", cp_measure_rois),
        "cp_measure kernel": ("cp_measure.core.numba._texture", cp_measure_kernel),
        "NumPy bincount": (None, bincount_rois),
    },
    "W3": {
        "PyRadiomics": ("radiomics", pyradiomics_maps),
        "flash-radiomics": ("flash_radiomics", flash_maps),
        "ITK": ("itk", itk_maps),
    },
    "W4": {
        "PyRadiomics extractor": ("radiomics", partial(pyradiomics_extractor, ["glcm"])),
        "PyRadiomics class": ("radiomics", partial(pyradiomics_class, "glcm")),
        "flash-radiomics": ("flash_radiomics", partial(flash_class, ["glcm"])),
        "mahotas": ("mahotas", mahotas_region),
        "pictologics": ("pictologics", partial(pictologics_region, ["glcm"])),
    },
    "W5": {
        "PyRadiomics extractor": ("radiomics", partial(pyradiomics_extractor, ["glrlm"])),
        "PyRadiomics class": ("radiomics", partial(pyradiomics_class, "glrlm")),
        "flash-radiomics": ("flash_radiomics", partial(flash_class, ["glrlm"])),
        "pictologics": ("pictologics", partial(pictologics_region, ["glrlm"])),
    },
    "W6": {
        "PyRadiomics' five": ("radiomics", partial(pyradiomics_extractor, FAMILIES[1:])),
        "PyRadiomics extractor": ("radiomics", partial(pyradiomics_extractor, FAMILIES)),
        "flash-radiomics": ("flash_radiomics", partial(flash_class, FAMILIES)),
        "pictologics": ("pictologics", partial(pictologics_region, None)),
    },
    "W7": {"PyRadiomics class": ("radiomics", pyradiomics_shape)},
    "W8": {"PyRadiomics extractor": ("radiomics", pyradiomics_voxels)},
}


def missing(workload: str, name: str) -> str | None:
    """Why a peer cannot run here, or None."""
    return cannot_import(name, PEERS[workload][name][0])


def peer(workload: str, name: str, work: Work) -> Run:
    return PEERS[workload][name][1](work)
