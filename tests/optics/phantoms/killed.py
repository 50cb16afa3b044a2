"""A process that makes a store and is killed at its n-th step on the file system.

python killed.py PATH COUNT STEP: SIGKILL comes just before the STEP-th time that something under
PATH or PATH.partial is opened, made, renamed or removed (Python tells of them by audit events).
A STEP of 0 kills nothing, and prints how many there were.
"""

import os
import signal
import sys

from lesionkit.optics.phantoms.generate import generate
from lesionkit.optics.phantoms.recipe import PhantomRecipe

RECIPE = PhantomRecipe(nodes=817, wavelengths=(661, 948), pixels=12)
STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}


def main(path: str, count: int, last: int) -> None:
    steps = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal steps
        if event in STEPS and str(arguments[0]).startswith(path):
            steps += 1
            if steps == last:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    generate(RECIPE, count, path, batch=64)
    print(steps)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
