"""What the nets learn from and are tested on: lessons, scenes, scores; the tables' rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lesionkit.studies.thermogram import body, clusters, regions
from lesionkit.studies.thermogram.learning import plant
from thermal_women import women

torch = pytest.importorskip("torch", reason="torch is not installed: lesionkit[nets]")
pytest.importorskip("skimage", reason="scikit-image comes with lesionkit[studies]")
pytest.importorskip("sklearn")
spots = pytest.importorskip("lesionkit.studies.thermogram.learning.spots")
silver = pytest.importorskip("lesionkit.studies.thermogram.learning.silver")
cnn = pytest.importorskip("lesionkit.studies.thermogram.learning.cnn")


def test_halves_are_healthy_and_apart() -> None:
    """No sick woman, none from the side, none with a breast out of the frame."""
    all_women = list(women())
    odd = replace(all_women[1], axis=body.Midline(78, 0.3))
    lost = replace(all_women[2], breasts=(np.zeros_like(odd.body), all_women[2].breasts[1]))
    known, unseen = spots.halves([all_women[0], odd, lost, *all_women[3:]], 0)
    names = [{woman.name for woman in half} for half in (known, unseen)]
    assert not names[0] & names[1]
    assert names[0] | names[1] == {w.name for w in all_women[3:] if not w.sick}
    assert len(known) == 3
    again, _ = spots.halves([all_women[0], odd, lost, *all_women[3:]], 0)
    assert [w.name for w in again] == [w.name for w in known]


def test_lessons_are_windows_of_planted_women() -> None:
    known = [woman for woman in women() if not woman.sick]
    images, masks = spots.lessons(known, 6, 1)
    assert images.shape == (48, 64, 64, 3)
    assert masks.shape == (48, 64, 64)
    again = spots.lessons(known, 1, 1)
    np.testing.assert_array_equal(again[0], images[:8])  # lesson i depends on seed and i alone
    np.testing.assert_array_equal(again[1], masks[:8])
    other, _ = spots.lessons(known, 1, 2)
    assert (other != again[0]).any()
    assert 0.3 < masks.any((1, 2)).mean() < 0.95


def test_one_lesson_in_five_is_plain_and_warmth_is_shifted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = [woman for woman in women() if not woman.sick]
    planted, seen, real = [], [], clusters.picture_of

    def planting(celsius, body, item, seed, **more):
        planted.append((item, more))
        return plant.plant(celsius, body, item, seed, **more)

    def painting(celsius, **more):
        seen.append(float(celsius[:5, :20].mean()))  # of the wall, where nothing is planted
        return real(celsius, **more)

    monkeypatch.setattr(spots, "plant", planting)
    monkeypatch.setattr(clusters, "picture_of", painting)
    spots.lessons(known, 25, 0)
    assert len(planted) / len(seen) == pytest.approx(0.8, abs=0.06)
    assert all("peak" not in more for _, more in planted)  # of any peak and width
    usual = [float(woman.celsius[:5, :20].mean()) for woman in known]
    shifts = np.array(seen) - np.tile(usual, 25)
    assert 1.4 < np.abs(shifts).max() <= 1.5 + 1e-5
    assert abs(shifts.mean()) < 0.25


def test_scenes_are_five_of_each_woman() -> None:
    unseen = [woman for woman in women() if not woman.sick][:2]
    tested = spots.scenes(unseen, 0, 10**6, spots.PEAK, spots.FWHM)
    assert tested.images.shape == (10, 128, 128, 3)
    assert tested.women.tolist() == [0] * 5 + [1] * 5
    assert tested.masks.any((1, 2)).tolist() == ([False] + 4 * [True]) * 2
    np.testing.assert_array_equal(tested.images[0], clusters.picture_of(unseen[0].celsius))
    both = unseen[0].breasts[0] | unseen[0].breasts[1]
    np.testing.assert_array_equal(tested.breasts[3], regions.scaled(both, 128))
    assert (spots.PEAK, spots.FWHM) == (2, 50)  # what the goal asks for
    spot = plant.plant(
        unseen[1].celsius, unseen[1].body, 10**6 + 4, 0, breasts=unseen[1].breasts, peak=2, fwhm=50
    )
    np.testing.assert_array_equal(tested.images[6], clusters.picture_of(spot.celsius))
    assert (tested.floor[tested.masks.any((1, 2))] > 1).all()


def test_a_pictures_score_is_that_of_its_surest_fiftieth() -> None:
    """Of breasts of 200 pixels the 4 surest; what lies beside them does not count."""
    sure = np.zeros((2, 20, 20), np.float32)
    breasts = np.zeros((2, 20, 20), bool)
    breasts[:, :10] = True
    sure[0, 0, :5] = (1, 0.9, 0.8, 0.7, 0.6)
    sure[1, 15:] = 1
    np.testing.assert_allclose(spots.surest(sure, breasts), [0.85, 0])


def test_rows_of_known_masks() -> None:
    masks = np.zeros((4, 8, 8), bool)
    masks[1, :2, :2] = masks[3, 4:6, 4:6] = True
    tested = spots.Scenes(
        np.zeros((4, 8, 8, 3), np.uint8),
        masks,
        np.ones_like(masks),
        np.array([0, 0, 1, 1]),
        np.zeros(4),
    )
    marked = np.zeros_like(masks)
    marked[1, :2, :4] = True  # 4 of 8 + 4: 2/3; the other spot is missed
    row = spots.scored(tested, np.array([0.1, 0.9, 0.2, 0.8]), marked, 0)
    assert row == {"image AUC": "1.000 (1.00-1.00)", "Dice": "0.333", "touched": "50 %"}
    bare = spots.scored(tested, np.array([0.5] * 4), None, 0)
    assert bare == {"image AUC": "0.500 (0.50-0.50)", "Dice": "–", "touched": "–"}


def test_a_net_learns_with_rare_pixels_weighed(tmp_path: Path) -> None:
    known = [woman for woman in women() if not woman.sick][:2]
    images, masks = spots.lessons(known, 2, 0)
    _, history = spots.learnt("unet", images, masks, tmp_path / "run", 2, 1, 0)
    assert len(history) == 1
    about = spots.unet.checkpoints.read(tmp_path / "run/last.pt")["about"]
    assert about["weight"] == pytest.approx(((~masks).sum() / masks.sum()) ** 0.5)
    assert (about["optimiser"], about["width"], about["batch"]) == ("sgd", 2, 4)
    with pytest.raises(ValueError, match="holds another run"):  # other lessons
        spots.learnt("unet", images[::-1].copy(), masks, tmp_path / "run", 2, 1, 0)


def test_overlap_and_its_interval() -> None:
    found = np.zeros((3, 4, 4), bool)
    truth = np.zeros((3, 4, 4), bool)
    found[0, :2], truth[0] = True, True  # 8 of 8 + 16
    found[1, 0] = truth[1, 0] = True
    np.testing.assert_allclose(silver.overlap(found, truth), [2 * 8 / 24, 1, 1])
    assert silver.report(np.array([0.5, 0.5]), 0) == "0.500 (0.500-0.500)"
    low, high = 0.9 - 1.96 * 0.1 / 7, 0.9 + 1.96 * 0.1 / 7
    values = 0.9 + 0.1 * np.tile([-1.0, 1.0], 25)[:49]
    report = silver.report(values, 0)
    assert [float(v) for v in report[7:-1].split("-")] == pytest.approx([low, high], abs=0.006)


def test_silver_truths_are_what_they_say() -> None:
    one = women()[1]
    image = clusters.picture_of(one.celsius)
    body_mask, breasts, red = (truth(one, image) for truth in silver.TRUTHS.values())
    np.testing.assert_array_equal(body_mask, regions.scaled(one.body, 128))
    assert breasts.sum() == pytest.approx(
        sum(regions.scaled(b, 128).sum() for b in one.breasts), abs=1
    )
    np.testing.assert_array_equal(red, clusters.segment(image).red)


def test_a_cnn_of_breasts_knows_nothing_of_warmth() -> None:
    some = list(women()[:3])
    seen = cnn.breasts(some)
    assert seen.shape == (3, 2, 48, 48)
    np.testing.assert_allclose(seen.mean((2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(seen.std((2, 3)), 1, atol=1e-4)
    warmer = [replace(woman, celsius=woman.celsius + 2) for woman in some]
    np.testing.assert_allclose(cnn.breasts(warmer), seen, atol=0.01)
    lost = replace(some[0], breasts=(some[0].breasts[0], np.zeros_like(some[0].body)))
    assert not cnn.breasts([lost])[0, 1].any()
    flipped = replace(
        some[0],
        celsius=some[0].celsius[:, ::-1].copy(),
        breasts=(some[0].breasts[1][:, ::-1], some[0].breasts[0][:, ::-1]),
    )
    np.testing.assert_allclose(cnn.breasts([flipped])[0, ::-1], seen[0], atol=1e-5)
    assert cnn.whole(some).shape == (3, 3, 64, 64)


def test_a_cnn_tells_what_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bright from dark, of patients not seen; and by chance nothing where kinds mean nothing."""
    monkeypatch.setattr(cnn, "EPOCHS", 6)
    random = np.random.default_rng(0)
    inputs = random.normal(0, 0.1, (40, 2, 16, 16)).astype(np.float32)
    kinds = np.arange(40) % 2 == 0
    inputs[kinds] += 1
    scores = cnn.out_of_fold(inputs, kinds, np.arange(40))
    assert scores[kinds].min() > scores[~kinds].max()
    np.testing.assert_array_equal(scores, cnn.out_of_fold(inputs, kinds, np.arange(40)))
