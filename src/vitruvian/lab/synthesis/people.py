"""Build a person from a recipe: body, skin, clothes, shoes, hair, eyes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from vitruvian.lab.synthesis.accessories import Accessory, accessory_parts
from vitruvian.lab.synthesis.anatomy import anatomy
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.folds import folded
from vitruvian.lab.synthesis.garments import Garment, Look, garment_parts
from vitruvian.lab.synthesis.parts import (
    LABEL,
    WHITE,
    Part,
    PosedAnatomy,
    Surface,
    load_texture,
    pose_anatomy,
    proxy_part,
    skin_part,
    unmarked,
)
from vitruvian.lab.synthesis.solids import cap_faces
from vitruvian.lab.synthesis.wraps import Wrap, without_hooded_hair, wrap_parts

Color = tuple[float, float, float]


@dataclass(frozen=True)
class Recipe:
    """Everything that makes a person, so that it can be built again.

    Attributes:
        betas: (K,); pose: (J, 3) axis-angle; expression: (E,) strengths or None.
        skin: index into the library's skins; skin_tint: linear factors.
        outfit, shoes, hair, hat: asset names or None.
        looks: garment kind ("outfit", "shoes", "hat") to its look.
        hair_tint: linear colour of hair and brows.
        eyes: name of the eyes' material; brows, lashes: asset names.
        garments: procedural garments, the inner ones first.
        wraps: hoods and scarves.
        accessories: what is carried.
    """

    betas: np.ndarray
    pose: np.ndarray
    expression: np.ndarray | None = None
    skin: int = 0
    skin_tint: Color = (1.0, 1.0, 1.0)
    skin_wrinkles: tuple[np.ndarray, np.ndarray] | None = None
    outfit: str | None = None
    shoes: str | None = None
    hair: str | None = None
    hat: str | None = None
    looks: dict[str, Look] = field(default_factory=dict)
    hair_tint: Color = (0.05, 0.03, 0.02)
    eyes: str = "brown"
    brows: str = "eyebrow001"
    lashes: str = "eyelashes01"
    garments: tuple[Garment, ...] = ()
    wraps: tuple[Wrap, ...] = ()
    accessories: tuple[Accessory, ...] = ()


@dataclass(frozen=True)
class SyntheticPerson:
    """A built person, standing on y = 0 at the origin, facing +z as far as its pose does.

    Attributes:
        recipe: what it was built from.
        body: the posed mesh hm08, before ``lift``.
        parts: what is drawn, already lifted.
        lift: metres that everything was raised to stand on the ground.
    """

    recipe: Recipe
    body: PosedAnatomy
    parts: tuple[Part, ...]
    lift: float

    @cached_property
    def solids(self) -> list[tuple[np.ndarray, np.ndarray, bool]]:
        """Vertices (V, 3), faces (F, 3) and whether it is made of sheets, of each solid part.

        Garments are closed by fans, and the body is whole under them.
        """
        out = []
        for part in self.parts:
            if not part.solid:
                continue
            sheet = part.label == LABEL["hair"]
            if part.label == LABEL["skin"]:
                faces = anatomy().faces  # the whole body, under the clothes too
            elif sheet:
                faces = opaque_faces(part)
            else:
                faces = np.concatenate([part.faces, cap_faces(part.faces)])
            out.append((part.vertices, faces, sheet))
        return out

    @cached_property
    def vertices(self) -> np.ndarray:
        """(N, 3) all vertices of the drawn parts that faces use."""
        return np.concatenate([p.vertices[p.used] for p in self.parts])


def opaque_faces(part: Part) -> np.ndarray:
    """Faces (F, 3) whose middle the texture does not cut out."""
    height, width = part.surface.texture.shape[:2]
    middle = part.uvs[part.uv_faces].mean(1) % 1.0
    column = np.minimum((middle[:, 0] * width).astype(int), width - 1)
    row = np.minimum(((1 - middle[:, 1]) * height).astype(int), height - 1)
    return part.faces[part.surface.texture[row, column, 3] > 127]


@lru_cache(maxsize=32)
def _shoe_texture(library: AssetLibrary, name: str, path: Path, size: int) -> np.ndarray:
    """Textures of shoes are photographs, some with makers' marks: none is shown as it is."""
    proxy = library.proxy("clothes", name)
    return unmarked(load_texture(path, size), proxy.uvs, proxy.uv_faces)


def _worn(library: AssetLibrary, kind: str, name: str, look: Look, size: int) -> Surface:
    proxy = library.proxy("clothes", name)
    material = proxy.material
    missing = material.diffuse is None
    texture = WHITE
    if material.diffuse is not None:
        if kind == "shoes":
            texture = _shoe_texture(library, name, material.diffuse, size)
        else:
            texture = load_texture(material.diffuse, size)
    normal = None if material.normal is None else load_texture(material.normal, size)
    return Surface(
        texture=texture,
        normal_map=normal,
        tint=look.tint,
        recolor=look.recolor or missing,
        contrast=look.contrast,
        gloss=look.gloss,
        scatter=0.08,
        wrinkles=look.wrinkles,
        pattern=look.pattern,
        crease=look.crease,
    )


