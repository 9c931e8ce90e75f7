"""What people's poses are like: a Gaussian, joint limits and examples from motion capture.

Made by ``scripts/bake_pose_prior.py`` from the CMU motion capture database (free for any use),
DeepMimic's clips (MIT) and seated poses derived from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from vitruvian.body.model.model import BodyModel
from vitruvian.body.model.skeleton import ACTIVE_JOINTS
from vitruvian.errors import WeightsError

_DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class PosePrior:
    """Statistics of the local rotations of the active joints but the root.

    All vectors hold the axis-angle of ``joint_names`` one after the other, D = 3 (A - 1) numbers
    in radians, and are alike under exchange of left and right.

    Attributes:
        joint_names: ``ACTIVE_JOINTS`` without the root.
        mean: (D,) float64.
        whitening: (D, D) float64, lower triangular; ``whitening @ (pose - mean)`` is N(0, I).
        lower, upper: (D,) float64 limits, wider than nearly all that was captured.
    """

    joint_names: tuple[str, ...]
    mean: np.ndarray
    whitening: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    def energy(self, pose: np.ndarray) -> float:
        """Squared Mahalanobis distance of a pose (D,); below D for a usual one."""
        whitened = self.whitening @ (np.asarray(pose, np.float64) - self.mean)
        return float(whitened @ whitened)


def _read(name: str) -> dict[str, np.ndarray]:
    try:
        with np.load(_DATA / name) as archive:
            data = {key: archive[key] for key in archive.files}
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"The pose data {_DATA / name} cannot be read: reinstall the package."
        ) from error
    names = tuple(str(n) for n in data["joint_names"])
    if names not in (ACTIVE_JOINTS, ACTIVE_JOINTS[1:]):
        raise WeightsError(
            f"The pose data {_DATA / name} are of another body model: bake them again."
        )
    return data


@lru_cache(maxsize=1)
def pose_prior() -> PosePrior:
    """The package's pose prior, read once."""
    data = _read("pose_prior.npz")
    return PosePrior(
        ACTIVE_JOINTS[1:],
        *(data[key].astype(np.float64) for key in ("mean", "whitening", "lower", "upper")),
    )


@lru_cache(maxsize=4)
def example_poses(model: BodyModel) -> tuple[np.ndarray, tuple[str, ...]]:
    """Diverse captured poses (N, J, 3) float32 for ``BodyModel.forward``, and their clips' names.

    The root's rotation keeps the capture's world: y up, so a standing person stays upright.
    """
    data = _read("poses.npz")
    poses = np.zeros((len(data["poses"]), len(model.parents), 3), np.float32)
    poses[:, model.active] = data["poses"]
    return poses, tuple(str(clip) for clip in data["clips"])
