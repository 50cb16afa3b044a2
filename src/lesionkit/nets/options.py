"""`TrainingOptions`: how a net is trained on phantoms."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from lesionkit import arrays


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """How to train; the defaults are the paper's, but for patience and schedule, which it lacks.

    Parameters
    ----------
    epochs : int, default 200
        1 to 1,000,000.
    batch : int, default 128
        Phantoms of a step.
    learning_rate : float, default 0.005
        Of Adam; above 0, at most 1.
    schedule : {"constant", "cosine"}, default "constant"
        "cosine": the rate falls to 0 along half a cosine over all epochs.
    augment : bool, default False
        Turn and mirror each batch at random, see `augmentation`.
    missing : float, default 0
        Share of the batches that lack 1 to half of the optodes, drawn at random, and one in four of
        them a wavelength; 0 to 1. Above 0 the net has a mask of the readings as a
        further input, and does without those that are missing (ours; the paper's net has none).
    average : float, default 0
        Decay of an exponential moving average of the weights over the steps, such as 0.998: it is
        the averaged net that is judged and kept. 0 to 0.99999; 0: the weights themselves.
    patience : int, default 30
        Stop when so many epochs in a row have not been the best on the validation phantoms.
    precision : {"auto", "float32", "mixed"}, default "auto"
        "mixed": bfloat16 (float16 on a GPU without it) where that is safe; "auto": mixed on a GPU,
        float32 on the CPU.
    seed : int, default 0
        Of the first weights, and of the order of phantoms.

    Raises
    ------
    TypeError, ValueError
        Where a field is not as described.

    References
    ----------
    Feng et al., Optica 9(3), 264-267, 2022.

    Examples
    --------
    >>> from lesionkit.nets import TrainingOptions
    >>> TrainingOptions(epochs=50, schedule="cosine").batch
    128
    """

    epochs: int = 200
    batch: int = 128
    learning_rate: float = 0.005
    schedule: Literal["constant", "cosine"] = "constant"
    augment: bool = False
    missing: float = 0.0
    average: float = 0.0
    patience: int = 30
    precision: Literal["auto", "float32", "mixed"] = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every field; NumPy's numbers become Python's, since run.json holds no others."""
        checked = {
            name: arrays.integer(getattr(self, name), name, at_least=1, at_most=10**6)
            for name in ("epochs", "batch", "patience")
        } | {
            "learning_rate": arrays.number(self.learning_rate, "learning_rate", above=0, at_most=1),
            "missing": arrays.number(self.missing, "missing", at_least=0, at_most=1),
            "average": arrays.number(self.average, "average", at_least=0, at_most=0.99999),
            "seed": arrays.integer(self.seed, "seed", at_least=0, at_most=2**63 - 1),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        for name, known in (
            ("schedule", ("constant", "cosine")),
            ("precision", ("auto", "float32", "mixed")),
        ):
            if getattr(self, name) not in known:
                accepted = ", ".join(map(repr, known))
                raise ValueError(f"{name} must be one of {accepted}, got {getattr(self, name)!r}")
        if not isinstance(self.augment, bool):
            raise TypeError(f"augment must be True or False, got {arrays.describe(self.augment)}")

    def to_dict(self) -> dict[str, Any]:
        """All fields.

        Returns
        -------
        dict
            Of field names and values; without `missing` and `average` where they are 0.
        """
        fields = asdict(self)
        for name in ("missing", "average"):
            if not fields[name]:
                del fields[name]
        return fields
