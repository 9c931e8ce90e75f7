"""Does an avatar hold together when it moves? It is put into the poses of ``body.model.repose``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.avatar.skin import photographed
from vitruvian.body.model.repose import reposed, shown_poses
from vitruvian.geometry.stretch import TORN, count_pieces, face_areas, largest_stretch
from vitruvian.types.body import Body
from vitruvian.types.chains import Chains
from vitruvian.types.mesh import Mesh

_LEAST_PIECE = 0.0008  # of the surface: a finger


@dataclass(frozen=True)
class Motion:
    """How a surface moves.

    Attributes:
        torn: share of the surface, 0..1, that is drawn out to more than ``stretch.TORN`` times its
            length in the photograph; mean over the poses.
        severed: pieces that hang together by torn faces alone; the sum over the poses.
    """

    torn: float
    severed: int


def check_motion(rest: Mesh, body: Body, chains: Chains | None = None) -> Motion:
    """Move a mesh at rest (frame ``body``, with its skin) and look how it bears that."""
    before = photographed(rest, body, chains)
    torn, severed = [], 0
    for pose in shown_poses(body.model):
        posed = reposed(rest, body, pose.rotations, chains)
        share, pieces = tears(before, posed)
        torn.append(share)
        severed += pieces
    return Motion(float(np.mean(torn)), severed)


def tears(before: Mesh, posed: Mesh) -> tuple[float, int]:
    """What a pose does to a mesh with the faces of the one ``before``: the share of the surface,
    0..1, that is torn, and how many pieces come off."""
    broken = largest_stretch(before.vertices, posed.vertices, before.faces) > TORN
    areas = face_areas(posed.vertices, before.faces)
    # Eyes are pieces of their own, whose share of the surface is another in every pose.
    whole, pieces = (
        count_pieces(before.faces, areas, used=used, least_share=_LEAST_PIECE)
        for used in (None, ~broken)
    )
    return float(areas[broken].sum() / areas.sum()), max(0, pieces - whole)
