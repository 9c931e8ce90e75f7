"""The suite ``synthetic``: generated people of held-out seeds; body, surface, placement."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vitruvian.avatar import photographed
from vitruvian.body.model import skeleton
from vitruvian.body.model.model import body_model
from vitruvian.errors import InputError
from vitruvian.geometry.pairing import best_pairs
from vitruvian.geometry.render import render_mesh, turned
from vitruvian.geometry.rotations import rotation_between
from vitruvian.lab.evaluation.folders import DATA_VARIABLE
from vitruvian.lab.evaluation.matching import in_order, mask_overlaps
from vitruvian.lab.evaluation.metrics.body import mpjpe, pa_mpjpe, pve
from vitruvian.lab.evaluation.metrics.color import color_errors, far_colors, lit_alike
from vitruvian.lab.evaluation.metrics.sampling import keep_faces, outer_faces
from vitruvian.lab.evaluation.metrics.silhouette import boundary_f, iou
from vitruvian.lab.evaluation.pictures import faded, outlined, resized
from vitruvian.lab.evaluation.rendering import framing_camera, silhouette
from vitruvian.lab.evaluation.suite import Metric, Outcome, Picture
from vitruvian.lab.evaluation.suites.masks import default_reconstruct
from vitruvian.lab.evaluation.suites.shapes import COMPARISON_METRICS, compare_surfaces
from vitruvian.lab.evaluation.suites.sides import Side, side_numbers, true_sides
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh
from vitruvian.types.scene import Person

if TYPE_CHECKING:
    from vitruvian.lab.synthesis.people import SyntheticPerson
    from vitruvian.lab.synthesis.sample import Sample

SIZE = 512  # of the pictures
CASES = 200
_BLOCK = 4  # cases of a block: each of its people once
_LEAST_OVERLAP = 0.25  # IoU of mattes from which on somebody counts as found
_LEAST_AREA = 0.01  # share of the picture that a neighbour covers in order to count
_SITTING_DEG = 45.0  # both thighs are farther from the vertical
_CHILD_M = 1.45  # stature below which a person is reported as a child
_CHILD_YEARS, _ADULT_YEARS = 12.0, 16.0  # younger bodies are children's, older ones adults'
_TRUE = (0, 150, 60)


@dataclass(frozen=True)
class SyntheticCase:
    """A sample of the generator."""

    name: str
    seed: int
    block: int
    number: int


@dataclass(frozen=True)
class Truth:
    """What is known of a sample, camera frame, metres.

    Attributes:
        sample: the picture and its labels.
        vertices: (V, 3) of the body model; joints: (J, 3).
        surface: what can be seen of the clothed subject from outside.
        depths: (P,) distance of everyone's root joint along the optical axis, the subject first.
        sitting: sits or squats; whole: every keypoint is inside the picture.
        sides: the left and the right side; none where not whole.
    """

    sample: Sample
    vertices: np.ndarray
    joints: np.ndarray
    surface: Mesh
    depths: np.ndarray
    sitting: bool
    whole: bool
    sides: tuple[Side, ...] = ()

    @property
    def up(self) -> np.ndarray:
        """(3,) the true vertical in the camera frame."""
        return self.sample.camera_from_world[:3, 1].astype(float)


@dataclass(frozen=True)
class SyntheticSuite:
    """Pictures drawn by ``vitruvian.lab.synthesis`` from ``HELD_OUT_SEEDS``, reconstructed.

    The reconstruction gets the picture alone. Where the numbers are about distance, which a picture
    of unknown lens does not tell, it gets the true camera in a second run.

    Attributes:
        assets: MakeHuman's assets.
        reconstruct: from a picture to a scene; the pipeline unless a test says otherwise.
        size: side of the pictures in pixels.
        count: how many cases there are.
    """

    assets: Path
    reconstruct: Callable[..., Any] = default_reconstruct
    size: int = SIZE
    count: int = CASES

    name = "synthetic"
    ranking = "pa_mpjpe_mm"
    concurrent = True
    metrics = (
        Metric("found", "person found"),
        Metric("people", "people in the picture", better="neither", digits=2),
        Metric("people_found", "share of them found"),
        Metric("extra", "figures that are nobody", better="lower", digits=2),
        Metric("alpha_iou", "alpha IoU"),
        Metric("boundary_f", "alpha boundary F @3px"),
        Metric("mpjpe_mm", "MPJPE", "mm", "lower", 1),
        Metric("pa_mpjpe_mm", "PA-MPJPE", "mm", "lower", 1),
        Metric("pve_mm", "PVE", "mm", "lower", 1),
        Metric("upright_mpjpe_mm", "· upright, whole: MPJPE", "mm", "lower", 1),
        Metric("upright_pa_mpjpe_mm", "· upright, whole: PA-MPJPE", "mm", "lower", 1),
        Metric("sitting_mpjpe_mm", "· sitting, whole: MPJPE", "mm", "lower", 1),
        Metric("sitting_pa_mpjpe_mm", "· sitting, whole: PA-MPJPE", "mm", "lower", 1),
        Metric("cut_mpjpe_mm", "· cut by the frame: MPJPE", "mm", "lower", 1),
        Metric("cut_pa_mpjpe_mm", "· cut by the frame: PA-MPJPE", "mm", "lower", 1),
        Metric("stature_error_cm", "stature, too tall by", "cm", "neither", 1),
        Metric("stature_abs_cm", "stature error", "cm", "lower", 1),
        Metric("child_stature_error_cm", "· children, too tall by", "cm", "neither", 1),
        Metric("sex_right", "adults: the body's sex is right"),
        Metric("child_right", "child or adult is right"),
        Metric("cut_complete", "cut by the frame, called complete", better="lower"),
        Metric("whole_complete", "every keypoint in the frame, called complete", better="neither"),
        Metric("chamfer_cm", "Chamfer", "cm", "lower", 2),
        Metric("sitting_chamfer_cm", "· sitting: Chamfer", "cm", "lower", 2),
        Metric("scan_to_prediction_cm", "truth → prediction (P2S)", "cm", "lower", 2),
        Metric("prediction_to_scan_cm", "prediction → truth", "cm", "lower", 2),
        *COMPARISON_METRICS,
        Metric("surface_iou", "surface silhouette IoU"),
        Metric("back_lab", "colour of the back, CIELAB L1", better="lower", digits=2),
        Metric("back_ssim", "structure of the back, SSIM at 64 px"),
        Metric("avatar_back_lab", "· of the avatar", better="lower", digits=2),
        Metric("avatar_back_ssim", "· of the avatar"),
        Metric("side_lab", "colour of the sides, CIELAB L1", better="lower", digits=2),
        Metric("side_ssim", "structure of the sides, SSIM at 64 px"),
        Metric("avatar_side_lab", "· of the avatar", better="lower", digits=2),
        Metric("avatar_side_ssim", "· of the avatar"),
        Metric("front_as_back_lab", "· of the front, seen through", "", "neither", 2),
        Metric("front_as_back_ssim", "· of the front, seen through", better="neither"),
        Metric("distance_error", "distance error, lens known", "", "lower"),
        Metric("group_distance_error", "· in groups", "", "lower"),
        Metric("depth_order", "pairs in the right order, lens known"),
        Metric("seconds", "time", "s", "lower", 2),
    )

    @staticmethod
    def open(data: Path | None) -> SyntheticSuite:
        """The suite on assets in ``data`` or ``data/makehuman``.

        Without ``data``, in the folder that ``VITRUVIAN_ASSETS`` names, else in the folder
        ``makehuman`` of the one that ``VITRUVIAN_DATA`` names. Raises ``InputError`` where there
        are none.
        """
        from vitruvian.lab.synthesis.assets import ASSETS_VARIABLE, find_assets

        if data is None and not os.environ.get(ASSETS_VARIABLE):
            data = Path(os.environ[DATA_VARIABLE]) if os.environ.get(DATA_VARIABLE) else None
        if data is not None and (data / "makehuman").is_dir():
            data = data / "makehuman"
        try:
            return SyntheticSuite(find_assets(data).folder)
        except InputError as error:
            raise InputError(str(error).replace("--assets", "--data")) from error

    def cases(self) -> Sequence[SyntheticCase]:
        """Samples of the first held-out seed; four cases share a block of people."""
        from vitruvian.lab.synthesis.sample import HELD_OUT_SEEDS

        seed = HELD_OUT_SEEDS.start
        return [
            SyntheticCase(f"synthetic-{n:04d}", seed, n // _BLOCK, n % _BLOCK)
            for n in range(self.count)
        ]

    def run(self, case: SyntheticCase) -> Outcome:
        """Draw the sample, reconstruct it from its picture and compare."""
        truth = _truth(case, self.size, self.assets)
        sample = truth.sample
        scene = self.reconstruct(sample.image)
        true = [a >= 128 for a in sample.people_alpha]
        counted = [k for k in range(len(true)) if k == 0 or true[k].mean() >= _LEAST_AREA]
        alphas = [person.figure.alpha.full() >= 128 for person in scene.people]
        who = best_pairs(mask_overlaps(true, alphas), _LEAST_OVERLAP)
        numbers: dict[str, float] = {
            "found": float(0 in who),
            "people": float(len(counted)),
            "people_found": sum(k in who for k in counted) / len(counted),
            "extra": float(len(alphas) - len(who)),
            "alpha_iou": 0.0,
            "boundary_f": 0.0,
            "seconds": float(sum(scene.timings_s.values())),
        }
        picture = resized(outlined(sample.image, true[0], _TRUE), 300)
        pictures = [Picture("picture, true outline", picture)]
        note = _described(truth)
        if 0 in who:
            person = scene.people[who[0]]
            numbers["alpha_iou"] = iou(alphas[who[0]], true[0])
            numbers["boundary_f"] = boundary_f(alphas[who[0]], true[0])
            numbers.update(body_numbers(person.body, truth))
            kind = "whole_complete" if truth.whole else "cut_complete"
            numbers[kind] = float(person.complete)
            found = person.mesh_camera
            pictures.append(Picture("found", resized(_over(sample.image, found, scene), 300)))
            if truth.whole:
                numbers["surface_iou"] = iou(
                    silhouette(found, scene.camera), sample.silhouette >= 128
                )
                numbers.update(_back_numbers(person, scene.camera, sample))
                numbers.update(
                    side_numbers(
                        _surfaces(person),
                        person.body.joints[0],
                        sample.height_m / person.body.height_m,
                        truth.sides,
                        truth.joints[0],
                        sample.camera,
                        sample,
                    )
                )
                compared, aligned = _compare(found, truth)
                numbers.update(compared)
                if truth.sitting:
                    numbers["sitting_chamfer_cm"] = compared["chamfer_cm"]
                pictures += _turntable(truth, aligned)
        else:
            note = f"The subject was not found. {note}"
        numbers.update(self._places(truth, true))
        return Outcome(numbers, tuple(pictures), note)

    def _places(self, truth: Truth, true: Sequence[np.ndarray]) -> dict[str, float]:
        """Numbers about distances: a second reconstruction, which knows the camera."""
        from vitruvian.image.photo import load_photo

        photo = replace(load_photo(truth.sample.image), camera=truth.sample.camera)
        scene = self.reconstruct(photo, detail="body", texture=False, check=False)
        alphas = [person.figure.alpha.full() >= 128 for person in scene.people]
        who = best_pairs(mask_overlaps(true, alphas), _LEAST_OVERLAP)
        found = {k: float(scene.people[n].body.joints[0, 2]) for k, n in who.items()}
        return place_numbers(found, truth.depths)


def body_numbers(body: Any, truth: Truth) -> dict[str, float]:
    """Joint, vertex and stature errors of a fitted ``Body``.

    Joints are those that a photograph says something of (``skeleton.ACTIVE_JOINTS``). The picture
    is a crop that does not tell its lens, so both bodies are turned to be looked at along the ray
    to their own root joint before they are compared.
    """
    model = body_model()
    turn = rotation_between(body.joints[0], truth.joints[0])
    joints, vertices = body.joints @ turn.T, body.vertices @ turn.T
    mine, true = joints[model.active], truth.joints[model.active]
    errors = {"mpjpe_mm": mpjpe(mine, true), "pa_mpjpe_mm": pa_mpjpe(mine, true)}
    kind = "cut" if not truth.whole else "sitting" if truth.sitting else "upright"
    stature = 100 * (float(body.height_m) - truth.sample.height_m)
    numbers = {
        **errors,
        **{f"{kind}_{key}": value for key, value in errors.items()},
        "pve_mm": pve(
            vertices, truth.vertices, predicted_root=joints[0], true_root=truth.joints[0]
        ),
        "stature_error_cm": stature,
        "stature_abs_cm": abs(stature),
    }
    if truth.sample.height_m < _CHILD_M:
        numbers["child_stature_error_cm"] = stature
    return {**numbers, **_kind_numbers(model.describe_shape(body.betas), truth)}


def _kind_numbers(found: Mapping[str, float], truth: Truth) -> dict[str, float]:
    """Whether the body is of the right sex (adults), and of a child or an adult; teenagers of
    12 to 16 years count as neither."""
    true = body_model().describe_shape(truth.sample.betas)
    years = 18 * true["maturity"]
    if _CHILD_YEARS <= years < _ADULT_YEARS:
        return {}
    middle = (_CHILD_YEARS + _ADULT_YEARS) / 2
    child = years < _CHILD_YEARS
    numbers = {"child_right": float((18 * found["maturity"] < middle) == child)}
    if not child:
        numbers["sex_right"] = float((found["gender"] > 0.5) == (true["gender"] > 0.5))
    return numbers


def place_numbers(found: Mapping[int, float], true: np.ndarray) -> dict[str, float]:
    """Errors of distance and order.

    Args:
        found: distances in metres of those who were found, by index into ``true``.
        true: (P,) metres.

    Returns:
        ``distance_error`` (mean of |found - true| / true), with two people or more
        ``group_distance_error``, the same, and ``depth_order``, the share of pairs in their true
        order among those whose true distances differ noticeably. What has no meaning is absent.
    """
    if not found:
        return {}
    error = float(np.mean([abs(z / true[k] - 1) for k, z in found.items()]))
    numbers = {"distance_error": error}
    if len(true) < 2:
        return numbers
    numbers["group_distance_error"] = error
    right = list(in_order(found, true).values())
    return {**numbers, **({"depth_order": float(np.mean(right))} if right else {})}


def is_sitting(joints: np.ndarray, up: np.ndarray) -> bool:
    """Whether both thighs of a body's joints (J, 3) are far from hanging down (sits, squats)."""
    index = body_model().joint_index
    for hip, knee, _ in skeleton.LEGS:
        thigh = joints[index[knee]] - joints[index[hip]]
        if -thigh @ up > np.cos(np.deg2rad(_SITTING_DEG)) * np.linalg.norm(thigh):
            return False
    return True


