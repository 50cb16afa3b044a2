"""The subcommands of nets: train, evaluate, nirst."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionkit import files
from lesionkit.cli.parser import add_command, add_format, add_overwrite, add_threads
from lesionkit.cli.recipe import FIELDS, add_recipe, has_recipe, recipe_of
from lesionkit.cli.results import check_no_results
from lesionkit.progress import Progress, by_epoch

if TYPE_CHECKING:
    from lesionkit.nets.phantoms.stream import PhantomStream


def add_to(commands: Any) -> None:
    """Add them to the command's parser."""
    _add_train(commands)
    _add_evaluate(commands)
    _add_nirst(commands)


def _add_train(commands: Any) -> None:
    train = add_command(
        commands,
        "train",
        _train,
        draws_with="nets",
        help="train a net on a store or a stream of phantoms",
        description="Train a net on a store of phantoms, or on a stream of them that are made "
        "meanwhile (Feng et al., Optica 9(3), 264-267, 2022). The folder of the run holds the "
        "weights, run.json, the curves and a model card. If it is interrupted, the same command "
        "resumes it; with more --epochs it goes on with a finished run of the constant schedule. "
        "The defaults are the paper's.",
        example="lesionkit train znet --data phantoms.zarr --out znet",
    )
    add = train.add_argument
    add(
        "net",
        choices=("znet", "ynet", "linear-unet", "znet-no-mri", "znet3d"),
        metavar="NET",
        help="znet, the paper's own; ynet, which it is compared with; linear-unet, a U-Net on "
        "the best linear estimate, which learns sooner; znet-no-mri, which sees the signals "
        "alone; or znet3d, for volumes (--shape ball)",
    )
    data = train.add_mutually_exclusive_group(required=True)
    data.add_argument(
        "--data",
        type=Path,
        metavar="STORE",
        help="made by lesionkit phantoms (default: none, it or --stream must be told)",
    )
    data.add_argument(
        "--stream",
        nargs="?",
        const=True,
        metavar="RECIPE.json",
        help="make the phantoms while the net learns, each seen once: of a file with fields of "
        "PhantomRecipe, or of the options of a recipe below (default: a store)",
    )
    add("--out", type=Path, required=True, metavar="RUN", help="folder of the run, made if need be")
    add(
        "--per-epoch",
        type=int,
        metavar="N",
        help="phantoms of an epoch of a stream (default: 1400)",
    )
    add_recipe(train)
    add("--epochs", type=int, metavar="N", help="passes over the phantoms (default: 200)")
    add("--batch", type=int, metavar="N", help="phantoms in a step (default: 128)")
    add("--learning-rate", type=float, metavar="X", help="of Adam (default: 0.005)")
    add(
        "--schedule",
        choices=("constant", "cosine"),
        help="of the learning rate; cosine: it falls to 0 over all epochs (default: constant)",
    )
    add(
        "--augment",
        action="store_true",
        default=None,
        help="turn and mirror each batch at random, by the eight exact symmetries of a phantom",
    )
    add(
        "--missing",
        type=float,
        metavar="SHARE",
        help="leave out optodes at random in this share of the steps, and tell the net which: it "
        "then does without some, such as 0.6 (default: 0, none)",
    )
    add(
        "--average",
        type=float,
        metavar="DECAY",
        help="judge and keep an exponential moving average of the weights, such as 0.998 (default: "
        "0, the weights themselves)",
    )
    add(
        "--patience",
        type=int,
        metavar="N",
        help="stop after so many epochs that were not the best on validation (default: 30)",
    )
    add(
        "--precision",
        choices=("auto", "float32", "mixed"),
        help="mixed: bfloat16 where that is safe; auto: mixed on a GPU (default: auto)",
    )
    add(
        "--seed",
        type=int,
        metavar="S",
        help="of the first weights and of the order of phantoms (default: 0)",
    )
    add(
        "--workers",
        type=int,
        default=2,
        metavar="N",
        help="processes that read a store which memory cannot hold (default: 2)",
    )
    _add_device(train)
    add_threads(train)


def _add_evaluate(commands: Any) -> None:
    evaluate = add_command(
        commands,
        "evaluate",
        _evaluate,
        draws_with="phantoms",
        help="compare nets, Tikhonov and DRI on unseen phantoms",
        description="Reconstruct phantoms that no net has seen, phantoms with three inclusions, "
        "and phantoms read by every second optode; print MSE, PSNR, SSIM and errors of the "
        "inclusions beside the paper's, and write evaluation.json, evaluation.md and pictures.",
        example="lesionkit evaluate --data phantoms.zarr --nets ynet znet --out evaluation",
    )
    add = evaluate.add_argument
    add("--data", type=Path, required=True, metavar="STORE", help="made by lesionkit phantoms")
    add(
        "--nets",
        type=Path,
        nargs="*",
        default=[],
        metavar="RUN",
        help="folders of nets that lesionkit train has trained; needs torch (default: none)",
    )
    add(
        "--methods",
        nargs="*",
        type=str.lower,
        default=["tikhonov", "dri"],
        metavar="NAME",
        help="what is compared beside the nets: tikhonov, dri (default: both)",
    )
    add("--out", type=Path, required=True, metavar="DIR", help="made if need be")
    add(
        "--limit",
        type=int,
        metavar="N",
        help="phantoms of each set at most (default: all, of three inclusions 100)",
    )
    _add_device(evaluate)
    add_threads(evaluate)
    add_format(evaluate)
    add_overwrite(evaluate)


