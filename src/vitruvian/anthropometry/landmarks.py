"""Where the body model has what a tailor feels for: vertices, once for all shapes.

The body keeps its topology in every shape, so a landmark is a vertex that is sought once, on the
mean adult (on the mean woman for the bust). Heights that nothing on the skin tells, such as that
of the lowest rib, are the mean of ANSUR II's men and women as a share of the stature (Gordon et
al., 2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vitruvian.body.model.model import BodyModel
from vitruvian.body.model.skeleton import ELBOWS, RIGHT, SHOULDERS, WRISTS, finger
from vitruvian.types.regions import HEAD, RIGHT_ARM, RIGHT_LEG, TRUNK

_CERVICALE, _SUPRASTERNALE, _NAVEL, _KNEE = 0.8605, 0.8178, 0.6015, 0.2768
_TENTH_RIB, _ILIAC_CREST = 0.6432, 0.6079
_BIACROMIAL = 0.2306
_MIDLINE_M = 0.004
_AT_JOINT_M = 0.012
_BROW_ABOVE_EYE_M = 0.025
_CREASE_M = 0.11  # how far below the bust point the fold beneath the breast is sought


@dataclass(frozen=True)
class Landmarks:
    """Vertices of the body model. Of pairs it is the subject's right, as surveys measure.

    Attributes:
        crown, menton, brow: highest point, underside of the chin, between the brows.
        cervicale, suprasternale: spine of the lowest vertebra of the neck, notch of the breastbone.
        side_neck: where the neck's side turns into the shoulder.
        acromion, axilla: top of the shoulder, lowest point of the armpit.
        elbow, wrist: outermost point of the bent elbow, and of the wrist on the same side.
        bust, underbust: foremost point of the breast, fold beneath it.
        waist, navel: front of the trunk halfway between lowest rib and hip bone, and at the navel.
        crotch, knee: lowest point of the trunk, front of the knee.
        fingertip, heel, toe: of the middle finger, and the foot's ends.
    """

    crown: int
    menton: int
    brow: int
    cervicale: int
    suprasternale: int
    side_neck: int
    acromion: int
    axilla: int
    elbow: int
    wrist: int
    bust: int
    underbust: int
    waist: int
    navel: int
    crotch: int
    knee: int
    fingertip: int
    heel: int
    toe: int


@lru_cache(maxsize=2)
def find_landmarks(model: BodyModel) -> Landmarks:
    """The landmarks of a body model."""
    points = model.template.astype(np.float64)
    part, skin = model.regions.part, model.components == 0
    stature = points[skin, 1].max()
    middle = skin & (np.abs(points[:, 0]) < _MIDLINE_M)
    front, back = points[:, 2] > 0, points[:, 2] < 0

    def at_height(chosen: np.ndarray, share: float) -> int:
        return _extreme(chosen, -np.abs(points[:, 1] - share * stature))

    head = middle & (part == HEAD)
    eye = model.joint_template[model.joint_index["eye.R"]]
    face = head & (points[:, 2] > eye[2] - 0.03)
    trunk = middle & (part == TRUNK)
    shoulder = (part != HEAD) & (np.abs(points[:, 0] + _BIACROMIAL / 2 * stature) < 0.008) & skin
    bust = _bust(model)
    return Landmarks(
        crown=_extreme(skin, points[:, 1]),
        menton=_extreme(face, -points[:, 1]),
        brow=_extreme(face, -np.abs(points[:, 1] - eye[1] - _BROW_ABOVE_EYE_M)),
        cervicale=at_height(middle & back & (part != RIGHT_LEG), _CERVICALE),
        suprasternale=at_height(trunk & front, _SUPRASTERNALE),
        side_neck=_side_of_neck(model),
        acromion=_extreme(shoulder, points[:, 1]),
        axilla=_axilla(model),
        elbow=_outermost(model, ELBOWS[RIGHT]),
        wrist=_outermost(model, WRISTS[RIGHT]),
        bust=bust,
        underbust=_underbust(model, bust),
        waist=at_height(trunk & front, (_TENTH_RIB + _ILIAC_CREST) / 2),
        navel=at_height(trunk & front, _NAVEL),
        crotch=_extreme(trunk, -points[:, 1]),
        knee=_extreme(
            (part == RIGHT_LEG) & (np.abs(points[:, 1] - _KNEE * stature) < 0.012), points[:, 2]
        ),
        fingertip=_fingertip(model),
        heel=_extreme((part == RIGHT_LEG) & (points[:, 1] < 0.05), -points[:, 2]),
        toe=_extreme((part == RIGHT_LEG) & (points[:, 1] < 0.05), points[:, 2]),
    )


def _extreme(chosen: np.ndarray, value: np.ndarray) -> int:
    """The one of the ``chosen`` (V,) bool with the largest ``value`` (V,)."""
    among = np.flatnonzero(chosen)
    return int(among[np.argmax(value[among])])


def _woman(model: BodyModel) -> np.ndarray:
    return model.rest(model.shape_prior("women").mean)[0].astype(np.float64)


def _bust(model: BodyModel) -> int:
    """Foremost vertex of the chest's right half, below the armpit, of the mean woman."""
    points = _woman(model)
    armpit = points[_axilla(model), 1]
    low, high = armpit - 0.12, armpit + 0.02
    chosen = (model.regions.part == TRUNK) & (points[:, 0] < -0.03)
    chosen &= (points[:, 1] > low) & (points[:, 1] < high)
    return _extreme(chosen, points[:, 2])


