"""A person made to move: a result of its own beside the surface of the photograph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from vitruvian.types.chains import Chains
from vitruvian.types.mesh import Mesh
from vitruvian.types.record import Record

Layer = Literal["body", "skirt", "surface", "accessory", "hair"]
# What a face of an avatar may be of: the body in its own topology with what lies close upon it;
# cloth that hangs around both legs; the photograph's surface itself, of people that the frame cuts
# off; a bag or the like, which goes with one bone; or hair that falls below the chin.
LAYERS: tuple[Layer, ...] = get_args(Layer)


@dataclass(frozen=True, eq=False, repr=False)
class Avatar(Record):
    """A person in the body's rest pose, ready to be animated.

    Attributes:
        mesh: frame ``body``, with its skin; texture coordinates and texture where the photograph's
            surface has them.
        layer: (F,) uint8 of each face, an index into ``LAYERS``.
        torn: share of the surface, 0..1, that is drawn out to more than 2.5 times its length in
            the photograph; mean over a T-pose, walking, raised arms and sitting.
        severed: pieces that come off in those poses.
        silhouette_iou, image_similarity: as of ``scene.Checks``, in the photograph's pose; NaN when
            not checked.
        chains: joints in what hangs around both legs, which the mesh's skin numbers after those of
            the body; None without such.
    """

    mesh: Mesh
    layer: np.ndarray
    torn: float = float("nan")
    severed: int = 0
    silhouette_iou: float = float("nan")
    image_similarity: float = float("nan")
    chains: Chains | None = None

    def __post_init__(self) -> None:
        mesh = self.mesh
        if mesh.frame != "body" or mesh.skin_joints is None or mesh.skin_weights is None:
            raise ValueError("an avatar's mesh is at rest in the frame 'body' and has a skin")
        if self.layer.shape != (len(mesh.faces),):
            raise ValueError(f"layer must have shape ({len(mesh.faces)},), got {self.layer.shape}")

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers that it has."""
        return tuple(LAYERS[number] for number in np.unique(self.layer))

    def faces_of(self, layer: Layer) -> np.ndarray:
        """(N, 3) int32, the faces of a layer."""
        return self.mesh.faces[self.layer == LAYERS.index(layer)]
