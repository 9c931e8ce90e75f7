import numpy as np
import pytest

from vitruvian.types.motion import Motion


def motion(times: list[float], **changes) -> Motion:
    count = len(times)
    values = {"pose": np.zeros((count, 2, 3)), "translation": np.zeros((count, 3))} | changes
    return Motion(np.array(times), **values, betas=np.zeros(10), joint_names=("root", "head"))


def test_times_ascend_and_shapes_agree() -> None:
    assert motion([0, 0.5, 2]).frame == "camera"
    with pytest.raises(ValueError, match="times_s must ascend"):
        motion([0, 0.5, 0.5])
    with pytest.raises(ValueError, match=r"pose must have shape \(2, 2, 3\), got \(2, 3, 3\)"):
        motion([0, 1], pose=np.zeros((2, 3, 3)))
    with pytest.raises(ValueError, match=r"translation must have shape \(2, 3\)"):
        motion([0, 1], translation=np.zeros(3))
