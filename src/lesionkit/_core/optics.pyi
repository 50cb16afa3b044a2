# csrc/optics/bind.cpp, in its order.
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

_Bytes: TypeAlias = NDArray[np.uint8]
_Singles: TypeAlias = NDArray[np.float32]
_Doubles: TypeAlias = NDArray[np.float64]
_Readings: TypeAlias = NDArray[np.float64] | NDArray[np.complex128]

lanes: int

class ForwardPlan:
    device_parts: dict[str, tuple[str, ...]]
    def __init__(self, parts: dict[str, Any]) -> None: ...
    def measure(self, absorption: _Doubles, scattering: _Doubles, out: _Readings) -> None: ...
    def fluence(self, absorption: _Doubles, scattering: _Doubles, out: _Readings) -> None: ...
    def measure_mixture(
        self, fractions: _Doubles, absorption: _Doubles, scattering: _Doubles, out: _Readings
    ) -> None: ...

def fields(
    plan: ForwardPlan,
    absorption: _Doubles,
    scattering: _Doubles,
    readings: _Readings,
    out: _Readings,
) -> None: ...
def jacobian(
    plan: ForwardPlan | VolumePlan,
    absorption: _Doubles,
    scattering: _Doubles,
    field: _Readings,
    by_absorption: _Readings,
    by_scattering: _Readings,
) -> None: ...
def coarse_jacobian(
    plan: ForwardPlan | VolumePlan,
    absorption: _Doubles,
    scattering: _Doubles,
    field: _Readings,
    start: NDArray[np.int64],
    column: NDArray[np.int32],
    weight: _Doubles,
    pair: NDArray[np.int32],
    scale: _Readings,
    by_absorption: _Readings,
    by_scattering: _Readings,
) -> None: ...
def gradient(
    plan: ForwardPlan,
    absorption: _Doubles,
    scattering: _Doubles,
    weight: _Readings,
    by_absorption: _Doubles,
    by_scattering: _Doubles,
) -> None: ...
def philox(counter: Sequence[int], key: int) -> list[int]: ...
def normals(words: NDArray[np.uint32], out: _Singles) -> None: ...
def draw_regions(
    limits: _Doubles, single_diameters: _Doubles, seed: int, first: int, regions: _Doubles
) -> None: ...
def element_shares(regions: _Doubles, corners: _Doubles, shares: _Doubles) -> None: ...
def paint(
    regions: _Doubles,
    radius: float,
    gray: Sequence[float],
    noise: float,
    seed: int,
    first: int,
    chromophores: _Singles,
    mri: _Bytes,
) -> None: ...
def add_noise(
    readings: _Doubles, noise: float, seed: int, first: int, signal: _Singles
) -> None: ...

class VolumePlan:
    targets: tuple[float, float]
    def __init__(self, parts: dict[str, Any]) -> None: ...
    def first_target(
        self, absorption: float, scattering: float, field: float, reading: float
    ) -> float: ...

class Hierarchy:
    def __init__(self, levels: list[dict[str, Any]], inverse: _Singles) -> None: ...

def volume_matrix(
    plan: VolumePlan, absorption: _Doubles, scattering: _Doubles, out: _Doubles
) -> None: ...
def volume_fields(
    plan: VolumePlan,
    hierarchy: Hierarchy,
    absorption: _Doubles,
    scattering: _Doubles,
    near: _Readings,
    field: float,
    reading: float,
    rounds: int,
    readings: _Readings,
    out: _Readings,
    iterations: NDArray[np.int32],
) -> float: ...
def volume_gradient(
    plan: VolumePlan,
    absorption: _Doubles,
    scattering: _Doubles,
    field: _Readings,
    weight: _Readings,
    by_absorption: _Doubles,
    by_scattering: _Doubles,
) -> None: ...
