"""A mesh per frame: files in a row, and one GLB in which they follow each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from vitruvian.formats.atomic import write_bytes
from vitruvian.formats.glb import add_mesh
from vitruvian.formats.gltf import GltfBuilder
from vitruvian.mesh_formats import FORMATS
from vitruvian.types.mesh import Mesh

MOST_IN_GLB = 60  # meshes; more make a file that few programs open


def write_sequence(
    meshes: Iterable[tuple[int, Mesh]],
    times_s: Sequence[float],
    folder: Path,
    formats: Sequence[str],
    *,
    glb: bool,
) -> None:
    """Write meshes as ``000012.obj``, by the numbers of frames, one at a time.

    Args:
        meshes: number of the frame and mesh, in order.
        times_s: when each is shown.
        folder: where they go.
        formats: those of meshes.
        glb: write ``sequence.glb``, too, where there are at most ``MOST_IN_GLB``.

    Raises:
        InputError: the place cannot be written.
    """
    kept: list[tuple[int, Mesh]] = []
    for number, mesh in meshes:
        for name in formats:
            FORMATS[name].writer()(mesh, folder / f"{number:06d}.{name}")
        if glb and len(times_s) <= MOST_IN_GLB:
            kept.append((number, mesh))
    if kept:
        write_bytes(folder / "sequence.glb", sequence_glb(kept, times_s))


def sequence_glb(meshes: Sequence[tuple[int, Mesh]], times_s: Sequence[float]) -> bytes:
    """A GLB with a node for each mesh; the animation ``sequence`` shows one after the other.

    Those that are not shown have no size: glTF's animations know no visibility.
    """
    builder = GltfBuilder()
    starts = np.asarray(times_s, np.float64) - times_s[0]
    samplers, channels = [], []
    for index, (number, mesh) in enumerate(meshes):
        name = f"frame-{number}"
        keys, shown = [float(starts[index])], [1.0]
        if index:
            keys, shown = [0.0, *keys], [0.0, *shown]
        if index + 1 < len(meshes):
            keys, shown = [*keys, float(starts[index + 1])], [*shown, 0.0]
        if len(keys) == 1:
            keys, shown = [*keys, keys[0] + 1.0], [*shown, 1.0]
        scales = np.repeat(np.array(shown, np.float32)[:, None], 3, axis=1)
        node = builder.add_node(
            {
                "name": name,
                "mesh": add_mesh(builder, name, mesh),
                "scale": [0.0 if index else 1.0] * 3,
            }
        )
        channels.append({"sampler": index, "target": {"node": node, "path": "scale"}})
        samplers.append(
            {
                "input": builder.add_accessor(np.array(keys, np.float32), bounds=True),
                "output": builder.add_accessor(scales),
                "interpolation": "STEP",
            }
        )
    builder.add("animations", {"name": "sequence", "samplers": samplers, "channels": channels})
    return builder.to_glb()
