"""Finding people in a photograph: detection, landmarks, matte, completeness."""

from vitruvian.people.finder import find_people
from vitruvian.types.figure import Alpha, Figure, Landmarks
from vitruvian.types.keypoints import LANDMARK_NAMES

__all__ = ["LANDMARK_NAMES", "Alpha", "Figure", "Landmarks", "find_people"]
