"""Results of inputs: a photograph's people, a clip's, a pair's measures."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from vitruvian.batch.orders import Order
from vitruvian.batch.places import MEMBER, is_address
from vitruvian.batch.work import Gathered, Parts
from vitruvian.hints import LARGEST, Hint
from vitruvian.image.names import readable
from vitruvian.options import Options

_FEW_MORE = 1.25  # of the longest part: a clip that is so much longer still is one


def make(order: Order, gathered: Gathered, folder: Path) -> dict[str, Any]:
    """Make a result's files in a folder that exists and is empty.

    Returns:
        ``people``, how many there are, and ``agreement``, the least overlap of a person's model
        and picture, 0..1, or None where it is not measured.

    Raises:
        VitruvianError: the input cannot be used.
        Parts: the clip is long.
    """
    if order.task.kind == "video":
        return _video(order, gathered, folder)
    if order.task.kind == "pair":
        return _pair(order, gathered, folder)
    return _photo(order, gathered, folder)


def _photo(order: Order, gathered: Gathered, folder: Path) -> dict[str, Any]:
    from vitruvian.image.photo import load_photo
    from vitruvian.pipeline.run import Job, run

    source, known = order.task.sources[0], dict(order.task.known)
    known.pop("at", None)
    given = dict(order.options)
    for name in {"formats", "keypoint_files"} & set(given):
        given[name] = tuple(given[name])
    if known:
        known.pop("weight_kg", None)
        given["hints"] = {LARGEST: Hint(**known)}
    photo = load_photo(gathered.pictures[0], name=readable(source))
    stem = Path(source.rpartition(MEMBER)[2] or source).stem
    photo = replace(photo, name=readable(stem), path=None if is_address(source) else Path(source))
    outcome = run(Job(photo, folder, Options(**given), name=readable(source), replace=False))
    if outcome.error is not None:
        raise outcome.error
    assert outcome.report is not None
    people = outcome.report["people"]
    overlaps = [person["checks"]["silhouette_iou"] for person in people]
    measured = [overlap for overlap in overlaps if overlap is not None]
    return {"people": len(people), "agreement": min(measured, default=None)}


def _video(order: Order, gathered: Gathered, folder: Path) -> dict[str, Any]:
    from vitruvian.formats.rigging import AvatarStyle
    from vitruvian.video.clip import open_clip
    from vitruvian.video.files import save_moving_scene
    from vitruvian.video.run import reconstruct_video

    assert gathered.clip is not None
    known, given = order.task.known, Options(**_of_clips(order.options))
    if "start_s" not in known:
        clip = open_clip(gathered.clip, end_s=order.chunk_s)
        length = clip.declared / clip.fps if clip.declared else 0.0
        if length > _FEW_MORE * order.chunk_s:
            count = math.ceil(length / order.chunk_s)
            edges = [round(number * length / count, 3) for number in range(count + 1)]
            raise Parts(tuple(pairwise(edges)))
    scene = reconstruct_video(
        gathered.clip,
        start_s=known.get("start_s", 0.0),
        end_s=known.get("end_s"),
        height_cm=known.get("height_cm"),
        fov_deg=given.fov_deg,
        max_people=given.max_people,
        texture=given.texture,
    )
    style = AvatarStyle(given.rest, given.rig, given.bone_names)
    report = save_moving_scene(scene, folder, style=style, formats=("glb", "npz", "csv"))
    return {"people": len(report["people"]), "agreement": None}


def _of_clips(options: Any) -> dict[str, Any]:
    """Those of a photograph's options that clips have, too."""
    names = ("fov_deg", "max_people", "texture", "rest", "rig", "bone_names")
    return {name: options[name] for name in names if name in options}


def _pair(order: Order, gathered: Gathered, folder: Path) -> dict[str, Any]:
    from vitruvian.pipeline.measuring import measure
    from vitruvian.result.measures import save_measures

    front, side = gathered.pictures
    save_measures(measure(front, side, **order.task.known), folder)
    return {"people": 1, "agreement": None}
