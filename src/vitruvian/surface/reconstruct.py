"""The surface of a person, by either method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from vitruvian.compute import SideBySide
from vitruvian.networks.maps import PersonMaps
from vitruvian.surface.clothed import FACES, Correct, clothed_mesh
from vitruvian.surface.envelope.inflated_body import swollen_body
from vitruvian.surface.maps import SurfaceMaps, network_maps, normals_alone
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo

Method = Literal["swollen", "clothed"]
# Makes a correction of one person's volume of their figure, camera, maps and body.
Correction = Callable[[Figure, Camera, PersonMaps, Body], Correct]


def reconstruct_surface(
    photo: Photo,
    figure: Figure,
    body: Body,
    *,
    method: Method = "swollen",
    maps: SurfaceMaps | Literal["network"] | None = None,
    faces: int = FACES,
    correction: Correction | None = None,
) -> Mesh:
    """A person's outer surface, closed, in the camera frame, with texture coordinates and skin.

    Args:
        photo: its camera is used.
        figure: the person's matte.
        body: the fitted body.
        method: ``swollen`` keeps the body's topology and moves its vertices to the matte's outline;
            ``clothed`` builds a surface of its own over that, see ``clothed``.
        maps: what is known pixel by pixel, or ``network`` to ask the network; for ``clothed`` only.
        faces: about how many ``clothed`` may have; more make a finer volume.
        correction: of the volume, where the maps are the network's; see ``lab.fields``.
    """
    if method not in ("swollen", "clothed"):
        raise ValueError(f"method must be swollen or clothed, got {method!r}")
    if method == "swollen":
        return swollen_body(photo, figure, body)
    seen = None
    with SideBySide() as pool:
        swelling = pool.submit(swollen_body, photo, figure, body)
        if isinstance(maps, str):
            seen = network_maps(photo, figure, body)  # networks leave the interpreter meanwhile
            maps = None if seen is None else normals_alone(*seen, body, photo.camera)
        swollen = swelling.result()
    correct = None
    if correction is not None and seen is not None:
        correct = correction(figure, photo.camera, seen[0], body)
    return clothed_mesh(
        body.model,
        swollen,
        figure.alpha,
        photo.camera,
        fitted=body.as_mesh(),
        maps=maps,
        faces=faces,
        correct=correct,
    )
