"""The study's classifier as a file of plain numbers: fitted, saved, read, and asked.

JSON and no pickle: reading one runs no code. It holds what an SVM needs, and the sigmoid that makes
a probability of its sum (Platt, 1999), fitted to the sums of patients that were held out.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import __version__, arrays, files
from lesionkit.studies.brain import features, prepare, regions

Real = npt.NDArray[np.float64]
FORMAT = 1
MAX_BYTES = 2**26  # of a file: thousands of regions
TITLES = {"t1c": "T1 with contrast", "flair": "FLAIR"}
QUARTILES = (96.0, 112.0)  # the levels that the brain's lower quartile and its median come to
ARRAYS = ("mean", "scale", "support", "weights")
NUMBERS = ("bias", "gamma", "slope", "offset")


@dataclass(frozen=True, eq=False)
class Model:
    """An SVM of selected MaZda features of squares of one modality.

    Attributes
    ----------
    modality : {"t1c", "flair"}
        What it learnt from.
    names : tuple of str
        The k features, as `features.NAMES` spells them.
    mean, scale : (k,) array of float64
        What they are standardised by.
    support, weights : (m, k) and (m,) array of float64
        The support vectors, standardised, and how much each counts.
    bias, gamma : float
        The sum is bias + weights . exp(-gamma |x - support|^2).
    slope, offset : float
        The probability is 1 / (1 + exp(-slope sum - offset)).
    n_rois, n_patients : int
        How many it learnt from.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.brain import model
    >>> rough = np.arange(60) % 2 == 1
    >>> noise = np.random.default_rng(0).uniform(-9, 9, (60, 10, 10))
    >>> squares = 128 + noise * np.where(rough, 9, 1)[:, None, None]
    >>> found = model.fit(squares, rough, np.repeat(["A", "B", "C"], 20), "t1c")
    >>> bool((found.probability(squares) > 0.5)[rough].all())
    True
    """

    modality: str
    names: tuple[str, ...]
    mean: Real
    scale: Real
    support: Real
    weights: Real
    bias: float
    gamma: float
    slope: float
    offset: float
    n_rois: int
    n_patients: int

    def probability(self, squares: Any) -> Real:
        """How likely each square is abnormal, where as many are as are not.

        Parameters
        ----------
        squares : (n, 10, 10) array
            Levels from 0 to 255, as :func:`levels_of` gives them.

        Returns
        -------
        (n,) array of float64
            From 0 to 1.

        Raises
        ------
        ValueError, TypeError
            Where squares have another size.

        Examples
        --------
        See :class:`Model`.
        """
        values = arrays.real(squares, "squares", ("n", "rows", "columns"))
        if values.shape[1:] != (regions.SIZE, regions.SIZE):
            raise ValueError(
                f"squares must have {regions.SIZE} x {regions.SIZE} pixels, got "
                f"{values.shape[1]} x {values.shape[2]}"
            )
        if not len(values):
            return np.empty(0)
        table, names = features.mazda(values)
        return self._chance(table[:, [names.index(name) for name in self.names]])

    def _chance(self, columns: Real) -> Real:
        from scipy.spatial.distance import cdist
        from scipy.special import expit

        apart = cdist((columns - self.mean) / self.scale, self.support, "sqeuclidean")
        sums = np.exp(-self.gamma * apart) @ self.weights + self.bias
        return np.asarray(expit(self.slope * sums + self.offset))

    @cached_property
    def text(self) -> str:
        """What is in its file."""
        told = asdict(self)
        told |= {name: getattr(self, name).tolist() for name in ARRAYS}
        head = {"what": "lesionkit brain model", "format": FORMAT, "version": __version__}
        return json.dumps({**head, **told}, indent=0) + "\n"

    @property
    def digest(self) -> str:
        """SHA-256 of its file."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def levels_of(values: npt.NDArray[Any], brain: npt.NDArray[np.bool_]) -> Real:
    """Prepared as the study prepares, and moved so that the brain's lower quartile and its median
    are the same in every image: the brightest pixel of a slice without tumour is no tumour, and a
    bright tumour may fill nearly half of a slice. values : (rows, columns) or (planes, rows,
    columns)"""
    levels = prepare.prepare(values, brain=brain).levels
    low, high = np.percentile(levels[brain], (25, 50)) if brain.any() else (0.0, 1.0)
    rise = (QUARTILES[1] - QUARTILES[0]) / max(high - low, 1.0)
    return np.where(brain, np.clip(np.rint((levels - low) * rise + QUARTILES[0]), 0, 255), 0.0)


