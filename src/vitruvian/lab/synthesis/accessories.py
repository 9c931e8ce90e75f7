"""What people carry: bags on a shoulder or the back, things held in a hand.

Everything is made of closed meshes (rounded boxes and bands), so that it is solid like the body.
Bags on the body are laid on what is worn below them, at rest, and follow the skin there; things in
a hand follow the wrist; what dangles hangs down in the posed world.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.body.model import skeleton
from vitruvian.body.model.model import body_model
from vitruvian.body.model.skeleton import HIPS, LEFT, MIDDLE_SPINE, SHOULDERS
from vitruvian.compute import kernel
from vitruvian.lab.synthesis.anatomy import anatomy
from vitruvian.lab.synthesis.garments import Look, body_regions
from vitruvian.lab.synthesis.materials import stock_tile
from vitruvian.lab.synthesis.parts import LABEL, WHITE, Part, PosedAnatomy, Surface

KINDS = ("shoulder bag", "backpack", "handbag", "phone", "ball", "umbrella")
HELD = ("handbag", "phone", "ball", "umbrella")
BAGS = ("shoulder bag", "backpack", "handbag")
_CLEAR = 0.01  # metres above the ground that anything dangling keeps


@dataclass(frozen=True)
class Accessory:
    """Something carried.

    Attributes:
        kind: one of ``KINDS``.
        side: "L" or "R": the hand that holds it, or the shoulder it hangs on.
        size: (3,) half extents in metres: across, up, deep (a ball's radius three times).
        look: its colour and pattern; tile: number of a stock texture to dye, or None for plain.
        length: metres of a handbag's handles, or how far down a shoulder bag hangs (0..1).
        across: a shoulder bag's strap runs across the chest.
        turn: radians about the vertical (dangling things), or about the body (shoulder bags).
    """

    kind: str
    side: str
    size: tuple[float, float, float]
    look: Look
    tile: int | None = None
    length: float = 0.3
    across: bool = False
    turn: float = 0.0


def accessory_parts(item: Accessory, body: PosedAnatomy, worn: Sequence[Part]) -> list[Part]:
    """The meshes of a thing carried by a body that wears ``worn``.

    Empty where the pose leaves no room for it: it would reach into the ground.
    """
    ground = float(body.vertices[anatomy().faces.ravel(), 1].min())
    makers: dict[str, Callable[[], list[Part]]] = {
        "shoulder bag": lambda: _shoulder_bag(item, body, worn),
        "backpack": lambda: _backpack(item, body, worn),
        "handbag": lambda: _handbag(item, body, ground),
        "umbrella": lambda: _umbrella(item, body, ground),
        "phone": lambda: _in_palm(item, body, 6.0),
        "ball": lambda: _in_palm(item, body, 2.0),
    }
    parts = makers[item.kind]()
    if any(float(p.vertices[:, 1].min()) < ground + 0.5 * _CLEAR for p in parts):
        return []
    return parts


def rounded_box(half: np.ndarray, power: float, rows: int = 14, columns: int = 28) -> tuple[
    np.ndarray, np.ndarray, np.ndarray
]:  # fmt: skip
    """A closed superellipsoid |x/a|^p + |y/b|^p + |z/c|^p = 1 about the origin.

    ``half`` (3,): a, b, c in metres; power 2 is an ellipsoid, more is a box with round edges.

    Returns:
        vertices (V, 3), faces (F, 3) int32 facing outwards, uvs (V, 2) in metres.
    """
    tilt = np.linspace(-np.pi / 2, np.pi / 2, rows + 1)[1:-1]
    turn = np.arange(columns) / columns * 2 * np.pi
    # Spread over the cube's sides: rows of equal angle crowd at the poles of a box.
    sphere = np.stack(
        [
            np.cos(tilt)[:, None] * np.sin(turn),
            np.repeat(np.sin(tilt)[:, None], columns, 1),
            np.cos(tilt)[:, None] * np.cos(turn),
        ],
        -1,
    ).reshape(-1, 3)
    unit = np.concatenate([sphere, [[0, -1, 0], [0, 1, 0]]])
    unit = unit / (np.abs(unit) ** power).sum(1, keepdims=True) ** (1 / power)
    vertices = unit * half
    k = np.arange(columns)
    n = (k + 1) % columns
    faces = []
    for row in range(rows - 2):
        low, high = row * columns, (row + 1) * columns
        faces += [np.stack([low + k, low + n, high + k], 1)]
        faces += [np.stack([low + n, high + n, high + k], 1)]
    south, north = len(unit) - 2, len(unit) - 1
    last = (rows - 2) * columns
    faces += [np.stack([np.full(columns, south), n, k], 1)]
    faces += [np.stack([np.full(columns, north), last + k, last + n], 1)]
    uvs = np.stack(
        [vertices[:, 0] + 0.7 * vertices[:, 2], vertices[:, 1] + 0.3 * vertices[:, 2]], 1
    )
    return vertices, np.concatenate(faces).astype(np.int32), uvs


def band(
    path: np.ndarray, normal: np.ndarray, width: float | np.ndarray, thickness: float | np.ndarray,
    *, closed: bool, sides: int = 4,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """A strap along points ``path`` (N, 3) whose flat side looks along ``normal`` (N, 3).

    ``width`` and ``thickness`` in metres, each one number or (N,); ``closed``: the last point is
    joined to the first, else both ends are covered. With more than four ``sides`` the section is
    an ellipse.

    Returns:
        vertices (V, 3), faces (F, 3) int32 facing outwards, uvs (V, 2) in metres.
    """
    count = len(path)
    around_it = np.roll(path, -1, 0) - np.roll(path, 1, 0)
    tangent = around_it if closed else np.gradient(path, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    up = normal - (normal * tangent).sum(1, keepdims=True) * tangent
    up /= np.maximum(np.linalg.norm(up, axis=1, keepdims=True), 1e-9)
    aside = np.cross(up, tangent)
    angle = (np.arange(sides) + 0.5) / sides * 2 * np.pi
    stretch = 0.5 * (np.sqrt(2) if sides == 4 else 1.0)
    wide = np.broadcast_to(np.asarray(width, float), (count,))[:, None, None] * stretch
    thick = np.broadcast_to(np.asarray(thickness, float), (count,))[:, None, None] * stretch
    vertices = (
        path[:, None]
        + aside[:, None] * wide * np.cos(angle)[:, None]
        + up[:, None] * thick * np.sin(angle)[:, None]
    ).reshape(-1, 3)
    rows = np.arange(count if closed else count - 1)
    k = np.arange(sides)
    low, high = rows[:, None] * sides, (rows[:, None] + 1) % count * sides
    n = (k + 1) % sides
    a, b, c, d = ((x + y).ravel() for x, y in ((low, k), (low, n), (high, n), (high, k)))
    faces = [np.stack([a, b, c], 1), np.stack([a, c, d], 1)]
    if not closed:
        fan = np.arange(1, sides - 1)
        last = (count - 1) * sides
        faces.append(np.stack([np.zeros(sides - 2, int), fan + 1, fan], 1))
        faces.append(np.stack([np.full(sides - 2, last), last + fan, last + fan + 1], 1))
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    along = np.repeat(np.concatenate([[0], np.cumsum(steps)]), sides)
    around = np.tile(k / sides * float(np.mean(width)) * 2, count)
    return vertices, np.concatenate(faces).astype(np.int32), np.stack([around, along], 1)


def _part(
    item: Accessory,
    mesh: tuple[np.ndarray, np.ndarray, np.ndarray],
    posed: np.ndarray | None = None,
) -> Part:
    vertices, faces, uvs = mesh
    look = item.look
    tile = None if item.tile is None else stock_tile(item.tile % 2 == 0, item.tile // 2)
    surface = Surface(
        texture=WHITE if tile is None else tile.color,
        normal_map=None if tile is None else tile.normal,
        tint=look.tint, recolor=True, contrast=0.0 if tile is None else look.contrast,
        gloss=look.gloss, wrinkles=look.wrinkles, pattern=look.pattern, crease=look.crease,
    )  # fmt: skip
    scale = 1.0 if tile is None else 3.0 / tile.size  # finer than on a wall
    label = LABEL["bag"] if item.kind in BAGS else LABEL["other"]
    return Part(
        item.kind, label, vertices.astype(np.float32),
        (vertices if posed is None else posed).astype(np.float32), faces,
        (uvs * scale).astype(np.float32), faces, surface,
    )  # fmt: skip


@dataclass(frozen=True)
class _Hand:
    """Where a hand is, posed: middle of the palm, along the fingers, to the thumb, off the palm."""

    palm: np.ndarray
    fingers: np.ndarray
    thumb: np.ndarray
    out: np.ndarray


def _hand(body: PosedAnatomy, side: str) -> _Hand:
    index = body_model().joint_index
    wrist, middle, first, last = (
        body.joints[index[pair["LR".index(side)]]]
        for pair in (
            skeleton.WRISTS,
            skeleton.finger(3, 1),
            skeleton.finger(2, 1),
            skeleton.finger(5, 1),
        )
    )
    fingers = (middle - wrist) / np.linalg.norm(middle - wrist)
    thumb = first - last
    thumb = thumb - (thumb @ fingers) * fingers
    thumb = thumb / np.linalg.norm(thumb)
    out = np.cross(fingers, thumb) * (1 if side == "L" else -1)
    # The skin of the palm is about 1.5 cm off the bones.
    return _Hand(0.25 * wrist + 0.75 * middle + 0.015 * out, fingers, thumb, out)


def _in_palm(item: Accessory, body: PosedAnatomy, power: float) -> list[Part]:
    """Something rigid on the palm: deep along ``out``, up along the thumb or the fingers."""
    hand = _hand(body, item.side)
    c, s = np.cos(item.turn), np.sin(item.turn)
    up = c * hand.fingers + s * hand.thumb
    axes = np.stack([np.cross(up, hand.out), up, hand.out])
    rows = (14, 28) if power < 3 else (20, 40)
    mesh = rounded_box(np.array(item.size), power, *rows)
    middle = hand.palm + hand.out * item.size[2] + hand.fingers * 0.02
    return [_part(item, mesh, mesh[0] @ axes + middle)]


def _grip(hand: _Hand) -> np.ndarray:
    """Within the bent fingers."""
    return hand.palm + 0.02 * hand.fingers + 0.012 * hand.out


def _level(direction: np.ndarray, turn: float) -> np.ndarray:
    """Axes (3, 3) with y up and x along a direction in the plane, turned."""
    angle = np.arctan2(-direction[2], direction[0]) + turn
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])


def _handbag(item: Accessory, body: PosedAnatomy, ground: float) -> list[Part]:
    """A bag that hangs from the fingers by two handles, as low as the ground allows."""
    hand = _hand(body, item.side)
    grip = _grip(hand)
    room = grip[1] - ground - _CLEAR - 2 * item.size[1]
    drop = min(item.length, float(room))
    if drop < 0.05:
        return []
    axes = _level(hand.thumb, item.turn)
    mesh = rounded_box(np.array(item.size), 5.0, 18, 36)
    middle = grip - [0, drop + item.size[1], 0]
    parts = [_part(item, mesh, mesh[0] @ axes + middle)]
    t = np.linspace(0, np.pi, 17)
    for face in (-0.35, 0.35):
        reach = 0.55 * item.size[0] * np.cos(t) * (0.35 + 0.65 * (1 - np.sin(t)))
        arch = np.stack([
            reach, item.size[1] * 0.9 + (drop + 0.1 * item.size[1]) * np.sin(t) ** 0.6,
            face * item.size[2] * (1 - np.sin(t)),
        ], 1)  # fmt: skip
        normal = np.tile([0.0, 0.0, 1.0], (len(t), 1))
        strap = band(arch, normal, 0.014, 0.006, closed=False)
        parts.append(_part(item, strap, strap[0] @ axes + middle))
    return parts


def _umbrella(item: Accessory, body: PosedAnatomy, ground: float) -> list[Part]:
    """A closed umbrella or a stick: it leans forward and ends above the ground."""
    hand = _hand(body, item.side)
    grip = _grip(hand)
    lean = hand.thumb * [1, 0.3, 1] * 0.45 - [0, 1, 0]
    lean /= np.linalg.norm(lean)
    longest = (grip[1] - ground - _CLEAR) / max(-float(lean[1]), 0.2) - 0.02
    length = min(2 * item.size[1], longest)
    if length < 0.35:
        return []
    s = np.linspace(-0.09, length, 32)
    wide = item.size[0]
    radii = [0.011, 0.011, wide, 1.1 * wide, 0.012, 0.006, 0.005]
    radius = np.interp(s / length, [-1, 0.12, 0.16, 0.45, 0.92, 0.93, 1], radii)
    path = grip + s[:, None] * lean
    aside = np.cross(lean, [0.3, 0.2, 0.9])
    mesh = band(path, np.tile(aside, (len(s), 1)), 2 * radius, 2 * radius, closed=False, sides=10)
    # Its pattern and folds live on it, not in the place where it happens to be.
    flat = band(np.stack([0 * s, s, 0 * s], 1), np.tile([0.0, 0, 1], (len(s), 1)), 2 * radius,
                2 * radius, closed=False, sides=10)  # fmt: skip
    return [_part(item, flat, mesh[0])]


def _trunk(body: PosedAnatomy, worn: Sequence[Part]) -> tuple[np.ndarray, np.ndarray]:
    """Rest positions (N, 3) of trunk skin and its vertex numbers (N,), and (M, 3) with clothes."""
    region = body_regions()
    skin = region.skin[(region.arm[region.skin] < 0.35) & (region.head[region.skin] < 0.3)]
    points = body.rest[skin]
    clothes = [p.rest[p.used] for p in worn if p.name not in KINDS]
    own = [c for c in clothes if len(c)]
    if not own:
        return skin, points
    cloth = np.concatenate(own)
    # Sleeves and collars are not what a strap lies on: keep what is close to skin of the trunk.
    low, high = points.min(0), points.max(0)
    reach = 0.9 * np.abs(body.rest_joints[body_model().joint_index[SHOULDERS[LEFT]], 0])
    near = (np.abs(cloth[:, 0]) < reach) & (cloth[:, 1] < high[1]) & (cloth[:, 1] > low[1])
    return skin, np.concatenate([points, cloth[near]])


def carriers_of(body: PosedAnatomy, skin: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Skinning (N, 3, 4) of rest points: of the trunk's skin round about, near more than far."""
    out = np.empty((len(points), 3, 4), np.float32)
    _carry(
        np.ascontiguousarray(body.rest[skin], np.float64),
        np.ascontiguousarray(body.matrices[skin], np.float32).reshape(-1, 12),
        np.ascontiguousarray(points, np.float64),
        out.reshape(-1, 12),
    )
    return out


@kernel("void(float64[:,::1],float32[:,::1],float64[:,::1],float32[:,::1])")
def _carry(skin, matrices, points, out):  # type: ignore[no-untyped-def]
    most = min(24, len(skin))
    apart, nearest = np.empty(most), np.empty(most, np.int64)
    total = np.empty(12)
    for k in range(len(points)):
        held = 0
        for v in range(len(skin)):
            dx, dy = skin[v, 0] - points[k, 0], skin[v, 1] - points[k, 1]
            dz = skin[v, 2] - points[k, 2]
            far = dx * dx + dy * dy + dz * dz
            if held == most and far >= apart[most - 1]:
                continue
            at = held if held < most else most - 1
            while at > 0 and apart[at - 1] > far:
                apart[at], nearest[at] = apart[at - 1], nearest[at - 1]
                at -= 1
            apart[at], nearest[at] = far, v
            held = min(held + 1, most)
        total[:] = 0.0
        weights = 0.0
        for m in range(held):
            weight = 1.0 / (apart[m] + 0.02**2)
            weights += weight
            for j in range(12):
                total[j] += weight * matrices[nearest[m], j]
        for j in range(12):
            out[k, j] = total[j] / weights


def tight_loop(
    points: np.ndarray, origin: np.ndarray, along: np.ndarray, deep: np.ndarray, off: float
) -> tuple[np.ndarray, np.ndarray]:
    """A tight loop around points (N, 3) near the plane of two unit vectors through an origin.

    Returns its points (64, 3), ``off`` metres outside, and their outward normals (64, 3).
    """
    across = np.cross(along, deep)
    local = points - origin
    close = local[np.abs(local @ across) < 0.02]
    flat = np.stack([close @ along, close @ deep], 1).astype(np.float32)
    hull = cv2.convexHull(flat)[:, 0].astype(float)
    ring = np.concatenate([hull, hull[:1]])
    far = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(ring, axis=0), axis=1))])
    at = np.linspace(0, far[-1], 64, endpoint=False)
    even = np.stack([np.interp(at, far, ring[:, k]) for k in range(2)], 1)
    outward = np.zeros_like(even)
    for _ in range(3):  # round the hull's corners, outwards only
        step = np.roll(even, -1, 0) - np.roll(even, 1, 0)
        outward = np.stack([step[:, 1], -step[:, 0]], 1)
        outward *= np.sign((outward * (even - even.mean(0))).sum(1, keepdims=True))
        outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-9)
        mean = (np.roll(even, -1, 0) + np.roll(even, 1, 0) + 2 * even) / 4
        even = mean + np.maximum(((even - mean) * outward).sum(1, keepdims=True), 0) * outward
    even = even + off * outward
    frame = np.stack([along, deep])
    return origin + even @ frame, outward @ frame


