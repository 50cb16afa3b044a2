"""Maps from NIRFAST's measurement files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from lesionkit import cli
from lesionkit.optics import ForwardModel, Mesh, spectra, write_mesh
from lesionkit.optics.mesh.triangle import triangular_interface
from lesionkit.optics.reconstruction.measured import reconstruct_measured

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
    assert maps["region"].shape == (1, 100, 100)
    np.testing.assert_array_equal(maps["hbt"], maps["hbo"] + maps["hb"])
    said = capsys.readouterr().out
    assert "240 pairs" in said
    assert "region found by k-means on the map of HbT" in said
    assert "moved      to the rim: sources up to" in said
    few = ["--maps", "hbo", "hb", "--least-squares", "--max-move", "0.5"]
    assert cli.main([*asked, str(tmp_path / "few"), *reference, *few]) == 0
    assert "water" not in np.load(tmp_path / "few/maps.npz")
    continuous = ["--frequency", "0", "--tissue", "12", "8", "40", "0.9", "1.1"]
    assert cli.main([*asked, str(tmp_path / "amplitudes"), *reference, *continuous]) == 0
    assert np.load(tmp_path / "amplitudes/maps.npz")["reference_hb"] == 8
    capsys.readouterr()
    np.save(tmp_path / "image.npy", np.ones((10, 10)))
    image = ["--mri", str(tmp_path / "image.npy")]
    for arguments, sentence in (
        ([], "--reference must name the file of a homogeneous object"),
        ([*reference, *image], "method 'tikhonov' does not take an image, --mri"),
        ([*reference, "--method", "dri"], "method 'dri' needs an image, --mri"),
        ([*reference, "--mesh", str(tmp_path / "no")], "path must name a NIRFAST mesh, got one"),
        ([*reference, "--frequency", "-1"], "frequency must be a finite number of Hz at least 0"),
    ):
        assert cli.main([*asked, str(tmp_path / "other"), *arguments]) == 2
        assert sentence in capsys.readouterr().err


# --- bad readings, bad places -------------------------------------------------------------------


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """The files of the instrument, to be spoilt."""
    shutil.copytree(folder, tmp_path / "copy")
    return tmp_path / "copy"


def lump_of(made) -> float:
    """HbO in the lump over that far from it."""
    hbo = made.found.at([[5.0, 2], [-12, -8]])["hbo"]
    return float(hbo[0] / hbo[1])


def edit_paa(path: Path, change) -> None:
    """`change(pair, wavelength, [flag, amplitude, phase])`, which may change the list."""
    header, *rows = path.read_text().splitlines()
    lines = [header]
    for k, row in enumerate(rows):
        words = row.split()
        for w in range(len(NM)):
            three = words[2 + 3 * w : 5 + 3 * w]
            change(k, w, three)
            words[2 + 3 * w : 5 + 3 * w] = three
        lines.append("\t".join(words))
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def plain(folder: Path):
    return reconstruct_measured(folder / "anom.paa", folder / "homog.paa")


@pytest.mark.parametrize("offset", [170.0, -90.0])
def test_phases_from_elsewhere_change_nothing(copy: Path, plain, offset: float) -> None:
    """Of every wavelength its own, and so that some lie on either side of a half turn."""

    def turn(k, w, reading):
        reading[2] = repr(float(reading[2]) + offset + 40 * w)

    for name in ("anom", "homog"):
        edit_paa(copy / f"{name}.paa", turn)
    made = reconstruct_measured(copy / "anom.paa", copy / "homog.paa")
    for name, value in plain.reference_tissue.items():
        assert made.reference_tissue[name] == pytest.approx(value, rel=1e-4)


def test_a_reading_bad_at_one_wavelength_costs_no_more(copy: Path) -> None:
    def spoil(k, w, reading):
        if k % len(NM) == w:
            reading[:] = ["0", "NaN", "0"]

    edit_paa(copy / "anom.paa", spoil)
    made = reconstruct_measured(copy / "anom.paa", copy / "homog.paa")
    assert len(made.pairs) == 240
    assert (made.found.counted == 0).sum() == 240
    assert 1.3 < lump_of(made) < 2.2  # two wavelengths of a pair for four maps
    hbo, points = made.found.maps["hbo"], made.found.basis.points
    assert np.linalg.norm(points[hbo.argmax()] - [5, 2]) < 6


@pytest.mark.parametrize("name", ["anom", "homog"])
def test_a_wild_reading_is_named_and_leads_nowhere(copy: Path, plain, name: str) -> None:
    def spoil(k, w, reading):
        if (k, w) == (35, 1):
            reading[1] = repr(50 * float(reading[1]))

    edit_paa(copy / f"{name}.paa", spoil)
    with pytest.warns(UserWarning, match="1 of 720 readings are so far .* 3-7 at 785 nm$"):
        made = reconstruct_measured(copy / "anom.paa", copy / "homog.paa")
    assert made.outliers == [(2, 6, 785.0)]
    assert lump_of(made) == pytest.approx(lump_of(plain), rel=0.05)
    masked = np.ones((3, 240), bool)
    masked[1, 35] = False
    made = reconstruct_measured(copy / "anom.paa", copy / "homog.paa", mask=masked, robust=None)
    assert lump_of(made) == pytest.approx(lump_of(plain), rel=0.1)


def test_optodes_that_lie_elsewhere_are_refused(copy: Path, plain) -> None:
    assert plain.moved["sources"].max() < 1e-5
    text = (copy / "tri.source").read_text().splitlines()
    x, y = map(float, text[4].split()[1:])
    text[4] = f"4 {0.5 * x:.6f} {0.5 * y:.6f}"
    (copy / "tri.source").write_text("\n".join(text) + "\n")
    files = copy / "anom.paa", copy / "homog.paa"
    with pytest.raises(ValueError, match=r"tri.source must hold .* max_move .* 3 mm, got number 4"):
        reconstruct_measured(*files)
    made = reconstruct_measured(*files, max_move=30.0)
    assert made.moved["sources"].argmax() == 3


def test_wide_and_distributed_sources(copy: Path) -> None:
    files = copy / "anom.paa", copy / "homog.paa"
    text = (copy / "tri.source").read_text().splitlines()
    wide = ["num x y fwhm", *(f"{line} 3" for line in text[1:])]
    (copy / "tri.source").write_text("\n".join(wide))
    with pytest.warns(UserWarning, match=r"up to 3 mm wide \(fwhm\), which are taken as points"):
        reconstruct_measured(*files)
    (copy / "tri.source").write_text("\n".join(["distributed", *text]))
    with pytest.raises(ValueError, match="must hold sources that shine one after the other"):
        reconstruct_measured(*files)


def test_numbers_of_optodes_may_be_any(copy: Path, plain) -> None:
    for end in ("source", "meas"):
        header, *rows = (copy / f"tri.{end}").read_text().splitlines()
        rows = [f"{101 - i} {row.split(maxsplit=1)[1]}" for i, row in enumerate(rows)]
        (copy / f"tri.{end}").write_text("\n".join([header, *rows[::-1]]))
    for name in ("anom", "homog"):
        header, *rows = (copy / f"{name}.paa").read_text().splitlines()
        words = [row.split() for row in rows]
        lines = ["\t".join([str(102 - int(s)), str(102 - int(d)), *o]) for s, d, *o in words]
        (copy / f"{name}.paa").write_text("\n".join([header, *lines]))
    made = reconstruct_measured(copy / "anom.paa", copy / "homog.paa")
    assert lump_of(made) == pytest.approx(lump_of(plain), rel=1e-6)


def test_two_wavelengths(copy: Path) -> None:
    for name in ("anom", "homog"):
        lines = (copy / f"{name}.paa").read_text().splitlines()
        (copy / f"{name}.paa").write_text("\n".join("\t".join(x.split()[:-3]) for x in lines[1:]))
        header = "\t".join(lines[0].split()[:-1])
        (copy / f"{name}.paa").write_text(header + "\n" + (copy / f"{name}.paa").read_text())
    files = copy / "anom.paa", copy / "homog.paa"
    with pytest.raises(ValueError, match=r"as many as the chromophores of maps, 3, .* fewer maps"):
        reconstruct_measured(*files)
    made = reconstruct_measured(*files, maps=("hbo", "hb"))
    assert set(made.found.maps) == {"hbo", "hb"}
    assert 1.2 < lump_of(made) < 2.2


def test_lipid_is_a_fourth_chromophore(copy: Path) -> None:
    (copy / "tri.excoef").unlink()  # the table of spectra
    known = {"hbo": 12.0, "hb": 8.0, "water": 40.0, "lipid": 1e-3, "amplitude": 0.9, "power": 1.1}
    files = copy / "anom.paa", copy / "homog.paa"
    made = reconstruct_measured(*files, reference_tissue=known, maps=("hbo", "hb", "lipid"))
    assert set(made.found.maps) == {"hbo", "hb", "lipid"}
    assert lump_of(made) > 1.3


def test_units_of_no_tissue_are_told(copy: Path) -> None:
    known = {"hbo": 12e3, "hb": 8e3, "water": 40.0, "amplitude": 0.9, "power": 1.1}  # nanomolar
    with pytest.warns(UserWarning, match="absorption is not below scattering: are they swapped"):
        reconstruct_measured(copy / "anom.paa", copy / "homog.paa", reference_tissue=known)
    text = (copy / "tri.excoef").read_text().splitlines()
    rows = [
        " ".join([r.split()[0], *(str(10 * float(x)) for x in r.split()[1:])]) for r in text[3:]
    ]
    (copy / "tri.excoef").write_text("\n".join(text[:3] + rows))
    with pytest.warns(UserWarning, match="HbO and Hb take .* are they in 1/\\(cm mM\\)"):
        reconstruct_measured(copy / "anom.paa", copy / "homog.paa")


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        ({"mask": np.ones((3, 9), bool)}, ValueError, r"mask must be booleans of shape \(3, 240\)"),
        ({"mask": np.zeros((3, 240), bool)}, ValueError, "flagged by 1 and in mask, got none"),
        ({"sigma": np.ones((2, 240))}, ValueError, r"sigma must have shape \(3, 240\)"),
        ({"sigma": np.zeros((3, 240))}, ValueError, "sigma must be above 0"),
        ({"robust": 0.0}, ValueError, "robust must be a finite number above 0"),
        ({"max_move": -1.0}, ValueError, "max_move must be a finite number of mm at least 0"),
        ({"maps": ("fat",)}, ValueError, "maps must be one or more of hbo, hb, water"),
        ({"maps": 3}, ValueError, "maps must be one or more of hbo, hb, water"),
        ({"data": 3}, TypeError, "data must be a path or Readings, got int 3"),
    ],
)
def test_mistakes_in_measured(folder: Path, change, kind, sentence) -> None:
    given = {"data": folder / "anom.paa", "reference": folder / "homog.paa", **change}
    with pytest.raises(kind, match=sentence):
        reconstruct_measured(**given)


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
