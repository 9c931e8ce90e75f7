"""Another pose estimator in the place of the package's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vitruvian.image.photo import load_photo
from vitruvian.people import find_people, pose
from vitruvian.people.blazepose import BlazePoseEstimator
from vitruvian.people.landmarks import LandmarkEstimate
from vitruvian.people.pose import PoseEstimator, pose_estimator
from vitruvian.types.estimate import BodyEstimate


class Mirrored(BlazePoseEstimator):
    """Believes that everybody is seen from behind: left is right in what it says of bodies."""

    def body(
        self, image: np.ndarray, landmarks: LandmarkEstimate, focal_px: float | None
    ) -> BodyEstimate | None:
        self.focal_px = focal_px
        told = super().body(image, landmarks, focal_px)
        return None if told is None else replace(told, keypoints=told.keypoints * [-1, 1, -1])


def test_people_carry_what_the_given_estimator_says(shared_data) -> None:
    photo = load_photo(shared_data("photos") / "s060_tfjsmodels.jpg", fov_deg=50)
    other: PoseEstimator = Mirrored()
    (plain,), (behind,) = find_people(photo), find_people(photo, pose=other)
    assert plain.estimate is not None
    assert behind.estimate is not None
    expected = plain.estimate.keypoints * [-1, 1, -1]
    np.testing.assert_allclose(behind.estimate.keypoints, expected, atol=1e-6)
    np.testing.assert_array_equal(behind.landmarks.points, plain.landmarks.points)
    assert other.focal_px == pytest.approx(  # type: ignore[attr-defined]
        photo.camera.focal_px * min(1, 1600 / max(photo.width, photo.height))
    )


def test_a_line_makes_an_estimator_known(monkeypatch) -> None:
    monkeypatch.setitem(pose.ESTIMATORS, "mirrored", f"{__name__}.Mirrored")
    assert isinstance(pose_estimator("mirrored"), Mirrored)
    assert type(pose_estimator()) is BlazePoseEstimator
    with pytest.raises(ValueError, match="no pose estimator 'none'; choose from blazepose"):
        pose_estimator("none")
