"""What the photograph shows before a layer gives it no colours: a hand before a skirt, a bag."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from vitruvian.body.model import skeleton
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.image.disc import disc
from vitruvian.texture.view import View
from vitruvian.types.body import ParametricModel
from vitruvian.types.mesh import Mesh
from vitruvian.types.regions import LEFT_ARM, LEFT_LEG, RIGHT_ARM, RIGHT_LEG

_BEFORE_M = 0.045  # by which what is shown lies before the layer, to be something else
_OTHER_LEG_M = 0.02  # likewise, to be the other leg
_MARGIN = 0.004  # of the window's longer side, around what is before
_FREE = 0.3  # along the upper bone, from which on a limb is told from the trunk
_NONE = 255
_LIMBS = {
    LEFT_ARM: skeleton.ARMS[skeleton.LEFT],
    RIGHT_ARM: skeleton.ARMS[skeleton.RIGHT],
    LEFT_LEG: skeleton.LEGS[skeleton.LEFT],
    RIGHT_LEG: skeleton.LEGS[skeleton.RIGHT],
}


def with_what_is_before(view: View, model: ParametricModel, layer: Mesh, shown: Mesh) -> View:
    """The view with a matte that leaves out what is not of the layer.

    Args:
        view: of the layer.
        model: the body model.
        layer: camera frame, over the body: with its topology, or with ``body_vertices``.
        shown: the surface that the photograph shows, camera frame, likewise.
    """
    height, width = view.alpha.shape
    own = np.append(_limbs(model, layer), np.uint8(_NONE))[view.vertex]
    pixels = view.camera.project(shown.vertices)
    fragments = rasterize(pixels, shown.vertices[:, 2], shown.faces, width, height)
    other = np.append(_limbs(model, shown)[shown.faces[:, 0]], np.uint8(_NONE))[fragments.face]
    both = (own != _NONE) & (other != _NONE)
    # Trunk and legs pass into each other, where a coat hangs over both.
    arms = np.isin(own, (LEFT_ARM, RIGHT_ARM)) | np.isin(other, (LEFT_ARM, RIGHT_ARM))
    legs = np.isin(own, (LEFT_LEG, RIGHT_LEG)) & np.isin(other, (LEFT_LEG, RIGHT_LEG))
    # A skirt over both is of either.
    legs &= fragments.depth < view.depth - _OTHER_LEG_M
    before = both & (own != other) & (arms | legs)
    before |= both & (fragments.depth < view.depth - _BEFORE_M)
    margin = max(1, round(_MARGIN * max(height, width)))
    kernel = disc(margin)
    wide = cv2.morphologyEx(before.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    wide = cv2.dilate(wide, kernel)
    soft = cv2.blur(255 - 255 * wide, (2 * margin + 1, 2 * margin + 1))
    return replace(view, alpha=np.minimum(view.alpha, soft))


def _limbs(model: ParametricModel, mesh: Mesh) -> np.ndarray:
    """(V,) uint8, the limb that each vertex of a mesh over the body is of."""
    limbs = _limb_of_vertex(model)
    return limbs if mesh.body_vertices is None else limbs[mesh.body_vertices]


def _limb_of_vertex(model: ParametricModel) -> np.ndarray:
    """(V,) uint8: the regions, without arms and legs where they are not yet told from the trunk."""
    part = model.regions.part
    out = np.zeros(len(part), np.uint8)
    for region, joints in _LIMBS.items():
        upper, middle = (model.joint_template[model.joint_index[name]] for name in joints[:2])
        axis = middle - upper
        along = (model.template - upper) @ axis / (axis @ axis)
        out[(part == region) & (along > _FREE)] = region
    return out
