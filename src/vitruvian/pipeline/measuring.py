"""Front and side picture to measures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from vitruvian.anthropometry.colours import clothes_apart, clothes_colours
from vitruvian.anthropometry.judging import JudgedPair, check_pairs, judged
from vitruvian.anthropometry.measured import Measured, measure_pairs
from vitruvian.anthropometry.silhouette import normalised
from vitruvian.anthropometry.subject import Subject
from vitruvian.compute import SideBySide
from vitruvian.errors import InputError
from vitruvian.image.photo import PhotoSource, load_photo
from vitruvian.people.finder import look_for_people
from vitruvian.pipeline.progress import Progress, StageTimer
from vitruvian.types.figure import Figure
from vitruvian.types.photo import Photo

_PLAIN = 16  # levels from black or white that still are a bare silhouette's
_PLAIN_SHARE = 0.97
_BORDER = 1  # pixels
_OTHERS = "Several people are in the {which} view; the largest is measured."


@dataclass(frozen=True)
class _View:
    """One picture's person.

    Attributes:
        matte: (H, W) uint8.
        colours: of the clothes, as of ``colours.clothes_colours``; None of a bare silhouette.
        warnings: sentences for people.
    """

    matte: np.ndarray
    colours: np.ndarray | None
    warnings: tuple[str, ...]


def measure(
    front: PhotoSource | Photo | Sequence[PhotoSource | Photo],
    side: PhotoSource | Photo | Sequence[PhotoSource | Photo],
    *,
    height_cm: float,
    weight_kg: float | None = None,
    sex: str | None = None,
    age: float | None = None,
    clothes: str | None = None,
    progress: Progress | None = None,
) -> Measured:
    """Measure somebody from two photographs, or from two bare silhouettes.

    The person stands upright, whole, in tight clothes: once facing the camera with the arms off the
    body and feet apart, once with the left side to it. A silhouette is a picture in black and
    white, or one with an alpha channel. Taken several times, with the pose and the cloth settled
    anew, their mean is surer.

    Args:
        front, side: the two pictures, as ``reconstruct`` takes them, or lists of as many.
        height_cm: stature without shoes; it sets the scale.
        weight_kg, sex, age: what else is known; each narrows the bands. Children need their age.
        clothes: ``underwear``, ``tight`` or ``ordinary``: how far they stand off is then known
            better.
        progress: as of ``reconstruct``.

    Raises:
        InputError: a picture or a figure cannot be used; one sentence says why.
    """
    subject = Subject(height_cm, weight_kg, sex, age, clothes)
    sources = _taken(front), _taken(side)
    check_pairs(*map(len, sources))
    timer = StageTimer(progress)
    with timer("decode"):
        photos = [
            (load_photo(source), which)
            for pair in zip(*sources, strict=True)
            for source, which in zip(pair, ("front", "side"), strict=True)
        ]
    count = len(photos) // 2

    def seen(number: int) -> _View:
        with _of_pair(number // 2, count):
            return _seen(*photos[number])

    def looked_at(number: int) -> JudgedPair:
        with _of_pair(number, count):
            front, side = views[2 * number : 2 * number + 2]
            pair = judged(normalised(front.matte), normalised(side.matte))
        if front.colours is None or side.colours is None:
            return pair
        return replace(pair, clothes_apart=clothes_apart(front.colours, side.colours))

    with timer("people"), SideBySide() as pool:
        views = pool.map(seen, range(len(photos)))
    with timer("measures"):
        pairs = [looked_at(number) for number in range(count)]
        said = dict.fromkeys(sentence for view in views for sentence in view.warnings)
        return measure_pairs(pairs, subject, [*said])


@contextmanager
def _of_pair(number: int, count: int) -> Iterator[None]:
    """Refusals say which of several pairs they are about."""
    try:
        yield
    except InputError as error:
        if count == 1:
            raise
        raise InputError(f"Pair {number + 1}: {error}", code=error.code) from error


def _taken(
    source: PhotoSource | Photo | Sequence[PhotoSource | Photo],
) -> Sequence[PhotoSource | Photo]:
    """One picture or several as several."""
    return source if isinstance(source, (list, tuple)) else [source]  # type: ignore[list-item]


def _seen(photo: Photo, which: str) -> _View:
    """The person of a picture: its silhouette, or its largest person's matte."""
    warnings: tuple[str, ...] = ()
    colours = None
    matte = bare_silhouette(photo)
    if matte is None:
        found = look_for_people(photo, traits=False)
        if not found.figures:
            raise InputError(
                f"Nobody was found in the {which} view: give a picture with one whole person.",
                code="nobody-found",
            )
        figure = max(found.figures, key=lambda one: one.size)
        matte = figure.alpha.full()
        colours = clothes_colours(photo.pixels, matte)
        if _rivals(found.figures, figure):
            warnings = (_OTHERS.format(which=which),)
    _check_whole(matte, which)
    return _View(matte, colours, warnings)


def _rivals(figures: tuple[Figure, ...], largest: Figure) -> bool:
    """Whether somebody else is nearly as large."""
    return sum(one.size > 0.5 * largest.size for one in figures) > 1


def bare_silhouette(photo: Photo) -> np.ndarray | None:
    """The matte (H, W) uint8 of a picture that is nothing but a silhouette; None of others.

    The person is white on black, or black on white: whichever the corners are not.
    """
    if photo.alpha is not None and photo.alpha.min() < _PLAIN:
        return photo.alpha
    low, high = photo.pixels.min(2), photo.pixels.max(2)
    plain = (high < _PLAIN) | (low > 255 - _PLAIN)
    if plain.mean() < _PLAIN_SHARE:
        return None
    grey = photo.pixels.mean(2)
    corners = np.median([grey[0, 0], grey[0, -1], grey[-1, 0], grey[-1, -1]])
    if plain.all() and low.min() == low.max():
        return None
    return np.asarray(255 - grey if corners > 127 else grey, np.uint8)


def _check_whole(matte: np.ndarray, which: str) -> None:
    """Refuse somebody whom the picture's edge cuts off."""
    inside = matte >= 128
    if inside[:_BORDER].any():
        raise InputError(
            f"The head is cut off in the {which} view: step back, so that all of the person is in "
            "the picture."
        )
    if inside[-_BORDER:].any():
        raise InputError(
            f"The feet are cut off in the {which} view: step back, so that all of the person is in "
            "the picture."
        )
