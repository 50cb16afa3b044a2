"""What makes candidate pixels lesions, the same for every segmenter of the stroke study."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from lesionkit import arrays
from lesionkit.studies.stroke.histograms import TOP
from lesionkit.studies.stroke.mirror import Mirror, asymmetric, lesion_like, mirror_for
from lesionkit.studies.stroke.morphology import closed, label
from lesionkit.studies.stroke.prepare import GAMMA, NORMAL, Kind, Mask, Prepared, box_of

MIN_PIXELS = 20  # pixels
CLOSING = 3  # pixels, the radius of the disk
RECLAIMED = 2  # steps along the axes
RIM = 2  # pixels, how far the bright rim of a haemorrhage reaches
SQUARE = np.ones((2 * RIM + 1, 2 * RIM + 1), np.bool_)
RIMMED = 0.2  # of the ring around it: more than noise makes bright
HOLE = 0.5  # of its region: larger holes stay
EDGE = 0.4  # of the way from the normal level to the lesion's: where its edge is
NORMAL_LEVEL: int = round(TOP * NORMAL**GAMMA)


class Place(NamedTuple):
    """A slice in which lesions are looked for."""

    scene: Prepared
    kind: Kind
    smallest: int  # pixels
    mirror: Mirror | None  # for hypointense lesions
    like: Mask | None = None  # pixels that may be fluid; None: all
    share: float = EDGE
    closing: int = CLOSING

    def edge(self, regions: Mask) -> float:
        """Of a lesion: a part of the way from the normal level to the mean of its regions."""
        mean = float(self.scene.levels[regions].mean())
        return (1 - self.share) * NORMAL_LEVEL + self.share * mean

    def beyond(self, edge: float) -> Mask:
        """Brain pixels on the lesion's side of a level, whose mirror pixel is not."""
        if self.mirror is None:
            return (self.scene.levels > edge) & self.scene.brain
        return asymmetric((self.scene.levels < edge) & self.scene.brain, self.mirror, self.like)


def half_height(seeds: Mask, place: Place) -> Mask:
    """Seeds grow over the pixels beyond the edge's level, and again with the level of the regions
    so found, since seeds are the brightest part of a lesion."""
    grown = seeds
    for _ in range(2):
        if grown.any():
            found = connected(place.beyond(place.edge(grown)), seeds)
            grown = tidy(found, place.scene.brain, place.closing)
    return grown


def lesions(
    candidates: Mask,
    scene: Prepared,
    kind: Kind,
    smallest: int = MIN_PIXELS,
    grow: Callable[[Mask, Place], Mask] = half_height,
    mean_beyond: float | None = None,
    like: Mask | None = None,
    share: float | None = None,
    closing: int | None = None,
) -> Mask:
    """Candidates as regions, slice by slice; none where nothing is left.

    1. Hypointense candidates whose mirror image is one, too, go (`mirror`).
    2. Regions (4-connected) below `smallest` pixels go, hypointense ones that are like their mirror
       image as well, and those whose mean is not beyond the level `mean_beyond`. The rest are
       seeds.
    3. Seeds grow, by the rule of the method. Hypointense regions get back what lies within two
       steps of them and had gone for its mirror image: there the lesion is opposite a sulcus or
       ventricle. Those with a bright rim, as haemorrhages have it, get the rim (`_rimmed`).
    4. Regions are closed by a disk of radius 3 within the brain, and holes smaller than half of
       their region are filled: lesions are uneven, and noise makes holes.

    `half_height` and step 4 are ours; 0.4, the radius and the half were chosen on all hyperintense
    planted phantoms together, on none alone.
    """
    least = arrays.integer(smallest, "smallest", at_least=1)
    share, closing = EDGE if share is None else share, CLOSING if closing is None else closing
    out = np.zeros_like(candidates)
    if not candidates.any():
        return out
    box, inner = scene.box, scene.cropped
    mirror = mirror_for(inner, kind)
    shape = (-1, *inner.brain.shape[-2:])
    found = np.zeros_like(inner.brain)
    fluid = [None] * len(inner.planes) if like is None else like[box].reshape(shape)
    for plane, part, kept, may in zip(
        inner.planes, candidates[box].reshape(shape), found.reshape(shape), fluid, strict=True
    ):
        if part.any():
            place = Place(plane, kind, least, mirror, may, share, closing)
            seeds = _seeds(part, place, mean_beyond)
            if seeds.any():
                grown = _rimmed(_reclaimed(grow(seeds, place), place), place)
                kept[...] = large(tidy(grown, plane.brain, closing), least)
    out[box] = found
    return out


