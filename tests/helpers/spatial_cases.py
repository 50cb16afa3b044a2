"""The spatial methods, as several tests make them."""

from __future__ import annotations

from lesionkit.clustering import FCM_S1, FCM_S2, FGFCM, FLICM, EnFCM, sFCM

ALL = (FCM_S1, FCM_S2, EnFCM, FGFCM, sFCM, FLICM)
