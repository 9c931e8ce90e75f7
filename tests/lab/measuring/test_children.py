"""Children by growth charts."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra train is not installed")
pytest.importorskip("anny", reason="the extra train is not installed")

from vitruvian.anthropometry.definitions import MEASURES
from vitruvian.lab.measuring.children import draw_children, drawn_bmi, drawn_height_m

pytestmark = pytest.mark.train


# WHO growth reference 2007: medians and two standard deviations above of ten-year-old boys and
# eight-year-old girls, of the tables by z-score.
@pytest.mark.parametrize(
    ("sex", "age", "z", "height", "bmi"),
    [
        ("boys", 10, 0, 1.378, 16.4),
        ("boys", 10, 2, 1.505, 21.4),
        ("girls", 8, 0, 1.266, 15.7),
        ("girls", 8, -1, 1.208, 14.1),
    ],
)
def test_charts_are_read_as_published(sex, age, z, height, bmi):
    assert drawn_height_m(sex, age, z) == pytest.approx(height, abs=0.001)
    assert drawn_bmi(sex, age, z) == pytest.approx(bmi, abs=0.06)


def test_drawn_children_are_as_tall_and_heavy_as_the_charts_allow():
    children = draw_children(6, seed=4)
    assert children.group.tolist() == [0, 1] * 3
    stature = children.measures_m[:, [measure.name for measure in MEASURES].index("stature")]
    bmi = children.mass_kg / stature**2
    for number, (sex, age) in enumerate(zip(("boys", "girls") * 3, children.age, strict=True)):
        reach = [drawn_height_m(sex, age, z) for z in (-2.6, 2.6)]
        assert reach[0] < stature[number] < reach[1]
        reach = [drawn_bmi(sex, age, z) for z in (-2.6, 2.6)]
        assert reach[0] < bmi[number] < reach[1]
    assert np.ptp(children.age) > 3
