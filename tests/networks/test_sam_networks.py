"""SAM exports of every layout are told apart, fed as they want and understood."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from sam_graphs import LAYOUTS, onnx, write_sam
from vitruvian.errors import InputError
from vitruvian.networks.sam import BACKGROUND, FOREGROUND, Sam, load_sam

HEIGHT, WIDTH = 240, 420
THINGS = {
    "red": (slice(40, 200), slice(60, 140)),
    "blue": (slice(90, 230), slice(180, 300)),
    "green": (slice(10, 70), slice(330, 410)),
}
COLORS = {"red": (200, 40, 40), "blue": (40, 60, 200), "green": (40, 180, 60)}


def picture(*, portrait: bool = False) -> np.ndarray:
    image = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    for name, place in THINGS.items():
        image[place] = COLORS[name]
    return np.ascontiguousarray(image.transpose(1, 0, 2)) if portrait else image


def inside(name: str, *, portrait: bool = False) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[THINGS[name]] = True
    return mask.T if portrait else mask


def at_pixels(
    logits: np.ndarray, extent: tuple[float, float], shape: tuple[int, int]
) -> np.ndarray:
    """Whether the nearest cell of a candidate says inside, for every pixel of the picture."""
    h, w = logits.shape
    rows = np.minimum(((np.arange(shape[0]) + 0.5) / extent[1] * h).astype(int), h - 1)
    columns = np.minimum(((np.arange(shape[1]) + 0.5) / extent[0] * w).astype(int), w - 1)
    return logits[np.ix_(rows, columns)] > 0


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("portrait", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_point_finds_what_lies_under_it(layout: str, portrait: bool, tmp_path: Path) -> None:
    sam = Sam(*write_sam(tmp_path, layout))
    image = picture(portrait=portrait)
    embedding = sam.encode(image)
    for name in THINGS:
        wanted = inside(name, portrait=portrait)
        rows, columns = np.nonzero(wanted)
        middle = np.array([[columns.mean() + 0.5, rows.mean() + 0.5]])
        found = sam.decode(embedding, middle, np.array([FOREGROUND]))
        assert found.logits.shape[0] == 3
        assert np.allclose(found.quality, [0.97, 0.9, 0.99])
        mask = at_pixels(found.logits[1], found.extent, image.shape[:2])
        # A cell of the 64 x 64 embedding spans up to 7 pixels here; one off would make it .67.
        assert iou(mask, wanted) > 0.8, name
        assert np.array_equal(at_pixels(found.logits[0], found.extent, image.shape[:2]), ~mask)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_boxes_and_background_points_do_not_confuse(layout: str, tmp_path: Path) -> None:
    sam = Sam(*write_sam(tmp_path, layout, single=True))
    image = picture()
    embedding = sam.encode(image)
    points = np.array([[240.0, 160.0], [100.0, 100.0]])
    box = np.array([180.0, 90.0, 300.0, 230.0])
    found = sam.decode(embedding, points, np.array([FOREGROUND, BACKGROUND]), box)
    assert found.logits.shape[0] == 1
    mask = at_pixels(found.logits[0], found.extent, image.shape[:2])
    assert iou(mask, inside("blue")) > 0.8
    assert sam.takes_boxes == (layout != "hugging face")


def test_how_each_layout_fits_the_picture(tmp_path: Path) -> None:
    fits = {layout: Sam(*write_sam(tmp_path, layout)).fit for layout in LAYOUTS}
    assert fits == {
        "sam": "pad", "sam inside": "pad", "sam2": "stretch", "ort sam2": "stretch",
        "efficient": "free", "hugging face": "pad",
    }  # fmt: skip


def test_files_are_loaded_once(tmp_path: Path) -> None:
    files = write_sam(tmp_path, "sam")
    assert load_sam(*files) is load_sam(str(files[0]), str(files[1]))


def said(*files: Path) -> str:
    with pytest.raises(InputError) as raised:
        Sam(*files)
    sentence = str(raised.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_wrong_files_cost_one_sentence(tmp_path: Path) -> None:
    encoder, decoder = write_sam(tmp_path, "sam")
    absent = tmp_path / "no.onnx"
    assert said(absent, decoder) == (
        f"There is no SAM encoder {absent}: give the path of an ONNX file."
    )
    assert said(encoder, absent) == (
        f"There is no SAM decoder {absent}: give the path of an ONNX file."
    )
    text = tmp_path / "text.onnx"
    text.write_text("not a network")
    assert said(encoder, text) == (
        f"The SAM decoder {text} is not a readable ONNX network: export it as docs/sam.md says."
    )
    assert said(decoder, encoder) == (
        f"The SAM encoder {decoder} asks for points as a decoder does: exchange the two files."
    )
    assert said(encoder, encoder) == (
        f"The SAM decoder {encoder} takes no points with labels: give it the file of the prompt "
        "and mask decoder."
    )


def test_halves_of_two_exports_do_not_fit(tmp_path: Path) -> None:
    encoder, _ = write_sam(tmp_path, "sam")
    _, decoder = write_sam(tmp_path, "sam2")
    assert re.fullmatch(
        r"The SAM decoder .* asks for 'high_res_feats_\d', which the encoder .* does not yield: "
        r"give two files of one export\.",
        said(encoder, decoder),
    )


def test_a_network_that_is_not_about_pictures(tmp_path: Path) -> None:
    _, decoder = write_sam(tmp_path, "sam")
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["x"], ["y"])], "g",
        [value("x", onnx.TensorProto.FLOAT, [1, 5])], [value("y", onnx.TensorProto.FLOAT, [1, 5])],
    )  # fmt: skip
    opset = [onnx.helper.make_opsetid("", 17)]
    other = tmp_path / "other.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), str(other))
    assert said(other, decoder) == (
        f"The SAM encoder {other} does not take one picture: give it the file of the image encoder."
    )


def test_a_graph_that_fails_while_it_runs_costs_one_sentence(tmp_path: Path) -> None:
    sam = Sam(*write_sam(tmp_path, "sam inside"))
    embedding = sam.encode(picture())
    # A feature of another network: of half the size.
    spoiled = {name: value[..., :32] for name, value in embedding.features.items()}
    broken = type(embedding)(spoiled, embedding.size, embedding.frame, embedding.scale)
    with pytest.raises(InputError, match=r"fails on its input: export it as docs/sam.md says\.$"):
        sam.decode(broken, np.array([[5.0, 5.0]]), np.array([FOREGROUND]))
