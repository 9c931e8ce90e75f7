"""Masks from the user's own SAM networks: prompted by each person, or everything there is.

A person is asked for with their box, landmarks on them and landmarks on neighbours whom the box
overlaps. The answer replaces the logits of the coarse mask, so that people who touch are shared out
and edges refined as with the built-in mask; an answer that contradicts the landmarks is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vitruvian.networks.sam import BACKGROUND, FOREGROUND, Sam, SamEmbedding, SamMasks
from vitruvian.people.asked import guessed_keypoints
from vitruvian.people.completeness import THRESHOLD, completeness
from vitruvian.people.crops import to_index_coordinates
from vitruvian.people.detection import Detection
from vitruvian.people.landmarks import LandmarkEstimate
from vitruvian.people.matte import CoarseMask, extent, share_out
from vitruvian.people.pose import PoseEstimator
from vitruvian.types.keypoints import (
    ANKLES,
    COCO_LANDMARKS,
    ELBOWS,
    HIPS,
    KNEES,
    NOSE,
    SHOULDERS,
    WRISTS,
)

REJECTED = (
    "The SAM networks' mask of this person contradicts the landmarks, so the built-in one was used."
)
# People smaller than this part of the picture's longer side are looked at in a window of their
# own: SAM's masks have 256 pixels across, however large the picture is.
SMALL = 0.3
WINDOW = 2.2  # its side, in sizes of the person
MOST_OWN, MOST_FOREIGN = 6, 4
LEAST_AGREEMENT = 0.6
LEAST_OVERLAP = 0.4  # IoU with the built-in mask
_LIMIT = 12.0  # of logits, as of the built-in mask's

# Landmarks that lie on the person rather than on their outline, the most telling first; pairs
# stand for the middle between two.
_PROMPTS = np.array(
    [
        (SHOULDERS[0], HIPS[1]), (NOSE, NOSE), *zip(KNEES, KNEES, strict=True),
        (SHOULDERS[1], HIPS[0]), HIPS, *zip(ELBOWS, ELBOWS, strict=True),
        *zip(ANKLES, ANKLES, strict=True), *zip(WRISTS, WRISTS, strict=True),
    ]
)  # fmt: skip
_SEEN = 0.5


@dataclass(frozen=True)
class CutOut:
    """Something that SAM sets apart from the rest of a picture.

    Attributes:
        mask: (H, W) bool at the size of the picture.
        box: (4,) float64 x0, y0, x1, y1 in pixels.
        quality: 0..1, the network's guess of the mask's IoU (1 where the export does not tell).
        stability: 0..1, how little the mask changes with its threshold.
    """

    mask: np.ndarray
    box: np.ndarray
    quality: float
    stability: float


def prompted_masks(
    image: np.ndarray,
    sam: Sam,
    estimates: Sequence[LandmarkEstimate],
    masks: Sequence[CoarseMask],
) -> tuple[list[CoarseMask], list[tuple[str, ...]]]:
    """The coarse masks with SAM's logits, and sentences for the user, one tuple per person.

    Args:
        image: (H, W, 3) uint8 RGB.
        sam: the networks.
        estimates, masks: landmarks and built-in mask of each person, not yet shared out.

    Raises:
        InputError: the networks refuse their input.
    """
    if not masks:
        return [], []
    shared = share_out(list(masks), list(estimates))
    own = [_on_person(e, m) for e, m in zip(estimates, shared, strict=True)]
    height, width = image.shape[:2]
    embeddings: dict[tuple[int, int, int, int], SamEmbedding] = {}
    out: list[CoarseMask] = []
    said: list[tuple[str, ...]] = []
    for index, (estimate, mask) in enumerate(zip(estimates, masks, strict=True)):
        box = _box(estimate, mask, width, height)
        view = _view(box, width, height)
        if view not in embeddings:
            embeddings.clear()  # they are large
            x0, y0, x1, y1 = view
            embeddings[view] = sam.encode(np.ascontiguousarray(image[y0:y1, x0:x1]))
        foreign = [p for other, points in enumerate(own) if other != index for p in points]
        negatives = _inside(np.array(foreign).reshape(-1, 2), box)
        negatives = _apart(negatives, own[index], 0.03 * float(max(box[2:] - box[:2])))
        points, labels = _prompt(own[index], negatives)
        offset = np.array(view[:2], dtype=np.float64)
        found = sam.decode(
            embeddings[view],
            points - offset,
            labels,
            box - np.tile(offset, 2) if sam.takes_boxes else None,
        )
        better = None
        for candidate in ranked(found, own[index] - offset, negatives - offset):
            logits = sampled(found, candidate, mask.window, mask.scale, view)
            if _sane(logits, mask):
                better = replace(mask, logits=logits)
                break
        out.append(better or mask)
        said.append(() if better else (REJECTED,))
    return out, said


def ranked(found: SamMasks, own: np.ndarray, foreign: np.ndarray) -> list[int]:
    """The candidates that agree with the landmarks, best first.

    Candidates that hold too few of the person's own points, or too many others, are left out; of
    the rest, those that agree best and that the network believes in most come first.

    Args:
        found: the candidates.
        own, foreign: (N, 2) pixels of SAM's view, on the person and on others.
    """
    scores: list[tuple[float, int]] = []
    for k, logits in enumerate(found.logits):
        agreement = _share(logits, own, found.extent) if len(own) else 1.0
        if len(foreign):
            # Others' landmarks count half: those of someone behind may be guessed through us.
            agreement -= 0.5 * _share(logits, foreign, found.extent)
        if agreement < LEAST_AGREEMENT:
            continue
        quality = found.quality[k]
        sure = float(np.clip(quality, 0, 1)) if np.isfinite(quality) else 0.5
        scores.append((agreement + sure, k))
    return [k for _, k in sorted(scores, key=lambda row: -row[0])]


def sampled(
    found: SamMasks,
    number: int,
    window: tuple[int, int, int, int],
    scale: float,
    view: tuple[int, int, int, int],
) -> np.ndarray:
    """A candidate's logits in the grid of a coarse mask, (h, w) float32.

    Args:
        found, number: the candidate.
        window, scale: of the coarse mask.
        view: window of the image that SAM looked at.
    """
    x0, y0, x1, y1 = window
    new = (max(round((x1 - x0) * scale), 1), max(round((y1 - y0) * scale), 1))
    logits = found.logits[number]
    per_cell = np.array([logits.shape[1] / found.extent[0], logits.shape[0] / found.extent[1]])
    step = np.array([(x1 - x0) / new[0], (y1 - y0) / new[1]])
    offset = (np.array([x0 - view[0], y0 - view[1]])) * per_cell
    matrix = np.array(
        [[step[0] * per_cell[0], 0, offset[0]], [0, step[1] * per_cell[1], offset[1]]]
    )
    values = cv2.warpAffine(
        np.clip(logits, -_LIMIT, _LIMIT),
        to_index_coordinates(matrix),
        new,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=-_LIMIT,
    )
    return np.asarray(values, dtype=np.float32)


def _on_person(estimate: LandmarkEstimate, shared: CoarseMask) -> np.ndarray:
    """Points (N, 2) surely on a person: seen landmarks where the built-in mask is theirs alone."""
    pairs = _PROMPTS
    points = (estimate.points[pairs[:, 0]] + estimate.points[pairs[:, 1]]) / 2
    seen = np.minimum(estimate.visibility[pairs[:, 0]], estimate.visibility[pairs[:, 1]]) > _SEEN
    height, width = shared.logits.shape
    cells = np.floor((points - shared.window[:2]) * shared.scale).astype(int)
    seen &= ((cells >= 0) & (cells < [width, height])).all(axis=1)
    columns, rows = np.clip(cells, 0, [width - 1, height - 1]).T
    return np.asarray(points[seen & (shared.logits[rows, columns] > 0)])


def _box(estimate: LandmarkEstimate, mask: CoarseMask, width: int, height: int) -> np.ndarray:
    """What holds the built-in mask and the landmarks that are seen, (4,) pixels."""
    rows, columns = np.nonzero(mask.logits > 0)
    cells = np.stack([columns, rows], 1) if len(rows) else np.zeros((0, 2))
    corners = np.concatenate([cells, cells + 1]) / mask.scale + mask.window[:2]
    points = np.concatenate([corners, estimate.points[estimate.visibility > _SEEN]])
    if not len(points):
        points = estimate.points
    low, high = points.min(axis=0), points.max(axis=0)
    return np.concatenate([np.maximum(low, 0), np.minimum(high, [width, height])])


def _view(box: np.ndarray, width: int, height: int) -> tuple[int, int, int, int]:
    """The window of the picture that SAM gets to see: all of it, or what is around a small one."""
    size = float(max(box[2] - box[0], box[3] - box[1]))
    if size >= SMALL * max(width, height):
        return 0, 0, width, height
    middle, reach = (box[:2] + box[2:]) / 2, WINDOW * size / 2
    x0, y0 = np.maximum(np.floor(middle - reach), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(middle + reach), [width, height]).astype(int)
    return int(x0), int(y0), int(x1), int(y1)


def _inside(points: np.ndarray, box: np.ndarray) -> np.ndarray:
    return points[((points >= box[:2]) & (points <= box[2:])).all(axis=1)]


def _apart(points: np.ndarray, from_these: np.ndarray, distance: float) -> np.ndarray:
    """Points that are not next to any of the others."""
    if not len(points) or not len(from_these):
        return points
    apart = np.linalg.norm(points[:, None] - from_these[None], axis=2).min(axis=1)
    return np.asarray(points[apart > distance])


def _prompt(own: np.ndarray, foreign: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points and labels by turns, so that exports that take few drop some of both kinds."""
    rows = [(k, 0, point, FOREGROUND) for k, point in enumerate(own[:MOST_OWN])]
    # Of the neighbours' points, those nearest to the person say most about the border.
    if len(foreign) and len(own):
        nearness = np.linalg.norm(foreign[:, None] - own[None], axis=2).min(axis=1)
        foreign = foreign[np.argsort(nearness, kind="stable")]
    rows += [(k + 1, 1, point, BACKGROUND) for k, point in enumerate(foreign[:MOST_FOREIGN])]
    rows.sort(key=lambda row: row[:2])
    points = np.array([row[2] for row in rows]).reshape(-1, 2)
    return points, np.array([row[3] for row in rows])


