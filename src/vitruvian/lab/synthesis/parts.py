"""Parts of a person (skin, garments, hair) and how they follow the body."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from vitruvian.body.model.model import body_model
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.lab.synthesis.anatomy import Anatomy
from vitruvian.lab.synthesis.proxies import Proxy

# Labels of pixels, in this order in every sample.
PART_LABELS = (
    "background", "skin", "hair", "top", "bottom", "outfit", "dress", "coat", "shoes", "hat",
    "eyes", "face hair", "accessory", "occluder", "bag", "other",
)  # fmt: skip
LABEL = {name: index for index, name in enumerate(PART_LABELS)}


# Kind, repeats per metre, share, second linear colour (3,), direction (3,).
Pattern = tuple[int, float, float, tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True)
class Surface:
    """What a part looks like.

    Attributes:
        texture: (h, w, 4) uint8 sRGB and alpha.
        normal_map: (h, w, 4) uint8 tangent-space normals, or None.
        tint: linear RGB; a factor, or with ``recolor`` the colour itself.
        recolor: take from the texture only its relative brightness.
        contrast: how much of that brightness to keep.
        cutout: the texture's alpha cuts the part out.
        gloss, shininess, scatter: see ``shading``.
        wrinkles: volumes (3,) int32 and maps (3, 3, 5) float32 of ``wrinkles.random_wrinkles``.
        pattern: see ``Pattern``, and ``shading`` for the kinds.
        crease: how much darker a fold is per metre of depth, as a share.
    """

    texture: np.ndarray
    normal_map: np.ndarray | None = None
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    recolor: bool = False
    contrast: float = 1.0
    cutout: bool = False
    gloss: float = 0.03
    shininess: float = 12.0
    scatter: float = 0.0
    wrinkles: tuple[np.ndarray, np.ndarray] | None = None
    pattern: Pattern | None = None
    crease: float = 14.0


@dataclass(frozen=True)
class Part:
    """A mesh with one surface.

    Attributes:
        name: the asset's or garment's name.
        label: index into ``PART_LABELS``.
        rest: (V, 3) float32 metres, body rest frame.
        vertices: (V, 3) float32 metres, posed, world frame of the person.
        faces, uv_faces: (F, 3) int32; uvs: (T, 2) float32.
        surface: how it looks.
        solid: the part bounds what counts as occupied (not brows, lashes, eyes).
        folds: (V, 4) float32 place in the volume ``shading.FOLDS`` in periods, and height of folds
            in metres; None = none.
    """

    name: str
    label: int
    rest: np.ndarray
    vertices: np.ndarray
    faces: np.ndarray
    uvs: np.ndarray
    uv_faces: np.ndarray
    surface: Surface
    solid: bool = True
    folds: np.ndarray | None = None

    @cached_property
    def used(self) -> np.ndarray:
        """(V,) bool: vertices that faces use."""
        out = np.zeros(len(self.vertices), bool)
        out[self.faces] = True
        return out

    @cached_property
    def normals(self) -> np.ndarray:
        """(V, 3) float32 unit normals of ``vertices``."""
        return vertex_normals(self.vertices, self.faces)


@dataclass(frozen=True)
class PosedAnatomy:
    """The body mesh hm08 at rest and posed, with what carries it from one to the other.

    Attributes:
        betas: (K,) of the body model.
        pose: (J, 3) axis-angle.
        rest: (19158, 3) float32.
        vertices: (19158, 3) float32 posed; the root joint where the template has it.
        joints: (J, 3) float64 posed.
        rest_joints: (J, 3) float64.
        matrices: (19158, 3, 4) float32 rest to posed, per vertex.
        transforms: (J, 3, 4) float32 rest to posed, per joint.
    """

    betas: np.ndarray
    pose: np.ndarray
    rest: np.ndarray
    vertices: np.ndarray
    joints: np.ndarray
    rest_joints: np.ndarray
    matrices: np.ndarray = field(repr=False)
    transforms: np.ndarray = field(repr=False)

    def carry(self, rest: np.ndarray, matrices: np.ndarray) -> np.ndarray:
        """Posed positions (V, 3) of rest positions with their own matrices (V, 3, 4)."""
        moved = np.einsum("vij,vj->vi", matrices[:, :, :3], rest) + matrices[:, :, 3]
        return moved.astype(np.float32)


def pose_anatomy(
    anatomy: Anatomy, betas: np.ndarray, pose: np.ndarray, expression: np.ndarray | None = None
) -> PosedAnatomy:
    """Pose the whole mesh; for the body's own vertices the result is the body model's."""
    body = body_model()
    rest = anatomy.rest(betas, expression)
    joints = body.joint_template + np.tensordot(betas, body.joint_directions[: len(betas)], 1)
    local = matrix_from_axis_angle(pose)
    rotations = np.empty_like(local)
    heads = np.empty_like(joints)
    for j, parent in enumerate(body.parents):
        if parent < 0:
            rotations[j], heads[j] = local[j], joints[j]
        else:
            rotations[j] = rotations[parent] @ local[j]
            heads[j] = heads[parent] + rotations[parent] @ (joints[j] - joints[parent])
    shift = heads - np.einsum("jab,jb->ja", rotations, joints)
    transforms = np.concatenate([rotations, shift[:, :, None]], 2).astype(np.float32)
    matrices = np.einsum("vk,vkij->vij", anatomy.skin_weights, transforms[anatomy.skin_joints])
    posed = np.einsum("vij,vj->vi", matrices[:, :, :3], rest) + matrices[:, :, 3]
    return PosedAnatomy(
        np.asarray(betas, np.float64), pose, rest, posed.astype(np.float32), heads, joints,
        matrices, transforms,
    )  # fmt: skip


def proxy_matrices(proxy: Proxy, body: PosedAnatomy) -> np.ndarray:
    """Skinning matrices (V, 3, 4) of a proxy's vertices, blended from those they hang on."""
    weights = np.clip(proxy.weights, 0, None)
    weights = weights / np.maximum(weights.sum(1, keepdims=True), 1e-9)
    return np.einsum("vk,vkij->vij", weights, body.matrices[proxy.references])


