"""The surface of somebody in every frame: their avatar posed, or clothed anew by each frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from vitruvian.compute.parallel import SideBySide
from vitruvian.compute.threads import thread_count
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle
from vitruvian.options import Options
from vitruvian.pipeline.stages import dress, paint
from vitruvian.types.body import Body
from vitruvian.types.figure import Figure
from vitruvian.types.mesh import Mesh
from vitruvian.video.clip import Frame
from vitruvian.video.pose import surface_at
from vitruvian.video.scene import Mover, MovingScene


def posed_surfaces(scene: MovingScene, mover: Mover) -> Iterator[tuple[int, Mesh]]:
    """Frame numbers and the avatar as it is posed in them, world frame; one topology."""
    for time, number in enumerate(mover.numbers):
        yield int(number), _in_world(scene, surface_at(mover, time))


def clothed_surfaces(
    scene: MovingScene, mover: Mover, options: Options | None = None
) -> Iterator[tuple[int, Mesh]]:
    """Frame numbers and the surface that each frame shows, world frame.

    Shape, pose and place are the motion's, so it is the same person in every frame; folds, hair and
    what clothes do are the frame's. Where the person is not seen it is the posed avatar. The clip
    is read once more, and a few frames are worked on at a time.

    Args:
        scene: of the person.
        mover: the person, seen by the scene's first clip.
        options: as of a photograph.
    """
    options = options or Options()
    seen = {one.number: one.figure for one in mover.sightings}
    times = {int(number): time for time, number in enumerate(mover.numbers)}
    waiting: list[tuple[Frame, int, Figure | None]] = []
    for frame in scene.clip.frames():
        time = times.pop(frame.number, None)
        if time is not None:
            waiting.append((frame, time, seen.get(frame.number)))
        if len(waiting) >= thread_count() or (not times and waiting):
            yield from _clothed(scene, mover, waiting, options)
            waiting = []
        if not times:
            return
    yield from _clothed(scene, mover, waiting, options)


def _clothed(
    scene: MovingScene,
    mover: Mover,
    waiting: Sequence[tuple[Frame, int, Figure | None]],
    options: Options,
) -> list[tuple[int, Mesh]]:
    def one(item: tuple[Frame, int, Figure | None]) -> tuple[int, Mesh]:
        frame, time, figure = item
        if figure is None:
            return frame.number, _in_world(scene, surface_at(mover, time))
        photo, body = frame.as_photo(scene.camera_at(frame.number)), body_at(scene, mover, time)
        mesh = dress(photo, figure, body, options)
        if options.texture:
            mesh = paint(photo, figure, body, mesh)
        back = np.linalg.inv(scene.camera_from_reference(frame.number))
        return frame.number, _in_world(scene, mesh.transformed(back, "camera"))

    with SideBySide() as side:
        return side.map(one, waiting)


def body_at(scene: MovingScene, mover: Mover, time: int) -> Body:
    """The body at one of the motion's times, in the frame of that frame's camera."""
    motion, body = mover.motion, mover.body
    matrix = scene.camera_from_reference(int(mover.numbers[time]))
    pose = motion.pose[time].copy()
    turned = matrix[:3, :3] @ matrix_from_axis_angle(pose[0])
    pose[0] = axis_angle_from_matrix(turned)
    where = matrix[:3, :3] @ motion.translation[time] + matrix[:3, 3]
    posed = scene.model.forward(motion.betas, pose, where, face=body.face)
    return replace(
        body,
        pose=pose,
        translation=where,
        vertices=posed.vertices,
        joints=np.asarray(posed.joints),
    )


def _in_world(scene: MovingScene, mesh: Mesh) -> Mesh:
    return mesh.transformed(scene.world_from_camera, "world")