def _shoulder_bag(item: Accessory, body: PosedAnatomy, worn: Sequence[Part]) -> list[Part]:
    """A bag at the hip, on a strap over one shoulder."""
    skin, points = _trunk(body, worn)
    index, sign = body_model().joint_index, 1.0 if item.side == "L" else -1.0
    shoulder = body.rest_joints[index[SHOULDERS[LEFT]]] * [sign, 1, 1]
    top = np.array([shoulder[0] * 0.62, shoulder[1], shoulder[2] * 0.5])
    hip = body.rest_joints[index[HIPS[LEFT]], 1]
    waist = body.rest_joints[index[MIDDLE_SPINE], 1]
    height = waist + (hip - 0.06 - waist) * np.clip(item.length, 0, 1)
    here = -sign if item.across else sign
    belt = points[np.abs(points[:, 1] - height) < 0.03]
    edge = float((belt[:, 0] * here).max()) * here
    bottom = np.array([edge if item.across else 0.85 * edge, height, float(belt[:, 2].mean())])
    along = (top - bottom) * [1, 1, 0]
    along /= np.linalg.norm(along)
    over = points[points[:, 1] > height - 0.02]
    path, normal = tight_loop(over, 0.5 * (top + bottom), along, np.array([0.0, 0, 1]), 0.006)
    mesh = band(path, normal, 0.032, 0.006, closed=True)
    carriers = np.repeat(carriers_of(body, skin, path), 4, 0)
    parts = [_part(item, mesh, body.carry(mesh[0].astype(np.float32), carriers))]
    # The bag looks outwards, somewhat to the front or to the back.
    c, s = np.cos(item.turn), np.sin(item.turn)
    out = np.array([here * c, 0, s])
    axes = np.stack([np.cross([0, 1, 0], out), np.array([0, 1.0, 0]), out])
    reach = float((belt @ out).max())
    middle_z = float(belt[:, 2].mean())
    middle = np.array([0, 0, middle_z]) * (1 - s * s) + out * reach
    middle[1] = height - 0.4 * item.size[1]
    middle = middle + out * (item.size[2] + 0.004)
    box = rounded_box(np.array(item.size), 5.0, 18, 36)
    rest = (box[0] @ axes + middle).astype(np.float32)
    carrier = carriers_of(body, skin, np.array([[edge, height + 0.08, middle_z]]))
    # One matrix for the whole bag, without the shear of blended skinning.
    u, _, v = np.linalg.svd(carrier[0, :, :3].astype(float))
    turn = u @ v
    anchor = np.array([[edge, height, middle_z]], np.float32)
    rigid = (rest - anchor) @ turn.T + body.carry(anchor, carrier)
    parts.append(_part(item, (rest, box[1], box[2]), rigid))
    return parts


