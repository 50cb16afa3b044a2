"""`RadiomicsFeatureExtractor`, as PyRadiomics' scripts use it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any

from lesionkit import arrays, files
from lesionkit.radiomics import masks, names, volumes
from lesionkit.radiomics.extraction import Source, extract
from lesionkit.radiomics.parameters import (
    SETTINGS,
    VOXEL_SETTINGS,
    Parameters,
    check_features,
    check_known,
    check_settings,
    read_parameters,
    unknown,
)


class RadiomicsFeatureExtractor:
    """Radiomics features of regions, with PyRadiomics' parameters, names, order and numbers.

    Parameters
    ----------
    parameters : str, path or mapping, optional
        As :func:`read_parameters`. None: PyRadiomics' defaults, 107 features.
    **settings : optional
        PyRadiomics' settings by name, in place of what the parameters say. Names that are not known
        are ignored with a warning, as scripts of earlier versions have some.

    Attributes
    ----------
    settings : dict
        By name; they may be changed.
    enabledImagetypes : dict of str to dict
        The image types, with settings of their own.
    enabledFeatures : dict of str to list
        The feature classes, with the features asked for; an empty list asks for all.

    Raises
    ------
    TypeError, ValueError
        Where a parameter is not as PyRadiomics accepts it.
    OSError
        Where the file of parameters cannot be read.
    MissingLibrary
        Without PyYAML, for a file of YAML.

    References
    ----------
    PyRadiomics 3.0.1 (van Griethuysen et al., Cancer Research 77, e104, 2017).

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.radiomics import RadiomicsFeatureExtractor
    >>> volume = np.random.default_rng(0).normal(100, 30, (8, 32, 32))
    >>> extractor = RadiomicsFeatureExtractor(binWidth=5, additionalInfo=False)
    >>> extractor.disableAllFeatures()
    >>> extractor.enableFeaturesByName(glcm=["Contrast"])
    >>> list(extractor.execute(volume, volume > 110))
    ['original_glcm_Contrast']
    """

    def __init__(
        self, parameters: str | os.PathLike[str] | Mapping[str, Any] | None = None, **settings: Any
    ) -> None:
        self._use(read_parameters(parameters))
        self.settings |= _known(settings)

    def _use(self, parameters: Parameters) -> None:
        self.settings = parameters.settings
        self.enabledImagetypes = parameters.image_types
        self.enabledFeatures = parameters.features

    @property
    def featureClassNames(self) -> list[str]:
        """The names of all feature classes."""
        return list(names.CLASSES)

    def loadParams(self, paramsFile: str | os.PathLike[str] | Mapping[str, Any]) -> None:
        """Take the parameters of a file, in place of all that was set.

        Parameters
        ----------
        paramsFile : str, path or mapping
            As :func:`read_parameters`.

        Raises
        ------
        TypeError, ValueError, OSError
            As :func:`read_parameters`.
        """
        self._use(read_parameters(paramsFile))

    def loadJSONParams(self, JSON_configuration: str) -> None:
        """Take the parameters of a text of JSON, in place of all that was set.

        Parameters
        ----------
        JSON_configuration : str
            The text itself.

        Raises
        ------
        TypeError, ValueError
            As :func:`read_parameters`, or where it is no JSON.
        """
        self._use(read_parameters(files.parse_json(JSON_configuration)))

    def addProvenance(self, provenance_on: bool = True) -> None:
        """Whether features have `diagnostics_...` beside them.

        Parameters
        ----------
        provenance_on : bool, default True
            The same as the setting additionalInfo.
        """
        self.settings["additionalInfo"] = provenance_on

    def enableAllImageTypes(self) -> None:
        """Ask for the original and for all filters, without settings of their own."""
        self.enabledImagetypes = {name: {} for name in names.IMAGE_TYPES}

    def disableAllImageTypes(self) -> None:
        """Ask for no image type."""
        self.enabledImagetypes = {}

    def enableImageTypeByName(
        self, imageType: str, enabled: bool = True, customArgs: Mapping[str, Any] | None = None
    ) -> None:
        """Ask for an image type, or not any more.

        Parameters
        ----------
        imageType : str
            One of PyRadiomics' ten; others are ignored with a warning.
        enabled : bool, default True
            Whether it is asked for.
        customArgs : mapping, optional
            Its own settings.
        """
        if _warn_of_unknown("image type", imageType, names.IMAGE_TYPES):
            return
        self.enabledImagetypes.pop(imageType, None) if not enabled else (
            self.enabledImagetypes.update({imageType: dict(customArgs or {})})
        )

    def enableImageTypes(self, **enabledImagetypes: Mapping[str, Any]) -> None:
        """Ask for image types.

        Parameters
        ----------
        **enabledImagetypes : mapping
            Each with its own settings.
        """
        self.enabledImagetypes |= {name: dict(own) for name, own in enabledImagetypes.items()}

    def enableAllFeatures(self) -> None:
        """Ask for all features of all classes."""
        self.enabledFeatures = {name: [] for name in names.CLASSES}

    def disableAllFeatures(self) -> None:
        """Ask for no feature."""
        self.enabledFeatures = {}

    def enableFeatureClassByName(self, featureClass: str, enabled: bool = True) -> None:
        """Ask for all features of a class, or for none any more.

        Parameters
        ----------
        featureClass : str
            "firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm", "shape" or "shape2D"; others
            are ignored with a warning.
        enabled : bool, default True
            Whether it is asked for.
        """
        if _warn_of_unknown("feature class", featureClass, names.CLASSES):
            return
        if enabled:
            self.enabledFeatures[featureClass] = []
        else:
            self.enabledFeatures.pop(featureClass, None)

    def enableFeaturesByName(self, **enabledFeatures: list[str] | None) -> None:
        """Ask for features by name.

        Parameters
        ----------
        **enabledFeatures : list of str
            Of each class its features; none, or an empty list, asks for all.

        Raises
        ------
        TypeError, ValueError
            Where there is no such class or feature.
        """
        self.enabledFeatures |= check_features(enabledFeatures)

    def execute(
        self,
        imageFilepath: Any,
        maskFilepath: Any,
        label: Any = None,
        label_channel: int | None = None,
        voxelBased: bool = False,
        *,
        spacing: Any = None,
    ) -> dict[str, Any]:
        """Features of one region.

        Parameters
        ----------
        imageFilepath : str, path, SimpleITK.Image, lesionkit.io.Image, Volume or array
            The image: NRRD, NIfTI, MetaImage, DICOM (a file, or a folder with a series), PNG, JPEG;
            or in memory, arrays as (z, y, x) or (y, x).
        maskFilepath : the same
            Its mask: whole numbers, floats and booleans too; of several layers, as the last axis,
            one is taken. Also RTSTRUCT and DICOM SEG, whose regions are layers in the order of the
            file.
        label : int, sequence of int, or "all", optional
            What of the mask is the region; several labels are one region, "all" is what is not 0.
            None: the setting, 1 unless it was changed. A mask whose only label is another is then
            taken by that label, with a warning.
        label_channel : int, optional
            The layer, from 0. None: the setting, or 0.
        voxelBased : bool, default False
            Maps in place of features, as SimpleITK's images, where the region's box is and
            kernelRadius about it.
        spacing : sequence of float, optional
            Of the voxels of arrays along each axis, in their order, mm; None: 1.

        Returns
        -------
        dict of str to float
            In PyRadiomics' order: `diagnostics_...` (texts, numbers and tuples; where
            additionalInfo is set), shapes, then the classes for each image type.

        Raises
        ------
        TypeError, ValueError
            Where an argument or setting is not as described; image and mask have different grids;
            the region is too small, sticks out of the image or holds NaN.
        OSError
            Where a file cannot be read.
        MissingLibrary
            Where a library that is needed is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from lesionkit.radiomics import RadiomicsFeatureExtractor
        >>> volume = np.random.default_rng(0).normal(100, 30, (8, 32, 32))
        >>> mask = np.uint8(255) * (volume > 110)
        >>> features = RadiomicsFeatureExtractor().execute(volume, mask, 255, spacing=(5, 1, 1))
        >>> features["diagnostics_Mask-original_BoundingBox"]
        (0, 0, 0, 32, 32, 8)
        """
        parameters = self._parameters()
        settings = parameters.settings
        layer = settings.get("label_channel") if label_channel is None else label_channel
        image = cache(lambda: volumes.read(imageFilepath, "image", spacing))
        labels = masks.labels_of(masks.read(maskFilepath, image, spacing), layer)
        taken, region = masks.choose(labels, label, settings.get("label"))
        maps = arrays.flag(voxelBased, "voxelBased")
        return extract(Source(image()), labels, taken, region, parameters, maps)

    def _parameters(self) -> Parameters:
        """What was set, checked."""
        checked = check_settings(_known(self.settings))
        types = {name: check_settings(_known(own)) for name, own in self.enabledImagetypes.items()}
        for name in types:
            check_known(name, names.IMAGE_TYPES, "image type")
        return Parameters(checked, types, check_features(self.enabledFeatures))


def _known(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without those that there are not, which are told."""
    there = SETTINGS | VOXEL_SETTINGS
    return {
        name: value
        for name, value in settings.items()
        if not _warn_of_unknown("setting", name, there)
    }


def _warn_of_unknown(what: str, name: str, there: Any) -> bool:
    if problem := unknown(name, there, what):
        warnings.warn(f"{problem}; ignored", stacklevel=3)
    return bool(problem)
