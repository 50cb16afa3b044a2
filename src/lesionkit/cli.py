"""The `lesionkit` command.

Exit codes: 0 done; 1 the GPU failed its selftest, or a case of several could not be done; 2 a
mistake in what was asked, or a file that cannot be read or written, told in one line; 130
interrupted. Heavy modules are imported by the subcommand that needs them.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from lesionkit import __version__, cli_nets, reconstruct_command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.run is not _bench:
        parser.error(f"unknown argument {rest[0]}")
    options.rest = rest
    try:
        code: int | None = options.run(options)
    except _mistakes() as mistake:
        return _complain(str(mistake))
    except OSError as trouble:
        return _complain(str(trouble) if trouble.filename else trouble.strerror or str(trouble))
    except KeyboardInterrupt:
        print("lesionkit: interrupted", file=sys.stderr)
        return 130
    return code or 0


def _mistakes() -> tuple[type[Exception], ...]:
    """What is told in one line; asked for only when something has gone wrong."""
    from lesionkit.gpu import GpuError
    from lesionkit.io import MissingLibrary

    return ValueError, TypeError, MemoryError, GpuError, MissingLibrary


def _complain(sentence: str) -> int:
    print(f"lesionkit: {sentence}", file=sys.stderr)
    return 2


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; the usage is a --help away."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="lesionkit", description="A fast backend for lesion imaging.")
    parser.add_argument("--version", action="version", version=f"lesionkit {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

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

    stroke = commands.add_parser(
        "stroke",
        help="segment stroke lesions on diffusion MRI: masks, scores, and a report",
        description="Segment stroke lesions by the methods of Noor's thesis (2020). Of a folder "
        "all images are taken, those named *_dwi where there are any; the truth of NAME_dwi or "
        "NAME is NAME_mask. Masks (NIfTI), scores.tsv and report.html go to DIR.",
    )
    stroke.set_defaults(run=_stroke)
    stroke.add_argument(
        "image", type=Path, metavar="IMAGE", help="NIfTI, DICOM or PNG; or a folder of cases"
    )
    stroke.add_argument(
        "--truth", type=Path, metavar="MASK", help="drawn by hand, to score; or a folder of these"
    )
    stroke.add_argument(
        "--method",
        default="all",
        metavar="NAME",
        help="threshold, glcm, watershed, fcm, kmeans, split, or all of them (all)",
    )
    stroke.add_argument(
        "--kind",
        choices=("hyper", "hypo"),
        default="hyper",
        help="brighter than the brain (acute, sub-acute), or darker (chronic) (hyper)",
    )
    stroke.add_argument("--out", type=Path, required=True, metavar="DIR", help="made if need be")

    study = commands.add_parser(
        "stroke-study",
        help="plant strokes, and repeat the tables of classifiers and detectors",
        description="Plant strokes of four kinds into the MNI152 brain, by real lesion shapes; "
        "classify them by six features, on shapes not seen; train detectors. Tables and pictures "
        "go to DIR.",
    )
    study.set_defaults(run=_stroke_study)
    study.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="with stroke_dwi/soop_lesion_masks and misc/mni152_nilearn ($LESIONKIT_DATA/data)",
    )
    study.add_argument("--out", type=Path, required=True, metavar="DIR", help="made if need be")
    study.add_argument("--lesions", type=int, default=560, metavar="N", help="560")
    study.add_argument("--seed", type=int, default=0, metavar="S", help="0")
    study.add_argument(
        "--epochs", type=int, default=0, metavar="N", help="of the detectors; 0: none of them (0)"
    )
    reconstruct_command.add(commands)
    cli_nets.add_to(commands)

    info = commands.add_parser("info", help="version, instruction set, threads, GPU")
    info.set_defaults(run=_info)

    selftest = commands.add_parser(
        "selftest",
        help="does the GPU compute what the CPU computes?",
        description="Compile every GPU kernel, check each against the CPU, and print one table. "
        "Exit code 1 without a GPU, or if an answer is wrong.",
    )
    selftest.set_defaults(run=_selftest)

    bench = commands.add_parser(
        "bench", help="benchmarks against the peers (from a checkout)", add_help=False
    )
    bench.set_defaults(run=_bench)
    return parser


def _phantoms(options: argparse.Namespace) -> None:
    import lesionkit
    from lesionkit import arrays
    from lesionkit.optics.phantoms import generate
    from lesionkit.optics.recipe import PhantomRecipe

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


def _stroke(options: argparse.Namespace) -> int:
    from lesionkit.studies import stroke_job

    return stroke_job.main(options.image, options.truth, options.method, options.kind, options.out)


def _stroke_study(options: argparse.Namespace) -> None:
    from lesionkit.studies import stroke_study

    stroke_study.main(options.data, options.out, options.lesions, options.seed, options.epochs)


def _peak_memory() -> int | None:
    """The most memory this process has held, in bytes; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _info(_: argparse.Namespace) -> None:
    import numpy as np

    import lesionkit
    from lesionkit import _core, _cpu, gpu

    rows = {
        "lesionkit": lesionkit.__version__,
        "instructions": f"{_core.level} (this processor has {', '.join(_cpu.levels())})",
        "threads": f"{lesionkit.threads()}",
        "GPU": gpu.describe(),
        "Python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "NumPy": np.__version__,
        "installed": str(Path(lesionkit.__file__).parent),
    }
    for name, value in rows.items():
        print(f"{name:13} {value}")


def _selftest(_: argparse.Namespace) -> int:
    from lesionkit import selftest

    return selftest.main()


def _bench(options: argparse.Namespace) -> None:
    import runpy

    checkout = Path(__file__).resolve().parents[2]
    if not (checkout / "benchmarks" / "__main__.py").is_file():
        raise ValueError(
            "bench runs from a checkout: install lesionkit from one with 'pip install -e .[bench]'"
        )
    sys.path.insert(0, str(checkout))
    sys.argv = ["lesionkit bench", *options.rest]
    try:
        runpy.run_module("benchmarks", run_name="__main__")
    except ModuleNotFoundError as missing:
        raise ValueError(
            f"bench needs {missing.name}, which is not installed: pip install -e '.[bench]'"
        ) from missing


if __name__ == "__main__":
    sys.exit(main())
