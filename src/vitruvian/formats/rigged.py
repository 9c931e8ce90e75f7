"""A person made to move: mesh at rest, skeleton, names and clips, before any file format."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.formats.rig import Clip
from vitruvian.geometry.rotations import quaternion_from_matrix
from vitruvian.types.chains import Chains
from vitruvian.types.mesh import Mesh
from vitruvian.types.record import Record


@dataclass(frozen=True, eq=False, repr=False)
class RiggedAvatar(Record):
    """What a file of an avatar holds, before its format.

    Attributes:
        name: of the person, such as ``person-1``.
        armature: name of what holds the skeleton, above the root.
        mesh: at rest in the frame ``body``, its lowest point on y = 0; one entry per joint, at
            most four, whose weights sum to 1.
        joint_names: J names of the body model.
        bone_names: J names in the file, unique.
        parents: (J,) int, -1 for the only root, parents first.
        joints: (J, 3) float64 rest positions, metres.
        axes: (J, 3, 3) float64, the axes of each bone at rest in the file's: columns x, y, z.
        clips: animations; local rotations relative to rest in the file's axes, see
            ``local_rotations``.
        chains: of the joints that hang in a skirt, some of which the rig may lack; None without.
    """

    name: str
    armature: str
    mesh: Mesh
    joint_names: tuple[str, ...]
    bone_names: tuple[str, ...]
    parents: np.ndarray
    joints: np.ndarray
    axes: np.ndarray
    clips: tuple[Clip, ...] = ()
    chains: Chains | None = None

    @property
    def rest_rotations(self) -> np.ndarray:
        """(J, 3, 3) rest rotation of each bone relative to its parent."""
        return self.local_rotations(np.tile(np.eye(3), (1, len(self.parents), 1, 1)))[0]

    @property
    def rest_offsets(self) -> np.ndarray:
        """(J, 3) rest position of each bone in its parent's axes; the root's own position."""
        up = self.parents[1:]
        offsets = self.joints.copy()
        offsets[1:] = np.einsum("jba,jb->ja", self.axes[up], self.joints[1:] - self.joints[up])
        return offsets

    def local_rotations(self, rotations: np.ndarray) -> np.ndarray:
        """(T, J, 3, 3) rotations of the bones relative to their parents, axes included.

        Args:
            rotations: (T, J, 3, 3) of a clip.
        """
        local = rotations @ self.axes
        local[:, 1:] = self.axes[self.parents[1:]].swapaxes(1, 2) @ local[:, 1:]
        return local

    def local_quaternions(self, rotations: np.ndarray) -> np.ndarray:
        """``local_rotations`` as unit quaternions (T, J, 4), x, y, z, w.

        Of q and -q, each is the one that is near the key before: programs differ in which way they
        go.
        """
        quaternions = quaternion_from_matrix(self.local_rotations(rotations))
        signs = np.where((quaternions[1:] * quaternions[:-1]).sum(-1) < 0, -1.0, 1.0)
        quaternions[1:] *= np.cumprod(signs, 0)[..., None]
        return quaternions

    def root_places(self, clip: Clip) -> np.ndarray:
        """(T, 3) where the root joint is at the keys of a clip, metres, in the file's axes."""
        return clip.roots + self.joints[0] * (1, 0, 1)
