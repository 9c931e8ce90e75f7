"""Calibrated cameras, as other programs write them: where each stands, and through what lens."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vitruvian.errors import InputError
from vitruvian.image.names import expanded, readable
from vitruvian.types.camera import Camera
from vitruvian.types.record import Record

MAX_BYTES = 4 * 1024**2
_KEYS = {  # names of the fields, as Pose2Sim, aniposelib and Caliscope, or Panoptic write them
    "matrix": ("matrix", "K", "intrinsics"),
    "distortion": ("distortions", "distCoef", "distortion", "dist"),
    "rotation": ("rotation", "R"),
    "translation": ("translation", "t"),
    "size": ("size", "resolution"),
}
_LARGEST = 1e9  # of a number; larger ones, infinities and NaN are none
_LONGEST_NAME = 60  # in sentences
_FARTHEST_M = 200.0  # of a camera from the origin; more are millimetres or centimetres


@dataclass(frozen=True, eq=False, repr=False)
class Lens(Record):
    """A lens as OpenCV describes it.

    Attributes:
        matrix: (3, 3) intrinsics in pixels, counted from the middle of the first.
        distortion: (D,) coefficients; four where ``fisheye``.
        fisheye: OpenCV's fisheye model.
        width, height: of the pictures.
    """

    matrix: np.ndarray
    distortion: np.ndarray
    fisheye: bool
    width: int
    height: int

    @property
    def camera(self) -> Camera:
        """The pinhole camera of straightened pictures."""
        focal = float(self.matrix[0, 0] + self.matrix[1, 1]) / 2
        # We count from the corner of the first pixel.
        centre = (float(self.matrix[0, 2]) + 0.5, float(self.matrix[1, 2]) + 0.5)
        return Camera(focal, self.width, self.height, centre, "given")

    def scaled(self, width: int, height: int) -> Lens:
        """The same lens for pictures resized to ``width`` x ``height``."""
        across, down = width / self.width, height / self.height
        matrix = self.matrix.copy()
        matrix[0] *= across
        matrix[1] *= down
        matrix[:2, 2] += [across / 2 - 0.5, down / 2 - 0.5]
        return Lens(matrix, self.distortion, self.fisheye, width, height)

    @cached_property
    def _maps(self) -> tuple[np.ndarray, np.ndarray] | None:
        if not np.any(self.distortion):
            return None
        wanted = self.matrix.copy()
        wanted[0, 0] = wanted[1, 1] = self.camera.focal_px
        wanted[0, 1] = 0
        rectify: Any = (
            cv2.fisheye.initUndistortRectifyMap if self.fisheye else (cv2.initUndistortRectifyMap)
        )
        size = (self.width, self.height)
        maps = rectify(self.matrix, self.distortion, np.eye(3), wanted, size, cv2.CV_16SC2)
        return maps[0], maps[1]

    def straightened(self, pixels: np.ndarray) -> np.ndarray:
        """A picture (H, W, 3) without distortion, as ``camera`` sees it."""
        if self._maps is None:
            return pixels
        return np.asarray(cv2.remap(pixels, *self._maps, cv2.INTER_LINEAR))


@dataclass(frozen=True, eq=False, repr=False)
class CalibratedCamera(Record):
    """One camera of a calibration.

    Attributes:
        name: as the file says.
        lens: of it; width and height are 0 where the file does not tell them.
        camera_from_world: (4, 4) rigid matrix, metres; OpenCV's axes.
    """

    name: str
    lens: Lens
    camera_from_world: np.ndarray


def read_calibration(path: str | Path) -> tuple[CalibratedCamera, ...]:
    """The cameras of a TOML or JSON file, in its order.

    TOML as Pose2Sim, aniposelib and Caliscope write it: a table for each camera with ``name``,
    ``size``, ``matrix``, ``distortions``, ``rotation`` (a rotation vector or a matrix) and
    ``translation`` from the world to the camera in metres, and perhaps ``fisheye``. JSON: the same
    keys in an object for each camera, by name or as a list ``cameras``.

    Raises:
        InputError: the file cannot be used, with the reason in one sentence.
    """
    label = readable(str(path))
    path = expanded(path)
    if not path.is_file():
        raise InputError(f"There is no calibration {label}: check the path.", code="missing-file")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{label} is too large for a calibration: give TOML or JSON.")
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{label} is neither TOML (.toml) nor JSON: give the calibration as Pose2Sim writes it."
        ) from error
    tables = _tables(content)
    if not tables:
        raise InputError(
            f"{label} holds no cameras: each needs a table with matrix, rotation and translation."
        )
    return tuple(_camera(name, table, label) for name, table in tables)


def _tables(content: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """Names and tables of the cameras of a file."""
    if isinstance(content, Mapping) and isinstance(content.get("cameras"), list):
        content = content["cameras"]
    if isinstance(content, list):
        return [
            (str(table.get("name", number + 1)), table)
            for number, table in enumerate(content)
            if isinstance(table, Mapping)
        ]
    if not isinstance(content, Mapping):
        return []
    return [
        (str(table.get("name") or key), table)
        for key, table in content.items()
        if isinstance(table, Mapping) and any(k in table for k in _KEYS["matrix"])
    ]


def _camera(name: str, table: Mapping[str, Any], label: str) -> CalibratedCamera:
    who = f"Camera {readable(name[:_LONGEST_NAME])} of {label}"

    def numbers(field: str, *sizes: int) -> np.ndarray:
        value = next((table[key] for key in _KEYS[field] if key in table), None)
        try:
            array = np.array(value, np.float64)
        except (TypeError, ValueError, OverflowError):
            array = np.array(np.nan)
        if (sizes and array.size not in sizes) or not (np.abs(array) <= _LARGEST).all():
            raise InputError(
                f"{who} has no usable {_KEYS[field][0]}: it needs "
                f"{' or '.join(map(str, sizes)) or 'only'} finite numbers."
            )
        return array

    matrix = numbers("matrix", 9).reshape(3, 3)
    turn = numbers("rotation", 3, 9)
    rotation = cv2.Rodrigues(turn.reshape(3, 1))[0] if turn.size == 3 else turn.reshape(3, 3)
    if np.abs(rotation @ rotation.T - np.eye(3)).max() > 0.01 or matrix[0, 0] <= 0:
        raise InputError(
            f"{who} has a rotation that is none, or no focal length: write the calibration again."
        )
    place = numbers("translation", 3).ravel()
    if np.linalg.norm(place) > _FARTHEST_M:
        raise InputError(
            f"{who} stands {np.linalg.norm(place):.0f} m away: give translations in metres."
        )
    has = {field: any(key in table for key in keys) for field, keys in _KEYS.items()}
    distortion = (
        numbers("distortion", 0, 1, 2, 4, 5, 8).ravel() if has["distortion"] else np.zeros(4)
    )
    if distortion.size < 4:
        distortion = np.concatenate([distortion, np.zeros(4 - distortion.size)])
    width, height = numbers("size", 2).ravel().astype(int).tolist() if has["size"] else (0, 0)
    if has["size"] and min(width, height) < 1:
        raise InputError(f"{who} has no usable size: give the width and height of its pictures.")
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, place
    lens = Lens(matrix, distortion, table.get("fisheye") is True, width, height)
    return CalibratedCamera(name, lens, pose)


def camera_of(clip: str, cameras: tuple[CalibratedCamera, ...], label: str) -> CalibratedCamera:
    """The camera that took a clip, by its name; else by the last number in it.

    Raises:
        InputError: none, or more than one, fits.
    """
    for key in (_letters, _number):
        found = [one for one in cameras if key(one.name) == key(clip) != ""]
        if len(found) == 1:
            return found[0]
    names = ", ".join(one.name for one in cameras)
    raise InputError(
        f"{label} tells no camera that took {clip}: name the clips as the cameras ({names})."
    )


def _letters(name: str) -> str:
    """A name without what programs differ in: case, marks, leading zeros."""
    return re.sub(r"0+(?=\d)", "", re.sub(r"[^a-z0-9]", "", name.lower()))


def _number(name: str) -> str:
    found = re.findall(r"\d+", name)
    return found[-1].lstrip("0") or "0" if found else ""
