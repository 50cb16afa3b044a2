"""`lesionkit gpu-report`: rows kept one by one, faults told, nothing replaced, no names."""

from __future__ import annotations

import getpass
import json
import os
import re
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from lesionkit import cli, gpu
from lesionkit.gpu_report import catalogue, command, machine, tools
from lesionkit.gpu_report.private import without_names
from lesionkit.gpu_report.rows import Arithmetic, Row, name_of

pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install '.[plot]'")

WORKER = """
import json, sys
for name in json.load(sys.stdin):
    with open({log!r}, "a") as log:
        print(name, file=log)
    if name in {dying!r}:
        sys.exit("the card fell off the bus at /home/somebody/lesionkit/gpu.py")
    problem = {{"problem": "it is wrong"}} if name in {wrong!r} else {{}}
    figures = {{"seconds": 0.002, "launches": 1, "registers": 40, "local_bytes": 0}}
    print(json.dumps({{"name": name, **figures, **problem}}), flush=True)
    if problem:
        break
"""


def run(*asked: str) -> int:
    return cli.main(["gpu-report", *asked])


def never(_: Any) -> dict[str, Any]:
    raise AssertionError("this process has no GPU")


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """card(dying, wrong): a card that does three rows; gives what was asked of it."""
    told = lambda: Arithmetic(4.8e9, {"float32": 1e9})  # noqa: E731
    rows = [
        Row("selftest", "selftest of a.cu", "2 kernels", never),
        Row("jobs", "copy", "of bytes", never, told, 0.5),
        Row("kernels", name_of("a.cu", "f<double, 4>"), "4 systems", never, told),
    ]
    monkeypatch.setattr(catalogue, "rows", lambda: rows)
    monkeypatch.setattr(tools, "rows", lambda: TOOL_ROWS)
    monkeypatch.setattr(gpu, "require", lambda: sys)
    about = {"lesionkit": "0.1.0", "gpu": "NVIDIA H200"}
    monkeypatch.setattr(machine, "described", lambda _: about)
    log = tmp_path / "log"

    def use(dying: list[str], wrong: list[str]) -> Path:
        log.write_text("")
        text = WORKER.format(log=str(log), dying=dying, wrong=wrong)
        monkeypatch.setattr(command, "WORKER", [sys.executable, "-c", text])
        return log

    return use


TOOL_ROWS = [Row("tools", "ncu of a.cu", "ncu", lambda _: {"state": "not run: not installed"})]
NAMES = ["selftest of a.cu", "copy", "a.cu: f<double, 4>"]


