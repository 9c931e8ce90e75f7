"""Compiled inner loops of the body model; ``BodyModel`` is their interface.

``tests/body/test_body_model.py`` keeps the plain numpy versions.
"""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel


@kernel(
    "void(int64[::1],float64[:,::1],float64[:,:,::1],float64[::1],float64[:,:,::1],float64[:,::1])"
)
def joint_transforms(
    parents: np.ndarray,
    joints: np.ndarray,
    rotations: np.ndarray,
    translation: np.ndarray,
    turned: np.ndarray,
    heads: np.ndarray,
) -> None:
    """Fill in global rotations ``turned`` (J, 3, 3) and positions ``heads`` (J, 3) of joints."""
    for j in range(len(parents)):
        p = parents[j]
        for i in range(3):
            if p < 0:
                heads[j, i] = translation[i]
                for k in range(3):
                    turned[j, i, k] = rotations[j, i, k]
                continue
            value = heads[p, i]
            for k in range(3):
                value += turned[p, i, k] * (joints[j, k] - joints[p, k])
            heads[j, i] = value
            for k in range(3):
                value = 0.0
                for m in range(3):
                    value += turned[p, i, m] * rotations[j, m, k]
                turned[j, i, k] = value


@kernel(
    "void(float32[:,::1],uint16[:,::1],float32[:,::1],float32[:,:,::1],float32[:,::1])",
    fastmath=True,
)
def skin(
    vertices: np.ndarray,
    skin_joints: np.ndarray,
    skin_weights: np.ndarray,
    matrices: np.ndarray,
    out: np.ndarray,
) -> None:
    """Linear blend skinning of vertices (V, 3) by matrices (J, 3, 4) into ``out``."""
    influences = skin_joints.shape[1]
    for v in range(vertices.shape[0]):
        x, y, z = vertices[v, 0], vertices[v, 1], vertices[v, 2]
        a = b = c = np.float32(0)
        for m in range(influences):
            w = skin_weights[v, m]
            if w == 0:
                continue
            t = matrices[skin_joints[v, m]]
            a += w * (t[0, 0] * x + t[0, 1] * y + t[0, 2] * z + t[0, 3])
            b += w * (t[1, 0] * x + t[1, 1] * y + t[1, 2] * z + t[1, 3])
            c += w * (t[2, 0] * x + t[2, 1] * y + t[2, 2] * z + t[2, 3])
        out[v, 0], out[v, 1], out[v, 2] = a, b, c


