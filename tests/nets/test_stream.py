"""Training on a stream: each phantom once, resumed to the bit, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[nets]'")

from lesionkit import cli  # noqa: E402
from lesionkit.nets import PhantomStream, TrainingOptions, checkpoints, train  # noqa: E402
from lesionkit.nets.phantoms import stream  # noqa: E402
from lesionkit.nets.phantoms.data import Stored  # noqa: E402
from lesionkit.nets.phantoms.scaling import Scaling  # noqa: E402
from lesionkit.nets.reconstruction import load  # noqa: E402
from lesionkit.optics import PhantomRecipe, generate  # noqa: E402
from lesionkit.studies.nirst.evaluation import _unseen  # noqa: E402

RECIPE = PhantomRecipe(nodes=900, optodes=8, pixels=16, wavelengths=(661, 948))
STREAM = PhantomStream(recipe=RECIPE, seed=3, per_epoch=40)
OPTIONS = TrainingOptions(epochs=2, batch=8, seed=3)
CPU = torch.device("cpu")


class Stop(Exception):
    pass


@pytest.fixture(scope="module", autouse=True)
def _few() -> Iterator[None]:
    """Fewer phantoms to validate with, and runs of few batches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "VALIDATION", (0, 20))
        patch.setattr(stream, "TEST", (20, 30))
        patch.setattr(stream, "RUN", 16)
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("stream") / "run"
    torch.set_num_threads(1)
    train("znet", STREAM, out, OPTIONS, device="cpu")
    return out


def test_every_phantom_is_the_one_of_its_number_and_is_seen_once() -> None:
    data = stream.Streamed(STREAM)
    scaling = Scaling.of(data.signals(), data.recipe, data.accuracy)
    source = data.source(scaling, CPU, 0)
    orders = [order for epoch in range(3) for order in data.orders(8, 0, epoch)]
    numbers = np.concatenate(orders)
    assert len(set(numbers.tolist())) == len(numbers) == 120
    assert numbers.min() == 2**32
    made = [batch for epoch in range(3) for batch in source.batches(data.orders(8, 0, epoch))]
    right = generate(RECIPE, 120, seed=3, first=2**32, accuracy="fast")
    signals = torch.cat([batch.signals for batch in made])
    np.testing.assert_array_equal(signals, scaling.signals(right.signal))
    np.testing.assert_array_equal(
        torch.cat([batch.maps for batch in made]), scaling.targets(right.chromophores)
    )
    validation = [np.arange(5, 12)]
    kept = next(iter(source.batches(validation)))
    seen = generate(RECIPE, 12, seed=3, accuracy="fast").signal[5:]
    np.testing.assert_array_equal(kept.signals, scaling.signals(seen))


def test_the_run_tells_its_stream(run: Path) -> None:
    record = json.loads((run / "run.json").read_text())
    assert record["state"] == "finished"
    assert record["data"]["recipe"] == RECIPE.to_dict()
    assert record["data"]["stream"]["per_epoch"] == 40
    assert len(record["data"]["stream"]["sha256"]) == 64
    assert record["split"]["validation"] == [0, 20]
    assert "A stream of 40 new phantoms an epoch, of seed 3" in (run / "card.md").read_text()
    assert load(run).name == "znet"


def test_resumed_it_is_the_same_to_the_bit(run: Path, tmp_path: Path) -> None:
    def stop(epoch: int, batch: int, batches: int, loss: float) -> None:
        if (epoch, batch) == (2, 3):
            raise Stop

    out = tmp_path / "run"
    with pytest.raises(Stop):
        train("znet", STREAM, out, OPTIONS, device="cpu", progress=stop)
    train("znet", STREAM, out, OPTIONS, device="cpu")
    one, other = (checkpoints.read(folder / "last.pt")["state"] for folder in (run, out))
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"recipe": replace(RECIPE, signal_noise=0.01)}, "[(]signal_noise is 0.02 there"),
        ({"seed": 4}, "seed is 3 there, 4 asked"),
        ({"per_epoch": 50}, "per_epoch is 40 there, 50 asked"),
    ],
)
def test_another_stream_is_refused(run: Path, change: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"holds another run .*{sentence}"):
        train("znet", replace(STREAM, **change), run, OPTIONS, device="cpu")


def test_what_no_net_has_seen(run: Path, tmp_path: Path) -> None:
    """Of the stream's own seed: what follows its validation."""
    nets = [load(run)]
    assert _unseen(generate(RECIPE, 30, seed=3), nets) == 20
    assert _unseen(generate(RECIPE, 30, seed=3, first=100), nets) == 0
    assert _unseen(generate(RECIPE, 30, seed=5), nets) == 0
    generate(RECIPE, 20, tmp_path / "store.zarr")
    assert Stored(tmp_path / "store.zarr").record["count"] == 20


@pytest.mark.parametrize(
    ("fields", "error", "sentence"),
    [
        ({"recipe": {}}, TypeError, "^recipe must be a PhantomRecipe, got dict"),
        ({"seed": -1}, ValueError, "^seed must be from 0"),
        ({"per_epoch": 1}, ValueError, "^per_epoch must be from 2"),
        ({"accuracy": "best"}, ValueError, "^accuracy must be"),
        ({"recipe": RECIPE, "accuracy": "accurate"}, ValueError, "has a mesh of its own"),
    ],
)
def test_streams_that_are_none(fields: dict[str, object], error: type, sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        PhantomStream(**fields)


# --- the command ------------------------------------------------------------------------------


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps(RECIPE.to_dict()))
    common = ["--epochs", "1", "--batch", "8", "--device", "cpu", "--per-epoch", "16"]
    file = ["train", "znet", "--stream", str(recipe), "--out", str(tmp_path / "a"), *common]
    assert cli.main(file) == 0
    assert "znet: finished after 1 epochs" in capsys.readouterr().out
    flags = ["--nodes", "900", "--pixels", "16", "--wavelengths", "661", "948"]
    assert (
        cli.main(["train", "znet", "--stream", "--out", str(tmp_path / "b"), *common, *flags]) == 0
    )
    records = [json.loads((tmp_path / name / "run.json").read_text()) for name in "ab"]
    assert [record["data"]["recipe"]["optodes"] for record in records] == [8, 16]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["--data", "a.zarr", "--per-epoch", "3"], "a store knows its recipe"),
        (["--data", "a.zarr", "--pixels", "8"], "a store knows its recipe"),
        (["--data", "a.zarr", "--stream"], "not allowed with argument"),
        ([], "one of the arguments --data --stream is required"),
        (["--stream", "BAD", "--pixels", "8"], "is the recipe: leave out --pixels"),
        (["--stream", "BAD"], "is no recipe of phantoms: "),
        (["--stream", "nothing.json"], "lesionkit: nothing.json: No such file or directory\n"),
    ],
)
def test_the_command_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: list[str], sentence: str
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"colour": 3}')
    asked = [str(bad) if word == "BAD" else word for word in asked]
    try:
        code = cli.main(["train", "znet", *asked, "--out", str(tmp_path / "run")])
    except SystemExit as left:
        code = left.code
    assert code == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
