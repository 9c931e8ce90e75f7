"""The maps network in torch: EfficientNet-Lite0, a U-Net decoder, a branch for the back."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from vitruvian.lab.training.encoder import CHANNELS, Encoder
from vitruvian.networks.maps import INPUT_CHANNELS, PART_CLASSES

_FRONT_WIDTHS = (96, 64, 40, 24, 12)  # at strides 16, 8, 4, 2, 1
_BACK_WIDTHS = (32, 20)  # at strides 4, 2: what nobody sees has no fine detail
_PRIOR = slice(3, 13)  # channels of mask and body, which the decoder gets once more at each size
_PRIORS = 10
_LOGIT_LIMIT = 4.0
_DEPTH_UNIT = 0.1


@dataclass
class MapsOutput:
    """Tensors (N, C, H, W): logits of alpha, whole and parts, unit normals, offsets, colour."""

    alpha: Tensor
    whole: Tensor
    front_normals: Tensor
    back_normals: Tensor
    depth_offsets: Tensor
    back_color: Tensor
    parts: Tensor


def _conv(before: int, after: int, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(True),
    )


class _Up(nn.Module):
    """Twice the size, joined with the encoder's feature of that size, mixed and filtered."""

    def __init__(self, before: int, joined: int, after: int) -> None:
        super().__init__()
        self.mix = _conv(before + joined, after, 1)
        self.filter = _conv(after, after)

    def forward(self, x: Tensor, feature: Tensor) -> Tensor:
        return self.filter(self.mix(torch.cat([_doubled(x), feature], 1)))  # type: ignore[no-any-return]


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def unit(x: Tensor) -> Tensor:
    """Vectors (N, 3, H, W) at unit length."""
    return x / x.square().sum(1, keepdim=True).clamp(min=1e-8).sqrt()


def beside(covered: Tensor) -> Tensor:
    """Beside the body (N, 1, H, W), a faint normal towards the camera to start from."""
    faint = 0.3 * (1 - covered)
    nothing = torch.zeros_like(faint)
    return torch.cat([nothing, nothing, -faint], 1)


class MapsNet(nn.Module):
    """Input (N, 14, H, W) as of ``networks.maps.network_input``.

    Whatever the network says is a correction: of the mask's logit, of the body's normals, of the
    body's depth. The last layers begin at zero, so that training begins with the body and mask.
    """

    def __init__(self, *, pretrained: bool = True) -> None:
        super().__init__()
        self.encoder = Encoder(INPUT_CHANNELS - 3, pretrained=pretrained)
        c2, c4, c8, c16, c32 = CHANNELS
        f16, f8, f4, f2, f1 = _FRONT_WIDTHS
        b4, b2 = _BACK_WIDTHS
        self.deep = _conv(c32, 128, 1)
        self.up16 = _Up(128, c16, f16)
        self.up8 = _Up(f16, c8, f8)
        self.up4 = _Up(f8, c4 + _PRIORS, f4)
        self.up2 = _Up(f4, c2 + _PRIORS, f2)
        self.up1 = _Up(f2, INPUT_CHANNELS, f1)
        self.back4 = _Up(f8, c4 + _PRIORS, b4)
        self.back2 = _Up(b4, c2 + _PRIORS, b2)
        classes = len(PART_CLASSES)
        self.head = nn.Conv2d(f1, 2 + 3, 3, padding=1)  # alpha, whole, front normals
        self.coarse_head = nn.Conv2d(f2, 1 + classes, 1)  # front depth, parts
        self.back_head = nn.Conv2d(b2, 3 + 1 + 3, 3, padding=1)  # normals, depth, colour
        for head in (self.head, self.coarse_head, self.back_head):
            nn.init.zeros_(head.weight)
            assert head.bias is not None
            nn.init.zeros_(head.bias)

    def features(self, x: Tensor) -> tuple[Tensor, ...]:
        """What the last layers read: maps of strides 8, 4, 2 and 1, (N, C, H / stride, ...)."""
        mask = x[:, 3:4]
        scaled = torch.cat([x[:, :3], 2 * mask - 1, x[:, 4:10], 4 * x[:, 10:12], x[:, 12:]], 1)
        e2, e4, e8, e16, e32 = self.encoder(scaled)
        y8 = self.up8(self.up16(self.deep(e32), e16), e8)
        half = functional.avg_pool2d(scaled[:, _PRIOR], 2)
        e2, e4 = torch.cat([e2, half], 1), torch.cat([e4, functional.avg_pool2d(half, 2)], 1)
        return y8, e4, e2, scaled

    def front(self, features: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """The head's five channels (N, 5, H, W), and the coarse head's at half the size."""
        y8, e4, e2, scaled = features
        y2 = self.up2(self.up4(y8, e4), e2)
        return self.head(self.up1(y2, scaled)), self.coarse_head(y2)

    def forward(self, x: Tensor) -> MapsOutput:
        mask, covered = x[:, 3:4], x[:, 12:13]
        features = self.features(x)
        y8, e4, e2, _ = features
        fine, coarse = self.front(features)
        coarse = _doubled(coarse)
        back = _doubled(self.back_head(self.back2(self.back4(y8, e4), e2)))
        bounded = mask.clamp(0.018, 0.982)  # logits of -4..4
        logit = torch.log(bounded / (1 - bounded))
        towards = beside(covered)
        return MapsOutput(
            alpha=logit + fine[:, :1],
            whole=logit + fine[:, 1:2],
            front_normals=unit((x[:, 4:7] + towards + fine[:, 2:5]).float()),
            back_normals=unit((x[:, 7:10] - towards + back[:, :3]).float()),
            depth_offsets=_DEPTH_UNIT * torch.cat([coarse[:, :1], back[:, 3:4]], 1),
            back_color=torch.sigmoid(back[:, 4:7]),
            parts=coarse[:, 1:],
        )


class ExportedMaps(nn.Module):
    """The network as it is exported: tensors in, tensors out, probabilities for logits."""

    def __init__(self, net: MapsNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        y = self.net(x)
        return (
            torch.sigmoid(y.alpha), torch.sigmoid(y.whole), y.front_normals, y.back_normals,
            y.depth_offsets, y.back_color, y.parts,
        )  # fmt: skip
