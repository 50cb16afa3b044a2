"""NIRFAST's measurement files, and maps from them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from lesionkit import cli
from lesionkit.optics import ForwardModel, Mesh, spectra, write_mesh
from lesionkit.optics.measured import reconstruct_measured
from lesionkit.optics.nirfast_data import read_excoef, read_optodes, read_paa
from lesionkit.optics.triangle import triangular_interface

PAA = """source\tdet\tw661\tw785
1\t2\t1\t0.5\t45\t1\t0.25\t90
2\t1\t1\t1e-003\t10\t0\t0\t0
"""


@pytest.fixture
def written(tmp_path: Path):
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_reads_paa(written) -> None:
    found = read_paa(written("a.paa", PAA))
    np.testing.assert_array_equal(found.wavelengths, [661, 785])
    np.testing.assert_array_equal(found.pairs, [[0, 1], [1, 0]])
    np.testing.assert_array_equal(found.amplitude, [[0.5, 1e-3], [0.25, 0]])
    np.testing.assert_allclose(found.phase[0], np.radians([45, 10]))
    np.testing.assert_array_equal(found.active, [[True, True], [True, False]])
    np.testing.assert_allclose(found.modulated[0, 0], 0.5 * np.exp(0.25j * np.pi))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "a.paa must hold lines of numbers, got an empty file"),
        (
            "1 2 1 0.5 45\n",
            "a.paa must begin with 'source det w661 ...', its wavelengths, got '1 2",
        ),
        ("source det\n", "a.paa must begin with 'source det w661 ...'"),
        ("source det w661\n", "a.paa must hold lines of numbers, got none"),
        ("source det w661 w661\n" + "1 2 1 1 1 1 1 1", "a.paa must name each wavelength once"),
        (PAA[:-12], "a.paa must hold 8 numbers in line 3, got"),
        (PAA.replace("45", "4x"), "a.paa must hold 8 numbers in line 2, got"),
        (PAA.replace("0.5", "-0.5"), "a.paa must hold amplitudes above 0 .* got -0.5"),
        (PAA.replace("0.5", "nan"), "a.paa must hold finite numbers where a reading is flagged"),
        (PAA.replace("\n2\t1", "\n0\t1"), "a.paa must number sources and detectors from 1"),
        (PAA.replace("\n2\t1", "\n1\t2"), "a.paa must hold each pair of optodes once, got some"),
        (PAA.replace("1\t2\t1", "1\t2\t7"), "a.paa must flag each reading by 0 or 1"),
    ],
)
def test_damaged_paa(written, text, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_paa(written("a.paa", text))


def test_files_that_are_not_there(tmp_path: Path) -> None:
    for read in (read_paa, read_excoef, read_optodes):
        with pytest.raises(FileNotFoundError, match=r"there is no file .*nothing"):
            read(tmp_path / "nothing")


def test_reads_excoef_in_any_order_of_columns(written) -> None:
    found = read_excoef(written("a.excoef", "Water\ndeoxyHb\nHbO\nS-Amplitude\n661 3 2 1\n"))
    np.testing.assert_array_equal(found[661.0], [1, 2, 3])
    with pytest.raises(ValueError, match=r"must hold HbO, deoxyHb and Water, .* got hbo and 1"):
        read_excoef(written("b.excoef", "HbO\n661 3\n"))
    with pytest.raises(ValueError, match="must hold 4 numbers in line 5"):
        read_excoef(written("c.excoef", "HbO\ndeoxyHb\nWater\n661 1 2 3\n785 1 2\n"))


def test_reads_optodes(written) -> None:
    named = read_optodes(written("a.meas", "fixed\nnum x y\n1 4.5 -1\n2 3 2\n"))
    np.testing.assert_array_equal(named, [[4.5, -1], [3, 2]])
    solid = read_optodes(written("a.source", "num x y z fwhm\n1 1 2 3 0\n"))
    np.testing.assert_array_equal(solid, [[1, 2, 3]])
    np.testing.assert_array_equal(read_optodes(written("b.meas", "1 2\n3 4\n")), [[1, 2], [3, 4]])
    with pytest.raises(ValueError, match="must number its optodes 1, 2, 3"):
        read_optodes(written("c.meas", "num x y\n2 4.5 -1\n"))


# --- a made-up instrument on a triangle ---------------------------------------------------------

NM = (661, 785, 852)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """NIRFAST files of a triangular interface: an object with a lump, and a homogeneous one, seen
    by an instrument whose optodes have unknown strengths."""
    out = tmp_path_factory.mktemp("nirfast")
    mesh, optodes = triangular_interface(60.0, 4.0)
    linear = Mesh(mesh.nodes[: mesh.corners.max() + 1], mesh.corners)
    write_mesh(linear, out / "tri")
    for end in ("source", "meas"):
        lines = [f"{i} {x:.6f} {y:.6f}" for i, (x, y) in enumerate(optodes, 1)]
        (out / f"tri.{end}").write_text("num x y\n" + "\n".join(lines) + "\n")
    coefficients = spectra.extinction(NM)
    rows = [
        f"{nm} {' '.join(map(repr, map(float, e)))}" for nm, e in zip(NM, coefficients, strict=True)
    ]
    (out / "tri.excoef").write_text("HbO\ndeoxyHb\nWater\n" + "\n".join(rows) + "\n")
    model = ForwardModel(linear, optodes, optodes, frequency=1e8)
    lump = 1 + 1.0 * np.exp(-np.square((linear.nodes - [5, 2]) / 6).sum(axis=1))
    mus = spectra.scattering(NM, 0.9, 1.1)[:, None] * np.ones(len(lump))
    strength = np.random.default_rng(0).uniform(0.5, 2, (len(NM), 16, 16))
    strength *= np.array([1e3, 5e2, 2e3])[:, None, None]
    for name, hbo in (("anom", 12 * lump), ("homog", 12 * np.ones_like(lump))):
        mua = spectra.absorption(NM, hbo, 8.0, 40.0)
        found = model.measure(mua, mus) * strength
        lines = ["source\tdet\t" + "\t".join(f"w{nm}" for nm in NM)]
        for s, d in np.argwhere(~np.eye(16, dtype=bool)):
            each = [f"1\t{abs(r):.8g}\t{np.degrees(np.angle(r)) % 360:.8g}" for r in found[:, s, d]]
            lines.append(f"{s + 1}\t{d + 1}\t" + "\t".join(each))
        (out / f"{name}.paa").write_text("\n".join(lines) + "\n")
    return out


def test_finds_the_lump_and_the_reference_tissue(folder: Path) -> None:
    made = reconstruct_measured(folder / "anom.paa", folder / "homog.paa")
    hbo, points = made.found.maps["hbo"], made.found.basis.points
    assert np.linalg.norm(points[hbo.argmax()] - [5, 2]) < 6
    assert 1.3 < hbo.max() / np.median(hbo) < 2.2
    assert len(made.pairs) == 240
    # strengths of each optode spread the reference's readings by 40 per cent
    for name, truth in {"hbo": 12, "hb": 8, "amplitude": 0.9}.items():
        assert made.reference_tissue[name] == pytest.approx(truth, rel=0.3)
    images, extent = made.pixels(40)
    assert images["water"].shape == (40, 40)
    assert np.isnan(images["water"][0, 0])
    assert extent[1] - extent[0] == pytest.approx(60, rel=1e-6)


def test_amplitudes_alone_need_the_reference_tissue(folder: Path) -> None:
    files = folder / "anom.paa", folder / "homog.paa"
    with pytest.raises(ValueError, match="frequency must be above 0 Hz where reference_tissue is"):
        reconstruct_measured(*files, frequency=0)
    known = {"hbo": 12.0, "hb": 8.0, "water": 40.0, "amplitude": 0.9, "power": 1.1}
    made = reconstruct_measured(*files, frequency=0, reference_tissue=known)
    assert made.reference_tissue == known
    places = made.found.basis.points
    assert np.linalg.norm(places[made.found.maps["hbo"].argmax()] - [5, 2]) < 6


def test_a_frequency_in_megahertz_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"^frequency must be 0, or 1e\+06 to 1e\+10 Hz, got 100$"):
        reconstruct_measured(folder / "anom.paa", folder / "homog.paa", frequency=100)


def test_a_mesh_is_named_by_its_file_as_well(folder: Path) -> None:
    files = folder / "anom.paa", folder / "homog.paa"
    node = next(folder.glob("*.node"))
    by_file, by_name = (reconstruct_measured(*files, p) for p in (node, node.with_suffix("")))
    np.testing.assert_array_equal(by_file.found.maps["hb"], by_name.found.maps["hb"])
    with pytest.raises(ValueError, match=r"^count must be from 1 to 10000, got 0$"):
        by_file.pixels(0)


def test_an_image_guides_it(folder: Path) -> None:
    middle = (np.arange(60) + 0.5) - 30
    low, high = -60 / np.sqrt(12), 60 / np.sqrt(3)
    x, y = np.meshgrid(middle, (low + high) / 2 - middle)
    image = np.where(np.hypot(x - 5, y - 2) < 7, 80.0, 50.0)
    made = reconstruct_measured(folder / "anom.paa", folder / "homog.paa", image=image)
    hbo = made.found.at([[5.0, 2], [-12, -8]])["hbo"]
    assert hbo[0] > 1.25 * hbo[1]


def test_command(folder: Path, tmp_path: Path, capsys) -> None:
    asked = ["reconstruct", str(folder / "anom.paa"), "--method", "tikhonov", "--out"]
    reference = ["--reference", str(folder / "homog.paa")]
    assert cli.main([*asked, str(tmp_path / "out"), *reference]) == 0
    assert sorted(os.listdir(tmp_path / "out")) == ["maps.npz", "maps.png"]
    maps = np.load(tmp_path / "out/maps.npz")
    assert maps["hbo"].shape == (100, 100)
    assert "240 pairs" in capsys.readouterr().out
    np.save(tmp_path / "image.npy", np.ones((10, 10)))
    image = ["--mri", str(tmp_path / "image.npy")]
    for arguments, sentence in (
        ([], "--reference must name the .paa file of a homogeneous object"),
        ([*reference, *image], "method 'tikhonov' does not take an image, --mri"),
        ([*reference, "--method", "dri"], "method 'dri' needs an image, --mri"),
        ([*reference, "--mesh", str(tmp_path / "no")], "path must name a NIRFAST mesh, got one"),
        ([*reference, "--frequency", "-1"], "frequency must be a finite number of Hz at least 0"),
    ):
        assert cli.main([*asked, str(tmp_path / "other"), *arguments]) == 2
        assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda text: text.replace("w785", "w786"), "must have the wavelengths of .*, got .*786"),
        (lambda text: text.rsplit("\n", 2)[0] + "\n", "must have the 240 pairs of .*, got 239"),
    ],
)
def test_a_reference_of_another_measurement(folder, tmp_path, change, sentence) -> None:
    other = tmp_path / "other.paa"
    other.write_text(change((folder / "homog.paa").read_text()))
    with pytest.raises(ValueError, match=sentence):
        reconstruct_measured(folder / "anom.paa", other)


def test_measured_phantom() -> None:
    """The anomaly of a real record, whose place is not told, is found at one place in every map."""
    where = Path(os.environ.get("LESIONKIT_DATA", "")) / "data/nirst/nirfast_circle_spec"
    if "LESIONKIT_DATA" not in os.environ or not where.is_dir():
        pytest.skip("needs LESIONKIT_DATA with data/nirst/nirfast_circle_spec")
    made = reconstruct_measured(where / "anom.paa", where / "homog.paa")
    maps, points = made.found.maps, made.found.basis.points
    for place in (maps["hbo"].argmax(), maps["water"].argmax(), maps["hb"].argmin()):
        assert np.linalg.norm(points[place] - [-20, 0]) < 8
    assert made.found.residuals[0] > 2 * np.nanmin(made.found.residuals)
