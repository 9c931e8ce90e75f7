"""A matte per person: BlazePose's mask, shared out where people overlap, refined at its edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vitruvian.image.disc import disc
from vitruvian.networks.blazepose import BlazePose
from vitruvian.people.crops import Crop
from vitruvian.people.landmarks import LandmarkEstimate
from vitruvian.people.voting import vote
from vitruvian.types.keypoints import (
    ANKLES,
    EARS,
    HIPS,
    INDEX_FINGERS,
    LIMBS,
    NOSE,
    SHOULDERS,
    TOES,
    WRISTS,
)

# The mask is best from a crop only a little larger than the person, but the mean over several
# crops, mirrored ones among them, is better than any: the landmarks' crops yield theirs for free.
CROP_MARGIN = 1.05
# The network draws people a little too large: logits below this count as background.
LOGIT_THRESHOLD = 0.7
# A person is refined at no more than this height in pixels; the network's mask has 256.
MAX_REFINED_PX = 384
MAX_PASSING_PX = 192  # of somebody in one of many frames
# Half-width of the band that is refined, in parts of the person's height.
BAND = 0.015
# Two masks of one person count by this power of how much of the skeleton they cover.
AGREEMENT_POWER = 4
_NOTHING = -12.0  # logit outside the crop

# Landmark pairs that a skeleton is drawn with.
_BONES = np.array(
    [
        SHOULDERS, HIPS, EARS, *LIMBS, *zip(ANKLES, TOES, strict=True),
        *zip(WRISTS, INDEX_FINGERS, strict=True), (NOSE, SHOULDERS[0]), (NOSE, SHOULDERS[1]),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class CoarseMask:
    """Mask logits of one person in a window of the image.

    Attributes:
        logits: (h, w) float32, positive = this person.
        window: x0, y0, x1, y1 in pixels of the image.
        scale: pixels of ``logits`` per pixel of the image, at most 1.
        size: the person's extent in pixels of ``logits``.
        rivals: (h, w) float32, the strongest claim of anybody else to each pixel.
    """

    logits: np.ndarray
    window: tuple[int, int, int, int]
    scale: float
    size: float
    rivals: np.ndarray | None = None

    def region(self, image: np.ndarray) -> np.ndarray:
        """The image (H, W, 3) in the window, at the scale of the logits: (h, w, 3)."""
        x0, y0, x1, y1 = self.window
        part, (height, width) = image[y0:y1, x0:x1], self.logits.shape
        if part.shape[:2] == (height, width):
            return part
        return cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)


def extent(estimate: LandmarkEstimate) -> np.ndarray:
    """Points (34, 2) that the crop must hold: the landmarks and the top of the head."""
    points = estimate.points
    ears, shoulders = points[EARS].mean(axis=0), points[SHOULDERS].mean(axis=0)
    head_top = ears + 0.75 * (ears - shoulders)
    return np.concatenate([points, head_top[None]])


def mask_crop(estimate: LandmarkEstimate) -> Crop:
    """The crop that the mask is read from: turned as the landmarks' crop, as tight as it goes."""
    rotation = estimate.crop.rotation
    inside = extent(estimate) @ rotation
    low, high = inside.min(axis=0), inside.max(axis=0)
    center = rotation @ ((low + high) / 2)
    return Crop(center, estimate.crop.up, float((high - low).max()) * CROP_MARGIN)


