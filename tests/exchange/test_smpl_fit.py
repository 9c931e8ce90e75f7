"""Our bodies as theirs and back: how far the surfaces are apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from made_up_smpl import made_up, random_betas, random_pose
from vitruvian.body.model.model import BodyModel
from vitruvian.errors import InputError
from vitruvian.exchange import registered
from vitruvian.exchange.registration import Correspondence
from vitruvian.exchange.smpl_arrays import PARTS, read_smpl_arrays, smpl_arrays
from vitruvian.exchange.smpl_fit import from_smpl, to_smpl
from vitruvian.exchange.smpl_model import JOINT_NAMES, SmplModel
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.lab.evaluation.metrics.closest import ClosestPointTree

PLACE = np.array([0.1, 0.2, 3.0])


def random_turns(rng: np.random.Generator, count: int) -> np.ndarray:
    return matrix_from_axis_angle(0.3 * rng.normal(size=(count, 3)))


def slowly(
    model: SmplModel, betas: np.ndarray, turns: np.ndarray, transl: np.ndarray
) -> np.ndarray:
    """The family's formula, joint by joint and vertex by vertex, in 4 x 4 matrices."""
    shaped = model.template + model.shape_directions @ betas
    joints = model.joint_regressor @ shaped
    feature = np.concatenate([(turn - np.eye(3)).reshape(-1) for turn in turns[1:]])
    posed = shaped + model.pose_directions.astype(float) @ feature
    world, moves = [], []
    for j, parent in enumerate(model.parents):
        local = np.eye(4)
        local[:3, :3] = turns[j]
        local[:3, 3] = joints[j] - (joints[parent] if parent >= 0 else 0)
        world.append(local if parent < 0 else world[parent] @ local)
        move = world[j].copy()
        move[:3, 3] -= move[:3, :3] @ joints[j]
        moves.append(move)
    blended = np.einsum("vj,jab->vab", model.weights, np.array(moves))
    out = np.einsum("vab,vb->va", blended[:, :3, :3], posed) + blended[:, :3, 3]
    return out + transl


def test_forward_is_the_familys(theirs: SmplModel) -> None:
    rng = np.random.default_rng(0)
    betas, turns = rng.normal(size=10), random_turns(rng, 24)
    vertices, joints = theirs.forward(betas, turns, PLACE)
    assert np.allclose(vertices, slowly(theirs, betas, turns, PLACE), atol=1e-6)
    assert np.allclose(joints[0], theirs.joints(betas)[0] + PLACE)


def test_derivatives(theirs: SmplModel) -> None:
    rng = np.random.default_rng(1)
    betas, turns = 0.5 * rng.normal(size=10), random_turns(rng, 24)
    corrections = theirs.corrections(turns)
    chosen = np.arange(0, len(theirs.template), 300)
    here, jacobian = theirs.evaluate(chosen, betas, turns, PLACE, corrections)
    transl = PLACE - theirs.joints(betas)[0]
    assert np.allclose(here, theirs.forward(betas, turns, transl)[0][chosen], atol=1e-6)
    step = 1e-6
    for joint, axis in ((0, 1), (5, 0), (18, 2)):
        vector = np.zeros(3)
        vector[axis] = step
        moved = turns.copy()
        moved[joint] = matrix_from_axis_angle(vector) @ turns[joint]
        there, _ = theirs.evaluate(chosen, betas, moved, PLACE, corrections)
        assert np.allclose((there - here) / step, jacobian[:, :, 3 * joint + axis], atol=1e-4)
    for beta in (0, 7):
        there, _ = theirs.evaluate(
            chosen, betas + step * np.eye(10)[beta], turns, PLACE, corrections
        )
        assert np.allclose((there - here) / step, jacobian[:, :, 72 + beta], atol=1e-4)


def test_bodies_there_and_back(ours: BodyModel, theirs: SmplModel, places: Correspondence) -> None:
    rng = np.random.default_rng(11)
    skin = ours.faces[(ours.components[ours.faces] == 0).all(1)]
    for group in ("adults", "adults", "women", "teenagers"):
        betas, pose = random_betas(rng, ours, group), random_pose(rng, ours)
        body = ours.forward(betas, pose, PLACE)
        found = to_smpl(theirs, ours, places, [body.vertices])
        vertices, _ = theirs.forward(found.betas, found.rotations[0], found.translation[0])
        away = ClosestPointTree(body.vertices, skin).query(vertices).distances
        assert away.mean() < 0.006
        assert found.error_m[0] < 0.012
        back = from_smpl(theirs, ours, places, [vertices])
        again = ours.forward_rotations(back.betas, back.rotations[0], back.translation[0])
        assert np.linalg.norm(again.vertices - body.vertices, axis=1).mean() < 0.012
        assert ours.stature(back.betas) == pytest.approx(ours.stature(betas), abs=0.03)


