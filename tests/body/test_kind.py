"""What kind of person somebody is believed to be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_fit_estimate import estimate_of

from fit_people import CAMERA, photograph, random_body
from vitruvian.body.fit.fit import fit_body
from vitruvian.body.fit.kind import believed_kind, doubts, tells_build
from vitruvian.body.fit.shape_prior import NEUTRAL_GENDER, shape_prior
from vitruvian.body.model.model import body_model
from vitruvian.hints import Hint
from vitruvian.types.estimate import CHILDREN, PARTS
from vitruvian.types.face import Face
from vitruvian.types.keypoints import ANKLES, FACE


def face(log_odds: float = 0.0, age: float = 30.0, age_sd: float = 4.0) -> Face:
    return Face(np.array([0.0, 0, 60, 60]), 0.9, log_odds, age, age_sd)


def build(*groups: float, head: float = 0.95, legs: float = 1.0):
    estimate = estimate_of(*random_body(1), groups=np.array(groups))
    parts = estimate.parts.copy()
    parts[0] = head, 1 - head, 0
    parts[PARTS.index("legs")] = legs, 0, 1 - legs
    return replace(estimate, parts=parts)


WOMAN = build(0.1, 0.8, 0.06, 0.02, 0.02)
CHILD = build(0.05, 0.1, 0.05, 0.5, 0.3)


def told(kind) -> dict[str, float]:
    model = body_model()
    return model.describe_shape(shape_prior(model, 10, None, kind).mean)


def test_nothing_known_is_no_kind():
    assert believed_kind() is None
    assert believed_kind(hint=Hint(height_cm=172)) is None
    assert doubts(None)["basis"] == "none"


def test_a_face_overrules_the_build_and_they_add_up():
    by_build = believed_kind([WOMAN])
    assert 0.5 < by_build.woman < 0.8  # the build alone is not sure
    assert by_build.basis == "build"
    man = believed_kind([WOMAN], [face(-4)])
    assert man.woman < 0.05
    assert man.basis == "face"
    assert believed_kind([WOMAN], [face(1)]).woman > by_build.woman
    assert told(man)["gender"] < 0.2
    # Two pictures of a face count twice, ten no more than two.
    twice, often = (believed_kind([], [face(1)] * count).woman for count in (2, 10))
    assert twice == pytest.approx(1 / (1 + np.exp(-2)))
    assert often == pytest.approx(twice)


def test_a_doubtful_sex_makes_a_neutral_body():
    kind = believed_kind([], [face(0.2)])
    assert kind.neutral
    shape = told(kind)
    assert shape["gender"] == pytest.approx(NEUTRAL_GENDER, abs=0.03)
    assert shape["stature_m"] == pytest.approx(1.71, abs=0.02)
    assert not believed_kind([], [face(1.0)]).neutral
    assert told(believed_kind(hint=Hint(sex="neutral")))["gender"] == pytest.approx(
        NEUTRAL_GENDER, abs=0.03
    )


def test_a_childs_face_makes_a_child_of_its_age():
    kind = believed_kind([build(0.3, 0.3, 0.1, 0.2, 0.1)], [face(age=7, age_sd=2)])
    assert kind.child > 0.85
    shape = told(kind)
    assert 18 * shape["maturity"] == pytest.approx(7, abs=1.5)
    assert 1.05 < shape["stature_m"] < 1.35


def test_a_grown_face_makes_an_adult_of_a_childs_build():
    kind = believed_kind([CHILD], [face(2, age=28, age_sd=4)])
    assert kind.child < 0.1
    assert told(kind)["maturity"] > 0.9


def test_without_a_face_a_child_needs_a_head_in_view():
    assert believed_kind([CHILD]).child > 0.5
    under_a_mascots_head = believed_kind(
        [replace(CHILD, parts=build(0, 0, 0, 1, 0, head=0.6).parts)]
    )
    assert under_a_mascots_head.child == 0
    assert told(under_a_mascots_head)["maturity"] > 0.85


def test_many_pictures_that_hide_the_legs_tell_no_more_than_one():
    groups = (0.25, 0.2, 0.1, 0.25, 0.2)
    once, often = (believed_kind([build(*groups, legs=0.1)] * count) for count in (1, 30))
    assert often.groups == pytest.approx(once.groups)
    assert often.child < 0.5 < believed_kind([build(*groups)] * 30).child


def test_many_pictures_of_a_build_tell_more_than_one():
    doubtful = build(0.15, 0.25, 0.1, 0.3, 0.2)
    once, thrice, often = (believed_kind([doubtful] * count) for count in (1, 3, 30))
    assert once.child < 0.5 < thrice.child
    assert often.groups == pytest.approx(thrice.groups)
    assert often.woman == pytest.approx(once.woman)
    # Grown people stay grown however often they are seen.
    grown = build(0.45, 0.4, 0.05, 0.05, 0.05)
    assert believed_kind([grown] * 30).child < believed_kind([grown]).child < 0.1
    # Only pictures that show the head tell.
    hidden = replace(CHILD, parts=build(0, 0, 0, 1, 0, head=0.6).parts)
    assert believed_kind([hidden] * 30 + [grown]).groups == believed_kind([grown]).groups


@pytest.mark.parametrize(
    ("age", "stature"), [(1.5, 0.85), (4, 0.99), (8, 1.27), (14, 1.59), (40, 1.69)]
)
def test_a_given_age_has_its_stature(age, stature):
    kind = believed_kind([WOMAN], [face(0, age=28)], Hint(age=age, sex="neutral"))
    assert kind.basis == "given"
    assert told(kind)["stature_m"] == pytest.approx(stature, abs=0.04)


def test_hints_overrule_everything():
    adult = believed_kind([CHILD], [face(5, age=6, age_sd=1)], Hint(age="adult", sex="man"))
    assert adult.groups["men"] == pytest.approx(1)
    assert told(adult)["gender"] < 0.2
    child = believed_kind([WOMAN], [face(5, age=40)], Hint(age="child"))
    assert sum(child.groups[group] for group in CHILDREN) == pytest.approx(1)
    assert told(child)["maturity"] < 0.7
    told_doubts = doubts(adult)
    assert told_doubts == {"gender_sd": 0.0, "maturity_sd": 0.0, "basis": "given"}


def test_girls_and_boys_of_fourteen_differ():
    girl, boy = (told(believed_kind(hint=Hint(age=14, sex=sex))) for sex in ("woman", "man"))
    assert girl["gender"] > 0.6
    assert boy["gender"] < 0.4


def test_a_fit_follows_face_and_hint():
    model = body_model()
    betas = model.shape_prior("adults", 10).mean
    _, rotations, translation = random_body(3)
    figure, _ = photograph(betas, rotations, translation, noise_px=1.0)
    genders = {}
    for name, changes in {
        "man": {"face": face(-5)},
        "woman": {"face": face(5)},
        "told": {"face": face(5), "hint": Hint(height_cm=180, sex="man")},
    }.items():
        body = fit_body(model, replace(figure, **changes), CAMERA, silhouette=False)
        genders[name] = body.phenotype["gender"]
        assert body.phenotype["basis"] == ("given" if name == "told" else "face")
        if name == "told":
            assert body.height_m == pytest.approx(1.8, abs=0.01)
    assert genders["man"] < 0.35
    assert genders["told"] < 0.35
    assert genders["woman"] > 0.65


def kneeling(estimate):
    """The same with ankles close to the head; keypoints are in statures."""
    points = estimate.keypoints.copy()
    points[ANKLES] = points[FACE].mean(0) + [0, 0.5, 0]
    return replace(estimate, keypoints=points)


def test_who_kneels_or_hides_their_legs_most_of_the_time_is_told_where_they_stand():
    grown = build(0.2, 0.6, 0.06, 0.07, 0.07)
    for hidden in (kneeling(grown), build(0.2, 0.6, 0.06, 0.07, 0.07, legs=0.1)):
        kind = believed_kind([hidden] * 25 + [CHILD])
        assert kind.child > 0.5
        # Where nothing else is seen, it is what it says.
        assert believed_kind([hidden] * 25).child < 0.3
    assert tells_build(kneeling(grown)) < 0.3 < tells_build(grown)
