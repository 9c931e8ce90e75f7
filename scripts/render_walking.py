"""Make the README's animation: the avatar of examples/person.jpg walks, seen from a moving camera.

    python scripts/render_walking.py [PICTURE] [-o docs/images/walking.webp]

Run it when avatars or clips look otherwise than before.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image

import vitruvian
from vitruvian.body.model.clips import fitted_motions
from vitruvian.body.model.model import joint_motion
from vitruvian.formats.atomic import write_bytes
from vitruvian.result.preview import lineup
from vitruvian.types.mesh import Mesh

ROOT = Path(__file__).resolve().parents[1]
CLIPS = ("walk", "dance", "wave")
FRAMES, FPS = 60, 20
SIZE = (300, 420)  # of each avatar's view, pixels
_PAPER = (255, 255, 255)


def moving(person: vitruvian.Person, name: str, count: int, fps: int) -> tuple[list[Mesh], float]:
    """The avatar in frames of a motion, in place, and how fast that motion goes, in m/s."""
    assert person.avatar is not None
    rest, body = person.avatar.mesh, person.body
    assert rest.skin_joints is not None
    assert rest.skin_weights is not None
    joints = body.model.rest(body.betas)[1]
    motion = {motion.name: motion for motion in fitted_motions(rest, joints)}[name]
    meshes = []
    for frame in range(count):
        time = (frame / fps) % float(motion.times_s[-1])
        key = int(np.searchsorted(motion.times_s, time, side="right")) - 1
        moved = joint_motion(body.model.parents, joints, motion.rotations[key], motion.roots[key])
        meshes.append(
            rest.with_vertices(moved.skinned(rest.vertices, rest.skin_joints, rest.skin_weights))
        )
    return meshes, motion.speed


def main() -> None:
    """Reconstruct, animate, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", nargs="?", type=Path, default=ROOT / "examples/person.jpg")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs/images/walking.webp")
    options = parser.parse_args()
    person = vitruvian.reconstruct(options.picture).people[0]
    rows = []
    for name in CLIPS:
        meshes, _ = moving(person, name, FRAMES, FPS)
        yaws = [25 * np.sin(2 * np.pi * frame / FRAMES) for frame in range(FRAMES)]
        rows.append(lineup(meshes, yaws, SIZE))
    frames = []
    for views in zip(*rows, strict=True):
        strip = Image.fromarray(np.concatenate(views, 1))
        paper = Image.new("RGB", strip.size, _PAPER)
        paper.paste(strip, mask=strip.getchannel("A"))
        frames.append(paper)
    buffer = io.BytesIO()
    frames[0].save(
        buffer, "WEBP", save_all=True, append_images=frames[1:], duration=1000 // FPS, loop=0,
        quality=55, method=4,
    )  # fmt: skip
    data = buffer.getvalue()
    print(write_bytes(options.output, data), f"{len(data) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
