"""Tiny ONNX graphs that behave like SAM exports: they cut out what has the prompted colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

SIDE = 64  # of the embedding
FRAME = 1024
LAYOUTS = ("sam", "sam inside", "sam2", "ort sam2", "efficient", "hugging face")

onnx = pytest.importorskip("onnx", reason="the test makes its own graphs with the package onnx")


def write_sam(folder: Path, layout: str, *, single: bool = False) -> tuple[Path, Path]:
    """Encoder and decoder of one of the ``LAYOUTS``; with ``single``, of one mask a prompt."""
    encoder, decoder = folder / f"{layout}-encoder.onnx", folder / f"{layout}-decoder.onnx"
    onnx.save(_encoder(layout), str(encoder))
    onnx.save(_decoder(layout, single), str(decoder))
    return encoder, decoder


class _Graph:
    """Nodes and constants as they come."""

    def __init__(self) -> None:
        self.nodes: list[object] = []
        self.constants: list[object] = []

    def constant(self, value: object, kind: type) -> str:
        name = f"c{len(self.constants)}"
        array = np.asarray(value, kind)
        self.constants.append(onnx.numpy_helper.from_array(array, name))
        return name

    def add(self, kind: str, *inputs: str, out: str | None = None, **attributes: object) -> str:
        name = out or f"t{len(self.nodes)}"
        self.nodes.append(onnx.helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def model(self, inputs: list[object], outputs: list[object]) -> object:
        graph = onnx.helper.make_graph(self.nodes, "sam", inputs, outputs, self.constants)
        opset = onnx.helper.make_opsetid("", 17)
        made = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8)
        onnx.checker.check_model(made, full_check=True)
        return made


def _tensor(name: str, shape: list[object], kind: int | None = None) -> object:
    kind = onnx.TensorProto.FLOAT if kind is None else kind
    return onnx.helper.make_tensor_value_info(name, kind, shape)


def _encoder(layout: str) -> object:
    """The picture, shrunk to 64 x 64, in colours of about -2..2 as the layout normalises them."""
    g = _Graph()
    mean = np.array([123.675, 116.28, 103.53], np.float32).reshape(1, 3, 1, 1)
    deviation = np.array([58.395, 57.12, 57.375], np.float32).reshape(1, 3, 1, 1)
    if layout == "sam inside":  # (H, W, 3) of 0..255, padded inside to 1024 x 1024
        inputs = [_tensor("input_image", ["h", "w", 3])]
        x = g.add("Transpose", "input_image", perm=[2, 0, 1])
        x = g.add("Unsqueeze", x, g.constant([0], np.int64))
        x = g.add("Div", g.add("Sub", x, g.constant(mean, np.float32)),
                  g.constant(deviation, np.float32))  # fmt: skip
        shape = g.add("Shape", x)
        missing = g.add("Sub", g.constant([1, 3, FRAME, FRAME], np.int64), shape)
        pads = g.add("Concat", g.constant([0, 0, 0, 0], np.int64), missing, axis=0)
        x = g.add("Pad", x, pads, g.constant(0, np.float32))
    elif layout == "efficient":  # any size, 0..1, stretched inside
        inputs = [_tensor("batched_images", ["b", 3, "h", "w"])]
        x = g.add("Mul", "batched_images", g.constant(255, np.float32))
        x = g.add("Div", g.add("Sub", x, g.constant(mean, np.float32)),
                  g.constant(deviation, np.float32))  # fmt: skip
    else:
        name = {"sam": "images", "hugging face": "pixel_values"}.get(layout, "image")
        inputs, x = [_tensor(name, [1, 3, FRAME, FRAME])], name
    sizes = g.constant([1, 3, SIDE, SIDE], np.int64)
    embedding = {"sam2": "image_embed"}.get(layout, "image_embeddings")
    if layout == "sam":
        embedding = "embeddings"  # its decoder calls it otherwise
    g.add("Resize", x, "", "", sizes, out=embedding, mode="linear",
          coordinate_transformation_mode="half_pixel")  # fmt: skip
    outputs = [_tensor(embedding, [1, 3, SIDE, SIDE])]
    extra = {
        "sam2": ("high_res_feats_0", "high_res_feats_1"),
        "ort sam2": ("image_features_0", "image_features_1"),
        "hugging face": ("image_positional_embeddings",),
    }.get(layout, ())
    for name in extra:
        g.add("Mul", embedding, g.constant(0, np.float32), out=name)
        outputs.insert(0, _tensor(name, [1, 3, SIDE, SIDE]))
    return g.model(inputs, outputs)


def _decoder(layout: str, single: bool) -> object:
    """Masks: the opposite of what has the colour of the first foreground point; it; everything."""
    g = _Graph()
    integer = onnx.TensorProto.INT64 if layout == "hugging face" else onnx.TensorProto.INT32
    named = {
        "sam2": ("image_embed", "point_coords", "point_labels"),
        "efficient": ("image_embeddings", "batched_point_coords", "batched_point_labels"),
        "hugging face": ("image_embeddings", "input_points", "input_labels"),
    }
    picture, coords, labels = named.get(
        layout, ("image_embeddings", "point_coords", "point_labels")
    )
    deep = layout in ("efficient", "hugging face")
    inputs = [
        _tensor(picture, [1, 3, SIDE, SIDE]),
        _tensor(coords, [1, 1, "n", 2] if deep else [1, "n", 2]),
        _tensor(
            labels,
            [1, 1, "n"] if deep else [1, "n"],
            integer if layout in ("ort sam2", "hugging face") else None,
        ),
    ]
    used = {
        "sam2": ["high_res_feats_0", "high_res_feats_1"],
        "ort sam2": ["image_features_0", "image_features_1"],
        "hugging face": ["image_positional_embeddings"],
    }.get(layout, [])
    inputs += [_tensor(name, [1, 3, SIDE, SIDE]) for name in used]
    spare = list(used)
    if layout not in ("efficient", "hugging face"):
        mask = "input_masks" if layout == "ort sam2" else "mask_input"
        has = "has_input_masks" if layout == "ort sam2" else "has_mask_input"
        inputs += [_tensor(mask, [1, 1, 256, 256]), _tensor(has, [1])]
        spare += [mask, has]
    size = {"sam": "orig_im_size", "sam inside": "orig_im_size", "efficient": "orig_im_size",
            "ort sam2": "original_image_size"}.get(layout)  # fmt: skip
    if size:
        kinds = {"efficient": onnx.TensorProto.INT64, "ort sam2": onnx.TensorProto.INT32}
        inputs.append(_tensor(size, [2], kinds.get(layout)))
    flat = g.add("Reshape", coords, g.constant([-1, 2], np.int64))
    kinds_of = g.add("Cast", g.add("Reshape", labels, g.constant([-1], np.int64)), to=1)
    wanted = g.add("Cast", g.add("Equal", kinds_of, g.constant(1, np.float32)), to=1)
    first = g.add("ArgMax", wanted, axis=0, keepdims=1)
    point = g.add(
        "Add", g.add("Gather", flat, first, axis=0), g.constant(0.5, np.float32)
    )  # (1, 2)
    if layout == "efficient":
        high_wide = g.add("Cast", size, to=1)
        wide_high = g.add("Gather", high_wide, g.constant([1, 0], np.int64), axis=0)
        share = g.add("Div", point, wide_high)
    else:
        share = g.add("Div", point, g.constant(FRAME, np.float32))
    cell = g.add("Floor", g.add("Mul", share, g.constant(SIDE, np.float32)))
    cell = g.add("Clip", cell, g.constant(0, np.float32), g.constant(SIDE - 1, np.float32))
    row_column = g.add("Gather", g.add("Cast", cell, to=7), g.constant([1, 0], np.int64), axis=1)
    pixels = g.add("Transpose", picture, perm=[2, 3, 0, 1])  # (64, 64, 1, 3)
    color = g.add("GatherND", pixels, row_column)  # (1, 1, 3)
    color = g.add("Reshape", color, g.constant([1, 3, 1, 1], np.int64))
    apart = g.add("ReduceSum", g.add("Abs", g.add("Sub", picture, color)),
                  g.constant([1], np.int64), keepdims=1)  # fmt: skip
    alike = g.add(
        "Mul", g.add("Sub", g.constant(0.6, np.float32), apart), g.constant(10, np.float32)
    )
    for name in spare:  # inputs that a real decoder reads, too
        nothing = g.add("Mul", g.add("ReduceSum", name, keepdims=0), g.constant(0, np.float32))
        alike = g.add("Add", alike, nothing)
    if single:
        masks, count, quality = alike, 1, [0.9]
    else:
        opposite = g.add("Neg", alike)
        all_of_it = g.add("Add", g.add("Abs", alike), g.constant(5, np.float32))
        masks = g.add("Concat", opposite, alike, all_of_it, axis=1)
        count, quality = 3, [0.97, 0.9, 0.99]
    fine = g.add("Resize", masks, "", "", g.constant([1, count, 256, 256], np.int64),
                 mode="linear", coordinate_transformation_mode="half_pixel")  # fmt: skip
    guess = g.constant(quality, np.float32)
    if layout in ("sam", "sam inside", "ort sam2"):
        g.add("Identity", fine, out="low_res_masks")
        # As in real exports, the proportions of the full-size masks are those of the tracing.
        g.add("Resize", fine, "", "", g.constant([1, count, 100, 150], np.int64), out="masks")
        g.add("Reshape", guess, g.constant([1, count], np.int64), out="iou_predictions")
        outputs = [_tensor("masks", [1, count, 100, 150]), _tensor("iou_predictions", [1, count]),
                   _tensor("low_res_masks", [1, count, 256, 256])]  # fmt: skip
    elif layout == "sam2":
        g.add("Identity", fine, out="masks")
        g.add("Reshape", guess, g.constant([1, count], np.int64), out="iou_predictions")
        outputs = [_tensor("masks", [1, count, 256, 256]), _tensor("iou_predictions", [1, count])]
    elif layout == "efficient":
        ends = g.add("Concat", g.constant([1, count], np.int64), size, axis=0)
        full = g.add("Resize", fine, "", "", ends, mode="linear")
        g.add("Unsqueeze", full, g.constant([1], np.int64), out="output_masks")
        g.add("Reshape", guess, g.constant([1, 1, count], np.int64), out="iou_predictions")
        outputs = [_tensor("output_masks", [1, 1, count, "h", "w"]),
                   _tensor("iou_predictions", [1, 1, count])]  # fmt: skip
    else:
        g.add("Unsqueeze", fine, g.constant([1], np.int64), out="pred_masks")
        g.add("Reshape", guess, g.constant([1, 1, count], np.int64), out="iou_scores")
        outputs = [_tensor("iou_scores", [1, 1, count]),
                   _tensor("pred_masks", [1, 1, count, 256, 256])]  # fmt: skip
    return g.model(inputs, outputs)
