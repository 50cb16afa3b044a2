"""What an extra brings is told with the command that installs it, from what the user has."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatchcase
from importlib import metadata
from pathlib import Path

import pytest

from lesionkit import cli, extras
from lesionkit.cli.exits import Exit

ROOT = Path(__file__).parents[1]
OPTIONAL = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]

CORE_ONLY = f"""
import sys
ABSENT = {sorted(extras.EXTRAS)!r}
class Absent:
    def find_spec(self, name, *_):
        if name.split(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
"""
"""A core installation: NumPy, SciPy, and nothing that an extra brings."""


def core_only(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", CORE_ONLY + code], capture_output=True, text=True)


def requirements(extra: str) -> list[str]:
    """Of an extra, those of the extras that it names in place of these."""
    found = []
    for wanted in OPTIONAL[extra]:
        own = re.fullmatch(r"lesionkit\[(.+)\]", wanted)
        found += [x for name in own[1].split(",") for x in requirements(name)] if own else [wanted]
    return found


@pytest.mark.parametrize(("module", "told"), extras.EXTRAS.items())
def test_each_library_is_in_its_extra(module: str, told: tuple[str, str]) -> None:
    library, extra = told
    names = {re.split(r"[<>=;\[ ]", wanted)[0].lower() for wanted in requirements(extra)}
    assert {library.lower(), "cupy-cuda13x" if module == "cupy" else library.lower()} & names


def test_all_is_everything_but_cuda_and_other_licences() -> None:
    left_out = {"all", "bench", "cuda12", "cuda13", "docs", "flir", "test"}
    (named,) = OPTIONAL["all"]
    assert set(named[len("lesionkit[") : -1].split(",")) == set(OPTIONAL) - left_out


def test_what_a_core_installation_can_do() -> None:
    done = core_only(
        "import numpy as np, lesionkit\n"
        "from lesionkit.texture import graycomatrix, radiomics, feature_maps\n"
        "from lesionkit.fronts import arrival_time, chan_vese, travel_time, watershed\n"
        "from lesionkit.optics import ForwardModel, generate, PhantomRecipe, reconstruct\n"
        "assert graycomatrix(np.eye(4, dtype=np.uint8), [1], [0], 4).sum() == 12\n"
        "assert len(generate(PhantomRecipe(nodes=217, pixels=8, wavelengths=(808,)), 2)) == 2\n"
        "from lesionkit import cli\n"
        "sys.exit(cli.main(['selftest']))\n"
    )
    assert done.returncode == 0, done.stderr
    assert "WRONG" not in done.stdout


@pytest.mark.parametrize(
    ("use", "told", "extra"),
    [
        ("from lesionkit.clustering import KMeans", "*.KMeans needs scikit-learn", "learn"),
        ("from lesionkit.texture import selection", "*.selection needs scikit-learn", "learn"),
        ("from lesionkit.fronts import region_grow", "functions that are * need numba", "numba"),
        ("from lesionkit.studies import stroke", "this study needs numba", "studies"),
        ("import lesionkit.studies.thermogram", "this study needs numba", "studies"),
        ("import lesionkit; lesionkit.nets.ZNet", "lesionkit.nets needs torch", "nets"),
        ("import lesionkit.optics.autograd", "lesionkit.optics.autograd needs torch", "nets"),
        (
            "from lesionkit.optics import read_mesh; open('a.msh', 'w'); read_mesh('a.msh')",
            "mesh files of this kind need meshio",
            "mesh",
        ),
        (
            "from lesionkit.optics import *; generate(PhantomRecipe(), 2, 'a.zarr')",
            "stores of phantoms need numcodecs",
            "phantoms",
        ),
    ],
)
def test_a_missing_library(use: str, told: str, extra: str, tmp_path: Path) -> None:
    done = core_only(f"import os; os.chdir({str(tmp_path)!r})\n{use}")
    said = done.stderr.splitlines()[-1]
    sentence = f"lesionkit.extras.MissingLibrary: {told}, which is not installed: *[[]{extra}]'"
    assert fnmatchcase(said, sentence), done.stderr


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["phantoms", "--count", "2", "--out", "a.zarr"], "phantoms"),
        (["phantoms", "--count", "2", "--out", "a.zarr", "--no-picture"], "phantoms"),
        (["reconstruct", "a.zarr", "--method", "dri", "--out", "out"], "phantoms"),
        (["train", "znet", "--data", "a", "--out", "out"], "nets"),
        (["nirst", "--out", "out"], "nets"),
        (["stroke", "a.png", "--out", "out"], "studies"),
        (["thermogram", "a.png", "--out", "out"], "studies"),
        (["completion", "bash"], "completion"),
    ],
)
def test_commands_refuse_before_any_work(arguments: list[str], extra: str, tmp_path: Path) -> None:
    done = core_only(
        f"import os; os.chdir({str(tmp_path)!r})\n"
        f"from lesionkit import cli; sys.exit(cli.main({arguments!r}))"
    )
    assert done.returncode == Exit.REFUSED, done.stderr
    (line,) = done.stderr.splitlines()
    assert re.match(rf"lesionkit: .* needs? \S+, which is not installed: .*\[{extra}\]'$", line)
    assert not any(tmp_path.iterdir())


class Installed:
    """A distribution of lesionkit, as importlib.metadata finds it."""

    requires = [  # noqa: RUF012
        "numpy>=2",
        "numba>=0.61; extra == 'numba'",
        'lesionkit[learn,numba]; extra == "studies"',
        'scikit-learn>=1.6; extra == "learn"',
        'nibabel>=5.2; extra == "studies"',
    ]

    def __init__(self, origin: str | None) -> None:
        self.origin = origin

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return self.origin and json.dumps({"url": self.origin})


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package lies in site-packages, its environment is active."""
    here = tmp_path / "lib" / "site-packages" / "lesionkit"
    monkeypatch.setattr(extras, "__file__", str(here / "extras.py"))
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    monkeypatch.setattr(extras, "_has_pip", lambda: True)
    return here


def test_the_command_names_what_it_was_installed_from(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = tmp_path / "lesionkit-0.1.0-cp311-cp311-linux_x86_64.whl"
    for origin in (None, "https://somewhere/lesionkit.whl", wheel.as_uri()):
        monkeypatch.setattr(metadata, "distribution", lambda _, o=origin: Installed(o))
        assert extras.command("studies") == (
            "pip install 'scikit-learn>=1.6' 'numba>=0.61' 'nibabel>=5.2'"
        )
    wheel.touch()
    assert extras.command("studies") == f"pip install '{wheel}[studies]'"
    monkeypatch.setattr(metadata, "distribution", lambda _: Installed(tmp_path.as_uri()))
    assert extras.command("nets") == f"pip install '{tmp_path}[nets]'"
    monkeypatch.chdir(tmp_path)
    assert extras.command("nets") == "pip install '.[nets]'"


def test_the_command_from_a_checkout(package: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(extras, "__file__", str(tmp_path / "src" / "lesionkit" / "extras.py"))
    (tmp_path / "pyproject.toml").touch()
    assert extras.command("nets") == f"pip install -e '{tmp_path}[nets]'"


def test_the_pip_is_that_of_this_python(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "distribution", lambda _: Installed(None))
    monkeypatch.delenv("VIRTUAL_ENV")
    monkeypatch.setattr(sys, "executable", "/a place/bin/python")
    assert extras.command("numba") == "'/a place/bin/python' -m pip install 'numba>=0.61'"
    monkeypatch.setattr(extras, "_has_pip", lambda: False)
    assert extras.command("numba").startswith("uv pip install --python '/a place/bin/python' ")


def test_other_import_errors_stay_what_they_are(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "h5py.py").write_text("import a_part_of_it_that_is_missing")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "h5py", raising=False)
    with pytest.raises(ModuleNotFoundError, match="a_part_of_it") as raised:
        extras.require("h5py", "this needs")
    assert not isinstance(raised.value, extras.MissingLibrary)
    assert extras.in_words(raised.value, "this needs") is raised.value


def test_every_command_that_draws_says_with_what() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lesionkit", "--help"],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert done.returncode == 0
    drawing = {n for n, p in _commands().items() if p.get_default("draws_with")}
    studies = {"stroke", "stroke-study", "brain", "brain-study", "thermogram", "thermogram-study"}
    others = {"phantoms", "reconstruct", "train", "evaluate", "nirst", "gpu-report"}
    assert drawing == studies | others


def _commands() -> dict[str, cli.Parser]:
    (action,) = [a for a in cli.build()._actions if hasattr(a, "choices") and a.choices]
    return dict(action.choices)
