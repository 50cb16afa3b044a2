"""CNN and LSTM on selected features and on squares, as small torch modules.

The paper names "CNN" and "LSTM" and gives no layers: these are ours, the smallest usual ones. Each
takes the standardised input and gives two logits, normal first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from lesionkit.nets.framework import torch

Kind = Literal["cnn-features", "lstm-features", "cnn-patch", "lstm-patch"]
UNITS = 64
DROPOUT = 0.5


class Sequence(torch.nn.Module):  # type: ignore[misc]
    """(n, steps, columns) to (n, 2): an LSTM, and a sum of its last output."""

    def __init__(self, columns: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(columns, UNITS, batch_first=True)
        self.drop = torch.nn.Dropout(dropout)
        self.sum = torch.nn.Linear(UNITS, 2)

    def forward(self, x: Any) -> Any:
        _, (last, _) = self.lstm(x)
        return self.sum(self.drop(last[0]))


def cnn_features(count: int) -> Any:
    """(n, count) to (n, 2): two convolutions along the features, in the order that they come in."""
    return torch.nn.Sequential(
        torch.nn.Unflatten(1, (1, count)),
        torch.nn.Conv1d(1, 32, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.Conv1d(32, 64, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool1d(2, ceil_mode=True),
        torch.nn.Dropout(DROPOUT),
        torch.nn.Flatten(),
        *_ends(64 * -(-count // 2)),
    )


def lstm_features(count: int) -> Any:
    """(n, count) to (n, 2): a feature is a step, in the order that they come in."""
    return torch.nn.Sequential(torch.nn.Unflatten(1, (count, 1)), Sequence(1, DROPOUT))


def cnn_patch(side: int) -> Any:
    """(n, side, side) to (n, 2): two convolutions, pooled."""
    left = (side - 4) // 2
    return torch.nn.Sequential(
        torch.nn.Unflatten(1, (1, side)),
        torch.nn.Conv2d(1, 32, 3),
        torch.nn.ReLU(),
        torch.nn.Conv2d(32, 64, 3),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        *_ends(64 * left * left),
    )


def lstm_patch(side: int) -> Any:
    """(n, side, side) to (n, 2): a row of pixels is a step."""
    return Sequence(side)


def _ends(count: int) -> tuple[Any, ...]:
    return torch.nn.Linear(count, UNITS), torch.nn.ReLU(), torch.nn.Linear(UNITS, 2)


MODELS: dict[str, Callable[[int], Any]] = {
    "cnn-features": cnn_features,
    "lstm-features": lstm_features,
    "cnn-patch": cnn_patch,
    "lstm-patch": lstm_patch,
}
"""Of each kind the net, by how many features there are or how many pixels a square's side has."""
