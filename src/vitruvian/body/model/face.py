"""How faces differ: shapes and actions of the body's face, and where a face mesh lies on it.

The data are made by ``scripts/bake_face.py`` from MakeHuman's targets (CC0).
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from vitruvian.body.model.model import DATA
from vitruvian.errors import WeightsError


class FaceModel:
    """Directions in which the head of the body model changes, at rest, metres.

    Attributes:
        vertices: (N,) int64 the body's vertices of head and neck.
        carried: (N,) float32 how far each goes along with the head: 1 on the skull, 0 at the base
            of the neck.
        identity: (K, N, 3) float32 per standard deviation of adults' heads; without what a turn,
            a shift or a size of the whole head do.
        actions: (E, N, 3) float32 at full strength; action_names: E names, as ARKit's.
        smooth: (M, N) float32 scalar functions whose sum with coefficients of N(0, 1) is a smooth
            field of some millimetres: what identity and actions leave.
        mouth: (M,) int64 the body's vertices inside the mouth, with the tongue's.
        point_vertices, point_weights: (468, 3) int64 and float64: the place of each point of
            ``networks.face_mesh`` in a triangle of the body's vertices, by their weights there.
        point_normals: (468, 3) float64 unit normals of the mean body there, at rest.
        depth_bias: (468,) float64 how far the network puts a point behind where it is, in
            distances between the eyes; depth_scale: what its depths must then be multiplied by.
    """

    def __init__(self, path: Path) -> None:
        try:
            with np.load(path) as archive:
                data = {name: archive[name] for name in archive.files}
        except (OSError, ValueError) as error:
            raise WeightsError(
                f"The face model {path} cannot be read: reinstall the package."
            ) from error
        self.vertices = data["vertices"].astype(np.int64)
        self.carried = data["carried"].astype(np.float32)
        self.identity = data["identity"].astype(np.float32)
        self.actions = data["actions"].astype(np.float32)
        self.action_names = tuple(str(name) for name in data["action_names"])
        self.smooth = data["smooth"].astype(np.float32)
        self.mouth = data["mouth"].astype(np.int64)
        self.point_vertices = data["point_vertices"].astype(np.int64)
        self.point_weights = data["point_weights"].astype(np.float64)
        self.point_normals = data["point_normals"].astype(np.float64)
        self.depth_bias = data["depth_bias"].astype(np.float64)
        self.depth_scale = float(data["depth_scale"])

    def points_of(self, vertices: np.ndarray) -> np.ndarray:
        """Where (468, 3) float64 the points of the face mesh are on body vertices (V, 3)."""
        return np.einsum("pk,pki->pi", self.point_weights, vertices[self.point_vertices])

    @cached_property
    def point_directions(self) -> np.ndarray:
        """(K + E, 468, 3) float64: ``identity``, then ``actions``, at the points."""
        both = np.concatenate([self.identity, self.actions])
        places = np.searchsorted(self.vertices, self.point_vertices)
        return np.einsum("pk,dpki->dpi", self.point_weights, both[:, places])

    @cached_property
    def point_smooth(self) -> np.ndarray:
        """(M, 468) float64: ``smooth`` at the points."""
        places = np.searchsorted(self.vertices, self.point_vertices)
        return np.einsum("pk,mpk->mp", self.point_weights, self.smooth[:, places])


@lru_cache(maxsize=1)
def face_model() -> FaceModel:
    """The face model of the package, read once."""
    return FaceModel(DATA / "face.npz")