def test_rows_are_done_once(card: Any, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "report"
    log = card([], [])
    assert run("--out", str(out)) == 0
    assert log.read_text().splitlines() == NAMES
    assert capsys.readouterr().out.startswith("3 of 4 rows done, 0 failed; ")
    told = json.loads((out / "report.json").read_text())
    assert [row["state"] for row in told["rows"]] == ["done"] * 3 + ["not run: not installed"]
    page = (out / "report.html").read_text()
    assert "<strong>3 of 4 rows done, 0 failed.</strong>" in page
    assert "2\u00a0ms" in page
    assert "50%" in page  # of the floor
    assert sorted(os.listdir(out)) == ["done", "report.html", "report.json"]

    log = card([], [])
    assert run("--out", str(out)) == 0
    assert log.read_text() == ""


def test_what_stops_is_told_and_the_rest_is_done(card: Any, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "report"
    log = card(["copy"], ["selftest of a.cu"])
    assert run("--out", str(out)) == 1
    assert log.read_text().splitlines() == NAMES
    said = capsys.readouterr().out
    assert "selftest of a.cu: it is wrong\n" in said
    assert "copy: its process stopped, exit code 1: the card fell off the bus at PATH\n" in said
    for file in out.iterdir():
        assert file.is_dir() or "somebody" not in file.read_text()
    log = card([], [])
    assert run("--out", str(out)) == 0, "what failed is done again"
    assert log.read_text().splitlines() == NAMES[:2]


def test_killed_it_goes_on(card: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, log = tmp_path / "report", card([], [])
    monkeypatch.setattr(tools, "rows", lambda: [TOOL_ROWS[0]._replace(run=stopped)])
    assert run("--out", str(out)) == 130
    assert not (out / "report.json").exists()
    monkeypatch.setattr(tools, "rows", lambda: TOOL_ROWS)
    assert run("--out", str(out)) == 0
    assert log.read_text().splitlines() == NAMES


def stopped(_: Any) -> dict[str, Any]:
    raise KeyboardInterrupt


def test_another_card_replaces_nothing(
    card: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    out = tmp_path / "report"
    card([], [])
    assert run("--out", str(out)) == 0
    before = (out / "report.json").read_bytes()
    monkeypatch.setattr(machine, "described", lambda _: {"gpu": "NVIDIA A100"})
    for more in ([], ["--dry-run"]):
        assert run("--out", str(out), *more) == 2
        said = capsys.readouterr().err
        assert "holds a report of another card, version or mode (report.json): choose" in said
    assert (out / "report.json").read_bytes() == before
    log = card([], [])
    assert run("--out", str(out), "--overwrite") == 0
    assert log.read_text().splitlines() == NAMES


def test_without_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    def none() -> Any:
        raise gpu.GpuError("no NVIDIA driver is installed")

    monkeypatch.setattr(gpu, "require", none)
    assert run("--out", str(tmp_path / "report")) == 2
    assert capsys.readouterr().err == "lesionkit: no NVIDIA driver is installed\n"
    (tmp_path / "file").touch()
    assert run("--dry-run", "--out", str(tmp_path / "file")) == 2
    assert "out must be a folder" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["file"]


def test_a_dry_run_has_a_row_for_every_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "report"
    monkeypatch.setattr(getpass, "getuser", lambda: "zebedee")
    assert run("--dry-run", "--out", str(out)) == 0
    assert sorted(os.listdir(out)) == ["report.html", "report.json"]
    text, page = (out / "report.json").read_text(), (out / "report.html").read_text()
    rows = {row["name"]: row for row in json.loads(text)["rows"]}
    for file, kernels in gpu.KERNELS.items():
        for kernel in kernels:
            row = rows[name_of(file, kernel)]
            assert row["state"] == "not run"
            assert row["h200_floor_seconds"] > 0
    assert {row["state"] for row in rows.values()} == {"not run"}
    assert len(re.findall("not.run", page)) >= len(rows)
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!data:)', page), "it needs no other file"
    for content in (text, re.sub(r"base64,[^\"]*", "", page)):
        assert str(tmp_path) not in content
        for name in ("zebedee", socket.gethostname()):
            assert name not in content


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at /home/a/b.py, line 3", "at PATH, line 3"),
        ("'C:\\Users\\a\\b.py' (7)", "'PATH' (7)"),
        ("texture/glcm/glcm.cu and/or 3 / 4", "texture/glcm/glcm.cu and/or 3 / 4"),
        ("~/x/y: gone", "PATH: gone"),
    ],
)
def test_paths_are_taken_out(text: str, expected: str) -> None:
    assert without_names(text) == expected


def test_users_and_hosts_are_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "box7.lab.example")
    monkeypatch.setattr(getpass, "getuser", lambda: "mary")
    said = without_names("Mary@box7.lab.example: rosemary on BOX7")
    assert said == "NAME@NAME: rosemary on NAME"


@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [
        ("memcheck of optics/forward.cu", "========= ERROR SUMMARY: 0 errors", None),
        (
            "racecheck of optics/forward.cu",
            "========= RACECHECK SUMMARY: 2 hazards displayed (1 error, 1 warning)",
            "RACECHECK SUMMARY: 2 hazards displayed (1 error, 1 warning)",
        ),
        (
            "initcheck of optics/forward.cu",
            "no luck",
            "compute-sanitizer gives no summary: no luck",
        ),
        (
            "ncu of optics/phantom.cu",
            "==ERROR== ERR_NVGPUCTRPERM",
            "ncu gives no counters: ==ERROR==",
        ),
    ],
)
def test_tools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str, expected: str | None
) -> None:
    (row,) = (row for row in tools.rows() if row.name == name)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert row.run(None) == {"state": f"not run: {row.work.partition(',')[0]} is not installed"}
    _tool(tmp_path / row.work.partition(",")[0], said)
    problem = row.run(None).get("problem")
    assert problem is None if expected is None else problem.startswith(expected)


def test_counters_of_ncu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    titles = ["ID", "Host Name", "Kernel Name", *tools.METRICS]
    lines = [titles, ["", "", "", *["ns"] * 6], ["0", "box7", "void paint<double>(int)", *"123456"]]
    said = "==PROF== Connected\n" + "\n".join(",".join(f'"{c}"' for c in line) for line in lines)
    _tool(tmp_path / "ncu", said)
    monkeypatch.setenv("PATH", str(tmp_path))
    counters = tools.profiled(["a"], None)["counters"]
    assert list(counters) == ["unit", "paint<double>"]
    assert list(counters["paint<double>"].values()) == [*"123456"]


def _tool(path: Path, said: str) -> None:
    """A program that writes to the file after --log-file."""
    path.write_text(
        f"#!{sys.executable}\nimport sys\nat = sys.argv.index('--log-file') + 1\n"
        f"open(sys.argv[at], 'w').write({said!r})\n"
    )
    path.chmod(0o755)
