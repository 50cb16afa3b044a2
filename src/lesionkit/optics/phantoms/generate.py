"""`generate`: phantoms by the thousand, from a recipe, in memory or into a store."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lesionkit.optics.phantoms import cluster
from lesionkit.optics.phantoms.factory import Accuracy
from lesionkit.optics.phantoms.making import Device, Memory, Task, store_path
from lesionkit.optics.phantoms.parts import finish_parts, generate_part
from lesionkit.optics.phantoms.recipe import PhantomRecipe
from lesionkit.optics.phantoms.store.journal import WHOLE
from lesionkit.optics.phantoms.store.phantoms import Phantoms, open_phantoms
from lesionkit.optics.phantoms.store.writer import is_finished


def generate(
    recipe: PhantomRecipe,
    count: int,
    out: str | os.PathLike[str] | None = None,
    seed: int = 0,
    *,
    first: int = 0,
    accuracy: Accuracy | None = None,
    device: Device = "auto",
    batch: int | None = None,
    progress: Callable[[int, int], object] | None = None,
    client: Any = None,
) -> Phantoms:
    """Make `count` phantoms.

    Parameters
    ----------
    recipe : PhantomRecipe
        The paper's by default.
    count : int
        1 or more; phantom i is the same whatever the count.
    out : str or path, optional
        None: arrays in memory, 0.13 MB per phantom; of NumPy, or of CuPy where a GPU made them.
        Else the path of a Zarr v3 store: it grows at `out`.partial, from where the same call
        resumes it, and gets its name when it is whole. If `out` is the finished store of this very
        call, it is opened; if it is one of fewer phantoms and else the same, it grows to `count`,
        as if made so. Or its URL, as of :func:`generate_part`.
    seed : int, default 0
        0 to 2^64 - 1.
    first : int, default 0
        Of all phantoms of this recipe and seed, the one to begin with: the result's phantom 0 is
        phantom `first` of them. At most 2^40.
    accuracy : {"accurate", "fast"}, optional
        "accurate": quadratic elements, readings within 1 per cent of the diffusion equation's
        solution. "fast": linear elements of about `recipe.nodes` nodes (1801), in a third of the
        time, with far readings 2 per cent off where tissue is clear and 33 where it absorbs
        strongly (docs/nirst.md). None: "accurate", but "fast" if the recipe names its nodes. The
        store tells which.
    device : {"auto", "cpu", "cuda"}, default "auto"
        "cuda": CuPy's current GPU; "auto": that GPU if there is one, else the CPU. The phantoms are
        the same, readings to 1e-9.
    batch : int, optional
        Phantoms solved at once; None takes as many as fit into 64 MiB (of a GPU: a quarter of its
        free memory). It changes no bit.
    progress : callable, optional
        Called as progress(done, count) from time to time.
    client : dask.distributed.Client, optional
        Its workers make the store, a part each at a time (see :func:`generate_part`); `out` is a
        path that all of them see, `device` that of each. A worker that dies is replaced by Dask,
        and its part goes on where it was.

    Returns
    -------
    Phantoms
        Its arrays are read from the store when indexed if `out` is given.

    Raises
    ------
    TypeError, ValueError
        For anything else, and for an `out` that holds other phantoms.
    OSError
        Where the store cannot be written. All of them come before any work but a full disk.

    References
    ----------
    Feng et al., Optica 9(3), 264-267, 2022.

    Examples
    --------
    >>> from lesionkit.optics import PhantomRecipe, generate
    >>> recipe = PhantomRecipe(pixels=32, optodes=8, wavelengths=(785, 852))
    >>> phantoms = generate(recipe, 3, seed=1, accuracy="fast")
    >>> phantoms.signal.shape, phantoms.chromophores.shape
    ((3, 2, 8, 7), (3, 3, 32, 32))
    """
    task = Task(recipe, count, seed, first, accuracy, device, batch, progress)
    path = store_path(out)
    if client is not None:
        if path is None:
            raise ValueError("client needs out, the path of a store that all its workers see")
        options = {"seed": seed, "first": first, "accuracy": accuracy, "device": device}
        options["batch"] = batch
        if not is_finished(path, task.job):
            seen = str(path.absolute())  # by workers in other folders
            cluster.make(client, generate_part, recipe, task.count, seen, progress, **options)
        return finish_parts(str(path))
    if path is None:
        memory = Memory(task.factory, task.count)
        task.make(memory)
        return Phantoms(
            **memory.whole,
            recipe=task.factory.recipe,
            seed=seed,
            attributes={**task.job, **task.factory.attributes},
            seconds=dict(task.factory.seconds),
        )
    task.write(path, WHOLE)
    return replace(open_phantoms(str(path)), seconds=dict(task.factory.seconds))
