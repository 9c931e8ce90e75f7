"""Each network against golden numbers, and its conventions."""

from __future__ import annotations

import cv2
import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitruvian.errors import InputError
from vitruvian.networks.blazepose import (
    FEATURES,
    MIRROR,
    BlazePose,
    mirrored,
    refine_on_heatmaps,
)
from vitruvian.networks.movenet import MoveNet
from vitruvian.networks.nanodet import NanoDet, box_iou, non_maximum_suppression
from vitruvian.networks.session import providers, session_options, weights_directory


def read(path) -> np.ndarray:
    return np.ascontiguousarray(cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1])


def figure_drawing() -> np.ndarray:
    """A (256, 256, 3) drawing of a person: deterministic, and enough for BlazePose to bite."""
    image = np.full((256, 256, 3), (190, 200, 210), np.uint8)
    cv2.circle(image, (128, 52), 15, (205, 160, 135), -1)
    for start, stop, width, colour in (
        ((128, 82), (128, 140), 36, (60, 80, 140)),
        ((110, 82), (88, 140), 11, (60, 80, 140)),
        ((146, 82), (168, 140), 11, (60, 80, 140)),
        ((119, 145), (114, 225), 15, (50, 45, 45)),
        ((137, 145), (142, 225), 15, (50, 45, 45)),
    ):
        cv2.line(image, start, stop, colour, width)
    return image


def test_mirror_is_its_own_inverse():
    np.testing.assert_array_equal(MIRROR[MIRROR], np.arange(39))
    assert MIRROR[0] == 0
    assert MIRROR[33] == 33
    assert MIRROR[11] == 12


def test_blazepose_finds_the_parts_of_a_drawing():
    output = BlazePose()(figure_drawing())
    assert output.score > 0.9
    assert np.linalg.norm(output.points[0] - [128, 52]) < 16
    # Without a face it cannot tell front from back, so which ankle is left is left open.
    ankles = output.points[[27, 28]][np.argsort(output.points[[27, 28], 0])]
    np.testing.assert_allclose(ankles, [[114, 225], [142, 225]], atol=16)
    assert output.mask[110, 128] > 0
    assert output.mask[110, 30] < 0
    np.testing.assert_allclose(output.world[[23, 24]].mean(axis=0), 0, atol=0.02)


def test_mirroring_twice_changes_nothing():
    output = BlazePose()(figure_drawing())
    again = mirrored(mirrored(output))
    for name in ("points", "visibility", "presence", "world", "mask", "heatmaps"):
        np.testing.assert_allclose(getattr(again, name), getattr(output, name))


def test_blazepose_refuses_another_size():
    with pytest.raises(ValueError, match="256, 256, 3"):
        BlazePose()(np.zeros((128, 128, 3), np.uint8))


@settings(deadline=None, max_examples=30)
@given(st.floats(16, 240), st.floats(16, 240), st.floats(-8, 8), st.floats(-8, 8))
def test_refinement_finds_the_peak_of_a_heatmap(x, y, dx, dy):
    rows, columns = np.mgrid[:64, :64]
    bump = np.exp(-((columns - x / 4) ** 2 + (rows - y / 4) ** 2) / 2)
    heatmaps = np.full((64, 64, 39), -20.0, np.float32)
    heatmaps[..., 5] = np.log(np.maximum(bump, 1e-6) / (1 - 0.99 * bump))
    points = np.full((39, 2), 128.0)
    points[5] = x + dx, y + dy
    refined = refine_on_heatmaps(points, heatmaps)
    assert np.linalg.norm(refined[5] - [x, y]) < 0.35 * np.hypot(dx, dy) + 1.5
    np.testing.assert_array_equal(np.delete(refined, 5, 0), np.delete(points, 5, 0))


def test_movenet_pads_to_multiples_of_32_and_keeps_the_scale():
    tensor, scale = MoveNet(256).preprocess(np.full((400, 300, 3), 7, np.uint8))
    assert tensor.shape == (1, 256, 192, 3)
    assert tensor.dtype == np.int32
    assert scale == pytest.approx(0.64)
    assert (tensor == 7).all()
    tensor, _ = MoveNet(256).preprocess(np.full((400, 310, 3), 7, np.uint8))
    assert tensor.shape == (1, 256, 224, 3)
    assert not tensor[:, :, 198:].any()


def test_movenet_reads_people_in_pixels():
    output = np.zeros((1, 6, 56), np.float32)
    output[0, 2, 55] = 0.9
    output[0, 2, 51:55] = 0.25, 0.5, 0.75, 1.0  # ymin, xmin, ymax, xmax
    output[0, 2, :3] = 0.5, 0.25, 0.8  # nose: y, x, score
    people = MoveNet.postprocess(output, (256, 192), 0.5, 0.25)
    np.testing.assert_allclose(people.boxes, [[192, 128, 384, 384]])
    np.testing.assert_allclose(people.keypoints[0, 0], [96, 256])
    assert people.keypoint_scores[0, 0] == pytest.approx(0.8)


