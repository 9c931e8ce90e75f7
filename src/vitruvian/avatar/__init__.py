"""The person made to move: layers over the body, at rest, that part where limbs touch."""

from vitruvian.avatar.build import MOST_TORN, layered_avatar, surface_avatar
from vitruvian.avatar.skin import photographed

__all__ = ["MOST_TORN", "layered_avatar", "photographed", "surface_avatar"]
