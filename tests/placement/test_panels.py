"""Pictures within the picture are told by their frames, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from vitruvian.placement.panels import find_panels, one_panel


def scenery(width: int, height: int, seed: int = 0) -> Image.Image:
    """Soft blobs of colour: edges everywhere, but none that is long and straight."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (width, height), (120, 130, 110))
    draw = ImageDraw.Draw(image)
    for _ in range(60):
        x, y, r = rng.integers(0, width), rng.integers(0, height), int(rng.integers(20, 120))
        draw.ellipse([x - r, y - r, x + r, y + r], fill=tuple(rng.integers(60, 200, 3).tolist()))
    return image.filter(ImageFilter.GaussianBlur(3))


def numbers(image: Image.Image, *boxes: tuple[float, float, float, float]) -> tuple[int, ...]:
    return find_panels(np.asarray(image), boxes).numbers


def test_a_photograph_is_one() -> None:
    image = scenery(900, 700)
    found = find_panels(np.asarray(image), [(100, 100, 250, 600), (500, 200, 640, 650)])
    assert found.numbers == (0, 0)
    assert found.whole == found.main == 0


def test_two_photographs_above_one_another() -> None:
    both = Image.new("RGB", (500, 1400))
    both.paste(scenery(500, 700, 1), (0, 0))
    both.paste(scenery(500, 700, 2).point(lambda v: v // 4), (0, 700))
    boxes = [(150, 60, 300, 640), (150, 760, 300, 1340), (320, 100, 400, 600)]
    found = find_panels(np.asarray(both), boxes)
    assert found.numbers == (0, 1, 0)
    assert found.whole is None
    assert found.main == 0
    assert [group.tolist() for group in found.groups()] == [[0, 2], [1]]


def test_a_poster_on_the_wall() -> None:
    room = scenery(1200, 900)
    frame = Image.new("RGB", (320, 520), (20, 20, 20))
    frame.paste(scenery(300, 500, 3), (10, 10))
    room.paste(frame, (150, 60))
    person, in_poster = (700, 150, 860, 850), (220, 120, 380, 520)
    assert numbers(room, person, in_poster) == (0, 1)
    found = find_panels(np.asarray(room), [in_poster, person])
    assert found.numbers == (1, 0)
    assert found.groups()[0].tolist() == [1]
    # The world is the photograph's, even where the poster is larger than its visitors.
    far = (700, 350, 780, 700)
    found = find_panels(np.asarray(room), [far, in_poster])
    assert (found.numbers, found.main, found.whole) == ((1, 0), 1, 1)
    assert found.groups()[0].tolist() == [0]


def test_a_screenshot_with_margins() -> None:
    page = Image.new("RGB", (600, 2400), "white")
    page.paste(scenery(500, 700, 4), (50, 200))
    page.paste(scenery(500, 700, 5), (50, 1300))
    assert numbers(page, (200, 260, 330, 840), (200, 1360, 330, 1940)) == (0, 1)


@pytest.mark.parametrize("line", [[0, 520, 900, 520], [450, 0, 450, 500]])
def test_a_line_alone_is_no_frame(line: list[int]) -> None:
    """The edge between floor and wall runs through people; a pole does not part the ground."""
    image = scenery(900, 700)
    ImageDraw.Draw(image).line(line, fill=(0, 0, 0), width=5)
    assert numbers(image, (100, 100, 250, 600), (500, 200, 640, 650)) == (0, 0)


def test_nobody_and_one() -> None:
    assert find_panels(np.zeros((50, 50, 3), np.uint8), []).groups() == []
    assert find_panels(np.zeros((50, 50, 3), np.uint8), [(1, 1, 9, 9)]) == one_panel(1)