def test_box_iou():
    a = np.array([0.0, 0, 10, 10])
    assert box_iou(a, a) == 1
    assert box_iou(a, a + 5) == pytest.approx(25 / 175)
    assert box_iou(a, a + 10) == 0


def test_suppression_keeps_the_best_of_each_heap():
    boxes = np.array([[0.0, 0, 10, 10], [1, 0, 11, 10], [30, 0, 40, 10]])
    kept = non_maximum_suppression(boxes, np.array([0.5, 0.9, 0.4]), 0.6)
    assert kept.tolist() == [1, 2]


def test_nanodet_decodes_a_box():
    outputs = []
    for stride in (8, 16, 32):
        cells = (416 // stride) ** 2
        outputs += [np.zeros((1, cells, 80), np.float32), np.zeros((1, cells, 44), np.float32)]
    cell = 5 * 26 + 7  # stride 16: row 5, column 7, so centre (120, 88)
    outputs[2][0, cell, 0] = 0.8
    outputs[3][0, cell].reshape(4, 11)[np.arange(4), [1, 2, 3, 4]] = 60
    found = NanoDet.postprocess(outputs, 0.5, 0.4)
    expected = np.array([[120 - 16, 88 - 32, 120 + 48, 88 + 64]]) / 0.5
    np.testing.assert_allclose(found.boxes, expected)
    assert found.scores[0] == pytest.approx(0.8)


def test_blazepose_golden_numbers():
    output = BlazePose()(figure_drawing())
    expected = [[126.75, 56.95], [109.85, 79.9], [148.74, 80.63], [116.32, 223.95],
                [139.71, 221.93], [128.45, 135.05], [129.08, 33.25]]  # fmt: skip
    np.testing.assert_allclose(output.points[[0, 11, 12, 27, 28, 33, 34]], expected, atol=0.3)
    world = [[-0.027, -0.618, 0.099], [-0.061, 0.762, 0.072], [0.09, 0.748, 0.166]]
    np.testing.assert_allclose(output.world[[0, 27, 28]], world, atol=0.005)
    assert (output.mask > 0).sum() == pytest.approx(8099, rel=0.01)


def test_movenet_golden_numbers():
    people = MoveNet(256)(figure_drawing())
    assert people.scores == pytest.approx([0.5604], abs=0.01)
    np.testing.assert_allclose(people.boxes, [[84.3, 36.5, 173.3, 237.5]], atol=1)
    expected = [[128, 58.9], [115.5, 226], [142, 223.6]]
    np.testing.assert_allclose(people.keypoints[0, [0, 15, 16]], expected, atol=1)


def test_nanodet_golden_numbers():
    found = NanoDet()(figure_drawing())
    assert found.scores == pytest.approx([0.7753], abs=0.01)
    np.testing.assert_allclose(found.boxes, [[83.5, 37.1, 174.7, 233.8]], atol=1)


def test_two_detectors_agree_on_a_photograph(shared_data):
    image = read(shared_data("photos") / "s060_tfjsmodels.jpg")
    people = MoveNet(256)(image)
    boxes = NanoDet()(image)
    assert len(people.scores) == 1
    assert len(boxes.scores) == 1
    assert box_iou(people.boxes[0], boxes.boxes[0]) > 0.7
    nose = people.keypoints[0, 0]
    assert people.scores[0] > 0.6
    assert boxes.boxes[0, 0] < nose[0] < boxes.boxes[0, 2]


def test_features_tell_pictures_apart_and_cost_no_exactness():
    """Handing out inner tensors changes nothing of what the graph computes."""
    onnx = pytest.importorskip("onnx")
    drawing, blank = figure_drawing(), np.full((256, 256, 3), 128, np.uint8)
    first, other = BlazePose()(drawing), BlazePose()(blank)
    assert first.features.shape == (FEATURES,)
    assert np.linalg.norm(first.features - other.features) > 0.1 * np.linalg.norm(first.features)
    model = onnx.load(str(weights_directory() / "blazepose_heavy.onnx"))
    published = [output for output in model.graph.output if output.name.startswith("Identity")]
    del model.graph.output[:]
    model.graph.output.extend(published)
    plain = onnxruntime.InferenceSession(model.SerializeToString(), session_options())
    (world,) = plain.run(["Identity_4"], {"input_1": BlazePose.preprocess(drawing)})
    assert np.allclose(world.reshape(39, 3), first.world, atol=1e-4)


def test_providers_are_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    there = ["OpenVINOExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: there)
    monkeypatch.delenv("VITRUVIAN_PROVIDERS", raising=False)
    assert providers() == ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setenv("VITRUVIAN_PROVIDERS", " OpenVINO, cpu")
    assert providers() == ["OpenVINOExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setenv("VITRUVIAN_PROVIDERS", "directml")
    with pytest.raises(InputError, match="onnxruntime-directml"):
        providers()
    monkeypatch.setenv("VITRUVIAN_PROVIDERS", "abacus")
    with pytest.raises(InputError, match="no provider 'abacus'"):
        providers()
