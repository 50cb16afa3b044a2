"""PyRadiomics' parameters, read as they are: a file of YAML or JSON, or a dictionary."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lesionkit import arrays, extras, files
from lesionkit.radiomics import names

Check = Callable[[Any, str], Any]
"""Of a value and its name: the value, or an error in words."""

INTERPOLATORS = (
    "sitkNearestNeighbor",
    "sitkLinear",
    "sitkBSpline",
    "sitkGaussian",
    "sitkLabelGaussian",
    "sitkHammingWindowedSinc",
    "sitkCosineWindowedSinc",
    "sitkWelchWindowedSinc",
    "sitkLanczosWindowedSinc",
    "sitkBlackmanWindowedSinc",
)
"""By name, or by number from 1."""

LABELS_ALL = "all"
"""As a label: everything that is not 0, as one region."""


def _whole(least: int, most: int | None = None) -> Check:
    return lambda value, name: arrays.integer(value, name, at_least=least, at_most=most)


def _number(above: float | None = None, at_least: float | None = None) -> Check:
    def check(value: Any, name: str) -> Any:
        found = _read(value)
        arrays.number(found, name, above=above, at_least=at_least)
        return found  # a whole number stays one

    return check


def _read(value: Any) -> Any:
    """A number that YAML took for a word, 1e-3 or nan."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _any_number(value: Any, name: str) -> float:
    found = _read(value)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise TypeError(f"{name} must be a number, NaN too, got {arrays.describe(value)}")
    return float(found)


def _list(check: Check, least: int = 0, most: int | None = None) -> Check:
    def every(value: Any, name: str) -> list[Any]:
        if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
            raise TypeError(f"{name} must be a list of numbers, got {arrays.describe(value)}")
        found = [check(one, f"{name}[{i}]") for i, one in enumerate(value)]
        if len(found) < least or (most is not None and len(found) > most):
            raise ValueError(f"{name} must have {least} to {most} numbers, got {len(found)}")
        return found

    return every


def _one_of(*accepted: str) -> Check:
    return lambda value, name: arrays.one_of(value, name, accepted)


