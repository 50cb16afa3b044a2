"""Parts of a phantom store on the workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lesionkit import arrays, extras
from lesionkit.optics.phantoms.recipe import PhantomRecipe
from lesionkit.optics.phantoms.store.journal import Part
from lesionkit.optics.phantoms.store.layout import shard_count

RETRIES = 5
"""How often a part is begun again after an error; a worker that dies is none."""


def make(
    client: Any,
    make_part: Callable[..., range],
    recipe: PhantomRecipe,
    count: int,
    path: str,
    progress: Callable[[int, int], object] | None,
    **options: Any,
) -> None:
    """Have the workers make every part, which is a shard: make_part(recipe, count, path, part,
    **options). Of those that are not done, nothing is begun after an error or Ctrl-C."""
    distributed = extras.require("distributed", "client needs")
    if not isinstance(client, distributed.Client):
        raise TypeError(f"client must be a dask.distributed.Client, got {arrays.describe(client)}")
    parts = [Part(number + 1, shard_count(count)) for number in range(shard_count(count))]
    futures = [
        client.submit(
            make_part, recipe, count, path, tuple(part), **options, retries=RETRIES, pure=False
        )
        for part in parts
    ]
    done = 0
    try:
        for future in distributed.as_completed(futures):
            done += len(future.result())
            if progress is not None:
                progress(done, count)
    except BaseException:
        client.cancel(futures)
        raise