def coarse_mask(
    image: np.ndarray, estimate: LandmarkEstimate, *, passing: bool = False
) -> CoarseMask | None:
    """BlazePose's mask of one person, laid over the image; None when it is empty.

    The mean of the logits of a tight crop in the mirror and of those that came with the
    landmarks. Where the landmarks were read with the neighbours greyed out, a tight crop of the
    whole picture is the second, and both together are weighed against the mask without the
    neighbours by how well either covers the skeleton: among several people BlazePose's mask is at
    times a neighbour's.

    In ``passing``, as in one of many frames, the mask that came with the landmarks has to do, at
    half the size.
    """
    crop = mask_crop(estimate)
    masks: list[tuple[np.ndarray, Crop]] = []
    if estimate.mask is not None and not estimate.alone:
        masks.append((estimate.mask, estimate.crop))
    if not passing or not masks:
        network, pixels = BlazePose(), crop.extract(image)
        if not masks:
            masks.append((network.mask(pixels), crop))
        mirrored = network.mask(np.ascontiguousarray(pixels[:, ::-1]))[:, ::-1]
        masks.append((np.ascontiguousarray(mirrored), crop))
    height, width = image.shape[:2]
    reach = crop.side * np.abs(crop.rotation).sum(axis=1) / 2
    x0, y0 = np.clip(np.floor(crop.center - reach), 0, [width, height]).astype(int)
    x1, y1 = np.clip(np.ceil(crop.center + reach), 0, [width, height]).astype(int)
    if x1 - x0 < 2 or y1 - y0 < 2 or masks[-1][0].max() < 0:
        return None
    person_px = crop.side / CROP_MARGIN
    scale = min(1.0, (MAX_PASSING_PX if passing else MAX_REFINED_PX) / person_px)
    window = (int(x0), int(y0), int(x1), int(y1))
    pasted = [
        own_crop.paste(np.clip(values, _NOTHING, -_NOTHING), window, scale, _NOTHING)
        for values, own_crop in masks
    ]
    mean = pasted[0] if len(pasted) == 1 else (pasted[0] + pasted[1]) / 2
    if estimate.alone and estimate.mask is not None:
        own = np.clip(estimate.mask, _NOTHING, -_NOTHING)
        own = estimate.crop.paste(own, window, scale, _NOTHING)
        bones = skeleton((estimate.points - window[:2]) * scale, person_px * scale, mean.shape)
        shares = [float((each[bones] > LOGIT_THRESHOLD).mean()) for each in (mean, own)]
        mean_weight, own_weight = np.array(shares) ** AGREEMENT_POWER + 1e-6
        mean = (mean_weight * mean + own_weight * own) / np.float32(mean_weight + own_weight)
    return CoarseMask(
        np.asarray(mean - LOGIT_THRESHOLD, np.float32), window, scale, person_px * scale
    )


def share_out(
    masks: list[CoarseMask],
    estimates: list[LandmarkEstimate],
    colors: Sequence[np.ndarray] | None = None,
) -> list[CoarseMask]:
    """Give every pixel that several people claim to one of them.

    BlazePose's mask of one person runs over into people who touch them. Where two masks overlap,
    a person's claim is the logit less the distance from their skeleton; the strongest claim
    keeps the pixel, and is remembered as a rival of the others' for the refinement.

    Args:
        masks, estimates: one each per person.
        colors: (h, w) of each what their colours add to their claim, of ``belonging.own_colors``.
    """
    if len(masks) < 2:
        return masks
    claims = [_claim(mask, estimate) for mask, estimate in zip(masks, estimates, strict=True)]
    for i, claim in enumerate(claims):
        if colors is not None:
            claim += colors[i]
        claim -= np.float32(1e-3 * i)  # a pixel claimed alike goes to whoever comes first
    shared = []
    for i, mask in enumerate(masks):
        rivals = others_of(i, masks, claims)
        lost = rivals > np.maximum(claims[i], 0)
        logits = np.where(lost, np.minimum(mask.logits, -1), mask.logits).astype(np.float32)
        # Compare as claims do: a rival keeps others out where its claim is the stronger one.
        stronger = np.where(rivals > claims[i], rivals, _NOTHING)
        shared.append(replace(mask, logits=logits, rivals=stronger))
    return shared


def _claim(mask: CoarseMask, estimate: LandmarkEstimate) -> np.ndarray:
    """How strongly a person claims each pixel, (h, w) float32.

    The logits, less 12 for every quarter of the person's size to their skeleton, and at most 20.
    A pixel of the mask counts 24 more, so that it is above 0 and beats whoever does not claim it.
    """
    points = (estimate.points - mask.window[:2]) * mask.scale
    bones = skeleton(points, mask.size, mask.logits.shape)
    away = np.where(bones, np.uint8(0), np.uint8(255))
    distance = cv2.distanceTransform(away, cv2.DIST_L2, 3)
    penalty = np.minimum(distance * np.float32(48 / mask.size), 20)
    return np.asarray(mask.logits - penalty + 24 * (mask.logits > 0), dtype=np.float32)