def _share(logits: np.ndarray, points: np.ndarray, extent_px: tuple[float, float]) -> float:
    """Share of the points (N, 2), in pixels of the view, that a candidate holds."""
    height, width = logits.shape
    cells = np.floor(points * [width / extent_px[0], height / extent_px[1]]).astype(int)
    columns, rows = np.clip(cells, 0, [width - 1, height - 1]).T
    return float((logits[rows, columns] > 0).mean())


def _sane(logits: np.ndarray, mask: CoarseMask) -> bool:
    """Whether a mask covers about what the built-in one does."""
    mine, known = logits > 0, mask.logits > 0
    return bool((mine & known).sum() >= LEAST_OVERLAP * max((mine | known).sum(), 1))


def everything(
    image: np.ndarray,
    sam: Sam,
    *,
    points_per_side: int = 16,
    least_quality: float = 0.8,
    least_stability: float = 0.9,
    overlap: float = 0.7,
) -> list[CutOut]:
    """All that a grid of points finds, the surest first, each thing once.

    As SAM's automatic mask generator: every candidate of every point, kept where the network
    believes in it and where it hardly changes between thresholds one above and one below zero;
    of those that coincide (IoU of masks over ``overlap``) the surest.

    Args:
        image: (H, W, 3) uint8 RGB.
        sam: the networks.
        points_per_side: of the grid along the longer side.
    """
    height, width = image.shape[:2]
    view = (0, 0, width, height)
    embedding = sam.encode(image)
    step = max(height, width) / points_per_side
    rows = (np.arange(max(round(height / step), 1)) + 0.5) * height / max(round(height / step), 1)
    columns = (np.arange(max(round(width / step), 1)) + 0.5) * width / max(round(width / step), 1)
    candidates: list[tuple[float, float, np.ndarray]] = []
    for y in rows:
        for x in columns:
            found = sam.decode(embedding, np.array([[x, y]]), np.array([FOREGROUND]))
            for logits, quality in zip(found.logits, found.quality, strict=True):
                sure = 1.0 if np.isnan(quality) else float(np.clip(quality, 0, 1))
                firm = np.count_nonzero(logits > -1)
                stability = np.count_nonzero(logits > 1) / firm if firm else 0.0
                if sure < least_quality or stability < least_stability:
                    continue
                one = SamMasks(logits[None], np.array([sure]), found.extent)
                # A quarter of the size is enough to tell things apart.
                small = sampled(one, 0, view, min(1.0, 256 / max(height, width)), view) > 0
                if small.any():
                    candidates.append((sure * stability, stability, small))
    return _distinct(candidates, (width, height), overlap)


