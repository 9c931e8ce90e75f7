"""Losses of the maps network, and its validation metrics."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from vitruvian.lab.synthesis.parts import PART_LABELS
from vitruvian.lab.training.maps_augment import MapsBatch
from vitruvian.lab.training.maps_model import MapsOutput
from vitruvian.networks.maps import PART_CLASSES

# Which classes are right for a label. An outfit of one mesh looks like a top and trousers, or a
# dress. No class: the pixel does not count.
_CLASSES_OF = {
    "background": ("background",), "skin": ("skin",), "eyes": ("skin",), "hair": ("hair",),
    "face hair": ("hair",), "top": ("top",), "bottom": ("bottom",),
    "outfit": ("top", "bottom", "dress"), "dress": ("dress",), "coat": ("coat",),
    "shoes": ("shoes",), "hat": ("accessory",), "accessory": ("accessory",), "bag": ("bag",),
    "occluder": (), "other": (),
}  # fmt: skip
HIDDEN_WEIGHT = 0.4  # of surfaces behind something: a guess, but a useful one
_TYPICAL_STATURE_CM = 170.0


@lru_cache(maxsize=4)
def allowed_classes(device: torch.device) -> Tensor:
    """(labels, classes) float32: 1 where the class is right for the label."""
    table = torch.zeros(len(PART_LABELS), len(PART_CLASSES))
    for row, label in enumerate(PART_LABELS):
        for name in _CLASSES_OF[label]:
            table[row, PART_CLASSES.index(name)] = 1
    return table.to(device)


def maps_losses(output: MapsOutput, batch: MapsBatch) -> dict[str, Tensor]:
    """Scalars by name; ``total`` is their weighted sum."""
    inside = batch.inside
    # Beyond the picture's edge nothing is seen; what is there nevertheless, nobody can tell.
    alpha = _outline_loss(output.alpha, batch.alpha, torch.ones_like(inside))
    whole = _outline_loss(output.whole, batch.whole, inside)
    known = (batch.front_normals.square().sum(1, keepdim=True) > 0.5) & (batch.whole > 0.5)
    weight = known * inside * (HIDDEN_WEIGHT + (1 - HIDDEN_WEIGHT) * batch.alpha)
    front = normal_loss(output.front_normals, batch.front_normals, weight)
    rear = weight * (batch.back_normals.square().sum(1, keepdim=True) > 0.5)
    back = normal_loss(output.back_normals, batch.back_normals, rear)
    offset = output.depth_offsets.float() + batch.base_depth - batch.depth
    robust = functional.smooth_l1_loss(
        offset, torch.zeros_like(offset), beta=0.01, reduction="none"
    )
    depth = (robust * weight).sum() / (2 * weight.sum() + 1)
    parts = part_loss(output.parts, batch.parts)
    painted = weight * batch.color_known
    error = (output.back_color.float() - batch.back_color).abs().mean(1, keepdim=True)
    color = (error * painted).sum() / (painted.sum() + 1)
    total = (
        1.5 * alpha + 0.5 * whole + 2 * front + 1.4 * back + 12 * depth + 0.6 * parts + 0.7 * color
    )
    return {
        "total": total, "alpha": alpha, "whole": whole, "front": front, "back": back,
        "depth": depth, "parts": parts, "color": color,
    }  # fmt: skip


def _outline_loss(logits: Tensor, truth: Tensor, inside: Tensor) -> Tensor:
    """Binary cross-entropy, four times as heavy within some pixels of the outline."""
    reach = 2 * max(1, truth.shape[-1] // 85) + 1
    wide = functional.max_pool2d(truth, reach, 1, reach // 2)
    narrow = -functional.max_pool2d(-truth, reach, 1, reach // 2)
    weight = inside * (1 + 4 * (wide - narrow))
    loss = functional.binary_cross_entropy_with_logits(logits.float(), truth, reduction="none")
    return (loss * weight).sum() / weight.sum().clamp(min=1)


def normal_loss(ours: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Cosine, L1, and L1 of differences between neighbouring pixels, a mean by ``weight``."""
    cosine = 1 - (ours * truth).sum(1, keepdim=True)
    away = (ours - truth).abs().sum(1, keepdim=True)
    loss = ((cosine + 0.5 * away) * weight).sum()
    change = ours - truth
    across = (change[..., 1:] - change[..., :-1]).abs().sum(1, keepdim=True)
    down = (change[..., 1:, :] - change[..., :-1, :]).abs().sum(1, keepdim=True)
    loss = loss + 0.3 * (across * weight[..., 1:] * weight[..., :-1]).sum()
    loss = loss + 0.3 * (down * weight[..., 1:, :] * weight[..., :-1, :]).sum()
    return loss / (weight.sum() + 1)