def _backpack(item: Accessory, body: PosedAnatomy, worn: Sequence[Part]) -> list[Part]:
    """A rounded bag on the back with two straps over the shoulders."""
    skin, points = _trunk(body, worn)
    index = body_model().joint_index
    shoulder = body.rest_joints[index[SHOULDERS[LEFT]]]
    top = shoulder[1] + 0.02
    middle_y = top - item.size[1]
    back = points[(np.abs(points[:, 0]) < item.size[0]) & (np.abs(points[:, 1] - middle_y) <
                                                          0.7 * item.size[1])]  # fmt: skip
    depth = float(back[:, 2].min()) if len(back) else -0.12
    middle = np.array([0.0, middle_y, depth - item.size[2] * 0.92])
    box = rounded_box(np.array(item.size), 4.0, 18, 36)
    rest = (box[0] + middle).astype(np.float32)
    carrier = carriers_of(body, skin, np.array([[0.0, middle_y + 0.3 * item.size[1], depth]]))
    u, _, v = np.linalg.svd(carrier[0, :, :3].astype(float))
    anchor = np.array([[0.0, middle_y, depth]], np.float32)
    rigid = (rest - anchor) @ (u @ v).T + body.carry(anchor, carrier)
    parts = [_part(item, (rest, box[1], box[2]), rigid)]
    low = middle_y - 0.45 * item.size[1]
    own = points[points[:, 1] > low]
    for sign in (1.0, -1.0):
        x = sign * 0.58 * shoulder[0]
        origin = np.array([x, (low + top) / 2, 0.0])
        path, normal = tight_loop(own, origin, np.array([0.0, 1, 0]), np.array([0.0, 0, 1]), 0.007)
        mesh = band(path, normal, 0.05, 0.011, closed=True)
        carriers = np.repeat(carriers_of(body, skin, path), 4, 0)
        parts.append(_part(item, mesh, body.carry(mesh[0].astype(np.float32), carriers)))
    return parts


