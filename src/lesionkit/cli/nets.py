"""The subcommands that need torch: train, evaluate, nirst."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def add_to(commands: Any) -> None:
    """Add them to the command's parser."""
    _add_train(commands)
    _add_evaluate(commands)
    _add_nirst(commands)


def _add_train(commands: Any) -> None:
    train = commands.add_parser(
        "train",
        help="train Z-Net or Y-Net on a store of phantoms",
        description="Train a net on a store of phantoms (Feng et al., Optica 9(3), 264-267, 2022). "
        "The folder of the run holds the weights, run.json, the curves and a model card. If it is "
        "interrupted, the same command resumes it. The defaults are the paper's.",
    )
    train.set_defaults(run=_train)
    train.add_argument("net", choices=("znet", "ynet"))
    train.add_argument("--data", type=Path, required=True, metavar="STORE")
    train.add_argument("--out", type=Path, required=True, metavar="RUN", help="a folder")
    train.add_argument("--epochs", type=int, metavar="N", help="200")
    train.add_argument("--batch", type=int, metavar="N", help="128")
    train.add_argument("--learning-rate", type=float, metavar="X", help="of Adam (0.005)")
    train.add_argument(
        "--schedule",
        choices=("constant", "cosine"),
        help="cosine: the rate falls to 0 over all epochs (constant)",
    )
    train.add_argument(
        "--augment",
        action="store_true",
        default=None,
        help="turn and mirror each batch at random, by the eight exact symmetries of a phantom",
    )
    train.add_argument(
        "--patience",
        type=int,
        metavar="N",
        help="stop after so many epochs that were not the best on validation (30)",
    )
    train.add_argument(
        "--precision",
        choices=("auto", "float32", "mixed"),
        help="mixed: bfloat16 where that is safe; auto: mixed on a GPU (auto)",
    )
    train.add_argument("--seed", type=int, metavar="S", help="0")
    train.add_argument(
        "--workers", type=int, default=2, metavar="N", help="that read a store beyond memory (2)"
    )
    _add_device(train)
    train.add_argument("--threads", type=int, metavar="N", help="on the CPU")


def _add_evaluate(commands: Any) -> None:
    evaluate = commands.add_parser(
        "evaluate",
        help="compare nets, Tikhonov and DRI on unseen phantoms",
        description="Reconstruct phantoms that no net has seen, phantoms with three inclusions, "
        "and phantoms read by every second optode; print MSE, PSNR, SSIM and errors of the "
        "inclusions beside the paper's, and write evaluation.json, evaluation.md and pictures.",
    )
    evaluate.set_defaults(run=_evaluate)
    evaluate.add_argument("--data", type=Path, required=True, metavar="STORE")
    evaluate.add_argument(
        "--nets", type=Path, nargs="*", default=[], metavar="RUN", help="folders of trained nets"
    )
    evaluate.add_argument(
        "--methods",
        nargs="*",
        default=["tikhonov", "dri"],
        metavar="NAME",
        help="beside the nets (tikhonov dri)",
    )
    evaluate.add_argument("--out", type=Path, required=True, metavar="DIR")
    evaluate.add_argument("--limit", type=int, metavar="N", help="phantoms of each set at most")
    _add_device(evaluate)
    evaluate.add_argument("--threads", type=int, metavar="N", help="on the CPU")


def _add_nirst(commands: Any) -> None:
    nirst = commands.add_parser(
        "nirst",
        help="the study of Feng et al. (2022) from start to end",
        description="Make phantoms, train Y-Net and Z-Net, and compare them with Tikhonov and DRI. "
        "If it is interrupted, the same command goes on where it stopped.",
    )
    nirst.set_defaults(run=_nirst)
    nirst.add_argument("--out", type=Path, required=True, metavar="DIR")
    nirst.add_argument(
        "--size",
        choices=("paper", "small", "tiny"),
        default="paper",
        help="20,000 phantoms, 200 epochs; 2,000 of 50 pixels, 200 epochs; 160, 3 epochs (paper)",
    )
    nirst.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="auto: a GPU if there is one",
    )
    nirst.add_argument("--threads", type=int, metavar="N", help="on the CPU")


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device", default="auto", metavar="NAME", help="auto, cpu, cuda, cuda:1 (auto)"
    )


def _train(options: argparse.Namespace) -> None:
    with _torch(options.threads):
        from lesionkit.nets.records import RUN, read
        from lesionkit.nets.training import TrainingOptions, train
    from tqdm import tqdm

    names = ("epochs", "batch", "learning_rate", "schedule", "augment", "patience", "precision")
    asked = {name: getattr(options, name) for name in (*names, "seed")}
    chosen = TrainingOptions(**{name: v for name, v in asked.items() if v is not None})
    with tqdm(unit=" batches", disable=None) as bar:

        def progress(epoch: int, batch: int, batches: int, loss: float) -> None:
            bar.total = chosen.epochs * batches
            bar.n = (epoch - 1) * batches + batch
            bar.set_description(f"epoch {epoch}, loss {loss:.4g}", refresh=False)
            bar.refresh() if batch == batches else bar.update(0)

        try:
            record = train(
                options.net,
                options.data,
                options.out,
                chosen,
                device=options.device,
                workers=options.workers,
                progress=progress,
            )
        except KeyboardInterrupt:
            bar.close()
            there = (options.out / RUN).exists()
            done = len(read(options.out)["history"]) if there else 0
            print(
                f"lesionkit: stopped; {done} epochs are finished and stay in {options.out}, and "
                "the same command goes on from there",
                file=sys.stderr,
            )
            raise SystemExit(130) from None
    best, history = record["best"], record["history"]
    seconds = sum(row["seconds"] for row in history)
    print(f"{record['net']}: {record['state']} after {len(history)} epochs, {seconds:,.0f} s")
    print(f"  best      epoch {best['epoch']}, validation {best['validation']:.4g}")
    print(f"  weights   {options.out / 'weights.pt'}, with curves.png, card.md and run.json")


def _evaluate(options: argparse.Namespace) -> None:
    with _torch(options.threads):
        from lesionkit.studies.nirst import evaluation

    result = evaluation.evaluate(
        options.data,
        options.nets,
        options.out,
        methods=options.methods,
        limit=options.limit,
        device=options.device,
        progress=lambda title, name: print(f"{title}: {name}", file=sys.stderr),
    )
    print(evaluation.table(result))
    print(f"written to {options.out}: evaluation.json, evaluation.md and pictures")


def _nirst(options: argparse.Namespace) -> None:
    with _torch(options.threads):
        from lesionkit.studies import nirst
        from lesionkit.studies.nirst import evaluation

    result = nirst.run(options.out, options.size, device=options.device)
    print(evaluation.table(result))


@contextmanager
def _torch(threads: int | None) -> Iterator[None]:
    """Around what imports torch: its absence is a sentence; afterwards it may use `threads`."""
    from lesionkit import arrays

    if threads is not None:
        threads = arrays.integer(threads, "threads", at_least=1, at_most=1024)
    try:
        from lesionkit.nets.framework import torch

        yield
    except ImportError as missing:
        raise ValueError(str(missing)) from missing
    if threads is not None:
        import lesionkit

        torch.set_num_threads(threads)
        lesionkit.threads(threads)
