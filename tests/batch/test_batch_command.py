"""``vitruvian batch`` as a user runs it, with real reconstructions."""

import csv
import json
from pathlib import Path

import pytest
from PIL import Image

from vitruvian.commands.cli import main

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "person.jpg"


def test_photographs_a_pair_and_a_failure(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    inputs = tmp_path / "in"
    inputs.mkdir()
    with Image.open(EXAMPLE) as picture:
        picture.resize((picture.width // 2, picture.height // 2)).save(inputs / "anna.jpg")
    (inputs / "notes.jpg").write_text("Dear Anna")
    for name, width in (("front", 60), ("side", 30)):
        view = Image.new("L", (200, 400))
        view.paste(255, (100 - width // 2, 20, 100 + width // 2, 380))
        view.save(tmp_path / f"{name}.png")
    (tmp_path / "people.csv").write_text("front,side,height\nfront.png,side.png,172\n")
    command = [
        "batch", str(inputs), str(tmp_path / "people.csv"), "-o", str(tmp_path / "out"), "--json",
        "--workers", "1", "--detail", "body", "--no-texture", "--formats", "ply",
    ]  # fmt: skip
    assert main(command) == 2
    printed = capfd.readouterr()
    told = json.loads(printed.out)
    assert (told["done"], told["failed"], told["waiting"]) == (2, 1, 0)
    assert told["failures"] == {"not-a-picture": 1}
    assert "notes.jpg is not a picture" in printed.err
    with (tmp_path / "out" / "index.csv").open() as file:
        rows = {Path(row["input"]).name: row for row in csv.DictReader(file)}
    folder = tmp_path / "out" / rows["anna.jpg"]["result"]
    report = json.loads((folder / "report.json").read_text())
    assert report["image"]["path"] == str(inputs / "anna.jpg")
    assert (folder / "person-1" / "mesh.ply").exists()
    assert not (folder / "person-1" / "mesh.obj").exists()
    assert json.loads((folder / "batch.json").read_text())["people"] == len(report["people"]) == 1
    measured = tmp_path / "out" / rows["side.png"]["result"]  # of "front.png and side.png"
    assert (measured / "measures.csv").exists()
    page = (tmp_path / "out" / "report.html").read_text()
    assert "not-a-picture" in page
    assert "data:image/jpeg;base64," in page
    # Once more: nothing is left to do, and no worker is started.
    assert main([*command[:2], *command[3:]]) == 2
    assert json.loads(capfd.readouterr().out) == told


def test_what_does_not_exist_is_told_before_anything_is_written(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["batch", str(EXAMPLE), str(tmp_path / "none.jpg"), "-o", str(out)]) == 2
    assert "none.jpg does not exist; check the path." in capfd.readouterr().err
    assert not out.exists()
