"""A made-up model with the layout of SMPL's files: our CC0 body, in another topology.

Nothing of SMPL is in it. Shape directions are principal components of our own people in a T-pose,
vertices lie elsewhere than ours, weights are smoothed and gathered on the family's joints, and the
template is a body that our fit does not know beforehand.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from vitruvian.body.model.model import BodyModel, body_model
from vitruvian.body.model.skeleton import finger
from vitruvian.exchange.nearest import closest_weights
from vitruvian.exchange.smpl_model import JOINT_NAMES, Kind
from vitruvian.geometry.adjacency import directed_edges
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle
from vitruvian.surface.finish.simplify import simplify

PARENTS = {
    "smpl": (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21),
}
_HAND = (0, 1, 2)
PARENTS["smplh"] = PARENTS["smpl"][:22] + tuple(
    wrist if joint == 0 else 22 + 15 * side + 3 * f + joint - 1
    for side, wrist in enumerate((20, 21))
    for f in range(5)
    for joint in _HAND
)
PARENTS["smplx"] = (*PARENTS["smpl"][:22], 15, 15, 15) + tuple(
    wrist if joint == 0 else 25 + 15 * side + 3 * f + joint - 1
    for side, wrist in enumerate((20, 21))
    for f in range(5)
    for joint in _HAND
)

# Ours at which each of theirs sits.
_OURS = {
    "pelvis": "root", "spine1": "spine04", "spine2": "spine03", "spine3": "spine02",
    "neck": "neck01", "head": "head", "jaw": "head",
}  # fmt: skip
_SIDES = {
    "hip": "upperleg01", "knee": "lowerleg01", "ankle": "foot", "foot": "toes",
    "collar": "clavicle", "shoulder": "upperarm01", "elbow": "lowerarm01", "wrist": "wrist",
    "hand": "finger3-1", "eye": "eye",
}  # fmt: skip
_FINGERS = {"thumb": 1, "index": 2, "middle": 3, "ring": 4, "pinky": 5}


def our_joint(name: str) -> str:
    if name in _OURS:
        return _OURS[name]
    side, part = name.split("_")
    suffix = ".L" if side == "left" else ".R"
    if part in _SIDES:
        return _SIDES[part] + suffix
    return finger(_FINGERS[part[:-1]], int(part[-1]))[suffix == ".R"]


def t_pose(model: BodyModel) -> np.ndarray:
    """(J, 3, 3) local rotations: arms level, palms down, fingers nearly straight."""
    turns = np.tile(np.eye(3), (len(model.parents), 1, 1))
    at = model.joint_index
    place = model.joint_template
    for suffix, sign in ((".L", 1.0), (".R", -1.0)):
        goal = np.array([sign, 0.0, 0.0])
        shoulder, elbow, wrist = (
            place[at[n + suffix]] for n in ("upperarm01", "lowerarm01", "wrist")
        )
        knuckles = [place[at[f"finger{n}-1{suffix}"]] for n in (3, 2, 5)]
        upper, lower, hand = elbow - shoulder, wrist - elbow, knuckles[0] - wrist
        back = sign * np.cross(hand, knuckles[2] - knuckles[1])
        bends, hinge = np.cross(goal, (0, 0, 1.0)), np.cross(upper, lower)
        turns[at["upperarm01" + suffix]] = _axes(goal, bends) @ _axes(upper, hinge).T
        turns[at["lowerarm01" + suffix]] = _axes(goal, bends) @ _axes(lower, hinge).T
        turns[at["wrist" + suffix]] = _axes(goal, [0, 1.0, 0]) @ _axes(hand, back).T
    whole = turns.copy()
    for joint, parent in enumerate(model.parents):
        if parent >= 0 and np.array_equal(whole[joint], np.eye(3)):
            whole[joint] = whole[parent]
    local = whole.copy()
    local[1:] = whole[model.parents[1:]].swapaxes(1, 2) @ whole[1:]
    return local


def _axes(along: np.ndarray, about: np.ndarray) -> np.ndarray:
    first = np.asarray(along) / np.linalg.norm(along)
    second = about - (about @ first) * first
    second = second / np.linalg.norm(second)
    return np.stack([first, second, np.cross(first, second)], 1)


def random_betas(rng: np.random.Generator, model: BodyModel, group: str = "adults") -> np.ndarray:
    prior = model.shape_prior(group)
    return prior.mean + np.linalg.solve(prior.whitening, rng.normal(size=model.shape_count))


def random_pose(rng: np.random.Generator, model: BodyModel, spread: float = 1.0) -> np.ndarray:
    """(J, 3) axis-angle: limbs bent as people bend them, trunk a little."""
    pose = np.zeros((len(model.parents), 3))
    for name, degrees in (("upperarm01", 35), ("lowerarm01", 30), ("wrist", 15), ("upperleg01", 30),
                          ("foot", 10), ("clavicle", 6)):  # fmt: skip
        for side in (".L", ".R"):
            pose[model.joint_index[name + side]] = np.deg2rad(degrees) * rng.normal(size=3) / 1.7
    for side in (".L", ".R"):
        pose[model.joint_index["lowerleg01" + side], 0] = np.deg2rad(abs(rng.normal() * 40))
    for name in ("spine05", "spine03", "spine01", "neck01", "head"):
        pose[model.joint_index[name]] = np.deg2rad(9) * rng.normal(size=3)
    pose *= spread
    pose[0] = axis_angle_from_matrix(
        matrix_from_axis_angle(np.array([np.pi, 0, 0]))
        @ matrix_from_axis_angle(np.array([0, rng.uniform(-np.pi, np.pi), 0]))
        @ matrix_from_axis_angle(0.15 * rng.normal(size=3))
    )
    return pose


@cache
def made_up(kind: Kind = "smpl", faces: int = 6000, seed: int = 1) -> dict[str, np.ndarray]:
    """The content of such a file, as plain arrays."""
    model = body_model()
    rng = np.random.default_rng(seed)
    names, parents = JOINT_NAMES[kind], np.array(PARENTS[kind])
    rotations = t_pose(model)
    for side in (".L", ".R"):  # fingers a little straighter and spread otherwise than ours
        for number in range(2, 6):
            turn = np.deg2rad([0, 3 * (number - 3), -6 if side == ".L" else 6])
            j = model.joint_index[f"finger{number}-1{side}"]
            rotations[j] = matrix_from_axis_angle(turn) @ rotations[j]
    skin = np.flatnonzero(model.components == 0)
    renumber = np.full(len(model.template), -1)
    renumber[skin] = np.arange(len(skin))
    ours = renumber[model.faces]
    ours = ours[(ours >= 0).all(1)]

    def posed(betas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        out = model.forward_rotations(betas, rotations)
        return out.vertices[skin].astype(np.float64), out.joints

    people = [random_betas(rng, model) for _ in range(60)]
    shapes = [posed(b) for b in people]
    middle = np.mean([b for b in people], axis=0)
    template, joints = posed(middle)
    offsets = np.array([v - template for v, _ in shapes]).reshape(len(people), -1)
    _, sizes, axes = np.linalg.svd(offsets, full_matrices=False)
    components = axes[:10] * sizes[:10, None] / np.sqrt(len(people))

    few, triangles, _ = simplify(template.astype(np.float32), ours, faces)
    # Where the fewer vertices are on the many: the nearest face's corners.
    from vitruvian.lab.evaluation.metrics.closest import ClosestPointTree

    found = ClosestPointTree(template, ours).query(few.astype(np.float64))
    corners = ours[found.faces]
    bary = closest_weights(found.points, template[corners])

    def carried(values: np.ndarray) -> np.ndarray:
        return np.einsum("nk,nk...->n...", bary, values[corners])

    shapedirs = np.stack([carried(c.reshape(-1, 3)) for c in components], axis=2)
    gathered = np.zeros((len(skin), len(names)))
    nearest = {our_joint(n): i for i, n in reversed(list(enumerate(names)))}
    at = [nearest.get(n, -1) for n in model.joint_names]
    for j, parent in enumerate(model.parents):
        if at[j] < 0:
            at[j] = at[parent]
    for column in range(4):
        np.add.at(
            gathered,
            (np.arange(len(skin)), np.array(at)[model.skin_joints[skin, column]]),
            model.skin_weights[skin, column],
        )
    weights = carried(gathered)
    edges = directed_edges(triangles)
    for _ in range(2):  # another softness than ours
        total = weights.copy()
        np.add.at(total, edges[:, 0], weights[edges[:, 1]])
        weights = total / total.sum(1, keepdims=True)
    strongest = np.sort(weights, axis=1)[:, -4][:, None]
    weights = np.where(weights >= strongest, weights, 0)
    weights /= weights.sum(1, keepdims=True)

    v_template = few + 0.004 * _wavy(few, rng)  # another person than the mean of ours
    regressor = np.zeros((len(names), len(few)))
    for i, name in enumerate(names):
        place = joints[model.joint_index[our_joint(name)]]
        near = np.argsort(np.linalg.norm(v_template - place, axis=1))[:24]
        points = np.concatenate([v_template[near].T, np.ones((1, 24))])
        regressor[i, near] = np.linalg.lstsq(points, np.append(place, 1.0), rcond=None)[0]
    posedirs = np.zeros((len(few), 3, 9 * (len(names) - 1)), np.float32)
    for i in range(1, len(names)):
        local = weights[:, i, None, None] * 0.006 * rng.normal(size=(1, 3, 9))
        posedirs[:, :, 9 * (i - 1) : 9 * i] = local
    kintree = np.stack([parents, np.arange(len(names))]).astype(np.int64)
    kintree[0, 0] = 2**32 - 1
    return {
        "v_template": v_template.astype(np.float64),
        "shapedirs": shapedirs,
        "posedirs": posedirs.astype(np.float64),
        "J_regressor": regressor,
        "weights": weights,
        "kintree_table": kintree.astype(np.uint32),
        "f": triangles.astype(np.uint32),
    }


def _wavy(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    waves, phase = rng.normal(size=(3, 3)) * 12, rng.uniform(0, 6, 3)
    return np.sin(points @ waves + phase)
