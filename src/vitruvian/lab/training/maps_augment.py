"""Examples of the maps network made different each time they are shown, on the training device.

The picture: garments recoloured under the light that was drawn, the person relit from albedo and
normals, the background replaced, mirrored, and photographed badly. What is known: the mask eroded,
grown, run over into neighbours or lost, the body lost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from vitruvian.lab.synthesis.parts import LABEL
from vitruvian.lab.training.encoder import normalized
from vitruvian.lab.training.recipe import Batch

_GAMMA = 2.2
_GARMENTS = tuple(
    LABEL[name]
    for name in ("top", "bottom", "outfit", "dress", "coat", "shoes", "hat", "accessory", "bag")
)
_OUTLINE = 0.5


@dataclass
class MapsBatch:
    """What the network gets, and what it should say; tensors (N, C, H, W).

    Attributes:
        inputs: of the network.
        alpha, whole: 0..1.
        front_normals, back_normals: unit, 0 where there is no truth.
        depth: front and back, from the root, in units of the stature.
        base_depth: the body's.
        back_color: sRGB 0..1; color_known: (N, 1, 1, 1) whether it counts.
        parts: (N, H, W) int64 labels of ``PART_LABELS``.
        inside: 0..1, where the picture is.
    """

    inputs: Tensor
    alpha: Tensor
    whole: Tensor
    front_normals: Tensor
    back_normals: Tensor
    depth: Tensor
    base_depth: Tensor
    back_color: Tensor
    color_known: Tensor
    parts: Tensor
    inside: Tensor


class DeviceRng:
    """Random numbers of a batch on its device."""

    def __init__(self, generator: torch.Generator, count: int) -> None:
        self.generator, self.count, self.device = generator, count, generator.device

    def uniform(self, low: float, high: float, channels: int = 1) -> Tensor:
        """(N, channels, 1, 1) in low..high."""
        values = torch.rand(
            (self.count, channels, 1, 1), generator=self.generator, device=self.device
        )
        return low + (high - low) * values

    def normal(self, deviation: float, channels: int = 1) -> Tensor:
        """(N, channels, 1, 1)."""
        return deviation * torch.randn(
            (self.count, channels, 1, 1), generator=self.generator, device=self.device
        )

    def chance(self, probability: float) -> Tensor:
        """(N, 1, 1, 1) bool."""
        return self.uniform(0, 1) < probability

    def noise(self, size: int, cells: int, channels: int = 1) -> Tensor:
        """Smooth noise (N, channels, size, size) in 0..1."""
        grid = torch.rand(
            (self.count, channels, cells, cells), generator=self.generator, device=self.device
        )
        return functional.interpolate(grid, size=(size, size), mode="bilinear")

    def number(self, low: float, high: float) -> float:
        """One number for the whole batch, in low..high."""
        return low + (high - low) * float(
            torch.rand((), generator=self.generator, device=self.device)
        )


def prepare(batch: Batch, generator: torch.Generator | None) -> MapsBatch:
    """What the network gets and should say; ``generator`` None leaves everything as it is."""
    image = batch["image"].float() / 255
    normals = batch["front_normals"].float() / 127
    back_normals = batch["back_normals"].float() / 127
    alpha, whole = batch["alpha"].float() / 255, batch["whole"].float() / 255
    mask, covered = batch["mask"].float() / 255, batch["covered"].float()
    body_normals, base = batch["body_normals"].float() / 127, batch["body_depth"].float()
    depth, inside, parts = batch["depth"].float(), batch["inside"].float(), batch["parts"]
    back = _srgb(_linear(batch["back_albedo"].float() / 255) * batch["gain"][:, :, None, None])
    known = torch.ones_like(alpha[:, :, :1, :1])
    if generator is not None:
        rng = DeviceRng(generator, len(image))
        others, behind = batch["others"].float() / 255, batch["behind"].float()
        albedo = _linear(batch["front_albedo"].float() / 255)
        image, albedo, changed = recolored(rng, image, albedo, alpha, parts)
        known = known * (~changed)
        relit = rng.chance(0.2)
        image = torch.where(relit, relight(rng, image, albedo, normals, alpha), image)
        known = known * (~relit)
        free = behind * (1 - torch.maximum(alpha, others))
        swapped = rng.chance(0.25)
        image = torch.where(swapped, image + free * (surroundings(rng, image) - image), image)
        image = photographed(rng, image)
        mask = degraded_mask(rng, mask, others)
        kept = (~rng.chance(0.07)).float()
        covered, body_normals, base = covered * kept, body_normals * kept, base * kept
    # Zero, the encoder's middle grey, beyond the picture's edge.
    rgb = normalized(255 * image) * inside
    inputs = torch.cat([rgb, mask, body_normals, base, covered, inside], 1)
    out = MapsBatch(
        inputs, alpha, whole, normals, back_normals, depth, base, back, known,
        parts[:, 0].long(), inside,
    )  # fmt: skip
    if generator is not None:
        _mirror(out, DeviceRng(generator, len(image)).chance(0.5))
    out.front_normals, out.back_normals = _unit(out.front_normals), _unit(out.back_normals)
    out.inputs = out.inputs.contiguous(memory_format=torch.channels_last)
    return out


def _unit(normals: Tensor) -> Tensor:
    length = normals.square().sum(1, keepdim=True).sqrt()
    return torch.where(length > 0.5, normals / length.clamp(min=0.5), torch.zeros_like(normals))


def _linear(srgb: Tensor) -> Tensor:
    return srgb.clamp(0, 1) ** _GAMMA


def _srgb(linear: Tensor) -> Tensor:
    return linear.clamp(1e-6, 1) ** (1 / _GAMMA)


def _mirror(batch: MapsBatch, flags: Tensor) -> None:
    """Mirror some of the examples, left to right; normals change the sign of their x."""

    def turned(values: Tensor, odd: tuple[int, ...] = ()) -> Tensor:
        mirrored = values.flip(-1)
        if odd:
            sign = torch.ones(values.shape[1], device=values.device)
            sign[list(odd)] = -1
            mirrored = mirrored * sign[:, None, None]
        chosen = flags if values.ndim == 4 else flags[:, 0]
        return torch.where(chosen, mirrored, values)

    batch.inputs = turned(batch.inputs, (4, 7))
    for name in ("alpha", "whole", "depth", "base_depth", "back_color", "parts", "inside"):
        setattr(batch, name, turned(getattr(batch, name)))
    batch.front_normals = turned(batch.front_normals, (0,))
    batch.back_normals = turned(batch.back_normals, (0,))


def recolored(
    rng: DeviceRng, image: Tensor, albedo: Tensor, alpha: Tensor, parts: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Give one or two garments of some people another colour under the light that is there.

    Returns the picture, the linear albedo, and (N, 1, 1, 1) bool which were changed.
    """
    labels = torch.tensor(_GARMENTS, device=rng.device)
    light = _linear(image)
    changed = torch.zeros_like(alpha[:, :, :1, :1], dtype=torch.bool)
    for probability in (0.45, 0.3):
        pick = (rng.uniform(0, 1) * len(labels)).long().clamp(max=len(labels) - 1)
        here = (parts == labels[pick]).float() * rng.chance(probability)
        area = here.sum((2, 3), keepdim=True)
        mean = (albedo * here).sum((2, 3), keepdim=True) / area.clamp(min=1)
        value = rng.uniform(0.02, 0.75) ** 1.3
        color = value * (1 - rng.uniform(0, 0.9) * rng.uniform(0, 1, 3))
        factor = (color / mean.clamp(min=0.01)).clamp(0.1, 10)
        factor = 1 + here * (factor - 1)
        albedo = (albedo * factor).clamp(0, 1)
        light = light * (1 + alpha * (factor - 1))
        changed = changed | (area > 0)
    return torch.where(changed, _srgb(light), image), albedo, changed