def test_a_motion_has_one_shape(ours: BodyModel, theirs: SmplModel, places: Correspondence) -> None:
    rng = np.random.default_rng(3)
    betas, first, last = random_betas(rng, ours), random_pose(rng, ours), random_pose(rng, ours)
    last[0] = first[0]
    times = np.linspace(0, 0.3, 4)
    bodies = [ours.forward(betas, (1 - t) * first + t * last, PLACE).vertices for t in times]
    found = to_smpl(theirs, ours, places, bodies)
    assert found.rotations.shape == (4, 24, 3, 3)
    assert found.error_m.max() < 0.012
    back = from_smpl(
        theirs,
        ours,
        places,
        [
            theirs.forward(found.betas, turns, place)[0]
            for turns, place in zip(found.rotations, found.translation, strict=True)
        ],
    )
    assert back.rotations.shape == (4, len(ours.parents), 3, 3)
    assert back.error_m.max() < 0.012


def test_arrays_are_the_same_body_in_both_frames(
    ours: BodyModel, theirs: SmplModel, places: Correspondence
) -> None:
    rng = np.random.default_rng(4)
    body = ours.forward(random_betas(rng, ours), random_pose(rng, ours), PLACE)
    found = to_smpl(theirs, ours, places, [body.vertices])
    world, camera = np.eye(4), np.eye(4)
    world[:3, :3], world[:3, 3] = random_turns(rng, 1)[0] @ np.diag([1, -1, -1]), (1, 2, 3)
    camera[:3, :3] = random_turns(rng, 1)[0]
    arrays = smpl_arrays(theirs, found, camera=camera[None], world=world)
    shapes = {name: values.shape for name, values in arrays.items()}
    assert shapes["global_orient"] == shapes["transl"] == (1, 3)
    assert (shapes["body_pose"], shapes["betas"]) == ((1, 69), (1, 10))
    plain, _ = theirs.forward(found.betas, found.rotations[0], found.translation[0])
    for suffix, matrix in (("", camera), ("_world", world)):
        named = {
            "global_orient": arrays[f"global_orient{suffix}"],
            "transl": arrays[f"transl{suffix}"],
            "body_pose": arrays["body_pose"],
            "betas": arrays["betas"],
        }
        betas, turns, place = read_smpl_arrays(named, theirs, "it")
        there, _ = theirs.forward(betas, turns[0], place[0])
        assert np.allclose(there, plain @ matrix[:3, :3].T + matrix[:3, 3], atol=1e-4)
    to_camera = arrays["camera_from_world"][0]
    assert np.allclose(to_camera, camera @ np.linalg.inv(world), atol=1e-5)


def test_parts_are_all_joints_but_the_root() -> None:
    for kind, parts in PARTS.items():
        joints = [joint for _, first, last in parts for joint in range(first, last)]
        assert joints == list(range(1, len(JOINT_NAMES[kind])))


def test_what_corresponds_is_kept(
    ours: BodyModel,
    theirs: SmplModel,
    places: Correspondence,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    (kept,) = (cache / "vitruvian" / "bodies").iterdir()
    worked = []
    monkeypatch.setattr(registered, "register", lambda *_: worked.append(1) or places)
    again = registered.correspondence.__wrapped__(theirs, ours)
    assert not worked
    assert np.array_equal(again.faces, places.faces)
    kept.write_bytes(kept.read_bytes()[:1000])  # half written
    registered.correspondence.__wrapped__(theirs, ours)
    assert worked == [1]
    assert registered.correspondence.__wrapped__(theirs, ours) is not places
    assert worked == [1]
    kept.unlink()
    strange = replace(places, trust=places.trust * 0.5)
    monkeypatch.setattr(registered, "register", lambda *_: strange)
    with pytest.raises(InputError, match="could not be laid over our body"):
        registered.correspondence.__wrapped__(theirs, ours)
    assert not kept.exists()
    assert made_up("smpl")["v_template"].shape == theirs.template.shape
