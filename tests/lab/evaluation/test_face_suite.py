"""The suite of faces, on a photograph with a large face."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vitruvian.errors import InputError
from vitruvian.lab.evaluation.suites.faces import FaceSuite
from vitruvian.pipeline.photo import reconstruct


def bodies_only(source):
    """The pipeline without surfaces."""
    return reconstruct(source, detail="body", texture=False, check=False, max_people=1)


def test_a_face_is_measured(tmp_path: Path, shared_data) -> None:
    (tmp_path / "photos").mkdir()
    shutil.copy(shared_data("photos") / "s071_idmvton.jpg", tmp_path / "photos" / "half.jpg")
    suite = FaceSuite(FaceSuite.open(tmp_path).folder, bodies_only)
    (case,) = suite.cases()
    outcome = suite.run(case)
    assert set(outcome.numbers) == {metric.key for metric in suite.metrics}
    assert outcome.numbers["points"] == outcome.numbers["fitted"] == 1
    assert outcome.numbers["error"] < 0.025 < outcome.numbers["bare_error"]
    assert 1 < outcome.numbers["offset"] < 25
    assert len(outcome.pictures) == 7
    # The head is in the middle of every picture, on paper.
    for picture in outcome.pictures[1:]:
        side = picture.pixels.shape[0]
        assert np.ptp(picture.pixels[side // 4 : -side // 4, side // 4 : -side // 4]) > 60


def test_nobody_has_no_face(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (300, 400), (90, 140, 190)).save(tmp_path / "photos" / "sky.png")
    suite = FaceSuite(tmp_path / "photos", bodies_only)
    outcome = suite.run(suite.cases()[0])
    assert outcome.numbers["points"] == 0
    assert np.isnan(outcome.numbers["error"])
    with pytest.raises(InputError, match="holds no data for the suite faces"):
        FaceSuite.open(tmp_path / "photos")
