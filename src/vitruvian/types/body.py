"""A body that was fitted to somebody: the frozen result that later stages build upon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vitruvian.body.model.model import body_model
from vitruvian.types.mesh import Mesh
from vitruvian.types.record import Record


@dataclass(frozen=True, eq=False, repr=False)
class Body(Record):
    """Shape, pose and place of one person, and the mesh they give.

    Attributes:
        betas: (K',) float64 shape coefficients of ``BodyModel``.
        pose: (J, 3) float64 local axis-angle rotations in radians; the root's also turns the
            body's frame into the camera's.
        translation: (3,) float64 position of the root joint, camera frame, metres.
        height_m: stature when standing upright, metres.
        vertices: (V, 3) float32, camera frame, metres.
        joints: (J, 3) float64, camera frame, metres.
        keypoint_error: mean reprojection error of the visible landmarks / height in pixels; nan
            when nothing is visible.
        uncertain: names of joints that the photograph says little about.
        guessed: parts of the body that are not in view and therefore a guess, of
            ``networks.cues.PARTS``.
        phenotype: what the shape suggests of the person, see ``BodyModel.describe_shape``.
    """

    betas: np.ndarray
    pose: np.ndarray
    translation: np.ndarray
    height_m: float
    vertices: np.ndarray
    joints: np.ndarray
    keypoint_error: float = float("nan")
    uncertain: tuple[str, ...] = ()
    phenotype: dict[str, float] | None = None
    guessed: tuple[str, ...] = ()

    def joint(self, name: str) -> np.ndarray:
        """Position (3,) of a joint by its name, such as ``head`` or ``wrist.L``, camera frame."""
        return self.joints[body_model().joint_index[name]]

    def as_mesh(self) -> Mesh:
        """The body as a ``Mesh`` in the camera frame, with texture coordinates and skin."""
        model = body_model()
        return Mesh(
            vertices=self.vertices,
            faces=model.faces,
            frame="camera",
            uvs=model.uvs,
            uv_faces=model.uv_faces,
            skin_joints=model.skin_joints,
            skin_weights=model.skin_weights,
        )

    def to_json_dict(self) -> dict[str, Any]:
        """Everything but the vertices as plain lists, with units and frames named.

        ``nan`` becomes None, as JSON has no such number. ``betas``, ``pose`` and ``translation``
        give the vertices back through ``BodyModel.forward``.
        """
        names = body_model().joint_names
        error = None if np.isnan(self.keypoint_error) else round(float(self.keypoint_error), 5)
        return {
            "units": {"length": "metre", "angle": "radian"},
            "frames": {
                "camera": "x right, y down, z forward, as in OpenCV",
                "body": "y up, facing +z, the subject's left at +x, as in glTF",
                "pose": "local axis-angle, joint axes parallel to the body frame at rest; the "
                "root's rotation turns the body frame into the camera frame",
            },
            "height": round(float(self.height_m), 4),
            "betas": _rounded(self.betas, 5),
            "translation": _rounded(self.translation, 5),
            "pose": {name: _rounded(turn, 5) for name, turn in zip(names, self.pose, strict=True)},
            "joints": {
                name: _rounded(point, 5) for name, point in zip(names, self.joints, strict=True)
            },
            "keypoint_error": error,
            "guessed": list(self.guessed),
            "uncertain": list(self.uncertain),
            "phenotype": None
            if self.phenotype is None
            else {name: round(float(value), 3) for name, value in self.phenotype.items()},
        }


def _rounded(values: np.ndarray, digits: int) -> list[float]:
    return [round(float(value), digits) for value in np.asarray(values).ravel()]
