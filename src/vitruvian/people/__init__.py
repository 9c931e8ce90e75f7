"""Finding people in a photograph: detection, landmarks, matte, completeness."""

from vitruvian.people.figure import LANDMARK_NAMES, Alpha, Figure, Landmarks
from vitruvian.people.finder import find_people

__all__ = ["LANDMARK_NAMES", "Alpha", "Figure", "Landmarks", "find_people"]
