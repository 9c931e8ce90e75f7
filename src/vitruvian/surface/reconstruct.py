"""A person's surface: what the network sees of it, the inflated body, and the clothed mesh."""

from __future__ import annotations

from vitruvian.compute import SideBySide
from vitruvian.surface.clothed import FACES, clothed_mesh
from vitruvian.surface.envelope.inflated_body import inflated_body
from vitruvian.surface.finish.normal_map import with_normal_map
from vitruvian.surface.maps import network_maps, normals_alone
from vitruvian.surface.refined_maps import refined_maps
from vitruvian.surface.volume.drape import hidden_share
from vitruvian.surface.volume.frame_cut import FrameCut
from vitruvian.types.body import Body
from vitruvian.types.carried import Carried
from vitruvian.types.figure import Figure
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo


def reconstruct_surface(
    photo: Photo,
    figure: Figure,
    body: Body,
    *,
    faces: int = FACES,
    maps: bool = True,
    fine: bool = False,
    photographed: bool = False,
    cut: FrameCut | None = None,
    carried: Carried | None = None,
) -> Mesh:
    """A person's outer surface, closed, in the camera frame, with texture coordinates and skin.

    Args:
        photo: the picture.
        figure: the person's matte.
        body: the fitted body.
        faces: about how many; more make a finer volume.
        maps: take the relief from the maps network, where its weights are there; else it is the
            body's.
        fine: put the relief that the maps see into the geometry, too, with four times as many
            faces.
        photographed: take relief from the picture's darkness, too (``photo_relief``).
        cut: end the surface where the frame cuts the person; by default it goes on as the body.
        carried: bags and the like that the person carries.

    Returns:
        A mesh with ``body_vertices``, see :func:`clothed.clothed_mesh`, and, with maps, a
        ``normal_map``.
    """
    seen = None
    with SideBySide() as pool:
        inflating = pool.submit(inflated_body, photo, figure, body, carried)
        if maps:
            seen = network_maps(photo, figure, body)  # networks leave the interpreter meanwhile
        inflated = inflating.result()
        normals = None
        if seen is not None:
            hidden = hidden_share(body.model, inflated, body.as_mesh())
            normals = normals_alone(*seen, body, photo.camera, hidden)
        # Only the normal map needs the finer maps: they are made beside the mesh.
        refining = None
        if normals is not None:
            refining = pool.submit(
                refined_maps, photo, figure, body, normals, hidden, photographed=photographed
            )
        mesh = clothed_mesh(
            body.model,
            inflated,
            figure.alpha,
            photo.camera,
            fitted=body.as_mesh(),
            maps=normals,
            relief=refining.result() if fine and refining is not None else None,
            faces=faces,
            cut=cut,
            carried=carried,
        )
        if refining is None or mesh.body_vertices is None:
            return mesh
        return with_normal_map(mesh, refining.result(), body.model)
