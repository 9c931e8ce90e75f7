"""Model files of the SMPL family: ``.npz``, and ``.pkl`` without running what pickles may run."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vitruvian.body.model.kernels import enclosed_volume
from vitruvian.errors import InputError, shortened
from vitruvian.exchange.pickles import read_arrays
from vitruvian.exchange.smpl_model import JOINT_NAMES, SHAPES, Kind, SmplModel
from vitruvian.image.names import expanded, readable

MAX_BYTES = 1 << 30  # SMPL-X with everything has about 170 MB, its pickles three times that
_MOST_UNPACKED = 4 * MAX_BYTES
_LEAST_M, _MOST_M = 0.4, 2.6  # from sole to crown
_NEEDED = ("v_template", "f", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table")


def read_smpl(path: str | Path) -> SmplModel:
    """A body model of the SMPL family from the user's own file.

    SMPL, SMPL-H and SMPL-X as their sites give them (``SMPL_NEUTRAL.pkl``, ``SMPLH_MALE.npz``,
    ``SMPLX_NEUTRAL.npz`` ...), told apart by the number of joints. Of shape directions the first
    ten are kept.

    Raises:
        InputError: there is no such file, or it is none of these; one sentence says why.
    """
    path = expanded(path)
    label = readable(str(path))
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise _refused(label, "is too large for one")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(
            f"There is no body model {label}: check the path.", code="missing-file"
        ) from error
    except OSError as error:
        raise InputError(
            f"The body model {label} cannot be read: give a file that may be read.",
            code="unreadable-file",
        ) from error
    try:
        arrays = _npz(data) if zipfile.is_zipfile(io.BytesIO(data)) else read_arrays(data)
    except MemoryError:
        raise
    except Exception as error:  # as many kinds as there are ways to damage a file
        reason = shortened(str(error)).rstrip(".")
        raise _refused(label, f"cannot be read ({reason})") from error
    model = _checked(arrays, label, hashlib.sha256(data).hexdigest())
    return replace(model, gender=_gender(path.stem))


def _npz(data: bytes) -> dict[str, Any]:
    """The arrays that are needed; others may be objects, which are not looked at."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        if any(name.endswith("/constants.pkl") for name in packed.namelist()):
            raise ValueError("it is a program for PyTorch, as MHR's is, not arrays")
        if sum(one.file_size for one in packed.infolist()) > _MOST_UNPACKED:
            raise ValueError("it is too large when unpacked")
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files if name in _NEEDED}


def _checked(arrays: dict[str, Any], label: str, digest: str) -> SmplModel:
    missing = [name for name in _NEEDED if name not in arrays]
    if missing:
        raise _refused(label, f"has no {missing[0]}")
    for name in _NEEDED:
        values = arrays[name]
        if values.dtype.kind not in "iuf" or not values.size or not np.isfinite(values).all():
            raise _refused(label, f"has no usable {name}")
    template = np.ascontiguousarray(arrays["v_template"], np.float64)
    if template.ndim != 2 or template.shape[1] != 3:
        raise _refused(label, "has no usable v_template")
    count = len(template)
    kind = _kind(np.asarray(arrays["weights"]).shape, count, label)
    joints = len(JOINT_NAMES[kind])
    shapes = {
        "J_regressor": (joints, count),
        "weights": (count, joints),
        "kintree_table": (2, joints),
        "posedirs": (count, 3, 9 * (joints - 1)),
    }
    for name, shape in shapes.items():
        found = np.shape(arrays[name])
        if found != shape:
            raise _refused(label, f"has a {name} of {found} where {shape} is expected")
    directions = np.asarray(arrays["shapedirs"], np.float64)
    if directions.ndim != 3 or directions.shape[:2] != (count, 3) or not directions.shape[2]:
        raise _refused(label, f"has a shapedirs of {directions.shape}")
    faces = np.asarray(arrays["f"]).astype(np.int64)
    if faces.ndim != 2 or faces.shape[1] != 3 or faces.min() < 0 or faces.max() >= count:
        raise _refused(label, "has faces that are no triangles of its vertices")
    if not _LEAST_M < np.ptp(template[:, 1]) < _MOST_M:
        raise _refused(label, "does not stand upright along y in metres")
    faces = np.ascontiguousarray(faces, np.int32)
    if enclosed_volume(template.astype(np.float32), faces) < 0:  # its normals would look inwards
        faces = np.ascontiguousarray(faces[:, ::-1])
    parents = np.asarray(arrays["kintree_table"])[0].astype(np.int64)
    parents[0] = -1
    if not (parents[1:] >= 0).all() or not (parents[1:] < np.arange(1, joints)).all():
        raise _refused(label, "has joints that come before their parents")
    weights = np.asarray(arrays["weights"], np.float64)
    return SmplModel(
        kind=kind,
        template=template,
        faces=faces,
        shape_directions=directions[:, :, :SHAPES],
        pose_directions=np.ascontiguousarray(arrays["posedirs"], np.float32),
        joint_regressor=np.asarray(arrays["J_regressor"], np.float64),
        weights=weights / np.maximum(weights.sum(1, keepdims=True), 1e-12),
        parents=parents,
        digest=digest,
    )


def _gender(stem: str) -> str:
    words = re.split(r"[^a-z]+", stem.lower())
    if "female" in words or "f" in words:
        return "female"
    return "male" if "male" in words or "m" in words else "neutral"


def _kind(shape: tuple[int, ...], vertices: int, label: str) -> Kind:
    if len(shape) == 2 and shape[0] == vertices:
        for kind, names in JOINT_NAMES.items():
            if len(names) == shape[1]:
                return kind
    raise _refused(label, f"has weights of {shape}, not for the 24, 52 or 55 joints of the family")


def _refused(label: str, reason: str) -> InputError:
    return InputError(
        f"{label} {reason}: give a model file of SMPL, SMPL-H or SMPL-X, .npz or .pkl.",
        code="bad-input",
    )