def skeleton(points: np.ndarray, size: float, shape: tuple[int, ...]) -> np.ndarray:
    """Where limbs, trunk and head of somebody are, (h, w) bool.

    Args:
        points: (33, 2) landmarks in pixels of the result.
        size: the person's extent in pixels; a limb is a twentieth of it thick.
        shape: of the result.
    """
    drawn = np.zeros(shape, np.uint8)
    thickness = max(round(0.05 * size), 1)
    for first, second in np.round(points[_BONES]).astype(np.int32):
        cv2.line(drawn, first.tolist(), second.tolist(), 1, thickness)
    trunk = np.round(points[[*SHOULDERS, *HIPS[::-1]]]).astype(np.int32)
    cv2.fillConvexPoly(drawn, trunk, 1)
    return drawn > 0


def others_of(index: int, masks: Sequence[CoarseMask], values: Sequence[np.ndarray]) -> np.ndarray:
    """The greatest of everybody else's values in the grid of a mask, (h, w) float32.

    Args:
        index: of the mask.
        masks: of everybody.
        values: (h, w) of each, in its own grid, such as logits.
    """
    found = np.full_like(masks[index].logits, _NOTHING)
    for other, (mask, own) in enumerate(zip(masks, values, strict=True)):
        if other != index:
            _raise_to(found, masks[index], own, mask)
    return found


def _raise_to(rivals: np.ndarray, mask: CoarseMask, claim: np.ndarray, other: CoarseMask) -> None:
    """Raise ``rivals`` (in the grid of ``mask``) to the claim (h, w) of another mask, in place."""
    (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) = mask.window, other.window
    x0, y0, x1, y1 = max(ax0, bx0), max(ay0, by0), min(ax1, bx1), min(ay1, by1)
    if x0 >= x1 or y0 >= y1:
        return

    def part(values: np.ndarray, scale: float, left: int, top: int) -> np.ndarray:
        columns = slice(round((x0 - left) * scale), round((x1 - left) * scale))
        return values[round((y0 - top) * scale) : round((y1 - top) * scale), columns]

    target = part(rivals, mask.scale, ax0, ay0)
    source = part(claim, other.scale, bx0, by0)
    if target.size == 0 or source.size == 0:
        return
    if source.shape != target.shape:
        source = cv2.resize(source, target.shape[::-1], interpolation=cv2.INTER_LINEAR)
    np.maximum(target, source, out=target)


def refine(image: np.ndarray, mask: CoarseMask) -> np.ndarray:
    """Alpha (h, w) uint8 in the window of the mask, at the image's resolution.

    A band along the edge of the mask is settled by :func:`vitruvian.people.voting.vote`; what
    somebody else claims more strongly is background for certain.
    """
    x0, y0, x1, y1 = mask.window
    region, (h, w) = mask.region(image), mask.logits.shape
    decided = np.full((h, w), np.nan, np.float32)
    hard = mask.logits > 0
    if mask.rivals is not None:
        foreign = mask.rivals > -2
        decided[foreign] = 0
        hard &= ~foreign
    if not hard.any():
        return np.zeros((y1 - y0, x1 - x0), np.uint8)
    radius = max(round(BAND * mask.size), 2)
    kernel = disc(radius)
    hard8 = hard.astype(np.uint8)
    undecided = cv2.dilate(hard8, kernel) != cv2.erode(hard8, kernel, borderValue=1)
    probability = vote(region, mask.logits, undecided, decided, mask.size)
    probability = np.where(undecided, probability, hard8).astype(np.float32)
    smooth = cv2.GaussianBlur(probability, (0, 0), 0.7)
    if smooth.shape != (y1 - y0, x1 - x0):
        smooth = cv2.resize(smooth, (x1 - x0, y1 - y0), interpolation=cv2.INTER_CUBIC)
    # Enlarged, the edge would be blurred: make it as steep as that of an alpha of full size,
    # and a little steeper, so that faint doubts leave no haze.
    steep = 1.5 / mask.scale
    return np.asarray(np.clip(255 * (0.5 + steep * (smooth - 0.5)), 0, 255), dtype=np.uint8)
