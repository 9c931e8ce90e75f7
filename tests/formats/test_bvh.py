"""BVH files, read back by a parser written from the format's description."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from avatar_shapes import joints_at, small_avatar
from vitruvian.formats.bvh import write_bvh


class Bvh:
    """Skeleton and frames of a file, in its own units."""

    def __init__(self, path: Path) -> None:
        words = path.read_text().split()
        self.names: list[str] = []
        self.parents: list[int] = []
        self.offsets: list[list[float]] = []
        self.channels: list[list[str]] = []
        stack: list[int] = []
        tip, at = False, 1
        assert words[0] == "HIERARCHY"
        while words[at] != "MOTION":
            word = words[at]
            if word in ("ROOT", "JOINT"):
                self.names.append(words[at + 1])
                self.parents.append(stack[-1] if stack else -1)
                at += 2
            elif word == "End":
                tip, at = True, at + 2
            elif word == "OFFSET":
                if not tip:
                    self.offsets.append([float(x) for x in words[at + 1 : at + 4]])
                at += 4
            elif word == "CHANNELS":
                count = int(words[at + 1])
                self.channels.append(words[at + 2 : at + 2 + count])
                at += 2 + count
            elif word == "{":
                stack.append(-1 if tip else len(self.names) - 1)
                at += 1
            else:
                assert word == "}"
                tip = False
                stack.pop()
                at += 1
        assert words[at + 1] == "Frames:"
        self.count = int(words[at + 2])
        self.step = float(words[at + 5])
        values = np.array(words[at + 6 :], float)
        self.frames = values.reshape(self.count, sum(map(len, self.channels)))

    def places(self, frame: int) -> np.ndarray:
        row, at = self.frames[frame], 0
        world = np.tile(np.eye(4), (len(self.names), 1, 1))
        for joint, channels in enumerate(self.channels):
            local = np.eye(4)
            local[:3, 3] = self.offsets[joint]
            for channel in channels:
                kind = "xyz".index(channel[0].lower())
                if channel.endswith("position"):
                    local[kind, 3] = row[at]
                else:
                    turn = Rotation.from_euler("xyz"[kind], row[at], degrees=True)
                    local[:3, :3] = local[:3, :3] @ turn.as_matrix()
                at += 1
            parent = self.parents[joint]
            world[joint] = local if parent < 0 else world[parent] @ local
        return world[:, :3, 3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bvh")
    write_bvh(small_avatar(), folder / "avatar.bvh")
    return folder


def test_the_pose_is_read_back(folder: Path) -> None:
    avatar, file = small_avatar(), Bvh(folder / "avatar.bvh")
    assert sorted(file.names) == sorted(avatar.bone_names)
    order = [avatar.bone_names.index(name) for name in file.names]
    assert file.count == 1
    expected = 100 * joints_at(avatar, "photo", 0)[order]
    np.testing.assert_allclose(file.places(0), expected, atol=2e-3)
    # At rest, with all rotations 0, the skeleton is the avatar's.
    file.frames[:] = 0
    file.frames[0, :3] = 100 * avatar.joints[0]
    np.testing.assert_allclose(file.places(0), 100 * avatar.joints[order], atol=2e-4)


@pytest.mark.parametrize("clip", ["walk", "dance", "sit"])
def test_clips_are_read_back(folder: Path, clip: str) -> None:
    avatar, file = small_avatar(), Bvh(folder / f"avatar-{clip}.bvh")
    motion = next(one for one in avatar.clips if one.name == clip)
    assert file.count == len(motion.times_s)
    assert file.step * (file.count - 1) == pytest.approx(motion.times_s[-1], abs=1e-4)
    order = [avatar.bone_names.index(name) for name in file.names]
    for key in (0, file.count // 3, file.count - 1):
        expected = 100 * joints_at(avatar, clip, key)[order]
        np.testing.assert_allclose(file.places(key), expected, atol=2e-3)
    # Readers blend angles: none jumps by a turn.
    assert np.abs(np.diff(file.frames[:, 3:], axis=0)).max() < 180
