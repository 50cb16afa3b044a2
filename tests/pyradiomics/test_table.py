"""`lesionkit radiomics`: a table of cases in, a table of features out."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lesionkit import cli
from lesionkit.cli.exits import Exit
from lesionkit.radiomics import RadiomicsFeatureExtractor
from lesionkit.radiomics.table import measured, rows, workers

sitk = pytest.importorskip("SimpleITK")
PARAMETERS = '{"featureClass": {"shape": [], "firstorder": ["Mean"], "glcm": ["Contrast"]}}'
RANDOM = np.random.default_rng(7)


def write(path: Path, values: Any) -> None:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((0.9, 0.9, 4.0))
    sitk.WriteImage(image, str(path))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two images, three masks, and a table of five rows, the fourth of which is bad."""
    for name in ("one.nrrd", "two.nii.gz"):
        write(tmp_path / name, RANDOM.normal(100, 40, (6, 16, 18)).astype(np.float32))
    mask = np.zeros((6, 16, 18), np.uint8)
    mask[1:5, 2:9, 3:12] = 1
    mask[1:5, 9:14, 3:12] = 2
    write(tmp_path / "labels.nrrd", mask)
    write(tmp_path / "other.mha", mask[:, ::-1].copy())
    (tmp_path / "cases.csv").write_text(
        "ID,Image,Mask,Label,Sex\n"
        "a,one.nrrd,labels.nrrd,1,f\n"
        "b,two.nii.gz,other.mha,2,m\n"
        "c,one.nrrd,labels.nrrd,1+2,f\n"
        "d,one.nrrd,labels.nrrd,7,m\n"
        "e,one.nrrd,other.mha,2.0,f\n"
    )
    (tmp_path / "p.json").write_text(PARAMETERS)
    return tmp_path


def run(folder: Path, *more: str, out: str = "out.csv") -> int:
    table, parameters = str(folder / "cases.csv"), str(folder / "p.json")
    return cli.main(["radiomics", table, "--param", parameters, "--out", str(folder / out), *more])


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_rows_stay_in_order_and_a_bad_one_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder) == Exit.SOME_FAILED
    told = capsys.readouterr()
    assert f"{folder / 'labels.nrrd'} has no label 7, its labels are 1, 2" in told.err
    assert told.out.startswith("Not for diagnosis.\n4 of 5 cases done")
    found = read(folder / "out.csv")
    assert [row["ID"] for row in found] == list("abcde")
    assert [row["Sex"] for row in found] == list("fmfmf")
    assert [bool(row["original_glcm_Contrast"]) for row in found] == [True, True, True, False, True]
    names = list(found[0])
    assert names[:6] == ["ID", "Image", "Mask", "Label", "Sex", "diagnostics_Versions_PyRadiomics"]
    assert names[-2:] == ["original_firstorder_Mean", "original_glcm_Contrast"]
    one = RadiomicsFeatureExtractor(folder / "p.json").execute(
        str(folder / "one.nrrd"), str(folder / "labels.nrrd"), label=[1, 2]
    )
    assert {name: found[2][name] for name in one} == {k: str(v) for k, v in one.items()}


def test_images_and_masks_are_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    image = measured.volumes.read

    def counted(source: Any, *more: Any, **named: Any) -> Any:
        seen.append(Path(source).name)
        return image(source, *more, **named)

    monkeypatch.setattr(measured.volumes, "read", counted)
    measured._source.cache_clear()
    measured._read_mask.cache_clear()
    run(folder)
    assert sorted(seen) == ["labels.nrrd", "one.nrrd", "other.mha", "other.mha", "two.nii.gz"]


def test_processes_and_a_resumed_run_give_the_same_bytes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(folder)
    wanted = (folder / "out.csv").read_bytes()
    run(folder, "-j", "2", out="two.csv")
    assert (folder / "two.csv").read_bytes() == wanted

    measure, done = measured.measure, []

    def killed(*arguments: Any) -> Any:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(arguments)
        return measure(*arguments)

    monkeypatch.setattr(workers, "measure", killed)
    assert run(folder, out="three.csv") == Exit.INTERRUPTED
    assert "stopped; what is done stays in" in capsys.readouterr().err
    assert not (folder / "three.csv").exists()
    monkeypatch.setattr(workers, "measure", measure)
    capsys.readouterr()
    run(folder, out="three.csv")
    assert "2 of 5 cases were done before" in capsys.readouterr().err
    assert (folder / "three.csv").read_bytes() == wanted