def random_accessory(
    rng: np.random.Generator, female: bool, look: Callable[[], Look], scale: float = 1.0
) -> Accessory:
    """Something to carry; ``scale``: the person's height over that of a grown-up."""
    shares = [0.24, 0.22, 0.2, 0.16, 0.1, 0.08] if female else [0.16, 0.32, 0.12, 0.2, 0.12, 0.08]
    kind = KINDS[int(rng.choice(len(KINDS), p=shares))]
    u, v, w = rng.random(3)
    half = {
        "shoulder bag": (0.10 + 0.10 * u, 0.08 + 0.10 * v, 0.025 + 0.04 * w),
        "backpack": (0.12 + 0.04 * u, 0.17 + 0.08 * v, 0.05 + 0.06 * w),
        "handbag": (0.11 + 0.10 * u, 0.08 + 0.12 * v, 0.03 + 0.06 * w),
        "phone": (0.034 + 0.006 * u, 0.068 + 0.014 * u, 0.005),
        "ball": (0.03 + 0.09 * u * v,) * 3,
        "umbrella": (0.014 + 0.016 * u, 0.38 + 0.12 * v, 0.02),
    }[kind]
    grown = 1.0 if kind == "phone" else float(np.clip(scale, 0.55, 1.15))
    return Accessory(
        kind=kind,
        side="LR"[int(rng.integers(2))],
        size=(grown * half[0], grown * half[1], grown * half[2]),
        look=look(),
        tile=int(rng.integers(32)) if rng.random() < 0.45 else None,
        length=float(rng.uniform(0.1, 0.32) if kind == "handbag" else rng.uniform(0.3, 1.1)),
        across=bool(rng.random() < 0.6),
        turn=float(rng.normal(0, 0.5)),
    )
