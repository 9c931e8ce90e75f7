"""One more picture of somebody."""

from __future__ import annotations

from dataclasses import dataclass

from vitruvian.types.body import Body
from vitruvian.types.figure import Figure
from vitruvian.types.photo import Photo
from vitruvian.types.record import Record


@dataclass(frozen=True, eq=False, repr=False)
class Look(Record):
    """A picture that shows somebody as another one does not: from behind, or nearer.

    Attributes:
        photo: the picture.
        figure: who is meant in it.
        body: of the shape that all pictures share, in the pose and place of this one, camera frame.
    """

    photo: Photo
    figure: Figure
    body: Body
