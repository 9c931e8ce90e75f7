"""Who is left out, and the reason that is told."""

from __future__ import annotations

import numpy as np
from helpers.groups import paste_group

from vitruvian.hints import Hint
from vitruvian.image.photo import load_photo
from vitruvian.people import look_for_people
from vitruvian.people.leaving_out import HIDDEN, LEAST_PX, judge, unseen
from vitruvian.types.figure import LEFT_OUT_REASONS, Alpha, Figure, Landmarks

WIDTH, HEIGHT = 400, 300


def standing(x: float, columns: tuple[int, int], *, height: float = 200) -> Figure:
    """Somebody in the middle of the picture at ``x``, whose matte has these columns."""
    rows = np.full(33, 0.5)
    rows[:11], rows[11:13], rows[23:25] = 0.05, 0.2, 0.55
    rows[13:15], rows[15:23], rows[25:27], rows[27:] = 0.35, 0.5, 0.75, 0.97
    across = np.where(np.arange(33) % 2, 0.1, -0.1)
    points = np.stack([x + across * height, 50 + rows * height], axis=1)
    values = np.zeros((HEIGHT, WIDTH), np.uint8)
    values[48 : round(52 + height), columns[0] : columns[1]] = 255
    alpha = Alpha(values, 0, 0, WIDTH, HEIGHT)
    box = np.array([x - 0.2 * height, 50, x + 0.2 * height, 50 + height])
    seen = Landmarks(points, np.ones(33), np.zeros((33, 3)), 0.0)
    return Figure(box, 0.9, seen, alpha, True, 1.0)


def test_whoever_has_their_own_pixels_stays() -> None:
    assert judge([]) == []
    assert judge([standing(100, (60, 140)), standing(300, (260, 340))]) == [None, None]


def test_whoever_is_behind_somebody_is_hidden_by_them() -> None:
    front, back = standing(200, (160, 240)), standing(215, (240, 260))
    aside = standing(50, (10, 90))
    first, second, third = judge([aside, back, front])
    assert (first, third) == (None, None)
    assert second is not None
    assert (second.reason, second.by) == ("hidden", 2)
    assert second.left_out(back.box, {0: 1, 2: 2}).sentence == HIDDEN.format(whom="person 2")
    assert "somebody else" in second.left_out(back.box, {0: 1}).sentence


def test_whoever_has_no_pixels_and_no_neighbour_has_no_outline() -> None:
    (verdict,) = judge([standing(200, (150, 175))])
    assert verdict is not None
    assert verdict.reason == "no-outline"


def test_small_people_are_told_how_small() -> None:
    (verdict,) = judge([standing(200, (0, 400), height=LEAST_PX - 2)])
    assert verdict is not None
    assert verdict.reason == "too-small"
    assert "38 pixels, where 40" in verdict.sentence


def test_boxes_of_nobody_known_are_told_once() -> None:
    known = [standing(100, (60, 140))]
    again = np.array([70.0, 60, 130, 150])
    somebody, same = np.array([250.0, 50, 330, 280]), np.array([255.0, 50, 330, 200])
    small = np.array([200.0, 50, 220, 80])
    told = unseen([again, somebody, same, small], known)
    assert [verdict.reason for _, verdict in told] == ["no-pose", "too-small"]
    assert told[0][0] is somebody
    assert unseen([], known) == []
    assert {verdict.reason for _, verdict in told} <= set(LEFT_OUT_REASONS)


def test_somebody_whom_no_network_understands_is_told(shared_data) -> None:
    """In the foreground, cut by the border and from behind: only the box detector sees them."""
    photo = load_photo(shared_data("photos") / "m007_detectron.jpg")
    found = look_for_people(photo)
    assert any(one.box[0] < 1 and one.box[2] < 130 for one in found.left_out)
    assert all(one.reason in LEFT_OUT_REASONS for one in found.left_out)
    assert len(found.left_out) <= 4  # not the crowd behind


def test_a_box_around_a_ghost_overrules_the_verdict(shared_data, monkeypatch) -> None:
    picture, _, _ = paste_group(shared_data("ccp"), [(388, 250, 680), (412, 410, 690)])
    photo = load_photo(picture)
    monkeypatch.setattr("vitruvian.people.leaving_out.LEAST_COVERED", 1.1)  # everybody is a ghost
    found = look_for_people(photo)
    assert found.figures == ()
    assert [one.reason for one in found.left_out] == ["no-outline"] * 2
    wanted = look_for_people(photo, hints={tuple(found.left_out[0].box): Hint()})
    assert len(wanted.figures) == len(wanted.left_out) == 1
    assert wanted.figures[0].number == 1
