"""The starting point of the body-estimate network: heads solved by ridge regression.

The wide layer starts with random weights, and heads that are linear in it have a closed solution
(random features: Rahimi and Recht, 2007), which takes seconds where descent from nothing takes
an hour. Descent then goes on from there, through all layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from vitruvian.networks import body_estimate
from vitruvian.types import estimate

if TYPE_CHECKING:
    from vitruvian.lab.training.body_estimate_data import ObservedSource
    from vitruvian.lab.training.body_estimate_model import BodyEstimateModel

_RIDGE = 3e-3  # of the number of examples, for inputs of unit variance
# Of the mean squared norm of the features, for heads that read them.
_FEATURE_RIDGE = 1.5
_GROUP_RIDGE = 0.2  # how somebody is built stands in many features, a little in each
_REAL_WEIGHT = 3.0  # of an observed person against a transplant
# What turns a least-squares estimate of a probability into a logit.
_TEMPERATURES = np.array([2.0, 3.0, 4.0, 5.0, 6.0, 8.0])
_MEAN_LOG = (
    0.577  # of a unit exponential variable, negated: E log|x| of a Laplacian is log b - this
)


@torch.no_grad()
def solve(model: BodyEstimateModel, source: ObservedSource) -> None:
    """Normalise the inputs and solve every head, in place."""
    real, other = _flat(source.training), _flat(source.transplants)
    count = len(real["stature"])
    together = {k: np.concatenate([real[k], other[k]]) for k in real if k != "features"}
    landmarks = torch.from_numpy(together["landmarks"])
    _normalize(model, landmarks, torch.from_numpy(real["features"].astype(np.float32)))
    weights = torch.ones(len(landmarks))
    weights[:count] = _REAL_WEIGHT
    inner = model.inner(landmarks)
    offsets = _offsets(model, landmarks[:1])
    world = landmarks[:, : 3 * body_estimate.LANDMARKS] * model.limbs
    targets = {
        "keypoints": torch.from_numpy(together["keypoints"]).flatten(1) - world,
        "rotations": _first_columns(together["rotations"]) - offsets["rotations"],
        "stature": torch.from_numpy(together["stature"])[:, None] - model.start[0],
        "betas": torch.from_numpy(together["betas"]),
        "groups": torch.from_numpy(together["groups"]),
    }
    solved = _ridge(inner, torch.cat(list(targets.values()), 1), weights)
    found = dict(zip(targets, solved.split([t.shape[1] for t in targets.values()], 1), strict=True))
    errors = {name: inner_product(inner, found[name]) - target for name, target in targets.items()}
    _set(model, "keypoints", found["keypoints"])
    _set(model, "rotations", found["rotations"])
    # What remains is asked of the features, of the observed people alone.
    seen_features = model.normalized_features(torch.from_numpy(real["features"].astype(np.float32)))
    for name in ("keypoints", "rotations"):
        more = _feature_ridge(seen_features, -errors[name][:count], _FEATURE_RIDGE)
        model.more[name].weight.copy_(more.T)  # type: ignore[union-attr,operator]
        errors[name][:count] += seen_features @ more
    _solve_spreads(model, inner, errors, weights)
    person = ("stature", "betas", "groups")
    left = torch.cat([-errors[name][:count] for name in person], 1)
    seen = {
        "parts": functional.one_hot(torch.from_numpy(real["parts"]), 3).float().flatten(1),
        "whole": functional.one_hot(torch.from_numpy(real["whole"]), 3).float(),
    }
    view = _ridge(inner[:count], torch.cat(list(seen.values()), 1), torch.ones(count), 0.03)
    view_error = torch.cat(list(seen.values()), 1) - inner_product(inner[:count], view)
    wanted = torch.cat([left, view_error], 1)
    more = _feature_ridge(seen_features, wanted, _FEATURE_RIDGE)
    build = slice(left.shape[1] - len(estimate.GROUPS), left.shape[1])
    more[:, build] = _feature_ridge(seen_features, wanted[:, build], _GROUP_RIDGE)
    after = wanted - seen_features @ more
    sizes = [errors[name].shape[1] for name in person] + [t.shape[1] for t in seen.values()]
    extra = dict(zip((*person, *seen), more.split(sizes, 1), strict=True))
    rest = dict(zip((*person, *seen), after.split(sizes, 1), strict=True))
    both = {**{name: found[name] for name in person}, "parts": view[:, :15], "whole": view[:, 15:]}
    for name in ("groups", "parts", "whole"):
        target = torch.from_numpy(real[name]).float() if name == "groups" else seen[name]
        factor = _temperature(target - rest[name], target)
        _set(model, name, both[name] * factor)
        model.more[name].weight.copy_(extra[name].T * factor)  # type: ignore[union-attr,operator]
    for name in ("stature", "betas"):
        spread = rest[name].std(0).clamp_min(1e-3) * 1.15  # seen in training: a little too small
        head = torch.cat([both[name], torch.zeros_like(both[name])], 1)
        head[-1, both[name].shape[1] :] = spread.log()
        weight = torch.cat([extra[name], torch.zeros_like(extra[name])], 1)
        if name == "stature":
            head[-1, 1] -= model.start[1]
        _set(model, name, head)
        model.more[name].weight.copy_(weight.T)  # type: ignore[union-attr,operator]


def inner_product(inner: Tensor, solution: Tensor) -> Tensor:
    """The values of heads whose last row is their bias."""
    return inner @ solution[:-1] + solution[-1]


def _flat(examples: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Both sides of the mirror one after the other."""
    kept = {name: value for name, value in examples.items() if value.size}
    return {name: value.reshape(-1, *value.shape[2:]) for name, value in kept.items()}