def proxy_part(
    proxy: Proxy,
    body: PosedAnatomy,
    label: str,
    surface: Surface,
    *,
    solid: bool = True,
    inflate: float = 0.0,
) -> Part:
    """Fit a proxy to the body at rest and pose it with the body. ``inflate`` is in metres."""
    rest = proxy.fit(body.rest)
    if inflate:
        rest = rest + np.float32(inflate) * vertex_normals(rest, proxy.faces)
    vertices = body.carry(rest, proxy_matrices(proxy, body))
    return Part(
        proxy.name, LABEL[label], rest, vertices, proxy.faces, proxy.uvs, proxy.uv_faces, surface,
        solid,
    )  # fmt: skip


def skin_part(
    anatomy: Anatomy, body: PosedAnatomy, hidden: list[np.ndarray], surface: Surface
) -> Part:
    """The body's skin without what the garments say they cover."""
    covered = np.zeros(len(anatomy.template), bool)
    for indices in hidden:
        covered[indices] = True
    keep = ~covered[anatomy.faces].all(1)
    return Part(
        "skin", LABEL["skin"], body.rest, body.vertices, anatomy.faces[keep], anatomy.uvs,
        anatomy.uv_faces[keep], surface,
    )  # fmt: skip


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit area-weighted normals (V, 3) float32; zero for unused vertices."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    area = np.cross(b - a, c - a)
    out = np.empty((len(vertices), 3))
    index = faces.ravel()
    for axis in range(3):
        out[:, axis] = np.bincount(index, np.repeat(area[:, axis], 3), minlength=len(vertices))
    length = np.linalg.norm(out, axis=1, keepdims=True)
    return (out / np.maximum(length, 1e-12)).astype(np.float32)


@lru_cache(maxsize=96)
def load_texture(path: Path, size: int = 1024) -> np.ndarray:
    """An image as (h, w, 4) uint8, at most ``size`` on a side."""
    from PIL import Image

    with Image.open(path) as file:
        image = file.convert("RGBA")
        if max(image.size) > size:
            image = image.resize((size, size), Image.Resampling.BOX)
        return np.array(image)


def unmarked(texture: np.ndarray, uvs: np.ndarray, uv_faces: np.ndarray) -> np.ndarray:
    """A texture (h, w, 4) uint8 without what is printed on the goods that it is a photograph of.

    Only colours that change slowly are kept, whatever the picture shows: a Gaussian of
    ``MARK_BLUR`` of the side, over what the faces (F, 3) cover by their uvs (T, 2), so that
    nothing else bleeds in.
    """
    import cv2

    height, width = texture.shape[:2]
    covered = np.zeros((height, width), np.uint8)
    corners = uvs[uv_faces] * [width, -height] + [0, height]
    for triangle in np.round(corners).astype(np.int32):
        cv2.fillConvexPoly(covered, triangle, 1)
    sigma = MARK_BLUR * max(height, width)
    weight = cv2.GaussianBlur(covered.astype(np.float32), (0, 0), sigma)
    masked = texture[..., :3].astype(np.float32) * covered[..., None]
    mean = cv2.GaussianBlur(masked, (0, 0), sigma) / np.maximum(weight, 1e-6)[..., None]
    out = texture.copy()
    inside = weight > 1e-3  # the rims of islands, too, where bilinear lookups reach
    out[inside, :3] = np.clip(np.round(mean[inside]), 0, 255)
    return out


MARK_BLUR = 0.06
WHITE = np.full((4, 4, 4), 255, np.uint8)
