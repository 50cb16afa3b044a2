"""What the NIRST study compares: methods of reconstruction, and the phantoms they are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lesionkit.optics.phantoms.outline import Outline
from lesionkit.optics.phantoms.recipe import PhantomRecipe
from lesionkit.optics.phantoms.simulation import simulate
from lesionkit.optics.phantoms.store.phantoms import Phantoms

if TYPE_CHECKING:
    from lesionkit.nets.reconstruction import TrainedNet

Maps = npt.NDArray[np.float32]
Method = Callable[["Case"], Maps]
CLASSICAL = ("tikhonov", "dri")
THREE = "three inclusions"


@dataclass(frozen=True, eq=False)
class Case:
    """Phantoms to be reconstructed, in memory.

    Attributes
    ----------
    title : str
        Of the set.
    recipe : PhantomRecipe
        Of the phantoms.
    accuracy : str
        Of the signals.
    signal, mri, truth, regions : arrays
        `signal`, `mri`, `chromophores` and `inclusions` of the store.
    sparse : bool
        From every second optode only.
    first : int
        The number of the first in the store.

    Examples
    --------
    >>> from lesionkit.optics import PhantomRecipe, generate
    >>> from lesionkit.studies.nirst.methods import Case
    >>> recipe = PhantomRecipe(pixels=24, optodes=8, wavelengths=(785,))
    >>> case = Case.of("some", generate(recipe, 2, accuracy="fast"), 0, 2)
    >>> case.signal.shape, case.truth.shape
    ((2, 1, 8, 7), (2, 3, 24, 24))
    """

    title: str
    recipe: PhantomRecipe
    accuracy: str
    signal: npt.NDArray[np.float32]
    mri: npt.NDArray[np.uint8]
    truth: Maps
    regions: npt.NDArray[np.float64]
    sparse: bool = False
    first: int = 0

    @classmethod
    def of(cls, title: str, phantoms: Phantoms, first: int, stop: int) -> Case:
        """Read phantoms of a store.

        Parameters
        ----------
        title : str
            Of the set.
        phantoms : Phantoms
            The store.
        first, stop : int
            Which phantoms.

        Returns
        -------
        Case
            The phantoms.

        Raises
        ------
        TypeError, ValueError
            Where the store is damaged.
        """
        names = ("signal", "mri", "chromophores", "inclusions")
        signal, mri, truth, regions = (phantoms.read(name, first, stop) for name in names)
        return cls(
            title, phantoms.recipe, phantoms.accuracy, signal, mri, truth, regions, first=first
        )

    def discs(self, phantom: int) -> npt.NDArray[np.float64]:
        """The inclusions of a phantom.

        Parameters
        ----------
        phantom : int
            Its number in the case.

        Returns
        -------
        (inclusions, 3) array
            x, y, radius of those that are there, mm.
        """
        discs = self.regions[phantom, 1:, :3]
        return discs[discs[:, 2] > 0]


def classical(name: Any) -> Method:
    """Tikhonov's reconstruction or DRI, by the optics domain.

    Parameters
    ----------
    name : {"tikhonov", "dri"}
        Which.

    Returns
    -------
    callable
        From a :class:`Case` to maps (n, 3, pixels, pixels).

    Raises
    ------
    TypeError, ValueError
        Where the method refuses the case, when it is called.

    Examples
    --------
    >>> from lesionkit.studies.nirst.methods import classical
    >>> method = classical("dri")
    >>> maps = method(case)  # doctest: +SKIP
    """

    def reconstruct(case: Case) -> Maps:
        from lesionkit.optics import reconstruct_phantoms

        signal, recipe = case.signal, case.recipe
        if case.sparse:
            signal, recipe = every_second(signal), half_of(recipe)
        mri = case.mri if name == "dri" else None
        maps: Maps = reconstruct_phantoms(signal, recipe, mri=mri, method=name)
        return maps

    return reconstruct


def learned(net: TrainedNet) -> Method:
    """A trained net as a method.

    Of sparse readings a net that was trained with missing ones gets NaN; of another they are filled
    in.

    Parameters
    ----------
    net : TrainedNet
        The net.

    Returns
    -------
    callable
        From a :class:`Case` to maps (n, 3, pixels, pixels).

    Examples
    --------
    >>> from lesionkit import nets
    >>> from lesionkit.studies.nirst.methods import learned
    >>> method = learned(nets.load("runs/znet"))  # doctest: +SKIP
    >>> maps = method(case)  # doctest: +SKIP
    """

    def reconstruct(case: Case) -> Maps:
        signal = case.signal
        if case.sparse and net.net.masked:
            signal = np.full_like(signal, np.nan)
            signal[..., ::2, 1::2] = case.signal[..., ::2, 1::2]
        elif case.sparse:
            signal = filled(every_second(signal), net.scaling.reference)
        return net.reconstruct(signal, case.recipe, mri=case.mri)

    return reconstruct


def every_second(signal: Any) -> npt.NDArray[np.float32]:
    """Readings of o optodes as those of every second one.

    Parameters
    ----------
    signal : (..., o, o - 1) array
        Readings.

    Returns
    -------
    (..., o/2, o/2 - 1) array of float32
        Those of the even sources and detectors.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.nirst.methods import every_second
    >>> every_second(np.ones((9, 16, 15), np.float32)).shape
    (9, 8, 7)
    """
    return np.ascontiguousarray(signal[..., ::2, 1::2])


def half_of(recipe: PhantomRecipe) -> PhantomRecipe:
    """A recipe of every second optode.

    Parameters
    ----------
    recipe : PhantomRecipe
        Of an even number of optodes.

    Returns
    -------
    PhantomRecipe
        The first optode, the third, ...

    Raises
    ------
    TypeError, ValueError
        Where fewer than two optodes are left.

    Examples
    --------
    >>> from lesionkit.optics import PhantomRecipe
    >>> from lesionkit.studies.nirst.methods import half_of
    >>> half_of(PhantomRecipe()).optodes
    8
    """
    outline, half = recipe.outline, recipe.optodes // 2
    if outline is not None:
        outline = Outline(outline.mesh, outline.optodes[::2])
    return replace(recipe, optodes=half, outline=outline)


def filled(signal: Any, reference: Any) -> npt.NDArray[np.float32]:
    """Readings of every second optode as those of all, by interpolating ln(amplitude / reference).

    Detector j of a source is j + 1 places after it. First the odd places of each source that is
    there, from the places next to them; then the sources that are not there, from their neighbours.

    Parameters
    ----------
    signal : (..., o/2, o/2 - 1) array
        Readings, above 0.
    reference : (..., o, o - 1) array
        ln of a homogeneous disc's amplitudes.

    Returns
    -------
    (..., o, o - 1) array of float32
        Readings.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.nirst.methods import every_second, filled
    >>> reference = np.log(np.full((8, 7), 0.5))
    >>> whole = filled(every_second(np.exp(reference)), reference)
    >>> np.allclose(whole, 0.5)
    True
    """
    log = np.full((*signal.shape[:-2], *reference.shape[-2:]), np.nan, np.float32)
    log[..., ::2, 1::2] = np.log(signal) - every_second(reference)
    known = log[..., ::2, 1::2]
    log[..., ::2, 2:-1:2] = (known[..., :-1] + known[..., 1:]) / 2
    log[..., ::2, 0], log[..., ::2, -1] = known[..., 0], known[..., -1]
    there = log[..., ::2, :]
    log[..., 1::2, :] = (there + np.roll(there, -1, axis=-2)) / 2
    whole: npt.NDArray[np.float32] = np.exp(log + reference, dtype=np.float32)
    return whole


def three_inclusions(recipe: PhantomRecipe, accuracy: Any, count: int, seed: int) -> Case:
    """Phantoms with three inclusions of the recipe's diameters and contrasts.

    They are at least `pair_distance[0]` apart; a net that was trained on one and two has never seen
    such.

    Parameters
    ----------
    recipe : PhantomRecipe
        Of the phantoms.
    accuracy : {"accurate", "fast"}
        Of the signals.
    count : int
        How many.
    seed : int
        Of the draws.

    Returns
    -------
    Case
        The phantoms.

    Raises
    ------
    TypeError, ValueError
        Where the disc has no room for three.

    Examples
    --------
    >>> from lesionkit.optics import PhantomRecipe
    >>> from lesionkit.studies.nirst.methods import three_inclusions
    >>> recipe = PhantomRecipe(pixels=24, optodes=8, wavelengths=(785,))
    >>> three_inclusions(recipe, "fast", 1, seed=0).discs(0).shape
    (3, 3)
    """
    random = np.random.Generator(np.random.Philox(seed))
    regions = np.empty((count, 4, 8))
    for one in regions:
        ranges = (recipe.hbo, recipe.hb, recipe.water)
        scattering = (recipe.scattering_amplitude, recipe.scattering_power)
        tissue = [random.uniform(*limits) for limits in (*ranges, *scattering)]
        one[0] = 0, 0, recipe.radius, *tissue
        one[1:, 3:] = tissue
        one[1:, :3] = _places(recipe, random)
        for row in one[1:]:
            low, high = recipe.contrast
            row[3:5] *= random.uniform(low, high, 2)
            row[5] *= random.uniform(low, min(high, 100 / row[5]))
            row[6] *= random.uniform(*recipe.scattering_contrast)
    phantoms = simulate(recipe, regions, seed, accuracy=accuracy)
    return Case.of(THREE, phantoms, 0, count)


def _places(recipe: PhantomRecipe, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """(3, 3): x, y, radius of three discs that fit; drawn again until they do."""
    for _ in range(10_000):
        radii = random.choice(recipe.single_diameters, 3) / 2
        reach = recipe.radius - recipe.margin - radii
        distance, angle = reach * np.sqrt(random.uniform(size=3)), random.uniform(0, 2 * np.pi, 3)
        x, y = distance * np.cos(angle), distance * np.sin(angle)
        if recipe.outline is not None:
            x, y = random.uniform(-recipe.radius, recipe.radius, (2, 3))
            if (recipe.outline.depth(np.column_stack([x, y])) < radii + recipe.margin).any():
                continue
        pairs = ((0, 1), (0, 2), (1, 2))
        gaps = [np.hypot(x[i] - x[j], y[i] - y[j]) - radii[i] - radii[j] for i, j in pairs]
        if min(gaps) >= recipe.pair_distance[0]:
            return np.column_stack([x, y, radii])
    raise ValueError("the recipe's tissue has no room for three of its inclusions")