def part_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy where several classes may be right: the negative log of their sum."""
    allowed = allowed_classes(logits.device)[labels].permute(0, 3, 1, 2)
    log = functional.log_softmax(logits.float(), 1)
    counted = allowed.amax(1, keepdim=True)
    right = torch.logsumexp(log.masked_fill(allowed == 0, -1e4), 1, keepdim=True)
    return -(right * counted).sum() / counted.sum().clamp(min=1)


class MapsFigures:
    """Adds up the figures of batches."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = defaultdict(float)
        self._counts: dict[str, float] = defaultdict(float)

    @torch.no_grad()
    def add(self, output: MapsOutput, batch: MapsBatch) -> None:
        """Compare an output with the truth, and with what went in."""
        seen = (batch.whole > 0.5) & (batch.alpha > 0.5) & (batch.inside > 0.5)
        for name, ours, truth, body, sign in (
            ("front", output.front_normals, batch.front_normals, batch.inputs[:, 4:7], -1.0),
            ("back", output.back_normals, batch.back_normals, batch.inputs[:, 7:10], 1.0),
        ):
            good = seen & (truth.square().sum(1, keepdim=True) > 0.5)
            flat = torch.zeros_like(truth)
            flat[:, 2] = sign
            given = torch.where(batch.inputs[:, 12:13] > 0.5, body, flat)
            self._angle(f"{name}_deg", ours, truth, good)
            self._angle(f"body_{name}_deg", given, truth, good)
            self._angle(f"facing_{name}_deg", flat, truth, good)
        for name, ours in (
            ("", batch.base_depth + output.depth_offsets.float()), ("body_", batch.base_depth),
        ):  # fmt: skip
            error = (ours - batch.depth).abs() * _TYPICAL_STATURE_CM
            self._mean(f"{name}front_depth_cm", error[:, :1], seen)
            self._mean(f"{name}back_depth_cm", error[:, 1:], seen)
        for name, ours in (("", output.alpha.sigmoid().float()), ("mask_", batch.inputs[:, 3:4])):
            both = ((ours > 0.5) & (batch.alpha > 0.5)).sum((1, 2, 3)).float()
            either = ((ours > 0.5) | (batch.alpha > 0.5)).sum((1, 2, 3)).float()
            some = either > 0
            self._sums[f"{name}alpha_iou"] += float((both[some] / either[some]).sum())
            self._counts[f"{name}alpha_iou"] += float(some.sum())
        allowed = allowed_classes(output.parts.device)[batch.parts].permute(0, 3, 1, 2)
        right = allowed.gather(1, output.parts.argmax(1, keepdim=True))
        self._mean("parts_share", right, seen & (allowed.amax(1, keepdim=True) > 0))
        color = (output.back_color.float() - batch.back_color).abs().mean(1, keepdim=True)
        self._mean("back_color_l1", color, seen)

    def _angle(self, name: str, ours: Tensor, truth: Tensor, where: Tensor) -> None:
        length = ours.square().sum(1, keepdim=True).sqrt().clamp(min=1e-6)
        cosine = ((ours * truth).sum(1, keepdim=True) / length).clamp(-1, 1)
        self._mean(name, torch.rad2deg(torch.acos(cosine)), where)

    def _mean(self, name: str, values: Tensor, where: Tensor) -> None:
        self._sums[name] += float((values * where).sum())
        self._counts[name] += float(where.sum())

    def means(self) -> dict[str, float]:
        """The figures; angles and depths are means over the visible pixels."""
        return {name: self._sums[name] / max(self._counts[name], 1) for name in self._sums}
