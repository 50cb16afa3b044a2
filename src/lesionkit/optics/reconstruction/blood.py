"""What two chromophores say together: total haemoglobin and its saturation with oxygen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def with_blood(maps: Mapping[str, Any]) -> dict[str, Any]:
    """Maps, and those of total haemoglobin and oxygen saturation where both haemoglobins are there.

    maps    : "hbo" and "hb" in micromolar, and any others
    returns : the maps, then "hbt" = hbo + hb, micromolar, and "sto2" = 100 hbo / hbt, per cent, NaN
              where there is no blood
    """
    whole = dict(maps)
    if "hbo" in whole and "hb" in whole:
        hbo = np.asarray(whole["hbo"])
        whole["hbt"] = total = hbo + whole["hb"]
        empty = np.full_like(total, np.nan)
        whole["sto2"] = np.divide(100 * hbo, total, out=empty, where=total > 0)
    return whole
