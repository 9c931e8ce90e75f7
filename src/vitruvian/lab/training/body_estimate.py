"""The recipe ``cues``: a body estimate (build, age, pose, visibility) from BlazePose's features.

The network is small, and so are its data: it is trained on what ``training.observations`` found and
on transplants (``training.body_estimate_data``), in minutes on a processor. BlazePose, whose
features it reads, was trained on photographs and stays as it is, which is what carries this network
from synthetic people to real ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vitruvian.errors import InputError
from vitruvian.lab.training.body_estimate_data import ObservedSource
from vitruvian.lab.training.body_estimate_model import HEADS, BodyEstimateModel
from vitruvian.lab.training.body_estimate_start import solve
from vitruvian.lab.training.recipe import (
    Batch,
    CardFacts,
    DataOptions,
    Graph,
    Plan,
    Recipe,
    Source,
    Step,
)
from vitruvian.networks import body_estimate
from vitruvian.networks.blazepose import FEATURES

# What each term of the loss counts.
_WEIGHTS = {
    "groups": 0.5, "stature": 0.5, "betas": 0.1, "keypoints": 1.0, "rotations": 0.3, "parts": 0.4,
    "whole": 0.3,
}  # fmt: skip


def rotation_matrices(six: Tensor) -> Tensor:
    """As ``body_estimate.matrix_from_six``."""
    x = functional.normalize(six[..., :3], dim=-1)
    y = functional.normalize(six[..., 3:] - (x * six[..., 3:]).sum(-1, keepdim=True) * x, dim=-1)
    return torch.stack([x, y, torch.linalg.cross(x, y)], -1)


def losses(out: dict[str, Tensor], batch: Batch) -> dict[str, Tensor]:
    """Terms of the loss: negative log likelihoods (Gaussian, Laplacian) and cross entropies."""
    terms: dict[str, Tensor] = {}
    terms["groups"] = functional.cross_entropy(out["groups"].float(), batch["groups"].float())
    mean, log_sd = out["stature"].float().unbind(1)
    log_sd = log_sd.clamp(-4.5, 0)
    terms["stature"] = (((batch["stature"] - mean) / log_sd.exp()) ** 2 / 2 + log_sd).mean()
    mean, log_sd = out["betas"].float().chunk(2, 1)
    log_sd = log_sd.clamp(-2.5, 1.5)
    terms["betas"] = (((batch["betas"] - mean) / log_sd.exp()) ** 2 / 2 + log_sd).mean()
    error = out["keypoints"].float() - batch["keypoints"]
    scale = out["keypoint_sd"].float().clamp(-5.5, -0.5)
    across = error[..., :2].square().sum(-1).add(1e-8).sqrt()
    along = error[..., 2].abs()
    terms["keypoints"] = (
        across / scale[..., 0].exp()
        + 2 * scale[..., 0]
        + along / scale[..., 1].exp()
        + scale[..., 1]
    ).mean() + 5 * (across + along).mean()
    turned = rotation_matrices(out["rotations"].float())
    squared = (turned - batch["rotations"]).square().sum((-1, -2)) / 2  # about the angle squared
    scale = out["rotation_sd"].float().clamp(-3.5, 0.5)
    likelihood = squared / (2 * (2 * scale).exp()) + 1.5 * scale
    terms["rotations"] = likelihood.mean() + squared.mean() + 0.2 * squared[:, 0].mean()
    # What is in view of a transplant is its host's: only real people teach that.
    real = batch["seen"] > 0
    terms["parts"] = functional.cross_entropy(
        out["parts"][real].float().flatten(0, 1), batch["parts"][real].flatten()
    )
    terms["whole"] = functional.cross_entropy(out["whole"][real].float(), batch["whole"][real])
    total = torch.stack([_WEIGHTS[name] * value for name, value in terms.items()]).sum()
    return {"total": total, **terms}


def figures(out: dict[str, Tensor], batch: Batch) -> dict[str, float]:
    """Figures of merit over a batch: metres are those of a person of 1.7 m."""
    adult = batch["groups"][:, :2].sum(1) > 0.9
    sex = out["groups"][adult][:, :2].argmax(1) == batch["groups"][adult][:, :2].argmax(1)
    child = batch["groups"][:, 3:].sum(1)
    sure = (child - 0.5).abs() > 0.4
    called = functional.softmax(out["groups"], 1)[:, 3:].sum(1) > 0.5
    error = out["keypoints"] - batch["keypoints"]
    turned = rotation_matrices(out["rotations"])
    cosine = ((turned * batch["rotations"]).sum((-1, -2)) - 1) / 2
    angle = torch.rad2deg(torch.arccos(cosine.clamp(-1, 1)))
    stature = out["stature"][:, 0].exp() - batch["stature"].exp()
    whole = out["whole"].argmax(1)
    cut = batch["whole"] == 1
    return {
        "sex_right": float(sex.float().mean()),
        "child_right": float((called == (child > 0.5))[sure].float().mean()),
        "stature_cm": float(100 * stature.abs().mean()),
        "keypoints_mm": float(1700 * error.norm(dim=-1).mean()),
        "keypoints_depth_mm": float(1700 * error[..., 2].abs().mean()),
        "rotations_deg": float(angle[:, 1:].mean()),
        "root_deg": float(angle[:, 0].mean()),
        "parts_right": float((out["parts"].argmax(-1) == batch["parts"]).float().mean()),
        "whole_right": float((whole == batch["whole"]).float().mean()),
        "cut_called_full": float((whole[cut] == 0).float().mean()) if cut.any() else 0.0,
    }


class BodyEstimateRecipe(Recipe):
    """Trains the body-estimate network."""

    name = "cues"
    plan = Plan(
        samples=400_000, batch=256, learning_rate=6e-4, warm_up=5000, weight_decay=0.05,
        ema_decay=0.99,
    )  # fmt: skip
    card = CardFacts(
        title="Body estimate: build, age group, stature, pose and completeness of one person.",
        purpose=(
            "Reads BlazePose's inner features and landmarks of one person (for the picture and "
            "its mirror image) and tells: group (men, women, teenagers, schoolchildren, small "
            "children), stature and shape with standard deviations, 33 body keypoints in 3D and "
            "22 joint rotations with theirs, and for head, arms, hands, legs and feet whether "
            "they are in view, cut by the frame or hidden."
        ),
        limits=(
            "Learnt from synthetic people alone, of this project's own generator, whose bodies "
            "follow population statistics of the body model: sex means how the body is built, "
            "and adults' stature can be told from one picture no better than statistics of "
            "populations allow."
        ),
        provenance="The features are those of BlazePose heavy (Apache-2.0), which is not changed.",
    )

    def build(self, *, pretrained: bool) -> nn.Module:
        self._model = BodyEstimateModel()
        self._continued = not pretrained
        return self._model

    def groups(self, model: nn.Module) -> list[tuple[float, list[nn.Parameter]]]:
        """The heads on the features learn slowly: they have more inputs than there are people."""
        assert isinstance(model, BodyEstimateModel)
        slow = list(model.more.parameters())
        ids = {id(values) for values in slow}
        rest = [p for p in model.parameters() if p.requires_grad and id(p) not in ids]
        return [(1.0, rest), (0.1, slow)]

    def open(self, options: DataOptions) -> Source:
        source = ObservedSource(self.observed(options), options.seed)
        if not self._continued:
            solve(self._model, source)
        return source

    def observed(self, options: DataOptions) -> Path:
        """The folder of observations; ``InputError`` where none is named."""
        if options.observed is None:
            raise InputError(
                f"The recipe {self.name} needs observations: name their folder by --observed."
            )
        return options.observed

    def loss(self, model: nn.Module, batch: Batch, step: Step) -> dict[str, Tensor]:
        features, landmarks = batch["features"].float(), batch["landmarks"]
        noise = torch.randn(landmarks.shape, generator=step.generator, device=landmarks.device)
        out = model(features, landmarks + 0.004 * noise, batch["seen"])
        return losses(out, batch)

    def validate(self, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        parts, outputs = [], []
        for batch in batches:
            parts.append(batch)
            outputs.append(model(batch["features"].float(), batch["landmarks"]))
        joined = {k: torch.cat([part[k] for part in parts]) for k in parts[0]}
        out = {k: torch.cat([part[k] for part in outputs]).float() for k in outputs[0]}
        return {**figures(out, joined), "loss": float(losses(out, joined)["total"])}

    def picture(self, model: nn.Module, batch: Batch) -> np.ndarray:
        """True (green) and predicted (red) keypoints from the front and from the side."""
        import cv2

        out = model(batch["features"].float(), batch["landmarks"])["keypoints"].float().cpu()
        tiles = []
        for mine, true in zip(
            out[::2][:8].numpy(), batch["keypoints"][::2][:8].cpu(), strict=False
        ):
            column = []
            for axes in ((0, 1), (2, 1)):
                tile = np.full((160, 160, 3), 255, np.uint8)
                for points, color in ((true.numpy(), (0, 150, 60)), (mine, (220, 40, 40))):
                    for x, y in points[:, axes]:
                        centre = (int(80 + 120 * x), int(80 + 120 * y))
                        cv2.circle(tile, centre, 2, color, -1)
                column.append(tile)
            tiles.append(np.concatenate(column))
        return np.concatenate(tiles, axis=1)

    def graph(self, model: nn.Module) -> Graph:
        names = tuple(HEADS)
        return Graph(
            module=_Exported(model, names),
            inputs=(torch.rand(2, FEATURES), torch.randn(2, body_estimate.INPUTS) * 0.3),
            input_names=("features", "landmarks"),
            output_names=names,
            dynamic_axes={name: {0: "people"} for name in ("features", "landmarks", *names)},
            tolerance=0.05,
        )


class _Exported(nn.Module):
    """The network with its outputs in a row."""

    def __init__(self, model: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.model, self.names = model, names

    def forward(self, features: Tensor, landmarks: Tensor) -> tuple[Tensor, ...]:
        out = self.model(features, landmarks)
        return tuple(out[name] for name in self.names)
