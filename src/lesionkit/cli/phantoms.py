"""`lesionkit phantoms`: make a store of NIRST phantoms."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionkit import files
from lesionkit.cli.parser import add_command, add_format, add_threads
from lesionkit.cli.recipe import add_recipe, has_recipe, recipe_of
from lesionkit.progress import Progress

if TYPE_CHECKING:
    from lesionkit.optics.phantoms.store.phantoms import Phantoms


def add_to(commands: Any) -> None:
    """Add it to the command's parser."""
    phantoms = add_command(
        commands,
        "phantoms",
        _phantoms,
        draws_with="phantoms",
        help="make NIRST phantoms: signals, MRI and chromophore maps in a Zarr store",
        description="Make NIRST phantoms (Feng et al., Optica 9(3), 264-267, 2022), discs with one "
        "or two inclusions, or balls and cylinders with ellipsoids, in a Zarr v3 store, and a "
        "picture of the first few beside it. If it is interrupted, the same command resumes it; "
        "with a greater --count it adds to a finished store.",
        example="lesionkit phantoms --count 256 --out phantoms.zarr",
    )
    add = phantoms.add_argument
    what = phantoms.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--count",
        type=int,
        metavar="N",
        help="how many phantoms the store gets (default: none, it must be told)",
    )
    what.add_argument(
        "--finish",
        action="store_true",
        help="make the store of its parts; needs nothing but --out",
    )
    add(
        "--out",
        required=True,
        metavar="PATH",
        help="the store, or its URL, such as s3://bucket/name.zarr",
    )
    add(
        "--seed",
        type=int,
        default=0,
        metavar="S",
        help="of all that is drawn at random; the same seed makes the same phantoms (default: 0)",
    )
    add_recipe(phantoms)
    add(
        "--batch",
        type=int,
        metavar="N",
        help="phantoms solved at once; it changes no bit (default: what fits into 64 MiB)",
    )
    add(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where to compute; auto is a GPU if there is one (default: auto)",
    )
    add_threads(phantoms)
    add_format(phantoms)
    add(
        "--part",
        type=_part,
        metavar="K/N",
        help="make part K of N alone, while other processes or machines make the others "
        "(default: the whole store)",
    )
    add("--no-picture", action="store_true", help="draw no picture")
    add("--verbose", action="store_true", help="tell the time of each stage of the work")


def _part(text: str) -> tuple[int, int]:
    number, slash, of = text.partition("/")
    if not (slash and number.isascii() and number.isdigit() and of.isascii() and of.isdigit()):
        raise argparse.ArgumentTypeError(f"it must be K/N, such as 3/64, got {text!r}")
    return int(number), int(of)


def _phantoms(options: argparse.Namespace) -> None:
    from lesionkit.optics.phantoms.generate import generate
    from lesionkit.optics.phantoms.parts import finish_parts, generate_part

    if options.finish:
        if has_recipe(options) or options.part or options.seed:
            raise ValueError("--finish needs nothing but --out: the parts know what they are of")
        _report(finish_parts(options.out), options)
        return
    recipe = recipe_of(options)
    how = {name: getattr(options, name) for name in ("seed", "accuracy", "device", "batch")}

    start = time.perf_counter()
    before: list[int] = []  # phantoms that were there already
    with Progress("phantoms") as told:

        def progress(done: int, count: int) -> None:
            if not before:
                before.append(done)
            told(done, count)

        how["progress"] = progress
        try:
            if options.part:
                mine = generate_part(recipe, options.count, options.out, options.part, **how)
            else:
                made = generate(recipe, options.count, options.out, **how)
                mine = range(options.count)
        except KeyboardInterrupt:
            remote = files.is_remote(files.location(options.out))
            place = "on this machine" if remote else f"in {options.out}.partial"
            raise KeyboardInterrupt(
                f"stopped; what is finished stays {place}, and the same command resumes it"
            ) from None
    spent = time.perf_counter() - start

    if options.part and not mine:
        print(
            f"part {options.part[0]} of {options.part[1]} is left without phantoms: there are "
            "more parts than shards of 4,096"
        )
    elif not before:
        print(f"{options.out} holds these phantoms already; nothing to do")
    else:
        fresh = len(mine) - before[0]
        resumed = f" ({before[0]:,} were there before)" if before[0] else ""
        print(f"{fresh:,} phantoms in {spent:.1f} s: {fresh / spent:,.0f} a second{resumed}")
    if options.part:
        print(f"  to do      lesionkit phantoms --finish --out {options.out}, after all parts")
        return
    if before:
        print(f"  accuracy   {made.accuracy}")
        if options.verbose:
            solving = {"plan", "draw", "mix", "solve", "noise"}
            for title, stages in (("solving", solving), ("beside", made.seconds.keys() - solving)):
                split = [f"{name} {s:.2f} s" for name, s in made.seconds.items() if name in stages]
                print(f"  {title:9}  {', '.join(split)}")
    _report(made, options)


def _report(made: Phantoms, options: argparse.Namespace) -> None:
    """What is there now, and its picture."""
    out = files.location(options.out)
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    print(f"  store      {options.out}, {size / 2**20:,.1f} MiB")
    if (peak := _peak_memory()) is not None:
        print(f"  memory     {peak / 2**20:,.0f} MiB at most")
    if not options.no_picture:
        from lesionkit import report

        image = Path(f"{out.name}.{options.format}")
        if not files.is_remote(out):
            image = out.with_name(image.name)
        report.preview(made, image)
        print(f"  picture    {image}")


def _peak_memory() -> int | None:
    """The most memory this process has held, in bytes; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