def _distinct(
    candidates: list[tuple[float, float, np.ndarray]], size: tuple[int, int], overlap: float
) -> list[CutOut]:
    kept: list[tuple[float, float, np.ndarray]] = []
    for candidate in sorted(candidates, key=lambda c: -c[0]):
        mask = candidate[2]
        if all((mask & o).sum() <= overlap * (mask | o).sum() for _, _, o in kept):
            kept.append(candidate)
    out = []
    for score, stability, small in kept:
        mask = cv2.resize(small.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) > 0.5
        if not mask.any():
            continue
        ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        box = np.array([xs[0], ys[0], xs[-1] + 1, ys[-1] + 1], dtype=np.float64)
        out.append(CutOut(mask, box, score / stability, stability))
    return out


Classifier = Callable[
    [PoseEstimator, np.ndarray, CutOut], tuple[Detection, LandmarkEstimate] | None
]


def whole_figure(
    pose: PoseEstimator, image: np.ndarray, cut: CutOut
) -> tuple[Detection, LandmarkEstimate] | None:
    """The person that a cut-out shows from head to feet; None for anything else.

    The landmark network looks at the cut-out alone, the rest greyed out. It believes to see people
    everywhere, so that what counts is whether its landmarks lie in the mask, reach as far as the
    mask does, and show a whole figure (``completeness``).
    """
    height, width = cut.mask.shape
    if min(cut.box[2:] - cut.box[:2]) < 12 or cut.mask.mean() > 0.9:
        return None
    alone = np.where(cut.mask[..., None], image, np.uint8(128))
    guess = Detection(cut.box, cut.quality, guessed_keypoints(cut.box), np.full(17, 0.5))
    estimate = pose.landmarks(np.asarray(alone, np.uint8), guess, [])
    own = estimate.points[COCO_LANDMARKS]
    seen = estimate.visibility[COCO_LANDMARKS] > _SEEN
    if seen.sum() < 8 or completeness(estimate, width, height) < THRESHOLD:
        return None
    cells = np.clip(np.floor(own[seen]).astype(int), 0, [width - 1, height - 1])
    thick = cv2.dilate(cut.mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if thick[cells[:, 1], cells[:, 0]].mean() < 0.85:
        return None
    reached = extent(estimate)
    tall = float(np.ptp(np.clip(reached, 0, [width, height]), axis=0).max())
    if not 0.75 < tall / float(max(cut.box[2:] - cut.box[:2])) < 1.25:
        return None
    score = float(cut.quality * cut.stability)
    person = Detection(cut.box, score, own, estimate.visibility[COCO_LANDMARKS])
    return person, replace(estimate, disagreement=0.0, swapped_disagreement=1.0)


def whole_people(
    pose: PoseEstimator,
    image: np.ndarray,
    cuts: Sequence[CutOut],
    classify: Classifier = whole_figure,
) -> list[tuple[Detection, LandmarkEstimate]]:
    """Detection and landmarks of the cut-outs that are whole people.

    Args:
        pose: looks for landmarks.
        image: (H, W, 3) uint8 RGB.
        cuts: what :func:`everything` found in it.
        classify: tells whether a cut-out is a whole person.
    """
    found = (classify(pose, image, cut) for cut in cuts)
    return [pair for pair in found if pair is not None]
