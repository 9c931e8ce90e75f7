"""Avatars and motions that settle on the outlines of a clip."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vitruvian.body.fit.dynamics import Floor
from vitruvian.body.model.model import body_model
from vitruvian.compute.processes import Crew
from vitruvian.geometry.normals import vertex_normals
from vitruvian.video.checking import check_motion
from vitruvian.video.eyes import Eyes
from vitruvian.video.movers import Portrait, movers_of
from vitruvian.video.settling import settled
from vitruvian.video.together import Solved, SolvedTrack
from vitruvian.video.tracking import Track
from vitruvian.video.unfinished import Parts

THIN_M, ASIDE_M = 0.015, 0.03


@pytest.fixture(scope="module")
def spoilt(carried_scene):
    """The scene with an avatar that is too thin and a motion that is beside the person."""
    (mover,) = carried_scene.people
    mesh, count = mover.avatar.mesh, len(body_model().template)
    vertices = mesh.vertices.copy()
    normals = vertex_normals(vertices[:count], body_model().faces)
    vertices[:count] -= THIN_M * normals
    avatar = replace(mover.avatar, mesh=replace(mesh, vertices=vertices))
    where = mover.motion.translation + [ASIDE_M, 0, 0]
    motion = replace(mover.motion, translation=where)
    return replace(carried_scene, people=(replace(mover, avatar=avatar, motion=motion),))


def test_what_was_spoilt_agrees_with_the_outlines_again(carried_scene, spoilt):
    (mover,) = spoilt.people
    track = Track(mover.id, list(mover.sightings))
    up = spoilt.world_from_camera[1]
    floor = Floor(up[:3], -float(up[3]), np.zeros(2))
    own = SolvedTrack(mover.motion, mover.numbers, mover.seen, mover.still, 0)
    eyes = Eyes((spoilt.camera,), turning=spoilt.turning)
    told = []
    frames = list(zip(spoilt.numbers.tolist(), spoilt.times_s.tolist(), strict=True))
    found, portraits = settled(
        [(track,)],
        frames,
        Solved((own,), floor, eyes),
        [Portrait(mover.avatar, mover.body, 0, mover.avatar_frame)],
        Parts(None),
        lambda *done: told.append(done),
        Crew(),
    )
    after = replace(spoilt, people=movers_of([(track,)], found, portraits))
    before_iou = check_motion(spoilt, mover).ious.mean()
    first_iou = check_motion(carried_scene, carried_scene.people[0]).ious.mean()
    after_iou = check_motion(after, after.people[0]).ious.mean()
    assert before_iou < 0.9
    assert after_iou > before_iou + 0.6 * (first_iou - before_iou)
    assert told[-1] == (len(frames), len(frames))
