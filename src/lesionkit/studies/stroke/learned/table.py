"""The table from scan to kind: every classifier by true and by found masks, beside detectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lesionkit.studies.common.classify import wilson
from lesionkit.studies.common.text import as_text
from lesionkit.studies.stroke.classify import classifiers, classify
from lesionkit.studies.stroke.figures import SHORT
from lesionkit.studies.stroke.learned.kinds import Classifier, Lessons
from lesionkit.studies.stroke.plant import KINDS, Planted

NAMED = "Gaussian SVM, probabilities"  # what `lesionkit stroke --model` uses


class Row(NamedTuple):
    """What one classifier or detector told of each slice.

    Attributes
    ----------
    name, lesion : str
        Of the classifier, and whose mask or box it was fed with.
    told : sequence of str or None
        The kind of each slice; None where no lesion was found.
    truth : sequence of str
        The kind that it is.
    """

    name: str
    lesion: str
    told: Sequence[str | None]
    truth: Sequence[str]

    def cells(self) -> dict[str, str]:
        """Shares of all slices, in per cent: one in which nothing was found is told wrong.

        Returns
        -------
        dict of str to str
            The cells by their columns' names.
        """
        right = np.array([told == truth for told, truth in zip(self.told, self.truth, strict=True)])
        truth = np.array(self.truth)
        low, high = wilson(float(right.mean()), len(right))
        return {
            "told by": self.name,
            "lesion": self.lesion,
            "n": str(len(right)),
            "right, %": f"{100 * right.mean():.1f} ({100 * low:.0f}-{100 * high:.0f})",
            "not found": str(sum(told is None for told in self.told)),
            **{
                SHORT[kind]: f"{100 * right[truth == kind].mean():.0f}"
                if (truth == kind).any()
                else ""
                for kind in KINDS
            },
        }


def lines_of(rows: Sequence[Row] | Sequence[dict[str, str]]) -> list[str]:
    """Rows as lines of text."""
    return as_text([row.cells() if isinstance(row, Row) else row for row in rows])


def left_out(planted: Sequence[Planted], lessons: Mapping[str, Lessons], seed: int) -> list[Row]:
    """Every classifier, each shape told by what learnt from all others.

    lessons : by whose mask it was, features of the planted lesions or of some
    """
    truth = [one.kind for one in planted]
    rows = []
    for name, part in lessons.items():
        for result in classify(part.features, part.kinds.tolist(), part.shapes.tolist(), seed=seed):
            told: list[str | None] = [None] * len(planted)
            for item, kind in zip(part.items, result.predicted, strict=True):
                told[item] = str(kind)
            rows.append(Row(result.name, name, told, truth))
    return rows


def split(
    planted: Sequence[Planted], lessons: Mapping[str, Lessons], held: Sequence[bool], seed: int
) -> list[Row]:
    """Every classifier on the lesions held out, learnt from the others; and what `lesionkit stroke`
    uses."""
    tested = [i for i, there in enumerate(held) if there]
    truth = [planted[i].kind for i in tested]
    rows = []
    for name, part in lessons.items():
        there = np.array(held)[part.items]
        learnt, asked = part.only(~there), part.only(there)
        answers = {
            label: model.fit(learnt.features, learnt.kinds).predict(asked.features)
            for label, model in classifiers(seed).items()
        }
        chances = Classifier(learnt).probabilities(asked.features)
        answers[NAMED] = np.array(list(KINDS))[chances.argmax(1)]
        for label, kinds in answers.items():
            known = dict(zip(asked.items.tolist(), kinds.tolist(), strict=True))
            rows.append(Row(label, name, [known.get(item) for item in tested], truth))
    return rows
