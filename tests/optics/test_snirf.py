"""SNIRF files: units, time frames, kinds of data, and maps from them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from lesionkit.optics import (
    ForwardModel,
    disc_mesh,
    read_snirf,
    reconstruct_measured,
    spectra,
    write_mesh,
)

h5py = pytest.importorskip("h5py")

NM = (852.0, 661.0, 785.0)  # in no order
AT = 20 * np.column_stack([f(np.arange(8) * np.pi / 4) for f in (np.cos, np.sin)])
PAIRS = np.argwhere(~np.eye(8, dtype=bool))


def write(path: Path, readings, *, modulated=True, unit="mm", **change) -> Path:
    """`readings` (frames, wavelengths, pairs), complex or real; `change` sets or (None) drops."""
    scale = {"mm": 1.0, "cm": 0.1, "m": 1e-3}.get(unit, 1.0)
    channels, series = [], []
    for w in range(len(NM)):
        for p, (s, d) in enumerate(PAIRS):
            for kind in (101, 102) if modulated else (1,):
                value = readings[:, w, p]
                series.append(np.degrees(np.angle(value)) if kind == 102 else np.abs(value))
                channels.append((s + 1, d + 1, w + 1, kind, 1, "deg" if kind == 102 else "V"))
    members = {
        "formatVersion": "1.1",
        "nirs/metaDataTags/LengthUnit": unit,
        "nirs/metaDataTags/FrequencyUnit": "MHz",
        "nirs/probe/wavelengths": np.array(NM),
        "nirs/probe/frequencies": np.array([100.0]),
        "nirs/probe/sourcePos2D": AT * scale,
        "nirs/probe/detectorPos2D": AT * scale,
        "nirs/data1/dataTimeSeries": np.column_stack(series),
        "nirs/data1/time": np.arange(len(readings)) * 0.1,
        **{
            f"nirs/data1/measurementList{i}/{name}": value
            for i, channel in enumerate(channels, 1)
            for name, value in zip(
                (
                    *("sourceIndex", "detectorIndex", "wavelengthIndex"),
                    *("dataType", "dataTypeIndex", "dataUnit"),
                ),
                channel,
                strict=True,
            )
        },
    }
    for name, value in change.items():
        key = name.replace("__", "/")
        for known in [k for k in members if k.endswith(key)] or [key]:
            members[known] = value
    with h5py.File(path, "w") as file:
        for name, value in members.items():
            if value is not None:
                file[name] = value
    return path


def wave(frames=1, seed=0):
    random = np.random.default_rng(seed)
    size = random.uniform(1, 2, (frames, len(NM), len(PAIRS)))
    return size * np.exp(1j * random.uniform(-3, 3, size.shape))


@pytest.mark.parametrize("unit", ["mm", "cm", "m"])
def test_reads_amplitudes_and_phases(tmp_path: Path, unit: str) -> None:
    readings = wave()
    found = read_snirf(write(tmp_path / "a.snirf", readings, unit=unit))
    np.testing.assert_array_equal(found.wavelengths, sorted(NM))
    np.testing.assert_array_equal(found.pairs, PAIRS)
    np.testing.assert_allclose(found.modulated, readings[0][[1, 2, 0]], rtol=1e-12)
    np.testing.assert_allclose(found.sources, AT, atol=1e-12)
    assert found.frequency == 1e8
    assert found.active.all()


def test_frames_are_averaged_or_chosen(tmp_path: Path) -> None:
    readings = wave(4)
    path = write(tmp_path / "a.snirf", readings)
    for frames in (None, (1, 3)):
        mean = readings[slice(*(frames or (None,)))].mean(axis=0)[[1, 2, 0]]
        np.testing.assert_allclose(read_snirf(path, frames=frames).modulated, mean, rtol=1e-12)
    for frames in ((2, 2), (0, 5), (-1, 2)):
        with pytest.raises(ValueError, match=r"frames\[[01]\] must be from"):
            read_snirf(path, frames=frames)


def test_continuous_light_and_missing_numbers(tmp_path: Path) -> None:
    readings = np.abs(wave(3))
    readings[1, 0, 5] = np.nan  # one frame of a reading
    readings[:, 2, 7] = np.nan  # all of them
    found = read_snirf(write(tmp_path / "a.snirf", readings, modulated=False))
    assert found.frequency == 0
    assert not found.phase.any()
    bad = np.argwhere(~found.active)
    np.testing.assert_array_equal(bad, [[1, 7]])
    mean = readings[[0, 2], 0, 5].mean()
    assert found.amplitude[2, 5] == pytest.approx(mean, rel=1e-12)


def test_lists_of_version_1_1(tmp_path: Path) -> None:
    path = write(tmp_path / "a.snirf", np.abs(wave()), modulated=False)
    whole = read_snirf(path)
    with h5py.File(path, "r+") as file:
        data, names = file["nirs/data1"], ("sourceIndex", "detectorIndex", "wavelengthIndex")
        rows = [data[f"measurementList{i}"] for i in range(1, 1 + len(NM) * len(PAIRS))]
        lists = {n: [r[n][()] for r in rows] for n in (*names, "dataType")}
        for i in range(len(rows)):
            del data[f"measurementList{i + 1}"]
        for name, values in lists.items():
            data[f"measurementLists/{name}"] = values
        data["dataOffset"] = np.full(len(rows), 2.0)
    np.testing.assert_allclose(read_snirf(path).amplitude, whole.amplitude + 2, rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"dataType": 201}, r"must hold raw data .* got 201 \(gated time domain\)"),
        ({"dataType": 51}, r"got 51 \(fluorescence\)"),
        ({"dataType": 99999}, r"got 99999 \(processed data\)"),
        ({"dataType": 101}, r"amplitudes and phases of modulated light .* got \[101\]"),
        ({"unit": "inch"}, "must say LengthUnit as one of m, cm, mm, .* got 'inch'"),
        ({"metaDataTags__FrequencyUnit": "mHz"}, "must say FrequencyUnit as one of Hz"),
        ({"probe__frequencies": np.array([1e-4])}, "must be 0, or .* Hz, got 100"),
        ({"dataTypeIndex": 2}, "must hold data of one of its 1 frequencies"),
        ({"dataUnit": None}, "must say the dataUnit of its phases, rad or deg"),
        ({"wavelengthIndex": 4}, "must number 8 sources, 8 detectors and 3 wavelengths from 1"),
        ({"sourceIndex": 1}, "must hold each pair of optodes once at each wavelength"),
        ({"probe__sourcePos2D": None}, "must hold sourcePos2D or sourcePos3D"),
        (
            {"probe__wavelengths": np.array([661.0, 661, 785])},
            "must hold wavelengths above 0, each",
        ),
        ({"nirs__probe__useLocalIndex": 1}, "must number optodes over all modules"),
        ({"nirs__data2__time": np.ones(2)}, "must hold one group 'data', got 2"),
        ({"dataTimeSeries": np.ones((2, 3))}, "must hold dataTimeSeries of 336 channels"),
    ],
)
def test_what_is_refused(tmp_path: Path, change, sentence) -> None:
    path = write(tmp_path / "a.snirf", wave(), **change)
    with pytest.raises(ValueError, match=sentence) as report:
        read_snirf(path)
    assert "a.snirf" in str(report.value)


def test_a_phase_unit_that_the_file_lacks(tmp_path: Path) -> None:
    path = write(tmp_path / "a.snirf", wave(), dataUnit=None)
    np.testing.assert_allclose(
        read_snirf(path, phase_unit="deg").modulated, wave()[0][[1, 2, 0]], rtol=1e-12
    )
    with pytest.raises(ValueError, match="phase_unit must be None, 'rad' or 'deg'"):
        read_snirf(path, phase_unit="turns")


def test_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no file .*a\.snirf"):
        read_snirf(tmp_path / "a.snirf")
    path = write(tmp_path / "a.snirf", wave())
    whole = path.read_bytes()
    for damaged in (b"", b"no HDF5", whole[: len(whole) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"a\.snirf (cannot be read as SNIRF|must hold)"):
            read_snirf(path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r"SNIRF files need h5py, which.*\[snirf\]'"):
        read_snirf(path)


def test_maps_from_snirf(tmp_path: Path) -> None:
    mesh = disc_mesh(radius=20.0, nodes=817, optodes=8)
    write_mesh(mesh, tmp_path / "disc.npz")
    model = ForwardModel(mesh, AT, AT, frequency=1e8)
    lump = 1 + np.exp(-np.square((mesh.nodes - [7, 3]) / 5).sum(axis=1))
    mus = spectra.scattering(NM, 0.9, 1.1)[:, None] * np.ones(len(lump))
    for name, hbo in (("anom", 12 * lump), ("homog", 12 * np.ones_like(lump))):
        found = model.measure(spectra.absorption(NM, hbo, 8.0, 40.0), mus)
        write(tmp_path / f"{name}.snirf", found[None, :, PAIRS[:, 0], PAIRS[:, 1]], unit="cm")
    files = tmp_path / "anom.snirf", tmp_path / "homog.snirf"
    made = reconstruct_measured(*files, tmp_path / "disc.npz")
    found = made.found.at([[7.0, 3], [-9, -6]])["hbo"]
    assert found[0] > 1.4 * found[1]
    assert made.reference_tissue["hbo"] == pytest.approx(12, rel=0.02)
    again = reconstruct_measured(*map(read_snirf, files), tmp_path / "disc.npz")
    np.testing.assert_array_equal(again.found.maps["hbo"], made.found.maps["hbo"])
    with pytest.raises(ValueError, match="mesh must be named where data are Readings"):
        reconstruct_measured(*map(read_snirf, files))
    write(files[1], wave(), unit="cm", probe__sourcePos2D=AT * 0.11)
    with pytest.raises(ValueError, match=r"must have its sources where .* has them"):
        reconstruct_measured(*files, tmp_path / "disc.npz")
