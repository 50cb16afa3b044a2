"""NIRFAST's measurement files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lesionkit.optics.readings.nirfast_data import read_excoef, read_optodes, read_paa

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
    np.testing.assert_array_equal(named.places, [[4.5, -1], [3, 2]])
    solid = read_optodes(written("a.source", "num x y z fwhm\n1 1 2 3 0\n"), 3)
    np.testing.assert_array_equal(solid.places, [[1, 2, 3]])
    bare = read_optodes(written("b.meas", "1 2\n3 4\n"))
    np.testing.assert_array_equal(bare.places, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(bare.numbers, [1, 2])
    with pytest.raises(ValueError, match="must number its optodes by whole numbers from 1, each"):
        read_optodes(written("c.meas", "num x y\n0 4.5 -1\n"))


@pytest.mark.parametrize(
    ("name", "text", "places", "numbers", "fwhm"),
    [
        ("old.source", "1 2 0.5\n3 4 0\n", [[1, 2], [3, 4]], [1, 2], [0.5, 0]),
        ("old.meas", "1 2 0\n3 4 0\n", [[1, 2], [3, 4]], [1, 2], [0, 0]),
        ("fixed.source", "fixed\n1 2 3\n", [[1, 2]], [1], [3]),
        ("flat.source", "num x y z fwhm\n7 1 2 5 0\n4 3 4 5 0\n", [[1, 2], [3, 4]], [7, 4], [0, 0]),
        ("ff.source", "num x y fwhm ele ip1 ip2 ip3\n1 1 2 0 9 1 0 0\n", [[1, 2]], [1], [0]),
        ("ff.meas", "fixed\nnum x y ele ip1 ip2 ip3\n1 1 2 NaN 1 0 0\n", [[1, 2]], [1], [0]),
        ("bom.meas", "\ufeffNum X Y\r\n1 1 2\r\n", [[1, 2]], [1], [0]),
    ],
)
def test_reads_every_layout_of_optodes(written, name, text, places, numbers, fwhm) -> None:
    found = read_optodes(written(name, text))
    np.testing.assert_array_equal(found.places, places)
    np.testing.assert_array_equal(found.numbers, numbers)
    np.testing.assert_array_equal(found.fwhm, fwhm)
    assert not found.distributed


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("num x y z\n1 1 2 3\n2 1 2 4\n", "must hold optodes in a plane of constant z"),
        ("num x y\n1 1 nan\n", "must hold finite numbers"),
        ("num x y fwhm\n1 1 2 -1\n", "no width below 0"),
        ("num x y\n1 1 2\n1 3 4\n", "must number its optodes"),
        ("num x x\n1 1 2\n", "must have columns x and y"),
    ],
)
def test_damaged_optodes(written, text, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_optodes(written("a.source", text))


def test_reads_paa_whose_pairs_are_in_a_link_file(written) -> None:
    written("a.link", "source detector active\n1 2 1 1\n2 1 1 0\n3 1 0 0\n")
    old = "w661 w785\n0.5 45 0.25 90\n1e-3 10 0 0\n"
    for text in (old, old + "NaN NaN NaN NaN\n"):  # the active pairs, or all
        found = read_paa(written("a.paa", text))
        np.testing.assert_array_equal(found.pairs[:2], [[0, 1], [1, 0]])
        np.testing.assert_array_equal(found.amplitude[:, :2], [[0.5, 1e-3], [0.25, 0]])
        np.testing.assert_array_equal(found.active[:, :2], [[True, True], [True, False]])
        assert not found.active[:, 2:].any()
    legacy = written("b.link", "2 3\n1 0\n")  # a line for each source: its detectors
    one = read_paa(written("b.paa", "w661\n1 0\n2 0\n3 0\n"), legacy)
    np.testing.assert_array_equal(one.pairs, [[0, 1], [0, 2], [1, 0]])
    with pytest.raises(ValueError, match=r"link must name the \.link file that does, or just one"):
        read_paa(written("c.paa", old))
    with pytest.raises(ValueError, match="must have a line for each of the 3 pairs"):
        read_paa(written("c.paa", old.rsplit("\n", 2)[0] + "\n"), legacy.with_name("a.link"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("source det active amplitude phase\n1 2 1 0.5 45\n", "of one wavelength, does not say"),
        ("amplitude phase\n0.5 45\n", "of one wavelength, does not say which"),
        ("xphase xamplitude\n0.5 45\n", "fluorescence is not reconstructed"),
    ],
)
def test_paa_of_other_kinds(written, text, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_paa(written("a.paa", text))


def test_excoef_with_lipid_and_dyes(written) -> None:
    text = "HbO\nLuTex\ndeoxyHb\nWater\nLipids\nS-Power\n661 1 9 2 3 4\n"
    np.testing.assert_array_equal(read_excoef(written("a.excoef", text))[661.0], [1, 2, 3, 4])
    with pytest.raises(ValueError, match="must hold each wavelength once"):
        read_excoef(written("b.excoef", text + "661 1 9 2 3 4\n"))
