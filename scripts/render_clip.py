"""Make the example clip, and the README's animation of what becomes of it.

    python scripts/render_clip.py

Writes examples/walking.mp4, in which the avatar of examples/person.jpg walks and waves before a
camera that stands still, and docs/images/video.webp: that clip, the person found in it over it, and
the same moment from aside. Run it when avatars, motion or previews look otherwise than before.
"""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from render_walking import moving

import vitruvian
from vitruvian.formats.atomic import write_bytes
from vitruvian.geometry.render import render_mesh
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh
from vitruvian.video.preview import preview_frames

ROOT = Path(__file__).resolve().parents[1]
CLIP, PICTURE = ROOT / "examples/walking.mp4", ROOT / "docs/images/video.webp"
FPS, SIZE = 20, (640, 480)
WALK, WAVE = 44, 24  # frames
START = -1.6, -5.4  # x and z of where she begins, metres
WALK_DEG, WAVE_DEG, TURNING = 58.0, 5.0, 14  # which ways she faces, frames from one to the other
EYE_M = 1.25  # of the camera above the floor
EVERY, WIDTH = 2, 900  # of the animation


def main() -> None:
    """Reconstruct the photograph, film it, reconstruct the film, draw that."""
    person = vitruvian.reconstruct(ROOT / "examples/person.jpg").people[0]
    assert person.avatar is not None
    camera = Camera.from_fov(50.0, *SIZE)
    back = background(camera)
    codec = cv2.VideoWriter_fourcc(*"mp4v")  # type: ignore[attr-defined]
    writer = cv2.VideoWriter(str(CLIP), cv2.CAP_FFMPEG, codec, FPS, SIZE)
    for mesh in walking(person):
        writer.write(cv2.cvtColor(filmed(mesh, camera, back), cv2.COLOR_RGB2BGR))
    writer.release()
    print(CLIP, f"{CLIP.stat().st_size / 1000:.0f} kB")
    scene = vitruvian.reconstruct_video(CLIP, fov_deg=50.0, height_cm=100 * person.body.height_m)
    frames = []
    for number, pixels in enumerate(preview_frames(scene)):
        if number % EVERY == 0:
            image = Image.fromarray(pixels)
            frames.append(image.resize((WIDTH, round(image.height * WIDTH / image.width))))
    buffer = io.BytesIO()
    frames[0].save(
        buffer, "WEBP", save_all=True, append_images=frames[1:], duration=1000 * EVERY // FPS,
        loop=0, quality=50, method=4,
    )  # fmt: skip
    print(write_bytes(PICTURE, buffer.getvalue()), f"{len(buffer.getvalue()) / 1000:.0f} kB")


def walking(person: vitruvian.Person) -> list[Mesh]:
    """The avatar in every frame, in a world with the floor at y = 0."""
    meshes = []
    place = np.array([START[0], 0, START[1]])
    for name, count in (("walk", WALK), ("wave", WAVE)):
        frames, speed = moving(person, name, count, FPS)
        for frame, posed in enumerate(frames):
            part = min(frame / TURNING, 1.0) if name == "wave" else 0.0
            yaw = np.deg2rad(WALK_DEG + part * (WAVE_DEG - WALK_DEG))
            ahead = np.array([np.sin(yaw), 0, np.cos(yaw)])
            turn = np.stack([np.cross((0, 1, 0), ahead), (0, 1, 0), ahead], axis=1)
            place = place + speed / FPS * ahead
            meshes.append(posed.with_vertices((posed.vertices @ turn.T + place).astype(np.float32)))
    return meshes


def filmed(mesh: Mesh, camera: Camera, back: np.ndarray) -> np.ndarray:
    """A frame (H, W, 3) uint8: a mesh of the world over the background, with a shadow below it."""
    out = back.astype(np.float32)
    ground = mesh.vertices * (1, 0, 1)
    points = camera.project(in_camera(ground)).astype(np.int32)
    shade = np.zeros(out.shape[:2], np.uint8)
    cv2.fillConvexPoly(shade, cv2.convexHull(points), 255)
    out *= 1 - 0.35 * cv2.GaussianBlur(shade, (0, 0), 6)[..., None] / 255
    seen = mesh.with_vertices(in_camera(mesh.vertices).astype(np.float32), "camera")
    drawn = render_mesh(seen, camera, *SIZE, closed=True).astype(np.float32)
    alpha = drawn[..., 3:] / 255
    return (drawn[..., :3] * alpha + out * (1 - alpha) + 0.5).astype(np.uint8)


def in_camera(points: np.ndarray) -> np.ndarray:
    """Points (N, 3) of the world (y up, towards the viewer) as the camera has them."""
    return (points - (0, EYE_M, 0)) * (1, -1, -1)


def background(camera: Camera) -> np.ndarray:
    """A room (H, W, 3) uint8: a tiled floor, a wall with panels, and the grain of a film."""
    width, height = SIZE
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    cx, cy = camera.principal_point
    x, y = (columns - cx) / camera.focal_px, (rows - cy) / camera.focal_px
    wall_m = 7.5
    depth = np.where(y * wall_m > EYE_M, EYE_M / np.maximum(y, 1e-6), wall_m)
    floor = y * wall_m > EYE_M
    across, along, up = x * depth, depth, EYE_M - y * depth
    tiles = (np.floor(across / 0.6) + np.floor(along / 0.6)) % 2
    panels = (np.abs((across + 20) % 1.4 - 0.7) < 0.02) | (np.abs(up - 0.95) < 0.02)
    grey = np.where(floor, 118 + 16 * tiles, np.where(panels, 150, 186 - 6 * up))
    tint = np.where(floor[..., None], (1.04, 0.98, 0.9), (0.96, 1.0, 1.02))
    grain = np.random.default_rng(0).normal(0, 2.5, (height, width, 1))
    return np.clip(grey[..., None] * tint + grain, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
