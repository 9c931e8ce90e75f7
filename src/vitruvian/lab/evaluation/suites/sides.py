"""The sides of a synthetic person, whose colours are known, against those that were guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vitruvian.geometry.rotations import matrix_from_axis_angle, rotation_between
from vitruvian.lab.evaluation.metrics.color import color_errors, lit_alike, near_colors
from vitruvian.lab.synthesis.drawing import cast_shadows, gather, rasterize, shade
from vitruvian.lab.synthesis.lights import random_light
from vitruvian.lab.synthesis.packing import stored_albedo
from vitruvian.lab.synthesis.people import SyntheticPerson
from vitruvian.lab.synthesis.sample import Sample
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh

SIDES = 90.0, 270.0  # degrees of a turn to the left
_SHADOWS = 32  # pixels: the light is not looked at


@dataclass(frozen=True)
class Side:
    """What a camera sees of somebody who is turned.

    Attributes:
        turn: (3, 3) about the root joint, camera frame.
        albedo: (S, S, 3) uint8 sRGB, colour without light.
        mask: (S, S) bool, where there is any.
    """

    turn: np.ndarray
    albedo: np.ndarray
    mask: np.ndarray


def true_sides(
    person: SyntheticPerson, camera_from_world: np.ndarray, camera: Camera, root: np.ndarray
) -> tuple[Side, ...]:
    """Both sides of a person, about their root joint (3,), camera frame."""
    up = camera_from_world[:3, 1].astype(float)
    out = []
    for degrees in SIDES:
        turn = turned_about(up, degrees)
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = turn, root - turn @ root
        geometry = gather(tuple((1, part, matrix @ camera_from_world) for part in person.parts))
        seen = rasterize(geometry, camera, 1)
        light = random_light(np.random.default_rng(0), up)
        mine = geometry.instance > 0
        shadows = cast_shadows(geometry, light, mine, resolution=_SHADOWS, softness=0.0)
        drawn = shade(geometry, seen, light, shadows, share=True, lit=False)
        out.append(Side(turn, stored_albedo(drawn.albedo, drawn.coverage), seen.face >= 0))
    return tuple(out)


def turned_about(up: np.ndarray, degrees: float) -> np.ndarray:
    """The rotation (3, 3) about an axis (3,) that shows somebody's left side after 90 degrees."""
    axis = up / np.linalg.norm(up)
    return np.asarray(matrix_from_axis_angle(-axis * np.deg2rad(degrees)))


def side_numbers(
    surfaces: Mapping[str, Mesh],
    found_root: np.ndarray,
    scale: float,
    sides: tuple[Side, ...],
    true_root: np.ndarray,
    camera: Camera,
    sample: Sample,
) -> dict[str, float]:
    """Errors of colour of both sides together, as of ``metrics.color.color_errors``.

    Args:
        surfaces: textured, camera frame, by the prefix of their numbers.
        found_root: (3,) root joint beneath them.
        scale: that makes them as tall as the true person.
        sides: the true ones.
        true_root: (3,) about which those are turned.
        camera: of the sample.
        sample: for the light of its picture.
    """
    seen = (sample.instances == 1) & (sample.silhouette >= 128)
    upright = rotation_between(found_root, true_root)
    numbers: dict[str, float] = {}
    for prefix, mesh in surfaces.items():
        if mesh.texture is None or not sides:
            continue
        errors = []
        for side in sides:
            true = lit_alike(side.albedo, sample.front_albedo, sample.image, seen)
            points = scale * (mesh.vertices - found_root) @ (side.turn @ upright).T + true_root
            colors, there = near_colors(mesh.with_vertices(points.astype(np.float32)), camera)
            errors.append(color_errors(colors, true, side.mask & there))
        lab, structure = np.mean(errors, axis=0)
        numbers |= {f"{prefix}side_lab": float(lab), f"{prefix}side_ssim": float(structure)}
    return numbers
