"""Which files a clip can become besides its page, its checks and its report."""

from __future__ import annotations

from collections.abc import Sequence

from vitruvian.errors import InputError
from vitruvian.mesh_formats import AVATAR_FORMATS

# What `--formats` takes, and what it is.
VIDEO_FORMATS = {
    "glb": "animated avatars",
    "bvh": "motion of a skeleton",
    "usdz": "animated avatars",
    "fbx": "animated avatars",
    "obj": "a textured mesh per frame",
    "ply": "a mesh with colours at its vertices per frame",
    "npz": "all arrays, with JSON",
    "csv": "joints and angles",
    "webm": "preview for browsers",
    "mp4": "preview for other players",
}
DEFAULT_VIDEO_FORMATS = ("glb", "npz", "csv", "webm")
BODIES_FORMATS = ("glb", "npz", "csv")  # where nobody is dressed
SEQUENCES = ("obj", "ply")


def parse_video_formats(text: str) -> tuple[str, ...]:
    """Names of formats from a list with commas, each once: ``" GLB,.bvh"`` is glb and bvh.

    Raises:
        InputError: one is unknown, or there is none.
        MissingExtraError: what one needs is not installed.
    """
    parts = [part.strip().lower().removeprefix(".") for part in text.split(",") if part.strip()]
    wanted = tuple(dict.fromkeys(parts))
    check_video_formats(wanted or (text,))
    return wanted


def check_video_formats(wanted: Sequence[str]) -> None:
    """Raise as ``parse_video_formats`` does."""
    for name in wanted:
        if name not in VIDEO_FORMATS:
            raise InputError(
                f"{name!r} is no format of a video: choose from {', '.join(VIDEO_FORMATS)}.",
                code="bad-option",
            )
        if name in AVATAR_FORMATS:
            AVATAR_FORMATS[name].check()
