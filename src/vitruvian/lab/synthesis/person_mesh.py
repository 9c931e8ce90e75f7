"""The clothed mesh of a synthetic person, as stored beside its samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.lab.synthesis.people import SyntheticPerson
from vitruvian.lab.synthesis.sample import DEPTH_UNIT, Sample, clothed_mesh


@dataclass(frozen=True)
class PersonMesh:
    """What is drawn of a posed person: skin that shows, clothes, hair, and what is carried.

    Attributes:
        vertices: (V, 3) int16 steps of 0.1 mm from the root joint, axes of the world (y up): three
            times as exact as half-precision floats are at the hands, in as many bytes.
        faces: (F, 3) int32, counter-clockwise seen from outside.
        parts: (F,) uint8, index into ``PART_LABELS``.
    """

    vertices: np.ndarray
    faces: np.ndarray
    parts: np.ndarray

    @property
    def points(self) -> np.ndarray:
        """(V, 3) float32 metres from the root joint, y up."""
        return self.vertices * np.float32(DEPTH_UNIT)

    def in_camera(self, sample: Sample) -> np.ndarray:
        """Vertices (V, 3) float32 in the camera frame of a sample whose subject this is."""
        rotation = sample.camera_from_world[:3, :3]
        return (self.points @ rotation.T + sample.translation).astype(np.float32)


def person_mesh(person: SyntheticPerson) -> PersonMesh:
    """The mesh of a person without the vertices that no face uses."""
    vertices, faces, parts = clothed_mesh(person)
    used, compact = np.unique(faces, return_inverse=True)
    root = person.body.joints[0] + [0, person.lift, 0]
    steps = np.clip(np.round((vertices[used] - root) / DEPTH_UNIT), -32767, 32767)
    return PersonMesh(steps.astype(np.int16), compact.reshape(faces.shape).astype(np.int32), parts)
