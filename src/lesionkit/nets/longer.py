"""More epochs for a run that is finished, where its schedule allows them."""

from __future__ import annotations

from pathlib import Path

from lesionkit import files
from lesionkit.nets import checkpoints, records
from lesionkit.nets.fitting import LAST
from lesionkit.nets.options import TrainingOptions


def more_epochs(folder: Path, options: TrainingOptions) -> int:
    """If `folder` holds a finished run that differs from `options` only in having fewer epochs, let
    `train` go on with it; how many epochs it has, or 0 where there is nothing to be prepared.

    The weights are then, on the CPU, those of a run of so many epochs from the start, bit for bit.
    ValueError for the cosine schedule, whose rate falls to 0 over a number of epochs that is known
    at the start, and for a run that its patience has stopped.
    """
    if not (folder / records.RUN).is_file():
        return 0
    record = records.read(folder)
    before, asked = record["options"], options.to_dict()
    same = {**before, "epochs": options.epochs} == asked
    if not same or before["epochs"] >= options.epochs or record["state"] == "running":
        return 0
    done = len(record["history"])
    if record["state"] != "finished":
        raise ValueError(
            f"{folder} {record['state']} after {done} epochs, which is what its patience of "
            f"{options.patience} asks for: train with another --patience into another folder"
        )
    if options.schedule != "constant":
        raise ValueError(
            f"{folder} is finished, and its {options.schedule} schedule has let the learning rate "
            f"fall to 0 over {done} epochs: train {options.epochs} epochs into another folder, or "
            "with the constant schedule"
        )
    with files.locked(folder):
        last = checkpoints.read(folder / LAST)
        about = {**last["about"], "options": asked}
        checkpoints.save(folder / LAST, {**last, "about": about})
        # Then run.json: if the process dies in between, the same call begins anew.
        records.write(folder, {**record, "options": asked, "state": "running"})
    return done
