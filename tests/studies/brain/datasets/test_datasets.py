"""Sets in pairs of squares, augmentation, noise filters, near duplicates: by hand and planted."""

from __future__ import annotations

import io as memory
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

pillow = pytest.importorskip("PIL.Image", reason="Pillow comes with lesionkit[studies]")
pytest.importorskip("skimage", reason="scikit-image comes with lesionkit[studies]")

from lesionkit.studies.brain.datasets import duplicates, pairs  # noqa: E402
from lesionkit.studies.brain.datasets.augment import DENOISERS, augment, denoise  # noqa: E402
from studies.brain import brain_folder  # noqa: E402

ROIS = np.random.default_rng(0).integers(0, 255, (5, 10, 10)).astype(np.uint8)


def test_augmentation_is_drawn_from_seed_and_item() -> None:
    whole = augment(ROIS, 3)
    assert whole.dtype == np.uint8
    np.testing.assert_array_equal(augment(ROIS[2:4], 3, 2), whole[2:4])
    assert (augment(ROIS, 4) != whole).any()
    assert all((a != b).any() for a, b in zip(whole, ROIS, strict=True))


def test_an_augmented_copy_is_a_symmetry_of_the_image() -> None:
    ramp = (np.arange(100.0).reshape(10, 10) / 100) ** 2 * 200
    copies = augment(np.tile(ramp, (60, 1, 1)))
    symmetries = [
        f(r) for f in (np.array, np.fliplr) for r in (np.rot90(ramp, k) for k in range(4))
    ]
    likeness = [[np.corrcoef(c.ravel(), s.ravel())[0, 1] for s in symmetries] for c in copies]
    which = np.argmax(likeness, 1)
    assert np.max(likeness, 1).min() > 0.95
    assert set(which) == set(range(1, 8))  # each but the image itself
    wide = augment(np.ones((3, 4, 9), np.float32))
    assert (wide.shape, wide.dtype) == ((3, 4, 9), np.float32)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 3)), "images must be uint8 or floats of shape"),
        (np.zeros((1, 3, 3), int), "images must be uint8 or floats of shape"),
        (np.full((1, 3, 3), np.nan), "images must be finite"),
    ],
)
def test_augment_refuses(images: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        augment(images)


def test_each_filter_takes_noise_away_and_leaves_an_edge() -> None:
    truth = np.where(np.arange(40) < 20, 50.0, 150.0) * np.ones((2, 40, 1))
    noisy = truth + np.random.default_rng(1).normal(0, 10, truth.shape)
    inside = np.ones(noisy.shape, bool)
    errors = {how: np.abs(denoise(noisy, inside, how) - truth).mean() for how in DENOISERS}
    assert errors["none"] == pytest.approx(np.abs(noisy - truth).mean(), rel=1e-5)
    assert all(errors[how] < 0.75 * errors["none"] for how in DENOISERS[1:])
    assert denoise(noisy, inside, "tv").dtype == np.float32
    np.testing.assert_array_equal(denoise(noisy, ~inside, "nlm"), noisy.astype(np.float32))
    with pytest.raises(ValueError, match="how must be 'none'"):
        denoise(noisy, inside, "wiener")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="brain must have the image's shape"):
        denoise(noisy, inside[:1])


def picture(number: int, side: int = 120) -> np.ndarray:
    """A head of smooth noise of its own on a dark background."""
    random = np.random.default_rng(number)
    y, x = (np.mgrid[:side, :side] / side - 0.5) * 2.2
    soft = gaussian_filter(random.normal(size=(side, side)), side / 24)
    head = np.hypot(y, x) < 0.85 + 0.1 * random.random()
    return np.where(head, 120 + 60 * soft / soft.std(), 0).clip(0, 255).astype(np.uint8)


def test_planted_duplicates_are_found_and_others_are_not() -> None:
    images = [picture(i) for i in range(20)]
    stored = memory.BytesIO()
    pillow.fromarray(images[1]).save(stored, "JPEG", quality=40)
    copies = [
        (0.8 * images[0] + 30).astype(np.uint8),
        np.array(pillow.open(stored)),
        images[2][2:-2, 2:-2],
        images[3].astype(np.int16) * 7,
        np.array(pillow.fromarray(images[4]).resize((90, 90))),
    ]
    found = duplicates.near_duplicates([*images, *copies, np.zeros((9, 9)), np.ones((9, 9))])
    assert [pair[:2] for pair in found] == [(i, 20 + i) for i in range(5)]
    assert all(pair.distance <= duplicates.AT_MOST for pair in found)
    assert duplicates.near_duplicates([]) == []
    with pytest.raises(ValueError, match="image must be finite"):
        duplicates.perceptual_hash(np.full((3, 3), np.inf))


