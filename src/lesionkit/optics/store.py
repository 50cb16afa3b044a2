"""The phantom store: a Zarr v3 group. Its layout, and how to open it (`store_writer` writes it)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit.optics.recipe import PhantomRecipe

CHUNK = 64
"""Phantoms in a chunk of every array, whatever the batch in which they are computed."""

FORMAT = 1
"""Version of the layout of the store."""

LEVEL, BLOCK = 1, 2**19
"""Of zstd in Blosc. Blocks of half a MiB pack in half the time of Blosc's own choice, and better;
higher levels and, for maps and MRI, shuffling cost time and do not pack better."""

REGION_COLUMNS = ("x", "y", "radius", "hbo", "hb", "water", "amplitude", "power")
"""Columns of `inclusions`: mm, mm, mm, micromolar, micromolar, per cent, mm^-1, no unit."""


@dataclass(frozen=True, eq=False)
class Phantoms:
    """Phantoms in memory (NumPy arrays) or in a store (Zarr arrays, read when indexed).

    signal       : (n, wavelengths, optodes, optodes - 1) float32, amplitude with noise, mm^-1;
                   detector j of source s is optode (s + 1 + j) mod optodes
    mri          : (n, pixels, pixels) uint8, gray value with noise; 0 outside the disc
    chromophores : (n, 3, pixels, pixels) float32, HbO and Hb in micromolar, water in per cent; the
                   area-weighted mean over the pixel, and 0 where its centre is outside the disc
    inclusions   : (n, 3, 8) float64, columns REGION_COLUMNS; row 0 the background disc, rows 1 and
                   2 the inclusions; an absent one has radius 0 and the background's tissue
    recipe, seed : what they were made from
    attributes   : accuracy, method, geometry, instruction set, version
    seconds      : of each stage of the making; `paint`, `pack`, `write` are summed over threads

    Row 0 of maps and MRI is at the top, y = +radius; column 0 on the left, x = -radius.
    """

    signal: Any
    mri: Any
    chromophores: Any
    inclusions: Any
    recipe: PhantomRecipe
    seed: int
    attributes: Mapping[str, Any]
    seconds: Mapping[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.signal.shape[0])

    def read(self, name: str, first: int, stop: int) -> npt.NDArray[Any]:
        """Rows of one array, in memory. ValueError where its file is damaged."""
        try:
            return np.asarray(getattr(self, name)[first:stop])
        except (RuntimeError, OSError) as problem:
            raise ValueError(
                f"the store is damaged: {name} of phantoms {first} to {stop - 1} cannot be read "
                f"({problem})"
            ) from problem

    @property
    def accuracy(self) -> Any:
        """Of the signals; stores from before there was a choice do not say it."""
        return self.attributes.get("accuracy", "fast")

    @property
    def job(self) -> dict[str, Any]:
        """What it was made from: two stores of equal jobs have equal bytes."""
        return {name: self.attributes[name] for name in JOB if name in self.attributes}


JOB = ("format", "version", "instruction_set", "seed", "count", "accuracy", "recipe")
"""The attributes in which two stores of equal bytes agree."""


@dataclass(frozen=True)
class Layout:
    """One array of the store: all but its length."""

    dtype: str
    shape: tuple[int, ...]  # of one phantom
    shuffle: str  # of the bytes, before zstd: what packs this kind of data best
    dimensions: tuple[str, ...]
    attributes: dict[str, Any]

    @property
    def itemsize(self) -> int:
        return np.dtype(self.dtype).itemsize

    def chunk_file(self, chunk: int) -> str:
        """Its name: points, not slashes, so that an array is one flat folder."""
        return ".".join(["c", str(chunk), *("0" for _ in self.shape)])

    def empty(self, count: int, xp: Any = np) -> Any:
        """Room for `count` phantoms, all zero: an array of NumPy, or of the module `xp`."""
        return xp.zeros((count, *self.shape), self.dtype)

    def pack(self, chunk: npt.NDArray[Any]) -> bytes:
        """(CHUNK, ...) as the bytes of its file. The bytes do not depend on the thread."""
        from numcodecs import blosc  # type: ignore[import-untyped]

        shuffle = getattr(blosc, self.shuffle.upper())
        little = chunk.astype(np.dtype(self.dtype).newbyteorder("<"), copy=False)
        return bytes(blosc.compress(little, b"zstd", LEVEL, shuffle, BLOCK))

    def metadata(self, count: int) -> dict[str, Any]:
        """zarr.json of the array (Zarr v3 core specification)."""
        blosc = {"typesize": self.itemsize, "cname": "zstd", "clevel": LEVEL}
        little = {"configuration": {"endian": "little"}} if self.itemsize > 1 else {}
        blosc |= {"shuffle": self.shuffle, "blocksize": BLOCK}
        return {
            "zarr_format": 3,
            "node_type": "array",
            "shape": [count, *self.shape],
            "data_type": self.dtype,
            "chunk_grid": {
                "name": "regular",
                "configuration": {"chunk_shape": [CHUNK, *self.shape]},
            },
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "."}},
            "fill_value": 0,
            "codecs": [
                {"name": "bytes", **little},
                {"name": "blosc", "configuration": blosc},
            ],
            "dimension_names": ["phantom", *self.dimensions],
            "attributes": self.attributes,
        }


def layouts(recipe: PhantomRecipe) -> dict[str, Layout]:
    """The arrays of a store of this recipe, by name."""
    optodes, pixels = recipe.optodes, recipe.pixels
    image = ("row", "column")
    return {
        "signal": Layout(
            "float32",
            (len(recipe.wavelengths), optodes, optodes - 1),
            "shuffle",
            ("wavelength", "source", "detector"),
            {"unit": "mm^-1", "detector": "j of source s is optode (s + 1 + j) mod optodes"},
        ),
        "mri": Layout("uint8", (pixels, pixels), "noshuffle", image, {"unit": "gray value"}),
        "chromophores": Layout(
            "float32",
            (3, pixels, pixels),
            "noshuffle",
            ("chromophore", *image),
            {"chromophores": ["HbO", "Hb", "water"], "units": ["uM", "uM", "%"]},
        ),
        "inclusions": Layout(
            "float64",
            (3, len(REGION_COLUMNS)),
            "shuffle",
            ("region", "column"),
            {
                "rows": ["background", "inclusion 1", "inclusion 2 (radius 0: absent)"],
                "columns": list(REGION_COLUMNS),
                "units": ["mm", "mm", "mm", "uM", "uM", "%", "mm^-1", ""],
            },
        ),
    }


def open_phantoms(path: str | os.PathLike[str]) -> Phantoms:
    """Open a finished store; its arrays are read when indexed.

    Raises FileNotFoundError where there is none or only a part of one, ValueError where something
    else lies at `path`.
    """
    import zarr

    path = Path(path)
    attributes = read_attributes(path)
    if attributes is None:
        part = path if path.name.endswith(".partial") else partial_path(path)
        if part.is_dir():
            raise FileNotFoundError(
                f"{part} is the unfinished part of a store; the call that began it resumes it"
            )
        raise FileNotFoundError(f"there is no phantom store at {path}")
    group = zarr.open_group(path, mode="r")
    try:
        recipe = PhantomRecipe.from_dict(attributes["recipe"])
        stored: dict[str, Any] = {name: group[name] for name in layouts(recipe)}
        seed, count = attributes["seed"], attributes["count"]
    except KeyError as missing:
        raise ValueError(f"{path} is damaged: it lacks {missing.args[0]!r}") from missing
    for name, layout in layouts(recipe).items():
        array = stored[name]
        if array.shape != (count, *layout.shape):
            raise ValueError(
                f"{path} is damaged: its {name} has shape {array.shape}, not "
                f"{(count, *layout.shape)}"
            )
        if array.nchunks_initialized < array.nchunks:  # Zarr reads zeros there
            lost = array.nchunks - array.nchunks_initialized
            raise ValueError(f"{path} is damaged: its {name} lacks {lost} of {array.nchunks} files")
    return Phantoms(**stored, recipe=recipe, seed=seed, attributes=attributes)


def partial_path(path: Path) -> Path:
    """Where the store `path` grows."""
    return path.with_name(path.name + ".partial")


def read_attributes(path: Path) -> dict[str, Any] | None:
    """Attributes of the finished store at `path`; None if there is nothing, or only a part."""
    try:
        text = (path / "zarr.json").read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        if path.exists() and not path.name.endswith(".partial"):
            raise ValueError(f"{path} exists and is not a phantom store") from None
        return None
    try:
        attributes: dict[str, Any] = json.loads(text)["attributes"]
        known = attributes["format"] == FORMAT
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path} is not a phantom store") from None
    if not known:
        raise ValueError(
            f"{path} is a phantom store of format {attributes['format']}; "
            f"this version of lesionkit reads format {FORMAT}"
        )
    return attributes