@kernel(
    "void(int64[::1],float64[:,::1],float64[:,:,::1],float64[::1],float64[:,:,::1],float64[::1],"
    "float64[:,::1],float64[:,:,::1],int64[:,::1],float64[:,::1],int64[::1],boolean,"
    "float64[:,::1],float64[:,:,::1])",
    fastmath=True,
)
def evaluate(
    parents: np.ndarray,
    joint_template: np.ndarray,
    joint_directions: np.ndarray,
    betas: np.ndarray,
    rotations: np.ndarray,
    translation: np.ndarray,
    template: np.ndarray,
    directions: np.ndarray,
    point_joints: np.ndarray,
    point_weights: np.ndarray,
    active: np.ndarray,
    jacobian: bool,
    out: np.ndarray,
    derivative: np.ndarray,
) -> None:
    """See ``BodyModel.evaluate``; directions come as (J, K, 3) and (N, K, 3), and
    ``derivative`` must be zero."""
    count, shapes, turns = len(parents), len(betas), len(active)
    joints = joint_template.copy()
    for j in range(count):
        for k in range(shapes):
            for i in range(3):
                joints[j, i] += betas[k] * joint_directions[j, k, i]
    turned, heads = np.empty((count, 3, 3)), np.empty((count, 3))
    joint_transforms(parents, joints, rotations, translation, turned, heads)

    # Nearest active joint at or above each joint, and above each active joint: the chains that
    # a point's derivative runs along.
    slot = np.full(count, -1)
    for a in range(turns):
        slot[active[a]] = a
    nearest = np.full(count, -1)
    for j in range(count):
        if slot[j] >= 0:
            nearest[j] = slot[j]
        elif parents[j] >= 0:
            nearest[j] = nearest[parents[j]]
    above = np.full(turns, -1)
    for a in range(turns):
        p = parents[active[a]]
        above[a] = nearest[p] if p >= 0 else -1

    head_shapes = np.zeros((count, shapes, 3))
    if jacobian:
        for j in range(count):
            p = parents[j]
            if p < 0:
                continue  # the root joint is put at the translation, whatever the shape
            for k in range(shapes):
                for i in range(3):
                    value = head_shapes[p, k, i]
                    for m in range(3):
                        value += turned[p, i, m] * (
                            joint_directions[j, k, m] - joint_directions[p, k, m]
                        )
                    head_shapes[j, k, i] = value

    rest = np.empty(3)
    here = np.empty(3)
    arm = np.zeros((turns, 3))
    used = np.zeros(turns, np.bool_)
    for n in range(template.shape[0]):
        for i in range(3):
            rest[i] = template[n, i]
            out[n, i] = 0.0
        for k in range(shapes):
            for i in range(3):
                rest[i] += betas[k] * directions[n, k, i]
        for s in range(point_joints.shape[1]):
            w = point_weights[n, s]
            if w == 0:
                continue
            j = point_joints[n, s]
            for i in range(3):
                here[i] = heads[j, i]
                for m in range(3):
                    here[i] += turned[j, i, m] * (rest[m] - joints[j, m])
                out[n, i] += w * here[i]
            if not jacobian:
                continue
            a = nearest[j]
            while a >= 0:
                used[a] = True
                for i in range(3):
                    arm[a, i] += w * (here[i] - heads[active[a], i])
                a = above[a]
            for k in range(shapes):
                dx = directions[n, k, 0] - joint_directions[j, k, 0]
                dy = directions[n, k, 1] - joint_directions[j, k, 1]
                dz = directions[n, k, 2] - joint_directions[j, k, 2]
                for i in range(3):
                    derivative[n, i, 3 * turns + k] += w * (
                        head_shapes[j, k, i]
                        + turned[j, i, 0] * dx
                        + turned[j, i, 1] * dy
                        + turned[j, i, 2] * dz
                    )
        if not jacobian:
            continue
        for a in range(turns):
            if not used[a]:
                continue
            used[a] = False
            x, y, z = arm[a, 0], arm[a, 1], arm[a, 2]
            arm[a, 0] = arm[a, 1] = arm[a, 2] = 0.0
            p = parents[active[a]]
            for c in range(3):
                # Column c of the parent's rotation: where the increment's axis c points.
                if p >= 0:
                    u, v, q = turned[p, 0, c], turned[p, 1, c], turned[p, 2, c]
                else:
                    u = 1.0 if c == 0 else 0.0
                    v = 1.0 if c == 1 else 0.0
                    q = 1.0 if c == 2 else 0.0
                derivative[n, 0, 3 * a + c] = v * z - q * y
                derivative[n, 1, 3 * a + c] = q * x - u * z
                derivative[n, 2, 3 * a + c] = u * y - v * x
        for i in range(3):
            derivative[n, i, 3 * turns + shapes + i] = 1.0


@kernel("float64(float32[:,::1],int32[:,::1])")
def enclosed_volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    """Volume inside a closed mesh whose faces look outwards: the sum of signed tetrahedra."""
    total = 0.0
    for f in range(len(faces)):
        a, b, c = vertices[faces[f, 0]], vertices[faces[f, 1]], vertices[faces[f, 2]]
        total += a[0] * (b[1] * c[2] - b[2] * c[1])
        total += a[1] * (b[2] * c[0] - b[0] * c[2])
        total += a[2] * (b[0] * c[1] - b[1] * c[0])
    return total / 6