def _interpolator(value: Any, name: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= len(INTERPOLATORS):
        return INTERPOLATORS[value - 1]
    return str(arrays.one_of(value, name, INTERPOLATORS))


def _wavelet(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be the name of a wavelet, got {arrays.describe(value)}")
    return value  # whether PyWavelets has it is asked where it is used


def _label(value: Any, name: str) -> Any:
    if value == LABELS_ALL:
        return value
    if isinstance(value, (list, tuple)):
        if not value:
            raise ValueError(f"{name} must be a label or more, got none")
        return tuple(_whole(1)(one, name) for one in value)
    return _whole(1)(value, name)


SETTINGS: dict[str, Check] = {
    # the region
    "label": _label,
    "label_channel": _whole(0),
    "minimumROIDimensions": _whole(1, 3),
    "minimumROISize": _whole(1),
    "geometryTolerance": _number(above=0),
    "correctMask": arrays.flag,
    "additionalInfo": arrays.flag,
    # what is done to the image before
    "normalize": arrays.flag,
    "normalizeScale": _number(above=0),
    "removeOutliers": _number(above=0),
    "resampledPixelSpacing": _list(_number(at_least=0), 0, 3),
    "interpolator": _interpolator,
    "padDistance": _whole(0),
    "preCrop": arrays.flag,
    "resegmentRange": _list(_number(), 1, 2),
    "resegmentMode": _one_of("absolute", "relative", "sigma"),
    "resegmentShape": arrays.flag,
    # levels, neighbours
    "binWidth": _number(above=0),
    "binCount": _whole(1),
    "distances": _list(_whole(1), 1, 64),
    "force2D": arrays.flag,
    "force2Ddimension": _whole(0, 2),
    "voxelArrayShift": _number(),
    "symmetricalGLCM": arrays.flag,
    "weightingNorm": _one_of("euclidean", "manhattan", "infinity", "no_weighting"),
    "gldm_a": _number(at_least=0),
    # filters
    "sigma": _list(_number(above=0)),
    "start_level": _whole(0),
    "level": _whole(1),
    "wavelet": _wavelet,
    "gradientUseSpacing": arrays.flag,
    "lbp2DRadius": _number(above=0),
    "lbp2DSamples": _whole(1),
    "lbp2DMethod": _one_of("default", "ror", "uniform", "var"),
    "lbp3DLevels": _whole(1),
    "lbp3DIcosphereRadius": _number(above=0),
    "lbp3DIcosphereSubdivision": _whole(0),
}
VOXEL_SETTINGS: dict[str, Check] = {
    "kernelRadius": _whole(1),
    "maskedKernel": arrays.flag,
    "initValue": _any_number,
    "voxelBatch": _whole(1),
}
LISTS = ("resampledPixelSpacing", "resegmentRange", "distances", "sigma")
"""Settings of several numbers."""
WORDS = {"true": True, "false": False, "none": None}
"""What stands for no text, beside JSON's own."""

PARTS = ("setting", "voxelSetting", "imageType", "featureClass")

DEFAULTS: dict[str, Any] = {
    "minimumROIDimensions": 2,
    "minimumROISize": None,
    "normalize": False,
    "normalizeScale": 1,
    "removeOutliers": None,
    "resampledPixelSpacing": None,
    "interpolator": "sitkBSpline",
    "preCrop": False,
    "padDistance": 5,
    "distances": [1],
    "force2D": False,
    "force2Ddimension": 0,
    "resegmentRange": None,
    "label": 1,
    "additionalInfo": True,
}
"""PyRadiomics' settings of an extraction; the feature classes and filters have theirs."""


@dataclass
class Parameters:
    """What an extraction computes, of which images, and how.

    Attributes
    ----------
    settings : dict
        PyRadiomics' settings by name; those that are not here have their defaults.
    image_types : dict of str to dict
        Each image type, "Original" or a filter, with settings of its own.
    features : dict of str to list
        Each feature class with the features that are asked for; an empty list asks for all.

    Examples
    --------
    >>> from lesionkit.radiomics import Parameters
    >>> len(Parameters().features)
    7
    """

    settings: dict[str, Any] = field(default_factory=lambda: deepcopy(DEFAULTS))
    image_types: dict[str, dict[str, Any]] = field(default_factory=lambda: {"Original": {}})
    features: dict[str, list[str]] = field(
        default_factory=lambda: {name: [] for name in names.CLASSES if name != "shape2D"}
    )


def read_parameters(source: str | os.PathLike[str] | Mapping[str, Any] | None) -> Parameters:
    """Read PyRadiomics' parameters as they are.

    Parameters
    ----------
    source : str, path, mapping or None
        A file of YAML, or of JSON where its name ends with .json; or what such a file says:
        "imageType", "featureClass", "setting", "voxelSetting", each of which may be left out.
        None: PyRadiomics' defaults.

    Returns
    -------
    Parameters
        With PyRadiomics' defaults for what is not said.

    Raises
    ------
    TypeError, ValueError
        Where a key is not known (the nearest that is known is named), or a value is not as
        PyRadiomics accepts it; the sentence names the file and the key.
    OSError
        Where the file cannot be read.
    MissingLibrary
        Without PyYAML, for a file of YAML.

    References
    ----------
    PyRadiomics 3.0.1, radiomics/schemas/paramSchema.yaml.

    Examples
    --------
    >>> from lesionkit.radiomics import read_parameters
    >>> read = read_parameters({"setting": {"binWidth": 5}, "featureClass": {"glcm": ["Contrast"]}})
    >>> read.settings["binWidth"], read.features
    (5, {'glcm': ['Contrast']})
    """
    if source is None:
        return Parameters()
    said: Any = source
    where = "parameters"
    if not isinstance(source, Mapping):
        if not isinstance(source, (str, os.PathLike)):
            raise TypeError(
                f"parameters must be a file or a mapping, got {arrays.describe(source)}"
            )
        said, where = _parse(Path(source)), str(source)
    try:
        return _checked(said)
    except (TypeError, ValueError) as problem:
        raise type(problem)(f"{where}: {problem}") from None


def _parse(file: Path) -> Any:
    content = file.read_bytes()
    if file.suffix.lower() == ".json":
        try:
            return files.parse_json(content)
        except ValueError as problem:
            raise ValueError(f"{file} is no JSON: {problem}") from None
    yaml = extras.require("yaml", "files of YAML need")
    try:
        return yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as problem:
        raise ValueError(f"{file} is no YAML: {' '.join(str(problem).split())}") from None


def _checked(said: Any) -> Parameters:
    parts = _mapping(said, "the whole")
    for name in parts:
        check_known(name, PARTS, "key")
    found = Parameters()
    found.settings |= check_settings(parts.get("setting"), "setting")
    found.settings |= check_settings(parts.get("voxelSetting"), "voxelSetting")
    types = _mapping(parts.get("imageType"), "imageType")
    for name in types:
        check_known(name, names.IMAGE_TYPES, "image type")
    if types:
        found.image_types = {
            name: check_settings(own, f"imageType {name}") for name, own in types.items()
        }
    classes = _mapping(parts.get("featureClass"), "featureClass")
    found.features = check_features(classes or dict.fromkeys(names.CLASSES))
    return found


def _mapping(value: Any, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a mapping of names, got {arrays.describe(value)}")
    return dict(value)


def unknown(name: Any, known: Collection[str], what: str) -> str:
    """In words, where there is no such name, with the nearest that there is; else ""."""
    if name in known:
        return ""
    close = difflib.get_close_matches(str(name), list(known), 1, 0.6)
    meant = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
    return f"unknown {what} {str(name)!r}: {meant}"


def check_known(name: Any, known: Collection[str], what: str) -> None:
    """ValueError for a name that there is not."""
    if problem := unknown(name, known, what):
        raise ValueError(problem)


def check_settings(values: Any, where: str = "setting") -> dict[str, Any]:
    """Settings by name, each as its kind; None is kept, and means the default or nothing."""
    checks = SETTINGS | VOXEL_SETTINGS
    found = {}
    for name, value in _mapping(values, where).items():
        check_known(name, checks, "setting")
        found[name] = None if value is None else checks[name](value, name)
    return found


def parse_settings(said: Iterable[str]) -> dict[str, Any]:
    """Settings by name, of texts "NAME=VALUE" as a command line has them.

    A value is a number, true, false or none; several are between commas; all else is a text.
    """
    found = {}
    for text in said:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"setting must be NAME=VALUE, such as binWidth=5, got {text!r}")
        check_known(name, SETTINGS | VOXEL_SETTINGS, "setting")
        parts = [_plain(part) for part in value.split(",")]
        found[name] = parts if len(parts) > 1 or (name in LISTS and value) else parts[0]
    return check_settings(found)


def _plain(text: str) -> Any:
    text = text.strip()
    if text.casefold() in WORDS:
        return WORDS[text.casefold()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def check_features(classes: Mapping[str, Any]) -> dict[str, list[str]]:
    """Feature classes with their features; none, or an empty list, stands for all."""
    found = {}
    for name, features in classes.items():
        check_known(name, names.CLASSES, "feature class")
        if features is not None and not isinstance(features, (list, tuple)):
            raise TypeError(
                f"featureClass {name} must be a list of features, got {arrays.describe(features)}"
            )
        for feature in features or ():
            check_known(feature, names.known(name), f"feature of {name}")
        found[name] = list(features or ())
    return found
