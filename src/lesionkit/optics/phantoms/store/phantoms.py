"""Phantoms in memory or in a store, and how to open a store: a Zarr v3 group, see `layout`
(`writer` writes it, `reader` reads its arrays)."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from lesionkit import arrays, files
from lesionkit.homes import to_host
from lesionkit.optics.phantoms.ellipsoids import Ellipsoid
from lesionkit.optics.phantoms.recipe import PhantomRecipe
from lesionkit.optics.phantoms.store.layout import (
    CHECKSUMS,
    CHUNK,
    FORMAT,
    Layout,
    Region,
    chunk_count,
    digest,
    is_sealed,
    layouts,
    region_kind,
    shard_count,
)
from lesionkit.optics.phantoms.store.reader import StoredArray


@dataclass(frozen=True, eq=False, repr=False)
class Phantom:
    """One phantom, in memory; its arrays are rows of those of :class:`Phantoms`.

    In three dimensions maps and MRI have planes before their rows, and regions are of the class
    `Ellipsoid`.

    Attributes
    ----------
    number : int
        Its place in the store, from 0.
    signal : (wavelengths, optodes, optodes - 1) array
        mm^-1.
    mri : (pixels, pixels) array
        Gray value.
    chromophores : (3, pixels, pixels) array
        HbO and Hb in micromolar, water in per cent.
    background : Region
        The tissue of the disc.
    inclusions : tuple of Region
        The inclusions that are there, by name: `inclusions[0].radius`.
    """

    number: int
    signal: Any
    mri: Any
    chromophores: Any
    background: Region | Ellipsoid
    inclusions: tuple[Region | Ellipsoid, ...]

    def __repr__(self) -> str:
        axes = self.mri.ndim
        discs = [
            f"{2 * r.radius:.3g} mm at ({', '.join(f'{x:.3g}' for x in r[:axes])})"
            for r in self.inclusions
        ]
        return f"<phantom {self.number}: inclusions of {' and '.join(discs)}>"


@dataclass(frozen=True, eq=False, repr=False)
class Phantoms:
    """Phantoms in memory (NumPy arrays) or in a store (`StoredArray`, read when indexed).

    Row 0 of maps and MRI is at the top, y = +radius; column 0 on the left, x = -radius. In three
    dimensions they have planes before their rows, (n, pixels, pixels, pixels), plane 0 at the
    bottom, and the columns of `inclusions` are 15, those of `Ellipsoid`; shares of an inclusion in
    a voxel are those of 4 x 4 x 4 places in it.

    `phantoms[17]` is one :class:`Phantom` with names for its inclusions, `for one in phantoms` goes
    through them a chunk at a time, and `phantoms.signal[3:7]` reads several of one array.

    Attributes
    ----------
    signal : (n, wavelengths, optodes, optodes - 1) array of float32
        Amplitude with noise, mm^-1; detector j of source s is optode (s + 1 + j) mod optodes.
    mri : (n, pixels, pixels) array of uint8
        Gray value with noise; 0 outside the disc.
    chromophores : (n, 3, pixels, pixels) array of float32
        HbO and Hb in micromolar, water in per cent; the area-weighted mean over the pixel, and 0
        where its centre is outside the disc.
    inclusions : (n, 3, 8) array of float64
        Columns REGION_COLUMNS; row 0 the background disc, rows 1 and 2 the inclusions; an absent
        one has radius 0 and the background's tissue.
    recipe, seed : PhantomRecipe, int
        What they were made from.
    attributes : mapping
        Accuracy, method, geometry, instruction set, version.
    seconds : mapping of str to float
        Of each stage of the making; `paint`, `pack`, `write` are summed over threads.
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

    def __repr__(self) -> str:
        recipe = self.recipe
        at = f" in {self.signal.folder.parent}" if isinstance(self.signal, StoredArray) else ""
        size = " x ".join(map(str, recipe.image_shape))
        return (
            f"<{len(self):,} phantoms of seed {self.seed}{at}: accuracy {self.accuracy}, "
            f"{recipe.optodes} optodes, {len(recipe.wavelengths)} wavelengths, {size} "
            f"{'voxels' if recipe.solid else 'pixels'}>"
        )

    def __getitem__(self, number: int) -> Phantom:
        if isinstance(number, bool) or not isinstance(number, SupportsIndex):
            raise TypeError(
                f"index must be the number of one phantom, got {arrays.describe(number)}; "
                "phantoms.signal[3:7] and its like read several"
            )
        try:
            first = range(len(self))[number]
        except IndexError:
            raise IndexError(
                f"index must be from {-len(self)} to {len(self) - 1}, got {number}"
            ) from None
        return next(self._each(first, first + 1))

    def __iter__(self) -> Iterator[Phantom]:
        for first in range(0, len(self), CHUNK):
            yield from self._each(first, min(first + CHUNK, len(self)))

    def _each(self, first: int, stop: int) -> Iterator[Phantom]:
        names = ("signal", "mri", "chromophores", "inclusions")
        parts = [getattr(self, name)[first:stop] for name in names]
        kind = region_kind(self.recipe)
        for number, (signal, mri, maps, rows) in enumerate(zip(*parts, strict=True), first):
            background, *regions = (kind(*row) for row in rows.tolist())
            there = tuple(region for region in regions if region.radius > 0)
            yield Phantom(number, signal, mri, maps, background, there)

    def read(self, name: str, first: int, stop: int) -> npt.NDArray[Any]:
        """Read rows of one array into memory.

        Parameters
        ----------
        name : {"signal", "mri", "chromophores", "inclusions"}
            The array.
        first, stop : int
            Which phantoms.

        Returns
        -------
        array
            Of `stop - first` phantoms.

        Raises
        ------
        ValueError
            Where a file of the store is damaged.
        """
        return np.asarray(to_host(getattr(self, name)[first:stop]))

    @property
    def accuracy(self) -> Any:
        """Accuracy of the signals.

        Stores from before there was a choice do not say it: "fast".
        """
        return self.attributes.get("accuracy", "fast")

    @property
    def job(self) -> dict[str, Any]:
        """What the store was made from: two stores of equal jobs have equal bytes."""
        return {name: self.attributes[name] for name in JOB if name in self.attributes}


