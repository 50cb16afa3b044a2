"""What the spatial methods refuse, and in what words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lesionkit.clustering import FCM_S1, FGFCM, FLICM, EnFCM, sFCM
from spatial_cases import ALL

ZEROS = np.zeros((6, 7))


@pytest.mark.parametrize(
    ("settings", "image", "error", "message"),
    [
        ({}, ZEROS[0], ValueError, "image must have 2 or 3 axes, got float64 array"),
        ({}, np.zeros((2, 3, 4, 5)), ValueError, "image must have 2 or 3 axes"),
        ({}, ZEROS + np.nan, ValueError, "image must be finite, got 42 NaN or infinite"),
        ({}, ZEROS.astype(complex), TypeError, "image must hold real numbers, got complex128"),
        ({}, ZEROS > 0, TypeError, "image must hold real numbers, got bool"),
        ({}, "abc", TypeError, "image must hold real numbers"),
        ({}, np.zeros((0, 3)), ValueError, "image must hold a pixel or more"),
        ({}, np.zeros((1, 2)), ValueError, "n_clusters must be at most the number of pixels, 2"),
        ({"n_clusters": 0}, ZEROS, ValueError, "n_clusters must be from 1 to 256, got 0"),
        ({"n_clusters": 2.0}, ZEROS, TypeError, "n_clusters must be an integer"),
        ({"m": 1.0}, ZEROS, ValueError, "m must be a finite number above 1, got 1.0"),
        ({"m": np.inf}, ZEROS, ValueError, "m must be a finite number above 1, got inf"),
        ({"size": 2}, ZEROS, ValueError, "size must be odd, so that a window has a middle, got 2"),
        ({"size": 0}, ZEROS, ValueError, "size must be at least 1, got 0"),
        (
            {"size": (3, 3, 3)},
            ZEROS,
            ValueError,
            "size must be one odd number, or one for each of 2",
        ),
        ({"size": 183}, ZEROS, ValueError, "size must give a window of at most 32767 pixels"),
        (
            {"border": "wrap"},
            ZEROS,
            ValueError,
            "border must be 'valid', 'reflect', 'symm.* or 'edge', got str 'wrap'",
        ),
        (
            {"init": "random"},
            ZEROS,
            ValueError,
            r"init must be 'k-means\+\+' or centres, got 'rand",
        ),
        ({"init": [1.0, 2.0]}, ZEROS, ValueError, r"init must have shape \(3, 1\), got float64"),
        ({"init": [1, 2, np.nan]}, ZEROS, ValueError, "init must be finite, got 1 NaN"),
        ({"max_iter": 0}, ZEROS, ValueError, "max_iter must be at least 1, got 0"),
        ({"tol": -1.0}, ZEROS, ValueError, "tol must be a finite number at least 0, got -1.0"),
    ],
)
@pytest.mark.parametrize("kind", ALL)
def test_mistakes(kind: Any, settings: Any, image: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=f"^{message}"):
        kind(**({"n_clusters": 3} | settings)).fit(image)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (FCM_S1(3, alpha=-1), "alpha must be a finite number at least 0, got -1"),
        (
            EnFCM(3, alpha=np.nan),
            r"alpha must be a finite number at least 0 and at most 1e\+100, got nan",
        ),
        (EnFCM(3, levels=1), "levels must be from 2 to 65536, got 1"),
        (FGFCM(3, lambda_s=0), "lambda_s must be a finite number above 0, got 0"),
        (FGFCM(3, lambda_g=-2), "lambda_g must be a finite number above 0, got -2"),
        (FGFCM(3, variant="S3"), "variant must be 'local', 'S1' or 'S2', got str 'S3'"),
        (sFCM(3, p=-1), "p must be a finite number at least 0, got -1"),
        (sFCM(3, p=0, q=0), "p and q must not both be 0"),
    ],
)
def test_mistakes_of_their_own(made: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        made.fit(ZEROS)


@pytest.mark.parametrize(
    ("mask", "error", "message"),
    [
        (np.zeros((6, 7), bool), ValueError, "mask must hold a pixel or more, and all"),
        (
            np.ones((7, 6), bool),
            ValueError,
            r"mask must have the shape of image, \(6, 7\), got bool",
        ),
        (np.full((6, 7), 0.5), ValueError, "mask must hold booleans .*, got 0.5"),
        (np.full((6, 7), np.nan), ValueError, "mask must hold booleans .*, got nan"),
        (np.full((6, 7), "a"), TypeError, "mask must hold booleans .*, got <U1 array"),
    ],
)
def test_mistakes_in_the_mask(mask: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=f"^{message}"):
        FCM_S1(3).fit(ZEROS, mask)


def test_mistakes_before_and_after_the_fit() -> None:
    with pytest.raises(AttributeError, match="FLICM is not fitted yet; call fit"):
        FLICM(2).membership(0)
    made = FLICM(2, init=[0.0, 1.0]).fit(ZEROS)
    with pytest.raises(ValueError, match="j must be from 0 to 1, got 2"):
        made.membership(2)
    with pytest.raises(ValueError, match="channel_axis must be from -3 to 2, got 3"):
        FCM_S1(2).fit(np.zeros((2, 3, 4)), channel_axis=3)
    with pytest.raises(ValueError, match="image must be finite inside the mask, got 1 NaN"):
        FCM_S1(2).fit(np.where(np.eye(6, 7), np.nan, 0), np.arange(42).reshape(6, 7) < 7)
    with pytest.raises(ValueError, match="image has masked entries"):
        FCM_S1(2).fit(np.ma.masked_less(np.arange(42.0).reshape(6, 7), 3))
