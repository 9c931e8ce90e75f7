"""Faces: where one is in a small picture, and what two networks make of its sex and age."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vitruvian.networks.session import run, shipped

DETECTOR_SIZE = 128
SEX_SIZE, AGE_SIZE, DEEP_SIZE = 32, 64, 224
# Where ``FaceSex`` and ``FaceAge`` expect the middle of the eye at the left of the picture, of the
# one at its right, and of the mouth: (3, 2) fractions of an upright chip's sides.
TEMPLATE = (np.array([(0.2273, 0.2214), (0.7528, 0.2212), (0.4901, 0.805)]) + 0.2) / 1.4
_MEAN_RGB = np.array([122.782, 117.001, 104.298], np.float32)
_MEAN_BGR = np.array([103.939, 116.779, 123.68], np.float32)
_AGES = np.array([0.25, *range(1, 81)])
_DEEP_AGES = np.arange(1.0, 101.0)


@dataclass(frozen=True)
class DetectedFace:
    """A face in a square crop, in fractions of its side.

    Attributes:
        score: 0..1.
        box: (4,) x0, y0, x1, y1, from the brows to the chin.
        points: (6, 2) the subject's right eye, left eye, tip of the nose, middle of the mouth,
            right ear, left ear.
    """

    score: float
    box: np.ndarray
    points: np.ndarray


class FaceDetector:
    """MediaPipe's face detector for short range, BlazeFace (Apache-2.0).

    Input: (1, 128, 128, 3) float32 RGB -1..1. Outputs: (1, 896, 16) boxes and points in pixels
    about the anchors, (1, 896, 1) logits. Bazarevsky et al., "BlazeFace: Sub-millisecond Neural
    Face Detection on Mobile GPUs" (2019). It looks for faces of a fifth of the picture or more.
    """

    name = "face_detection"

    @staticmethod
    def available() -> bool:
        """Whether the weights are there."""
        return shipped(FaceDetector.name)

    def __call__(self, crop: np.ndarray) -> DetectedFace:
        """The likeliest face of a (128, 128, 3) uint8 RGB crop; its score says how likely."""
        return self.postprocess(
            run(self.name, self.preprocess(crop), ("regressors", "classificators"))
        )

    @staticmethod
    def preprocess(crop: np.ndarray) -> np.ndarray:
        """The (1, 128, 128, 3) float32 tensor of a crop."""
        if crop.shape != (DETECTOR_SIZE, DETECTOR_SIZE, 3):
            raise ValueError(f"expected a (128, 128, 3) crop, got {crop.shape}")
        return crop[None].astype(np.float32) / np.float32(127.5) - np.float32(1)

    @staticmethod
    def postprocess(outputs: list[np.ndarray]) -> DetectedFace:
        """The anchor with the highest logit."""
        regressors, logits = outputs[0][0], outputs[1][0, :, 0]
        best = int(logits.argmax())
        values = regressors[best].astype(np.float64).reshape(8, 2) / DETECTOR_SIZE
        center, size = _anchors()[best] + values[0], values[1]
        return DetectedFace(
            score=float(1 / (1 + np.exp(-np.clip(float(logits[best]), -30, 30)))),
            box=np.concatenate([center - size / 2, center + size / 2]),
            points=_anchors()[best] + values[2:],
        )


@lru_cache(maxsize=1)
def _anchors() -> np.ndarray:
    """Centres (896, 2) of the detector's anchors: two on each of 16 x 16 cells, six of 8 x 8."""
    grids = []
    for cells, each in ((16, 2), (8, 6)):
        middle = (np.arange(cells) + 0.5) / cells
        x, y = np.meshgrid(middle, middle)
        grids.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), each, axis=0))
    return np.concatenate(grids)


