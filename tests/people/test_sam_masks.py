"""Prompting SAM for people, sharing out what it answers, and choosing whole people among things."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from sam_graphs import write_sam
from vitruvian.commands.cli import main
from vitruvian.errors import InputError
from vitruvian.image.photo import load_photo
from vitruvian.networks.sam import Sam, SamMasks
from vitruvian.people.crops import Crop
from vitruvian.people.finder import find_people
from vitruvian.people.landmarks import LandmarkEstimate
from vitruvian.people.matte import CoarseMask, refine, share_out
from vitruvian.people.pose import pose_estimator
from vitruvian.people.sam import (
    REJECTED,
    CutOut,
    everything,
    prompted_masks,
    ranked,
    sampled,
    whole_figure,
    whole_people,
)
from vitruvian.pipeline.photo import reconstruct

# A figure of 33 landmarks in a unit box, limbs a little inside of it.
FIGURE = np.array(
    [[0.5, 0.08]] + [[0.5, 0.06]] * 6 + [[0.55, 0.07], [0.45, 0.07]] + [[0.5, 0.1]] * 2
    + [[0.7, 0.2], [0.3, 0.2], [0.8, 0.35], [0.2, 0.35], [0.85, 0.48], [0.15, 0.48]]
    + [[0.85, 0.5], [0.15, 0.5]] * 3
    + [[0.6, 0.5], [0.4, 0.5], [0.62, 0.72], [0.38, 0.72], [0.64, 0.93], [0.36, 0.93]]
    + [[0.62, 0.96], [0.38, 0.96], [0.68, 0.97], [0.32, 0.97]]
)  # fmt: skip
SHAPE = (300, 400)
LEFT, RIGHT = (60, 50, 190, 280), (150, 40, 290, 270)  # x0, y0, x1, y1; they overlap


def estimate(box: tuple[int, int, int, int]) -> LandmarkEstimate:
    x0, y0, x1, y1 = box
    points = FIGURE * [x1 - x0, y1 - y0] + [x0, y0]
    crop = Crop(np.array([(x0 + x1) / 2, (y0 + y1) / 2]), np.array([0.0, -1.0]), 1.2 * (y1 - y0))
    ones = np.ones(33)
    return LandmarkEstimate(points, ones, ones, np.zeros((33, 3)), crop, 1.0, 0.01, 0.5)


def coarse(box: tuple[int, int, int, int], spill: int = 12) -> CoarseMask:
    """A mask that runs over by ``spill`` pixels on every side."""
    x0, y0, x1, y1 = box
    logits = np.full(SHAPE, -6.0, np.float32)
    logits[max(y0 - spill, 0) : y1 + spill, max(x0 - spill, 0) : x1 + spill] = 4
    return CoarseMask(logits, (0, 0, SHAPE[1], SHAPE[0]), 1.0, float(y1 - y0))


def two_people() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The picture, and what of the left and of the right person is seen."""
    image = np.full((*SHAPE, 3), 120, np.uint8)
    left, right = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    right[RIGHT[1] : RIGHT[3], RIGHT[0] : RIGHT[2]] = True
    left[LEFT[1] : LEFT[3], LEFT[0] : LEFT[2]] = True
    image[right] = (30, 60, 210)
    image[left] = (210, 50, 40)  # in front
    return image, left, right & ~left


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))


@pytest.mark.parametrize("layout", ["sam", "sam2", "efficient", "hugging face"])
def test_people_who_overlap_are_told_apart(layout: str, tmp_path: Path) -> None:
    sam = Sam(*write_sam(tmp_path, layout))
    image, left, right = two_people()
    estimates, masks = [estimate(LEFT), estimate(RIGHT)], [coarse(LEFT), coarse(RIGHT)]
    better, said = prompted_masks(image, sam, estimates, masks)
    assert said == [(), ()]
    shared = share_out(better, estimates)
    for mask, true, rough in zip(shared, (left, right), masks, strict=True):
        alpha = refine(image, mask) > 127
        assert iou(alpha, true) > 0.9
        assert iou(alpha, true) > iou(rough.logits > 0, true) + 0.1


