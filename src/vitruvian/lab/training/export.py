"""Trained weights as ONNX: 16-bit constants, a check against torch, manifest row, model card."""

from __future__ import annotations

import hashlib
import io
import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vitruvian.errors import InputError, MissingExtraError
from vitruvian.formats.atomic import write_bytes, write_text
from vitruvian.lab.training.checkpoint import Checkpoint
from vitruvian.lab.training.graph_passes import mix_before_resizing, pad_in_convolutions
from vitruvian.lab.training.recipe import Graph, Recipe

OPSET = 17
# Constants with fewer values are kept in 32 bits: they cost nothing, and biases gain from it.
_LEAST_HALVED = 64
_DTYPES = {"tensor(float)": "float32", "tensor(int64)": "int64", "tensor(uint8)": "uint8"}


@dataclass(frozen=True)
class Exported:
    """A written network.

    Attributes:
        path: of the ``.onnx``; beside it lie ``.json`` (its row of the manifest) and ``.md``.
        sha256: of the file.
        difference: greatest difference of any output from torch's, on the example inputs.
    """

    path: Path
    sha256: str
    difference: float


def export(
    recipe: Recipe, state: Checkpoint, folder: Path, metrics: dict[str, float] | None = None
) -> Exported:
    """Write the averaged weights of a run as ``NAME.onnx`` with its card and manifest row.

    Raises:
        MissingExtraError: the package onnx is not installed.
        InputError: the graph and torch disagree by more than the recipe allows.
    """
    model = recipe.build(pretrained=False)
    model.load_state_dict(state.ema)
    model.eval()
    graph = recipe.graph(model)
    content = stored_in_half(_traced(graph))
    difference = compare(graph, content)
    if not difference <= graph.tolerance:
        raise InputError(
            f"The exported network differs from the trained one by {difference:.3g}: train longer, "
            "or widen the recipe's tolerance."
        )
    path = write_bytes(folder / f"{recipe.name}.onnx", content)
    digest = hashlib.sha256(content).hexdigest()
    row = manifest_row(recipe, content, digest)
    write_text(folder / f"{recipe.name}.json", json.dumps(row, indent=2) + "\n")
    card = model_card(recipe, state, metrics or {}, digest, len(content), difference)
    write_text(folder / f"{recipe.name}.md", card)
    return Exported(path, digest, difference)


def _traced(graph: Graph) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph.module.eval(),
            graph.inputs,
            buffer,  # type: ignore[arg-type]
            input_names=list(graph.input_names),
            output_names=list(graph.output_names),
            dynamic_axes={name: dict(axes) for name, axes in graph.dynamic_axes.items()},
            opset_version=OPSET,
            dynamo=False,
        )
    return buffer.getvalue()


def stored_in_half(content: bytes) -> bytes:
    """The graph with its large constants in 16 bits, each behind a Cast that is folded at loading.

    Raises:
        MissingExtraError: the package onnx is not installed.
    """
    try:
        import onnx
        from onnx import TensorProto, helper, numpy_helper
    except ImportError as error:
        raise MissingExtraError(
            "Exporting needs the package onnx: install it with pip install 'vitruvian[train]'."
        ) from error
    model = onnx.load_from_string(content)
    pad_in_convolutions(model.graph)
    mix_before_resizing(model.graph)
    casts = []
    for constant in model.graph.initializer:
        if constant.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(constant)
        if values.size < _LEAST_HALVED:
            continue
        name = constant.name
        constant.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(casts + nodes)
    onnx.checker.check_model(model)
    stored: bytes = model.SerializeToString()
    return stored


def compare(graph: Graph, content: bytes) -> float:
    """Greatest difference between ONNX Runtime's outputs and torch's on the example inputs."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    inputs = {
        name: value.numpy() for name, value in zip(graph.input_names, graph.inputs, strict=True)
    }
    ours = session.run(list(graph.output_names), inputs)
    with torch.no_grad():
        theirs = graph.module(*graph.inputs)
    theirs = (theirs,) if isinstance(theirs, torch.Tensor) else theirs
    return max(float(np.abs(a - b.numpy()).max()) for a, b in zip(ours, theirs, strict=True))


def manifest_row(recipe: Recipe, content: bytes, digest: str) -> dict[str, Any]:
    """The network's row for ``networks/weights/manifest.json``."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])

    def specs(tensors: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": t.name,
                "dtype": _DTYPES[t.type],
                "shape": [n if isinstance(n, int) else -1 for n in t.shape],
            }
            for t in tensors
        ]

    from vitruvian._version import __version__

    return {
        "name": recipe.name,
        "file": f"{recipe.name}.onnx",
        "size": len(content),
        "sha256": digest,
        "package": "this project",
        "version": __version__,
        "source_file": f"vitruvian train {recipe.name}",
        "licence": recipe.card.licence,
        "description": recipe.card.title,
        "inputs": specs(session.get_inputs()),
        "outputs": specs(session.get_outputs()),
    }


def model_card(
    recipe: Recipe,
    state: Checkpoint,
    metrics: dict[str, float],
    digest: str,
    size: int,
    difference: float,
) -> str:
    """The model card, as Markdown."""
    card = recipe.card
    figures = "\n".join(f"| {name} | {value:.4g} |" for name, value in metrics.items())
    table = f"| figure | value |\n|---|---|\n{figures}\n" if metrics else "Not validated.\n"
    return f"""# {recipe.name}: {card.title}

{card.purpose}

## Training

- Data: {state.description}. Synthetic people only: no photograph of anybody was trained on.
- Samples seen: {state.samples_seen:,} of {state.planned:,} planned, in batches of {state.batch},
  seed {state.seed}, {state.seconds / 3600:.2f} hours of training.
- Command: `vitruvian train {recipe.name}`.
{f"- {card.provenance}" if card.provenance else ""}

## Validation

On synthetic people that were held back:

{table}
## Limits

{card.limits}

## File

`{recipe.name}.onnx`, {size:,} bytes, SHA-256 `{digest}`, licence {card.licence}. The weights are
stored in 16 bits; on the same input the outputs differ from those of the trained network by at
most {difference:.2g}.
"""
