"""The suite ``ccp``: photographs of one person with a true mask."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from vitruvian.avatar import photographed
from vitruvian.body.model.repose import reposed, shown_poses
from vitruvian.errors import InputError
from vitruvian.geometry.render import render_mesh
from vitruvian.image.similarity import psnr, ssim
from vitruvian.lab.evaluation.folders import images_in, suite_folder
from vitruvian.lab.evaluation.metrics.crossing_faces import crossing_share
from vitruvian.lab.evaluation.metrics.silhouette import boundary_f, iou, outside
from vitruvian.lab.evaluation.pictures import around, faded, outlined, resized, tinted
from vitruvian.lab.evaluation.rendering import silhouette
from vitruvian.lab.evaluation.reposing import drawn, repose
from vitruvian.lab.evaluation.suite import Metric, Outcome, Picture
from vitruvian.types.avatar import Avatar
from vitruvian.types.body import Body
from vitruvian.types.photo import Photo

_AVATAR = ("avatar_torn", "avatar_severed", "avatar_iou", "avatar_ssim")
_TRUE, _FOUND = (0, 150, 60), (220, 30, 60)


def default_reconstruct(source: Any, **options: Any) -> Any:
    """``vitruvian.pipeline.photo.reconstruct``, imported when first needed."""
    from vitruvian.pipeline.photo import reconstruct

    return reconstruct(source, **options)


@dataclass(frozen=True)
class MaskCase:
    """A photograph and its label image, in which everything but 0 is the person."""

    name: str
    photo: Path
    labels: Path


@dataclass(frozen=True)
class MaskSuite:
    """``photos/NAME.jpg`` with ``labels/NAME.png`` (or ``masks/NAME.png``).

    The label image has the photograph's size; a pixel other than 0 belongs to the person (or, for
    RGBA files, an alpha of at least half). The largest person found is compared with it, even
    where another one would fit better. Somebody who is not found scores 0 in IoU and boundary F.

    Attributes:
        folder: holds ``photos`` and ``labels``.
        reconstruct: from a photograph to a scene; the pipeline unless a test says otherwise.
    """

    folder: Path
    reconstruct: Callable[..., Any] = default_reconstruct

    name = "ccp"
    ranking = "alpha_iou"
    concurrent = True
    metrics = (
        Metric("found", "person found"),
        Metric("extra", "people beyond one", better="neither"),
        Metric("alpha_iou", "alpha IoU"),
        Metric("boundary_f", "alpha boundary F @3px"),
        Metric("body_outside", "body outside mask", better="lower"),
        Metric("keypoint_error", "keypoint error / height", better="lower", digits=4),
        Metric("body_iou", "body silhouette IoU", better="neither"),
        Metric("surface_iou", "surface silhouette IoU"),
        Metric("psnr", "re-rendered PSNR", "dB", digits=1),
        Metric("ssim", "re-rendered SSIM"),
        Metric("sex_right", "body of the labelled sex"),
        Metric("crossing", "surface through itself", better="lower", digits=4),
        Metric("torn", "surface torn in other poses", better="lower"),
        Metric("avatar_torn", "avatar torn in other poses", better="lower", digits=4),
        Metric("avatar_severed", "pieces that come off the avatar", better="lower"),
        Metric("avatar_iou", "avatar silhouette IoU"),
        Metric("avatar_ssim", "avatar re-rendered SSIM"),
        Metric("seconds", "time", "s", "lower", 2),
    )

    @staticmethod
    def open(data: Path) -> MaskSuite:
        """The suite on ``data`` or ``data/ccp``. Raises ``InputError`` for another layout."""
        return MaskSuite(suite_folder(data, "ccp", ("photos", "labels|masks")))

    def cases(self) -> Sequence[MaskCase]:
        """Every photograph that has a label image."""
        labels = self.folder / "labels"
        masks = labels if labels.exists() else self.folder / "masks"
        cases = [
            MaskCase(photo.stem, photo, masks / f"{photo.stem}.png")
            for photo in images_in(self.folder / "photos")
            if (masks / f"{photo.stem}.png").exists()
        ]
        if not cases:
            raise InputError(
                f"No photograph of {self.folder / 'photos'} has a mask in {masks}: "
                f"name them alike (photos/a.jpg, {masks.name}/a.png)."
            )
        return cases

    def run(self, case: MaskCase) -> Outcome:
        """Reconstruct the photograph and compare its largest person with the mask."""
        from vitruvian.image.photo import load_photo

        photo = load_photo(case.photo)
        true = read_mask(case.labels, photo.pixels.shape[:2])
        scene = self.reconstruct(photo)
        window = around(true)
        pictures = [
            Picture("photo, true mask", _thumbnail(outlined(photo.pixels, true, _TRUE), window))
        ]
        numbers: dict[str, float] = {
            "found": float(len(scene.people) > 0),
            "extra": float(max(0, len(scene.people) - 1)),
            "alpha_iou": 0.0,
            "boundary_f": 0.0,
            "surface_iou": 0.0,
            "crossing": float("nan"),
            "torn": float("nan"),
            **dict.fromkeys(_AVATAR, float("nan")),
            "seconds": float(sum(scene.timings_s.values())),
        }
        person = scene.largest
        if person is None:
            return Outcome(numbers, tuple(pictures), "Nobody was found.")
        alpha = person.figure.alpha.full()
        found = alpha >= 128
        numbers["alpha_iou"] = iou(found, true)
        numbers["boundary_f"] = boundary_f(found, true)
        cut = tinted(photo.pixels, alpha / 255, _FOUND, 0.45)
        pictures.append(Picture("alpha", _thumbnail(outlined(cut, true, _TRUE), window)))
        body = silhouette(person.body.as_mesh(), scene.camera)
        numbers["body_outside"] = outside(body, true)
        numbers["body_iou"] = iou(body, true)
        numbers["keypoint_error"] = float(person.body.keypoint_error)
        numbers["sex_right"] = sex_right(case.name, person.body)
        over = outlined(tinted(photo.pixels, body, (60, 120, 255), 0.5), true, _TRUE)
        pictures.append(Picture("body", _thumbnail(over, window)))
        size = (photo.width, photo.height)
        clay = render_mesh(person.mesh_camera, scene.camera, *size, mode="clay")
        surface = clay[..., 3] > 127
        numbers["surface_iou"] = iou(surface, true)
        numbers["crossing"] = crossing_share(person.mesh_camera)
        over = np.where(surface[..., None], clay[..., :3], faded(photo.pixels, 0.6))
        pictures.append(Picture("surface", _thumbnail(outlined(over, true, _TRUE), window)))
        if person.mesh_camera.texture is not None:
            colors = render_mesh(person.mesh_camera, scene.camera, *size, mode="texture")[..., :3]
            numbers["psnr"] = psnr(colors, photo.pixels, surface & true)
            numbers["ssim"] = ssim(colors, photo.pixels, surface & true)
            textured = np.where(surface[..., None], colors, np.uint8(255))
            pictures.append(Picture("textured", _thumbnail(textured, window)))
        if person.mesh_camera.skin_joints is not None:
            meshes, stretched = repose(person.mesh_camera, person.body)
            numbers["torn"] = stretched.torn
            if person.avatar is None:
                pictures.append(Picture("in other poses", drawn(meshes)))
        if person.avatar is not None:
            numbers |= _of_avatar(person.avatar, person.body, photo, true)
            avatar, poses = person.avatar, shown_poses(person.body.model)
            meshes = [
                reposed(avatar.mesh, person.body, pose.rotations, avatar.chains) for pose in poses
            ]
            pictures.append(Picture("avatar in other poses", drawn(meshes)))
        return Outcome(numbers, tuple(pictures))


def _of_avatar(avatar: Avatar, body: Body, photo: Photo, true: np.ndarray) -> dict[str, float]:
    """How the avatar moves, and how it looks in the photograph's pose; ``true`` (H, W) bool."""
    posed, size = photographed(avatar.mesh, body, avatar.chains), (photo.width, photo.height)
    drawn_over = render_mesh(posed, photo.camera, *size, mode="clay")[..., 3] > 127
    numbers = {
        "avatar_torn": avatar.torn,
        "avatar_severed": float(avatar.severed),
        "avatar_iou": iou(drawn_over, true),
    }
    if posed.texture is not None:
        colors = render_mesh(posed, photo.camera, *size, mode="texture")[..., :3]
        numbers["avatar_ssim"] = ssim(colors, photo.pixels, drawn_over & true)
    return numbers


