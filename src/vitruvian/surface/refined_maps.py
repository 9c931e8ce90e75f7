"""Maps at twice the size, for relief that is finer than the mesh."""

from __future__ import annotations

import cv2
import numpy as np

from vitruvian.geometry.normals import unit_normals, vertex_normals
from vitruvian.image.cielab import cielab
from vitruvian.networks.maps import GREY, MapsNetwork, draw_body, occupied, person_crop
from vitruvian.surface import photo_relief
from vitruvian.surface.maps import SurfaceMaps, of_clothes, shown_px
from vitruvian.types.body import Body
from vitruvian.types.figure import Figure
from vitruvian.types.photo import Photo

FINE_SIZE = 512
_FINE_FROM_PX = 400  # a figure that is shown smaller holds nothing that 256 pixels do not
_FINE_PX = 6  # sigma, of the finer window, below which only that resolves anything
_COARSER = 2  # a blur so wide is made in a picture so much smaller
_PRINT_PX, _PRINT_AROUND_PX = 3, 14  # sigma of chroma that counts as print, and of looking for it
_PRINT_CHROMA = 2.5  # CIELAB units, at a lightness of 50, off its surroundings: printed
_VIVID = 15.0  # chroma of cloth on which twice as much is due to its shading alone
_DARK = 25.0  # lightness below which chroma is mostly noise
_PRINT = (0.25, 0.5)  # share of printed pixels at which relief is first doubted, and not believed


def refined_maps(
    photo: Photo,
    figure: Figure,
    body: Body,
    coarse: SurfaceMaps,
    hidden: np.ndarray | None = None,
    *,
    photographed: bool = False,
) -> SurfaceMaps:
    """The maps at twice the size, the mean of what the network says at either; see ``averaged``.

    ``hidden`` is as for ``normals_alone``; ``photographed`` adds what the picture's darkness says
    of relief (``photo_relief``).

    The maps as they are where the photograph does not show the person large enough for more.
    """
    if not MapsNetwork.available() or shown_px(figure, body, photo.camera) < _FINE_FROM_PX:
        return coarse
    mesh, alpha = body.as_mesh(), figure.alpha.full()
    crop = person_crop(mesh.vertices, photo.camera, alpha, FINE_SIZE)
    square, mask = crop.camera(photo.camera), crop.extract(alpha)
    # Somebody who stands is in less than half of the square: the rest would cost as much.
    part = occupied(square.project(mesh.vertices), mask)
    top, left = (side.start for side in part)
    width, height = (side.stop - side.start for side in part[::-1])
    window = square.window(left, top, 1, width, height)
    normals = vertex_normals(mesh.vertices, mesh.faces)
    drawn = draw_body(
        mesh.vertices, mesh.faces, normals, window, float(body.translation[2]), body.height_m
    )
    pixels, mask = crop.extract(photo.pixels, GREY)[part], mask[part]
    inside = crop.inside(photo.width, photo.height)[part]
    seen = MapsNetwork().normals(pixels, mask, drawn, inside)
    fine = of_clothes(seen, window, drawn, body, hidden)
    print_share = printed(pixels, mask)
    maps = averaged(coarse, fine, print_share)
    return photo_relief.photographed(maps, pixels, mask, print_share) if photographed else maps


def averaged(coarse: SurfaceMaps, fine: SurfaceMaps, printed: np.ndarray) -> SurfaceMaps:
    """Two estimates of one person's normals in one: they err differently.

    What both resolve is their mean. What is finer only ``fine`` has, and it counts whole; but where
    the picture shows print, which the network takes for relief, that fades.

    Args:
        coarse, fine: of the same person.
        printed: (H, W) float32 0..1 in the window of ``fine``.
    """
    believed = (1 - printed)[..., None]
    front, back = (
        unit_normals(_combined(raised, own, believed))
        for raised, own in (
            (coarse.resampled(coarse.front_normals, fine.camera), fine.front_normals),
            (coarse.resampled(coarse.back_normals, fine.camera), fine.back_normals),
        )
    )
    return SurfaceMaps(fine.camera, front, back)


def _combined(coarse: np.ndarray, fine: np.ndarray, believed: np.ndarray) -> np.ndarray:
    difference = fine - coarse
    height, width = difference.shape[:2]
    small = cv2.resize(
        difference, (width // _COARSER, height // _COARSER), interpolation=cv2.INTER_AREA
    )
    broad = cv2.resize(cv2.GaussianBlur(small, (0, 0), _FINE_PX / _COARSER), (width, height))
    return coarse + believed * (difference - 0.5 * broad)


def printed(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Where cloth is printed, (H, W) float32 0..1: its chroma is busy all around.

    A seam between two colours is not: it touches few pixels.

    Args:
        pixels: (H, W, 3) uint8 sRGB.
        alpha: (H, W) uint8, the person's matte; what is beside it does not count.
    """
    lab = cielab(pixels)
    # Under more light, a, b and L + 16 grow alike: their ratio knows colours, not folds.
    chroma = lab[..., 1:] * (66 / (np.maximum(lab[..., :1], _DARK) + 16))
    weight = np.asarray(alpha, np.float32) / 255
    blurred = cv2.GaussianBlur(chroma * weight[..., None], (0, 0), _PRINT_PX)
    around = cv2.GaussianBlur(weight, (0, 0), _PRINT_PX)
    mean = blurred / np.maximum(around, 1e-3)[..., None]
    off = chroma - mean
    least = _PRINT_CHROMA * (1 + np.sqrt(np.einsum("hwc,hwc->hw", mean, mean)) / _VIVID)
    busy = (np.einsum("hwc,hwc->hw", off, off) > least**2) * weight
    share = _wide_mean(busy, weight)
    start, end = _PRINT
    return np.asarray(np.clip((share - start) / (end - start), 0, 1), np.float32)


def _wide_mean(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The mean of values (H, W), which are weighted already, around every pixel."""
    small = max(values.shape[1] // 4, 1), max(values.shape[0] // 4, 1)
    sums, counts = (
        cv2.GaussianBlur(
            cv2.resize(one, small, interpolation=cv2.INTER_AREA), (0, 0), _PRINT_AROUND_PX / 4
        )
        for one in (values, weight)
    )
    return cv2.resize(sums / np.maximum(counts, 1e-3), values.shape[::-1])
