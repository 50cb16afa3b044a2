"""Phantom stores in an object store (S3, GCS, Azure), where no folder is renamed and no file grows.

A part is made in a folder of this machine. Its shards are then put to their final places, and its
journal last: a part whose journal is there is whole. Whoever finishes the store reads every byte of
every part, and puts the metadata, the root's last: without that nothing takes it for a store.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lesionkit import files
from lesionkit.optics.phantoms.store import journal as store_journal
from lesionkit.optics.phantoms.store.journal import Part
from lesionkit.optics.phantoms.store.layout import Layout, digest
from lesionkit.optics.phantoms.store.phantoms import partial_path


def send(
    make: Callable[[Path], None],
    path: Any,
    job: Mapping[str, Any],
    layouts: Mapping[str, Layout],
    part: Part,
) -> None:
    """Put a part of the store at `path` there, unless it is.

    make : makes the part of the store whose path, of this machine, it is given; what another call
           for this part began is there
    """
    folder = partial_path(path)
    journal = folder / part.journal
    store_journal.check_others(folder, part, job)
    if journal.exists():
        return
    name = f"lesionkit-{digest(str(journal).encode())[:16]}"
    scratch = Path(tempfile.gettempdir()) / name
    files.make_folder(scratch)
    local = scratch / path.name
    make(local)
    for array, layout in layouts.items():
        for shard in part.shards(job["count"]):
            file = layout.file(shard)
            _put(partial_path(local) / "store" / array / file, path / array / file)
    _put(partial_path(local) / part.journal, journal)
    shutil.rmtree(scratch, ignore_errors=True)


def _put(file: Path, target: Any) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.fs.put_file(str(file), target.path)
