"""Whether somebody wears a skirt, how far down it reaches, and its shape in the photograph's pose.

The outline, the surface and the colours may each say so; whatever else tells two legs overrules
them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.avatar.beneath import SKIRT_TOP
from vitruvian.avatar.between_legs import legs_apart
from vitruvian.avatar.closed_gap import closed_gap_hem
from vitruvian.avatar.covered_hem import covered_hem
from vitruvian.avatar.height_map import ANGLES, height_map
from vitruvian.avatar.hem import coat_hem, seen_hem
from vitruvian.avatar.leg_grid import LegGrid
from vitruvian.avatar.outline import legs_window, outline_hem
from vitruvian.avatar.short_skirt import short_hem, womans
from vitruvian.avatar.things import Things
from vitruvian.avatar.trousers import backdrop_between, goes_on, mans
from vitruvian.avatar.tube import Axis
from vitruvian.body.model.skeleton import HIPS, KNEES
from vitruvian.surface.finish.skirts import hem_level
from vitruvian.texture.carried import Carried
from vitruvian.types.body import Body
from vitruvian.types.figure import Figure
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo

_ROW_M = 0.025  # between rings
_LEAST_HEM = 0.4
_CALVES = 1.5  # level above which a man's hem is that of shorts, or of a coat


@dataclass(frozen=True)
class SkirtShape:
    """Cloth around both legs as a height map (``height_map``).

    Attributes:
        hem: level at which it ends; spanned: to which the surface has it, 0 where it does not.
        levels: (R,) of its rings.
        angles: (A,) around them.
        distance: (R, A) metres from the centre line.
    """

    hem: float
    spanned: float
    levels: np.ndarray
    angles: np.ndarray
    distance: np.ndarray


def skirt_shape(
    body: Body,
    sculpture: Mesh,
    photo: Photo | None = None,
    figure: Figure | None = None,
    things: Things | None = None,
) -> SkirtShape | None:
    """The shape of somebody's skirt; None where cloth does not hang around both legs. Arguments as
    of ``find_skirt``."""
    beneath = sculpture.body_vertices
    if beneath is None:
        return None
    carried = None
    if things is not None:
        sculpture, carried = things.left_out(sculpture), things.carried
    spanned = hem_level(body.model, sculpture, beneath, body.as_mesh())
    if photo is None or figure is None:
        return None if spanned is None else _Cut(body, sculpture, spanned).at(spanned)
    return _seen_shape(photo, figure, _Cut(body, sculpture, spanned or 0.0), spanned, carried)


def _seen_shape(
    photo: Photo, figure: Figure, cut: _Cut, spanned: float | None, carried: Carried | None
) -> SkirtShape | None:
    """The shape by what surface and photograph say."""
    body = cut.body
    hem = outline_hem(photo, figure, body, carried)
    outlined = hem is not None
    if hem is None:
        hem = spanned
    if hem is None:
        hem = coat_hem(photo, figure, body, carried)
    if hem is None:
        hem = closed_gap_hem(photo, figure, body)
    told = hem is not None and hem >= _LEAST_HEM
    if not told and not womans(figure):
        return None
    window = legs_window(photo, figure, body)
    grid = LegGrid.of(photo, body, window, carried)
    if not told:
        hem = short_hem(grid, figure)
    shape = None if hem is None else cut.at(hem)
    if shape is None:
        return None
    shown = seen_hem(photo, figure, body, cut.points(shape), shape.levels, carried)
    if not outlined and (shown is None or shown < _LEAST_HEM):
        return None
    if shown is not None and shown < shape.hem:
        shape = cut.at(shown) or shape
    if goes_on(grid, shape.hem) or backdrop_between(grid, shape.hem):
        return None
    man = mans(figure) and shape.hem < _CALVES
    if man or legs_apart(photo, figure, body, shape.hem):
        if coat_hem(photo, figure, body, carried) is None or (outlined and not man):
            return None
        if legs_apart(photo, figure, body, shape.hem, slit=not outlined):
            return None
    ends = covered_hem(window, cut.points(shape), shape.levels, carried)
    return cut.at(ends) or shape if ends < shape.hem else shape


@dataclass(frozen=True)
class _Cut:
    """A surface, camera frame, around whose legs cloth is cut off at hems."""

    body: Body
    sculpture: Mesh
    spanned: float

    @property
    def axis(self) -> Axis:
        """The line between the legs."""
        return Axis.of(self.body.model, self.body.joints)

    def at(self, hem: float) -> SkirtShape | None:
        """The shape down to a hem; None where it is too short, or too little of it is there."""
        if hem < _LEAST_HEM:
            return None
        index = self.body.model.joint_index
        thigh = self.body.joints[index[KNEES[0]]] - self.body.joints[index[HIPS[0]]]
        length = float(np.linalg.norm(thigh))  # of a level
        levels = np.linspace(SKIRT_TOP, hem, max(6, round((hem - SKIRT_TOP) * length / _ROW_M)))
        angles = (np.arange(ANGLES) / ANGLES * 2 - 1) * np.pi
        distance = height_map(self.axis, self.body.model, self.sculpture, levels, angles)
        if distance is None:
            return None
        return SkirtShape(hem, self.spanned, levels, angles, distance)

    def points(self, shape: SkirtShape) -> np.ndarray:
        """(R, A, 3) of it, camera frame."""
        return self.axis.points(shape.levels[:, None], shape.angles[None], shape.distance)