def _truth(case: SyntheticCase, size: int, assets: Path) -> Truth:
    from vitruvian.lab.synthesis.sample import arranged, clothed_mesh, draw_sample

    people = _people(case.seed, case.block, size, assets)
    rng, arrangement = arranged(people, case.seed, case.block, case.number, size)
    sample = draw_sample(rng, arrangement)
    posed = body_model().forward(sample.betas, sample.pose, sample.translation)
    vertices, faces, _ = clothed_mesh(arrangement.group[0][0], solid_only=True)
    world = Mesh(vertices.astype(np.float32), faces.astype(np.int32))
    surface = world.transformed(sample.camera_from_world, "camera")
    depths = []
    for person, world_from_person in arrangement.group[: len(sample.people_alpha)]:
        root = person.body.joints[0] + [0, person.lift, 0]
        matrix = sample.camera_from_world @ world_from_person
        depths.append(float(matrix[2, :3] @ root + matrix[2, 3]))
    keypoints = sample.keypoints
    whole = bool(((keypoints >= 0) & (keypoints <= size)).all())
    sides: tuple[Side, ...] = ()
    if whole:
        sides = true_sides(
            arrangement.group[0][0], sample.camera_from_world, sample.camera, posed.joints[0]
        )
    return Truth(
        sample,
        posed.vertices,
        posed.joints,
        keep_faces(surface, outer_faces(surface)),
        np.array(depths),
        is_sitting(posed.joints, sample.camera_from_world[:3, 1]),
        whole,
        sides,
    )


