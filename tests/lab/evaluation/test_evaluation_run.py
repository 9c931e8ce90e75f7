"""Runs of suites: cases, failures, files, comparison; on pictures drawn here."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image
from rich.console import Console
from typer.testing import CliRunner

from vitruvian.errors import InputError
from vitruvian.lab.evaluation.command import evaluate, evaluate_suite
from vitruvian.lab.evaluation.folders import data_folder
from vitruvian.lab.evaluation.rendering import silhouette
from vitruvian.lab.evaluation.report import _histogram
from vitruvian.lab.evaluation.runner import CaseResult, run_cases
from vitruvian.lab.evaluation.scores import Scores, Summary, compare, moved_most
from vitruvian.lab.evaluation.suite import Metric, Outcome, Picture
from vitruvian.lab.evaluation.suites import open_suite
from vitruvian.lab.evaluation.suites.masks import MaskSuite, read_mask
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha
from vitruvian.types.mesh import Mesh


def quiet() -> Console:
    return Console(file=io.StringIO(), width=160)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@dataclass(frozen=True)
class NumberCase:
    name: str
    value: float


@dataclass(frozen=True)
class NumberSuite:
    """Its cases yield the square of their value; a negative one breaks."""

    values: tuple[float, ...] = (1.0, 3.0, 2.0)

    name = "numbers"
    ranking = "square"
    concurrent = True
    metrics = (
        Metric("square", "square [of it]", better="lower"),
        Metric("root", "root", "m", "higher", 1),
    )

    def cases(self) -> list[NumberCase]:
        return [NumberCase(f"case-{i}", value) for i, value in enumerate(self.values)]

    def run(self, case: NumberCase) -> Outcome:
        if case.value < 0:
            raise ArithmeticError(f"{case.value} has no root")
        pixels = np.full((20, 10, 3), int(case.value * 20), np.uint8)
        root = case.value**0.5 if case.value < 3 else float("nan")
        note = "<large>" if case.value >= 3 else ""
        return Outcome({"square": case.value**2, "root": root}, (Picture("a & b", pixels),), note)


def test_a_run_writes_scores_page_and_sheets(tmp_path: Path) -> None:
    console = quiet()
    scores = evaluate_suite(NumberSuite((1.0, 3.0, -1.0, 2.0)), tmp_path / "o", console=console)
    assert scores.summaries()["square"] == Summary.of([1, 9, 4])
    assert scores.summaries()["root"].count == 2
    assert scores.failures == {"case-2": "ArithmeticError: -1.0 has no root"}
    assert scores.ranked() == ["case-0", "case-3", "case-1"]
    names = {path.name for path in (tmp_path / "o").iterdir()}
    assert names == {
        "scores.json", "scores.md", "report.html", "worst.png", "best.png", "sample.png",
        "failures.txt",
    }  # fmt: skip
    assert "ArithmeticError" in (tmp_path / "o" / "failures.txt").read_text()
    page = (tmp_path / "o" / "report.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 3
    assert "&lt;large&gt;" in page
    assert "a &amp; b" in page
    assert page.index("Worst by") < page.index("<h3>case-1") < page.index("Best by")
    section = (tmp_path / "o" / "scores.md").read_text()
    assert "| square [of it] ↓ | 4.667 | 4.000 | 1.600 | 8.000 | 3 |" in section
    assert "| root [m] ↑ | 1.2 | 1.2 | 1.0 | 1.4 | 2 |" in section
    assert "Failed: case-2." in section
    printed = text_of(console)
    assert "square [of it]" in printed
    assert "failed: case-2" in printed
    again = Scores.load(tmp_path / "o")
    assert again.metrics == scores.metrics
    assert again.summaries()["square"] == scores.summaries()["square"]
    assert np.isnan(again.cases["case-1"]["root"])
    # A later run without failures leaves no tracebacks of the former.
    evaluate_suite(NumberSuite(), tmp_path / "o", console=quiet())
    assert not (tmp_path / "o" / "failures.txt").exists()


def test_failures_for_one_reason_are_told_once(tmp_path: Path) -> None:
    console = quiet()
    evaluate_suite(NumberSuite((*[-1.0] * 7, -2.0)), tmp_path, console=console)
    printed = text_of(console)
    assert "case-0, case-1, case-2, case-3, case-4 and 2 more: ArithmeticError: -1.0" in printed
    assert "failed: case-7: ArithmeticError: -2.0 has no root" in printed


def test_a_resumed_run_leaves_out_what_is_done(tmp_path: Path) -> None:
    first = NumberSuite((1.0, 3.0, -1.0))
    evaluate_suite(first, tmp_path, resume=True, console=quiet())
    with (tmp_path / "done.jsonl").open("a") as file:
        file.write('{"suite": "numb')  # as of a run that was killed
    # Were they run again, the first cases would have other numbers.
    scores = evaluate_suite(
        NumberSuite((9.0, 9.0, 9.0, 2.0)), tmp_path, resume=True, console=quiet()
    )
    assert [numbers["square"] for numbers in scores.cases.values()] == [1, 9, 4]
    assert np.isnan(scores.cases["case-1"]["root"])
    assert scores.notes == {"case-1": "<large>"}
    assert list(scores.failures) == ["case-2"]
    assert (tmp_path / "sample.png").exists()
    fresh = evaluate_suite(NumberSuite((9.0,)), tmp_path, console=quiet())
    assert fresh.cases["case-0"]["square"] == 81
    other = replace(first)
    object.__setattr__(other, "name", "letters")
    with pytest.raises(InputError, match="holds a run of the suite numbers"):
        evaluate_suite(other, tmp_path, resume=True, console=quiet())


def test_limit_takes_the_first_cases(tmp_path: Path) -> None:
    scores = evaluate_suite(NumberSuite(), tmp_path, limit=2, console=quiet())
    assert list(scores.cases) == ["case-0", "case-1"]
    assert scores.about["cases"] == "2"


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_keeps_what_is_done(workers: int) -> None:
    suite = NumberSuite((1.0, 3.0, 2.0, 5.0, 4.0, 6.0))
    seen: list[str] = []

    def stop_after_two(result: CaseResult) -> None:
        seen.append(result.name)
        if len(seen) == 2:
            raise KeyboardInterrupt

    results = run_cases(suite, suite.cases(), workers=workers, done=stop_after_two)
    assert sorted(r.name for r in results) == sorted(seen)


def test_workers_yield_what_one_process_yields() -> None:
    suite = NumberSuite((1.0, 3.0, -1.0, 2.0, 5.0))
    seen: list[str] = []
    alone = run_cases(suite, suite.cases())
    beside = run_cases(suite, suite.cases(), workers=2, done=lambda r: seen.append(r.name))
    assert [r.name for r in beside] == [r.name for r in alone]
    assert [r.failure for r in beside] == [r.failure for r in alone]
    assert [r.pictures for r in beside] == [r.pictures for r in alone]
    assert sorted(seen) == [r.name for r in alone]


def test_summary_leaves_out_what_is_not_finite() -> None:
    summary = Summary.of([1, float("nan"), 3, float("inf")])
    assert (summary.mean, summary.median, summary.count) == (2.0, 2.0, 2)
    assert np.isnan(Summary.of([]).mean)


def scores_of(values: dict[str, float], *, better: str = "higher", suite: str = "s") -> Scores:
    metric = Metric("m", "metric", better=better)  # type: ignore[arg-type]
    return Scores(suite, (metric,), "m", {k: {"m": v} for k, v in values.items()}, {}, {}, {})


def test_comparison_is_paired_and_knows_noise() -> None:
    rng = np.random.default_rng(0)
    base = {f"c{i}": float(v) for i, v in enumerate(rng.normal(0.5, 0.2, 60))}
    lifted = {k: v + 0.02 + rng.normal(0, 0.01) for k, v in base.items()}
    (change,) = compare(scores_of(base), scores_of(lifted))
    # The spread between cases is ten times the lift; only pairing can see it.
    assert change.verdict == "better"
    assert change.difference == pytest.approx(0.02, abs=0.005)
    assert change.margin < 0.005
    noise = {k: v + rng.normal(0, 0.05) for k, v in base.items()}
    assert compare(scores_of(base), scores_of(noise))[0].verdict == "same"
    (change,) = compare(scores_of(base, better="lower"), scores_of(lifted, better="lower"))
    assert change.verdict == "worse"
    (change,) = compare(scores_of(base, better="neither"), scores_of(lifted, better="neither"))
    assert change.verdict == "same"


def test_comparison_uses_the_cases_that_both_have() -> None:
    before = scores_of({"a": 1.0, "b": 2.0, "gone": 100.0, "d": 5.0})
    after = scores_of({"a": 2.0, "b": 2.0, "new": -100.0, "d": 1.0})
    (change,) = compare(before, after)
    assert change.count == 3
    assert change.difference == pytest.approx(-1.0)
    assert moved_most(before, after) == (["a"], ["d"])
    with pytest.raises(InputError, match="share no case"):
        compare(before, scores_of({"x": 1.0}))
    with pytest.raises(InputError, match="of one suite"):
        compare(before, scores_of({"a": 1.0}, suite="other"))


def application() -> typer.Typer:
    app = typer.Typer()
    app.command()(evaluate)
    return app


def test_command_compares_two_files(tmp_path: Path) -> None:
    evaluate_suite(NumberSuite((1.0, 2.0)), tmp_path / "a", console=quiet())
    evaluate_suite(NumberSuite((1.5, 2.5)), tmp_path / "b", console=quiet())
    arguments = ["--compare", str(tmp_path / "a" / "scores.json"), str(tmp_path / "b")]
    result = CliRunner().invoke(application(), arguments, env={"COLUMNS": "160"})
    assert result.exit_code == 0, result.output
    assert "2 common cases" in result.output
    assert "worse: case-1: square [of it] 4.000 → 6.250" in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Name the suite to run"),
        (["nothing", "--data", "."], "There is no suite 'nothing'"),
        (["ccp"], "No data folder is known"),
        (["ccp", "--data", "absent"], "absent is not a folder"),
        (["ccp", "--data", "empty"], "holds no data for the suite ccp: it needs photos and labels"),
        (["--compare", "x.json", "y.json"], "Cannot read x.json"),
        (["ccp", "--compare", "x.json", "y.json"], "not both"),
    ],
)
def test_command_tells_what_is_wrong(
    arguments: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    monkeypatch.delenv("VITRUVIAN_DATA", raising=False)
    result = CliRunner().invoke(application(), arguments)
    assert isinstance(result.exception, InputError)
    assert sentence in str(result.exception)
    assert str(result.exception).count(". ") == 0


def test_data_folder_comes_from_the_option_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRUVIAN_DATA", str(tmp_path))
    assert data_folder(None) == tmp_path
    (tmp_path / "own").mkdir()
    assert data_folder(tmp_path / "own") == tmp_path / "own"


def test_scores_files_of_others_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    for content in ("{", "[]", json.dumps({"format": 99})):
        path.write_text(content)
        with pytest.raises(InputError, match=r"is not a scores\.json"):
            Scores.load(path)


# --- the suite of photographs with masks --------------------------------------------------------

SIZE = (120, 90)  # height, width


def person_mask(shift: int = 0) -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[20:100, 30 + shift : 60 + shift] = True
    return mask


def slab(mask: np.ndarray, camera: Camera) -> Mesh:
    """A flat mesh two metres away that covers the rectangle of a mask."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    x0, x1, y0, y1 = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
    rays = camera.rays(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]))
    return Mesh(
        (rays * 2).astype(np.float32),
        np.array([[0, 3, 2], [0, 2, 1]], np.int32),
        "camera",
        np.zeros((1, 2), np.float32),
        np.zeros((2, 3), np.int32),
        np.full((2, 2, 3), 200, np.uint8),
    )