def test_a_mended_row_is_all_that_is_done_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = folder / "cases.csv"
    table.write_text(table.read_text().replace("d,one.nrrd,labels.nrrd,7", "d,one.nrrd,d.nrrd,7"))
    assert run(folder) == Exit.SOME_FAILED
    assert "d.nrrd" in capsys.readouterr().err
    labels = sitk.ReadImage(str(folder / "labels.nrrd"))
    sitk.WriteImage(labels * 7, str(folder / "d.nrrd"))
    assert run(folder) == Exit.DONE
    assert "4 of 5 cases were done before" in capsys.readouterr().err
    assert not (folder / "out.csv.work").exists()
    assert run(folder) == Exit.REFUSED
    assert "out.csv is there already: choose another --out" in capsys.readouterr().err
    assert run(folder, "--overwrite") == Exit.DONE


def test_robustness_has_a_table_of_its_own(folder: Path) -> None:
    run(folder, "--perturb", "6", "--seed", "3")
    found = {row["feature"]: row for row in read(folder / "out.robustness.csv")}
    assert list(found)[-1] == "original_glcm_Contrast"
    row = found["original_shape_VoxelVolume"]
    assert (row["cases"], row["perturbations"]) == ("4", "6")
    assert float(row["lower"]) < float(row["icc"]) < float(row["upper"]) < 1
    run(folder, "--perturb", "6", "--seed", "3", "-j", "2", out="again.csv")
    again = (folder / "again.robustness.csv").read_bytes()
    assert again == (folder / "out.robustness.csv").read_bytes()
    run(folder, "--perturb", "6", "--seed", "4", out="other.csv")
    assert (folder / "other.robustness.csv").read_bytes() != again


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("", "must have the columns Image and Mask, got nothing"),
        ("image,Mask\na,b\n", "unknown column 'image': did you mean 'Image'"),
        ("ID,Mask\na,b\n", "must have the columns Image and Mask, got ID, Mask"),
        ("Image,Mask\n", "must have a row or more below its names"),
        ("Image,Mask,Mask\na,b,c\n", "must name each column once"),
        ('Image,Mask\n"a,b\n', "is no table"),
    ],
)
def test_a_table_that_is_none_is_refused(
    table: str, sentence: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "cases.csv").write_text(table)
    assert run(folder) == Exit.REFUSED
    assert sentence in capsys.readouterr().err
    assert not (folder / "out.csv").exists()


def test_rows_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text(
        "Image;Mask;Label;Label_channel\n"
        "a.nrrd;b.nrrd;x;\n"
        "a.nrrd;;1;\n"
        "a.nrrd;b.nrrd;1;-1\n"
        "a.nrrd;b.nrrd;1;0;9\n"
        "/c.nrrd;b.nrrd;all;2.0\n"
    )
    _, found = rows.read(file)
    for row, words in zip(
        found,
        [
            "row 1 of .* Label must be a whole number of at least 1, got 'x'",
            "its cell Mask is empty",
            "Label_channel must be a whole number of at least 0, got '-1'",
            "it has 5 cells for 4 columns",
        ],
        strict=False,
    ):
        with pytest.raises(ValueError, match=words):
            raise ValueError(row.problem)
    assert (found[4].label, found[4].channel, found[4].problem) == ("all", 2, "")
    assert str(found[4].image) == "/c.nrrd"


def test_settings_of_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = ["--setting", "binWidth=5", "--setting", "distances=2", "--setting", "force2D=True"]
    run(folder, *said, "--setting", "additionalInfo=false", out="set.csv")
    settings = {"binWidth": 5, "distances": [2], "force2D": True, "additionalInfo": False}
    one = RadiomicsFeatureExtractor(folder / "p.json", **settings).execute(
        str(folder / "one.nrrd"), str(folder / "labels.nrrd"), label=1
    )
    row = read(folder / "set.csv")[0]
    assert {name: row[name] for name in one} == {name: str(x) for name, x in one.items()}
    assert not any(name.startswith("diagnostics") for name in row)
    capsys.readouterr()
    for wrong, words in [
        ("binWidth", "setting must be NAME=VALUE, such as binWidth=5, got 'binWidth'"),
        ("binwidth=5", "unknown setting 'binwidth': did you mean 'binWidth'?"),
        ("binWidth=wide", "binWidth must be a finite number above 0, got str 'wide'"),
        ("binWidth=1,2", "binWidth must be a finite number above 0, got list"),
        ("resegmentRange=1,2,3", "resegmentRange must have 1 to 2 numbers, got 3"),
    ]:
        assert run(folder, "--setting", wrong, out="none.csv") == Exit.REFUSED
        assert words in capsys.readouterr().err
    assert not (folder / "none.csv").exists()


