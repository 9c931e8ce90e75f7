"""Networks that were exported, read back to be trained further."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vitruvian.errors import MissingExtraError


def read_exported(path: Path) -> tuple[Any, dict[str, np.ndarray]]:
    """The graph of an exported network, and its constants by name, float32 where they are floats.

    Raises:
        MissingExtraError: the package onnx is not installed.
    """
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise MissingExtraError(
            "Reading the shipped weights needs the package onnx: install it with "
            "pip install 'vitruvian[train]'."
        ) from error
    graph = onnx.load(str(path)).graph
    constants = {}
    for constant in graph.initializer:
        value = numpy_helper.to_array(constant)
        floats = np.issubdtype(value.dtype, np.floating)
        constants[constant.name.removesuffix("_half")] = value.astype(
            np.float32 if floats else value.dtype
        )
    return graph, constants
