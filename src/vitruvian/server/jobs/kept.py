"""What a result of a photograph keeps beside its meshes: for the page, and to be corrected."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitruvian.options import Options
from vitruvian.server.files.names import GIVEN, other_photos

if TYPE_CHECKING:
    from vitruvian.types.photo import Photo
    from vitruvian.types.scene import Scene

THUMBNAIL_SIDE = 640
PHOTO_QUALITY = 90


def write_kept(
    scene: Scene,
    folder: Path,
    pictures: Sequence[bytes | Photo],
    written: Sequence[bytes] | None,
    options: Options,
) -> dict[str, Any]:
    """Write what the page shows besides, and return what it wants to know of the scene.

    ``pictures`` are those it was made of; ``written`` are the same as files, where they are an
    earlier result's, which stay as they are. What ``options`` bring along is kept, too, for
    corrections.
    """
    from vitruvian.formats.export import export_mesh
    from vitruvian.image.photo import load_photo

    for person in scene.people:
        body = person.body.as_mesh().transformed(scene.world_from_camera_of(person), "world")
        export_mesh(body, folder / f"person-{person.id}" / "body.glb")
    # Those beside the first are read once more: a scene does not hold them.
    photos = [scene.photo, *map(load_photo, pictures[1:])]
    _write_pictures([photo.pixels for photo in photos], folder, written)
    _write_given(scene.photo, folder, options)
    cameras = [photo.camera for photo in photos[1:]]
    return {
        "world_from_camera": scene.world_from_camera.round(6).tolist(),
        "others": [{"focal_px": one.focal_px, "source": one.source} for one in cameras],
    }


def _write_given(photo: Photo, folder: Path, options: Options) -> None:
    """Keypoints and masks that came with the photograph, in pixels of the one that is kept."""
    if options.keypoints is None and options.masks is None:
        return
    from vitruvian.exchange.write_given import given_keypoints_json, given_masks_json
    from vitruvian.formats.atomic import json_text, write_text
    from vitruvian.pipeline.stages import bring_along

    given = bring_along(photo, options)
    kept: dict[str, Any] = {}
    if given.poses is not None:
        kept["keypoints"] = given_keypoints_json(given.poses)
    if given.masks:
        kept["masks"] = given_masks_json(given.masks, photo.width, photo.height)
    for name, content in kept.items():
        write_text(folder / GIVEN[name], json_text(content, indent=None))


def _write_pictures(pictures: Sequence[Any], folder: Path, written: Sequence[bytes] | None) -> None:
    """The photographs, encoded anew, and a thumbnail: nothing of the uploaded files is in them.

    Photographs that this server has ``written`` are not compressed a second time.
    """
    import cv2

    from vitruvian.formats.atomic import write_bytes
    from vitruvian.formats.images import encode_jpeg

    files = written or [encode_jpeg(pixels, quality=PHOTO_QUALITY) for pixels in pictures]
    for name, file in zip(("photo.jpg", *other_photos(len(files) - 1)), files, strict=True):
        write_bytes(folder / name, file)
    pixels = pictures[0]
    height, width = pixels.shape[:2]
    scale = min(1.0, THUMBNAIL_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    write_bytes(folder / "thumbnail.jpg", encode_jpeg(small, quality=82))
