"""Who is who between cameras: tracks whose landmarks meet in space are one person's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vitruvian.geometry.rotations import transformed
from vitruvian.types.keypoints import CORE
from vitruvian.video.eyes import Eyes
from vitruvian.video.tracking import Sighting, Track

_MOST_COMPARED = 12  # frames of two tracks that tell whether they are one person's
_LEAST_COMPARED = 3
_SAME = 0.05  # of the person's size in the picture: mean distance of landmarks to where rays meet


def people_of(views: Sequence[Sequence[Track]], eyes: Eyes) -> list[tuple[Track, ...]]:
    """Everybody whom two cameras see at once: a track from each camera.

    The pairs of tracks that agree best are joined first. A person has at most one track of a
    camera at a time; several that follow each other become one.

    Args:
        views: the tracks of each camera; numbers of their sightings mean the same moments.
        eyes: the cameras.

    Returns:
        Per person a track of each camera, which has no sightings where it never shows them, in
        the order of appearance; ids from 1.
    """
    nodes = [(which, track) for which, tracks in enumerate(views) for track in tracks]
    pairs = []
    for a, (one, first) in enumerate(nodes):
        for b in range(a + 1, len(nodes)):
            other, second = nodes[b]
            if one != other:
                away = disagreement(eyes, one, first, other, second)
                if away < _SAME:
                    pairs.append((away, a, b))
    group = list(range(len(nodes)))
    for _, a, b in sorted(pairs):
        members = [n for n, g in enumerate(group) if g in (group[a], group[b])]
        if group[a] != group[b] and _apart([nodes[n] for n in members]):
            kept = group[a]
            for n in members:
                group[n] = kept
    people = []
    for number in dict.fromkeys(group):
        together = [nodes[n] for n, g in enumerate(group) if g == number]
        if len({which for which, _ in together}) > 1:
            people.append([_joined(together, which) for which in range(len(views))])
    people.sort(key=lambda tracks: min(t.sightings[0].number for t in tracks if t.sightings))
    return [
        tuple(replace(track, id=number) for track in tracks)
        for number, tracks in enumerate(people, 1)
    ]


def disagreement(eyes: Eyes, one: int, first: Track, other: int, second: Track) -> float:
    """How far the landmarks of two cameras' tracks are from where their rays meet.

    A share of the person's size in the picture, the median over common frames; infinite without
    enough of those.
    """
    by_number = {sight.number: sight for sight in second.sightings}
    common = [(s, by_number[s.number]) for s in first.sightings if s.number in by_number]
    if len(common) < _LEAST_COMPARED:
        return float("inf")
    chosen = np.unique(np.linspace(0, len(common) - 1, _MOST_COMPARED).round().astype(int))
    return float(np.median([_away(eyes, (one, other), common[index]) for index in chosen]))


def _away(eyes: Eyes, which: tuple[int, int], sights: tuple[Sighting, Sighting]) -> float:
    marks = [one.figure.landmarks.points[CORE] for one in sights]
    matrices = [eyes.matrix(w) for w in which]
    rays = [eyes.cameras[w].rays(points) for w, points in zip(which, marks, strict=True)]
    places = meeting(rays, matrices)
    errors = []
    for w, matrix, points, sight in zip(which, matrices, marks, sights, strict=True):
        seen = transformed(places, matrix)
        if (seen[:, 2] < 0.1).mean() > 0.2:  # behind the camera
            return float("inf")
        seen[:, 2] = np.maximum(seen[:, 2], 0.1)
        away = np.linalg.norm(eyes.cameras[w].project(seen) - points, axis=1)
        # Limbs that a camera does not see must not tell people apart.
        errors.append(np.median(away) / max(sight.figure.size, 1.0))
    return float(np.mean(errors))


def meeting(rays: Sequence[np.ndarray], matrices: Sequence[np.ndarray]) -> np.ndarray:
    """Points (N, 3) of the reference frame nearest to the rays (V of N, 3 with z = 1) that
    cameras cast at them; ``matrices`` (V of 4, 4) lead from the reference to the cameras."""
    rows = []
    for ray, matrix in zip(rays, matrices, strict=True):
        for axis in (0, 1):
            rows.append(matrix[axis][None] - ray[:, axis, None] * matrix[2][None])
    system = np.stack(rows, axis=1)  # (N, 2 V, 4)
    system = system / np.linalg.norm(system[..., :3], axis=2, keepdims=True)
    left, right = system[..., :3], -system[..., 3]
    normal = np.einsum("nki,nkj->nij", left, left) + 1e-9 * np.eye(3)
    return np.linalg.solve(normal, np.einsum("nki,nk->ni", left, right)[..., None])[..., 0]


def _apart(members: Sequence[tuple[int, Track]]) -> bool:
    """Whether no camera shows two of the tracks at once."""
    seen: set[tuple[int, int]] = set()
    for which, track in members:
        frames = {(which, one.number) for one in track.sightings}
        if frames & seen:
            return False
        seen |= frames
    return True


def _joined(members: Sequence[tuple[int, Track]], which: int) -> Track:
    own = [track for camera, track in members if camera == which]
    sightings = sorted((s for track in own for s in track.sightings), key=lambda s: s.number)
    looks = max(own, key=lambda track: len(track.sightings)).looks if own else None
    return Track(0, sightings, looks)