def relight(
    rng: DeviceRng, image: Tensor, albedo: Tensor, normals: Tensor, alpha: Tensor
) -> Tensor:
    """The subject under another light: sky, ground and three lamps, Lambert's law, no shadows."""
    up = normals[:, 1:2] * -0.5 + 0.5
    light = rng.uniform(0.15, 0.7, 3) * up + rng.uniform(0.05, 0.4, 3) * (1 - up)
    for strength in (1.4, 0.7, 0.4):
        toward = rng.normal(1, 3) - torch.tensor([0.0, 0.4, 0.6], device=rng.device)[:, None, None]
        toward = toward / toward.square().sum(1, keepdim=True).sqrt().clamp(min=1e-3)
        lamp = strength * rng.uniform(0.2, 1) * (1 - 0.35 * rng.uniform(0, 1, 3))
        light = light + lamp * (normals * toward).sum(1, keepdim=True).clamp(min=0)
    own = albedo * light
    area = alpha.sum((2, 3), keepdim=True).clamp(min=1)
    level = (own.mean(1, keepdim=True) * alpha).sum((2, 3), keepdim=True) / area
    before = (_linear(image).mean(1, keepdim=True) * alpha).sum((2, 3), keepdim=True) / area
    # As bright as it was, to within a stop.
    own = own * (before / level.clamp(min=1e-3)).clamp(0.2, 5) * 2 ** rng.normal(0.5)
    return image + alpha * (_srgb(own) - image)


