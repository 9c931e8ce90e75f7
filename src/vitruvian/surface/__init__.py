"""From the fitted body and the photograph to the person's outer surface."""

from vitruvian.surface.clothed import FACES
from vitruvian.surface.reconstruct import reconstruct_surface

__all__ = ["FACES", "reconstruct_surface"]