JOB = ("format", "version", "instruction_set", "seed", "first", "count", "accuracy", "recipe")
"""The attributes in which two stores of equal bytes agree."""


def open_phantoms(path: str | os.PathLike[str]) -> Phantoms:
    """Open a finished store; its arrays are read when indexed, and every byte of them is checked.

    A store of format 1 carries no checksums: a UserWarning says so.

    Parameters
    ----------
    path : str or path
        Of the store; or its URL, such as s3://bucket/name.zarr (extra `remote`).

    Returns
    -------
    Phantoms
        Its arrays are read when indexed.

    Raises
    ------
    FileNotFoundError
        Where there is no store, or only a part of one.
    ValueError
        Where something else lies at `path`, or a file of the store is missing or is not as it was
        written.

    Examples
    --------
    >>> import tempfile
    >>> from lesionkit.optics import PhantomRecipe, generate, open_phantoms
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     recipe = PhantomRecipe(pixels=16, optodes=8, wavelengths=(785,))
    ...     made = generate(recipe, 2, f"{folder}/two.zarr", accuracy="fast")
    ...     len(open_phantoms(f"{folder}/two.zarr"))
    2
    """
    phantoms = reopen_phantoms(path)
    if (version := phantoms.attributes["format"]) < 2:
        warnings.warn(
            f"{path} is a store of format {version}, which carries no checksums: damage to its "
            "data passes unseen. Make it anew to have them",
            UserWarning,
            stacklevel=2,
        )
    return phantoms


