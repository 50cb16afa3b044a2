"""Files that `lesionkit stroke-study` leaves, and what `lesionkit stroke --model` does with them:
the net's masks, the kind of each found lesion, and boxes of detectors."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import io, page
from lesionkit.report import new_figure
from lesionkit.studies.stroke.figures import COLOURS, SHORT
from lesionkit.studies.stroke.histograms import TOP
from lesionkit.studies.stroke.learned import kinds
from lesionkit.studies.stroke.prepare import Kind, Mask, Prepared, box_of

NETS = ("unet-adc", "unet")  # names of the net among the methods, on both images and on one
TOLD = 12  # lesions in the table of a case, at most
SHOWN = 4  # slices with boxes
EDGE = 6  # pixels around the brain that are shown
COLUMNS = ("method", "lesion", "plane", "ml", "kind", "probability", "familiar")
UNFAMILIAR = "no: a guess"


@dataclass(frozen=True)
class Models:
    """What was read from files of `stroke-study`: any of the three. digests : SHA-256 of each."""

    net: Any = None
    kinds: kinds.Classifier | None = None
    detectors: Mapping[str, Any] = field(default_factory=dict)
    digests: tuple[str, ...] = ()

    @property
    def tells(self) -> bool:
        """Whether there is more than a net."""
        return self.kinds is not None or bool(self.detectors)

    def segment(self, scene: Prepared, image: io.Image, kind: Kind, adc: Any) -> Mask:
        """The net's mask of a scan.

        image : whose grid the scene and the map of ADC, or None, lie on
        """
        from lesionkit.studies.stroke.learned import unet

        upright = is_upright(image)
        turned = Prepared(_turned(scene.levels, upright), _turned(scene.brain, upright))
        slower = None if adc is None else _turned(np.asarray(adc), upright)
        return _turned(unet.segment(self.net, turned, image.spacing, kind, slower), upright)

    def tell(self, scene: Prepared, image: io.Image, mask: Mask, method: str) -> Told:
        """Name the lesions that a method found, and draw boxes of detectors where they are
        largest."""
        return _tell(self, scene, image.spacing, is_upright(image), mask, method)


def is_upright(image: io.Image) -> bool:
    """Whether rows go to the back, as in a slice that is seen; those of other files go to the
    front."""
    return bool(image.geometry.affine[1, 1] < 0)


def read(paths: Iterable[Path]) -> Models:
    """Read files of `stroke-study`: kinds.npz, rcnn.pt, faster.pt, net.pt.

    ValueError, in a sentence, for a file that is broken, of another kind or of
    another version, and for two of one kind.
    """
    net, named, detectors, digests = None, None, {}, []
    for path in paths:
        if not path.is_file():
            raise ValueError(f"model must be a file of stroke-study, there is none at {path}")
        digests.append(hashlib.sha256(path.read_bytes()).hexdigest())
        if path.suffix == ".npz":
            if named is not None:
                raise ValueError(f"model must name one file of each kind, got a second, {path}")
            named = kinds.load(path)
            continue
        from lesionkit.nets import checkpoints
        from lesionkit.studies.stroke import detect
        from lesionkit.studies.stroke.learned import unet

        held = checkpoints.read(path)
        if held.get("model") == unet.WHAT:
            if net is not None:
                raise ValueError(f"model must name one file of each kind, got a second, {path}")
            net = unet.load(path)
        elif held.get("detector") in detect.METHODS:
            if held["detector"] in detectors:
                raise ValueError(f"model must name one file of each kind, got a second, {path}")
            detectors[held["detector"]] = detect.load(path)
        else:
            raise ValueError(
                f"model must be a file of stroke-study (kinds.npz, rcnn.pt, faster.pt or net.pt), "
                f"{path} is a checkpoint of something else"
            )
    return Models(net, named, detectors, tuple(digests))


def _turned(image: npt.NDArray[Any], upright: bool) -> npt.NDArray[Any]:
    return image[..., ::-1, :] if upright else image


def boxes(net: Any, plane: Prepared, spacing: Sequence[float], upright: bool) -> Any:
    """What a detector finds in a slice: `Detections`, boxes in the slice's own pixels.

    Detectors learnt from pixels of 1 mm with the front at the top: the slice is brought there.
    """
    from lesionkit.nets.framework import torch
    from lesionkit.studies.stroke import detect
    from lesionkit.studies.stroke.learned import scans

    def seen(image: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        turned = _turned(image.astype(np.float32), not upright)
        return np.ascontiguousarray(scans.resampled(turned, spacing))

    levels = np.clip(np.rint(seen(plane.levels)), 0, TOP).astype(np.uint16)
    inside = seen(plane.brain) > 0.5
    fine = Prepared(np.where(inside, levels, np.uint16(0)), inside)
    nothing = torch.zeros(0, 4)
    proposals = torch.from_numpy(detect.propose(fine))
    example = detect.Example(detect.net_input(fine), nothing, nothing[:, 0].long(), proposals)
    found = detect.detect(net, example)
    rows, columns = plane.brain.shape
    scale = torch.tensor([columns / inside.shape[1], rows / inside.shape[0]]).repeat(2)
    there = found.boxes * scale
    if not upright:
        there = torch.stack([there[:, 0], rows - there[:, 3], there[:, 2], rows - there[:, 1]], 1)
    return found._replace(boxes=there)


@dataclass(frozen=True, eq=False)
class Told:
    """What the models say of a scan: a row for each lesion of `mask`, and the part of a report."""

    rows: list[dict[str, str]]
    section: str


def _tell(
    models: Models,
    scene: Prepared,
    spacing: Sequence[float],
    upright: bool,
    mask: Mask,
    method: str,
) -> Told:
    """Name the lesions that a method found, and draw boxes of detectors where they are largest.

    spacing : mm of each axis;  upright : see :func:`is_upright`
    """
    named = models.kinds.name(scene, mask) if models.kinds is not None else []
    voxel = float(np.prod(spacing)) * (1.0 if mask.ndim == 3 else 0.0)
    rows = [
        {
            "method": method,
            "lesion": str(number),
            "plane": "" if one.plane is None else str(one.plane),
            "ml": f"{one.pixels * voxel / 1000:.2f}" if voxel else "",
            "kind": SHORT[one.kind],
            "probability": f"{one.probability:.2f}",
            "familiar": "yes" if one.familiar else UNFAMILIAR,
        }
        for number, one in enumerate(named, 1)
    ]
    planes = list(dict.fromkeys(one.plane for one in named))[:SHOWN] or _largest(mask, scene)
    parts = [f"<h3>What kind it looks like: {html.escape(method)}</h3>"]
    if models.kinds is not None:
        names = [n for n in COLUMNS[1:] if mask.ndim == 3 or n not in ("plane", "ml")]
        parts.append(page.table(names, [[row[n] for n in names] for row in rows[:TOLD]]))
        rest = f" {len(rows) - TOLD} smaller ones are in kinds.tsv." * (len(rows) > TOLD)
        parts.append(
            page.note(
                "Kinds by six features of the slice in which a lesion is largest, learnt from "
                "lesions planted into one average brain. Not familiar: a feature lies far from all "
                "that was learnt from." + rest
            )
        )
    parts.append(
        page.image(_picture(models, scene, spacing, upright, mask, named, planes), "kinds")
    )
    if models.detectors:
        parts.append(page.note("Boxes of detectors: " + ", ".join(models.detectors) + "."))
    return Told(rows, "".join(parts))


def _largest(mask: Mask, scene: Prepared) -> list[int | None]:
    """The slice where most was found, or most brain."""
    if mask.ndim == 2:
        return [None]
    return [int((mask if mask.any() else scene.brain).sum((1, 2)).argmax())]


def _cut(ax: Any, brain: Mask, upright: bool) -> None:
    """Show the rows and columns that hold the brain, radiologically where sides are known."""
    if not brain.any():
        return
    rows, columns = ((span.start - EDGE, span.stop + EDGE) for span in box_of(brain))
    ax.set_ylim(rows[::-1] if upright else rows)  # rows go down in a picture that is seen
    ax.set_xlim(columns if upright else columns[::-1])


def _picture(
    models: Models,
    scene: Prepared,
    spacing: Sequence[float],
    upright: bool,
    mask: Mask,
    named: Sequence[kinds.Named],
    planes: Sequence[int | None],
) -> bytes:
    """A row for each detector, or one without; a column for each slice."""
    from matplotlib.patches import Rectangle

    nets: dict[str, Any] = dict(models.detectors) or {"": None}
    figure = new_figure(figsize=(3.6 * len(planes), 3.9 * len(nets)), layout="constrained")
    axes = figure.subplots(len(nets), len(planes), squeeze=False)
    for row, (name, net) in zip(axes, nets.items(), strict=True):
        for ax, number in zip(row, planes, strict=True):
            plane = scene.planes[number or 0]
            ax.imshow(plane.enhanced, cmap="gray", vmin=0.1, vmax=0.75)
            shown = mask if number is None else mask[number]
            if shown.any():
                ax.contour(shown, [0.5], colors="#29d3ff", linewidths=0.8)
            _cut(ax, scene.brain, upright)
            if not upright:
                for x, side in ((0.02, "R"), (0.93, "L")):
                    ax.text(x, 0.93, side, color="white", transform=ax.transAxes)
            ax.axis("off")
            where = "" if number is None else f"slice {number}"
            ax.set_title(f"{name} {where}".strip(), fontsize=9)
            for place, one in enumerate(named, 1):
                if one.plane == number:
                    text = f"{place}: {SHORT[one.kind]} {one.probability:.2f}"
                    top = one.box[0] if upright else one.box[2]
                    ax.annotate(
                        text + "?" * (not one.familiar), (one.box[1 if upright else 3], top),
                        (0, 6), textcoords="offset points", color="#29d3ff", fontsize=8,
                        annotation_clip=True, bbox={"fc": "black", "ec": "none", "pad": 1},
                    )  # fmt: skip
            if net is None:
                continue
            found = boxes(net, plane, spacing[-2:], upright)
            for (x1, y1, x2, y2), score, label in zip(
                *(part.tolist() for part in found), strict=True
            ):
                colour = COLOURS[label - 1]
                box = Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, ec=colour, lw=1.5)
                ax.add_patch(box)
                kind = list(SHORT.values())[label - 1]
                ax.text(x1, y2, f"{kind} {score:.2f}", color=colour, fontsize=8, clip_on=True)
    return page.png_of(figure)