def build_person(
    recipe: Recipe, library: AssetLibrary, texture_size: int = 1024
) -> SyntheticPerson:
    """Fit, dress and pose a person, and stand it on the ground; textures of at most that size."""
    mesh = anatomy()
    body = pose_anatomy(mesh, recipe.betas, recipe.pose, recipe.expression)
    parts: list[Part] = []
    hidden: list[np.ndarray] = []
    for kind in ("outfit", "shoes", "hat"):
        name = getattr(recipe, kind)
        if name is None:
            continue
        proxy = library.proxy("clothes", name)
        look = recipe.looks.get(kind, Look())
        surface = _worn(library, kind, name, look, texture_size)
        parts.append(proxy_part(proxy, body, kind, surface, inflate=look.inflate))
        hidden.append(proxy.hidden)
    for garment in recipe.garments:
        parts.extend(garment_parts(garment, body))
    for wrap in recipe.wraps:
        parts.extend(wrap_parts(wrap, body, tuple(parts)))
    parts = [_without_hidden_sock(part, parts) for part in parts]
    skins = library.skins
    parts.insert(
        0,
        skin_part(
            mesh,
            body,
            hidden,
            Surface(
                texture=load_texture(skins[recipe.skin % len(skins)], texture_size),
                tint=recipe.skin_tint,
                gloss=0.035,
                shininess=14.0,
                scatter=0.35,
                wrinkles=recipe.skin_wrinkles,
            ),
        ),
    )
    parts = [folded(part, body) for part in parts]
    clothes = tuple(parts[1:])
    parts.extend(_head(recipe, library, body, texture_size))
    for item in recipe.accessories:
        parts.extend(accessory_parts(item, body, clothes))
    lift = -min(float(p.vertices[p.used, 1].min()) for p in parts)
    raised = tuple(_raised(part, lift) for part in parts)
    return SyntheticPerson(recipe, body, raised, lift)


def _head(recipe: Recipe, library: AssetLibrary, body: PosedAnatomy, size: int) -> list[Part]:
    out = []
    if recipe.hair is not None:
        proxy = library.proxy("hair", recipe.hair)
        texture = (
            WHITE if proxy.material.diffuse is None else load_texture(proxy.material.diffuse, size)
        )
        normal = proxy.material.normal
        look = Surface(
            texture=texture,
            normal_map=None if normal is None else load_texture(normal, size),
            tint=recipe.hair_tint,
            recolor=True,
            contrast=0.9,
            cutout=True,
            gloss=0.05,
            shininess=18.0,
            scatter=0.25,
        )
        hair = proxy_part(proxy, body, "hair", look, solid=True)
        for wrap in recipe.wraps:
            if wrap.kind == "hood":
                hair = without_hooded_hair(hair, wrap, body)
        if len(hair.faces):
            out.append(hair)
    eyes = library.proxy("eyes", "high-poly")
    iris = library.folder / "eyes" / "materials" / f"{recipe.eyes}_eye.webp"
    if iris.is_file():
        look = Surface(texture=load_texture(iris, size), gloss=0.25, shininess=60.0, cutout=True)
        out.append(proxy_part(eyes, body, "eyes", look, solid=False))
    for kind, name in (("eyebrows", recipe.brows), ("eyelashes", recipe.lashes)):
        proxy = library.proxy(kind, name)
        if proxy.material.diffuse is None:
            continue
        look = Surface(
            texture=load_texture(proxy.material.diffuse, size),
            tint=recipe.hair_tint,
            recolor=True,
            contrast=0.5,
            cutout=True,
        )
        out.append(proxy_part(proxy, body, "face hair", look, solid=False))
    return out


def _without_hidden_sock(part: Part, parts: list[Part]) -> Part:
    """Shoes without what lies under trouser legs, where the two meshes pierce each other."""
    if part.label != LABEL["shoes"]:
        return part
    keep = np.ones(len(part.faces), bool)
    corners = part.rest[part.faces]  # (F, 3, 3)
    for other in parts:
        if other.label not in (LABEL["outfit"], LABEL["bottom"], LABEL["dress"], LABEL["coat"]):
            continue
        for side in (-1, 1):
            shoe = part.rest[side * part.rest[:, 0] > 0]
            if not len(shoe):
                continue
            centre = shoe[shoe[:, 1] > np.percentile(shoe[:, 1], 80)].mean(0)
            apart = np.hypot(other.rest[:, 0] - centre[0], other.rest[:, 2] - centre[2])
            around = other.rest[apart < 0.13, 1]
            if len(around) < 20 or around.min() > centre[1] + 0.05:
                continue
            above = (corners[:, :, 1] > around.min() + 0.012).all(1)
            keep &= ~(above & (side * corners[:, :, 0] > 0).all(1))
    return replace(part, faces=part.faces[keep], uv_faces=part.uv_faces[keep])


def _raised(part: Part, lift: float) -> Part:
    return replace(part, vertices=part.vertices + np.array([0, lift, 0], np.float32))