class FaceSex:
    """Sex from an aligned face, a small residual network (CC0-1.0, Cydral's dlib models).

    Input: ``images`` (N, 3, 32, 32) float32; output: (N, 2) probabilities (female, male). Aligned
    as ``TEMPLATE`` says.
    """

    name = "face_sex"

    @staticmethod
    def available() -> bool:
        """Whether the weights are there."""
        return shipped(FaceSex.name)

    def __call__(self, chip: np.ndarray) -> float:
        """Probability that the face of a (32, 32, 3) uint8 RGB chip is a woman's.

        The mean of the logarithms of the odds over the chip and its mirror image.
        """
        (output,) = run(self.name, aligned_tensor(chip, SEX_SIZE), ("probabilities",))
        return self.postprocess(output)

    @staticmethod
    def postprocess(output: np.ndarray) -> float:
        """From the (2, 2) probabilities of a chip and its mirror image."""
        female, male = np.log(np.maximum(output.astype(np.float64), 1e-12)).mean(0)
        return float(1 / (1 + np.exp(male - female)))


class FaceAge:
    """Age from an aligned face (CC0-1.0, Cydral's dlib models).

    Input: ``images`` (N, 3, 64, 64) float32; output: (N, 81) probabilities of the ages 0 to 80.
    Aligned as ``TEMPLATE`` says.
    """

    name = "face_age"

    @staticmethod
    def available() -> bool:
        """Whether the weights are there."""
        return shipped(FaceAge.name)

    def __call__(self, chip: np.ndarray) -> tuple[float, float]:
        """Expected age of a (64, 64, 3) uint8 RGB chip and its standard deviation, years."""
        (output,) = run(self.name, aligned_tensor(chip, AGE_SIZE)[:1], ("probabilities",))
        return self.postprocess(output)

    @staticmethod
    def postprocess(output: np.ndarray) -> tuple[float, float]:
        """From the (1, 81) probabilities of a chip."""
        return _mean_and_sd(output[0].astype(np.float64), _AGES)


def aligned_tensor(chip: np.ndarray, size: int) -> np.ndarray:
    """The (2, 3, size, size) float32 tensor of a uint8 chip of that size and its mirror image."""
    if chip.shape != (size, size, 3):
        raise ValueError(f"expected a ({size}, {size}, 3) chip, got {chip.shape}")
    values = (chip.astype(np.float32) - _MEAN_RGB) / np.float32(256)
    return np.ascontiguousarray(np.stack([values, values[:, ::-1]]).transpose(0, 3, 1, 2))


class FaceDeep:
    """Sex and age from a face, better on children than the small networks (Apache-2.0).

    HSE_FaceRec: Savchenko, "Efficient Facial Representations for Age, Gender and Identity
    Recognition in Organizing Photo Albums using Multi-output CNN" (2019); trained on VGGFace2 and
    IMDB-WIKI. Input: (N, 224, 224, 3) float32 BGR, an upright square about the face, 1.15 to 1.4
    times its box; outputs: (N, 1) probability that it is a man's, (N, 100) of the ages 1 to 100.
    """

    name = "faceres_deep"
    outputs = ("gender_pred/Sigmoid:0", "age_pred/Softmax:0")

    @staticmethod
    def available() -> bool:
        """Whether the weights are there."""
        return shipped(FaceDeep.name)

    def __call__(self, crop: np.ndarray) -> tuple[float, float, float]:
        """Of a (224, 224, 3) uint8 RGB crop: probability of a woman, age, its deviation (years)."""
        return self.postprocess(run(self.name, self.preprocess(crop), self.outputs))

    @staticmethod
    def preprocess(crop: np.ndarray) -> np.ndarray:
        """The (1, 224, 224, 3) float32 tensor of a crop."""
        if crop.shape != (DEEP_SIZE, DEEP_SIZE, 3):
            raise ValueError(f"expected a (224, 224, 3) crop, got {crop.shape}")
        return crop[None, ..., ::-1].astype(np.float32) - _MEAN_BGR

    @staticmethod
    def postprocess(outputs: list[np.ndarray]) -> tuple[float, float, float]:
        """From the network's two outputs for one crop."""
        male, ages = outputs
        age, deviation = _mean_and_sd(ages[0].astype(np.float64), _DEEP_AGES)
        return 1 - float(male[0, 0]), age, deviation


def _mean_and_sd(probabilities: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    weights = probabilities / probabilities.sum()
    mean = float(weights @ values)
    return mean, float(np.sqrt(max(float(weights @ (values - mean) ** 2), 0.0)))
