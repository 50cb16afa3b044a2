"""A training that is killed: python killed.py STORE RUN EPOCH BATCH. SIGKILL comes in that batch;
with EPOCH 0, when the checkpoint of the second epoch has been written but not yet renamed."""

import os
import signal
import sys
from pathlib import Path

import torch

from lesionkit.nets import TrainingOptions, train

OPTIONS = TrainingOptions(epochs=2, batch=8, learning_rate=0.002, augment=True)


def main(store: str, run: str, epoch: int, batch: int) -> None:
    torch.set_num_threads(1)
    rename, renamed = Path.replace, []

    def replace(self: Path, target: Path) -> Path:
        renamed.append(target)
        if epoch == 0 and [path.name for path in renamed].count("last.pt") == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return rename(self, target)

    def progress(now: int, done: int, *_: object) -> None:
        if (now, done) == (epoch, batch):
            os.kill(os.getpid(), signal.SIGKILL)

    Path.replace = replace
    train("znet", store, run, OPTIONS, device="cpu", progress=progress)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
