"""Training of the nets, and the same as a scikit-learn estimator, for `classify.evaluate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin

from lesionkit import arrays
from lesionkit.nets import fitting
from lesionkit.nets.framework import one_thread, torch
from lesionkit.studies.brain.nets.models import MODELS, Kind

EPOCHS, BATCH, RATE = 20, 32, 1e-3
GAMMA = (0.8, 1.2)  # of levels as shares of 255, drawn anew each time that a square is shown
ABNORMAL = "abnormal"
LEAST_SIDE = 6  # pixels of a square: two convolutions and a pooling leave one


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained net, and what its input was standardised by.

    Attributes
    ----------
    kind : str
        See :func:`train`.
    net : torch.nn.Module
        In evaluation mode, on the CPU.
    mean, sd : array of float64
        Of the training part: of each feature, or one of all pixels of all squares.
    loss : tuple of float
        The mean cross entropy of each epoch.
    centred : bool
        Whether the mean of each square is taken off it.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.brain.nets import train
    >>> squares = np.random.default_rng(0).integers(256, size=(8, 10, 10))
    >>> trained = train("lstm-patch", squares, np.arange(8) % 2 == 1, epochs=1)
    >>> trained.mean.shape, len(trained.loss)
    ((), 1)
    """

    kind: str
    net: Any
    mean: npt.NDArray[np.float64]
    sd: npt.NDArray[np.float64]
    loss: tuple[float, ...]
    centred: bool = False

    def probability(self, values: Any) -> npt.NDArray[np.float64]:
        """How likely each is abnormal, by the net.

        Parameters
        ----------
        values : (n, k) or (n, side, side) array
            As those that were learnt from.

        Returns
        -------
        (n,) array of float64
            From 0 to 1; of as many abnormal as normal ones, as in training.

        Raises
        ------
        ValueError, TypeError
            Where values are not as :func:`train` takes them.

        Examples
        --------
        >>> import numpy as np
        >>> from lesionkit.studies.brain.nets import train
        >>> abnormal = np.arange(40) % 2 == 1
        >>> columns = np.where(abnormal, 1.0, -1.0)[:, None] * np.ones(5)
        >>> train("cnn-features", columns, abnormal).probability(columns[:2]).round().tolist()
        [0.0, 1.0]
        """
        given = _checked(self.kind, values)
        given = _centred(given) if self.centred else given
        x = torch.from_numpy(((given - self.mean) / self.sd).astype(np.float32))
        with one_thread(), torch.inference_mode():
            found = self.net(x).double().softmax(1)[:, 1].numpy()
        return np.asarray(found)


def train(
    kind: Kind,
    values: Any,
    abnormal: Any,
    *,
    epochs: int = EPOCHS,
    seed: int = 0,
    centred: bool = False,
) -> Trained:
    """A net that tells abnormal from normal, trained on what is given.

    Cross entropy, Adam at 1e-3, batches of 32; epochs are fixed beforehand, and nothing is stopped
    by a score. A square is turned or mirrored and its levels are raised to a power of 0.8 to 1.2
    each time that it is shown: which side is up, and how bright a head came out, shall not count.
    On one thread, so that the same call gives the same bits anywhere.

    Parameters
    ----------
    kind : {"cnn-features", "lstm-features", "cnn-patch", "lstm-patch"}
        The first two go along the columns in the order that they come in: it matters.
    values : (n, k) array of features, or (n, side, side) array of squares
        Finite numbers. Squares have 6 pixels a side or more, and levels from 0 to 255.
    abnormal : (n,) array of bool
        The truth; both kinds must be there.
    epochs : int, default 20
        1 or more.
    seed : int, default 0
        Of weights, order and dropout.
    centred : bool, default False
        Whether the mean of each square is taken off it: brightness is not seen then.

    Returns
    -------
    Trained
        The net, with the mean and standard deviation of what it learnt from.

    Raises
    ------
    ValueError, TypeError
        Where an argument is not as said here.

    References
    ----------
    Khan et al., 2024, section 3.5, names the nets; their layers are ours.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.brain.nets import train
    >>> abnormal = np.arange(40) % 2 == 1
    >>> noise = np.random.default_rng(0).uniform(-10, 10, (40, 10, 10))
    >>> squares = 128 + noise * np.where(abnormal, 10, 1)[:, None, None]
    >>> trained = train("cnn-patch", squares, abnormal)
    >>> bool(trained.probability(squares)[abnormal].min() > 0.5)
    True
    """
    arrays.one_of(kind, "kind", tuple(MODELS))
    if centred and kind.endswith("features"):
        raise ValueError(f"centred must be False of features, got True with {kind!r}")
    given, kinds = _checked(kind, values), np.asarray(abnormal)
    if kinds.shape != (len(given),) or kinds.dtype != bool or kinds.all() or not kinds.any():
        raise ValueError(
            f"abnormal must be a boolean for each of the {len(given)} rows of values, of both "
            f"kinds, got {arrays.describe(kinds)}"
        )
    epochs = arrays.integer(epochs, "epochs", at_least=1, at_most=10**5)
    seed = arrays.integer(seed, "seed", at_least=0)
    squares = given.ndim == 3
    seen = _centred(given) if centred else given
    mean, sd = (np.asarray(f(seen, axis=None if squares else 0)) for f in (np.mean, np.std))
    sd = np.where(sd > 0, sd, 1.0)  # what is constant tells nothing
    x = torch.from_numpy(given.astype(np.float32))
    middle, scale = (torch.from_numpy(part.astype(np.float32)) for part in (mean, sd))
    y = torch.from_numpy(kinds.astype(np.int64))
    with one_thread():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            net = MODELS[kind](given.shape[1])
        optimizer = torch.optim.Adam(net.parameters(), RATE)

        def loss_of(chosen: fitting.Indices, _: int) -> Any:
            shown = augmented(x[chosen]) if squares else x[chosen]
            shown = _centred(shown) if centred else shown
            return torch.nn.functional.cross_entropy(net((shown - middle) / scale), y[chosen])

        loss = fitting.fit(
            net, optimizer, loss_of, len(x), None, {}, epochs=epochs, batch=BATCH, seed=seed
        )
    return Trained(kind, net, mean, sd, tuple(loss), centred)