def mask_folder(folder: Path, *, names: tuple[str, ...] = ("a", "b")) -> Path:
    (folder / "photos").mkdir(parents=True)
    (folder / "labels").mkdir()
    for name in names:
        pixels = np.full((*SIZE, 3), 60, np.uint8)
        pixels[person_mask()] = 200
        Image.fromarray(pixels).save(folder / "photos" / f"{name}.png")
        labels = np.where(person_mask(), 7, 0).astype(np.uint8)
        Image.fromarray(labels).save(folder / "labels" / f"{name}.png")
    return folder


def stand_in(photo: Any, *, shift: int = 0, body_shift: int = 0) -> Any:
    """A scene whose person is the true rectangle, moved aside."""
    mask = person_mask(shift)
    height, width = mask.shape
    figure = SimpleNamespace(alpha=Alpha(mask.astype(np.uint8) * 255, 0, 0, width, height))
    body_mesh = slab(person_mask(body_shift), photo.camera)
    body = SimpleNamespace(as_mesh=lambda: body_mesh, keypoint_error=0.0123)
    surface = slab(mask, photo.camera)
    person = SimpleNamespace(figure=figure, body=body, mesh_camera=surface, avatar=None)
    return SimpleNamespace(
        people=(person, person),
        largest=person,
        camera=photo.camera,
        timings_s={"people": 0.25, "body": 0.5},
    )


