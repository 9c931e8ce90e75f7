"""Keypoints and masks that somebody brings along for the frames of a clip.

Which frame something is of is told by the frame's file name, where the clip is a folder of frames,
else by a number: the last in a file's name, or COCO's ``image_id``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitruvian.errors import InputError
from vitruvian.exchange.given_file import GivenFile, What
from vitruvian.exchange.picture import Picture, annotations_of, stem_in
from vitruvian.exchange.read_keypoints import annotated_poses, poses_of
from vitruvian.exchange.read_masks import PICTURE_SUFFIXES, annotated_masks, label_map
from vitruvian.types.given import Given, GivenMask, GivenPose

_NUMBER = re.compile(r"(\d{1,15})\D*$")  # the last in a name
_ENDING = "_keypoints"  # of the files that OpenPose writes

# Of each frame, its file, or COCO's entries.
Entries = Mapping[int, Path] | Mapping[int, list[dict[str, Any]]]


@dataclass(frozen=True, eq=False)
class GivenFrames:
    """What is brought along for a clip.

    Attributes:
        keypoints, masks: the file or folder with what it has of each frame, by its number in the
            clip, from 0; None where nothing is given.
        width, height: of a frame in the file, upright, in pixels.
        scale: pixels of a frame as it is decoded per pixel in the file.
        flags: whether the keypoints are annotations, whose third number is a flag, not results.
    """

    keypoints: tuple[GivenFile, Entries] | None
    masks: tuple[GivenFile, Entries] | None
    width: int
    height: int
    scale: float = 1.0
    flags: bool = False

    def of(self, number: int) -> Given:
        """What is given of a frame. Where keypoints are given of others alone, nobody is in it.

        Raises:
            InputError: its file cannot be read, or is of another picture.
        """
        picture = Picture(f"frame {number}", self.width, self.height, self.scale)
        poses = None if self.keypoints is None else self._poses(number, picture)
        return Given(poses, self._masks(number, picture))

    def _poses(self, number: int, picture: Picture) -> tuple[GivenPose, ...]:
        assert self.keypoints is not None
        file, entries = self.keypoints
        found = entries.get(number)
        if isinstance(found, Path):
            file = GivenFile("keypoints", found)
            return poses_of(file.json(), picture, file)
        return annotated_poses(found or (), picture, file, self.flags)

    def _masks(self, number: int, picture: Picture) -> tuple[GivenMask, ...]:
        if self.masks is None:
            return ()
        file, entries = self.masks
        found = entries.get(number)
        if isinstance(found, Path):
            return label_map(GivenFile("masks", found), picture)
        return annotated_masks(found or (), picture, file)


def open_given_frames(
    keypoints: str | Path | None,
    masks: str | Path | None,
    *,
    width: int,
    height: int,
    scale: float = 1.0,
    stems: Sequence[str] = (),
) -> GivenFrames | None:
    """Look through what is brought along for a clip; None where nothing is.

    Args:
        keypoints: a folder with a file of OpenPose or BlazePose for each frame, or COCO's
            annotations or results of all frames.
        masks: a folder with a label map for each frame, or COCO's annotations or results.
        width, height, scale: see ``GivenFrames``.
        stems: names of the frames without suffix, where the clip is a folder of them.

    Raises:
        InputError: a file cannot be read, or tells of no frame of the clip.
    """
    if keypoints is None and masks is None:
        return None
    points, flags = _opened("keypoints", keypoints, stems)
    labels, _ = _opened("masks", masks, stems)
    return GivenFrames(points, labels, width, height, scale, flags)


def _opened(
    what: What, source: str | Path | None, stems: Sequence[str]
) -> tuple[tuple[GivenFile, Entries] | None, bool]:
    """The file with what it has of each frame, and whether it holds annotations."""
    if source is None:
        return None, False
    file, flags = GivenFile.of(what, source), False
    entries: Entries
    assert isinstance(file.source, Path)
    if file.source.is_dir():
        entries = _folder(file.source, what, stems)
    else:
        content = file.json()
        flags = isinstance(content, dict)
        if flags and "annotations" not in content:
            raise _of_one_frame(file)
        entries = _entries(content, file, stems)
    if not entries:
        raise file.refused(
            "tell of no frame: give a folder with a file for each, whose names end in their "
            "numbers, or COCO's annotations of all"
        )
    return (file, entries), flags


def _of_one_frame(file: GivenFile) -> InputError:
    return file.refused(
        "are those of one picture: give the folder with a file for each frame, or COCO's "
        "annotations of all"
    )


def _folder(folder: Path, what: What, stems: Sequence[str]) -> dict[int, Path]:
    suffixes = (".json",) if what == "keypoints" else PICTURE_SUFFIXES
    files = sorted(one for one in folder.iterdir() if one.suffix.lower() in suffixes)
    names = [one.stem.removesuffix(_ENDING) for one in files]
    numbers = _numbers(names, stems, whole=True)
    return {number: file for number, file in zip(numbers, files, strict=True) if number is not None}


def _entries(content: Any, file: GivenFile, stems: Sequence[str]) -> dict[int, list[Any]]:
    entries, images = annotations_of(content, file)
    if images:
        names = [stem_in(one) or str(one.get("id")) for one in images]
        keys = [str(one.get("id")) for one in images]
        numbers = _numbers(names, stems, whole=True)
    else:  # of frames in which nobody is, results have none: the first may be any
        keys = list(dict.fromkeys(str(one.get("image_id")) for one in entries))
        numbers = _numbers([Path(key).stem for key in keys], stems, whole=False)
    of_key = dict(zip(keys, numbers, strict=True))
    found: dict[int, list[Any]] = defaultdict(list)
    for entry in entries:
        number = of_key.get(str(entry.get("image_id")))
        if number is not None:
            found[number].append(entry)
    return dict(found)


def _numbers(names: Sequence[str], stems: Sequence[str], *, whole: bool) -> list[int | None]:
    """Of which frame, from 0, each of some names is; None of those that are of none.

    ``whole`` says that they are all there, so that a count from 1 shows by its beginning.
    """
    known = {stem: number for number, stem in enumerate(stems)}
    if any(name in known for name in names):
        return [known.get(name) for name in names]
    told = [_NUMBER.search(name) for name in names]
    numbers = [None if one is None else int(one[1]) for one in told]
    first = 1 if whole and min((n for n in numbers if n is not None), default=0) == 1 else 0
    return [None if n is None else n - first for n in numbers]
