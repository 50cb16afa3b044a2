"""The ledger of `lesionkit stroke`: bad cases are named, what is done is kept, runs add up."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lesionkit import cli
from lesionkit.studies.stroke import SEGMENTERS, Prepared
from lesionkit.studies.stroke.image import job, process, report
from lesionkit.studies.stroke.prepare import Mask
from stroke_files import pillow, png, rows


def test_a_case_that_memory_does_not_hold_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fill(scene: Prepared, *_: object, **__: object) -> Mask:
        if scene.brain.shape == (9, 9):
            raise MemoryError
        return np.zeros_like(scene.brain)

    monkeypatch.setitem(SEGMENTERS, "glcm", fill)
    monkeypatch.setattr(process, "_load", lambda _: None)
    png(tmp_path / "a")
    pillow.fromarray(np.ones((9, 9), np.uint8)).save(tmp_path / "b_dwi.png")
    assert (
        cli.main(["stroke", str(tmp_path), "--method", "glcm", "--out", str(tmp_path / "o")]) == 1
    )
    captured = capsys.readouterr()
    assert "1 of 2 cases done" in captured.out
    assert "b_dwi.png needs more memory than there is" in captured.err


def test_a_link_to_nothing_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As in data sets whose content has not been fetched."""
    png(tmp_path / "a")
    (tmp_path / "b_dwi.nii.gz").symlink_to(tmp_path / "not fetched")
    assert (
        cli.main(["stroke", str(tmp_path), "--method", "glcm", "--out", str(tmp_path / "o")]) == 1
    )
    captured = capsys.readouterr()
    assert "1 of 2 cases done" in captured.out
    assert "b_dwi.nii.gz does not exist" in captured.err


def test_a_folder_with_a_bad_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What an earlier run found in it, when it was whole, goes."""
    for name in "abc":
        png(tmp_path / name)
    (tmp_path / "c_dwi.png").rename(tmp_path / "c_DWI.png")
    whole = (tmp_path / "a_dwi.png").read_bytes()
    out = tmp_path / "out"
    assert cli.main(["stroke", str(tmp_path), "--method", "kmeans", "--out", str(out)]) == 0
    assert len([*out.glob("*_mask.nii.gz")]) == len([*out.glob("*_mask.json")]) == 3
    (tmp_path / "b_dwi.png").write_bytes(whole[: len(whole) // 2])
    capsys.readouterr()
    asked = ["stroke", str(tmp_path), "--method", "kmeans", "--out", str(out)]
    assert cli.main(asked) == 2
    told = capsys.readouterr().err
    assert f"{out} holds results of other files or options (scores.tsv, report.html)" in told
    assert cli.main([*asked, "--overwrite"]) == 1
    captured = capsys.readouterr()
    assert "2 of 3 cases done" in captured.out
    assert "b_dwi.png cannot be read as PNG" in captured.err
    assert "Not done" in (out / "report.html").read_text()
    masks = sorted(p.name for p in out.glob("*_mask.nii.gz"))
    assert masks == [f"{name}_label-lesion_desc-kmeans_mask.nii.gz" for name in "ac"]
    assert len([*out.glob("*_mask.json")]) == 2
    assert len((out / "scores.tsv").read_text().splitlines()) == 3


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_stopped_it_keeps_what_is_done_and_goes_on(tmp_path: Path, how: signal.Signals) -> None:
    png(tmp_path / "case0")
    waits = tmp_path / "case1_dwi.png"
    os.mkfifo(waits)  # nobody writes to it
    out = tmp_path / "o"
    asked = ["stroke", str(tmp_path), "--method", "kmeans", "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "lesionkit", *asked],
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 60
    while not list(out.glob("done/case0_dwi.json")) and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.2)  # it is at the next case now
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "lesionkit: interrupted" in said
        assert "Traceback" not in said
        assert not list(out.glob("*.partial"))
        assert len((out / "scores.tsv").read_text().splitlines()) == 2
        assert (out / "report.html").exists()
    waits.unlink()
    shutil.copy(tmp_path / "case0_dwi.png", waits)
    first = (out / "case0_label-lesion_desc-kmeans_mask.nii.gz").stat().st_mtime_ns
    assert cli.main(asked) == 0
    assert (out / "case0_label-lesion_desc-kmeans_mask.nii.gz").stat().st_mtime_ns == first
    assert len((out / "scores.tsv").read_text().splitlines()) == 3


def test_runs_add_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Other cases, and other methods on the same; what is there stays as it is."""
    png(tmp_path / "a")
    png(tmp_path / "b")
    out = tmp_path / "o"
    calls: list[str] = []
    real = job.process
    monkeypatch.setattr(
        job, "process", lambda case, *rest: calls.append(case.name) or real(case, *rest)
    )
    monkeypatch.setattr(process, "_load", lambda _: None)
    for name, method in (("b", "glcm"), ("a", "glcm"), ("b", "threshold"), ("b", "glcm")):
        asked = ["stroke", str(tmp_path / f"{name}_dwi.png"), "--method", method]
        assert cli.main([*asked, "--out", str(out)]) == 0
    found = [(row["case"], row["method"]) for row in rows(out)]
    assert found == [("a_dwi", "glcm"), ("b_dwi", "threshold"), ("b_dwi", "glcm")]
    assert calls == ["b_dwi", "a_dwi", "b_dwi"]
    page = (out / "report.html").read_text()
    assert page.index("Not for diagnosis.") < page.index("<h1>")
    assert "Stroke lesions: 2 cases" in page
    before = rows(out)
    capsys.readouterr()
    asked = ["stroke", str(tmp_path / "a_dwi.png"), "--kind", "hypo", "--out", str(out)]
    assert cli.main([*asked, "--method", "glcm"]) == 2
    assert "holds results of other files or options" in capsys.readouterr().err
    assert rows(out) == before
    assert cli.main([*asked, "--method", "glcm", "--overwrite"]) == 0
    assert [(row["case"], row["kind"]) for row in rows(out)] == [
        ("a_dwi", "hypo"), ("b_dwi", "hyper"), ("b_dwi", "hyper"),
    ]  # fmt: skip


def test_a_truth_that_would_be_replaced_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    png(tmp_path / "a")
    out = tmp_path / "o"
    asked = ["stroke", str(tmp_path / "a_dwi.png"), "--method", "glcm", "--out", str(out)]
    assert cli.main(asked) == 0
    own = out / "a_label-lesion_desc-glcm_mask.nii.gz"
    before = own.read_bytes()
    assert cli.main([*asked, "--truth", str(own), "--overwrite"]) == 2
    assert "truth must be another file than those that go to out" in capsys.readouterr().err
    assert own.read_bytes() == before


def test_many_cases_have_pages_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "MANY_CASES", 1)
    png(tmp_path / "a#")
    png(tmp_path / "b")
    out = tmp_path / "o"
    assert cli.main(["stroke", str(tmp_path), "--method", "glcm", "--out", str(out)]) == 0
    links = re.findall(r'href="(.*?)"', (out / "report.html").read_text())
    assert links == ["report/a%23_dwi.html", "report/b_dwi.html"]
    assert "base64" not in (out / "report.html").read_text()
    for name in ("a#_dwi", "b_dwi"):
        one = (out / f"report/{name}.html").read_text()
        assert one.index("Not for diagnosis.") < one.index("<h2>")
        assert "base64" in one
