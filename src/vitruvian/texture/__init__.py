"""Colour for every side of a surface, from the photograph."""

from vitruvian.texture.fusion import Shot
from vitruvian.texture.texturing import texture_mesh

__all__ = ["Shot", "texture_mesh"]
