"""EfficientNet-Lite0: shapes, padding as TensorFlow's, and the published weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra train is not installed")

from vitruvian.errors import MissingExtraError
from vitruvian.lab.training import encoder

pytestmark = pytest.mark.train


def published() -> Path:
    try:
        return encoder.weights_path()
    except MissingExtraError:
        pytest.skip("the encoder's ImageNet weights are not installed")


def test_pyramid_has_the_stated_strides_and_channels() -> None:
    features = encoder.Encoder(extra=2, pretrained=False)(torch.zeros(1, 5, 64, 96))
    assert [tuple(f.shape) for f in features] == [
        (1, c, 64 // s, 96 // s) for c, s in zip(encoder.CHANNELS, (2, 4, 8, 16, 32), strict=True)
    ]


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (5, 1), (3, 2), (5, 2)])
def test_padding_is_tensorflows(kernel: int, stride: int) -> None:
    """By the definition: output i is centred so that the padding is even, or one more behind."""
    layer = encoder.SameConv(1, 1, kernel, stride, bias=False)
    x = torch.randn(1, 1, 12, 12)
    ours = layer(x)[0, 0].detach().numpy()
    total = max((12 // stride - 1) * stride + kernel - 12, 0)
    low = total // 2
    padded = np.pad(x[0, 0].numpy(), (low, total - low))
    weight = layer.weight[0, 0].detach().numpy()
    for i in range(12 // stride):
        for j in range(12 // stride):
            patch = padded[i * stride : i * stride + kernel, j * stride : j * stride + kernel]
            assert ours[i, j] == pytest.approx((patch * weight).sum(), abs=1e-5)


def test_batch_normalisation_keeps_its_statistics_while_training() -> None:
    model = encoder.Encoder(pretrained=False).train()
    before = model.stem[1].running_mean.clone()
    model(torch.randn(2, 3, 64, 64) + 3)
    assert torch.equal(model.stem[1].running_mean, before)
    assert model.stem[0].training


def test_extra_channels_begin_without_a_say() -> None:
    published()
    plain, wide = encoder.Encoder(), encoder.Encoder(extra=4)
    rgb = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        ours = wide.eval()(torch.cat([rgb, torch.randn(1, 4, 64, 64)], 1))
        theirs = plain.eval()(rgb)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_published_weights_meet_photographs_as_they_were_trained(
    shared_data: Callable[[str], Path],
) -> None:
    """Real pictures give every batch normalisation about the statistics that it learnt.

    Wrong scaling of the input, or of channels, would not.
    """
    import cv2

    published()
    model = encoder.Encoder().eval()
    pictures = []
    for path in sorted((shared_data("ccp") / "photos").glob("*.jpg"))[:6]:
        pixels = cv2.imread(str(path))[..., ::-1]
        pictures.append(cv2.resize(pixels, (224, 320), interpolation=cv2.INTER_AREA))
    x = encoder.normalized(torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2))
    offsets: list[float] = []

    def look(module: torch.nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        deviation = module.running_var.sqrt() + 1e-3
        z = (inputs[0].mean((0, 2, 3)) - module.running_mean) / deviation
        offsets.append(float(z.abs().mean()))

    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.register_forward_hook(look)
    with torch.no_grad():
        model(x)
    assert len(offsets) == 48
    assert np.mean(offsets) < 0.35


def test_absent_weights_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(encoder.WEIGHTS_VARIABLE, "/nowhere/lite0.pth")
    with pytest.raises(MissingExtraError, match=r"/nowhere/lite0\.pth do not exist: correct"):
        encoder.weights_path()
