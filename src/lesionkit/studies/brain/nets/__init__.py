"""CNN and LSTM that tell squares of tumour from those of normal brain; they need torch."""

from __future__ import annotations

from lesionkit.studies.brain.nets.models import MODELS
from lesionkit.studies.brain.nets.training import EPOCHS, More, Net, Trained, train

__all__ = ["EPOCHS", "MODELS", "More", "Net", "Trained", "train"]
