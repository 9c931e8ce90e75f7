"""The back of somebody from one picture, and from a front and a back, as a Markdown table.

Run from the repository's root::

    python benchmarks/same_person.py --shapes DIR [--sheet FILE]

Characters with known colours are photographed from the front, and from behind in another light.
The back of what becomes of them is compared with the picture from behind, after one factor for
each channel, because the light is not the person's: mean absolute difference in CIELAB (L1), and
SSIM at a height of 64 pixels, where both show the person.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from vitruvian import reconstruct
from vitruvian.avatar.skin import photographed
from vitruvian.geometry.render import render_mesh
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.image.cielab import cielab
from vitruvian.image.similarity import ssim
from vitruvian.lab.evaluation.characters import Character, Shot, load_character, photograph
from vitruvian.types.mesh import Mesh
from vitruvian.types.scene import Scene

MODELS = ("f3_idle_0.5.glb", "m1_idle_0.5.glb", "guard_suit")
HEIGHT = 64
SHOWN = 400


def placed(scene: Scene, mesh: Mesh, who: Character) -> Mesh:
    """A camera-frame mesh of a scene's only person where the character stands: upright at the
    origin, facing +z, as tall."""
    (person,) = scene.people
    world = scene.world_from_camera_of(person)
    points = mesh.vertices @ world[:3, :3].T + world[:3, 3]
    ahead = world[:3, :3] @ matrix_from_axis_angle(person.body.pose[0]) @ [0.0, 0.0, 1.0]
    turn = matrix_from_axis_angle(np.array([0.0, -np.arctan2(ahead[0], ahead[2]), 0.0]))
    points = points @ turn.T
    low, high = points.min(0), points.max(0)
    points = points - [(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2]
    tall = float(np.ptp(who.mesh.vertices[:, 1]))
    return mesh.with_vertices(points * (tall / (high[1] - low[1])), "world")


def seen_by(shot: Shot, mesh: Mesh) -> np.ndarray:
    """RGBA of a world-frame mesh through the camera of a photograph, cropped to it."""
    view, camera = mesh.transformed(shot.camera_from_world, "camera"), shot.camera
    drawn = render_mesh(view, camera, camera.width, camera.height, supersample=2)
    return cropped(drawn[..., :3], drawn[..., 3] > 127)


def cropped(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    rgba = np.dstack([pixels, 255 * mask.astype(np.uint8)])
    return rgba[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def compared(drawn: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """L1 in CIELAB and SSIM of two cropped RGBA pictures of one person."""
    width = max(8, round(true.shape[1] * HEIGHT / true.shape[0]))
    small = [
        cv2.resize(one, (width, HEIGHT), interpolation=cv2.INTER_AREA) for one in (drawn, true)
    ]
    mask = (small[0][..., 3] > 200) & (small[1][..., 3] > 200)
    ours, theirs = (one[..., :3].astype(np.float32) for one in small)
    gain = np.median(theirs[mask], 0) / np.maximum(np.median(ours[mask], 0), 1)
    ours = np.clip(ours * gain, 0, 255)
    difference = np.abs(cielab(ours) - cielab(theirs))[mask].mean()
    return float(difference), ssim(ours.astype(np.uint8), theirs.astype(np.uint8), mask)


def character(folder: Path, name: str) -> Path:
    path = folder / name
    return next(path.glob("*.gl*")) if path.is_dir() else path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shapes", type=Path, required=True, help="folder of the characters")
    parser.add_argument("--sheet", type=Path, help="PNG that shows them side by side")
    parser.add_argument("--angles", type=float, nargs="+", default=[180.0], help="more pictures")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    given = parser.parse_args()
    print("| who | surface, one picture | several | avatar, one picture | several |")
    print("|---|---|---|---|---|")
    strips, table = [], []
    for name in MODELS:
        who = load_character(character(given.shapes, name))
        for seed in given.seeds:
            front = photograph(who, 5.0, seed=seed)
            others = [photograph(who, angle, seed=seed + 100) for angle in given.angles]
            back: Shot = others[0]
            true = cropped(back.pixels, back.mask)
            row, pictures = [], [front.pixels, back.pixels]
            for more in ((), [one.pixels for one in others]):
                scene = reconstruct(front.pixels, max_people=1, same_person=more)
                (person,) = scene.people
                avatar = photographed(person.avatar.mesh, person.body)
                meshes = [placed(scene, mesh, who) for mesh in (person.mesh_camera, avatar)]
                drawn = [seen_by(back, mesh) for mesh in meshes]
                row.append([compared(one, true) for one in drawn])
                aside = photograph(who, given.angles[0] - 80, seed=seed)
                pictures += [on_grey(one) for one in (*drawn, seen_by(aside, meshes[1]))]
            table.append(row)
            cells = [row[which][what] for what in (0, 1) for which in (0, 1)]
            print(f"| {name}, {seed} | " + " | ".join(f"{a:.2f}, {b:.3f}" for a, b in cells) + " |")
            strips.append(np.hstack([fitted(one) for one in pictures]))
    cells = np.array(table).mean(0).swapaxes(0, 1).reshape(4, 2)
    print("| mean | " + " | ".join(f"{a:.2f}, {b:.3f}" for a, b in cells) + " |")
    if given.sheet:
        cv2.imwrite(str(given.sheet), np.vstack(strips)[..., ::-1])


def on_grey(rgba: np.ndarray) -> np.ndarray:
    share = rgba[..., 3:] / 255
    return (rgba[..., :3] * share + 150 * (1 - share)).astype(np.uint8)


def fitted(pixels: np.ndarray) -> np.ndarray:
    """A picture on a tile of its height, 300 wide."""
    scale = min(SHOWN / pixels.shape[0], 300 / pixels.shape[1])
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    tile = np.full((SHOWN, 300, 3), 150, np.uint8)
    y, x = (SHOWN - small.shape[0]) // 2, (300 - small.shape[1]) // 2
    tile[y : y + small.shape[0], x : x + small.shape[1]] = small
    return tile


if __name__ == "__main__":
    main()
