"""The path of a camera that travels, from what stays where it is behind the people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from vitruvian.types.camera import Camera
from vitruvian.video.bundle import Bundle, Seen, adjust, intersect
from vitruvian.video.sights import Path, Sight

_EVERY_S = 0.1  # between the frames that points are reckoned from
_MOST_KEYS = 45  # of them at once
_LEAST_SHARED = 40  # features that two frames must share to begin with
_SHARE = 0.3  # of the first one's, too
_NOISE_PX = 0.7  # of a feature's place
_OUTLIER_PX = 3.0
_FARTHEST_PX = 50.0  # outliers farther off are no worse
_LEAST_SPREAD = 0.008  # radians: half of the angle between rays of points that are believed
_LEAST_POINTS = 12  # that tell where a camera is
_LEAST_PARALLAX = 0.008  # radians that no turn explains, between frames to set out from
_SEED = 1
_MOST_WRONG = 0.3  # share of the frames in which a point may be elsewhere
_PASSES = 2
_BEGINNINGS = 6  # pairs of frames to set out from, at most
_SAME = 0.03  # of its misfit by which a path from another beginning is the same
_PARALLAX = 75  # percentile: before a wall, a turn explains most of a way along it
_GOOD_PX = 1.2  # median distance of points from where they were seen, of a path that is believed
_GOOD_SHARE = 0.5  # of what was seen that such a path explains


def path_of(camera: Camera, sights: Sequence[Sight]) -> Path | None:
    """The path of a camera that travels; None where the features do not tell it surely.

    Two frames far apart begin (essential matrix: Nister, 2004); what they see places the others,
    which see more. All are then adjusted together, ``_MOST_KEYS`` frames at a time. A bad
    beginning leads astray, so several are tried; the path that fits best is it, and once two come
    to the same no more are tried.

    Args:
        camera: of the frames that the points are of.
        sights: of successive frames.
    """
    found: list[Path] = []
    builder = _Builder(camera, sights)
    for first, second in builder.beginnings():
        cv2.setRNGSeed(_SEED)  # the same path from the same sights
        if not builder.begin(first, second):
            continue
        builder.grow()
        path = builder.path()
        if path is None:
            continue
        found = sorted([*found, path], key=lambda one: one.misfit)
        if len(found) > 1 and found[1].misfit < (1 + _SAME) * found[0].misfit:
            break
    return found[0] if found else None


class _Builder:
    """Keyframes, what they see, and the bundle that grows over them."""

    def __init__(self, camera: Camera, sights: Sequence[Sight]) -> None:
        self.camera = camera
        self.sights = sights
        keys, last = [], -np.inf
        for index, sight in enumerate(sights):
            if sight.time_s - last >= _EVERY_S - 1e-6 or index == len(sights) - 1:
                keys.append(index)
                last = sight.time_s
        self.keys = keys
        counts: dict[int, int] = {}
        for index in keys:
            for one in sights[index].ids.tolist():
                counts[one] = counts.get(one, 0) + 1
        self.row = {one: row for row, one in enumerate(c for c, n in counts.items() if n > 1)}
        self.own = seen = [self._rays_of(sights[index]) for index in keys]
        self.starts = np.cumsum([0, *(len(rows) for rows, _ in seen)])
        self.seen = Seen(
            np.concatenate([np.full(len(rows), k) for k, (rows, _) in enumerate(seen)]),
            np.concatenate([rows for rows, _ in seen]),
            np.concatenate([rays for _, rays in seen]),
        )
        self._forget()

    def beginnings(self) -> list[tuple[int, int]]:
        """Pairs of keyframes to set out from, those that differ most first."""
        pairs: list[tuple[float, int, int]] = []
        count = len(self.keys)
        for first in range(0, count, max(1, count // 8)):
            own = self.own[first]
            for second in range(min(first + _MOST_KEYS, count - 1), first, -1):
                shared = np.isin(own[0], self.own[second][0])
                if shared.sum() >= max(_LEAST_SHARED, _SHARE * len(own[0])):
                    pairs.append((self._parallax(first, second), first, second))
                    break
        pairs.sort(reverse=True)
        told = [pair for parallax, *pair in pairs if parallax >= _LEAST_PARALLAX]
        return [(first, second) for first, second in told[:_BEGINNINGS]]

    def begin(self, first: int, second: int) -> bool:
        """Place two keyframes, nothing else, and the points that both see."""
        self._forget()
        _, one, other = self._shared(first, second)
        threshold = 1.5 / self.camera.focal_px
        essential, mask = cv2.findEssentialMat(
            one, other, np.eye(3), method=cv2.RANSAC, prob=0.9999, threshold=threshold
        )
        if essential is None or essential.shape != (3, 3):
            return False
        _, rotation, shift, mask = cv2.recoverPose(essential, one, other, np.eye(3), mask=mask)
        if int((mask > 0).sum()) < _LEAST_SHARED // 2:
            return False
        self.bundle.rotations[second], self.bundle.shifts[second] = rotation, shift.ravel()
        self.placed[[first, second]] = True
        self._intersect(first)
        self._adjust(np.array([first, second]), fixed=first)
        return bool(self.known.sum() >= _LEAST_POINTS)

    def grow(self) -> None:
        """Place the other keyframes: those between the first two, then those behind and before."""
        begun, other = np.flatnonzero(self.placed).tolist()
        order = [*range(begun + 1, other), *range(other + 1, len(self.keys))]
        order += range(begun - 1, -1, -1)
        for _ in range(_PASSES):
            for steps, key in enumerate(order):
                found = self._placed(self.sights[self.keys[key]])
                if found is None:
                    continue
                self.bundle.rotations[key], self.bundle.shifts[key] = found
                self.placed[key] = True
                self._intersect(key)
                if steps % 4 == 3:
                    self._adjust(self._around(key), fixed=begun, iterations=4)
            order = [key for key in order if not self.placed[key]]
        self._adjust(self._around(begun), fixed=begun, iterations=12)

    def path(self) -> Path | None:
        """Of all frames, if what was seen is explained."""
        if not self.placed.all():
            return None
        kept = self.known[self.seen.points]
        seen = self.seen.of(kept)
        away = self.bundle.away(seen) * self.camera.focal_px
        explained = (away < _OUTLIER_PX).sum() / max(len(self.seen.points), 1)
        if explained < _GOOD_SHARE or np.median(away) > _GOOD_PX:
            return None
        rotations, places = {}, {}
        for index, sight in enumerate(self.sights):
            near = int(np.abs(np.array(self.keys) - index).argmin())
            found = self.bundle.rotations[near], self.bundle.shifts[near]
            if self.keys[near] != index:
                found = self._placed(sight) or found
            rotations[sight.number] = found[0]
            places[sight.number] = -found[0].T @ found[1]
        first = rotations[self.sights[0].number].copy()
        start = places[self.sights[0].number].copy()
        depths = self.bundle.before(seen)[:, 2]
        unit = float(np.median(depths[depths > 0]))
        return Path(
            {number: turn @ first.T for number, turn in rotations.items()},
            {number: first @ (place - start) / unit for number, place in places.items()},
            (self.bundle.points[self.known] - start) @ first.T / unit,
            float(explained),
            self._misfit(away),
        )

    def _misfit(self, away: np.ndarray) -> float:
        """Mean of log(1 + squared distance) over all that was seen, of that without a place as of
        outliers; ``away`` (M,) pixels."""
        costs = np.log1p((np.minimum(away, _FARTHEST_PX) / (2 * _NOISE_PX)) ** 2)
        lost = len(self.seen.points) - len(away)
        outlier = np.log1p((_OUTLIER_PX / (2 * _NOISE_PX)) ** 2)
        return float((costs.sum() + lost * outlier) / len(self.seen.points))

    def _forget(self) -> None:
        """Nothing is placed."""
        count = len(self.keys)
        self.bundle = Bundle(
            np.tile(np.eye(3), (count, 1, 1)), np.zeros((count, 3)), np.zeros((len(self.row), 3))
        )
        self.placed = np.zeros(count, bool)
        self.known = np.zeros(len(self.row), bool)

    def _rays_of(self, sight: Sight) -> tuple[np.ndarray, np.ndarray]:
        """Rows of a frame's features among the points, and their rays (N, 2)."""
        rows = np.array([self.row.get(one, -1) for one in sight.ids.tolist()], int)
        rays = self.camera.rays(sight.points.astype(np.float64) + 0.5)[:, :2]
        return rows[rows >= 0], rays[rows >= 0]

    def _near(self, key: int) -> Seen:
        """What placed keyframes near one see."""
        first, end = max(0, key - _MOST_KEYS), min(len(self.keys), key + _MOST_KEYS + 1)
        part = slice(self.starts[first], self.starts[end])
        near = Seen(self.seen.cameras[part], self.seen.points[part], self.seen.rays[part])
        return near.of(self.placed[near.cameras])

    def _shared(self, first: int, second: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        (rows, one), (others, other) = self.own[first], self.own[second]
        shared, here, there = np.intersect1d(rows, others, return_indices=True)
        return shared, one[here], other[there]

    def _parallax(self, first: int, second: int) -> float:
        """Angle, radians, by which a good part of the features moved that no turn explains."""
        _, one, other = self._shared(first, second)
        before, after = (np.concatenate([r, np.ones((len(r), 1))], 1) for r in (one, other))
        before /= np.linalg.norm(before, axis=1, keepdims=True)
        after /= np.linalg.norm(after, axis=1, keepdims=True)
        left, _, right = np.linalg.svd(after.T @ before)
        turn = (left * [1, 1, np.sign(np.linalg.det(left @ right))]) @ right
        away = np.linalg.norm(before @ turn.T - after, axis=1)
        return float(np.percentile(away, _PARALLAX))

    def _placed(self, sight: Sight) -> tuple[np.ndarray, np.ndarray] | None:
        """Rotation and shift of a frame that sees known points."""
        rows, rays = self._rays_of(sight)
        known = self.known[rows]
        if known.sum() < _LEAST_POINTS:
            return None
        points, rays = self.bundle.points[rows[known]], np.ascontiguousarray(rays[known])
        done, turn, shift, inliers = cv2.solvePnPRansac(
            points,
            rays,
            np.eye(3),
            None,
            reprojectionError=_OUTLIER_PX / self.camera.focal_px,
            iterationsCount=300,
            flags=cv2.SOLVEPNP_SQPNP,
        )
        if not done or inliers is None or len(inliers) < max(_LEAST_POINTS, len(points) // 2):
            return None
        chosen = inliers.ravel()
        turn, shift = cv2.solvePnPRefineLM(
            points[chosen], rays[chosen], np.eye(3), None, turn, shift
        )
        if not (np.isfinite(turn).all() and np.isfinite(shift).all()):
            return None
        return cv2.Rodrigues(turn)[0], shift.ravel()

    def _intersect(self, key: int) -> None:
        """Points that keyframes near one see; believed where their rays spread and meet."""
        seen = self._near(key)
        rows, points = np.unique(seen.points, return_inverse=True)
        part = replace(self.bundle, points=self.bundle.points[rows])
        local = Seen(seen.cameras, points, seen.rays)
        met, spread = intersect(part, local)
        known = self.known[rows]
        part = replace(part, points=np.where(known[:, None], part.points, met))
        away = part.away(local) * self.camera.focal_px
        wrong, number = np.zeros(len(rows)), np.zeros(len(rows))
        np.add.at(wrong, points, away > _OUTLIER_PX)
        np.add.at(number, points, 1)
        good = (wrong <= _MOST_WRONG * number) & (number > 1)
        self.known[rows] = good & (spread > np.where(known, 0.5, 1.0) * _LEAST_SPREAD)
        self.bundle.points[rows] = part.points

    def _around(self, key: int) -> np.ndarray:
        """The placed keyframes nearest to one."""
        there = np.flatnonzero(self.placed)
        return np.sort(there[np.argsort(np.abs(there - key), kind="stable")[:_MOST_KEYS]])

    def _adjust(self, keys: np.ndarray, *, fixed: int, iterations: int = 10) -> None:
        """Adjust some keyframes and the points that they see."""
        seen = self.seen.of(self.known[self.seen.points] & np.isin(self.seen.cameras, keys))
        rows, points = np.unique(seen.points, return_inverse=True)
        place = np.full(len(self.keys), -1)
        place[keys] = np.arange(len(keys))
        part = Bundle(
            self.bundle.rotations[keys], self.bundle.shifts[keys], self.bundle.points[rows]
        )
        free = keys != (fixed if fixed in keys else keys[0])
        found = adjust(
            part,
            Seen(place[seen.cameras], points, seen.rays),
            _NOISE_PX / self.camera.focal_px,
            free,
            iterations,
        )
        self.bundle.rotations[keys], self.bundle.shifts[keys] = found.rotations, found.shifts
        self.bundle.points[rows] = found.points
        self._intersect(int(keys[len(keys) // 2]))
