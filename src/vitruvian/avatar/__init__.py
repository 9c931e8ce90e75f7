"""The person made to move: layers over the body, at rest, that part where limbs touch."""

from vitruvian.avatar.build import layered_avatar, photographed, surface_avatar

__all__ = ["layered_avatar", "photographed", "surface_avatar"]
