"""A matte per person: BlazePose's mask, shared out where people overlap, refined at its edge."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.networks.blazepose import BlazePose
from vitruvian.people.crops import Crop
from vitruvian.people.landmarks import PoseEstimate

# The mask is best from a crop only a little larger than the person.
CROP_MARGIN = 1.10
# A person is refined at no more than this height in pixels.
MAX_REFINED_PX = 1024
# Half-width of the band that is refined, in parts of the person's height.
BAND = 0.015
_NOTHING = -12.0  # logit outside the crop

# Landmark pairs that a skeleton is drawn with; -1 stands for the middle of hips or shoulders.
_BONES = (
    (11, 12), (11, 13), (13, 15), (12, 14), (14, 16), (11, 23), (12, 24), (23, 24), (23, 25),
    (25, 27), (24, 26), (26, 28), (27, 31), (28, 32), (0, 11), (0, 12), (7, 8), (15, 19), (16, 20),
)  # fmt: skip


@dataclass(frozen=True)
class CoarseMask:
    """Mask logits of one person in a window of the image.

    Attributes:
        logits: (h, w) float32, positive = this person.
        window: x0, y0, x1, y1 in pixels of the image.
        scale: pixels of ``logits`` per pixel of the image, at most 1.
        size: the person's extent in pixels of ``logits``.
    """

    logits: np.ndarray
    window: tuple[int, int, int, int]
    scale: float
    size: float


def extent(estimate: PoseEstimate, box: np.ndarray) -> np.ndarray:
    """Points (n, 2) that the person's outline encloses: landmarks in view, head top, box."""
    points = estimate.points
    ears, shoulders = points[7:9].mean(axis=0), points[11:13].mean(axis=0)
    head_top = ears + 0.75 * (ears - shoulders)
    return np.concatenate([points, head_top[None]])


def mask_crop(estimate: PoseEstimate, box: np.ndarray) -> Crop:
    """The crop that the mask is read from: turned as the landmarks' crop, as tight as it goes."""
    rotation = estimate.crop.rotation
    inside = extent(estimate, box) @ rotation
    low, high = inside.min(axis=0), inside.max(axis=0)
    center = rotation @ ((low + high) / 2)
    return Crop(center, estimate.crop.up, float((high - low).max()) * CROP_MARGIN)


def coarse_mask(image: np.ndarray, estimate: PoseEstimate, box: np.ndarray) -> CoarseMask | None:
    """BlazePose's mask of one person, laid over the image; None when it is empty."""
    crop = mask_crop(estimate, box)
    logits = BlazePose().mask(crop.extract(image))
    height, width = image.shape[:2]
    reach = crop.side * np.abs(crop.rotation).sum(axis=1) / 2
    x0, y0 = np.clip(np.floor(crop.center - reach), 0, [width, height]).astype(int)
    x1, y1 = np.clip(np.ceil(crop.center + reach), 0, [width, height]).astype(int)
    if x1 - x0 < 2 or y1 - y0 < 2 or logits.max() < 0:
        return None
    person_px = crop.side / CROP_MARGIN
    scale = min(1.0, MAX_REFINED_PX / person_px)
    window = (int(x0), int(y0), int(x1), int(y1))
    return CoarseMask(
        crop.paste(np.clip(logits, -12, 12), window, scale, _NOTHING),
        window,
        scale,
        person_px * scale,
    )


def refine(image: np.ndarray, mask: CoarseMask) -> np.ndarray:
    """Alpha (h, w) uint8 in the window of the mask, at the image's resolution."""
    x0, y0, x1, y1 = mask.window
    region = image[y0:y1, x0:x1]
    h, w = mask.logits.shape
    if region.shape[:2] != (h, w):
        region = cv2.resize(region, (w, h), interpolation=cv2.INTER_AREA)
    hard = mask.logits > 0
    radius = max(round(BAND * mask.size), 2)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    hard8 = hard.astype(np.uint8)
    sure = cv2.erode(hard8, kernel, borderValue=1)
    possible = cv2.dilate(hard8, kernel)
    if sure.sum() < 50 or (possible == 0).sum() < 50:
        alpha = hard8 * 255
    else:
        labels = np.where(hard, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        labels[sure == 1] = cv2.GC_FGD
        labels[possible == 0] = cv2.GC_BGD
        background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.setRNGSeed(0)
        cv2.grabCut(
            np.ascontiguousarray(region[..., ::-1]),
            labels, [0, 0, 0, 0], background, foreground, 1, cv2.GC_INIT_WITH_MASK,
        )  # fmt: skip
        cut = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.uint8)
        alpha = cv2.GaussianBlur(cut * 255, (0, 0), 0.7)
    if alpha.shape != (y1 - y0, x1 - x0):
        alpha = cv2.resize(alpha, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
    return np.asarray(alpha)
