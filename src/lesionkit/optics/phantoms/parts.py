"""`generate_part` and `finish_parts`: a store of phantoms made by several processes or machines."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lesionkit
from lesionkit import arrays, files
from lesionkit.optics.phantoms.factory import Accuracy, PhantomFactory
from lesionkit.optics.phantoms.making import Device, Task, finish, store_path
from lesionkit.optics.phantoms.recipe import PhantomRecipe
from lesionkit.optics.phantoms.solid_factory import factory_of
from lesionkit.optics.phantoms.store import journal
from lesionkit.optics.phantoms.store.layout import FORMAT, check_libraries
from lesionkit.optics.phantoms.store.phantoms import Phantoms, open_phantoms, partial_path
from lesionkit.optics.phantoms.store.writer import StoreWriter, is_finished


def generate_part(
    recipe: PhantomRecipe,
    count: int,
    out: str | os.PathLike[str],
    part: tuple[int, int],
    seed: int = 0,
    *,
    first: int = 0,
    accuracy: Accuracy | None = None,
    device: Device = "auto",
    batch: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> range:
    """Make one part of a store of `count` phantoms, which other calls make at the same time.

    A part is some whole shards of 4,096 phantoms each. Parts are made in any order, by processes on
    any machines that see `out` and compute with one instruction set, and resumed as a store of one
    process is. When all are there, :func:`finish_parts` makes the store of them, whose bytes are
    those that one call of :func:`generate` would have written.

    Parameters
    ----------
    recipe : PhantomRecipe
        Like what follows as of :func:`generate`, and the same for all parts.
    count : int
        Of the whole store.
    out : str or path
        Of the store; the parts grow at `out`.partial. Or its URL, such as s3://bucket/name.zarr
        (extra `remote`): the part grows in the folder of temporary files, and is then put there.
    part : tuple of int
        (k, n): part k of n, from 1.
    seed : int, default 0
        0 to 2^64 - 1.
    first : int, default 0
        Of all phantoms of this recipe and seed, the store's phantom 0.
    accuracy : {"accurate", "fast"}, optional
        Of the signals.
    device : {"auto", "cpu", "cuda"}, default "auto"
        Where this part is computed.
    batch : int, optional
        Phantoms solved at once; it changes no bit.
    progress : callable, optional
        Called as progress(done, of) from time to time, in phantoms of this part.

    Returns
    -------
    range
        The phantoms of this part, from 0. It is empty where there are more parts than shards.

    Raises
    ------
    TypeError, ValueError
        For anything else, and where `out` grows as other phantoms, or in another number of parts,
        or another process writes this part.
    OSError
        Where it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from lesionkit.optics import PhantomRecipe, finish_parts, generate_part
    >>> recipe = PhantomRecipe(pixels=4, optodes=4, wavelengths=(785,), nodes=217)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = [generate_part(recipe, 5000, f"{folder}/a.zarr", (k, 2)) for k in (2, 1)]
    ...     store = finish_parts(f"{folder}/a.zarr")
    >>> made, len(store)
    ([range(4096, 5000), range(0, 4096)], 5000)
    """
    place = journal.check_part(part)
    task = Task(recipe, count, seed, first, accuracy, device, batch, progress)
    path = store_path(out)
    if path is None:
        raise TypeError("out must be the path of a store, got None")
    mine = place.phantoms(task.count)
    if mine:
        task.write(path, place)
    return mine


def finish_parts(out: str | os.PathLike[str]) -> Phantoms:
    """Make a store of its parts: read every byte of them, and give it its metadata and its name.

    Parameters
    ----------
    out : str or path
        Of the store, as given to :func:`generate_part`; nothing else is needed. A finished store is
        opened.

    Returns
    -------
    Phantoms
        Of the store, opened.

    Raises
    ------
    FileNotFoundError
        Where no part of a store is there.
    ValueError
        Where a part is missing, is not whole or is being written, or something else lies there.
    OSError
        Where it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from lesionkit.optics import PhantomRecipe, finish_parts, generate_part
    >>> recipe = PhantomRecipe(pixels=4, optodes=4, wavelengths=(785,), nodes=217)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = generate_part(recipe, 20, f"{folder}/a.zarr", (1, 2))
    ...     _ = generate_part(recipe, 20, f"{folder}/a.zarr", (2, 2))
    ...     len(finish_parts(f"{folder}/a.zarr"))
    20
    """
    path = store_path(out)
    if path is None:
        raise TypeError("out must be the path of a store, got None")
    folder = partial_path(path)
    if begun := journal.begun(folder):
        check_libraries()
        job = next(iter(begun.values()))[0]
        factory = _factory(folder, job)
        if not is_finished(path, job):
            with files.locked(folder, journal.FINISHING):
                finish(StoreWriter(path, job, factory.recipe), factory)
    return open_phantoms(out)


def _factory(folder: Path, job: Any) -> PhantomFactory:
    """That of the parts; ValueError where they are none, or of another version of lesionkit."""
    try:
        version, count, _ = job["version"], job["count"], job["format"]
        recipe = PhantomRecipe.from_dict(job["recipe"])
        factory = factory_of(recipe, job["seed"], None, job["accuracy"])
        arrays.integer(count, "count", at_least=1)
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{folder} was not made by lesionkit: choose another path") from None
    if (job["format"], version) != (FORMAT, lesionkit.__version__):
        raise ValueError(
            f"{folder} was begun by lesionkit {version}, and this is {lesionkit.__version__}: "
            "finish it with the version that began it"
        )
    return factory
