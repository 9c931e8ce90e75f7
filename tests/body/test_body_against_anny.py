"""The baked body against Anny itself; needs the extra ``train``.

The first construction of an Anny topology takes minutes and 0.9 GB under ``ANNY_CACHE_DIR``.
"""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.body.fit.pose_prior import example_poses
from vitruvian.body.model.model import BodyModel, body_model
from vitruvian.geometry.rotations import matrix_from_axis_angle

pytestmark = [pytest.mark.train, pytest.mark.slow, pytest.mark.timeout(1500)]

PEOPLE = {
    "man": dict(gender=0.05, age=0.78, height=0.40, weight=0.6, muscle=0.5, proportions=0.5),
    "woman": dict(gender=0.95, age=0.79, height=0.33, weight=0.7, muscle=0.4, proportions=0.6),
    "stout": dict(gender=0.1, age=0.8, height=0.35, weight=1.0, muscle=0.35, proportions=0.4),
    "child": dict(gender=0.5, age=0.32, height=0.40, weight=0.5, muscle=0.4, proportions=0.5),
}


@pytest.fixture(scope="module")
def anny():
    package = pytest.importorskip("anny", reason="the extra train is not installed")
    torch = pytest.importorskip("torch", reason="the extra train is not installed")
    model = package.Anny(topology="anny-quads", phenotypes="all", skinning_method="lbs")
    return model.to(torch.float64)


def turned(points: np.ndarray) -> np.ndarray:
    """From Anny's axes (z up, facing -y) to ours."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], -1)


def rest_of(anny, person: dict[str, float]):
    import torch

    values = {k: torch.tensor([v], dtype=torch.float64) for k, v in person.items()}
    coefficients = anny.get_phenotype_blendshape_coefficients(**values)
    return anny.get_rest_model(coefficients), values


def betas_of(model: BodyModel, vertices: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Least-squares betas of Anny's rest vertices, aligned at the root joint."""
    offsets = vertices - root + model.joint_template[0] - model.template
    directions = model.shape_directions.reshape(model.shape_count, -1).astype(float)
    return np.linalg.lstsq(directions.T, offsets.ravel(), rcond=None)[0]


@pytest.mark.parametrize("name", PEOPLE)
def test_rest_body_is_annys(anny, name: str) -> None:
    model = body_model()
    rest, _ = rest_of(anny, PEOPLE[name])
    vertices = turned(rest["rest_vertices"][0].numpy())
    heads = turned(rest["rest_bone_heads"][0].numpy())
    betas = betas_of(model, vertices, heads[0])
    ours, joints = model.rest(betas)
    shift = model.joint_template[0] - heads[0]
    error = np.linalg.norm(ours - vertices - shift, axis=1)
    assert error.mean() < 0.001
    assert error.max() < 0.012
    index = [model.joint_index[label] for label in anny.bone_labels]
    assert np.linalg.norm(joints[index] - heads - shift, axis=1).max() < 0.004


@pytest.mark.parametrize("name", ["man", "woman", "child"])
def test_posed_body_is_annys(anny, name: str) -> None:
    """Our convention posed by Anny: bone poses G_j (rest orientation), heads along the chain."""
    import torch

    model = body_model()
    rest, values = rest_of(anny, PEOPLE[name])
    vertices = turned(rest["rest_vertices"][0].numpy())
    heads = turned(rest["rest_bone_heads"][0].numpy())
    betas = betas_of(model, vertices, heads[0])
    poses, _ = example_poses(body_model())
    index = [model.joint_index[label] for label in anny.bone_labels]
    axes = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])  # ours = axes @ Anny's
    worst = []
    for pose in poses[:: len(poses) // 12]:
        rotations = matrix_from_axis_angle(pose)
        # Anny has no joint "toes": it must stay at rest to compare.
        for side in "LR":
            rotations[model.joint_index[f"toes.{side}"]] = np.eye(3)
        posed = model.forward_rotations(betas, rotations)
        bones = rest["rest_bone_poses"].clone()
        for number, joint in enumerate(index):
            turn = axes.T @ posed.rotations[joint] @ axes
            bones[0, number, :3, :3] = torch.from_numpy(turn) @ bones[0, number, :3, :3]
            bones[0, number, :3, 3] = torch.from_numpy(axes.T @ posed.joints[joint])
        out = anny(pose_parameters=bones, phenotype_kwargs=values, pose_parameterization="world")
        error = np.linalg.norm(turned(out["vertices"][0].numpy()) - posed.vertices, axis=1)
        assert error.mean() < 0.0015
        worst.append(np.percentile(error, 99.5))
    assert max(worst) < 0.02, "four influences a vertex lose little, even bent sharply"
