"""What is plausible of a pose: analytic bodies, and the suite on a photograph."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vitruvian.body.model.model import body_model
from vitruvian.body.model.skeleton import ELBOWS, HIPS, KNEES, SHOULDERS
from vitruvian.errors import InputError
from vitruvian.lab.evaluation.metrics.plausible import (
    agreement,
    anatomy,
    center_of_mass,
    coco_points,
    stance,
    steadiness,
)
from vitruvian.lab.evaluation.suites.plausible import PlausibleSuite
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.keypoints import COCO_NAMES, mirror_of

CAMERA = Camera.centered(1200.0, 800, 1000)


def standing(**turns: tuple[float, float, float]) -> Body:
    """Somebody 3 m in front of the camera, who faces it, with some joints turned (radians)."""
    model = body_model()
    pose = np.zeros((len(model.parents), 3))
    pose[0] = [np.pi, 0, 0]
    for name, turn in turns.items():
        pose[model.joint_index[name.replace("_", ".")]] = turn
    place = np.array([0.0, 0.0, 3.0])
    posed = model.forward(np.zeros(1), pose, place)
    stature = model.stature(np.zeros(1))
    return Body(model, np.zeros(1), pose, place, stature, posed.vertices, posed.joints)


def seen_of(body: Body, score: float = 0.9) -> np.ndarray:
    pixels = CAMERA.project(coco_points(body))
    return np.concatenate([pixels, np.full((17, 1), score)], axis=1)


def test_keypoints_of_the_body_itself_agree_with_it() -> None:
    body = standing()
    seen = seen_of(body)
    numbers = agreement(coco_points(body), CAMERA, seen, 700.0)
    assert numbers["reprojection"] < 1e-9
    assert numbers["swapped"] == 0
    assert numbers["symmetry"] < 0.01
    exchanged = agreement(coco_points(body), CAMERA, seen[mirror_of(COCO_NAMES)], 700.0)
    assert exchanged["swapped"] == 1
    assert exchanged["reprojection"] > 0.05
    unseen = agreement(coco_points(body), CAMERA, seen_of(body, 0.1), 700.0)
    assert all(np.isnan(value) for value in unseen.values())


def test_who_leans_is_beside_their_feet() -> None:
    upright = stance(standing())
    assert upright["floor_cm"] < 0.5
    assert upright["balance_cm"] == 0
    assert upright["knee_deg"] < 15
    leaning = standing()
    turn = np.array([[1.0, 0, 0], [0, np.cos(0.5), np.sin(0.5)], [0, -np.sin(0.5), np.cos(0.5)]])
    about = leaning.joints[0]
    tipped = replace(
        leaning,
        vertices=((leaning.vertices - about) @ turn.T + about).astype(np.float32),
        joints=(leaning.joints - about) @ turn.T + about,
    )
    assert stance(tipped)["balance_cm"] > 2
    raised = {HIPS[0]: (-0.8, 0, 0), KNEES[0]: (0.8, 0, 0)}
    one_foot = standing(**{name.replace(".", "_"): turn for name, turn in raised.items()})
    assert stance(one_foot)["floor_cm"] > 5


def test_nobody_stands_who_sits() -> None:
    turns = {HIPS[0]: (-1.5, 0, 0), HIPS[1]: (-1.5, 0, 0), KNEES[0]: (1.5, 0, 0)}
    sitting = standing(**{name.replace(".", "_"): turn for name, turn in turns.items()})
    assert all(np.isnan(value) for value in stance(sitting).values())


def test_limbs_through_the_trunk_and_broken_joints_are_told() -> None:
    fine = anatomy(standing())
    assert fine["through_cm"] == 0
    assert fine["limits_deg"] < 1
    knee = anatomy(standing(**{KNEES[0].replace(".", "_"): (-0.8, 0, 0)}))
    assert knee["limits_deg"] > 10
    arm = {
        SHOULDERS[0].replace(".", "_"): (0, 0.3, -1.2),
        ELBOWS[0].replace(".", "_"): (0, -1.9, 0),
    }
    assert anatomy(standing(**arm))["through_cm"] > 1


def test_the_centre_of_a_box_with_a_lid_of_many_faces() -> None:
    corners = np.array([[x, y, z] for x in (0, 2) for y in (0, 1) for z in (0, 1)], float)
    faces = np.array(
        [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
         [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]
    )  # fmt: skip
    np.testing.assert_allclose(center_of_mass(corners, faces), [1, 0.5, 0.5])


def test_a_body_that_stays_the_same_is_steady() -> None:
    body = standing()
    assert max(steadiness([body] * 3).values()) == 0
    other = standing(**{KNEES[0].replace(".", "_"): (0.4, 0, 0)})
    moved = steadiness([body, other, body])
    assert moved["shape_sd_cm"] == 0
    assert moved["wobble_along_mm"] > 5


def test_the_suite_judges_a_photograph_and_keeps_what_was_seen(
    tmp_path: Path, shared_data, monkeypatch
) -> None:
    monkeypatch.setenv("VITRUVIAN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "photos").mkdir()
    (tmp_path / "weights").mkdir()
    shutil.copy(shared_data("ccp") / "photos" / "0072.jpg", tmp_path / "photos")
    with pytest.raises(InputError, match=r"movenet_thunder\.onnx is missing"):
        PlausibleSuite.open(tmp_path)
    shutil.copy(shared_data("weights") / "movenet_thunder.onnx", tmp_path / "weights")
    suite = PlausibleSuite.open(tmp_path)
    (case,) = suite.cases()
    first = suite.run(case)
    assert set(first.numbers) <= {metric.key for metric in suite.metrics}
    assert first.numbers["reprojection"] < 0.03
    assert first.numbers["swapped"] == 0
    assert len(first.pictures) == 4
    monkeypatch.setattr("vitruvian.lab.evaluation.looks.find_people", None)  # is not asked again
    assert suite.run(case).numbers == pytest.approx(first.numbers, nan_ok=True)


def test_a_folder_without_pictures_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no data for the suite plausible"):
        PlausibleSuite.open(tmp_path)