def test_small_people_are_looked_at_closely(tmp_path: Path) -> None:
    sam = Sam(*write_sam(tmp_path, "sam"))
    image, left, _ = two_people()
    wide = np.full((900, 1200, 3), 120, np.uint8)
    wide[500:800, 700:1100] = image
    far = replace(estimate(LEFT), points=estimate(LEFT).points + [700, 500])
    rough = coarse(LEFT)
    placed = replace(rough, window=(700, 500, 1100, 800))
    ((better,), _) = prompted_masks(wide, sam, [far], [placed])
    # A cell of this embedding spans 9 pixels; in the picture as a whole it would span 19 (.78).
    assert iou(better.logits > 0, left) > 0.84


def test_a_mask_that_contradicts_the_landmarks_is_dropped(tmp_path: Path) -> None:
    sam = Sam(*write_sam(tmp_path, "sam"))
    grey = np.full((*SHAPE, 3), 120, np.uint8)  # nobody to be seen: everything looks alike
    rough = coarse(LEFT)
    ((kept,), said) = prompted_masks(grey, sam, [estimate(LEFT)], [rough])
    assert kept is rough
    assert said == [(REJECTED,)]


def test_nobody_to_ask_for(tmp_path: Path) -> None:
    sam = Sam(*write_sam(tmp_path, "sam"))
    assert prompted_masks(np.zeros((*SHAPE, 3), np.uint8), sam, [], []) == ([], [])


def test_choice_weighs_landmarks_and_quality() -> None:
    half = np.full((10, 20), -5, np.float32)
    half[:, :10] = 5
    all_of_it = np.full((10, 20), 5, np.float32)
    own = np.array([[20.0, 20.0], [60.0, 60.0]])
    foreign = np.array([[150.0, 50.0]])
    found = SamMasks(np.stack([half, all_of_it, -half]), np.array([0.7, 0.99, 0.99]), (200, 100))
    assert ranked(found, own, foreign) == [0]
    # Nothing speaks against the larger: it comes first, being the surer one.
    assert ranked(found, own, np.zeros((0, 2))) == [1, 0]
    assert ranked(replace(found, logits=-found.logits), own, foreign) == [2]
    assert ranked(replace(found, logits=np.stack([-half] * 3)), own, foreign) == []
    unknown = replace(found, quality=np.full(3, np.nan))
    assert ranked(unknown, own, foreign) == [0]
    # Landmarks of others that are guessed through the person do not undo a good mask.
    assert ranked(found, own, np.concatenate([foreign, own[:1]])) == [0]


def test_sampling_lays_the_grid_where_it_belongs() -> None:
    # A ramp: its value is the x of the picture, so that a shift by half a cell would show.
    cells = (np.arange(64) + 0.5) * 4.0
    found = SamMasks(
        np.tile((cells - 128) / 128, (32, 1)).astype(np.float32)[None], np.ones(1), (256, 128)
    )
    values = sampled(found, 0, (30, 20, 130, 100), 0.5, (10, 0, 266, 128))
    assert values.shape == (40, 50)
    expected = (30 + (np.arange(50) + 0.5) * 2 - 10 - 128) / 128
    assert np.allclose(values, expected, atol=1e-4)


def test_everything_finds_each_thing_once(tmp_path: Path) -> None:
    sam = Sam(*write_sam(tmp_path, "sam"))
    image, left, right = two_people()
    cuts = everything(image, sam, points_per_side=8)
    for true in (left, right):
        alike = [cut for cut in cuts if iou(cut.mask, true) > 0.8]
        assert len(alike) == 1
        rows, columns = np.nonzero(true)
        corners = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert np.abs(alike[0].box - corners).max() < 9
    for k, cut in enumerate(cuts):
        assert all(iou(cut.mask, other.mask) < 0.75 for other in cuts[:k])
        assert 0.9 <= cut.stability <= 1
    chosen = whole_people(pose_estimator(), image, cuts, lambda *_: None)
    assert chosen == []


