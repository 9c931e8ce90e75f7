"""The recipe ``depth``: scene depth and camera attitude from a whole picture."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vitruvian.lab.synthesis.groups import MOST_PEOPLE
from vitruvian.lab.training.depth_data import LEAST_CELLS, FeatureSource, GroupSource, is_person
from vitruvian.lab.training.encoder import CHANNELS, Encoder, normalized
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

_WIDTHS = (96, 64, 48)  # of the decoder at strides 16, 8, 4
# Stages of the encoder that stay as ImageNet taught them, with the stem: edges and textures are the
# same here, and without them a step costs half.
FROZEN = 3
_LEAST_SPREAD, _MOST_SPREAD = -4.5, 1.5  # of the logarithm of the spread
_ORDER_GAP = 0.05  # pairs whose log depths differ less have no order
_RANGE = (0.0, 3.5)  # canonical log depths that the pictures colour


class _Up(nn.Module):
    """Enlarge twofold, join the encoder's feature of that size and where the pixel is, mix."""

    def __init__(self, before: int, skip: int, after: int) -> None:
        super().__init__()
        self.mix = nn.Sequential(
            nn.Conv2d(before + skip + 2, after, 1, bias=False),
            nn.BatchNorm2d(after), nn.ReLU(True),
            nn.Conv2d(after, after, 3, padding=1, groups=after, bias=False),
            nn.Conv2d(after, after, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(True),
        )  # fmt: skip

    def forward(self, x: Tensor, skip: Tensor, rays: Tensor) -> Tensor:
        x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
        mixed: Tensor = self.mix(torch.cat([x, skip, rays], 1))
        return mixed


class _Stand(nn.Module):
    """How the camera stands: every cell guesses, those that see something of it count."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.guess = nn.Sequential(
            nn.Conv2d(channels + 2, 96, 1), nn.ReLU(True), nn.Dropout2d(0.1), nn.Conv2d(96, 4, 1)
        )

    def forward(self, x: Tensor, rays: Tensor) -> Tensor:
        guess = self.guess(torch.cat([x, rays], 1))
        weight = torch.softmax(guess[:, 3:].flatten(2), 2)
        # A horizon is seen so far above or below where one looks.
        row, rest = guess[:, :1] + rays[:, 1:], guess[:, 1:3]
        values = torch.cat([row, rest], 1).flatten(2)
        mean: Tensor = (values * weight).sum(2)
        return mean


class DepthNetwork(nn.Module):
    """EfficientNet-Lite0 with a light U-Net decoder (Ronneberger et al., 2015).

    Input: ``image`` (N, 3, H, W) RGB 0..255 and ``rays`` (N, 2, H/4, W/4), offset of each cell from
    the principal point in units of 256 pixels; H and W multiples of 32. Output: ``depth``
    (N, 2, H/4, W/4), canonical log depth and the logarithm of its spread (a Laplace
    distribution's), and ``stand`` (N, 3) as ``depth_data.DepthExample.stand``.
    """

    def __init__(self, *, pretrained: bool) -> None:
        super().__init__()
        self.encoder = Encoder(pretrained=pretrained)
        for part in (self.encoder.stem, *self.encoder.stages[:FROZEN]):
            part.requires_grad_(False)
        self.around = nn.Sequential(  # the whole picture
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(CHANNELS[-1], 96, 1), nn.ReLU(True),
            nn.Conv2d(96, CHANNELS[-1], 1),
        )  # fmt: skip
        self.stand = _Stand(CHANNELS[-1])
        before = CHANNELS[-1]
        ups = []
        for skip, width in zip(CHANNELS[-2:0:-1], _WIDTHS, strict=True):
            ups.append(_Up(before, skip, width))
            before = width
        self.ups = nn.ModuleList(ups)
        self.head = nn.Conv2d(before, 2, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        self.head.bias = nn.Parameter(torch.tensor([1.6, -0.5]))  # of ordinary scenes

    def features(self, image: Tensor) -> list[Tensor]:
        """The encoder's features of strides 4 to 32."""
        pyramid: list[Tensor] = self.encoder(normalized(image))
        return pyramid[1:]

    def decode(self, features: list[Tensor], rays: Tensor) -> tuple[Tensor, Tensor]:
        """Depth and stand from the features."""
        places = [rays]
        for _ in features[1:]:
            places.append(functional.avg_pool2d(places[-1], 2))
        x = features[-1]
        x = x + self.around(x)
        stand = self.stand(x, places[-1])
        for up, skip, place in zip(self.ups, features[-2::-1], places[-2::-1], strict=True):
            x = up(x, skip, place)
        out = self.head(x)
        spread = out[:, 1:].clamp(_LEAST_SPREAD, _MOST_SPREAD)
        return torch.cat([out[:, :1], spread], 1), stand

    def forward(self, image: Tensor, rays: Tensor) -> tuple[Tensor, Tensor]:
        return self.decode(self.features(image), rays)


class DepthRecipe(Recipe):
    """Canonical log depth of groups on a ground."""

    name = "depth"
    plan = Plan(samples=10_800, learning_rate=2e-3, warm_up=800, weight_decay=0.02)
    card = CardFacts(
        title="Depth of a scene with people",
        purpose=(
            "From a whole picture of 256 pixels on its longer side and the offset of its cells of "
            "4 x 4 pixels from the principal point to the logarithm of depth per focal length in "
            "each cell, with a spread, and to the horizon and the camera's height. It tells the "
            "order of people and, with the focal length, their distance and which way is up."
        ),
        limits=(
            "Trained on rendered groups of 2 to 8 people on flat ground at 1.5 to 16 metres, "
            "between plain walls: stairs, slopes, mirrors, furniture and vehicles were never seen."
        ),
        provenance="The encoder begins with EfficientNet-Lite0's ImageNet weights (Apache-2.0).",
    )

    def build(self, *, pretrained: bool) -> nn.Module:
        return DepthNetwork(pretrained=pretrained)

    def groups(self, model: nn.Module) -> list[tuple[float, list[nn.Parameter]]]:
        learnt = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
        encoder = [p for n, p in learnt if n.startswith("encoder")]
        rest = [p for n, p in learnt if not n.startswith("encoder")]
        return [(0.4, encoder), (1.0, rest)]

    def open(self, options: DataOptions) -> Source:
        """Pictures on a GPU; without one, features of an encoder that stays ImageNet's."""
        if options.device.type == "cuda":
            return GroupSource(options)
        network = DepthNetwork(pretrained=True).eval()

        @torch.no_grad()
        def encode(image: Tensor) -> list[Tensor]:
            return network.features(image.permute(0, 3, 1, 2))

        return FeatureSource(options, encode)

    def loss(self, model: nn.Module, batch: Batch, step: Step) -> dict[str, Tensor]:
        out, stand = _predicted(model, batch, recoloured=step.generator)
        depth, spread = out[:, 0], out[:, 1]
        target, seen = batch["target"], torch.isfinite(batch["target"])
        person = is_person(batch["instances"])
        error = (depth - torch.where(seen, target, depth.detach())).abs()
        likelihood = error * torch.exp(-spread) + spread
        on_people = _mean(likelihood, seen & person)
        elsewhere = _mean(likelihood, seen & ~person)
        # Relative depth: what remains when the picture's common factor is taken out.
        offset = ((target - depth).nan_to_num(0) * seen).sum((1, 2)) / seen.sum((1, 2)).clamp(min=1)
        relative = _mean((depth + offset[:, None, None] - target).nan_to_num(0).abs(), seen)
        found, true, known = person_depths(depth, target, batch["instances"])
        people = _mean((found - true).nan_to_num(0).abs(), known)
        gap = (true[:, :, None] - true[:, None, :]).nan_to_num(0)
        pair = known[:, :, None] & known[:, None, :] & (gap.abs() > _ORDER_GAP)
        wrong = (found[:, :, None] - found[:, None, :]).nan_to_num(0)
        order = _mean(functional.softplus(-8 * wrong * gap.sign()) / 8, pair)
        off = functional.smooth_l1_loss(stand, batch["stand"], beta=0.05, reduction="none").mean(0)
        total = on_people + 0.5 * elsewhere + relative + 2 * people + 2 * order
        total = total + 3 * off[0] + 3 * off[1] + off[2]
        return {
            "total": total, "people": people, "order": order, "relative": relative,
            "horizon": off[0], "slope": off[1], "height": off[2],
            "surface": _mean(error, seen & person), "ground": _mean(error, seen & ~person),
        }  # fmt: skip

    def validate(self, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Of pictures of groups cut to the canvas: people's distances and their order."""
        off, pairs, ground, stands = [], [], [], []
        for batch in batches:
            out, stand = _predicted(model, batch)
            depth, target = out[:, 0], batch["target"]
            seen = torch.isfinite(target) & ~is_person(batch["instances"])
            ground.append((depth - target).abs()[seen].mean().item())
            stands.append((stand - batch["stand"]).abs())
            found, true, known = person_depths(depth, target, batch["instances"])
            for f, t, k in zip(found.cpu(), true.cpu(), known.cpu(), strict=True):
                near, right = f[k].numpy(), t[k].numpy()
                off += list(np.abs(np.expm1(near - right)))
                for a, b in combinations(range(len(near)), 2):
                    if abs(right[a] - right[b]) > _ORDER_GAP:
                        pairs.append((near[a] < near[b]) == (right[a] < right[b]))
        median = torch.cat(stands).median(0).values.tolist()
        return {
            "distance_error": float(np.median(off)) if off else float("nan"),
            "order": float(np.mean(pairs)) if pairs else float("nan"),
            "ground_error": float(np.mean(ground)),
            "horizon_error": median[0], "slope_error": median[1], "height_error": median[2],
        }  # fmt: skip

    def picture(self, model: nn.Module, batch: Batch) -> np.ndarray:
        """Some pictures with true and predicted depth beside them."""
        depth, target = _predicted(model, batch)[0][:, 0], batch["target"]
        rows = []
        for k in range(min(6, len(depth))):
            image = batch["image"][k].cpu().numpy()[::4, ::4]
            rows.append(np.hstack([image, _coloured(target[k]), _coloured(depth[k])]))
        return np.vstack(rows)

    def graph(self, model: nn.Module) -> Graph:
        rng = torch.Generator().manual_seed(0)
        image = torch.randint(0, 256, (1, 192, 256, 3), generator=rng, dtype=torch.uint8)
        rays = torch.rand((1, 48, 64, 2), generator=rng) - 0.5
        return Graph(
            module=_Exported(model),
            inputs=(image, rays),
            input_names=("image", "rays"),
            output_names=("depth", "stand"),
            dynamic_axes={
                "image": {1: "height", 2: "width"},
                "rays": {1: "rows", 2: "columns"},
                "depth": {2: "rows", 3: "columns"},
            },
            tolerance=0.05,
        )  # fmt: skip


class _Exported(nn.Module):
    """The network on pictures as they lie in memory, (1, H, W, 3) uint8."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, rays: Tensor) -> tuple[Tensor, Tensor]:
        depth, stand = self.network(image.permute(0, 3, 1, 2), rays.permute(0, 3, 1, 2))
        return depth, stand


def _predicted(
    model: nn.Module, batch: Batch, recoloured: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """The network's outputs in 32 bits; with random numbers, of pictures in another light."""
    assert isinstance(model, DepthNetwork)
    rays = batch["rays"].permute(0, 3, 1, 2)
    if "feature0" in batch:
        depth, stand = model.decode([batch[f"feature{k}"].float() for k in range(4)], rays)
        return depth.float(), stand.float()
    image = batch["image"].permute(0, 3, 1, 2).float()
    if recoloured is not None:
        count, device = len(image), image.device

        def normal(*shape: int) -> Tensor:
            return torch.randn(shape, generator=recoloured, device=device)

        gain = torch.exp(0.12 * normal(count, 1, 1, 1) + 0.06 * normal(count, 3, 1, 1))
        gamma = torch.exp(0.15 * normal(count, 1, 1, 1))
        image = 255 * ((image / 255).clamp(1e-4) ** gamma * gain).clamp(0, 1)
        grey = image.mean(1, keepdim=True)
        fade = (0.5 * torch.rand((count, 1, 1, 1), generator=recoloured, device=device)) ** 2
        image = image + fade * (grey - image)
    depth, stand = model(image.contiguous(memory_format=torch.channels_last), rays)
    return depth.float(), stand.float()


def person_depths(
    depth: Tensor, target: Tensor, instances: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Mean predicted and true log depth of each person, and whether there is enough of them.

    Args:
        depth, target: (N, h, w); instances: (N, h, w) uint8.

    Returns:
        Three (N, MOST_PEOPLE) tensors.
    """
    numbers = torch.arange(1, MOST_PEOPLE + 1, device=instances.device)
    mine = (instances.long()[:, None] == numbers[None, :, None, None]) & torch.isfinite(target)[
        :, None
    ]
    count = mine.sum((2, 3))
    weight = mine / count.clamp(min=1)[:, :, None, None]
    found = (weight * depth[:, None]).sum((2, 3))
    true = (weight * target.nan_to_num(0)[:, None]).sum((2, 3))
    return found, true, count >= LEAST_CELLS


def _mean(values: Tensor, chosen: Tensor) -> Tensor:
    return (values * chosen).sum() / chosen.sum().clamp(min=1)


def _coloured(values: Tensor) -> np.ndarray:
    import cv2

    low, high = _RANGE
    depth = values.cpu().numpy()
    level = np.nan_to_num(np.clip((high - depth) / (high - low), 0, 1) * 255)
    colours = cv2.applyColorMap(level.astype(np.uint8), cv2.COLORMAP_TURBO)[..., ::-1]
    return np.where(np.isfinite(depth)[..., None], colours, 0).astype(np.uint8)
