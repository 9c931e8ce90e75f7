"""Cutting a surface with a plane, and the tape that is laid around or along the cut."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Plane:
    """A plane with axes of its own.

    Attributes:
        origin: (3,) a point of it.
        normal: (3,) unit length.
        across: (3, 2) two unit vectors in it, at right angles.
    """

    origin: np.ndarray
    normal: np.ndarray
    across: np.ndarray

    @classmethod
    def through(cls, origin: np.ndarray, normal: np.ndarray) -> Plane:
        """The plane through a point (3,), at right angles to ``normal`` (3,) of any length."""
        normal = np.asarray(normal, np.float64)
        normal = normal / np.linalg.norm(normal)
        helper = np.eye(3)[np.argmin(np.abs(normal))]
        first = cross(normal, helper)
        first /= np.linalg.norm(first)
        across = np.stack([first, cross(normal, first)], 1)
        return cls(np.asarray(origin, np.float64), normal, across)

    def flat(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 3) by the plane's own axes, (N, 2)."""
        return (points - self.origin) @ self.across

    def lifted(self, points: np.ndarray) -> np.ndarray:
        """The inverse of ``flat``: (N, 2) to (N, 3)."""
        return self.origin + points @ self.across.T


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The product of two vectors (3,) at right angles to both; NumPy's takes ten times as long."""
    (ax, ay, az), (bx, by, bz) = a.tolist(), b.tolist()
    return np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])


def crossing_points(vertices: np.ndarray, faces: np.ndarray, plane: Plane) -> np.ndarray:
    """Points (N, 3) where a plane crosses the edges of faces (F, 3), every edge of each face.

    Args:
        vertices: (V, 3) metres.
        faces: (F, 3) those that may be crossed.
        plane: that cuts.
    """
    height = vertices @ plane.normal - plane.origin @ plane.normal
    above = height > 0
    corners = above[faces].sum(1)
    cut = faces[(corners > 0) & (corners < 3)]
    edges = np.concatenate([cut[:, [0, 1]], cut[:, [1, 2]], cut[:, [2, 0]]])
    edges = edges[above[edges[:, 0]] != above[edges[:, 1]]]
    low, high = height[edges[:, 0]], height[edges[:, 1]]
    share = (low / (low - high))[:, None]
    return vertices[edges[:, 0]] * (1 - share) + vertices[edges[:, 1]] * share


def tape_around(vertices: np.ndarray, faces: np.ndarray, plane: Plane) -> np.ndarray:
    """A closed tape around what a plane cuts: the convex hull, as a tape bridges hollows.

    Returns:
        (N, 3) corners in order, the first not repeated; empty where fewer than three are cut.
    """
    points = crossing_points(vertices, faces, plane)
    if len(points) < 3:
        return np.zeros((0, 3))
    return plane.lifted(_hull(plane.flat(points)))


def tape_over(
    vertices: np.ndarray, faces: np.ndarray, ends: tuple[np.ndarray, np.ndarray], out: np.ndarray
) -> np.ndarray:
    """A taut tape from one point to another over a surface, in the plane that holds both.

    Args:
        vertices, faces: of the surface.
        ends: two points (3,).
        out: (3,) the side on which the tape lies, roughly at right angles to the way between.

    Returns:
        (N, 3) the points of the tape from the first end to the second.
    """
    start, end = (np.asarray(point, np.float64) for point in ends)
    way = end - start
    plane = Plane.through(start, cross(way, out))
    points = crossing_points(vertices, faces, plane)
    direction = way / np.linalg.norm(way)
    side = cross(plane.normal, direction)
    side *= np.sign(side @ out) or 1.0
    offset = points - start
    along, outwards = offset @ direction, offset @ side
    between = (along > 0) & (along < np.linalg.norm(way)) & (outwards > 0)
    if not between.any():
        return np.stack([start, end])
    chain = np.concatenate(
        [[[0.0, 0.0]], np.stack([along, outwards], 1)[between], [[np.linalg.norm(way), 0.0]]]
    )
    upper = _upper_chain(chain)
    return start + upper[:, :1] * direction + upper[:, 1:] * side


def length_of(line: np.ndarray, *, closed: bool = False) -> float:
    """Length of a line through points (N, 3), back to its beginning if ``closed``."""
    if closed:
        line = np.concatenate([line, line[:1]])
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def _hull(points: np.ndarray) -> np.ndarray:
    """Corners (M, 2) of the convex hull of points (N, 2), in order."""
    chosen = cv2.convexHull(points.astype(np.float32), returnPoints=False)
    return np.asarray(points[chosen[:, 0]], np.float64)


def _upper_chain(points: np.ndarray) -> np.ndarray:
    """The part of the hull of points (N, 2) from the leftmost to the rightmost, above them.

    Andrew's monotone chain (1979).
    """
    chain: list[np.ndarray] = []
    for point in points[np.lexsort((points[:, 1], points[:, 0]))]:
        while len(chain) > 1:
            (ax, ay), (bx, by) = chain[-1] - chain[-2], point - chain[-2]
            if ax * by - ay * bx < 0:
                break
            chain.pop()
        chain.append(point)
    return np.array(chain)
