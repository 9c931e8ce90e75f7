"""BlazePose heavy: 33 landmarks in 2D and 3D and a mask of one person in a square crop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.networks.session import run
from vitruvian.types import keypoints
from vitruvian.types.keypoints import LANDMARK_NAMES

CROP_SIZE = 256
HEATMAP_SIZE = 64
# Outputs of the network in the order ``postprocess`` takes them: landmarks, score, mask, heatmaps,
# world landmarks; then what the landmarks are read from, and two stages of the backbone.
OUTPUTS = (
    *("Identity", "Identity_1", "Identity_2", "Identity_3", "Identity_4"),
    *("features_2x2", "features_8x8", "features_16x16"),
)
FEATURES = 288 * 2 * 2 + 1632 + 960
LANDMARKS = 39
# The two auxiliary landmarks that place the next crop: its centre, and the point whose distance
# and direction from the centre give its size and its up.
CROP_CENTER, CROP_RADIUS = 33, 34

# A landmark's counterpart in the mirror, for all 39.
MIRROR = np.concatenate([keypoints.MIRROR, np.arange(len(LANDMARK_NAMES), LANDMARKS)])


@dataclass(frozen=True)
class BlazePoseOutput:
    """One pass, in the pixels of the crop.

    Attributes:
        points: (39, 2) float64 crop pixels (continuous, 0..256).
        visibility: (39,) float64 in 0..1.
        presence: (39,) float64 in 0..1, belief that the point lies inside the crop.
        world: (39, 3) float64 metres, hips at the origin, x right, y down, z away, crop's axes.
        score: belief that there is a person at all (.99 on garbage: no measure of quality).
        mask: (256, 256) float32 logits of the person.
        heatmaps: (64, 64, 39) float32 logits of the landmarks.
        features: (FEATURES,) float32 activations inside the network: the 288 x 2 x 2 that the
            landmarks are linear in, then the means over the crop of 1632 and 960 channels of the
            backbone. Trained on photographs, they tell more of a person than the landmarks do.
    """

    points: np.ndarray
    visibility: np.ndarray
    presence: np.ndarray
    world: np.ndarray
    score: float
    mask: np.ndarray
    heatmaps: np.ndarray
    features: np.ndarray


class BlazePose:
    """MediaPipe's pose landmark network, heavy variant (Apache-2.0).

    Input: (1, 256, 256, 3) float32 RGB 0..1, the person upright in a square crop about 1.25
    times their reach. Bazarevsky et al., "BlazePose: On-device Real-time Body Pose tracking"
    (2020); world landmarks as in Grishchenko et al., "BlazePose GHUM Holistic" (2022).
    """

    name = "blazepose_heavy"

    def __call__(self, crop: np.ndarray) -> BlazePoseOutput:
        """Run on a (256, 256, 3) uint8 RGB crop."""
        return self.postprocess(run(self.name, self.preprocess(crop), OUTPUTS))

    def mask(self, crop: np.ndarray) -> np.ndarray:
        """Only the (256, 256) float32 mask logits of a (256, 256, 3) uint8 RGB crop."""
        (mask,) = run(self.name, self.preprocess(crop), ("Identity_2",))
        return np.asarray(mask[0, :, :, 0])

    @staticmethod
    def preprocess(crop: np.ndarray) -> np.ndarray:
        """The (1, 256, 256, 3) float32 tensor of a crop."""
        if crop.shape != (CROP_SIZE, CROP_SIZE, 3):
            raise ValueError(f"expected a (256, 256, 3) crop, got {crop.shape}")
        return crop[None].astype(np.float32) * np.float32(1 / 255)

    @staticmethod
    def postprocess(outputs: list[np.ndarray]) -> BlazePoseOutput:
        """Name the network's outputs and refine the points on the heatmaps."""
        raw, score, mask, heatmaps, world, last, *stages = outputs
        landmarks = raw.reshape(LANDMARKS, 5).astype(np.float64)
        return BlazePoseOutput(
            points=refine_on_heatmaps(landmarks[:, :2], heatmaps[0]),
            visibility=_sigmoid(landmarks[:, 3]),
            presence=_sigmoid(landmarks[:, 4]),
            world=world.reshape(LANDMARKS, 3).astype(np.float64),
            score=float(score[0, 0]),
            mask=mask[0, :, :, 0],
            heatmaps=heatmaps[0],
            features=np.concatenate([last.ravel(), *(s[0].mean((1, 2)) for s in stages)]),
        )


def mirrored(output: BlazePoseOutput) -> BlazePoseOutput:
    """The output for the mirror image of the crop that was given: sides and x are swapped.

    ``features`` stay those of the picture that the network saw.
    """
    flip_points = np.array([-1.0, 1.0])
    return BlazePoseOutput(
        points=(output.points * flip_points + [CROP_SIZE, 0])[MIRROR],
        visibility=output.visibility[MIRROR],
        presence=output.presence[MIRROR],
        world=(output.world * [-1, 1, 1])[MIRROR],
        score=output.score,
        mask=output.mask[:, ::-1],
        heatmaps=output.heatmaps[:, ::-1, MIRROR],
        features=output.features,
    )


def refine_on_heatmaps(
    points: np.ndarray, heatmaps: np.ndarray, radius: int = 3, confidence: float = 0.5
) -> np.ndarray:
    """Move each point to the centre of mass of its heatmap around it.

    Args:
        points: (39, 2) crop pixels from the regression.
        heatmaps: (64, 64, 39) logits.
        radius: cells looked at on each side (3: a window of 7 x 7).
        confidence: leave the point alone where no cell's probability reaches this.

    Returns:
        (39, 2) refined crop pixels. The method is MediaPipe's ``RefineLandmarksFromHeatmap``.
    """
    refined = points.copy()
    cell = CROP_SIZE / HEATMAP_SIZE
    # A cell stands for its left and upper edge, not its middle: with indices as coordinates,
    # straight and mirrored crops of 15 photographs differ by .1 of a pixel (median, signed), where
    # half a cell of offset would make it 4.
    for i, (x, y) in enumerate(points / cell):
        column, row = int(np.floor(x)), int(np.floor(y))
        x0, x1 = max(column - radius, 0), min(column + radius + 1, HEATMAP_SIZE)
        y0, y1 = max(row - radius, 0), min(row + radius + 1, HEATMAP_SIZE)
        if x0 >= x1 or y0 >= y1:
            continue
        weights = _sigmoid(heatmaps[y0:y1, x0:x1, i].astype(np.float64))
        if weights.max() < confidence:
            continue
        total = weights.sum()
        refined[i, 0] = weights.sum(axis=0) @ np.arange(x0, x1) / total * cell
        refined[i, 1] = weights.sum(axis=1) @ np.arange(y0, y1) / total * cell
    return refined


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))