def test_masks_suite_on_a_perfect_reconstruction(tmp_path: Path) -> None:
    suite = MaskSuite(mask_folder(tmp_path), stand_in)
    assert [case.name for case in suite.cases()] == ["a", "b"]
    outcome = suite.run(suite.cases()[0])
    numbers = dict(outcome.numbers)
    assert numbers.pop("psnr") > 60
    assert np.isnan(numbers.pop("torn"))  # it has no skin
    assert np.isnan(numbers.pop("sex_right"))  # nobody said which it is
    for key in ("torn", "severed", "iou", "ssim"):
        assert np.isnan(numbers.pop(f"avatar_{key}"))
    assert numbers.pop("ssim") == pytest.approx(1.0, abs=1e-4)
    assert numbers == pytest.approx(
        {
            "found": 1, "extra": 1, "alpha_iou": 1, "boundary_f": 1, "body_outside": 0,
            "keypoint_error": 0.0123, "body_iou": 1, "surface_iou": 1, "crossing": 0,
            "seconds": 0.75,
        }
    )  # fmt: skip
    assert set(outcome.numbers) == {metric.key for metric in suite.metrics}
    assert len(outcome.pictures) == 5


def test_masks_suite_on_one_that_is_aside(tmp_path: Path) -> None:
    suite = MaskSuite(
        mask_folder(tmp_path), lambda photo: stand_in(photo, shift=10, body_shift=-15)
    )
    numbers = suite.run(suite.cases()[0]).numbers
    assert numbers["alpha_iou"] == pytest.approx(0.5)  # 20 of 40 columns
    assert numbers["surface_iou"] == pytest.approx(0.5)
    assert numbers["body_outside"] == pytest.approx(0.5)
    assert numbers["body_iou"] == pytest.approx(1 / 3)
    assert 0.2 < numbers["boundary_f"] < 0.8


