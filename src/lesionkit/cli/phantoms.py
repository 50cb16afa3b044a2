"""`lesionkit phantoms`: make a store of NIRST phantoms."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any


def add_to(commands: Any) -> None:
    """Add it to the command's parser."""
    phantoms = commands.add_parser(
        "phantoms",
        help="make NIRST phantoms: signals, MRI and chromophore maps in a Zarr store",
        description="Make NIRST phantoms (Feng et al., Optica 9(3), 264-267, 2022) in a Zarr v3 "
        "store, and a picture of the first few beside it. If it is interrupted, the same command "
        "resumes it.",
    )
    phantoms.set_defaults(run=_phantoms)
    phantoms.add_argument("--count", type=int, required=True, metavar="N", help="how many")
    phantoms.add_argument("--out", type=Path, required=True, metavar="PATH", help="the store")
    phantoms.add_argument("--seed", type=int, default=0, metavar="S", help="0")
    phantoms.add_argument(
        "--accuracy",
        choices=("accurate", "fast"),
        help="of the signals: within 1 per cent, or 2 to 33 per cent off in a third of the time "
        "(accurate)",
    )
    phantoms.add_argument(
        "--nodes", type=int, metavar="N", help="of a fast mesh, about (1801); implies fast"
    )
    phantoms.add_argument(
        "--wavelengths", type=float, nargs="+", metavar="NM", help="some of the nine (all)"
    )
    phantoms.add_argument("--noise", type=float, metavar="SD", help="of signals, relative (0.02)")
    phantoms.add_argument("--mri-noise", type=float, metavar="SD", help="relative (0.04)")
    phantoms.add_argument("--pixels", type=int, metavar="N", help="of maps and MRI, a side (100)")
    phantoms.add_argument("--batch", type=int, metavar="N", help="solved at once; changes no bit")
    phantoms.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="auto: a GPU if there is one",
    )
    phantoms.add_argument("--threads", type=int, metavar="N", help="all processors; changes no bit")
    phantoms.add_argument("--no-picture", action="store_true", help="leave out PATH.png")


def _phantoms(options: argparse.Namespace) -> None:
    import lesionkit
    from lesionkit import arrays
    from lesionkit.optics.phantoms.generate import generate
    from lesionkit.optics.phantoms.recipe import PhantomRecipe

    if options.threads is not None:
        lesionkit.threads(arrays.integer(options.threads, "threads", at_least=1, at_most=1024))
    asked = {
        "nodes": options.nodes,
        "wavelengths": options.wavelengths,
        "signal_noise": options.noise,
        "mri_noise": options.mri_noise,
        "pixels": options.pixels,
    }
    recipe = PhantomRecipe(**{name: value for name, value in asked.items() if value is not None})

    from tqdm import tqdm

    start = time.perf_counter()
    before: list[int] = []  # phantoms that were there already
    with tqdm(total=options.count, unit=" phantoms", disable=None) as bar:

        def progress(done: int, count: int) -> None:
            if not before:
                before.append(done)
                bar.initial = bar.n = done
            bar.update(done - bar.n)

        try:
            made = generate(
                recipe,
                options.count,
                options.out,
                options.seed,
                accuracy=options.accuracy,
                device=options.device,
                batch=options.batch,
                progress=progress,
            )
        except KeyboardInterrupt:
            bar.close()
            print(
                f"lesionkit: stopped; what is finished stays in {options.out}.partial, and the "
                "same command resumes it",
                file=sys.stderr,
            )
            raise SystemExit(130) from None
    spent = time.perf_counter() - start

    if not before:
        print(f"{options.out} holds these phantoms already; nothing to do")
    else:
        fresh = options.count - before[0]
        resumed = f" ({before[0]:,} were there before)" if before[0] else ""
        accuracy = made.attributes["accuracy"]
        print(
            f"{fresh:,} phantoms in {spent:.1f} s: {fresh / spent:,.0f} a second, "
            f"{accuracy} accuracy{resumed}"
        )
        solving = {"plan", "draw", "mix", "solve", "noise"}
        for title, stages in (("solving", solving), ("beside", made.seconds.keys() - solving)):
            split = [f"{name} {s:.2f} s" for name, s in made.seconds.items() if name in stages]
            print(f"  {title:9}  {', '.join(split)}")
    size = sum(file.stat().st_size for file in options.out.rglob("*") if file.is_file())
    print(f"  store      {options.out}, {size / 2**20:,.1f} MiB")
    if (peak := _peak_memory()) is not None:
        print(f"  memory     {peak / 2**20:,.0f} MiB at most")
    if not options.no_picture:
        from lesionkit import report

        picture = options.out.with_name(options.out.name + ".png")
        report.preview(made, picture)
        print(f"  picture    {picture}")


def _peak_memory() -> int | None:
    """The most memory this process has held, in bytes; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