@functools.lru_cache(maxsize=1)
def _people(seed: int, block: int, size: int, assets: Path) -> list[SyntheticPerson]:
    from vitruvian.lab.synthesis.assets import AssetLibrary
    from vitruvian.lab.synthesis.sample import block_people

    return block_people(seed, block, size, AssetLibrary(assets))


def _compare(found: Mesh, truth: Truth) -> tuple[dict[str, float], Mesh]:
    """Surface numbers and the found surface laid upon the true one."""
    outer = keep_faces(found, outer_faces(found))
    centers = [(m.vertices.min(0) + m.vertices.max(0)) / 2 for m in (outer, truth.surface)]
    seen = outer.with_vertices(outer.vertices @ rotation_between(centers[0], centers[1]).T)
    return compare_surfaces(seen, truth.surface, truth.sample.height_m, truth.up)


def _surfaces(person: Person) -> dict[str, Mesh]:
    """The surface and the avatar in the photograph's pose, by the prefix of their numbers."""
    out = {"": person.mesh_camera}
    if person.avatar is not None:
        out["avatar_"] = photographed(person.avatar.mesh, person.body, person.avatar.chains)
    return out


def _back_numbers(person: Person, camera: Camera, sample: Sample) -> dict[str, float]:
    """How far the colours of the back are from the true ones, and those of the front from them."""
    body = sample.silhouette >= 128
    seen = (sample.instances == 1) & body
    true = lit_alike(sample.back_albedo, sample.front_albedo, sample.image, seen)
    numbers: dict[str, float] = {}
    for prefix, mesh in _surfaces(person).items():
        if mesh.texture is None:
            continue
        colors, there = far_colors(mesh, camera)
        lab, structure = color_errors(colors, true, seen & there)
        numbers |= {f"{prefix}back_lab": lab, f"{prefix}back_ssim": structure}
    lab, structure = color_errors(sample.image, true, seen)
    return {**numbers, "front_as_back_lab": lab, "front_as_back_ssim": structure}


def _described(truth: Truth) -> str:
    stature = f"{100 * truth.sample.height_m:.0f} cm"
    pose = "sitting" if truth.sitting else "upright"
    return f"{stature}, {pose}, {'whole' if truth.whole else 'cut by the frame'}."


def _over(pixels: np.ndarray, mesh: Mesh, scene: Any) -> np.ndarray:
    """The picture, pale, with the mesh in clay before it."""
    height, width = pixels.shape[:2]
    clay = render_mesh(mesh, scene.camera, width, height, mode="clay")
    return np.where(clay[..., 3:] > 127, clay[..., :3], faded(pixels))


def _turntable(truth: Truth, aligned: Mesh) -> list[Picture]:
    """Truth and prediction side by side, from the left and from the right."""
    camera = framing_camera(truth.surface, 220, 300)
    pictures = []
    for degrees in (0, 90):
        for caption, mesh in (("true", truth.surface), ("found", aligned)):
            view = turned(mesh, degrees, up=truth.up)
            drawn = render_mesh(
                view, camera, 220, 300, mode="clay", background=(255, 255, 255), supersample=2
            )
            pictures.append(Picture(f"{caption}, {degrees}°", drawn[..., :3]))
    return pictures