def reopen_phantoms(path: Any) -> Phantoms:
    """`open_phantoms` where its warning has been given."""
    path = files.location(path)
    attributes = read_attributes(path)
    if attributes is None:
        part = path if path.name.endswith(".partial") else partial_path(path)
        if part.is_dir():
            raise FileNotFoundError(
                f"{part} is the unfinished part of a store; the call that began it resumes it, and "
                "finish_parts makes a store of parts that are whole"
            )
        raise FileNotFoundError(f"there is no phantom store at {path}")
    try:
        recipe = PhantomRecipe.from_dict(attributes["recipe"])
        seed = arrays.integer(attributes["seed"], "seed", at_least=0, at_most=2**64 - 1)
        count = arrays.integer(attributes["count"], "count", at_least=1, at_most=2**40)
        sums = attributes.pop(CHECKSUMS) if attributes["format"] > 1 else None
    except KeyError as missing:
        raise ValueError(f"{path} is damaged: it lacks {missing.args[0]!r}") from missing
    except (TypeError, ValueError, AttributeError) as problem:
        raise ValueError(f"{path} is damaged: {problem}") from problem
    stored: dict[str, Any] = {
        name: _array(path, name, layout, count, sums) for name, layout in layouts(recipe).items()
    }
    return Phantoms(**stored, recipe=recipe, seed=seed, attributes=attributes)


def _array(
    path: Path, name: str, layout: Layout, count: int, sums: Mapping[str, str] | None
) -> StoredArray:
    """An array whose small files are those that were written, and whose others are there."""
    folder = path / name
    if not (folder / "zarr.json").is_file():
        raise ValueError(f"{path} is damaged: it lacks {name!r}")
    checksums = None
    if sums is None:
        _check_metadata(folder / "zarr.json", layout.metadata(count, version=1))
    else:
        for file in ("zarr.json", CHECKSUMS):
            data = (folder / file).read_bytes() if (folder / file).is_file() else b""
            if digest(data) != sums.get(f"{name}/{file}"):
                raise ValueError(
                    f"{path} is damaged: {folder / file} is not as it was written with the store"
                )
        checksums = np.frombuffer(data, "<u4")
    pieces = chunk_count(count) if sums is None else shard_count(count)
    there = {file.name for file in folder.iterdir()}
    lost = {layout.file(number) for number in range(pieces)} - there
    if lost:
        raise ValueError(f"{path} is damaged: its {name} lacks {len(lost)} of {pieces} files")
    return StoredArray(folder, layout, count, checksums, sharded=sums is not None)


def _check_metadata(file: Path, expected: dict[str, Any]) -> None:
    """ValueError where the zarr.json of an array of format 1 tells of other numbers than its data
    are; nothing seals it."""

    def numbers(metadata: Any) -> dict[str, Any]:
        report = {
            name: metadata[name] for name in ("shape", "data_type", "chunk_grid", "fill_value")
        }
        first, *others = metadata["codecs"]
        return {**report, "bytes": first, "codecs": [codec["name"] for codec in others]}

    try:
        report, right = numbers(files.read_json(file)), numbers(expected)
    except (ValueError, KeyError, TypeError, IndexError):
        raise ValueError(f"{file.parent.parent} is damaged: {file} is no array's") from None
    for name in right:
        if report[name] != right[name]:
            raise ValueError(
                f"{file.parent.parent} is damaged: {file} says that its {name} is {report[name]}, "
                f"not {right[name]}"
            )


def _is_something(path: Path) -> bool:
    """Whether something lies where a store would: of an object store, where parts come under the
    store's own name, that is never said."""
    return path.exists() and not path.name.endswith(".partial") and not files.is_remote(path)


def partial_path(path: Path) -> Path:
    """Where the store `path` grows."""
    return path.with_name(path.name + ".partial")


def read_attributes(path: Path) -> dict[str, Any] | None:
    """Attributes of the finished store at `path`; None if there is nothing, or only a part."""
    root = path / "zarr.json"
    try:
        text = root.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        if _is_something(path):
            raise ValueError(f"{path} exists and is not a phantom store") from None
        return None
    try:
        attributes: dict[str, Any] = files.parse_json(text)["attributes"]
        version = attributes["format"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path} is not a phantom store") from None
    if type(version) is not int or not 1 <= version <= FORMAT:
        raise ValueError(
            f"{path} is a phantom store of format {version}; this version of lesionkit reads "
            f"formats 1 to {FORMAT}"
        )
    sums = attributes.get(CHECKSUMS)
    if version > 1 and not (isinstance(sums, dict) and is_sealed(text, sums.get("zarr.json"))):
        raise ValueError(f"{path} is damaged: {root} is not as it was written with the store")
    return attributes
