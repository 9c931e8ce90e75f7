"""ONNX graphs rewritten into others of the same function that run faster."""

from __future__ import annotations

from typing import Any

import numpy as np

_CONSTANT_OPERATIONS = {
    "Constant", "ConstantOfShape", "Concat", "Reshape", "Slice", "Transpose", "Cast",
}  # fmt: skip


def pad_in_convolutions(graph: Any) -> None:
    """Let convolutions pad their input themselves, where a zero Pad precedes one.

    ONNX convolutions can pad unevenly, unlike torch's; a Pad of its own costs a copy and keeps ONNX
    Runtime from its blocked layout.
    """
    from onnx import numpy_helper
    from onnx.reference import ReferenceEvaluator

    known = {constant.name: numpy_helper.to_array(constant) for constant in graph.initializer}
    for node in graph.node:  # the amounts come as little sums of constants
        if node.op_type in _CONSTANT_OPERATIONS and all(name in known for name in node.input):
            inputs = {name: known[name] for name in node.input}
            found: Any = ReferenceEvaluator(node).run(None, inputs)
            known[node.output[0]] = found[0]
    users: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    for pad in [node for node in graph.node if node.op_type == "Pad"]:
        after = users.get(pad.output[0], [])
        mode = next((a.s for a in pad.attribute if a.name == "mode"), b"constant")
        amounts = known.get(pad.input[1])
        value = known.get(pad.input[2]) if len(pad.input) > 2 and pad.input[2] else np.zeros(1)
        if mode != b"constant" or amounts is None or value is None or np.any(value):
            continue
        if len(amounts) != 8 or amounts[[0, 1, 4, 5]].any():
            continue
        if len(after) != 1 or after[0].op_type != "Conv" or after[0].input[0] != pad.output[0]:
            continue
        pads = next(a for a in after[0].attribute if a.name == "pads")
        total = [a + int(b) for a, b in zip(pads.ints, amounts[[2, 3, 6, 7]], strict=True)]
        pads.ints[:] = total
        after[0].input[0] = pad.input[0]
    _remove_unused(graph)


def mix_before_resizing(graph: Any) -> None:
    """Let a convolution of 1 x 1 pixels mix what was resized before it is, and what is joined to it
    apart from that.

    Both are linear and neither looks at the other's axes, so the result is the same; but there are
    fewer channels to resize, a quarter of the pixels to mix, and no joined copy of all.
    """
    from onnx import helper, numpy_helper

    constants = {constant.name: numpy_helper.to_array(constant) for constant in graph.initializer}
    maker = {name: node for node in graph.node for name in node.output}
    users: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    for joined in [node for node in graph.node if node.op_type == "Concat"]:
        resize, after = maker.get(joined.input[0]), users.get(joined.output[0], [])
        if resize is None or resize.op_type != "Resize" or len(users[resize.output[0]]) > 1:
            continue
        if len(after) != 1 or after[0].op_type != "Conv":
            continue
        mix = after[0]
        weight, own = constants.get(mix.input[1]), _channels(resize.input[0], maker, constants)
        if weight is None or own is None or weight.shape[2:] != (1, 1) or len(mix.input) < 3:
            continue
        if any(
            a.name in ("strides", "group") and set(a.ints or [a.i]) != {1} for a in mix.attribute
        ):
            continue
        rest = joined.input[1:]
        added = []
        for name, part in (("resized", weight[:, :own]), ("beside", weight[:, own:])):
            graph.initializer.append(
                numpy_helper.from_array(np.ascontiguousarray(part), f"{mix.name}/{name}_weight")
            )
        if len(rest) > 1:
            added.append(helper.make_node("Concat", rest, [f"{mix.name}/joined"], axis=1))
            rest = [f"{mix.name}/joined"]
        first, second, large = (f"{mix.name}/{name}" for name in ("first", "second", "large"))
        added += [
            _mixing([resize.input[0], f"{mix.name}/resized_weight"], first),
            helper.make_node("Resize", [first, *resize.input[1:]], [large], large),
            _mixing([rest[0], f"{mix.name}/beside_weight", mix.input[2]], second),
            helper.make_node("Add", [second, large], [mix.output[0]], f"{mix.name}/sum"),
        ]
        added[-3].attribute.extend(resize.attribute)
        place = list(graph.node).index(mix)
        graph.node.remove(mix)
        for node in reversed(added):
            graph.node.insert(place, node)
    _remove_unused(graph)


def _mixing(inputs: list[str], output: str) -> Any:
    from onnx import helper

    return helper.make_node("Conv", inputs, [output], output, kernel_shape=[1, 1])


def _channels(name: str, maker: dict[str, Any], constants: dict[str, np.ndarray]) -> int | None:
    """How many channels a tensor has, where a convolution and what keeps them made it."""
    node = maker.get(name)
    while node is not None and node.op_type in ("Relu", "Clip"):
        node = maker.get(node.input[0])
    if node is None or node.op_type != "Conv" or node.input[1] not in constants:
        return None
    return len(constants[node.input[1]])


def _remove_unused(graph: Any) -> None:
    """Drop nodes and constants that nothing depends on."""
    while True:
        used = {name for node in graph.node for name in node.input}
        used |= {output.name for output in graph.output}
        idle = [node for node in graph.node if not used & set(node.output)]
        if not idle:
            break
        for node in idle:
            graph.node.remove(node)
    for constant in [one for one in graph.initializer if one.name not in used]:
        graph.initializer.remove(constant)
