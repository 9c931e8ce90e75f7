"""The body's own layer beneath a skirt: bare, a little slimmer, gone where it is deep."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vitruvian.avatar.tube import Axis
from vitruvian.surface.finish.skirts import leg_levels
from vitruvian.types.body import Body, ParametricModel
from vitruvian.types.regions import LEFT_LEG, RIGHT_LEG, TRUNK

SKIRT_TOP = -0.2  # level (``tube``) of a skirt's upper end, inside the body's layer
EMERGES = 0.12  # of a level, over which it comes out of the body's layer
_SLIM = 0.85  # of their girth that legs have beneath
_DEEP = 0.22  # of a level below its upper end, from which on the body is out of sight
_ANKLES = 2.0
_LEGS_SHOW = 0.14  # of a level above the hem, up to which legs are seen from below


def covered(model: ParametricModel, hem: float) -> np.ndarray:
    """(V,) float32 0..1, how far a skirt with this hem hides the body's own layer."""
    levels = body_levels(model)
    start = np.clip((levels - SKIRT_TOP - 0.03) / EMERGES, 0, 1)
    end = np.clip((hem - 0.02 - levels) / 0.06, 0, 1)
    part = model.regions.part
    hidden = np.where(np.isin(part, (TRUNK, LEFT_LEG, RIGHT_LEG)), start * end, 0)
    # Feet stand out of the longest skirts.
    return np.asarray(hidden * (1 - model.regions.foot), np.float32)


def out_of_sight(model: ParametricModel, hem: float) -> np.ndarray:
    """(F,) bool, the body's faces that are deep beneath a skirt: where nothing is, nothing pokes
    through when it moves."""
    levels = body_levels(model)
    deep = (levels > SKIRT_TOP + _DEEP) & (levels < min(hem, _ANKLES) - _LEGS_SHOW)
    return np.asarray(deep[model.faces].all(1))


def slimmed(body: Body, hem: float) -> np.ndarray:
    """(V, 3) float32, how far the body's layer at rest draws in beneath a skirt: towards the bones,
    so that it stays inside in other poses, too."""
    model = body.model
    vertices, joints = body.rest()
    axis = Axis.of(model, joints)
    level = body_levels(model)
    place = np.clip(np.searchsorted(axis.levels, level), 0, len(axis.levels) - 1)
    left = model.regions.part != RIGHT_LEG
    bone = np.where(left[:, None], axis.legs[place, 0], axis.legs[place, 1])
    bone = np.where((level > 0.1)[:, None], bone, vertices)
    share = covered(model, hem) * np.clip((level - 0.1) / 0.2, 0, 1)
    share *= np.clip((hem - 0.05 - level) / 0.15, 0, 1)
    return np.asarray(((1 - _SLIM) * share[:, None] * (bone - vertices)), np.float32)


@lru_cache(maxsize=4)
def body_levels(model: ParametricModel) -> np.ndarray:
    """(V,) float64, the level of every vertex of trunk and legs; -9 for others."""
    axis = Axis.of(model, model.joint_template)
    part = model.regions.part
    trunk = axis.of_points(model.template)[0]
    levels = np.where(part == TRUNK, trunk, -9.0)
    legs = np.isin(part, (LEFT_LEG, RIGHT_LEG))
    own = leg_levels(model)
    levels[legs] = np.where(own > 0.02, own, np.minimum(trunk, 0.02))[legs]
    return levels
