"""The tape on the body model."""

from __future__ import annotations

import csv
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from vitruvian.anthropometry.definitions import BY_NAME, MEASURES
from vitruvian.anthropometry.landmarks import find_landmarks
from vitruvian.anthropometry.tape import measures_of, measures_of_shape
from vitruvian.body.model.model import body_model
from vitruvian.types.regions import RIGHT_ARM, RIGHT_LEG, TRUNK

# A tape around a soft, real body differs from one around a model of it: forearms and arms were
# flexed in the survey, feet stand together, and heads have hair.
_TOLERANCE = {"forearm": 0.22, "hip_breadth": 0.16, "neck_base": 0.12, "ankle": 0.12}


@pytest.fixture(scope="module")
def bodies():
    model = body_model()
    return {
        group: measures_of(model, *model.rest(model.shape_prior(group).mean))
        for group in ("men", "women")
    }


def test_every_measure_is_taken_and_has_a_line(bodies):
    assert len(MEASURES) >= 28
    for taken in bodies.values():
        assert set(taken) == set(BY_NAME)
        for name, one in taken.items():
            assert 0.05 < one.metres < 2.5, name
            steps = np.linalg.norm(np.diff(one.line, axis=0), axis=1)
            assert one.metres == pytest.approx(steps.sum()), name
            closed = np.array_equal(one.line[0], one.line[-1])
            assert closed == (BY_NAME[name].kind == "girth"), name


def test_stature_is_the_model_s_own():
    model = body_model()
    for seed in range(4):
        betas = np.random.default_rng(seed).normal(0, 0.8, model.shape_count)
        assert measures_of_shape(model, betas)["stature"] == pytest.approx(
            model.stature(betas), abs=0.004
        )


def test_measures_grow_with_the_body():
    model = body_model()
    vertices, joints = model.rest(np.zeros(1))
    once = measures_of(model, vertices, joints)
    larger = measures_of(model, 1.1 * vertices.astype(np.float64), 1.1 * joints)
    for name, one in once.items():
        if name in {"head", "calf", "thigh", "ankle", "wrist", "forearm", "upper_arm"}:
            # The largest of several places: between two of them it is not quite met.
            assert larger[name].metres == pytest.approx(1.1 * one.metres, rel=0.01), name
        else:
            assert larger[name].metres == pytest.approx(1.1 * one.metres, rel=1e-6), name


def test_the_order_of_girths_is_anatomy_s(bodies):
    for taken in bodies.values():
        size = {name: one.metres for name, one in taken.items()}
        assert size["hip"] > size["waist"] > size["thigh"] > size["mid_thigh"] > size["knee"]
        assert size["calf"] > size["ankle"]
        assert size["upper_arm"] > size["forearm"] > size["wrist"]
        assert size["neck_base"] > size["neck"]
        assert size["chest"] > size["underbust"]
        assert size["sleeve"] > size["arm_length"] > size["hand_length"]
        assert size["waist_height"] > size["hip_height"] > size["inside_leg"] > size["knee_height"]
        assert size["rise"] == pytest.approx(size["waist_height"] - size["inside_leg"])


def test_landmarks_are_where_they_are_felt():
    model = body_model()
    marks, points, part = find_landmarks(model), model.template, model.regions.part
    for name in ("cervicale", "suprasternale", "navel", "waist", "crotch", "menton", "brow"):
        assert abs(points[getattr(marks, name), 0]) < 0.005, name
    assert part[marks.elbow] == part[marks.wrist] == part[marks.fingertip] == RIGHT_ARM
    assert part[marks.knee] == part[marks.heel] == part[marks.toe] == RIGHT_LEG
    assert part[marks.bust] == part[marks.underbust] == TRUNK
    height = {name: points[getattr(marks, name), 1] for name in vars(marks)}
    down = ["crown", "brow", "menton", "suprasternale", "axilla", "bust", "underbust", "waist",
            "navel", "crotch", "knee", "heel"]  # fmt: skip
    assert all(height[a] > height[b] for a, b in pairwise(down))


def test_vertices_of_another_topology_are_refused():
    model = body_model()
    with pytest.raises(ValueError, match="vertices must have shape"):
        measures_of(model, np.zeros((10, 3)), np.zeros((1, 3)))


@pytest.mark.parametrize(("group", "file"), [("men", "MALE"), ("women", "FEMALE")])
def test_the_mean_body_measures_as_the_surveyed_do(bodies, group, file):
    data = os.environ.get("VITRUVIAN_DATA")
    path = Path(data or "") / "anthropometry" / f"ANSUR_II_{file}_Public.csv"
    if data is None or not path.is_file():
        pytest.skip("VITRUVIAN_DATA has no anthropometry")
    with path.open(encoding="latin-1") as lines:
        rows = list(csv.DictReader(lines))
    for measure in MEASURES:
        if measure.ansur is None:
            continue
        mean = np.mean([float(row[measure.ansur]) for row in rows]) / 1000
        found = bodies[group][measure.name].metres
        assert found == pytest.approx(mean, rel=_TOLERANCE.get(measure.name, 0.1)), measure.name