@cache
def labelled_sexes() -> dict[str, str]:
    """``m`` or ``f`` by the name of a photograph of Clothing Co-Parsing, as 193 look to the eye."""
    text = (resources.files(__package__) / "sexes.csv").read_text(encoding="utf-8")
    return {row["name"]: row["sex"] for row in csv.DictReader(text.splitlines())}


def sex_right(name: str, body: Body) -> float:
    """Whether a body is on its label's side of the middle between men and women; nan without."""
    label = labelled_sexes().get(name)
    if label is None or body.phenotype is None:
        return float("nan")
    return float((float(body.phenotype["gender"]) > 0.5) == (label == "f"))


def read_mask(path: Path, shape: tuple[int, int]) -> np.ndarray:
    """The mask (H, W) bool of a label image, at the size of its photograph.

    Raises:
        InputError: it cannot be read, or its shape is not the photograph's.
    """
    try:
        with Image.open(path) as image:
            if image.mode in ("RGBA", "LA"):
                mask = np.asarray(image.getchannel("A")) >= 128
            elif image.mode in ("P", "L", "1", "I", "I;16"):
                mask = np.asarray(image) != 0
            else:
                mask = np.asarray(image.convert("L")) >= 128
    except (OSError, ValueError) as error:
        raise InputError(f"Cannot read the mask {path}: save it as a PNG of labels.") from error
    if mask.shape == shape:
        return mask
    # Very large photographs are reduced when they are read; their masks then follow.
    if abs(mask.shape[0] / mask.shape[1] / (shape[0] / shape[1]) - 1) < 0.01 and (
        mask.shape[0] > shape[0]
    ):
        size = (shape[1], shape[0])
        return cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    raise InputError(
        f"The mask {path} is {mask.shape[1]}x{mask.shape[0]} pixels and its photograph "
        f"{shape[1]}x{shape[0]}: save it at the photograph's size."
    )


def _thumbnail(pixels: np.ndarray, window: tuple[slice, slice]) -> np.ndarray:
    return resized(np.ascontiguousarray(pixels[window]), 300)
