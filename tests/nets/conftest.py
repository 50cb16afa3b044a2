"""A store small enough to train on in a test, and a net trained on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lesionkit.optics import PhantomRecipe, generate

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[nets]'")

from lesionkit.nets import TrainingOptions, train  # noqa: E402

RECIPE = PhantomRecipe(nodes=900, wavelengths=(661, 948), pixels=32)
COUNT = 70  # more than a chunk of the store


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Nets this small are slower on several threads; and bits depend on their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("nets") / "phantoms.zarr"
    generate(RECIPE, COUNT, path, seed=4)
    return path


@pytest.fixture(scope="session")
def options() -> TrainingOptions:
    return TrainingOptions(epochs=2, batch=8, learning_rate=0.002, augment=True)


@pytest.fixture(scope="session")
def znet_run(tmp_path_factory, store, options) -> Path:
    """Two epochs of Z-Net, never interrupted."""
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("runs") / "znet"
    train("znet", store, out, options, device="cpu")
    return out
