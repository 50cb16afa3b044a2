"""Libraries that extras bring: imported when they are first needed, or a sentence that says which
command installs them, from what the user has."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

EXTRAS = {
    "PIL": ("Pillow", "plot"),
    "cupy": ("CuPy", "cuda13"),
    "distributed": ("distributed", "cluster"),
    "flyr": ("flyr", "flir"),
    "google_crc32c": ("google-crc32c", "phantoms"),
    "h5py": ("h5py", "snirf"),
    "highdicom": ("highdicom", "radiomics"),
    "matplotlib": ("matplotlib", "plot"),
    "meshio": ("meshio", "mesh"),
    "numba": ("numba", "numba"),
    "numcodecs": ("numcodecs", "phantoms"),
    "shtab": ("shtab", "completion"),
    "sklearn": ("scikit-learn", "learn"),
    "torch": ("torch", "nets"),
    "upath": ("universal-pathlib", "remote"),
    **{name: (name, "studies") for name in ("SimpleITK", "nibabel", "pydicom")},
    "pywt": ("PyWavelets", "radiomics"),
    "skimage": ("scikit-image", "studies"),
    "yaml": ("PyYAML", "radiomics"),
}
"""Of each module: its library, and the smallest extra of pyproject.toml that brings it."""


class MissingLibrary(ImportError):
    """A library that an extra brings is not installed.

    The message says which command installs it.

    Examples
    --------
    >>> from lesionkit import io
    >>> try:
    ...     image = io.read_image("brain.nii.gz")  # doctest: +SKIP
    ... except io.MissingLibrary as problem:
    ...     print(problem)
    """


def require(module: str, needed_by: str, extra: str | None = None) -> Any:
    """The module; MissingLibrary where its library is not installed.

    needed_by : what begins the sentence, "NIfTI files need"
    extra     : the one to install where more than this library will be needed
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as missing:
        if (missing.name or "").split(".")[0] != module.split(".")[0]:
            raise
        raise in_words(missing, needed_by, extra) from missing


def in_words(missing: ModuleNotFoundError, needed_by: str, extra: str | None = None) -> ImportError:
    """What is to be raised in place of `missing`; itself where no extra brings that module."""
    name = (missing.name or "").split(".")[0]
    if name not in EXTRAS:
        return missing
    library, least = EXTRAS[name]
    sentence = f"{needed_by} {library}, which is not installed: {command(extra or least)}"
    return MissingLibrary(sentence, name=name)


def command(extra: str) -> str:
    """The command that installs an extra into this Python.

    It names the checkout, folder or wheel that lesionkit came from, if that is still there; else
    the libraries themselves, so that no index need know lesionkit.
    """
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        installed = distribution("lesionkit")
        told, lines = installed.read_text("direct_url.json") or "{}", installed.requires or []
    except PackageNotFoundError:
        told, lines = "{}", []
    source, editable = _source(told)
    if source is not None:
        place = "." if source == Path.cwd() else str(source)
        return f"{_pip()}{' -e' if editable else ''} '{place}[{extra}]'"
    return " ".join([_pip(), *(f"'{wanted}'" for wanted in _requirements(lines, extra))])


def _source(told: str) -> tuple[Path | None, bool]:
    """What lesionkit was installed from, by pip's direct_url.json, if it is on this machine; and
    whether it runs from there."""
    import json
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    package = Path(__file__).parent
    if package.parent.name == "src" and (package.parents[1] / "pyproject.toml").is_file():
        return package.parents[1], True
    url = urlsplit(json.loads(told).get("url", ""))
    place = Path(url2pathname(url.path))
    return (place if url.scheme == "file" and place.exists() else None), False


def _requirements(lines: list[str], extra: str) -> list[str]:
    """Those of an extra, and of the extras that it names, from lines of the metadata."""
    found: dict[str, None] = {}
    for line in lines:
        wanted, _, marker = line.partition(";")
        if not re.search(rf"""extra == ["']{re.escape(extra)}["']""", marker):
            continue
        if own := re.fullmatch(r"\s*lesionkit\[(.+)\]\s*", wanted):
            for other in own[1].split(","):
                found |= dict.fromkeys(_requirements(lines, other.strip()))
        else:
            found[wanted.strip()] = None
    return list(found)


def _pip() -> str:
    """How this Python's pip is called from a shell."""
    if not _has_pip():  # an environment of uv
        return f"uv pip install --python {shlex.quote(sys.executable)}"
    if os.environ.get("VIRTUAL_ENV") == sys.prefix:
        return "pip install"
    return f"{shlex.quote(sys.executable)} -m pip install"


def _has_pip() -> bool:
    """By its path alone: setuptools, asked for pip, puts its distutils in the place of Python's."""
    from importlib.machinery import PathFinder

    return PathFinder.find_spec("pip") is not None
