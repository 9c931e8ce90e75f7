"""The surface of a face in a small picture: 468 points, and the irises."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.networks.session import run, shipped

MESH_SIZE = 192
MESH_POINTS, IRIS_POINTS = 468, 5
# Which of the points the network draws a second time, more finely, in the order of its outputs
# (MediaPipe's graph ``tensors_to_face_landmarks_with_attention``, Apache-2.0). "Right" and "left"
# are the subject's; "right" is at the left of a picture.
LIPS = np.array([
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409,
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415,
    76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408,
    62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407,
])  # fmt: skip
RIGHT_EYE = np.array([
    33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173, 130, 25, 110, 24,
    23, 22, 26, 112, 243, 247, 30, 29, 27, 28, 56, 190, 226, 31, 228, 229, 230, 231, 232, 233,
    244, 113, 225, 224, 223, 222, 221, 189, 35, 124, 46, 53, 52, 65, 143, 111, 117, 118, 119, 120,
    121, 128, 245, 156, 70, 63, 105, 66, 107, 55, 193,
])  # fmt: skip
LEFT_EYE = np.array([
    263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398, 359, 255, 339,
    254, 253, 252, 256, 341, 463, 467, 260, 259, 257, 258, 286, 414, 446, 261, 448, 449, 450, 451,
    452, 453, 464, 342, 445, 444, 443, 442, 441, 413, 265, 353, 276, 283, 282, 295, 372, 340, 346,
    347, 348, 349, 350, 357, 465, 383, 300, 293, 334, 296, 336, 285, 417,
])  # fmt: skip
# The rims of the eyelids, corners included, are the first of an eye's points.
EYELIDS = 16
RIGHT_IRIS, LEFT_IRIS = MESH_POINTS, MESH_POINTS + IRIS_POINTS
_OUTPUTS = tuple(f"Identity_{number}:0" for number in (4, 3, 1, 5, 2, 6))


@dataclass(frozen=True)
class FoundMesh:
    """The points of a face in a square crop.

    Attributes:
        score: 0..1, whether there is a face at all.
        points: (478, 3) float64 in fractions of the crop's side: x, y, and how far behind the
            face's middle, on the same scale (weak perspective; a guess from one picture). The
            first 468 are the vertices of MediaPipe's face model, then come the middle and four
            points of the rim of the subject's right iris, then those of the left one.
    """

    score: float
    points: np.ndarray


class FaceMesh:
    """MediaPipe's face mesh with attention to eyes and lips (Apache-2.0).

    Grishchenko et al., "Attention Mesh: High-fidelity Face Mesh Prediction in Real-time" (2020).
    Input: (1, 192, 192, 3) float32 RGB 0..1 of an upright square about the face, 1.5 times its
    box. Outputs, in pixels of the crop: 468 x 3 points, 80 x 2 of the lips, 71 x 2 of either eye,
    5 x 2 of either iris; and whether it is a face.
    """

    name = "face_mesh"

    @staticmethod
    def available() -> bool:
        """Whether the weights are there."""
        return shipped(FaceMesh.name)

    def __call__(self, crop: np.ndarray) -> FoundMesh:
        """The points of the face in a (192, 192, 3) uint8 RGB crop."""
        return self.postprocess(
            run(self.name, self.preprocess(crop), ("Identity:0", *_OUTPUTS)),
        )

    @staticmethod
    def preprocess(crop: np.ndarray) -> np.ndarray:
        """The (1, 192, 192, 3) float32 tensor of a crop."""
        if crop.shape != (MESH_SIZE, MESH_SIZE, 3):
            raise ValueError(f"expected a (192, 192, 3) crop, got {crop.shape}")
        return crop[None].astype(np.float32) / np.float32(255)

    @staticmethod
    def postprocess(outputs: list[np.ndarray]) -> FoundMesh:
        """The points with eyes and lips from the finer outputs, as MediaPipe puts them together:
        depths are the coarse ones, an iris has the mean depth of its eyelids."""
        score, mesh, lips, *eyes = (output.ravel().astype(np.float64) for output in outputs)
        right, left, *irises = (values.reshape(-1, 2) for values in eyes)
        points = np.empty((MESH_POINTS + 2 * IRIS_POINTS, 3))
        points[:MESH_POINTS] = mesh.reshape(MESH_POINTS, 3)
        finer = ((LIPS, lips.reshape(-1, 2)), (RIGHT_EYE, right), (LEFT_EYE, left))
        for index, values in finer:
            points[index, :2] = values
        for start, eye, iris in zip(
            (RIGHT_IRIS, LEFT_IRIS), (RIGHT_EYE, LEFT_EYE), irises, strict=True
        ):
            points[start : start + IRIS_POINTS, :2] = iris
            points[start : start + IRIS_POINTS, 2] = points[eye[:EYELIDS], 2].mean()
        return FoundMesh(float(score[0]), points / MESH_SIZE)
