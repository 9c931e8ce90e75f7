"""USDZ: an avatar for the viewer of iPhones (AR Quick Look), and for programs that speak USD.

https://openusd.org/release/spec_usdz.html. Written by Pixar's library (the extra ``usd``).
"""

from __future__ import annotations

import re
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from vitruvian.errors import MissingExtraError
from vitruvian.formats.atomic import write_bytes
from vitruvian.formats.images import encode_jpeg
from vitruvian.formats.rig import Clip
from vitruvian.formats.rigged import RiggedAvatar
from vitruvian.geometry.normals import vertex_normals
from vitruvian.image.color import srgb_decoded

FIRST_CLIP = "idle"
_KEYS_PER_SECOND = 30.0


def check_usd() -> None:
    """Raise ``MissingExtraError`` where the library that writes USD is not installed."""
    if find_spec("pxr") is None:
        raise MissingExtraError(
            "USDZ files are written by a package that is not installed: "
            "pip install 'vitruvian[usd]'."
        )


def write_usdz(avatar: RiggedAvatar, path: str | Path, *, clip: str = FIRST_CLIP) -> Path:
    """Write the avatar as USDZ (metres, y up, facing +z) and return the path.

    A ``SkelRoot`` holds the mesh, its skeleton, a material with the textures inside the file, and
    every clip as a ``SkelAnimation``. The one that plays is a choice of the variant set ``clip``,
    because viewers such as that of iPhones play only one; the stage lasts as long as the first.

    Args:
        avatar: its bones keep their names in ``jointNames``; paths of joints have ``_`` in place of
            what USD does not allow there.
        path: where the ``.usdz`` goes.
        clip: which clip plays unless another is chosen; the avatar's first where it has no such.

    Raises:
        MissingExtraError: the extra ``usd`` is not installed.
        InputError: the place cannot be written.
    """
    check_usd()
    from pxr import Sdf, Usd, UsdGeom, UsdSkel

    name = valid_name(avatar.name)
    with tempfile.TemporaryDirectory(prefix="vitruvian-") as kept:
        folder = Path(kept)
        stage = Usd.Stage.CreateInMemory()
        UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
        UsdGeom.SetStageMetersPerUnit(stage, 1.0)
        stage.SetTimeCodesPerSecond(_KEYS_PER_SECOND)
        stage.SetFramesPerSecond(_KEYS_PER_SECOND)
        root = UsdSkel.Root.Define(stage, f"/{name}")
        stage.SetDefaultPrim(root.GetPrim())
        Usd.ModelAPI(root).SetKind("component")
        skeleton = _add_skeleton(stage, avatar, f"/{name}/skeleton")
        mesh = _add_mesh(stage, avatar, f"/{name}/mesh", skeleton)
        _add_material(stage, avatar, f"/{name}/material", folder, mesh)
        _add_clips(stage, avatar, root, skeleton, clip)
        _set_extent(stage, root)
        layer = folder / f"{name}.usdc"
        stage.GetRootLayer().Export(str(layer))
        package = folder / "package.usdz"
        # UsdUtils would look for what to pack, and warns of textures that it has found before.
        with (Sdf if hasattr(Sdf, "ZipFileWriter") else Usd).ZipFileWriter.CreateNew(
            str(package)
        ) as packed:
            for file in (layer, *sorted(folder.glob("*.jpg"))):
                packed.AddFile(str(file), file.name)
        return write_bytes(path, package.read_bytes())


def valid_name(name: str) -> str:
    """A name as USD wants it: letters, digits and ``_``, no digit in front."""
    name = re.sub(r"\W", "_", name, flags=re.ASCII)
    return f"_{name}" if not name or name[0].isdigit() else name


def joint_paths(avatar: RiggedAvatar) -> list[str]:
    """Of every joint, the names from the root down to it, as a skeleton lists them."""
    paths: list[str] = []
    for bone, parent in zip(avatar.bone_names, avatar.parents, strict=True):
        above = f"{paths[parent]}/" if parent >= 0 else ""
        paths.append(above + valid_name(bone))
    return paths


