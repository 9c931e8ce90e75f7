"""The result of a reconstruction: people in one metric world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vitruvian.options import BoneNames, Rest, RigKind
from vitruvian.types.avatar import Avatar
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure, LeftOut
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.types.record import Record
from vitruvian.types.seen import WHOLE, Seen


@dataclass(frozen=True)
class Checks:
    """How well a person's reconstruction, seen from the camera, agrees with the photograph.

    Attributes:
        silhouette_iou: intersection over union of the rendered mesh and the matte, 0..1; NaN
            when not checked.
        keypoint_error: mean distance between the body's and the picture's landmarks, divided by
            the person's height in the picture; NaN when no landmark is in view.
        image_similarity: SSIM of the rendered texture and the photograph where both show the
            person, at most 1; NaN without a texture.
    """

    silhouette_iou: float
    keypoint_error: float
    image_similarity: float = float("nan")


@dataclass(frozen=True, eq=False, repr=False)
class Person(Record):
    """One reconstructed person.

    Attributes:
        id: from 1, left to right in the picture, by the middles of the boxes.
        figure: what was found in the picture.
        body: the fitted body, camera frame.
        mesh_camera: the outer surface in the camera frame.
        mesh: the same in the world frame (y up, metres, ground at y = 0).
        checks: agreement with the photograph.
        warnings: sentences for the user.
        world_from_camera: (4, 4) float64 of a person in a picture within the picture, who stands
            on a ground of their own; None for those who share the scene's.
        seen: what the picture shows of them, and whether the result ends where the frame cuts
            them off.
        avatar: the person made to move; None where none was made.
    """

    id: int
    figure: Figure
    body: Body
    mesh_camera: Mesh
    mesh: Mesh
    checks: Checks
    warnings: tuple[str, ...] = ()
    world_from_camera: np.ndarray | None = None
    seen: Seen = WHOLE
    avatar: Avatar | None = None

    @property
    def height_m(self) -> float:
        """Stature in metres, as if standing upright."""
        return self.body.height_m

    @property
    def height_sd_m(self) -> float:
        """Standard deviation of the stature, metres; 0 where it was given."""
        return self.body.height_sd_m

    @property
    def complete(self) -> bool:
        """Whether the whole figure is in view."""
        return self.seen.complete


@dataclass(frozen=True, eq=False, repr=False)
class Scene(Record):
    """Everyone found in a photograph, in one metric world.

    Attributes:
        photo: the picture.
        people: left to right; empty when nobody was found.
        camera_from_world: (4, 4) float64 rigid matrix from the world frame (glTF axes: y up,
            right-handed, ground at y = 0) to the camera frame (OpenCV axes).
        timings_s: seconds by stage.
        warnings: sentences about the picture as a whole.
        albedo: whether the photograph's light was taken out of the textures.
        left_out: who is seen in the photograph but not reconstructed, each with the reason.
    """

    photo: Photo
    people: tuple[Person, ...]
    camera_from_world: np.ndarray
    timings_s: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    albedo: bool = False
    left_out: tuple[LeftOut, ...] = ()

    @property
    def camera(self) -> Camera:
        """The camera of the photograph."""
        return self.photo.camera

    @property
    def largest(self) -> Person | None:
        """Whose box in the picture is the longest; None when nobody was found."""
        return max(self.people, key=lambda person: person.figure.size, default=None)

    @property
    def world_from_camera(self) -> np.ndarray:
        """(4, 4) float64, the inverse of ``camera_from_world``."""
        return np.linalg.inv(self.camera_from_world)

    def world_from_camera_of(self, person: Person) -> np.ndarray:
        """(4, 4) float64 that takes a person from the camera frame to where ``mesh`` stands."""
        own = person.world_from_camera
        return self.world_from_camera if own is None else own

    def save(
        self,
        directory: str | Path,
        formats: Sequence[str] = ("obj", "glb"),
        *,
        poses: bool = False,
        vertex_colors: bool = False,
        print_height_mm: float | None = None,
        rest: Rest = "a",
        rig: RigKind = "full",
        bone_names: BoneNames = "humanoid",
        clips: bool = True,
        keypoint_files: Sequence[str] | None = None,
        body_model: str | Path | None = None,
    ) -> dict[str, Any]:
        """Write every file of the scene into ``directory`` and return the report.

        Args:
            directory: made when absent; files of the same names are replaced.
            formats: formats of each person's mesh and avatar, besides ``scene.glb`` and
                ``avatar.glb``.
            poses: also write ``poses.png``, everyone in a T-pose, walking, with raised arms and
                sitting, as a check of the avatars' skin.
            vertex_colors: write colours at the vertices of ``mesh.obj``, too, read from its
                texture; PLY files have them always.
            print_height_mm: write ``mesh.stl`` for printing, too: so high together with a flat
                base. Without it, an STL is life-size.
            rest, rig, bone_names, clips: how avatars rest, which joints they have, their names, and
                whether they come with motions; see ``options.Options``.
            keypoint_files: also write everybody's keypoints as ``openpose``, ``coco`` or
                ``blazepose`` lay theirs out.
            body_model: your own model file of SMPL, SMPL-H or SMPL-X; everyone's ``smpl.npz`` is
                written, too.

        Raises:
            InputError: an unknown format or a directory that cannot be written.
        """
        from vitruvian.result.files import save_scene  # output sits above the scene

        return save_scene(
            self,
            Path(directory),
            tuple(formats),
            poses=poses,
            vertex_colors=vertex_colors,
            print_height_mm=print_height_mm,
            rest=rest,
            rig=rig,
            bone_names=bone_names,
            clips=clips,
            keypoint_files=keypoint_files,
            body_model=None if body_model is None else Path(body_model),
        )
