"""``check.html``: how well the motion fits the clip, with the frames where it fits worst."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from vitruvian.formats.atomic import write_text
from vitruvian.formats.images import encode_jpeg
from vitruvian.video.checking import MotionChecks
from vitruvian.video.pose import seen_at
from vitruvian.video.preview import overlaid
from vitruvian.video.scene import Mover, MovingScene

WORST = 4  # frames shown of each person
_HEIGHT = 320
_MARGIN = 0.15
_OUTLINE = (214, 40, 40)
_ROWS = (
    ("silhouette_iou", "silhouette IoU, mean"),
    ("silhouette_iou_worst", "silhouette IoU, worst frame"),
    ("keypoint_error", "keypoint error / height"),
    ("jitter_m_s3", "jitter about the root [m/s³]"),
    ("root_jitter_m_s3", "jitter of the root [m/s³]"),
    ("foot_slide_mm", "standing feet move per frame, median [mm]"),
    ("floor_penetration_mm", "deepest sole under the floor [mm]"),
)
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}"
    "td,th{padding:.15rem .8rem .15rem 0;text-align:left}figure{display:inline-block;margin:.4rem}"
    "img{height:20rem}svg{width:100%;height:7rem;background:#f4f2ee}"
)


def write_check_page(scene: MovingScene, checks: Sequence[MotionChecks], path: Path) -> Path:
    """Write the page, one file; outlines of mattes are red.

    Raises ``InputError`` when the place cannot be written.
    """
    pictures = _pictures(scene, checks)
    parts = [f"<h1>{html.escape(scene.clip.name)}</h1>"]
    for mover, measured in zip(scene.people, checks, strict=True):
        report = measured.report()
        rows = "".join(f"<tr><td>{text}</td><td>{report[key]}</td></tr>" for key, text in _ROWS)
        parts.append(f"<h2>Person {mover.id}, {mover.height_m * 100:.0f} cm</h2>")
        parts.append(f"<table>{rows}</table>{_curve(measured)}")
        for number, iou, picture in pictures[mover.id]:
            data = base64.b64encode(encode_jpeg(picture)).decode()
            parts.append(
                f'<figure><img alt="" src="data:image/jpeg;base64,{data}">'
                f"<figcaption>frame {number}, IoU {iou:.3f}</figcaption></figure>"
            )
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>'
        f"{html.escape(scene.clip.name)}</title><style>{_STYLE}</style>{''.join(parts)}</html>"
    )
    return write_text(path, page)


def _curve(checks: MotionChecks) -> str:
    """The IoU of every frame as a line from 0 to 1."""
    count = max(len(checks.ious) - 1, 1)
    points = " ".join(
        f"{1000 * index / count:.1f},{100 - 100 * iou:.1f}"
        for index, iou in enumerate(checks.ious)
        if np.isfinite(iou)
    )
    return (
        '<svg viewBox="0 0 1000 100" preserveAspectRatio="none"><polyline fill="none" '
        f'stroke="#2a6" stroke-width="1.5" points="{points}"/></svg>'
    )


def _pictures(
    scene: MovingScene, checks: Sequence[MotionChecks]
) -> dict[int, list[tuple[int, float, np.ndarray]]]:
    """Of each person number, IoU and picture of the worst frames, worst first."""
    wanted: dict[int, list[tuple[Mover, float]]] = {}
    for mover, measured in zip(scene.people, checks, strict=True):
        order = np.argsort(np.nan_to_num(measured.ious, nan=2.0))[:WORST]
        for index in order:
            entry = mover, float(measured.ious[index])
            wanted.setdefault(int(measured.numbers[index]), []).append(entry)
    found: dict[int, list[tuple[int, float, np.ndarray]]] = {m.id: [] for m in scene.people}
    for frame in scene.clip.frames(only=wanted.keys()):
        for mover, iou in wanted.pop(frame.number, ()):
            picture = _picture(scene, mover, frame.number, frame.pixels)
            found[mover.id].append((frame.number, iou, picture))
        if not wanted:
            break
    return {key: sorted(rows, key=lambda row: row[1]) for key, rows in found.items()}


def _picture(scene: MovingScene, mover: Mover, number: int, pixels: np.ndarray) -> np.ndarray:
    figure = next(one.figure for one in mover.sightings if one.number == number)
    time = int(np.flatnonzero(mover.numbers == number)[0])
    margin = _MARGIN * figure.size
    low = np.maximum(figure.box[:2] - margin, 0).astype(int)
    high = np.minimum(figure.box[2:] + margin, [scene.camera.width, scene.camera.height])
    x0, y0, (x1, y1) = *low, high.astype(int)
    scale = _HEIGHT / (y1 - y0)
    size = max(1, round((x1 - x0) * scale)), _HEIGHT
    window = cv2.resize(pixels[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA)
    camera = scene.camera_at(number).window(x0, y0, scale, *size)
    out = overlaid(window, [seen_at(scene, mover, time)], camera)
    matte = cv2.resize(figure.alpha.window(x0, y0, x1, y1), size, interpolation=cv2.INTER_AREA)
    contours, _ = cv2.findContours(
        (matte > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    cv2.drawContours(out, contours, -1, _OUTLINE, 2, cv2.LINE_AA)
    return out