def _add_skeleton(stage: Any, avatar: RiggedAvatar, path: str) -> Any:
    """Joints with their places in the mesh at rest, which are those without animation, too."""
    from pxr import UsdSkel, Vt

    skeleton = UsdSkel.Skeleton.Define(stage, path)
    skeleton.CreateJointsAttr(joint_paths(avatar))
    skeleton.CreateJointNamesAttr(list(avatar.bone_names))
    bind = np.tile(np.eye(4), (len(avatar.joints), 1, 1))
    rest = bind.copy()
    bind[:, :3, :3], bind[:, :3, 3] = avatar.axes, avatar.joints
    rest[:, :3, :3], rest[:, :3, 3] = avatar.rest_rotations, avatar.rest_offsets
    # USD multiplies rows.
    skeleton.CreateBindTransformsAttr(Vt.Matrix4dArray.FromNumpy(_rows(bind)))
    skeleton.CreateRestTransformsAttr(Vt.Matrix4dArray.FromNumpy(_rows(rest)))
    return skeleton


def _rows(matrices: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(matrices.swapaxes(1, 2))


def _add_mesh(stage: Any, avatar: RiggedAvatar, path: str, skeleton: Any) -> Any:
    """The mesh at rest with its skin; closed: texture coordinates have indices of their own."""
    from pxr import Sdf, UsdGeom, UsdSkel, Vt

    mesh = avatar.mesh
    assert mesh.skin_joints is not None
    assert mesh.skin_weights is not None
    out = UsdGeom.Mesh.Define(stage, path)
    points = np.ascontiguousarray(mesh.vertices, np.float32)
    out.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(points))
    out.CreateExtentAttr(Vt.Vec3fArray.FromNumpy(np.stack([points.min(0), points.max(0)])))
    out.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(len(mesh.faces), 3, np.int32)))
    out.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(_flat(mesh.faces, np.int32)))
    out.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    out.CreateDoubleSidedAttr(False)
    out.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(vertex_normals(mesh.vertices, mesh.faces)))
    out.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    primvars = UsdGeom.PrimvarsAPI(out)
    if mesh.uvs is not None:
        kind = Sdf.ValueTypeNames.TexCoord2fArray
        st = primvars.CreatePrimvar("st", kind, UsdGeom.Tokens.faceVarying)
        st.Set(Vt.Vec2fArray.FromNumpy(np.ascontiguousarray(mesh.uvs, np.float32)))
        st.SetIndices(Vt.IntArray.FromNumpy(_flat(mesh.uv_faces, np.int32)))
    if mesh.vertex_colors is not None:
        linear = srgb_decoded(mesh.vertex_colors / 255).astype(np.float32)
        out.CreateDisplayColorAttr(Vt.Vec3fArray.FromNumpy(linear))
        out.GetDisplayColorPrimvar().SetInterpolation(UsdGeom.Tokens.vertex)
    skin = UsdSkel.BindingAPI.Apply(out.GetPrim())
    skin.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
    size = mesh.skin_joints.shape[1]
    skin.CreateJointIndicesPrimvar(False, size).Set(
        Vt.IntArray.FromNumpy(_flat(mesh.skin_joints, np.int32))
    )
    skin.CreateJointWeightsPrimvar(False, size).Set(
        Vt.FloatArray.FromNumpy(_flat(mesh.skin_weights, np.float32))
    )
    return out


def _flat(values: Any, kind: Any) -> np.ndarray:
    return np.ascontiguousarray(values, kind).ravel()