def _normalize(model: BodyEstimateModel, landmarks: Tensor, features: Tensor) -> None:
    model.landmark_mean.copy_(landmarks.mean(0))
    model.landmark_scale.copy_(1 / (landmarks.std(0) + 1e-3))
    model.feature_mean.copy_(features.mean(0))
    model.feature_scale.copy_(1 / (features.std(0) + 0.05 * features.std() + 1e-6))


def _offsets(model: BodyEstimateModel, landmarks: Tensor) -> dict[str, Tensor]:
    return {"rotations": model.rest.flatten()[None]}


def _first_columns(rotations: np.ndarray) -> Tensor:
    """(N, 22 * 6): the first two columns in turn, as ``body_estimate.matrix_from_six``."""
    columns = np.concatenate([rotations[..., 0], rotations[..., 1]], -1)
    return torch.from_numpy(columns).flatten(1)


def _ridge(inner: Tensor, targets: Tensor, weights: Tensor, ridge: float = _RIDGE) -> Tensor:
    """Weighted ridge regression with a bias as the last row, (D + 1, T)."""
    total = weights.sum()
    mean = (weights[:, None] * inner).sum(0) / total
    centre = (weights[:, None] * targets).sum(0) / total
    root = weights.sqrt()[:, None]
    rows = (inner - mean) * root
    normal = rows.T @ rows
    normal.diagonal().add_(ridge * total)
    solution = torch.linalg.solve(normal, rows.T @ ((targets - centre) * root))
    return torch.cat([solution, (centre - mean @ solution)[None]])


def _feature_ridge(seen_features: Tensor, targets: Tensor, ridge: float) -> Tensor:
    """Ridge regression without a bias, (F, T), by whichever matrix is smaller.

    ``ridge`` is in units of the mean squared norm of an example.
    """
    examples, inputs = seen_features.shape
    weight = ridge * float(seen_features.square().sum()) / examples
    if inputs < examples:
        normal = seen_features.T @ seen_features
        normal.diagonal().add_(weight)
        return torch.linalg.solve(normal, seen_features.T @ targets)
    kernel = seen_features @ seen_features.T
    kernel.diagonal().add_(weight)
    return seen_features.T @ torch.linalg.solve(kernel, targets)


def _solve_spreads(
    model: BodyEstimateModel, inner: Tensor, errors: dict[str, Tensor], weights: Tensor
) -> None:
    """Heads of the standard deviations, from the sizes of the errors."""
    points = errors["keypoints"].reshape(-1, body_estimate.LANDMARKS, 3)
    sizes = torch.stack([points[..., :2].norm(dim=-1) / 2, points[..., 2].abs()], -1)
    turns = errors["rotations"].reshape(-1, estimate.JOINTS, 6).norm(dim=-1)
    logs = torch.cat([(sizes + 2e-3).log().flatten(1) + _MEAN_LOG, (turns + 2e-2).log() + 0.2], 1)
    solution = _ridge(inner, logs, weights, 10 * _RIDGE)
    points_sd = solution[:, : 2 * body_estimate.LANDMARKS].clone()
    turns_sd = solution[:, 2 * body_estimate.LANDMARKS :].clone()
    points_sd[-1] += 3.0  # what ``BodyEstimateModel.forward`` takes off again
    turns_sd[-1] += 1.0
    _set(model, "keypoint_sd", points_sd)
    _set(model, "rotation_sd", turns_sd)


def _temperature(scores: Tensor, target: Tensor) -> float:
    """The factor on scores (N, C or groups of 3) that makes the best logits of them."""
    width = target.shape[1] if target.shape[1] in (3, 5) else 3
    if target.shape[1] == 15:
        scores, target = scores.reshape(-1, 3), target.reshape(-1, 3)
    else:
        scores, target = scores.reshape(-1, width), target.reshape(-1, width)
    cost = [float(functional.cross_entropy(t * scores, target)) for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(cost))]) * 0.8  # training scores are too sure


def _set(model: BodyEstimateModel, name: str, solution: Tensor) -> None:
    head = model.heads[name]
    head.weight.copy_(solution[:-1].T)  # type: ignore[union-attr,operator]
    head.bias.copy_(solution[-1])  # type: ignore[union-attr,operator]
