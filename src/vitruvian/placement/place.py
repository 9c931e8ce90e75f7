"""From bodies fitted one by one to a scene: upright, on one ground, in depth order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vitruvian.placement.depth_order import DepthCue
from vitruvian.placement.ground import feet_seen, world_from_ground
from vitruvian.placement.panels import Panels, one_panel
from vitruvian.placement.sizes import settle_sizes
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure
from vitruvian.types.keypoints import ANKLES, HEELS, TOES
from vitruvian.types.mesh import Mesh

_FEET = np.concatenate([ANKLES, HEELS, TOES])
_BELOW = 0.25  # metres under the ground from which on somebody does not stand on it
_NEARLY = 0.1  # the same for feet that are hardly seen
_WELL_SEEN = 0.5  # of the trust in the best seen feet
_BESIDE = 0.4  # metres between the people of two pictures
_ALOFT = 0.15  # metres above the ground from which on it is said
_FOOT_PARTS = {"left foot", "right foot"}
_LEG_PARTS = _FOOT_PARTS | {"left lower leg", "right lower leg"}
_CAMERA_UP = np.array([0.0, -1.0, 0.0])

IN_A_PICTURE = (
    "This seems to be somebody in a picture within the picture (a poster, a collage or a "
    "screenshot): they stand on a ground of their own, beside the others, in a size of their own."
)


@dataclass(frozen=True)
class Placement:
    """Bodies in their final sizes and places, and the world around them.

    Attributes:
        bodies: in the camera frame.
        world_from_camera: (4, 4) float64 rigid matrix.
        panels: who is seen in a picture within the picture.
        worlds: for each body its own ``world_from_camera``: people in another panel than the
            main one stand on a ground of their own, beside the others.
        trust: (N,) 0..1, how surely the feet of each are seen and on the ground.
    """

    bodies: tuple[Body, ...]
    world_from_camera: np.ndarray
    panels: Panels
    worlds: tuple[np.ndarray, ...]
    trust: np.ndarray


def place_people(
    figures: Sequence[Figure],
    bodies: Sequence[Body],
    camera: Camera,
    refit: Callable[[Figure, Body, float], Body],
    *,
    known_sizes: Collection[int] = (),
    depth: DepthCue | None = None,
    panels: Panels | None = None,
    children: Sequence[float] | None = None,
) -> Placement:
    """Turn the world upright, find its ground and settle sizes and depth order.

    One picture does not tell a small person near by from a tall one far away. Three cues settle it
    where they are there: feet stand on one ground, whoever hides another is nearer, and a network
    reads distances and the horizon off the picture.

    Args:
        figures, bodies: one each per person.
        camera: of the photograph.
        refit: fits a figure's body to another stature, in metres.
        known_sizes: indices of the people whose stature was given; they keep it.
        depth: what the depth network says; without it the ground alone settles sizes.
        panels: who is seen in a picture within the picture; those of different ones tell nothing
            about each other. By default all are in one.
        children: (N,) probabilities of being a child, as the fit believed; NaN, and by default,
            where nothing tells.
    """
    panels = panels or one_panel(len(bodies))
    trust = np.array(
        [feet_seen(f.landmarks.visibility[_FEET], f.complete) for f in figures], dtype=float
    )
    young = np.full(len(bodies), np.nan) if children is None else np.asarray(children, float)
    placed = list(bodies)
    worlds = [np.eye(4)] * len(bodies)
    for group in panels.groups():
        told = depth if panels.numbers[group[0]] == panels.whole else None
        members, up = settle_sizes(
            [figures[i] for i in group],
            [bodies[i] for i in group],
            camera,
            refit,
            np.isin(group, list(known_sizes)),
            trust[group],
            None if told is None else told.of(group),
            young[group],
        )
        world = _world(members, trust[group], up)
        for i, body in zip(group, members, strict=True):
            placed[i], worlds[i] = body, world
    main = worlds[panels.groups()[0][0]] if worlds else _world([], trust, _CAMERA_UP)
    return Placement(tuple(placed), main, panels, tuple(worlds), trust)


def on_the_ground(placement: Placement, meshes: Sequence[Mesh]) -> Placement:
    """The placement with the ground under the soles of what people wear.

    Bodies stand barefoot inside of their shoes. The ground is under the lowest sole; those whose
    feet lie far below everybody else's, or somewhat below where they are hardly seen, do not lift
    the others into the air. Whose surface ends above the feet, where the picture does, keeps their
    height above that ground; where nobody's feet are there, the lowest cut stands on it. People of
    further pictures within the picture are put in a row beside the first.

    Args:
        placement: of ``place_people``.
        meshes: the outer surface of each person, camera frame.
    """
    worlds = list(placement.worlds)
    right = -np.inf
    for group in placement.panels.groups():
        world = worlds[group[0]]
        spans = [_span(world, placement.bodies[i], meshes[i]) for i in group]
        if any(span.stands for span in spans):
            # Legs that are not seen are a guess, and lift nobody else into the air.
            firm = np.array([not _LEG_PARTS & _unseen(placement.bodies[i]) for i in group])
            firm |= not firm.any()
            lows = np.array([span.feet for span in spans])
            level = _level(lows[firm], placement.trust[group][firm])
        else:
            level = min(span.low for span in spans)
        aside = 0.0
        if np.isfinite(right):
            aside = right + _BESIDE - min(span.left for span in spans)
        moved = world.copy()
        moved[:3, 3] += [aside, -level, 0.0]
        right = max(right, *(span.right + aside for span in spans))
        for i in group:
            worlds[i] = moved
    if not worlds:
        return placement
    main = worlds[placement.panels.groups()[0][0]]
    return replace(placement, worlds=tuple(worlds), world_from_camera=main)


def place_warnings(placement: Placement, meshes: Sequence[Mesh]) -> list[tuple[str, ...]]:
    """For each person sentences about a place that is not where the picture shows them."""
    said = []
    for number, world, body, mesh in zip(
        placement.panels.numbers, placement.worlds, placement.bodies, meshes, strict=True
    ):
        span = _span(world, body, mesh)
        sentences: tuple[str, ...] = ()
        if number != placement.panels.main:
            sentences += (IN_A_PICTURE,)
        guessed = set(body.seen.cut) >= _FOOT_PARTS  # which is told already
        if span.stands and not guessed and span.feet < -_NEARLY:
            sentences += (
                f"The feet are {-span.feet:.2f} m below the ground of the others, so size or "
                "distance may be wrong; a mirror, a poster or stairs can be the reason.",
            )
        elif span.stands and span.feet > _ALOFT and not _LEG_PARTS & _unseen(body):
            sentences += (
                f"The feet are {span.feet:.2f} m above the ground of the others: a jump or a step, "
                "or size or distance is wrong.",
            )
        said.append(sentences)
    return said


@dataclass(frozen=True)
class _Span:
    """Of somebody's surface the lowest point, and where it begins and ends along x; and the lowest
    point of surface and body. Metres in the world."""

    low: float
    left: float
    right: float
    feet: float

    @property
    def stands(self) -> bool:
        """Whether the surface goes down to the feet; it may end above, where the picture does."""
        return self.low < self.feet + _NEARLY


def _span(world: np.ndarray, body: Body, mesh: Mesh) -> _Span:
    x = mesh.vertices @ world[0, :3] + world[0, 3]
    low = float((mesh.vertices @ world[1, :3]).min() + world[1, 3])
    under = float((body.vertices @ world[1, :3]).min() + world[1, 3])
    return _Span(low, float(x.min()), float(x.max()), min(low, under))


def _unseen(body: Body) -> set[str]:
    """Parts that the frame cuts off or something hides."""
    return {*body.seen.cut, *body.seen.hidden}


def _level(lows: np.ndarray, trust: np.ndarray) -> float:
    """The height of the ground under people whose lowest points are at ``lows`` (N,), metres."""
    middle = _weighted_median(lows, 0.05 + trust)
    near = np.where(trust >= _WELL_SEEN * trust.max(), _BELOW, _NEARLY)
    return float(lows[lows >= middle - near].min())


def _world(bodies: Sequence[Body], trust: np.ndarray, up: np.ndarray) -> np.ndarray:
    """``world_from_camera`` with the ground under the feet and the people around the origin."""
    if not bodies:
        return world_from_ground(up, -1.6 * up)
    heights = np.array([float((body.vertices @ up).min()) for body in bodies])
    # The ground is where most feet are; those in the air or below the frame are outvoted.
    level = _weighted_median(heights, 0.05 + trust)
    centre = np.mean([body.translation for body in bodies], axis=0)
    origin = centre + (level - centre @ up) * up
    return world_from_ground(up, origin)


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(cumulative, cumulative[-1] / 2)])
