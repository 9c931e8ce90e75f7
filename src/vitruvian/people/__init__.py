"""Finding people in a photograph: detection, landmarks, matte, completeness."""

from vitruvian.people.finder import find_people, look_for_people
from vitruvian.types.figure import Alpha, Figure, Found, Landmarks, LeftOut
from vitruvian.types.keypoints import LANDMARK_NAMES

__all__ = [
    "LANDMARK_NAMES",
    "Alpha",
    "Figure",
    "Found",
    "Landmarks",
    "LeftOut",
    "find_people",
    "look_for_people",
]
