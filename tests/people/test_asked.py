"""What the user's boxes and numbers do: on a real street with somebody whom the detectors miss."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.hints import LARGEST, Hint
from vitruvian.image.photo import load_photo
from vitruvian.people import look_for_people
from vitruvian.people.asked import whom
from vitruvian.types.figure import Found
from vitruvian.types.photo import Photo

MISSED = (0.0, 550.0, 75.0, 870.0)  # cut by the picture's border
WALL = (459.0, 2.0, 706.0, 428.0)


@pytest.fixture(scope="module")
def street(shared_data) -> Photo:
    return load_photo(shared_data("photos") / "m017_assets.jpg")


@pytest.fixture(scope="module")
def plain(street: Photo) -> Found:
    return look_for_people(street)


def test_each_box_means_one_person_and_the_best_fit_counts() -> None:
    people = [
        [np.array([0.0, 0, 10, 30])],
        [np.array([2.0, 0, 12, 30]), np.array([50.0, 0, 60, 30])],
    ]
    boxes = [
        (2.0, 0.0, 12.0, 30.0),
        (50.0, 1.0, 60.0, 30.0),
        (1.0, 0.0, 11.0, 30.0),
        (0.0, 0.0, 3.0, 3.0),
    ]
    assert whom(boxes, people) == [1, None, 0, None]  # each person is meant once
    assert whom([], people) == []
    assert whom(boxes[:1], []) == [None]


def test_somebody_missed_is_added_where_the_box_is(street: Photo, plain: Found) -> None:
    found = look_for_people(street, hints={MISSED: Hint(height_cm=170)})
    assert len(found.figures) == len(plain.figures) + 1
    (added,) = [figure for figure in found.figures if figure.hint is not None]
    assert added.hint == Hint(height_cm=170)
    assert added.box[2] < 100
    assert (added.alpha.values > 127).sum() > 8000
    assert len(plain.left_out) == 1  # told before that somebody is there
    assert found.left_out == ()
    assert [figure.number for figure in found.figures] == [1, 2, 3, 4]
    assert added.number == 1  # left to right


def test_whoever_is_not_there_is_left_out_with_the_reason(street: Photo, plain: Found) -> None:
    known = tuple(plain.figures[0].box + [20, 40, -20, 0])
    hints = {WALL: Hint(sex="man"), (900.0, 0.0, 990.0, 99.0): Hint(), known: Hint(age=30)}
    found = look_for_people(street, hints=hints)
    assert [one.reason for one in found.left_out] == ["no-pose"] * 3  # and the one missed
    assert tuple(found.left_out[0].box) == WALL
    assert [figure.hint for figure in found.figures] == [Hint(age=30), None, None]


def test_who_is_no_person_is_left_out_and_the_others_keep_their_numbers(
    street: Photo, plain: Found
) -> None:
    by_number = look_for_people(street, hints={2: Hint(not_a_person=True), 3: Hint(age=9)})
    (out,) = [one for one in by_number.left_out if one.number]
    assert (out.reason, out.number) == ("not-a-person", 2)
    assert np.allclose(out.box, plain.figures[1].box)
    assert [figure.number for figure in by_number.figures] == [1, 3]
    assert by_number.figures[1].hint == Hint(age=9)

    box = tuple(plain.figures[1].box)
    by_box = look_for_people(street, hints={box: Hint(not_a_person=True)})
    assert [one.reason for one in by_box.left_out] == ["not-a-person", "no-pose"]
    assert [figure.number for figure in by_box.figures] == [1, 2]


def test_whoever_is_asked_for_goes_before_the_largest(street: Photo, plain: Found) -> None:
    smallest = min(plain.figures, key=lambda figure: max(figure.box[2:] - figure.box[:2]))
    hints = {tuple(smallest.box): Hint(), LARGEST: Hint(age=40)}
    found = look_for_people(street, hints=hints, max_people=1)
    (figure,) = found.figures
    assert np.abs(figure.box - smallest.box).max() < 12
    assert figure.hint == Hint(age=40)  # the largest of those who are kept
    assert [one.reason for one in found.left_out] == ["over-limit"] * 2 + ["no-pose"]
    assert "more people in the picture than the 1 " in found.left_out[0].sentence