def augmented(levels: Any) -> Any:
    """(n, side, side) squares, each at random turned, mirrored, and brighter or darker by a power
    of GAMMA; from torch's generator."""
    power = torch.empty(len(levels), 1, 1).uniform_(*GAMMA)
    found = (levels / 255).pow(power) * 255
    symmetry = torch.randint(8, (len(levels),))
    for number in range(1, 8):
        mirrored, quarters = divmod(number, 4)
        here = torch.nonzero(symmetry == number)[:, 0]
        part = found[here].flip(-2) if mirrored else found[here]
        found[here] = torch.rot90(part, quarters, (-2, -1))
    return found


def _centred(squares: Any) -> Any:
    """Squares, each without its mean; of arrays and tensors."""
    return squares - squares.mean((1, 2))[:, None, None]


def _checked(kind: str, values: Any) -> npt.NDArray[np.float64]:
    if kind.endswith("features"):
        return np.asarray(arrays.real(values, "values", ("regions", "features")), np.float64)
    given = np.asarray(arrays.real(values, "values", ("n", "rows", "columns")), np.float64)
    if given.shape[1] != given.shape[2] or given.shape[1] < LEAST_SIDE:
        raise ValueError(
            f"values must be squares of {LEAST_SIDE} x {LEAST_SIDE} pixels or more, got "
            f"{given.shape[1]} x {given.shape[2]}"
        )
    if given.min() < 0 or given.max() > 255:
        raise ValueError(
            f"values must be levels from 0 to 255, got {given.min():.6g} to {given.max():.6g}"
        )
    return given


class More(NamedTuple):
    """Further squares of patients: as rows of pixels, whether abnormal, and whose."""

    values: npt.NDArray[Any]
    abnormal: npt.NDArray[np.bool_]
    patients: npt.NDArray[np.str_]


class Net(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Nets as a scikit-learn estimator of the classes "abnormal" and "normal".

    kind, epochs, seed : as of `train`; squares come as rows of their pixels
    centred : a net for each, whose probabilities are averaged
    more : a `More`: those of the patients that it learns from are learnt beside
    """

    def __init__(
        self,
        kind: Kind = "cnn-features",
        epochs: int = EPOCHS,
        seed: int = 0,
        more: More | None = None,
        centred: tuple[bool, ...] = (False,),
    ) -> None:
        self.kind, self.epochs, self.seed, self.more = kind, epochs, seed, more
        self.centred = centred

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """X : (samples, columns); y : (samples,) classes; groups : (samples,) patients, or None"""
        values, abnormal = np.asarray(X), np.asarray(y) == ABNORMAL
        if self.more is not None:
            known = np.isin(self.more.patients, groups)
            values = np.concatenate([values, self.more.values[known]])
            abnormal = np.concatenate([abnormal, self.more.abnormal[known]])
        self.classes_ = np.array([ABNORMAL, "normal"])
        shaped = self._shaped(values)
        self.trained_ = [
            train(self.kind, shaped, abnormal, epochs=self.epochs, seed=self.seed, centred=centred)
            for centred in self.centred
        ]
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """(samples, 2) in the order of `classes_`."""
        shaped = self._shaped(np.asarray(X))
        first = np.mean([one.probability(shaped) for one in self.trained_], axis=0)
        return np.stack([first, 1 - first], 1)

    def predict(self, X: Any) -> Any:
        """(samples,) classes."""
        return self.classes_[self.predict_proba(X).argmax(1)]

    def _shaped(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if self.kind.endswith("features"):
            return values
        side = round(values.shape[1] ** 0.5)
        return values.reshape(len(values), side, side)