def test_many_images_are_compared_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    images = [picture(i % 7, 40) for i in range(15)]
    whole = duplicates.near_duplicates(images)
    monkeypatch.setattr(duplicates, "CHUNK", 4)
    assert duplicates.near_duplicates(images) == whole
    assert [pair[:2] for pair in whole] == [
        (i, j) for i in range(15) for j in range(i + 1, 15) if i % 7 == j % 7
    ]


def test_pairs_of_cheng_from_jpeg(tmp_path: Path) -> None:
    place = brain_folder.write_cheng(tmp_path, 4)
    (place / "glioma/9.jpg").write_bytes(b"no picture")
    (place / "glioma/9.txt").write_text("2 .5 .5 .2 .2\n")
    (place / "glioma/10.txt").unlink()
    (place / "glioma/11.txt").write_text("2 .5 .5\n")
    scans, told, problems = pairs.cheng(tmp_path)
    assert [scan.patient for scan in scans] == [
        f"{kind}-{n}" for kind, ns in (("glioma", (3, 4)), ("meningioma", (1, 2, 3, 4))) for n in ns
    ]
    for scan in scans:
        one, mirror = scan.squares
        assert one.abnormal
        assert not mirror.abnormal
        assert one.row == mirror.row
        across = np.flatnonzero(scan.brain.any((0, 1)))
        assert one.column + mirror.column + 9 == across[0] + across[-1]
        assert scan.lossy
    assert len(problems) == 3
    assert "10.jpg must have 10.txt beside it" in problems[0]
    assert "must hold lines of five numbers" in problems[1]
    assert "9.jpg" in problems[2]
    assert told[0].startswith("Cheng: 6 of 9 slices")
    assert "8 bits, lossy (JPEG)" in told[1]


def test_a_tumour_on_the_midline_has_no_mirror_image(tmp_path: Path) -> None:
    brain_folder.write_cheng(tmp_path, 1, middle=60)
    scans, told, problems = pairs.cheng(tmp_path)
    assert (scans, problems) == ([], [])
    assert told[0].startswith("Cheng: 0 of 2 slices")


def test_pairs_of_cheng_from_mat(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="h5py comes with lesionkit[studies]")
    place = tmp_path / pairs.CHENG
    place.mkdir(parents=True)
    for number in (1, 2, 3):
        image, tumour = brain_folder.cheng(number)
        with h5py.File(place / f"{number}.mat", "w") as file:
            data = file.create_group("cjdata")
            data["image"] = image.astype(np.int16).T * 40
            data["tumorMask"] = tumour.astype(np.uint8).T
            data["label"] = np.array([[2.0]])
            data["PID"] = np.array([[ord(c)] for c in f"10{number // 2}"], np.uint16)
    scans, told, problems = pairs.cheng(tmp_path)
    assert problems == []
    assert len(scans) == 3
    names = [scan.patient for scan in scans]
    assert names[0] != names[1] == names[2]
    assert all("10" + str(n) not in name for name in names for n in (0, 1))
    assert not any(scan.lossy for scan in scans)
    assert len(told) == 1


def test_heads_with_mirror_images(tmp_path: Path) -> None:
    pytest.importorskip("SimpleITK", reason="SimpleITK comes with lesionkit[studies]")
    brain_folder.write_head(tmp_path)
    (scan,), told, problems = pairs.heads(tmp_path)
    assert problems == []
    assert scan.image.shape == scan.brain.shape == (2, 96, 96)  # 120 pixels of 0.8 mm
    squares = pairs.drawn(scan, 2, 0)
    assert [square.abnormal for square in squares] == [True, True, False, False]
    assert squares != pairs.drawn(scan, 2, 1)
    assert told[0] == "Heads of PyRadiomics: 1; pixels of 0.80 mm became 1 mm."
    assert "One head alone" in told[1]
    assert pairs.heads(tmp_path / "none") == pairs.cheng(tmp_path / "none") == ([], [], [])
