"""Who is seen in a picture, but not well enough to be reconstructed, and why.

Nobody's surface is better than the pixels that are theirs: of whoever is hardly seen, the rest of
the pipeline would make a ghost, a thin figure in the colours of others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.people.matte import skeleton
from vitruvian.types.figure import Alpha, Figure, LeftOut

# Of the skeleton inside the picture, the part that the person's own matte must hold.
LEAST_COVERED = 0.45
# The part of the skeleton in a neighbour's matte from which on it is they who hide the person.
HIDING = 0.2
LEAST_PX = 40.0  # of the longer side of the box; below, faces and limbs are a few pixels
# Parts of a box in the matte, and in the box, of somebody known: more, and it is they again.
_THEIR_MATTE, _THEIR_BOX = 0.45, 0.8
_AGAIN = 0.7  # of one box in another: one of the two tells of it
_WORKING_SIDE = 640  # pixels

NOT_A_PERSON = "You said that this is not a person."
NOT_IN_BOX = "Nobody could be made out in this box; draw it around the whole person."
KNOWN = "Only somebody who was found anyway could be made out in this box."
OVER_LIMIT = "There are more people in the picture than the {count} that were asked for."
NO_POSE = (
    "Somebody seems to be here, but how they stand could not be made out; draw a box around "
    "them to have them looked at again."
)
NO_OUTLINE = "Somebody is here, but their outline could not be told from what is around them."
HIDDEN = "Mostly hidden by {whom}: too little is seen to reconstruct."
TOO_SMALL = (
    "Too small to reconstruct: {size:.0f} pixels, where {least:.0f} are needed; a larger or closer "
    "picture helps."
)


@dataclass(frozen=True)
class Verdict:
    """Why a figure must be left out.

    Attributes:
        reason: a key of ``LEFT_OUT_REASONS``.
        sentence: for the user; ``{whom}`` stands for the person of ``by``.
        by: index of the figure that is the reason; None where none is.
    """

    reason: str
    sentence: str
    by: int | None = None

    def left_out(self, box: np.ndarray, numbers: Mapping[int, int]) -> LeftOut:
        """The same for the report; ``numbers`` are those of the figures that are kept."""
        whom = "somebody else"
        if self.by is not None and self.by in numbers:
            whom = f"person {numbers[self.by]}"
        return LeftOut(box, self.reason, self.sentence.format(whom=whom))


def judge(figures: Sequence[Figure]) -> list[Verdict | None]:
    """For each figure why it must be left out; None where it need not.

    What counts is how much of the skeleton inside the picture lies in the person's own matte: one
    that was lost to a neighbour or to the furniture does not hold it.
    """
    if not figures:
        return []
    scale, mattes = _mattes([figure.alpha for figure in figures])
    verdicts: list[Verdict | None] = []
    for index, figure in enumerate(figures):
        size = float(np.ptp(figure.landmarks.points, axis=0).max()) * scale
        bones = skeleton(figure.landmarks.points * scale, size, mattes[index].shape)
        shares = np.array([matte[bones].mean() if bones.any() else 1.0 for matte in mattes])
        verdict = None
        if figure.size < LEAST_PX:
            verdict = too_small(figure.size)
        elif shares[index] < LEAST_COVERED:
            shares[index] = 0
            by = int(shares.argmax())
            verdict = Verdict("no-outline", NO_OUTLINE)
            if shares[by] >= HIDING:
                verdict = Verdict("hidden", HIDDEN, by)
        verdicts.append(verdict)
    return verdicts


def too_small(size: float) -> Verdict:
    """The verdict on somebody of so many pixels."""
    return Verdict("too-small", TOO_SMALL.format(size=size, least=LEAST_PX))


def unseen(
    boxes: Sequence[np.ndarray], figures: Sequence[Figure]
) -> list[tuple[np.ndarray, Verdict]]:
    """Of boxes (4,) in which a detector saw somebody, those that are nobody of ``figures``."""
    if not boxes:
        return []
    scale, mattes = _mattes([figure.alpha for figure in figures])
    told: list[tuple[np.ndarray, Verdict]] = []
    for box in boxes:
        if any(_within(box, other) > _AGAIN or _within(other, box) > _AGAIN for other, _ in told):
            continue
        x0, y0, x1, y1 = np.round(box * scale).astype(int)
        shares = [
            float(matte[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)].mean()) for matte in mattes
        ]
        inside = [_within(box, figure.box) for figure in figures]
        if any(a > _THEIR_MATTE and b > _THEIR_BOX for a, b in zip(shares, inside, strict=True)):
            continue
        size = float(max(box[2:] - box[:2]))
        verdict = too_small(size) if size < LEAST_PX else Verdict("no-pose", NO_POSE)
        told.append((box, verdict))
    return told


def _within(box: np.ndarray, other: np.ndarray) -> float:
    """The part of a box that lies in another."""
    sides = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
    return float(np.maximum(sides, 0).prod() / max((box[2:] - box[:2]).prod(), 1e-9))


def _mattes(alphas: Sequence[Alpha]) -> tuple[float, list[np.ndarray]]:
    """Mattes of the whole picture, (h, w) bool, and their pixels per pixel of the photograph."""
    if not alphas:
        return 1.0, []
    width, height = alphas[0].width, alphas[0].height
    scale = min(1.0, _WORKING_SIDE / max(width, height))
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    resized = (cv2.resize(one.full(), size, interpolation=cv2.INTER_AREA) for one in alphas)
    return scale, [matte > 127 for matte in resized]
