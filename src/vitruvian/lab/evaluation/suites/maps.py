"""The suite ``maps``: the maps network's normals and alpha, behind the pipeline's own stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vitruvian.body.fit.fit import fit_body
from vitruvian.body.model.model import body_model
from vitruvian.errors import InputError
from vitruvian.image.photo import load_photo
from vitruvian.lab.evaluation.characters import Character, Shot, photograph
from vitruvian.lab.evaluation.metrics.relief import drawn_sides
from vitruvian.lab.evaluation.metrics.silhouette import boundary_f, iou
from vitruvian.lab.evaluation.pictures import around, resized, shaded
from vitruvian.lab.evaluation.suite import Metric, Outcome, Picture
from vitruvian.lab.evaluation.suites.masks import MaskCase, MaskSuite, read_mask
from vitruvian.lab.evaluation.suites.shapes import ShapeCase, ShapeSuite, true_character
from vitruvian.networks.maps import BodyMaps, MapsNetwork, PersonMaps
from vitruvian.people.finder import find_people
from vitruvian.types.body import Body
from vitruvian.types.figure import Figure
from vitruvian.types.photo import Photo

_FACING = {"front": np.array([0.0, 0.0, -1.0]), "back": np.array([0.0, 0.0, 1.0])}


@dataclass(frozen=True)
class MapsSuite:
    """3D characters (``shapes``) for normals, photographs with true masks (``ccp``) for alpha.

    Pictures go through detection, landmarks, matte and fit, as in the pipeline; the network gets
    what comes out of that. Its normals are compared with the true ones on all pixels of the true
    silhouette, beside the fitted body's own (towards the camera where the body is not) and a
    constant normal towards the camera, or away from it for the back. Its alpha is compared beside
    the matte that it was given.

    Attributes:
        folder: of the data sets.
        network: an ONNX file, or None for the shipped one.
        views: of every character.
        size: side of the network's input.
    """

    folder: Path
    network: Path | None = None
    views: int = 4
    size: int = 512

    name = "maps"
    ranking = "front_deg"
    concurrent = True
    metrics = (
        Metric("found", "person found"),
        *(
            Metric(f"{whose}{side}_deg", f"{side} normals{of}", "°", "lower", 1)
            for side in ("front", "back")
            for whose, of in (("", ""), ("body_", ", body's"), ("facing_", ", constant"))
        ),
        Metric("alpha_iou", "alpha IoU"),
        Metric("matte_iou", "matte IoU"),
        Metric("boundary_f", "alpha boundary F @3px"),
        Metric("matte_boundary_f", "matte boundary F @3px"),
    )

    @staticmethod
    def open(data: Path) -> MapsSuite:
        """The suite on a folder that holds ``shapes``, ``ccp`` or both."""
        if not any((data / name).is_dir() for name in ("shapes", "ccp")):
            raise InputError(f"{data} holds neither shapes nor ccp: give a folder with one.")
        return MapsSuite(data)

    def cases(self) -> Sequence[ShapeCase | MaskCase]:
        """Every character from every side, then every photograph."""
        cases: list[ShapeCase | MaskCase] = []
        if (self.folder / "shapes").is_dir():
            cases.extend(ShapeSuite(self.folder / "shapes", self.views).cases())
        if (self.folder / "ccp").is_dir():
            cases.extend(MaskSuite.open(self.folder / "ccp").cases())
        return cases

    def run(self, case: ShapeCase | MaskCase) -> Outcome:
        """Run one picture."""
        if isinstance(case, MaskCase):
            return self._photograph(case)
        character, _ = true_character(case.model, case.options)
        return self._character(character, photograph(character, case.yaw_deg, seed=case.seed))

    def _character(self, character: Character, shot: Shot) -> Outcome:
        photo = load_photo(shot.pixels)
        seen = self._seen(photo)
        if seen is None:
            return Outcome({"found": 0.0}, (_thumbnail(photo, shot.mask),), "Nobody was found.")
        figure, maps, body = seen
        truth = true_normals(character, shot, maps)
        numbers = {"found": 1.0, **normal_figures(maps, body, truth)}
        numbers.update(alpha_figures(maps, figure, shot.mask))
        front, back = truth
        known = np.linalg.norm(front, axis=2) > 0.5
        pictures = [_thumbnail(photo, shot.mask)]
        for caption, normals, mask in (
            ("true front", front, known),
            ("body", body.front_normals, body.covered),
            ("found", maps.front_normals, maps.alpha > 0.5),
            ("true back", -back, known),
            ("body", -body.back_normals, body.covered),
            ("found", -maps.back_normals, maps.alpha > 0.5),
        ):
            pictures.append(Picture(caption, resized(shaded(normals, mask), 300)))
        return Outcome(numbers, tuple(pictures))

    def _photograph(self, case: MaskCase) -> Outcome:
        photo = load_photo(case.photo)
        true = read_mask(case.labels, photo.pixels.shape[:2])
        seen = self._seen(photo)
        if seen is None:
            numbers = {"found": 0.0, "alpha_iou": 0.0, "matte_iou": 0.0}
            return Outcome(numbers, (_thumbnail(photo, true),), "Nobody was found.")
        figure, maps, _ = seen
        numbers = {"found": 1.0, **alpha_figures(maps, figure, true)}
        found = maps.alpha > 0.5
        pictures = (
            _thumbnail(photo, true),
            Picture("alpha", resized(np.repeat(_byte(maps.alpha)[..., None], 3, 2), 300)),
            Picture("front", resized(shaded(maps.front_normals, found), 300)),
            Picture("back", resized(shaded(-maps.back_normals, found), 300)),
        )
        return Outcome(numbers, pictures)

    def _seen(self, photo: Photo) -> tuple[Figure, PersonMaps, BodyMaps] | None:
        """The largest person of a picture; None where there is nobody."""
        figures = find_people(photo, max_people=1)
        if not figures:
            return None
        body = fit_body(body_model(), figures[0], photo.camera)
        maps, drawn = person_maps(MapsNetwork(self.network), photo, figures[0], body, self.size)
        return figures[0], maps, drawn


def person_maps(
    network: MapsNetwork, photo: Photo, figure: Figure, body: Body, size: int = 512
) -> tuple[PersonMaps, BodyMaps]:
    """The maps of a figure of a photograph, and its body as it was drawn for the network."""
    return network.person(
        photo.pixels,
        photo.camera,
        figure.alpha.full(),
        body.as_mesh(),
        float(body.translation[2]),
        body.height_m,
        size,
    )


def true_normals(
    character: Character, shot: Shot, maps: PersonMaps
) -> tuple[np.ndarray, np.ndarray]:
    """True normals (S, S, 3) of the nearest and the farthest surface, 0 beside the character.

    Open shells are seen from behind, too: every normal is turned to the side it is seen from.
    """
    sides = drawn_sides(
        character.mesh.transformed(shot.camera_from_world, "camera"),
        maps.crop.camera(shot.camera),
        (character.normals @ shot.camera_from_world[:3, :3].T).astype(np.float32),
    )
    return sides.front, sides.back


def normal_figures(
    maps: PersonMaps, body: BodyMaps, truth: tuple[np.ndarray, np.ndarray]
) -> dict[str, float]:
    """Mean angles in degrees over the true silhouette: the network's, the body's, a constant's."""
    numbers = {}
    for side, true, ours, bodys in (
        ("front", truth[0], maps.front_normals, body.front_normals),
        ("back", truth[1], maps.back_normals, body.back_normals),
    ):
        known = np.linalg.norm(true, axis=2) > 0.5
        facing = np.broadcast_to(_FACING[side], true.shape)
        given = np.where(body.covered[..., None], bodys, facing)
        for whose, normals in (("", ours), ("body_", given), ("facing_", facing)):
            numbers[f"{whose}{side}_deg"] = angle_deg(normals[known], true[known])
    return numbers


def angle_deg(ours: np.ndarray, truth: np.ndarray) -> float:
    """Mean angle between unit vectors (N, 3), in degrees; NaN for none."""
    if not len(ours):
        return float("nan")
    cosine = np.clip(np.einsum("nc,nc->n", ours, truth), -1, 1)
    return float(np.rad2deg(np.arccos(cosine)).mean())


def alpha_figures(maps: PersonMaps, figure: Figure, true: np.ndarray) -> dict[str, float]:
    """How alpha, and the matte that the network was given, agree with the true mask (H, W)."""
    height, width = true.shape
    found = maps.crop.insert(maps.alpha, width, height) >= 0.5
    matte = figure.alpha.full() >= 128
    return {
        "alpha_iou": iou(found, true),
        "matte_iou": iou(matte, true),
        "boundary_f": boundary_f(found, true),
        "matte_boundary_f": boundary_f(matte, true),
    }


def _thumbnail(photo: Photo, mask: np.ndarray) -> Picture:
    return Picture("picture", resized(photo.pixels[around(mask)], 300))


def _byte(values: np.ndarray) -> np.ndarray:
    return np.round(values * 255).astype(np.uint8)
