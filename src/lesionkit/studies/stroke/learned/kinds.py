"""From a scan to the kind of stroke, as the thesis has it: segmentation, six features, classifier.

What is kept of a trained classifier is what it learnt from, as plain arrays: fitting it again takes
some hundredths of a second, and no code comes with the file.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from lesionkit import files
from lesionkit.studies.stroke import Prepared, preprocess, segment
from lesionkit.studies.stroke.classify import classifiers
from lesionkit.studies.stroke.features import SIX, lesion_features
from lesionkit.studies.stroke.image.scan import RECOMMENDED, kind_by
from lesionkit.studies.stroke.plant import KINDS, Planted
from lesionkit.studies.stroke.prepare import Mask

Real = npt.NDArray[np.float64]

FILE = "kinds.npz"
WHAT = "kinds of stroke by six features"
VERSION = 1
CLASSIFIER = "Gaussian SVM"
FOLDS = 5  # in which its scores are made probabilities
FAR = 3.0  # standard deviations of a feature over all that was learnt from
MAX_BYTES = 64 * 2**20


class Lessons(NamedTuple):
    """Lesions to learn from.

    Attributes
    ----------
    features : (n, 6) array
        `SIX`, of each lesion as it was found.
    kinds, shapes : (n,) array of str
        What each is, and the group that a split keeps together.
    items : (n,) array of int
        Which of the planted ones each is.
    """

    features: Real
    kinds: npt.NDArray[np.str_]
    shapes: npt.NDArray[np.str_]
    items: npt.NDArray[np.intp]

    def only(self, chosen: Any) -> Lessons:
        """Some of them.

        Parameters
        ----------
        chosen : array
            Indices, or a boolean of each.

        Returns
        -------
        Lessons
            In their order.
        """
        return Lessons(*(column[chosen] for column in self))


def found_in(scene: Prepared) -> Mask:
    """The lesion of a slice by k-means with fast marching, bright or dark by `kind_by`: what kind
    of stroke it is is not known yet. All False where there is none."""
    return segment(scene, RECOMMENDED, kind_by(scene))


def six(scene: Prepared, mask: Mask) -> list[float]:
    """The features of a slice's lesion."""
    row = lesion_features(scene.enhanced, mask)
    return [getattr(row, name) for name in SIX]


def learn(planted: Iterable[Planted]) -> Lessons:
    """Lessons of planted lesions, as `found_in` finds them; those that it misses are left out."""
    rows, kinds, shapes, items = [], [], [], []
    for item, one in enumerate(planted):
        scene = preprocess(one.dwi)
        mask = found_in(scene)
        if mask.any():
            rows.append(six(scene, mask))
            kinds.append(one.kind)
            shapes.append(one.shape)
            items.append(item)
    features = np.array(rows).reshape(-1, len(SIX))
    return Lessons(features, np.array(kinds), np.array(shapes), np.array(items, np.intp))


class Named(NamedTuple):
    """A lesion and what it looks like most.

    Attributes
    ----------
    plane : int or None
        Where it is largest, of a volume.
    box : tuple of int
        (first row, first column, row and column behind the last) in that plane.
    pixels : int
        Of the whole piece.
    kind : str
        A key of `KINDS`.
    probability : float
        Of that kind among the four.
    familiar : bool
        Whether all features lie within three standard deviations of what was learnt from: else the
        kind is a guess.
    """

    plane: int | None
    box: tuple[int, int, int, int]
    pixels: int
    kind: str
    probability: float
    familiar: bool