def _underbust(model: BodyModel, bust: int) -> int:
    """Where the profile through the bust point of the mean woman turns in the most below it."""
    points = _woman(model)
    below = points[bust, 1] - points[:, 1]
    chosen = (model.regions.part == TRUNK) & (np.abs(points[:, 0] - points[bust, 0]) < 0.015)
    chosen &= (points[:, 2] > 0) & (below > 0.02) & (below < _CREASE_M)
    # The farthest behind the line from the bust point to the end of the search.
    among = np.flatnonzero(chosen)
    end = among[np.argmax(below[among])]
    line = (points[end, 2] - points[bust, 2]) / below[end]
    depth = points[bust, 2] + line * below - points[:, 2]
    return _extreme(chosen, depth)


def _side_of_neck(model: BodyModel) -> int:
    """The corner of the outline from the neck to the shoulder, seen from the front."""
    points = model.template.astype(np.float64)
    low, high = (
        model.joint_template[model.joint_index[name], 1] for name in ("clavicle.R", "head")
    )
    side = np.isin(model.regions.part, (HEAD, TRUNK)) & (points[:, 0] < 0) & (points[:, 1] < high)
    side &= (points[:, 1] > low) & (model.components == 0)
    bins = np.floor((points[:, 1] - low) / 0.012).astype(int)
    outline = [_extreme(side & (bins == level), -points[:, 0]) for level in np.unique(bins[side])]
    return min(outline, key=lambda vertex: points[vertex, 1] - points[vertex, 0])


def _axilla(model: BodyModel) -> int:
    """The lowest vertex of the trunk that an edge joins to the right arm."""
    part, edges = model.regions.part, model.regions.edges
    arm, trunk = part[edges] == RIGHT_ARM, part[edges] == TRUNK
    border = np.zeros(len(part), bool)
    border[edges[arm[:, ::-1] & trunk]] = True
    return _extreme(border, -model.template[:, 1].astype(np.float64))


def _outermost(model: BodyModel, joint: str) -> int:
    """The vertex at a joint of the right arm farthest on the outside of the elbow's bend."""
    shoulder, elbow, wrist = (
        model.joint_template[model.joint_index[pair[RIGHT]]] for pair in (SHOULDERS, ELBOWS, WRISTS)
    )
    upper, lower = elbow - shoulder, wrist - elbow
    upper, lower = upper / np.linalg.norm(upper), lower / np.linalg.norm(lower)
    offset = model.template - model.joint_template[model.joint_index[joint]]
    along = offset @ (upper + lower if joint == ELBOWS[RIGHT] else lower)
    near = (model.regions.part == RIGHT_ARM) & (np.abs(along) < _AT_JOINT_M)
    return _extreme(near, offset @ (upper - lower))


def _fingertip(model: BodyModel) -> int:
    """The vertex farthest along the last bone of the right middle finger."""
    last, before = (model.joint_index[finger(3, n)[RIGHT]] for n in (3, 2))
    direction = model.joint_template[last] - model.joint_template[before]
    along = (model.template - model.joint_template[last]) @ direction
    weight = (model.skin_weights * (model.skin_joints == last)).sum(1)
    return _extreme(weight > 0.5, along)
