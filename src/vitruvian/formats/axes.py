"""The axes of every file but STL: glTF's, y up, right-handed, metres."""

from __future__ import annotations

import numpy as np

from vitruvian.types.mesh import Mesh

# The camera frame (x right, y down, z forward) seen in the files' axes: half a turn about x.
FILE_FROM_CAMERA = np.diag([1.0, -1.0, -1.0, 1.0])


def in_file_axes(mesh: Mesh) -> Mesh:
    """The mesh with y up: unchanged for the frames world and body, turned for the camera's."""
    return mesh.transformed(FILE_FROM_CAMERA, "world") if mesh.frame == "camera" else mesh