def fit(squares: Any, abnormal: Any, patients: Any, modality: str) -> Model:
    """The study's own classifier, of all squares; its probabilities by patients held out.

    Parameters
    ----------
    squares : (n, 10, 10) array
        Levels from 0 to 255, as :func:`levels_of` gives them.
    abnormal : (n,) array of bool
        The truth.
    patients : (n,) array
        The patient of each: two or more.
    modality : {"t1c", "flair"}
        Of the images.

    Returns
    -------
    Model
        With the features that are selected from all squares.

    Raises
    ------
    ValueError, TypeError
        As :func:`classify.evaluate`.

    References
    ----------
    Platt, "Probabilistic outputs for support vector machines", 1999.

    Examples
    --------
    See :class:`Model`.
    """
    from sklearn.linear_model import LogisticRegression

    from lesionkit.studies.brain.classify import MAIN, classifiers, evaluate, fused

    arrays.one_of(modality, "modality", tuple(TITLES))
    table, names = features.mazda(squares)
    only = {MAIN: classifiers()[MAIN]}
    (held_out,) = evaluate(table, abnormal, patients, table=only)
    kinds = held_out.abnormal
    order = fused().fit(table, kinds).order_
    scaler, machine = (step for _, step in only[MAIN].fit(table[:, order], kinds).steps)
    columns = scaler.transform(table[:, order])
    sigmoid = LogisticRegression().fit(held_out.scores[:, None], kinds)
    return Model(
        modality,
        tuple(names[i] for i in order),
        scaler.mean_,
        scaler.scale_,
        machine.support_vectors_,
        machine.dual_coef_[0],
        float(machine.intercept_[0]),
        float(1 / (columns.shape[1] * columns.var())),
        float(max(sigmoid.coef_[0, 0], 0)),
        float(sigmoid.intercept_[0]),
        len(kinds),
        len(np.unique(held_out.patients)),
    )


def save(model: Model, path: Path) -> None:
    """Write its file, whole or not at all."""
    files.write(path, model.text)


def load(path: str | os.PathLike[str]) -> Model:
    """A model that `lesionkit brain-study` has saved.

    Parameters
    ----------
    path : path
        model_t1c.json or model_flair.json.

    Returns
    -------
    Model
        As it was fitted, to the bit.

    Raises
    ------
    ValueError
        In a sentence, where there is no file, it is another kind of file, or it is broken.

    Examples
    --------
    >>> from lesionkit.studies.brain import model
    >>> model.load("no.json")
    Traceback (most recent call last):
    ValueError: model must be a file that lesionkit brain-study has saved, no.json does not exist
    """
    place = Path(path)
    wanted = f"model must be a file that lesionkit brain-study has saved, {place}"
    if not place.is_file():
        raise ValueError(f"{wanted} {'is a folder' if place.is_dir() else 'does not exist'}")
    if place.stat().st_size > MAX_BYTES:
        raise ValueError(f"{wanted} is larger than any of them")
    try:
        told = json.loads(place.read_bytes())
    except (ValueError, RecursionError):
        raise ValueError(f"{wanted} is broken, or of another kind") from None
    if not isinstance(told, dict) or told.get("what") != "lesionkit brain model":
        raise ValueError(f"{wanted} is of another kind")
    if told.get("format") != FORMAT:
        raise ValueError(
            f"{wanted} is of format {told.get('format')!r:.20}, and this version reads {FORMAT}"
        )
    try:
        return _checked(told)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise ValueError(f"{wanted} is broken: its numbers do not fit together") from None


def _checked(told: dict[str, Any]) -> Model:
    names = tuple(told["names"])
    parts = {name: np.array(told[name], np.float64) for name in ARRAYS}
    numbers = {name: float(told[name]) for name in NUMBERS}
    k, m = len(names), len(parts["weights"])
    shapes = {"mean": (k,), "scale": (k,), "support": (m, k), "weights": (m,)}
    fits = (
        told["modality"] in TITLES
        and k > 0
        and set(names) <= set(features.NAMES)
        and all(parts[name].shape == shape for name, shape in shapes.items())
        and all(np.isfinite(part).all() for part in parts.values())
        and np.isfinite(list(numbers.values())).all()
        and (parts["scale"] > 0).all()
        and numbers["gamma"] > 0
        and numbers["slope"] >= 0
    )
    if not fits:
        raise ValueError(told)
    counts = {name: int(told[name]) for name in ("n_rois", "n_patients")}
    every: dict[str, Any] = {**parts, **numbers, **counts}
    return Model(modality=told["modality"], names=names, **every)
