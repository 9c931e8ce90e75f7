"""Clip to people in motion: the stages in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from vitruvian.body.fit.dynamics import Floor
from vitruvian.body.model.model import body_model
from vitruvian.compute.preparation import prepare
from vitruvian.compute.processes import Crew, crew_of
from vitruvian.compute.threads import one_blas_thread
from vitruvian.errors import InputError
from vitruvian.exchange.given_frames import GivenFrames, open_given_frames
from vitruvian.image.names import expanded
from vitruvian.options import OPTIONS, Options
from vitruvian.pipeline.progress import StageTimer
from vitruvian.placement.ground import world_from_ground
from vitruvian.types.motion import Motion
from vitruvian.video.belongings import own_tracks
from vitruvian.video.clip import Clip
from vitruvian.video.corrections import corrected
from vitruvian.video.eyes import Eyes
from vitruvian.video.movers import movers_of, portraits_of
from vitruvian.video.observed import Observed, observe
from vitruvian.video.scene import MovingScene
from vitruvian.video.settling import settled
from vitruvian.video.sources import open_sources
from vitruvian.video.together import ROUNDS, solve_tracks
from vitruvian.video.tracking import Track, size_of
from vitruvian.video.unfinished import Parts, Unfinished
from vitruvian.video.zooming import Zoom

# Told how far the work is: the name of the stage, how much of it is done, and of how much.
VideoProgress = Callable[[str, int, int], None]

ASSUMED_LENS = (
    "The clip does not say what lens took it; a common one was assumed, so distances may be off by "
    "a common factor (--fov tells it)."
)

TRAVELS = (
    "The camera changes its place along a path that could not be found, and only its turning is "
    "followed: its path becomes the people's (put it on a tripod)."
)

FOLLOWED = (
    "The camera travels: the length of its path is judged by feet that stand, so paths may be off "
    "by a common factor."
)


def reconstruct_video(
    source: str | Path | Sequence[str | Path],
    *,
    cameras: str | Path | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
    every: int | None = None,
    height_cm: float | None = None,
    fov_deg: float | None = None,
    max_people: int | None = None,
    same: Sequence[Sequence[int]] = (),
    apart: Sequence[int] = (),
    texture: bool = True,
    bodies: bool = False,
    keypoints: str | Path | None = None,
    masks: str | Path | None = None,
    progress: VideoProgress | None = None,
    unfinished: Unfinished | None = None,
    name: str | None = None,
    workers: int | Crew = 1,
) -> MovingScene:
    """Reconstruct everyone in a clip as metric, animated 3D people.

    The camera stands still, turns or travels. Several calibrated cameras that saw the same scene
    at the same time, and stood still, tell more: whoever two of them show is reconstructed from all
    of them.

    Args:
        source: a video file, an animated GIF, WebP or PNG, or a folder of frames; or several, one
            of each camera, which begin at the same moment and are named as the cameras are.
        cameras: the cameras' calibration, see ``read_calibration``; needed for several.
        start_s, end_s: the part to use, in seconds.
        every: use every how many frames; by default so many that about 30 a second are left.
        height_cm: stature of the person who is seen largest, in centimetres; fixes the scale.
        fov_deg: field of view across the longer side, in degrees; assumed by default.
        max_people: keep only so many, those seen longest and largest.
        same: numbers of people whom an earlier result took for several and who are one: each time
            ``(2, 5)``, or more.
        apart: numbers of people whom an earlier result took for one and who are another one each
            time that they come back; they get the numbers behind all others.
        texture: colour the avatars.
        bodies: avatars are the bodies alone, without clothes, hair and colours: quicker.
        keypoints: of a single clip: a folder in which OpenPose or BlazePose wrote a file for each
            frame, or COCO's annotations or results of all frames, JSON. They take the place of
            our own: whoever they tell of is reconstructed, and nobody else.
        masks: of a single clip: a folder with a label map, PNG, for each frame, or COCO's
            annotations or results, which take the place of our own for those whom they cover.
        progress: told of each stage, how much of it is done and of how much (0: not known). What
            it raises ends the work.
        unfinished: where finished parts are kept; work that was stopped goes on from there, and its
            result is the same to the bit.
        name: what sentences, pages and the report call a single clip; by default what its path
            says.
        workers: processes that share the work, or a crew of them; each needs about 400 MB. The
            result is the same to the bit however many there are.

    Returns:
        The scene, with at least one person.

    Raises:
        InputError: a clip, the calibration or an option cannot be used, or nobody is there; one
            sentence says why.
    """
    OPTIONS["height_cm"].check(height_cm)
    OPTIONS["fov_deg"].check(fov_deg)
    OPTIONS["max_people"].check(max_people)
    given = [source] if isinstance(source, (str, Path)) else list(source)
    sources = open_sources(
        given,
        cameras=cameras,
        fov_deg=fov_deg,
        start_s=start_s,
        end_s=end_s,
        every=every,
        name=name,
    )
    clips, eyes = sources.clips, sources.eyes
    brought = _brought(clips, keypoints, masks)
    prepare(["body", "people", "geometry", "surface", "avatar", "texture", "formats"])
    tell = progress or (lambda *_: None)
    parts = Parts(None)
    if unfinished is not None:
        beside = [expanded(one) for one in (cameras, keypoints, masks) if one is not None]
        files = [clip.path for clip in clips] + beside
        who = [list(numbers) for numbers in same], list(apart)
        asked = (start_s, end_s, every, height_cm, fov_deg, max_people, who, texture)
        parts = unfinished.parts(files, *asked)
    timer = StageTimer()
    with crew_of(workers) as crew:
        with timer("people"):
            observed = observe(sources, tell, parts, crew, brought)
        eyes = replace(eyes, turning=observed.turning, edges=observed.edges)
        known = corrected(observed.people, observed.frames, same, apart)
        people = _chosen(known, max_people)
        if not people:
            raise _nobody(clips, brought)
        model = body_model()
        heights = {}
        if height_cm is not None:
            heights[max(range(len(people)), key=lambda n: size_of(people[n]))] = height_cm / 100
        with timer("motion"), one_blas_thread():
            rounds = ROUNDS if bodies else ROUNDS - 1
            found = parts.made(
                f"motion-{rounds}",
                lambda: solve_tracks(
                    model,
                    people,
                    observed.frames,
                    eyes,
                    heights,
                    tell,
                    crew,
                    rounds=rounds,
                ),
            )
        options = Options(texture=texture, fov_deg=fov_deg)
        frames = 0 if bodies else sum(len(one.numbers) for one in found.tracks)
        with timer("avatars"):
            people = own_tracks(model, clips, people, found)
            portraits = portraits_of(
                clips,
                people,
                found,
                options,
                bodies=bodies,
                tell=lambda done: tell("avatars", done, len(people) + frames),
            )
            if not bodies:
                found, portraits = settled(
                    people,
                    observed.frames,
                    found,
                    portraits,
                    parts,
                    lambda done, of: tell("avatars", len(people) + done, len(people) + of),
                    crew,
                )
    movers = movers_of(people, found, portraits)
    numbers, times = zip(*observed.frames, strict=True)
    return MovingScene(
        clip=clips[0],
        model=model,
        camera=found.eyes.cameras[0],
        numbers=np.array(numbers),
        times_s=np.array(times),
        people=movers,
        world_from_camera=_world(found.floor, [one.motion for one in found.tracks]),
        timings_s=timer.seconds,
        warnings=_warnings(clips[0], found.eyes, observed),
        others=clips[1:],
        turning=found.eyes.turning,
    )


def _brought(
    clips: Sequence[Clip], keypoints: str | Path | None, masks: str | Path | None
) -> GivenFrames | None:
    """Keypoints and masks of the clip, which must be one that is used as it is."""
    clip = clips[0]
    if (keypoints is not None or masks is not None) and clip.lens is not None:
        raise InputError(
            "Keypoints and masks go with a single clip without calibration, whose frames stay as "
            "they are: leave out either them or --cameras.",
            code="bad-option",
        )
    return open_given_frames(
        keypoints,
        masks,
        width=clip.full_width,
        height=clip.full_height,
        scale=clip.width / clip.full_width,
        stems=clip.stems,
    )


def _nobody(clips: Sequence[Clip], brought: GivenFrames | None) -> InputError:
    if brought is not None and brought.keypoints is not None:
        file, _ = brought.keypoints
        return file.refused(
            f"tell of nobody who is in {clips[0].name} for half a second: check that they number "
            "its frames, from 0"
        )
    if len(clips) > 1:
        return InputError(
            f"Nobody was found whom two of the {len(clips)} clips show at the same place: check "
            "that they begin at the same moment, and which camera took which.",
            code="nobody-found",
        )
    return InputError(
        f"Nobody was found in {clips[0].name}: give a clip in which a person is large, sharp and "
        "seen for half a second at least.",
        code="nobody-found",
    )


def _chosen(people: Sequence[tuple[Track, ...]], most: int | None) -> list[tuple[Track, ...]]:
    kept = sorted(people, key=size_of, reverse=True)[:most]
    return [tracks for tracks in people if tracks in kept]


def _world(floor: Floor, motions: Sequence[Motion]) -> np.ndarray:
    """``world_from_camera`` (4, 4) with the floor at y = 0 and the people around the origin."""
    centre = np.concatenate([motion.translation for motion in motions]).mean(0)
    return world_from_ground(floor.up, centre + (floor.level - centre @ floor.up) * floor.up)


def _zooms(zoom: Zoom) -> str:
    ratio = max(zoom.ratio, 1 / zoom.ratio)
    how = "closer" if zoom.ratio > 1 else "wider"
    return (
        f"The lens zooms between {zoom.start_s:.1f} s and {zoom.end_s:.1f} s, {ratio:.1f} times "
        f"{how}, and is followed; if the camera went there instead, distances are off."
    )


def _cuts(observed: Observed) -> str:
    """Which shot of a clip that is cut is shown."""
    first, last = observed.frames[0][1], observed.frames[-1][1]
    other = next(shot for shot in observed.shots_s if shot[0] != first)
    count = len(observed.shots_s)
    return (
        f"The clip is cut into {count} shots, which are different worlds: the one from {first:.1f} "
        f"to {last:.1f} s, which shows most of people, is reconstructed. --from and --to give "
        f"another, such as {other[0]:.1f} to {other[1]:.1f} s."
    )


def _warnings(clip: Clip, eyes: Eyes, observed: Observed) -> tuple[str, ...]:
    warnings = []
    if len(observed.shots_s) > 1:
        warnings.append(_cuts(observed))
    if eyes.turning is not None and eyes.turning.travels:
        warnings.append(TRAVELS if eyes.turning.places is None else FOLLOWED)
    if eyes.turning is not None and eyes.turning.zoom is not None:
        warnings.append(_zooms(eyes.turning.zoom))
    camera = eyes.cameras[0]
    if camera.source == "assumed":
        warnings.append(ASSUMED_LENS)
    if clip.expected > observed.looked + 1:
        warnings.append(
            f"The clip ends after {observed.looked} of {clip.expected} frames: the file may be cut "
            "short."
        )
    return tuple(warnings)
