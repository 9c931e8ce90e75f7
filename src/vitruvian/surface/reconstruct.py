"""The surface of a person, by either method."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from vitruvian.body.body import Body
from vitruvian.geometry.mesh import Mesh
from vitruvian.image.photo import Photo
from vitruvian.people.figure import Figure
from vitruvian.surface.clothed import FACES, clothed_mesh
from vitruvian.surface.maps import SurfaceMaps, estimated_maps
from vitruvian.surface.silhouette import swollen_body

Method = Literal["swollen", "clothed"]


def reconstruct_surface(
    photo: Photo,
    figure: Figure,
    body: Body,
    *,
    method: Method = "swollen",
    maps: SurfaceMaps | Literal["network"] | None = None,
    faces: int = FACES,
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
    """
    if method not in ("swollen", "clothed"):
        raise ValueError(f"method must be swollen or clothed, got {method!r}")
    if method == "swollen":
        return swollen_body(photo, figure, body)
    with ThreadPoolExecutor(1) as pool:
        swelling = pool.submit(swollen_body, photo, figure, body)
        if isinstance(maps, str):
            maps = estimated_maps(photo, figure, body)  # networks leave the interpreter meanwhile
        swollen = swelling.result()
    return clothed_mesh(
        swollen, figure.alpha, photo.camera, fitted=body.as_mesh(), maps=maps, faces=faces
    )