def test_people_stay_where_sam_is_of_no_use(shared_data, tmp_path: Path) -> None:
    pixels = load_photo(shared_data("photos") / "m015_u2net.jpg").pixels
    small = cv2.resize(pixels, None, fx=0.35, fy=0.35, interpolation=cv2.INTER_AREA)
    sam = Sam(*write_sam(tmp_path, "sam2"))
    plain, asked = find_people(load_photo(small)), find_people(load_photo(small), sam=sam)
    assert len(plain) == len(asked) == 2
    for before, after in zip(plain, asked, strict=True):
        # This one knows colours alone, and people wear several: it must not make things worse.
        assert iou(before.alpha.full() > 127, after.alpha.full() > 127) > 0.4
        kept = np.array_equal(before.alpha.full(), after.alpha.full())
        assert (REJECTED in after.warnings) or not kept
    assert any(REJECTED in figure.warnings for figure in asked)


def test_only_whole_people_pass(shared_data) -> None:
    pixels = load_photo(shared_data("photos") / "s060_tfjsmodels.jpg").pixels
    (figure,) = find_people(load_photo(pixels))
    assert figure.complete
    mask = figure.alpha.full() > 127

    def cut(part: np.ndarray) -> CutOut:
        rows, columns = np.nonzero(part)
        box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], float)
        return CutOut(part, box, 0.95, 0.97)

    found = whole_figure(pose_estimator(), pixels, cut(mask))
    assert found is not None
    person, pose = found
    size = float(max(figure.box[2:] - figure.box[:2]))
    apart = np.linalg.norm(pose.points - figure.landmarks.points, axis=1)
    assert np.median(apart) < 0.03 * size
    assert person.score == pytest.approx(0.95 * 0.97)
    upper = mask.copy()
    upper[int(figure.box[1] + 0.55 * size) :] = False
    assert whole_figure(pose_estimator(), pixels, cut(upper)) is None
    elsewhere = cv2.dilate(mask.astype(np.uint8), np.ones((25, 25))) == 0
    elsewhere[:, : pixels.shape[1] // 8] = False
    assert whole_figure(pose_estimator(), pixels, cut(elsewhere)) is None


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--sam-encoder", "e.onnx"], "A SAM encoder alone cannot draw masks: give --sam-decoder"),
        (["--sam-decoder", "d.onnx"], "A SAM decoder alone cannot draw masks: give --sam-encoder"),
        (["--sam-everything"], "Only SAM networks can look for everything: give their encoder"),
        (
            ["--sam-encoder", "e.onnx", "--sam-decoder", "d.onnx"],
            "There is no SAM encoder e.onnx: give the path of an ONNX file.",
        ),
    ],
)
def test_the_command_line_says_what_is_missing(
    options: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("VITRUVIAN_SAM_ENCODER", "VITRUVIAN_SAM_DECODER"):
        monkeypatch.delenv(name, raising=False)
    assert main(["photo", "one.jpg", "two.jpg", *options]) == 2
    said = capsys.readouterr().err
    assert said.count(sentence) == 1
    assert list(tmp_path.iterdir()) == []


def test_variables_stand_in_for_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VITRUVIAN_SAM_ENCODER", "mine.onnx")
    monkeypatch.setenv("VITRUVIAN_SAM_DECODER", "other.onnx")
    assert main(["photo", "one.jpg"]) == 2
    assert "There is no SAM encoder mine.onnx" in capsys.readouterr().err


def test_options_that_do_not_go_together() -> None:
    with pytest.raises(InputError) as raised:
        reconstruct(np.zeros((64, 64, 3), np.uint8), sam_everything=True)
    assert str(raised.value) == (
        "Only SAM networks can look for everything: give their encoder and decoder, too."
    )


def test_the_pipeline_asks_sam(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^There is no SAM encoder "):
        reconstruct(np.zeros((64, 64, 3), np.uint8), sam=(tmp_path / "a", tmp_path / "b"))
