"""The body-estimate network in torch: BlazePose landmarks and features to a body estimate."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vitruvian.body.model.model import body_model
from vitruvian.networks import body_estimate
from vitruvian.networks.blazepose import FEATURES
from vitruvian.types import estimate
from vitruvian.types.keypoints import limb_length

_WORLD = slice(0, 3 * body_estimate.LANDMARKS)  # of the encoded landmarks
HEADS = {
    "groups": (len(estimate.GROUPS),),
    "stature": (2,),
    "betas": (2 * estimate.BETAS,),
    "keypoints": (body_estimate.LANDMARKS, 3),
    "keypoint_sd": (body_estimate.LANDMARKS, 2),
    "rotations": (estimate.JOINTS, 6),
    "rotation_sd": (estimate.JOINTS,),
    "parts": (len(estimate.PARTS), len(estimate.STATES)),
    "whole": (len(estimate.WHOLES),),
}
# What the features have a say in.
_FROM_FEATURES = ("groups", "stature", "betas", "keypoints", "rotations", "parts", "whole")


class BodyEstimateModel(nn.Module):
    """Features (N, FEATURES) and landmarks (N, INPUTS) to the outputs of ``BodyEstimateNetwork``.

    Everything is read from the landmarks through one wide layer; what the features say of the
    person is added to that. Examples without features have the mark ``seen`` 0.
    """

    limbs: Tensor
    rest: Tensor
    start: Tensor

    def __init__(self, width: int = 768) -> None:
        super().__init__()
        self.landmark_mean = _constant(torch.zeros(body_estimate.INPUTS))
        self.landmark_scale = _constant(torch.ones(body_estimate.INPUTS))
        self.feature_mean = _constant(torch.zeros(FEATURES))
        self.feature_scale = _constant(torch.ones(FEATURES))
        self.wide = nn.Linear(body_estimate.INPUTS, width)
        nn.init.normal_(self.wide.weight, std=1.5 / body_estimate.INPUTS**0.5)
        nn.init.uniform_(self.wide.bias, -1, 1)
        sizes = {name: int(np.prod(shape)) for name, shape in HEADS.items()}
        inner = body_estimate.INPUTS + width
        self.heads = nn.ModuleDict({name: nn.Linear(inner, n) for name, n in sizes.items()})
        self.more = nn.ModuleDict(
            {name: nn.Linear(FEATURES, sizes[name], bias=False) for name in _FROM_FEATURES}
        )
        for head in [*self.heads.values(), *self.more.values()]:
            for values in head.parameters():
                nn.init.zeros_(values)
        self.register_buffer("limbs", torch.tensor(_template_limbs(), dtype=torch.float32))
        rest = torch.tensor([1.0, 0, 0, 0, 1, 0]).repeat(estimate.JOINTS, 1)
        rest[0] = torch.tensor([1.0, 0, 0, 0, -1, 0])  # upright, facing the camera
        self.register_buffer("rest", rest)
        self.register_buffer("start", torch.tensor([0.5, -2.0]))

    def inner(self, landmarks: Tensor) -> Tensor:
        """What the heads are linear in: the normalised landmarks and the wide layer, (N, D)."""
        scaled = ((landmarks - self.landmark_mean) * self.landmark_scale).clamp(-5, 5)
        return torch.cat([scaled, functional.relu(self.wide(scaled))], 1)

    def normalized_features(self, features: Tensor) -> Tensor:
        """The normalised features (N, FEATURES)."""
        return ((features - self.feature_mean) * self.feature_scale).clamp(-5, 5)

    def forward(
        self, features: Tensor, landmarks: Tensor, seen: Tensor | None = None
    ) -> dict[str, Tensor]:
        vector = self.inner(landmarks)
        seen_features = self.normalized_features(features)
        if seen is not None:
            seen_features = seen_features * seen[:, None]
        out = {}
        for name, shape in HEADS.items():
            flat = self.heads[name](vector)
            if name in _FROM_FEATURES:
                flat = flat + self.more[name](seen_features)
            out[name] = flat.reshape(-1, *shape)
        # Begin with BlazePose's own metric landmarks, at the size of a mean body's.
        world = landmarks[:, _WORLD].reshape(-1, body_estimate.LANDMARKS, 3)
        out["keypoints"] = out["keypoints"] + world * self.limbs
        out["keypoint_sd"] = out["keypoint_sd"] - 3.0
        out["rotations"] = out["rotations"] + self.rest
        out["rotation_sd"] = out["rotation_sd"] - 1.0
        out["stature"] = out["stature"] + self.start
        return out


def _constant(values: Tensor) -> nn.Parameter:
    return nn.Parameter(values, requires_grad=False)


def _template_limbs() -> float:
    """Sum of the mean body's limb lengths over its stature."""
    model = body_model()
    return float(limb_length(model.keypoints().template) / model.stature(np.zeros(1)))
