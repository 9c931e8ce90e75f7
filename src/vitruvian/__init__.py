"""Photographs in; metric, textured, animatable 3D people out."""

from vitruvian._version import __version__

__all__ = ["__version__"]