def test_validate_measures_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = folder / "cases.csv"
    command = ["radiomics", str(table), "--validate"]
    assert cli.main([*command, "--param", str(folder / "p.json")]) == Exit.DONE
    assert capsys.readouterr().out == "5 of 5 cases can be begun\n"
    table.write_text(table.read_text().replace("two.nii.gz", "three.nii.gz"))
    table.write_text(table.read_text().replace("other.mha,2.0", "other.mha,x"))
    before = sorted(folder.iterdir())
    assert cli.main(command) == Exit.SOME_FAILED
    told = capsys.readouterr()
    assert told.out == "3 of 5 cases can be begun\n"
    assert f"{folder / 'three.nii.gz'}: there is no such file" in told.err
    assert "Label must be a whole number of at least 1, got 'x'" in told.err
    (folder / "p.json").write_text('{"setting": {"binwidth": 5}}')
    assert cli.main([*command, "--param", str(folder / "p.json")]) == Exit.REFUSED
    assert "did you mean 'binWidth'?" in capsys.readouterr().err
    assert cli.main(["radiomics", str(table)]) == Exit.REFUSED
    assert "--out must name the table of features" in capsys.readouterr().err
    assert sorted(folder.iterdir()) == before


def test_a_process_that_dies_is_tried_again_and_then_told(folder: Path) -> None:
    """In a program of its own, whose workers import a module that kills one of them."""
    (folder / "deadly.py").write_text(
        "import os\n"
        "from lesionkit.radiomics.table import measured, workers\n"
        "def measure(task, row):\n"
        "    if row.cells['ID'] == 'c':\n"
        "        os._exit(9)\n"
        "    return measured.measure(task, row)\n"
        "workers.measure = measure\n"
        "if __name__ == '__main__':\n"
        "    import deadly, sys\n"
        "    workers.measure = deadly.measure\n"
        "    from lesionkit import cli\n"
        "    sys.exit(cli.main(sys.argv[1:]))\n"
    )
    command = [sys.executable, "deadly.py", "radiomics", "cases.csv", "--param", "p.json"]
    done = subprocess.run(
        [*command, "--out", "o.csv", "-j", "2"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == Exit.SOME_FAILED, done.stderr
    assert "labels.nrrd: its process died 3 times" in done.stderr
    assert "3 of 5 cases done" in done.stdout


def test_a_cluster_gives_the_same_bytes(folder: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed")
    run(folder)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        run(folder, "--cluster", cluster.scheduler_address, out="far.csv")
    assert (folder / "far.csv").read_bytes() == (folder / "out.csv").read_bytes()


def test_a_worker_of_a_cluster_that_dies_is_replaced(folder: Path) -> None:
    """With filters; the worker that first meets row c ends as by kill -9."""
    distributed = pytest.importorskip("distributed", reason="Dask is not installed")
    pytest.importorskip("pywt", reason="PyWavelets is not installed")
    (folder / "p.json").write_text(
        '{"imageType": {"LoG": {"sigma": [2]}, "Wavelet": {"wavelet": "haar"}},'
        ' "featureClass": {"glcm": ["Contrast"]}, "setting": {"binWidth": 5}}'
    )
    run(folder)
    (folder / "deadly.py").write_text(
        "import os, pathlib\n"
        "from lesionkit.radiomics.table import measured, workers\n"
        f"died = pathlib.Path({str(folder / 'died')!r})\n"
        "def measure(task, row):\n"
        "    if row.cells['ID'] == 'c' and not died.exists():\n"
        "        died.touch()\n"
        "        os._exit(9)\n"
        "    return measured.measure(task, row)\n"
        "workers.measure = measure\n"
    )
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        dashboard_address=None,
        preload=[str(folder / "deadly.py")],
        silence_logs=50,
    ) as cluster:
        run(folder, "--cluster", cluster.scheduler_address, out="far.csv")
    assert (folder / "died").exists()
    assert (folder / "far.csv").read_bytes() == (folder / "out.csv").read_bytes()
    assert "wavelet-HHH_glcm_Contrast" in read(folder / "far.csv")[0]
