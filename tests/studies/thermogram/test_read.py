"""Thermograms from files: each dialect read right, or refused in one sentence."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import numpy as np
import pytest

from lesionkit.io import MissingLibrary
from lesionkit.studies.thermogram import read
from lesionkit.studies.thermogram.readers import colour

pillow = pytest.importorskip("PIL.Image", reason="Pillow comes with lesionkit[studies]")

ROWS, COLUMNS = 24, 32


def body(rows: int = ROWS, columns: int = COLUMNS) -> np.ndarray:
    """A warm body before a cool wall, C."""
    y, x = np.mgrid[:rows, :columns] / rows
    shape = np.exp(-(((x - columns / rows / 2) / 0.45) ** 4) - ((y - 0.6) / 0.55) ** 4)
    return np.round(22 + 10 * shape + np.random.default_rng(0).normal(0, 0.05, shape.shape), 2)


def lines(values: np.ndarray, between: str = " ", form: str = ".2f", point: str = ".") -> list[str]:
    return [between.join(format(v, form).replace(".", point) for v in row) for row in values]


TRUTH = body()
MATRICES = {
    "space": "\n".join(lines(TRUTH)).encode(),
    "tab, CR": "\r".join(lines(TRUTH, "\t")).encode(),
    "semicolon": ";\n".join(lines(TRUTH, ";", ".5f")).encode() + b";\r\n",
    "BOM": b"\xef\xbb\xbf" + "\r\n".join(lines(TRUTH, ";", point=",")).encode(),
    "UTF-16": "\r\n".join(lines(TRUTH, "\t", point=",")).encode("utf-16"),
    "comma": "\n".join(lines(TRUTH, ",")).encode(),
    "comma and space": "\n".join(lines(TRUTH, ", ")).encode(),
    "space, decimal commas": "\n".join(lines(TRUTH, "  ", point=",")).encode(),
    "Fahrenheit": (
        "File:;a\r\nEmissivity:;0,98\r\nUnit:;\xb0F\r\n\r\n"
        + "\r\n".join(lines(TRUTH * 1.8 + 32, ";", ".3f", ","))
    ).encode("latin-1"),
    "Kelvin": ("Temperature (K)\n" + "\n".join(lines(TRUTH + 273.15, ","))).encode(),
    "the size first": ("32 24\n" + "\n".join(lines(TRUTH))).encode(),
    "quoted": "\n".join(f'"{line}"' for line in lines(TRUTH)).encode(),
}


@pytest.mark.parametrize("name", MATRICES)
def test_text_in_every_dialect(name: str, tmp_path: Path) -> None:
    path = tmp_path / "m.txt"
    path.write_bytes(MATRICES[name])
    found = read.thermogram(path)
    assert found.origin == "text"
    assert found.celsius is not None
    assert found.celsius.dtype == np.float32
    np.testing.assert_allclose(found.celsius, TRUTH, atol=0.0006)


def changed(row: int, column: int | slice, to: str) -> bytes:
    rows = [line.split() for line in lines(TRUTH)]
    if isinstance(column, slice):
        rows[row][column] = [to] if to else []
    else:
        rows[row][column] = to
    return "\n".join(" ".join(line) for line in rows).encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (changed(9, slice(-3, None), ""), r"rows of 32 numbers, row 10 \(line 10\) has 29"),
        (changed(0, slice(-3, None), ""), r"row 1 \(line 1\) has 29"),
        (b"a;b\nunit;C\n" + changed(23, slice(0, 1), "1 2"), r"row 24 \(line 26\) has 33"),
        (changed(5, 6, "NaN"), r"1 has none: row 6 column 7 \(NaN\); --fill"),
        (changed(5, 6, "****"), r"row 6 column 7 \(\*\*\*\*\)"),
        (changed(5, 6, "-273.15"), r"row 6 column 7 \(-273.15\)"),
        (changed(5, 6, "inf"), r"row 6 column 7 \(inf\)"),
        ("\n".join(lines(TRUTH * 100)).encode(), "must tell its unit.*pass --unit C, F or K"),
        ("\n".join(lines(TRUTH, ",", ".0f")).encode(), "decimals from columns"),
        (b"", "it is empty"),
        (b"\n\n;;\n", "it is empty"),
        (b"three\nlines\nof words\n", "no rows of numbers"),
        (b"\x00\x01\x02\x03" * 9, "bytes of value 0"),
        (b"\xff\xfe\x00", "UTF-16 is broken"),
        ("\n".join(lines(TRUTH[:5])).encode(), "16 rows and columns"),
        ("\n".join(lines(TRUTH * 0 + 30)).encode(), "it is 30 everywhere"),
    ],
)
def test_text_that_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "m.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as report:
        read.thermogram(path)
    assert str(path) in str(report.value)
    assert "\n" not in str(report.value)


def test_bad_pixels_are_filled_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "m.txt"
    path.write_bytes(changed(12, slice(10, 14), "NaN NaN **** -300"))
    found = read.thermogram(path, fill=True)
    np.testing.assert_allclose(found.values, TRUTH, atol=0.6)
    assert "4 pixels" in found.notes[0]


def test_16_bit_png(tmp_path: Path) -> None:
    path = tmp_path / "m.png"
    pillow.fromarray((TRUTH * 100).round().astype(np.uint16)).save(path)
    found = read.thermogram(path)
    np.testing.assert_allclose(found.values, TRUTH, atol=1e-5)
    pillow.fromarray((TRUTH * 300).round().astype(np.uint16)).save(path)
    with pytest.raises(ValueError, match="hundredths of a degree from 0 to 60 C"):
        read.thermogram(path)


@pytest.mark.parametrize("palette", colour.PALETTES)
def test_a_palette_is_recognised_and_undone(palette: str, tmp_path: Path) -> None:
    path = tmp_path / "m.png"
    pillow.fromarray(colour.paint(TRUTH, palette)).save(path)
    found = read.thermogram(path, limits=colour.LIMITS)
    np.testing.assert_allclose(found.values, TRUTH, atol=15 / 255)
    relative = read.thermogram(path)
    assert relative.celsius is None
    assert "temperatures are not known" in relative.notes[-1]
    np.testing.assert_allclose(22 + 15 * relative.values, TRUTH, atol=15 / 255)


@pytest.mark.parametrize("turn", [0, 1, 2])
def test_a_bar_is_the_palette(turn: int, tmp_path: Path) -> None:
    """A palette that is nowhere else; the bar right, left or below; JPEG; text and a crosshair."""
    table = np.stack([np.arange(256), 255 - np.arange(256), 128 + 0 * np.arange(256)], 1)
    big = body(192, 256)
    image = table[((big - 22) / 15 * 255).clip(0, 255).astype(int)].astype(np.uint8)
    image[90:92, 100:140] = image[70:110, 119:121] = 255
    page = np.zeros((192, 300, 3), np.uint8)
    page[:, :256] = image
    page[20:172, 270:288] = table[np.linspace(255, 0, 152).astype(int)][:, None]
    expected = big
    if turn == 1:  # to the left
        page, expected = page[:, ::-1], big[:, ::-1]
    elif turn == 2:  # below, hot to the right
        page, expected = page.transpose(1, 0, 2)[:, ::-1], big.T[:, ::-1]
    pillow.fromarray(np.ascontiguousarray(page)).save(tmp_path / "m.jpg", quality=90)
    found = read.thermogram(tmp_path / "m.jpg", limits=(22, 37))
    assert found.notes[0] == "its colour bar is the palette"
    values = found.values
    assert all(0 <= a - b <= 8 for a, b in zip(values.shape, expected.shape, strict=True))
    rows, columns = expected.shape
    shown = values[:rows, -columns:] if turn == 1 else values[:rows, :columns]
    assert (np.abs(shown - expected) < 0.5).mean() > 0.95


def test_pictures_that_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.png"
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    pillow.fromarray(noise).save(path)
    with pytest.raises(ValueError, match="of no known palette"):
        read.thermogram(path)
    with pytest.raises(ValueError, match="palette must be 'rainbow', 'iron' or 'grey'"):
        read.thermogram(path, palette="cividis")
    with pytest.raises(ValueError, match="low before high"):
        read.thermogram(path, limits=(37, 22))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="cannot be read as a picture"):
        read.thermogram(path)
    with pytest.raises(ValueError, match="does not exist"):
        read.thermogram(tmp_path / "none.png")
    (tmp_path / "m.xyz").touch()
    with pytest.raises(ValueError, match="must be temperature text"):
        read.thermogram(tmp_path / "m.xyz")


def test_files_larger_than_allowed_are_not_read(tmp_path: Path) -> None:
    """By the file's size, and by what a picture's header asks for."""
    matrix, page = tmp_path / "a.txt", tmp_path / "a.png"
    matrix.write_text("30 31 32\n" * 20)
    with pytest.raises(ValueError, match=r"a.txt cannot be read as a thermogram: the file has"):
        read.thermogram(matrix, max_bytes=100)
    pillow.new("RGB", (2000, 1000)).save(page)
    assert page.stat().st_size < 10**5
    sentence = r"a.png cannot be read as a picture: its header asks for 0.00559 GiB, max_bytes"
    with pytest.raises(ValueError, match=sentence) as report:
        read.thermogram(page, max_bytes=10**6)
    assert str(report.value).count("a.png") == 1
    with pytest.raises(ValueError, match="max_bytes must be"):
        read.thermogram(page, max_bytes=0)


def test_grey_as_rgba(tmp_path: Path) -> None:
    level = ((TRUTH - 22) / 15 * 255).clip(0, 255).astype(np.uint8)
    pillow.fromarray(np.dstack([level] * 3 + [np.full_like(level, 255)])).save(tmp_path / "m.png")
    found = read.thermogram(tmp_path / "m.png", limits=(22, 37))
    assert found.origin == "grey"
    np.testing.assert_allclose(found.values, TRUTH.clip(22), atol=15 / 255)


def jpeg(path: Path, segment: bytes) -> None:
    """A JPEG with an APP1 segment."""
    pillow.fromarray(np.zeros((32, 32, 3), np.uint8) + 90).save(path)
    data = path.read_bytes()
    length = (len(segment) + 2).to_bytes(2, "big")
    path.write_bytes(data[:2] + b"\xff\xe1" + length + segment + data[2:])


def test_a_flir_file_without_its_temperatures(tmp_path: Path) -> None:
    jpeg(tmp_path / "m.jpg", b"Exif\0\0MM\0*FLIR Systems AB")
    with pytest.raises(ValueError, match="APP1 segment 'FLIR' is gone"):
        read.thermogram(tmp_path / "m.jpg")


def report(celsius: np.ndarray, **settings: float) -> types.ModuleType:
    module = types.ModuleType("flyr")
    module.unpack = lambda _: types.SimpleNamespace(celsius=celsius, metadata=settings)
    return module


def test_a_flir_file_with_absurd_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jpeg(tmp_path / "m.jpg", b"FLIR\0\1\0\0rest")
    monkeypatch.setitem(sys.modules, "flyr", report(TRUTH, emissivity=0.98))
    np.testing.assert_allclose(read.thermogram(tmp_path / "m.jpg").values, TRUTH, atol=1e-5)
    for module, message in (
        (report(TRUTH, reflected_apparent_temperature=571.15), "reflected temperature.*298.0"),
        (report(TRUTH, emissivity=0.0), "emissivity from 0 to 1"),
        (report(TRUTH * 1e4), "camera settings may be wrong"),
    ):
        monkeypatch.setitem(sys.modules, "flyr", module)
        with pytest.raises(ValueError, match=message):
            read.thermogram(tmp_path / "m.jpg")
    monkeypatch.setitem(sys.modules, "flyr", None)
    with pytest.raises(MissingLibrary, match="EUPL"):
        read.thermogram(tmp_path / "m.jpg")


def test_real_flir_files(lesionkit_data: Path) -> None:
    """The ranges that another reading of them has (Thermimage's formula)."""
    pytest.importorskip("flyr", reason="flyr comes with lesionkit[flir]")
    folder = lesionkit_data / "data/misc/flir_radiometric"
    for name, low, high in (("ax8", 24.36, 25.47), ("flir_example", 25.95, 62.32)):
        found = read.thermogram(folder / f"{name}.jpg").values
        assert found.min() == pytest.approx(low, abs=0.05)
        assert found.max() == pytest.approx(high, abs=0.05)


def test_real_matrices_are_their_pictures(lesionkit_data: Path) -> None:
    folder = lesionkit_data / "data/breast_thermal/dmr_ir"
    for path in sorted((folder / "txt").glob("*.txt"))[::2]:
        image = read.thermogram(folder / "celsius_x100_png16" / f"{path.stem}.png")
        matrix = read.thermogram(path)
        np.testing.assert_allclose(matrix.values, image.values, atol=0.00501)
