"""MRI-guided near-infrared tomography by a net, from start to end.

Feng et al., "Deep-learning based image reconstruction for MRI-guided near-infrared spectral
tomography", Optica 9(3), 264-267 (2022). Where ours differs: readings within 1 per cent of the
diffusion equation's solution; ranges of tissue of our own, since Table S1 is not public; MSE over
the pixels of the disc; no batch norm and no ReLU behind the nets' last layer.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from lesionkit import files
from lesionkit.nets.framework import find_device
from lesionkit.nets.options import TrainingOptions
from lesionkit.nets.training import train
from lesionkit.optics.phantoms.generate import generate
from lesionkit.optics.phantoms.recipe import PhantomRecipe
from lesionkit.progress import Callback, by_epoch
from lesionkit.studies.nirst.evaluation import evaluate


@dataclass(frozen=True)
class Size:
    """How much of the study is done.

    Attributes
    ----------
    phantoms : int
        How many are made.
    options : TrainingOptions
        How nets learn from them.
    limit : int or None
        How many of each set are judged; None: all.
    recipe : PhantomRecipe
        Of the phantoms.

    Examples
    --------
    >>> from lesionkit.studies import nirst
    >>> nirst.SIZES["paper"].phantoms, nirst.SIZES["paper"].options.epochs
    (20000, 200)
    """

    phantoms: int
    options: TrainingOptions
    limit: int | None = None
    recipe: PhantomRecipe = field(default_factory=PhantomRecipe)


_FEW = TrainingOptions(
    batch=16,
    learning_rate=0.002,
    schedule="cosine",
    augment=True,
    patience=200,  # the rate falls to 0 over all epochs: the last ones are the best
    precision="mixed",
)
SIZES = {
    "paper": Size(20_000, TrainingOptions()),
    # A quarter of the pixels, and small batches, since there are few phantoms: for a CPU.
    "small": Size(2_000, _FEW, recipe=PhantomRecipe(pixels=50)),
    "tiny": Size(  # does it run at all?
        160, TrainingOptions(epochs=3, batch=16), 6, PhantomRecipe(pixels=32, nodes=900)
    ),
}

DEVICES = ("auto", "cpu", "cuda")
"""What phantoms and nets can both be made on."""


def run(
    out: str | os.PathLike[str],
    size: str = "paper",
    *,
    device: str = "auto",
    progress: Callback | None = None,
) -> dict[str, Any]:
    """The whole study, in a folder; interrupted, the same call goes on where it stopped.

    Parameters
    ----------
    out : str or path
        The folder.
    size : {"paper", "small", "tiny"}, default "paper"
        See SIZES.
    device : {"auto", "cpu", "cuda"}, default "auto"
        Of phantoms and nets.
    progress : callable, optional
        Called as progress(done, total, what), what being the step of the study.

    Returns
    -------
    dict
        The figures of :func:`evaluation.evaluate`.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    Feng et al., Optica 9(3), 264-267, 2022; the module's text says where ours differs.

    Examples
    --------
    >>> from lesionkit.studies import nirst
    >>> figures = nirst.run("study", size="tiny")  # doctest: +SKIP
    """
    if not isinstance(size, str) or size not in SIZES:
        raise ValueError(f"size must be one of {', '.join(map(repr, SIZES))}, got {size!r}")
    if device not in DEVICES:
        raise ValueError(f"device must be one of {', '.join(map(repr, DEVICES))}, got {device!r}")
    find_device(device)
    chosen = SIZES[size]
    folder = files.new_folder(out)
    files.make_folder(folder)

    # "A series of 2D circular phantoms with a diameter of 82 mm ... 16 light source and detector
    # pairs ... one or two circular inclusions ... 2% Gaussian noise ... 4% Gaussian noise was added
    # to the MRI images."
    tell = progress or (lambda *_: None)
    phantoms = folder / "phantoms.zarr"
    generate(
        chosen.recipe,
        chosen.phantoms,
        phantoms,
        device=device,  # type: ignore[arg-type]
        progress=lambda done, total: tell(done, total, "phantoms"),
    )

    # "We used 70% of these datasets for training, 20% for validation, and 10% as testing ... Adam
    # with a learning rate of 0.005, batch size of 128, and mean square error loss ... 200 epochs."
    runs = []
    # The third net is ours: it begins with the best linear estimate.
    for net in ("ynet", "znet", "linear-unet"):
        runs.append(folder / net)
        epochs = by_epoch(tell, chosen.options.epochs, f"{net}: ")
        train(net, phantoms, runs[-1], chosen.options, device=device, progress=epochs)

    # "Three evaluation metrics ... MSE, PSNR, and SSIM ... DRI and Y-Net ... a phantom with three
    # inclusions ... the number of source-detector pairs was reduced from 16 to eight."
    out = folder / "evaluation"
    return evaluate(phantoms, runs, out, limit=chosen.limit, device=device, progress=progress)
