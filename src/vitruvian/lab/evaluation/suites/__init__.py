"""The suites by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vitruvian.errors import InputError
from vitruvian.lab.evaluation.folders import data_folder
from vitruvian.lab.evaluation.suite import Suite


def _avatars(data: Path | None) -> Suite:
    from vitruvian.lab.evaluation.suites.avatars import AvatarSuite

    return AvatarSuite.open(data_folder(data))


def _ccp(data: Path | None) -> Suite:
    from vitruvian.lab.evaluation.suites.masks import MaskSuite

    return MaskSuite.open(data_folder(data))


def _crowds(data: Path | None) -> Suite:
    from vitruvian.lab.evaluation.suites.crowds import CrowdSuite

    return CrowdSuite.open(data)


def _faces(data: Path | None) -> Suite:
    from vitruvian.lab.evaluation.suites.faces import FaceSuite

    return FaceSuite.open(data_folder(data))


def _groups(data: Path | None) -> Suite:
    from vitruvian.lab.evaluation.suites.groups import GroupSuite

    return GroupSuite.open(data_folder(data))


def _maps(data: Path | None) -> Suite:
    from vitruvian.lab.evaluation.suites.maps import MapsSuite

    return MapsSuite.open(data_folder(data))


def _multiview(data: Path | None) -> Suite:
    from vitruvian.lab.evaluation.suites.multiview import MultiviewSuite

    return MultiviewSuite.open(data_folder(data))


def _plausible(data: Path | None) -> Suite:
    from vitruvian.lab.evaluation.suites.plausible import PlausibleSuite

    return PlausibleSuite.open(data_folder(data))


def _robustness(data: Path | None) -> Suite:
    from vitruvian.lab.evaluation.suites.robustness import RobustnessSuite

    return RobustnessSuite(data_folder(data))


def _sequences(data: Path | None) -> Suite:
    from vitruvian.lab.evaluation.suites.synthetic_sequences import SyntheticSequenceSuite

    return SyntheticSequenceSuite.open(data_folder(data))


def _speed(data: Path | None) -> Suite:
    from vitruvian.lab.evaluation.suites.speed import SpeedSuite

    return SpeedSuite.open(data_folder(data))


def _shapes(data: Path | None) -> Suite:
    from vitruvian.lab.evaluation.suites.shapes import ShapeSuite

    return ShapeSuite.open(data_folder(data))


def _synthetic(data: Path | None) -> Suite:
    from vitruvian.lab.evaluation.suites.synthetic import SyntheticSuite

    return SyntheticSuite.open(data)


def _tracks(data: Path | None) -> Suite:
    from vitruvian.lab.evaluation.suites.tracks import TrackSuite

    return TrackSuite.open(data_folder(data))


def _video(data: Path | None) -> Suite:
    from vitruvian.lab.evaluation.suites.video import VideoSuite

    return VideoSuite.open(data_folder(data))


# Suites are imported when chosen: each brings libraries that the others do not need.
SUITES: dict[str, tuple[Callable[[Path | None], Suite], str]] = {
    "avatars": (_avatars, "photographs: avatars in clips: tears, ground, looks, backs of heads"),
    "ccp": (_ccp, "photographs with true masks: people found, alpha, silhouettes, keypoints"),
    "crowds": (_crowds, "groups of the generator: masks of each, depth order, who is found"),
    "faces": (_faces, "photographs with large faces: how the body's face lies on them"),
    "groups": (_groups, "photographs with a head count: everyone found, nobody twice"),
    "maps": (_maps, "characters and photographs: the maps network's normals and alpha"),
    "multiview": (
        _multiview,
        "a person before calibrated cameras: pose of every view against truth",
    ),
    "plausible": (_plausible, "photographs and clips without a truth: whether poses can be"),
    "robustness": (_robustness, "all pictures, and broken files: no crash, sound files, memory"),
    "sequences": (_sequences, "clips of the generator: motion in the world against truth"),
    "shapes": (_shapes, "3D characters photographed from 8 sides: surface against truth"),
    "speed": (_speed, "photographs: seconds by stage, cold start, peak memory"),
    "synthetic": (_synthetic, "people of the generator: body, surface, stature, distance"),
    "tracks": (_tracks, "clips of several people of the generator: everybody keeps their number"),
    "video": (_video, "clips frame by frame: steadiness, feet, silhouettes, people found"),
}


def open_suite(name: str, data: Path | None) -> Suite:
    """The suite of this name on a folder of data; None leaves it to the environment.

    Raises:
        InputError: there is no such suite, or the folder does not hold its data.
    """
    if name not in SUITES:
        raise InputError(f"There is no suite {name!r}: choose one of {', '.join(SUITES)}.")
    return SUITES[name][0](data)
