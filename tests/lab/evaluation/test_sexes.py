"""Labels of sex for the suite ``ccp``."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from vitruvian.lab.evaluation.suites.masks import labelled_sexes, sex_right


def test_labels_are_of_men_and_women() -> None:
    labels = labelled_sexes()
    assert list(labels.values()).count("m") == 26
    assert list(labels.values()).count("f") == 167
    assert all(len(name) == 4 and name.isdigit() for name in labels)


def test_bodies_are_judged_by_their_side_of_the_middle() -> None:
    def body(gender: float) -> SimpleNamespace:
        return SimpleNamespace(phenotype={"gender": gender})

    assert labelled_sexes()["0048"] == "m"
    assert sex_right("0048", body(0.2)) == 1  # type: ignore[arg-type]
    assert sex_right("0048", body(0.8)) == 0  # type: ignore[arg-type]
    assert sex_right("0003", body(0.8)) == 1  # type: ignore[arg-type]
    assert np.isnan(sex_right("street", body(0.8)))  # type: ignore[arg-type]
