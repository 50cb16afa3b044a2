"""What each change to a net brings, on small phantoms: 24 x 24 pixels, 800 steps of 16.

    python -m benchmarks.nets.variants OUT

All variants have the same 12,800 phantoms, each seen once, the same 200 test phantoms, a cosine
from 0.002, and three seeds of first weights.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.nets.arms import difference
from benchmarks.report import Report
from benchmarks.timing import machine
from lesionkit.nets import LinearUNet, PhantomStream, Scaling, ZNet, fitting
from lesionkit.nets.framework import torch
from lesionkit.nets.phantoms.data import Batch, scaled
from lesionkit.nets.phantoms.stream import FIRST, TEST
from lesionkit.optics import PhantomRecipe
from lesionkit.studies.nirst.evaluation import CHROMOPHORES as MAPS

STREAM = PhantomStream(recipe=PhantomRecipe(pixels=24, nodes=900), accuracy="fast")
BATCH, STEPS, RATE, SEEDS = 16, 800, 0.002, 3


def square(answer: Any, batch: Batch, inside: Any) -> Any:
    return (((answer - batch.maps) * inside) ** 2).mean()


def inclusions_weigh_three(answer: Any, batch: Batch, inside: Any) -> Any:
    background = batch.maps[..., inside].median(-1).values[..., None, None]
    weight = 1 + 2 * ((batch.maps - background).abs() > 1e-3)
    return (weight * ((answer - batch.maps) * inside) ** 2).mean()


def likelihood(answer: Any, batch: Batch, inside: Any) -> Any:
    """Gaussian, of a mean and a log variance for each pixel; weighed by the standard deviation, as
    Seitzer et al. (ICLR 2022) do, without which large errors are given up."""
    mean, log = answer.split(3, 1)
    each = 0.5 * (log + (mean - batch.maps) ** 2 / log.exp()) * (0.5 * log.detach()).exp()
    return (each * inside).mean()


class WithVariance(LinearUNet):
    """Its answer has a log variance behind each map."""

    def __init__(self, *sizes: int) -> None:
        super().__init__(*sizes)
        self.spread = torch.nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, signals: Any, mri: Any, there: Any = None) -> Any:
        maps = super().forward(signals, mri, there)
        first = self._resized(self.estimate(signals))
        return torch.cat([maps, self.spread((maps - first).abs()) - 6], 1)


class Variant(NamedTuple):
    net: Callable[..., Any]
    loss: Callable[[Any, Batch, Any], Any] = square
    average: float = 0.0
    mri: bool = True


VARIANTS: Mapping[str, Variant] = {
    "linear-unet": Variant(LinearUNet),
    "znet": Variant(ZNet),
    "linear-unet, average 0.99": Variant(LinearUNet, average=0.99),
    "linear-unet, inclusions weigh 3": Variant(LinearUNet, inclusions_weigh_three),
    "linear-unet, variance learned": Variant(WithVariance, likelihood),
    "linear-unet, no MRI": Variant(LinearUNet, mri=False),
}


class Problem:
    """The phantoms, scaled."""

    def __init__(self) -> None:
        recipe = STREAM.recipe
        learned = STREAM.make(FIRST, BATCH * STEPS)
        judged = STREAM.make(TEST[0], TEST[1] - TEST[0])
        scaling = Scaling.of(learned.signal[:1400], recipe, "fast")
        self.inside = torch.from_numpy(recipe.inside)
        self.units = scaling.map_units.ravel()
        self.mixing = torch.from_numpy(scaling.mixing)
        self.training = scaled(learned, slice(0, BATCH * STEPS), scaling)
        self.test = scaled(judged, slice(0, len(judged)), scaling)
        self.sizes = (len(recipe.wavelengths), recipe.pixels)

    def train(self, variant: Variant, seed: int) -> Any:
        torch.manual_seed(seed)
        net = variant.net(*self.sizes).to(memory_format=torch.channels_last)
        if isinstance(net, LinearUNet):
            net.estimate.fit([self.training], 8, self.mixing)
        average = fitting.averaged(net, variant.average) if variant.average else None
        optimizer = torch.optim.Adam(net.parameters(), lr=RATE)
        net.train()
        for step in range(STEPS):
            optimizer.param_groups[0]["lr"] = RATE * (1 + np.cos(np.pi * step / STEPS)) / 2
            batch = Batch(*(part[step * BATCH : (step + 1) * BATCH] for part in self.training))
            answer = net(batch.signals, batch.mri * variant.mri)
            fitting.step(optimizer, variant.loss(answer, batch, self.inside))
            if average is not None:
                average.update_parameters(net)
        return net if average is None else average.module

    def answer(self, net: Any, variant: Variant) -> Any:
        with torch.inference_mode():
            return net.eval()(self.test.signals, self.test.mri * variant.mri)

    def errors(self, answer: Any) -> Any:
        """(phantoms, 3): mean square errors over the disc."""
        squares = ((answer[:, :3] - self.test.maps)[..., self.inside].double() ** 2).mean(-1)
        return squares.numpy() * self.units**2

    def within(self, answer: Any) -> float:
        """The share of pixels whose truth is within 1.96 of the learned standard deviations."""
        mean, log = answer.split(3, 1)
        far = (mean - self.test.maps).abs() > 1.96 * (0.5 * log).exp()
        return 1 - float(far[..., self.inside].double().mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("out", type=Path)
    told = Report(parser.parse_args().out)
    torch.set_num_threads(1)
    problem = Problem()
    told.say(f"# What each change to a net brings\n\n{machine()}")
    found, within = {}, []
    for name, variant in VARIANTS.items():
        answers = [problem.answer(problem.train(variant, seed), variant) for seed in range(SEEDS)]
        found[name] = np.mean([problem.errors(answer) for answer in answers], 0)
        if variant.loss is likelihood:
            within = [problem.within(answer) for answer in answers]
        print(name, found[name].mean(0), flush=True)
    base = found["linear-unet"]
    told.table(
        f"{len(base)} unseen phantoms, mean of {SEEDS} seeds; change in per cent of linear-unet",
        ["", *(f"MSE {name}" for name in MAPS), *MAPS],
        [
            [
                name,
                *(f"{v:.3g}" for v in errors.mean(0)),
                *(
                    difference(base[:, i], errors[:, i]) if errors is not base else ""
                    for i in range(len(MAPS))
                ),
            ]
            for name, errors in found.items()
        ],
        "95 % of 10,000 bootstrap samples of phantoms.",
    )
    told.say(
        "Within 1.96 of the learned standard deviations, of 95 % if they were calibrated: "
        + ", ".join(f"{100 * share:.1f} %" for share in within)
        + " of the pixels (three seeds)."
    )


if __name__ == "__main__":
    main()
