"""What ``body.json`` says of a fitted body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vitruvian.body.model.skeleton import PART_JOINTS
from vitruvian.types.body import Body


def describe_body(body: Body) -> dict[str, Any]:
    """Everything but the vertices as plain lists, with units and frames named.

    ``nan`` becomes None, as JSON has no such number. ``betas``, ``pose`` and ``translation``
    give the vertices back through ``BodyModel.forward``.
    """
    names = body.model.joint_names
    error = None if np.isnan(body.keypoint_error) else round(float(body.keypoint_error), 5)
    return {
        "units": {"length": "metre", "angle": "radian"},
        "frames": {
            "camera": "x right, y down, z forward, as in OpenCV",
            "body": "y up, facing +z, the subject's left at +x, as in glTF",
            "pose": "local axis-angle, joint axes parallel to the body frame at rest; the "
            "root's rotation turns the body frame into the camera frame",
        },
        "height": round(float(body.height_m), 4),
        "betas": _rounded(body.betas, 5),
        "translation": _rounded(body.translation, 5),
        "pose": _by_joint(names, body.pose),
        "joints": _by_joint(names, body.joints),
        "keypoint_error": error,
        "height_sd": round(float(body.height_sd_m), 4),
        "guessed": list(body.seen.unseen),
        "uncertain": [joint for part in body.seen.unseen for joint in PART_JOINTS[part]],
        "phenotype": None
        if body.phenotype is None
        else {
            name: value if isinstance(value, str) else round(float(value), 3)
            for name, value in body.phenotype.items()
        },
        "alternatives": [
            {
                "limbs": {one.limb: one.direction},
                "probability": round(one.probability, 2),
                "betas": _rounded(one.body.betas, 5),
                "translation": _rounded(one.body.translation, 5),
                "pose": _by_joint(names, one.body.pose),
                "joints": _by_joint(names, one.body.joints),
            }
            for one in body.alternatives
        ],
    }


def _by_joint(names: Sequence[str], rows: np.ndarray) -> dict[str, list[float]]:
    return {name: _rounded(row, 5) for name, row in zip(names, rows, strict=True)}


def _rounded(values: np.ndarray, digits: int) -> list[float]:
    return [round(float(value), digits) for value in np.asarray(values).ravel()]
