"""python -m benchmarks [PART] [--quick] [--out DIR]: see PARTS, and benchmarks/README.md."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import device
from benchmarks.brain import rows as brain
from benchmarks.clustering import rows as clustering
from benchmarks.fronts import agreement, busy
from benchmarks.fronts import rows as fronts
from benchmarks.nets import training
from benchmarks.optics import (
    derivatives,
    forward,
    generation,
    gpu_model,
    precision,
    reconstruct,
    solid,
    store,
)
from benchmarks.radiomics import agreement as radiomics_agreement
from benchmarks.radiomics import speed as radiomics_speed
from benchmarks.report import Report
from benchmarks.stroke import rows as stroke
from benchmarks.stroke import two_images
from benchmarks.texture import curves as texture_curves
from benchmarks.texture import rows as texture
from benchmarks.thermogram import rows as thermogram
from benchmarks.timing import machine

PARTS: dict[str, Callable[[Report], None]] = {
    "forward": forward.against_peers,
    "scaling": forward.scaling,
    "precision": precision.precision,
    "solid-precision": solid.precision,
    "solid-speed": solid.speed,
    "solid-reconstruct": solid.reconstruction,
    "derivatives": derivatives.derivatives,
    "reconstruct": reconstruct.reconstruction,
    "generate": generation.generation,
    "store": store.reading,
    "import": generation.imports,
    "texture": texture.against_peers,
    "texture-curves": texture_curves.curves,
    "texture-agreement": texture.agreement,
    "texture-import": texture_curves.imports,
    "radiomics": radiomics_speed.against_peers,
    "radiomics-agreement": radiomics_agreement.agreement,
    "clustering": clustering.against_peers,
    "clustering-large": clustering.large_volumes,
    "fronts": fronts.against_peers,
    "fronts-agreement": agreement.agreement,
    "busy": busy.beside_burners,
    "stroke": stroke.against_twin,
    "stroke-adc": two_images.two_images,
    "stroke-figures": stroke.figures,
    "stroke-kinds": stroke.kinds,
    "thermogram": thermogram.against_twin,
    "thermogram-learn": thermogram.learning,
    "brain": brain.against_twin,
    "brain-study": brain.study,
    "train": training.training,
    "device": device.on_device,
    "gpu-model": gpu_model.model,
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="lesionkit bench", description="Ours and the peers, side by side, answers compared."
    )
    parser.add_argument("part", nargs="?", default="all", choices=[*PARTS, "all"])
    parser.add_argument("--quick", action="store_true", help="small sizes: does it run at all?")
    parser.add_argument("--out", type=Path, default=Path("benchmark-results"), metavar="DIR")
    parser.add_argument("--pairs", type=int, metavar="N", help="9, or 3 with --quick")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="ours (2)")
    options = parser.parse_args(arguments)

    pairs = options.pairs or (3 if options.quick else 9)
    report = Report(options.out, options.quick, pairs, options.threads)
    report.say(f"# Benchmarks\n\n{machine()}")
    if options.quick:
        report.say("A quick run: its times say nothing.")
    for name, part in PARTS.items():
        if options.part in (name, "all"):
            report.begin(name)
            try:
                part(report)
            except Exception as error:
                traceback.print_exc()
                report.end(f"{type(error).__name__}: {error}")
            else:
                report.end()
    print(f"\nreport     {options.out / 'report.html'}")
    if report.failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
