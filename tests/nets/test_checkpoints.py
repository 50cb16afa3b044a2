"""Checkpoints: what is written is read; what is damaged, foreign or a stranger's pickle is not."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[nets]'")

from lesionkit.nets import checkpoints  # noqa: E402

CONTENT = {
    "net": "znet",
    "state": {"a": torch.arange(6.0).reshape(2, 3).T, "n": torch.tensor(3)},
    "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}, "groups": [{"lr": 0.1, "none": None}]},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "weights.pt"
    checkpoints.save(path, CONTENT)
    return path


def test_there_and_back(file) -> None:
    content = checkpoints.read(file)
    assert content.pop("format") == checkpoints.FORMAT
    assert content.keys() == CONTENT.keys()
    assert torch.equal(content["state"]["a"], CONTENT["state"]["a"])
    assert content["optimizer"]["groups"] == CONTENT["optimizer"]["groups"]
    assert [path.name for path in file.parent.iterdir()] == ["weights.pt"]


def test_a_write_that_fails_leaves_the_old_one(file, monkeypatch) -> None:
    before = file.read_bytes()

    def torn(content, stream):
        stream.write(b"half of it")
        raise OSError("no space left")

    monkeypatch.setattr(torch, "save", torn)
    with pytest.raises(OSError, match="no space left"):
        checkpoints.save(file, {"net": "other"})
    assert file.read_bytes() == before


@pytest.mark.parametrize("place", [0.1, 0.3, 0.5, 0.7, 0.95])
def test_a_changed_byte_is_found(file, place) -> None:
    data = bytearray(file.read_bytes())
    first = int(place * len(data))
    for index in range(first, first + 64):  # more than the padding between the tensors' bytes
        data[index] ^= 0x55
    file.write_bytes(data)
    outcome = attempt(file)
    # If it was what the archive keeps between its records, nothing is lost.
    assert outcome in (f"{file} is damaged, or is no checkpoint of lesionkit", "as it was")


def attempt(file: Path) -> str:
    try:
        content = checkpoints.read(file)
    except ValueError as problem:
        return str(problem)
    return "as it was" if torch.equal(content["state"]["a"], CONTENT["state"]["a"]) else "changed"


def test_a_changed_number_is_found(file) -> None:
    number = torch.tensor([4.0]).numpy().tobytes()
    data = file.read_bytes()
    assert number in data
    file.write_bytes(data.replace(number, torch.tensor([4.5]).numpy().tobytes()))
    with pytest.raises(ValueError, match="is damaged"):
        checkpoints.read(file)


def nested(path: Path, depth: int) -> None:
    value: list = []
    for _ in range(depth):
        value = [value]
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 2 * depth)
    try:
        torch.save({"format": 1, "checksum": "", "state": value}, path)
    finally:
        sys.setrecursionlimit(limit)


def replace_in(path: Path, old: bytes, new: bytes) -> None:
    path.write_bytes(path.read_bytes().replace(old, new))


def packed(path: Path) -> None:
    """Zeros in an archive that is compressed."""
    torch.save({"format": 1, "checksum": "", "state": torch.zeros(10**6)}, path)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


def many_times(path: Path) -> None:
    """10^20 references to one list."""
    value: list = [1]
    for _ in range(20):
        value = [value] * 10
    torch.save({"format": 1, "checksum": "", "state": value}, path)


@pytest.mark.parametrize(
    "write",
    [
        packed,
        many_times,
        lambda path: torch.save({"format": 1, "state": torch.zeros(1).expand(10**10)}, path),
        lambda path: torch.save({"format": 1, "state": ["a" * 10**5] * 10**5}, path),
        lambda path: checkpoints.save(path, {"state": torch.zeros(1).expand(10**5)}),
    ],
)
def test_a_small_file_that_asks_for_much_memory(file, write) -> None:
    write(file)
    assert file.stat().st_size < 1_000_000
    sentence = rf"^{file} is no checkpoint of lesionkit: what it holds is longer than the file"
    with pytest.raises(ValueError, match=sentence):
        checkpoints.read(file)


FULL = """
import resource, signal, sys
from pathlib import Path
import torch
from lesionkit.nets import checkpoints
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
for size in (10, 12_000, 40_000):
    try:
        checkpoints.save(Path(sys.argv[1]), {"state": torch.zeros(size)})
    except OSError as problem:
        print(problem.strerror)
"""


@pytest.mark.skipif(os.name != "posix", reason="this system cannot limit the length of files")
def test_a_disk_that_is_full_is_told_in_a_sentence(file) -> None:
    """torch tells of a position that it did not expect."""
    command = [sys.executable, "-c", FULL, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"cannot write {file}: File too large"]
    assert checkpoints.read(file)["state"].shape == (12_000,)
    assert [path.name for path in file.parent.iterdir()] == ["weights.pt"]


class Stranger:
    def __reduce__(self):
        return (Path.touch, (Path("ran.txt"),))


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-100]),
        lambda path: path.write_bytes(path.read_bytes()[:100]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("not a checkpoint"),
        lambda path: path.write_bytes(pickle.dumps(Stranger())),
        lambda path: torch.save(Stranger(), path),
        lambda path: torch.save({"format": 1, "state": Stranger()}, path),
        lambda path: torch.save({"state": {}}, path),
        lambda path: torch.save([1, 2], path),
        lambda path: nested(path, 3000),
        lambda path: replace_in(path, b"format", b"f\xffrmat"),
    ],
)
def test_what_is_no_checkpoint(file, tmp_path, monkeypatch, write) -> None:
    monkeypatch.chdir(tmp_path)
    write(file)
    with pytest.raises(ValueError, match=r"is damaged, or is no checkpoint of lesionkit$"):
        checkpoints.read(file)
    assert not Path("ran.txt").exists()


def test_another_format_and_none_at_all(file) -> None:
    torch.save({**CONTENT, "format": 9, "checksum": ""}, file)
    with pytest.raises(ValueError, match=r"is a checkpoint of format 9; this version .* format 1$"):
        checkpoints.read(file)
    file.unlink()
    with pytest.raises(FileNotFoundError, match=f"^there is no checkpoint at {file}$"):
        checkpoints.read(file)
