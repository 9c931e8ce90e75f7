"""People with surveyed measures, their silhouettes, and the recipe that reads them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra train is not installed")
pytest.importorskip("anny", reason="the extra train is not installed")

import torch

from vitruvian.anthropometry.definitions import MEASURES
from vitruvian.anthropometry.measured_body import MeasuredBody
from vitruvian.anthropometry.tape import taken_of
from vitruvian.body.model.model import body_model
from vitruvian.errors import InputError
from vitruvian.lab.measuring.captures import Worn, as_a_matte, posed, random_pair
from vitruvian.lab.measuring.dataset import PairSource, write_pairs
from vitruvian.lab.measuring.people import FittedPeople, mass_of
from vitruvian.lab.measuring.recipe import APART, MeasuringNet, MeasuringRecipe
from vitruvian.lab.measuring.shapes import measuring_shapes
from vitruvian.lab.measuring.survey import COLUMNS, FILES, as_surveyed, surveyed
from vitruvian.lab.training.recipe import Step, recipe_named
from vitruvian.networks.measuring import HEIGHT, WIDTH

pytestmark = pytest.mark.train

BARE = Worn(0, 0, 0, 0, 1, 1, 0, 0, 0, 0)


def body_of(coefficients: np.ndarray) -> MeasuredBody:
    vertices, joints = measuring_shapes().rest(body_model(), coefficients)
    return MeasuredBody(body_model(), vertices.astype(np.float64), joints)


def measures_of(coefficients: np.ndarray) -> dict[str, float]:
    return {name: one.metres for name, one in taken_of(body_of(coefficients)).items()}


@pytest.fixture(scope="module")
def people() -> FittedPeople:
    """Eight random shapes."""
    rng = np.random.default_rng(0)
    shapes = measuring_shapes()
    coefficients = np.zeros((8, len(shapes.names)), np.float32)
    coefficients[:, : shapes.own] = rng.normal(0, 0.4, (8, shapes.own))
    measures = [[measures_of(one)[m.name] for m in MEASURES] for one in coefficients]
    return FittedPeople(
        coefficients,
        np.array(measures, np.float32),
        mass_of(coefficients),
        np.zeros((8, len(COLUMNS)), np.float32),
        np.array([0, 1] * 4, np.uint8),
        np.full(8, 30, np.float32),
    )


@pytest.mark.parametrize(
    ("direction", "measure", "other"),
    [("legs/measure-calf-circ", "calf", "neck"), ("neck/measure-neck-circ", "neck", "calf")],
)
def test_a_local_shape_changes_its_own_measure_alone(direction, measure, other):
    shapes = measuring_shapes()
    coefficients = np.zeros(len(shapes.names))
    before = measures_of(coefficients)
    coefficients[shapes.names.index(direction)] = 0.5
    after = measures_of(coefficients)
    assert after[measure] > before[measure] + 0.005
    assert after[other] == pytest.approx(before[other], abs=0.001)


def test_shapes_are_alike_on_both_sides():
    shapes, mirror = measuring_shapes(), body_model().vertex_mirror
    flipped = shapes.directions[:, mirror] * np.array([-1, 1, 1], np.float32)
    own = np.abs(flipped - shapes.directions)[shapes.own :]
    assert own.mean() < 1e-4


def test_the_survey_is_read_in_metres(tmp_path: Path):
    with (tmp_path / FILES["men"]).open("w", newline="", encoding="latin-1") as lines:
        writer = csv.writer(lines)
        writer.writerow([*COLUMNS, "Age"])
        writer.writerow([1750] * len(COLUMNS) + [31])
    people = surveyed(tmp_path, "men")
    assert people.age.tolist() == [31]
    assert people.values[0, COLUMNS.index("stature")] == 1.75
    assert people.values[0, COLUMNS.index("bicepscircumferenceflexed")] < 1.75
    with pytest.raises(InputError, match="files of ANSUR II"):
        surveyed(tmp_path, "women")


def test_a_body_measures_as_the_survey_does():
    body = body_of(np.zeros(len(measuring_shapes().names)))
    found = dict(zip(COLUMNS, as_surveyed(body, taken_of(body)), strict=True))
    assert found["stature"] == pytest.approx(body_model().stature(np.zeros(1)), abs=0.004)
    assert 0.15 < found["waistdepth"] < found["waistbreadth"] < 0.45
    assert found["cervicaleheight"] > found["suprasternaleheight"] > found["axillaheight"]
    assert 40 < 100 * found["weightkg"] < 120


def test_clothes_hair_and_soles_add_to_the_body():
    coefficients = np.zeros(len(measuring_shapes().names))
    pose = np.zeros((len(body_model().joint_names), 3))
    bare = posed(coefficients, pose, BARE)
    worn = posed(coefficients, pose, Worn(0.03, 0.02, 0.02, 0.01, 1, 1, 0.05, 0.03, 0.01, 1))
    assert 0.03 < np.ptp(worn[:, 1]) - np.ptp(bare[:, 1]) < 0.12
    trunk = np.abs(bare[:, 1] - 1.05) < 0.03
    middle = trunk & (np.abs(bare[:, 0]) < 0.2)
    assert np.ptp(worn[middle, 2]) > np.ptp(bare[middle, 2]) + 0.02


def test_a_matte_s_errors_stay_at_the_outline():
    mask = np.zeros((320, 320), np.uint8)
    mask[80:240, 100:220] = 255
    found = as_a_matte(mask, np.random.default_rng(4))
    assert (found[90:230, 110:210] == 255).all()
    assert (found[:70] == 0).all()
    assert (found != mask).any()


def test_pairs_are_the_same_for_the_same_random_numbers(people):
    height = float(people.measures_m[0, 0])
    pairs = [
        random_pair(people.coefficients[0], height, np.random.default_rng(1), "ordinary")
        for _ in range(2)
    ]
    np.testing.assert_array_equal(*pairs)
    assert pairs[0].shape == (2, HEIGHT, WIDTH)
    front, side = (pairs[0] >= 128).sum((1, 2))
    assert front > side


def test_a_few_steps_learn_and_stages_follow_each_other(people, tmp_path: Path):
    write_pairs(people, tmp_path, 24, seed=3)
    recipe = recipe_named("measuring")
    assert isinstance(recipe, MeasuringRecipe)
    recipe._source = source = PairSource(tmp_path, 0)
    assert set(source.held_out.person % 4) <= {0}
    assert not set(source.held_out.person) & set(source.training.person)
    torch.manual_seed(0)
    model = recipe.build(pretrained=False)
    assert isinstance(model, MeasuringNet)
    optimiser = torch.optim.AdamW(model.parameters(), 2e-3)
    batches = source.batches(0, 8)
    totals = []
    for number in range(12):
        step = Step(number, 0.0, torch.Generator().manual_seed(number))
        terms = recipe.loss(model, next(batches), step)
        assert set(terms) == {"total", "front", "side"}
        optimiser.zero_grad()
        terms["total"].backward()
        optimiser.step()
        totals.append(float(terms["total"].detach()))
    assert np.mean(totals[-3:]) < np.mean(totals[:3])
    terms = recipe.loss(model, next(batches), Step(99, APART, torch.Generator().manual_seed(0)))
    assert set(terms) == {"total", "joint"}
    model.eval()
    with torch.no_grad():
        figures = recipe.validate(model, source.validation(8))
        picture = recipe.picture(model, next(iter(source.validation(8))))
    assert {"front_cm", "side_cm", "joint_cm", "weighed_cm", "inside_90"} <= set(figures)
    assert picture.ndim == 3


def test_a_folder_without_pairs_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="There are no pairs"):
        PairSource(tmp_path, 0)