def _add_material(stage: Any, avatar: RiggedAvatar, path: str, folder: Path, mesh: Any) -> None:
    """A matt surface in the colours of the texture, with the relief of the normal map."""
    from pxr import Gf, Sdf, UsdShade

    types = Sdf.ValueTypeNames
    material = UsdShade.Material.Define(stage, path)
    surface = UsdShade.Shader.Define(stage, f"{path}/surface")
    surface.CreateIdAttr("UsdPreviewSurface")
    surface.CreateInput("metallic", types.Float).Set(0.0)
    surface.CreateInput("roughness", types.Float).Set(1.0)
    reader = UsdShade.Shader.Define(stage, f"{path}/st")
    reader.CreateIdAttr("UsdPrimvarReader_float2")
    reader.CreateInput("varname", types.String).Set("st")
    st = reader.CreateOutput("result", types.Float2)

    def add_picture(name: str, data: bytes, space: str) -> Any:
        (folder / f"{name}.jpg").write_bytes(data)
        picture = UsdShade.Shader.Define(stage, f"{path}/{name}")
        picture.CreateIdAttr("UsdUVTexture")
        picture.CreateInput("file", types.Asset).Set(f"./{name}.jpg")
        picture.CreateInput("st", types.Float2).ConnectToSource(st)
        picture.CreateInput("sourceColorSpace", types.Token).Set(space)
        picture.CreateInput("wrapS", types.Token).Set("clamp")
        picture.CreateInput("wrapT", types.Token).Set("clamp")
        return picture

    color = surface.CreateInput("diffuseColor", types.Color3f)
    if avatar.mesh.texture is not None:
        picture = add_picture("texture", encode_jpeg(avatar.mesh.texture), "sRGB")
        color.ConnectToSource(picture.CreateOutput("rgb", types.Float3))
    elif avatar.mesh.vertex_colors is not None:
        colors = UsdShade.Shader.Define(stage, f"{path}/colors")
        colors.CreateIdAttr("UsdPrimvarReader_float3")
        colors.CreateInput("varname", types.String).Set("displayColor")
        color.ConnectToSource(colors.CreateOutput("result", types.Float3))
    else:
        color.Set(Gf.Vec3f(0.5))
    if avatar.mesh.normal_map is not None:
        data = encode_jpeg(avatar.mesh.normal_map, full_chroma=True)
        picture = add_picture("normals", data, "raw")
        picture.CreateInput("scale", types.Float4).Set(Gf.Vec4f(2, 2, 2, 1))
        picture.CreateInput("bias", types.Float4).Set(Gf.Vec4f(-1, -1, -1, 0))
        normal = surface.CreateInput("normal", types.Normal3f)
        normal.ConnectToSource(picture.CreateOutput("rgb", types.Float3))
    material.CreateSurfaceOutput().ConnectToSource(surface.CreateOutput("surface", types.Token))
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)


def _add_clips(stage: Any, avatar: RiggedAvatar, root: Any, skeleton: Any, first: str) -> None:
    """All clips, and the variant set that says which of them plays."""
    from pxr import UsdGeom, UsdSkel

    scope = UsdGeom.Scope.Define(stage, root.GetPath().AppendChild("clips")).GetPath()
    binding = UsdSkel.BindingAPI.Apply(skeleton.GetPrim())
    choices = root.GetPrim().GetVariantSets().AddVariantSet("clip")
    for clip in avatar.clips:
        name = valid_name(clip.name)
        animation = _add_clip(stage, avatar, clip, scope.AppendChild(name))
        choices.AddVariant(name)
        choices.SetVariantSelection(name)
        with choices.GetVariantEditContext():
            binding.CreateAnimationSourceRel().SetTargets([animation.GetPath()])
    shown = next((clip for clip in avatar.clips if clip.name == first), avatar.clips[0])
    choices.SetVariantSelection(valid_name(shown.name))
    stage.SetStartTimeCode(0)
    stage.SetEndTimeCode(float(shown.times_s[-1]) * _KEYS_PER_SECOND)


def _add_clip(stage: Any, avatar: RiggedAvatar, clip: Clip, path: Any) -> Any:
    """One clip; a clip that stays has no times."""
    from pxr import Usd, UsdSkel, Vt

    out = UsdSkel.Animation.Define(stage, path)
    out.CreateJointsAttr(joint_paths(avatar))
    turns = avatar.local_quaternions(clip.rotations).astype(np.float32)
    places = np.tile(avatar.rest_offsets.astype(np.float32), (len(turns), 1, 1))
    places[:, 0] = avatar.root_places(clip)
    ones = Vt.Vec3hArray.FromNumpy(np.ones(avatar.joints.shape, np.float16))
    out.CreateScalesAttr(ones)
    moves = out.CreateTranslationsAttr()
    spins = out.CreateRotationsAttr()
    still = np.array_equal(clip.rotations[:1], clip.rotations[-1:]) and len(clip.times_s) == 2
    times = [Usd.TimeCode.Default()] if still else [*(clip.times_s * _KEYS_PER_SECOND)]
    for time, turn, place in zip(times, turns, places, strict=False):
        spins.Set(Vt.QuatfArray.FromNumpy(np.ascontiguousarray(turn)), time)
        moves.Set(Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(place)), time)
    return out


def _set_extent(stage: Any, root: Any) -> None:
    """The box that viewers frame: where the joints go in the clip that plays, and some more."""
    from pxr import UsdGeom

    times = np.linspace(stage.GetStartTimeCode(), stage.GetEndTimeCode(), 9)
    boxes = np.array([UsdGeom.Boundable.ComputeExtentFromPlugins(root, time) for time in times])
    box = np.stack([boxes[:, 0].min(0), boxes[:, 1].max(0)])
    root.CreateExtentAttr([tuple(map(float, corner)) for corner in box])