class Classifier:
    """The Gaussian SVM of the study, with probabilities.

    Its scores become probabilities by Platt's sigmoids, fitted on folds of shapes not learnt from.
    """

    def __init__(self, lessons: Lessons) -> None:
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.model_selection import StratifiedGroupKFold

        many = min(FOLDS, len(set(lessons.shapes.tolist())))
        folds = StratifiedGroupKFold(many, shuffle=True, random_state=0)
        parts = list(folds.split(*lessons[:3]))
        model = CalibratedClassifierCV(
            classifiers()[CLASSIFIER], method="sigmoid", cv=parts, ensemble=False
        )
        self.model = model.fit(lessons.features, lessons.kinds)
        self.mean, self.spread = lessons.features.mean(0), lessons.features.std(0)

    def probabilities(self, features: Real) -> Real:
        """(n, 4) of the kinds in the order of KINDS."""
        found = np.zeros((len(features), len(KINDS)))
        if len(features):
            order = [list(KINDS).index(kind) for kind in self.model.classes_]
            found[:, order] = self.model.predict_proba(features)
        return found

    def name(self, scene: Prepared, mask: Mask) -> list[Named]:
        """Each piece of a mask, the largest first, by the slice in which it is largest."""
        labels, count = ndimage.label(mask, np.ones((3,) * mask.ndim))
        sizes = np.bincount(labels.ravel(), minlength=count + 1)
        places = ndimage.find_objects(labels)
        order = sorted(range(1, count + 1), key=lambda number: -sizes[number])
        planes = scene.planes
        rows, where = [], []
        for number in order:
            place = places[number - 1]
            piece = labels[place] == number
            plane = None
            if mask.ndim == 3:
                largest = int(piece.sum((1, 2)).argmax())
                plane, piece, place = place[0].start + largest, piece[largest], place[1:]
            whole = np.zeros(mask.shape[-2:], bool)
            whole[place] = piece
            rows.append(six(planes[plane or 0], whole))
            (y, x) = (np.flatnonzero(whole.any(axis)) for axis in (1, 0))
            where.append((plane, (int(y[0]), int(x[0]), int(y[-1]) + 1, int(x[-1]) + 1)))
        features = np.array(rows).reshape(-1, len(SIX))
        chances = self.probabilities(features)
        near = (np.abs(features - self.mean) <= FAR * self.spread).all(1)
        return [
            Named(*place, int(sizes[number]), list(KINDS)[best], float(chance[best]), bool(known))
            for place, number, chance, best, known in zip(
                where, order, chances, chances.argmax(1), near, strict=True
            )
        ]


def save(lessons: Lessons, path: Path) -> None:
    """Write them as plain arrays, whole or not at all, for :func:`load`."""
    with files.whole(path) as partial, open(partial, "wb") as stream:
        np.savez_compressed(
            stream, what=np.array(WHAT), version=np.array(VERSION), names=np.array(SIX),
            **lessons._asdict(),
        )  # fmt: skip


def load(path: str | os.PathLike[str]) -> Classifier:
    """The classifier of lessons that `save` wrote. Nothing in the file is run.

    FileNotFoundError or ValueError, in a sentence, for all else.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file of {WHAT} at {path}")
    broken = ValueError(f"{path} is damaged, or is no file of {WHAT}")
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
                raise broken
        with np.load(path, allow_pickle=False) as held:
            content = {name: held[name] for name in held.files}
        what, version = str(content["what"]), int(content["version"])
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        raise broken from None
    if what != WHAT:
        raise broken
    if version != VERSION:
        raise ValueError(
            f"{path} is of version {version} of {WHAT}; this version of lesionkit uses version "
            f"{VERSION}"
        )
    try:
        lessons = Lessons(*(content[name] for name in Lessons._fields))
        right = (
            tuple(content["names"].tolist()) == SIX
            and lessons.features.shape == (len(lessons.kinds), len(SIX))
            and lessons.shapes.shape == lessons.items.shape == lessons.kinds.shape
            and bool(np.isfinite(lessons.features).all())
            and set(lessons.kinds.tolist()) <= set(KINDS)
        )
        if not right:
            raise broken
        return Classifier(lessons)
    except (KeyError, ValueError, TypeError, AttributeError):
        raise broken from None