def _add_nirst(commands: Any) -> None:
    nirst = add_command(
        commands,
        "nirst",
        _nirst,
        draws_with="nets",
        help="the study of Feng et al. (2022) from start to end",
        description="Make phantoms, train Y-Net, Z-Net and ours, and compare them with Tikhonov "
        "and DRI. If it is interrupted, the same command goes on where it stopped. The paper's "
        "size is work for a GPU; small is an hour or two of a laptop, tiny a few minutes.",
        example="lesionkit nirst --out study --size small",
    )
    nirst.add_argument("--out", type=Path, required=True, metavar="DIR", help="made if need be")
    nirst.add_argument(
        "--size",
        choices=("paper", "small", "tiny"),
        default="paper",
        help="paper: 20,000 phantoms, 200 epochs; small: 2,000 of 50 pixels, 200 epochs; tiny: "
        "160, 3 epochs (default: paper)",
    )
    nirst.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where to compute; auto is a GPU if there is one (default: auto)",
    )
    add_threads(nirst)


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device",
        default="auto",
        metavar="NAME",
        help="of the nets: auto, cpu, cuda, cuda:1, ...; auto is a GPU if there is one "
        "(default: auto)",
    )


def _train(options: argparse.Namespace) -> None:
    with _torch(options.threads):
        from lesionkit.nets import longer
        from lesionkit.nets.options import TrainingOptions
        from lesionkit.nets.records import RUN, read
        from lesionkit.nets.training import train

    names = ("epochs", "batch", "learning_rate", "schedule", "augment", "missing", "average")
    asked = {name: getattr(options, name) for name in (*names, "patience", "precision", "seed")}
    chosen = TrainingOptions(**{name: v for name, v in asked.items() if v is not None})
    data = _data(options, chosen.seed)
    more = longer.more_epochs(options.out, chosen)
    if more:
        print(f"{options.out}: going on from epoch {more}")
    worked = False
    with Progress("batches") as report:
        tell = by_epoch(report, chosen.epochs)

        def progress(epoch: int, batch: int, batches: int, loss: float) -> None:
            nonlocal worked
            worked = True
            tell(epoch, batch, batches, loss)

        try:
            record = train(
                options.net,
                data,
                options.out,
                chosen,
                device=options.device,
                workers=options.workers,
                progress=progress,
            )
        except KeyboardInterrupt:
            there = (options.out / RUN).exists()
            done = len(read(options.out)["history"]) if there else 0
            raise KeyboardInterrupt(
                f"stopped; {done} epochs are finished and stay in {options.out}, and the same "
                "command goes on from there"
            ) from None
    best, history = record["best"], record["history"]
    if worked:
        seconds = sum(row["seconds"] for row in history)
        print(f"{record['net']}: {record['state']} after {len(history)} epochs, {seconds:,.0f} s")
    else:
        print(
            f"{options.out} holds this run already, {record['state']} after {len(history)} epochs; "
            "nothing to do"
        )
    print(f"  best      epoch {best['epoch']}, validation {best['validation']:.4g}")
    print(f"  weights   {options.out / 'weights.pt'}, with curves.png, card.md and run.json")
    if record["state"] == "finished" and best["epoch"] == len(history):
        print("  hint      the last epoch was the best: more --epochs are likely to help")


def _data(options: argparse.Namespace, seed: int) -> Path | PhantomStream:
    """What the net is trained on; a stream has the seed of the training."""
    from lesionkit.nets.phantoms.stream import PhantomStream
    from lesionkit.optics.phantoms.recipe import PhantomRecipe

    if not options.stream:
        if has_recipe(options) or options.per_epoch is not None:
            raise ValueError("a store knows its recipe: recipes and --per-epoch go with --stream")
        path: Path = options.data
        return path
    if options.stream is True:
        recipe = recipe_of(options)
    else:
        fields = [name for name in (*FIELDS,) if getattr(options, name) is not None]
        if fields:
            flag = fields[0].replace("_", "-")
            raise ValueError(f"{options.stream} is the recipe: leave out --{flag}")
        try:
            recipe = PhantomRecipe.from_dict(files.read_json(Path(options.stream)))
        except (TypeError, ValueError, AttributeError) as problem:
            raise ValueError(f"{options.stream} is no recipe of phantoms: {problem}") from None
    given = {} if options.per_epoch is None else {"per_epoch": options.per_epoch}
    return PhantomStream(recipe=recipe, seed=seed, accuracy=options.accuracy, **given)


def _evaluate(options: argparse.Namespace) -> None:
    if options.nets:
        with _torch(options.threads):
            pass
    from lesionkit.studies.nirst import evaluation

    check_no_results(options, "evaluation.json", "evaluation.md")
    with Progress("steps") as report:
        result = evaluation.evaluate(
            options.data,
            options.nets,
            options.out,
            methods=options.methods,
            limit=options.limit,
            device=options.device if options.nets else "cpu",
            progress=report,
            pictures=options.format,
        )
    print(evaluation.table(result))
    print(f"written to {options.out}: evaluation.json, evaluation.md and pictures")


def _nirst(options: argparse.Namespace) -> None:
    with _torch(options.threads):
        from lesionkit.studies import nirst
        from lesionkit.studies.nirst import evaluation

    with Progress() as report:
        result = nirst.run(options.out, options.size, device=options.device, progress=report)
    print(evaluation.table(result))


@contextmanager
def _torch(threads: int | None) -> Iterator[None]:
    """Around what imports torch: its absence is a sentence; afterwards it may use `threads`."""
    try:
        from lesionkit.nets.framework import torch

        yield
    except ImportError as missing:
        raise ValueError(str(missing)) from missing
    if threads is not None:
        torch.set_num_threads(threads)
