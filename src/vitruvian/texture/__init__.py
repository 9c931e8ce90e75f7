"""Colour for every side of a surface, from the photograph."""

from vitruvian.texture.texturing import texture_mesh

__all__ = ["texture_mesh"]