def surroundings(rng: DeviceRng, image: Tensor) -> Tensor:
    """Something else to stand before: mottled noise, or another example's picture."""
    size = image.shape[-1]
    mottled = rng.uniform(0, 1, 3) + 0.0 * image
    for cells, strength in ((3, 0.5), (9, 0.35), (33, 0.3), (size // 2, 0.2)):
        mottled = mottled + strength * rng.uniform(0, 1) * (rng.noise(size, cells, 3) - 0.5)
    other = image.roll(1, 0).flip(-1)
    chosen = torch.where(rng.chance(0.5), mottled, other)
    return (chosen * rng.uniform(0.5, 1.3) + rng.uniform(-0.1, 0.1)).clamp(0, 1)


def photographed(rng: DeviceRng, image: Tensor) -> Tensor:
    """Exposure, contrast, colour cast, saturation, blur, noise and JPEG's blocks."""
    image = image.clamp(1e-4, 1) ** torch.exp(rng.normal(0.18))
    grey = image.mean(1, keepdim=True)
    saturation = torch.where(rng.chance(0.05), 0 * grey[..., :1, :1], rng.uniform(0.5, 1.3))
    image = grey + (image - grey) * saturation
    image = (image - 0.5) * rng.uniform(0.75, 1.25) + 0.5 + rng.uniform(-0.1, 0.1)
    image = image * (1 + rng.normal(0.05, 3))
    soft = blurred(image, rng.number(0.4, 1.4))
    image = torch.where(rng.chance(0.35), soft, image)
    size = image.shape[-1]
    smaller = max(16, int(size * rng.number(0.35, 0.8)))
    coarse = functional.interpolate(image, size=(smaller, smaller), mode="area")
    coarse = functional.interpolate(coarse, size=(size, size), mode="bilinear")
    image = torch.where(rng.chance(0.2), coarse, image)
    grain = torch.randn(image.shape, generator=rng.generator, device=image.device)
    image = image + grain * rng.uniform(0, 0.035) * rng.chance(0.5)
    image = torch.where(rng.chance(0.4), jpeg(rng, image.clamp(0, 1)), image)
    return image.clamp(0, 1)


def blurred(image: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of (N, C, H, W)."""
    reach = max(1, math.ceil(2.5 * sigma))
    x = torch.arange(-reach, reach + 1, device=image.device, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (x / sigma) ** 2)
    kernel = (kernel / kernel.sum()).to(image.dtype)
    channels = image.shape[1]
    rows = kernel.view(1, 1, 1, -1).repeat(channels, 1, 1, 1)
    padded = functional.pad(image, (reach, reach, reach, reach), mode="replicate")
    once = functional.conv2d(padded, rows, groups=channels)
    return functional.conv2d(once, rows.transpose(2, 3), groups=channels)


def jpeg(rng: DeviceRng, image: Tensor) -> Tensor:
    """What quantising the cosine transform of 8 x 8 blocks leaves of a picture (sides of 8 n)."""
    n, c, h, w = image.shape
    k = torch.arange(8, device=image.device, dtype=torch.float32)
    basis = torch.cos(math.pi * (2 * k[None] + 1) * k[:, None] / 16) / 2
    basis[0] /= math.sqrt(2)
    blocks = (image - 0.5).reshape(n, c, h // 8, 8, w // 8, 8).transpose(3, 4)
    coefficients = basis @ blocks @ basis.T
    # Coarser towards high frequencies, about as the standard's luminance table.
    step = (1 + 0.45 * (k[:, None] + k[None])) * 11 / 255
    step = step * rng.uniform(0.15, 1.8)[..., None, None]
    kept = torch.round(coefficients / step) * step
    return (basis.T @ kept @ basis).transpose(3, 4).reshape(n, c, h, w) + 0.5


def degraded_mask(rng: DeviceRng, mask: Tensor, others: Tensor) -> Tensor:
    """The mask grown, eroded, with holes, run over into neighbours, or lost (.5 everywhere)."""
    size = mask.shape[-1]
    kernel = 2 * int(rng.number(1, 1 + size / 64)) + 1
    grown = functional.max_pool2d(mask, kernel, 1, kernel // 2)
    eroded = -functional.max_pool2d(-mask, kernel, 1, kernel // 2)
    patches = rng.noise(size, 7)
    edge = torch.where(rng.chance(0.5), grown, eroded)
    mask = torch.where(rng.chance(0.3) & (patches > 0.4), edge, mask)
    leak = torch.maximum(mask, others * (rng.noise(size, 5) > 0.55))
    mask = torch.where(rng.chance(0.25), leak, mask)
    holes = mask * (rng.noise(size, 6) < 0.75)
    mask = torch.where(rng.chance(0.1), holes, mask)
    return torch.where(rng.chance(0.05), torch.full_like(mask, 0.5), mask)