def _seeds(candidates: Mask, place: Place, mean_beyond: float | None) -> Mask:
    if place.mirror is not None:
        candidates = asymmetric(candidates, place.mirror, place.like)
    labels, sizes = label(candidates)
    keep = sizes >= place.smallest
    if mean_beyond is not None:
        sums = np.bincount(labels[candidates], place.scene.levels[candidates], sizes.size)
        means = sums / np.maximum(sizes, 1)
        keep &= means > mean_beyond if place.kind == "hyper" else means < mean_beyond
    keep[0] = False
    if place.mirror is not None and place.like is None and keep.any():
        keep[1:] &= lesion_like(
            np.where(keep[labels], labels, 0), place.scene, place.mirror, sizes.size - 1
        )
    return keep[labels]


def _reclaimed(grown: Mask, place: Place) -> Mask:
    if place.mirror is None or not grown.any():
        return grown
    dark = (place.scene.levels < place.edge(grown)) & place.scene.brain
    near: Mask = ndimage.binary_dilation(grown, iterations=RECLAIMED)
    return grown | (dark & near)


def _rimmed(grown: Mask, place: Place) -> Mask:
    """Dark regions with their bright rims.

    Bright is what lies above the normal level by more than the brain's spread (the median distance
    from it, as an SD). A region has a rim where more than a fifth of the ring around it, 2 pixels
    wide, is bright. A rim also tells where a region ends that lies across the midline, and has lost
    what is opposite its own: if all that is dark and joined to it has more of a rim, it is that.
    """
    if place.mirror is None or not grown.any():
        return grown
    levels, brain = place.scene.levels, place.scene.brain
    away = np.bincount(np.abs(levels[brain].astype(np.int32) - NORMAL_LEVEL))
    spread = 1.4826 * np.searchsorted(away.cumsum(), away.sum() / 2)
    bright = (levels > NORMAL_LEVEL + spread) & brain
    dark, _ = label(grown | ((levels < place.edge(grown)) & brain))
    regions, _ = label(grown)
    boxes, wider = ndimage.find_objects(regions), ndimage.find_objects(dark)
    out = grown.copy()
    for number, spot in enumerate(boxes, 1):
        whole = dark[spot][regions[spot] == number][0]
        most = RIMMED
        for numbers, one, around in ((regions, number, spot), (dark, whole, wider[whole - 1])):
            box = tuple(slice(max(s.start - RIM, 0), s.stop + RIM) for s in around)
            inside, lit = numbers[box] == one, bright[box]
            ring = ndimage.binary_dilation(inside, SQUARE) & brain[box] & ~inside
            fraction = np.count_nonzero(lit & ring) / max(1, int(np.count_nonzero(ring)))
            if fraction > most:
                most = fraction
                out[box] |= inside | (lit & ring)
    return out


def connected(mask: Mask, seeds: Mask) -> Mask:
    """The regions of the mask that hold a seed."""
    labels, sizes = label(mask)
    reached = np.zeros(sizes.size, bool)
    reached[labels[seeds]] = True
    reached[0] = False
    return reached[labels]


def tidy(mask: Mask, brain: Mask, closing: int = CLOSING) -> Mask:
    """The mask closed and its small holes filled, within the brain."""
    if not mask.any():
        return mask
    box = tuple(slice(max(side.start - 4, 0), side.stop + 4) for side in box_of(mask))
    out = np.zeros_like(mask)
    inside = brain[box]  # one that is given may have holes, which are no lesion
    out[box] = filled(closed(mask[box], closing) & inside) & inside
    return out


def large(mask: Mask, smallest: int) -> Mask:
    """The regions of `smallest` pixels or more."""
    labels, sizes = label(mask)
    return (sizes >= smallest)[labels]


def filled(mask: Mask) -> Mask:
    """The mask with holes that are small beside the region around them."""
    framed = np.ones((mask.shape[0] + 2, mask.shape[1] + 2), np.bool_)
    framed[1:-1, 1:-1] = ~mask
    holes, sizes = label(framed)
    if sizes.size < 3:  # number 1 is the outside
        return mask
    holes = holes[1:-1, 1:-1]
    regions, areas = label(mask, diagonal=True)
    # The first pixel of a hole in raster order has the region that encloses it on its left.
    places = np.flatnonzero(holes > 1)[::-1]
    first = np.zeros(sizes.size, np.intp)
    first[holes.ravel()[places]] = places
    around = areas[regions.ravel()[first - 1]]
    fill = sizes < HOLE * around
    fill[:2] = False
    return mask | fill[holes]