def test_a_person_who_is_missed_scores_nothing(tmp_path: Path) -> None:
    def blind(photo: Any) -> Any:
        return SimpleNamespace(people=(), largest=None, camera=photo.camera, timings_s={})

    suite = MaskSuite(mask_folder(tmp_path), blind)
    outcome = suite.run(suite.cases()[0])
    assert outcome.numbers["found"] == outcome.numbers["alpha_iou"] == 0.0
    assert outcome.numbers["boundary_f"] == outcome.numbers["surface_iou"] == 0.0
    assert "body_outside" not in outcome.numbers
    assert outcome.note == "Nobody was found."


def test_masks_suite_finds_its_folder(tmp_path: Path) -> None:
    inner = mask_folder(tmp_path / "data" / "ccp")
    assert open_suite("ccp", tmp_path / "data").folder == inner  # type: ignore[attr-defined]
    assert open_suite("ccp", inner).folder == inner  # type: ignore[attr-defined]
    for path in (inner / "labels").iterdir():
        path.unlink()
    with pytest.raises(InputError, match="has a mask"):
        open_suite("ccp", inner).cases()


def test_masks_are_read_in_every_form(tmp_path: Path) -> None:
    mask = person_mask()
    forms = {
        "labels": Image.fromarray(mask.astype(np.uint8) * 3),
        "palette": Image.fromarray(mask.astype(np.uint8)).convert("P"),
        "bits": Image.fromarray(mask),
        "color": Image.fromarray(np.repeat(mask[..., None], 3, 2).astype(np.uint8) * 255),
        "cutout": Image.fromarray(
            np.dstack([np.full((*SIZE, 3), 9, np.uint8), mask.astype(np.uint8) * 255])
        ),
    }
    for name, image in forms.items():
        image.save(tmp_path / f"{name}.png")
        np.testing.assert_array_equal(read_mask(tmp_path / f"{name}.png", SIZE), mask, name)
    half = read_mask(tmp_path / "labels.png", (SIZE[0] // 2, SIZE[1] // 2))
    np.testing.assert_array_equal(half, mask[::2, ::2])
    with pytest.raises(InputError, match="is 90x120 pixels and its photograph 120x90"):
        read_mask(tmp_path / "labels.png", (90, 120))
    (tmp_path / "broken.png").write_text("no")
    with pytest.raises(InputError, match="Cannot read the mask"):
        read_mask(tmp_path / "broken.png", SIZE)


# --- silhouettes ---------------------------------------------------------------------------------


def test_silhouettes_survive_vertices_behind_the_camera() -> None:
    camera = Camera.from_fov(60, 80, 120)
    square = slab(person_mask()[:, :80], camera)
    behind = Mesh(
        np.concatenate([square.vertices, [[0, 0, -1], [1, 0, 0], [0, 1, -2]]]).astype(np.float32),
        np.concatenate([square.faces, [[4, 5, 6]]]).astype(np.int32),
        "camera",
    )
    np.testing.assert_array_equal(silhouette(behind, camera), silhouette(square, camera))
    with pytest.raises(ValueError, match="camera frame"):
        silhouette(Mesh(square.vertices, square.faces, "world"), camera)


def test_numbers_that_differ_in_their_last_digits_have_no_distribution() -> None:
    metric = Metric("jitter", "jitter")
    assert _histogram([1179.3, np.nextafter(1179.3, 2000)], metric) == ""
    assert "<svg" in _histogram([1.0, 2.0], metric)
