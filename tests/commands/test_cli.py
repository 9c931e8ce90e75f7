"""The command line around the pipeline: options, exit codes, sentences, and what lies on disk."""

import json
import os
import signal
import subprocess
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import vitruvian
from vitruvian.commands.cli import COMMANDS, main, make_app
from vitruvian.errors import WeightsError
from vitruvian.hints import LARGEST, Hint
from vitruvian.image.photo import load_photo
from vitruvian.options import Options


@dataclass
class StandInPipeline:
    """Takes the place of the reconstruction: real decoding, a few small files.

    ``during`` runs inside ``Scene.save``, with the folder and the picture's name, before the last
    file is written.
    """

    people: int = 1
    during: Callable[[Path, str], None] = lambda _folder, _name: None
    calls: list[dict[str, Any]] = field(default_factory=list)

    def reconstruct(self, source: Any, options: Options, progress: Any, same_person: Any) -> Any:
        photo = load_photo(source, fov_deg=options.fov_deg)
        self.calls.append({"name": photo.name, "options": options})
        if same_person:
            self.calls[-1]["same_person"] = same_person

        def save(folder: Path, **files: Any) -> dict[str, Any]:
            self.calls[-1].update(files)
            (folder / "scene.glb").write_text(photo.name)
            self.during(folder, photo.name)
            report = {
                "image": {"path": str(source)},
                "people": [
                    {"id": i + 1, "warnings": ["Feet cut off."]} for i in range(self.people)
                ],
                "warnings": [] if self.people else ["Nobody was found in the picture."],
            }
            (folder / "report.json").write_text(json.dumps(report))
            return report

        return types.SimpleNamespace(save=save, people=[None] * self.people)


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> StandInPipeline:
    stand_in = StandInPipeline()
    monkeypatch.setattr("vitruvian.pipeline.run.reconstruct_photo", stand_in.reconstruct)
    return stand_in


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with two good pictures and a bad one."""
    monkeypatch.chdir(tmp_path)
    for name in ("street.jpg", "beach.png"):
        picture(tmp_path / name)
    (tmp_path / "notes.jpg").write_text("no picture")
    return tmp_path


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((48, 64, 3), 90, np.uint8)).save(path)


def tree(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_pictures_of_one_person_are_one_job(
    folder: Path, pipeline: StandInPipeline, capsys: Any
) -> None:
    code, out, _ = run(capsys, "photo", "street.jpg", "beach.png", "--same-person")
    assert code == 0
    assert out.startswith("out/street: 1 person, ")
    assert tree(folder / "out") == ["street", "street/report.json", "street/scene.glb"]
    (call,) = pipeline.calls
    assert (call["name"], call["same_person"]) == ("street", ("beach.png",))


def test_one_picture(folder: Path, pipeline: StandInPipeline, capsys: Any) -> None:
    code, out, err = run(capsys, "photo", "street.jpg")
    assert code == 0
    assert out.startswith("out/street: 1 person, ")
    assert err == "street.jpg, person 1: Feet cut off.\n"
    assert tree(folder / "out") == ["street", "street/report.json", "street/scene.glb"]
    assert pipeline.calls == [
        {
            "name": "street",
            "options": Options(),
            "formats": ("obj", "glb"),
            "poses": False,
            "vertex_colors": False,
            "print_height_mm": None,
            "rest": "a",
            "rig": "full",
            "bone_names": "humanoid",
            "clips": True,
            "keypoint_files": None,
            "body_model": None,
        }
    ]


def test_options_reach_the_pipeline(folder: Path, pipeline: StandInPipeline, capsys: Any) -> None:
    options = "--height 181.5 --fov 50 --max-people 3 --detail body --faces 5000 --no-texture"
    formats = "--formats PLY,.stl,ply --poses --vertex-colors --print-height 15cm -o deep/er"
    code, out, _ = run(capsys, "photo", "street.jpg", *options.split(), *formats.split())
    assert code == 0
    assert out.startswith("deep/er/street: ")
    assert pipeline.calls == [
        {
            "name": "street",
            "options": Options(
                hints={LARGEST: Hint(height_cm=181.5)},
                fov_deg=50.0,
                max_people=3,
                detail="body",
                faces=5000,
                texture=False,
                formats=("ply", "stl"),
                poses=True,
                vertex_colors=True,
                print_height_mm=150.0,
            ),
            "formats": ("ply", "stl"),
            "poses": True,
            "vertex_colors": True,
            "print_height_mm": 150.0,
            "rest": "a",
            "rig": "full",
            "bone_names": "humanoid",
            "clips": True,
            "keypoint_files": None,
            "body_model": None,
        }
    ]


def test_hints_of_several_people(folder: Path, pipeline: StandInPipeline, capsys: Any) -> None:
    Path("known.json").write_text('{"people": {"2": {"age": 30}, "3": {"height_cm": 95}}}')
    options = "--height 180 --sex 2:WOMAN --age 3:4 --age 2:adult --height 4:165 --hints known.json"
    assert run(capsys, "photo", "street.jpg", *options.split())[0] == 0
    assert pipeline.calls[0]["options"].hints == {
        LARGEST: Hint(height_cm=180),
        2: Hint(sex="woman", age="adult"),
        3: Hint(height_cm=95, age=4),
        4: Hint(height_cm=165),
    }


def test_people_added_and_left_out(folder: Path, pipeline: StandInPipeline, capsys: Any) -> None:
    options = "--add-person 10,20,90,300 --not-a-person 2 --not-a-person 1,2,3,4"
    assert run(capsys, "photo", "street.jpg", *options.split())[0] == 0
    assert pipeline.calls[0]["options"].hints == {
        (10, 20, 90, 300): Hint(),
        2: Hint(not_a_person=True),
        (1, 2, 3, 4): Hint(not_a_person=True),
    }


def test_albedo(folder: Path, pipeline: StandInPipeline, capsys: Any) -> None:
    assert run(capsys, "photo", "street.jpg", "--albedo")[0] == 0
    assert pipeline.calls[0]["options"] == Options(albedo=True)


def test_threads(folder: Path, pipeline: StandInPipeline, capsys: Any) -> None:
    import cv2

    from vitruvian.compute import set_threads, thread_count

    before = cv2.getNumThreads()
    try:
        assert run(capsys, "photo", "street.jpg", "--threads", "1")[0] == 0
        assert thread_count() == 1
        assert cv2.getNumThreads() == 1
    finally:
        set_threads(None)
        cv2.setNumThreads(before)


def test_nobody_is_not_an_error(folder: Path, pipeline: StandInPipeline, capsys: Any) -> None:
    pipeline.people = 0
    code, out, err = run(capsys, "photo", "street.jpg")
    assert code == 0
    assert out.startswith("out/street: nobody, ")
    assert err == "street.jpg: Nobody was found in the picture.\n"
    # What holds for every picture is said once.
    code, out, err = run(capsys, "photo", "street.jpg", "beach.png")
    assert [line.split(",")[0] for line in out.splitlines()] == [
        "out/street: nobody",
        "out/beach: nobody",
    ]
    assert err == "street.jpg: Nobody was found in the picture.\n"


def test_a_bad_picture_does_not_stop_the_others(
    folder: Path, pipeline: StandInPipeline, capsys: Any
) -> None:
    code, out, err = run(capsys, "photo", "street.jpg", "notes.jpg", "gone.jpg", "beach.png")
    assert code == 2
    assert [line.split(":")[0] for line in out.splitlines()] == ["out/street", "out/beach"]
    assert [line for line in err.splitlines() if "person" not in line] == [
        "notes.jpg is not a picture in a format that can be read; give a JPEG, PNG, WebP or HEIC "
        "file.",
        "gone.jpg does not exist; check the path.",
    ]
    assert sorted(os.listdir(folder / "out")) == ["beach", "street"]


def test_no_trace_when_nothing_succeeds(
    folder: Path, pipeline: StandInPipeline, capsys: Any
) -> None:
    before = tree(folder)
    code, out, err = run(capsys, "photo", "notes.jpg", "-o", "new")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert tree(folder) == before


def test_json(folder: Path, pipeline: StandInPipeline, capsys: Any) -> None:
    code, out, err = run(capsys, "photo", "street.jpg", "notes.jpg", "beach.png", "--json")
    assert code == 2
    first, second, third = (json.loads(line) for line in out.splitlines())
    assert first["directory"] == "out/street"
    assert [person["id"] for person in first["people"]] == [1]
    assert second["image"] == {"path": "notes.jpg"}
    assert second["error"] + "\n" == err
    assert second["code"] == "not-a-picture"
    assert third["directory"] == "out/beach"


def test_same_stem(folder: Path, pipeline: StandInPipeline, capsys: Any) -> None:
    for name in ("a/street.jpg", "b/STREET.png", "b/street-2.png"):
        picture(folder / name)
    images = ("a/street.jpg", "b/STREET.png", "b/street-2.png", "a/street.jpg")
    code, out, err = run(capsys, "photo", *images)
    assert code == 0
    assert [line.split(":")[0] for line in out.splitlines()] == [
        "out/street",
        "out/STREET-2",
        "out/street-2-2",
    ]
    assert err.splitlines()[0] == (
        "b/STREET.png: its result goes to out/STREET-2, because another has its name."
    )
    assert (folder / "out/STREET-2/scene.glb").read_text() == "STREET"


def test_earlier_result_is_replaced_whole(
    folder: Path, pipeline: StandInPipeline, capsys: Any
) -> None:
    assert run(capsys, "photo", "street.jpg")[0] == 0
    (folder / "out/street/left-over.obj").write_text("of an earlier run")
    assert run(capsys, "photo", "street.jpg")[0] == 0
    assert tree(folder / "out") == ["street", "street/report.json", "street/scene.glb"]


def test_replacing_the_result_of_another_picture_is_said(
    folder: Path, pipeline: StandInPipeline, capsys: Any
) -> None:
    picture(folder / "street.png")
    assert run(capsys, "photo", "street.jpg")[0] == 0
    _, _, err = run(capsys, "photo", "street.png")
    assert err.splitlines()[0] == (
        "street.png: out/street held the result of street.jpg and was replaced."
    )


def test_replacing_the_result_of_a_namesake_is_said(
    folder: Path, pipeline: StandInPipeline, capsys: Any
) -> None:
    for day in ("day1", "day2"):
        picture(folder / day / "IMG_1.jpg")
    assert run(capsys, "photo", "day1/IMG_1.jpg")[2].count("\n") == 1
    # The same picture again, however it is named.
    for name in ("day1/IMG_1.jpg", "./day1/IMG_1.jpg", str(folder / "day1/IMG_1.jpg")):
        assert "replaced" not in run(capsys, "photo", name)[2]
    assert run(capsys, "photo", "day2/IMG_1.jpg")[2].splitlines()[0] == (
        f"day2/IMG_1.jpg: out/IMG_1 held the result of {folder}/day1/IMG_1.jpg and was replaced."
    )


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are text there")
def test_a_name_that_is_no_text(folder: Path, pipeline: StandInPipeline, capsys: Any) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    picture(folder / name)
    code, out, _ = run(capsys, "photo", name, "--json")
    assert code == 0
    assert json.loads(out)["directory"] == "out/caf\ufffd"
    assert (folder / "out" / os.fsdecode(b"caf\xe9") / "scene.glb").read_text() == "caf\ufffd"
    code, out, err = run(capsys, "photo", name, os.fsdecode(b"na\xefve.jpg"))
    assert out.startswith("out/caf\ufffd: 1 person")
    assert err.endswith("na\ufffdve.jpg does not exist; check the path.\n")


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), ValueError("odd")])
def test_earlier_result_survives_a_failure(
    folder: Path, pipeline: StandInPipeline, capsys: Any, failure: Exception
) -> None:
    assert run(capsys, "photo", "street.jpg")[0] == 0
    before = tree(folder)

    def fail(_folder: Path, _name: str) -> None:
        raise failure

    pipeline.during = fail
    code, out, err = run(capsys, "photo", "street.jpg", "beach.png")
    assert out == ""
    assert tree(folder) == before
    if isinstance(failure, OSError):
        assert code == 2
        assert err.splitlines()[0] == (
            "Cannot write out/street (no space left on device): choose another folder with -o."
        )
    else:
        assert code == 1
        assert err.splitlines()[0] == (
            "street.jpg failed unexpectedly (ValueError: odd): set VITRUVIAN_DEBUG=1 and report "
            "what it then prints."
        )


def test_folder_of_the_user_is_never_replaced(
    folder: Path, pipeline: StandInPipeline, capsys: Any
) -> None:
    (folder / "street").mkdir()
    (folder / "street" / "thesis.tex").write_text("years of work")
    (folder / "beach").write_text("a file")
    code, _, err = run(capsys, "photo", "street.jpg", "beach.png", "-o", ".")
    assert code == 2
    assert err.splitlines() == [
        f"{name} exists and is not an earlier result: choose another folder with -o, or rename "
        "the picture."
        for name in ("street", "beach")
    ]
    assert (folder / "street" / "thesis.tex").read_text() == "years of work"
    assert pipeline.calls == []  # refused before any work


def test_unwritable_output_is_refused_before_any_work(
    folder: Path, pipeline: StandInPipeline, capsys: Any
) -> None:
    code, _, err = run(capsys, "photo", "street.jpg", "-o", "notes.jpg/out")
    assert (code, pipeline.calls) == (2, [])
    assert err == ("Cannot write notes.jpg/out (not a directory): choose another folder with -o.\n")
    code, _, err = run(capsys, "photo", "street.jpg", "-o", "notes.jpg")
    assert (code, pipeline.calls) == (2, [])
    assert err == "Cannot write notes.jpg (file exists): choose another folder with -o.\n"


def test_read_only_output(
    folder: Path, pipeline: StandInPipeline, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "locked").mkdir()
    real_mkdir = Path.mkdir

    def refuse(self: Path, *args: Any, **kwargs: Any) -> None:
        if self.parent.name == "locked":
            raise PermissionError(13, "Permission denied")
        real_mkdir(self, *args, **kwargs)

    monkeypatch.setattr(Path, "mkdir", refuse)  # a real chmod does not stop root
    code, _, err = run(capsys, "photo", "street.jpg", "-o", "locked")
    assert (code, pipeline.calls) == (2, [])
    assert err == "Cannot write locked (permission denied): choose another folder with -o.\n"


def test_interrupt_keeps_what_is_finished(
    folder: Path, pipeline: StandInPipeline, capsys: Any
) -> None:
    def interrupt(_folder: Path, name: str) -> None:
        if name == "beach":
            raise KeyboardInterrupt

    pipeline.during = interrupt
    code, out, err = run(capsys, "photo", "street.jpg", "beach.png")
    assert code == 130
    assert out.startswith("out/street: ")
    assert err.splitlines()[-1] == "Stopped: 1 of 2 pictures are finished and kept."
    assert tree(folder / "out") == ["street", "street/report.json", "street/scene.glb"]


def test_termination_cleans_up_too(folder: Path, pipeline: StandInPipeline, capsys: Any) -> None:
    before = signal.getsignal(signal.SIGTERM)
    pipeline.during = lambda _folder, _name: os.kill(os.getpid(), signal.SIGTERM)
    assert run(capsys, "photo", "street.jpg")[0] == 130
    assert not (folder / "out").exists()
    assert signal.getsignal(signal.SIGTERM) is before


def test_damaged_weights_stop_everything(
    folder: Path, pipeline: StandInPipeline, capsys: Any
) -> None:
    def fail(_folder: Path, _name: str) -> None:
        raise WeightsError("The weights are missing: reinstall vitruvian.")

    pipeline.during = fail
    code, _, err = run(capsys, "photo", "street.jpg", "beach.png")
    assert code == 4
    assert err == "The weights are missing: reinstall vitruvian.\n"
    assert len(pipeline.calls) == 1


def test_debug_shows_the_traceback(
    folder: Path, pipeline: StandInPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRUVIAN_DEBUG", "1")
    with pytest.raises(vitruvian.errors.InputError):
        main(["photo", "notes.jpg"])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("photo", "Missing argument 'IMAGE...'; see vitruvian photo --help."),
        ("foto a.jpg", None),
        ("photo --heigth 180 a.jpg", None),
        (
            "photo --height tall a.jpg",
            "A height is in centimetres, such as 172 or 2:172; got 'tall'.",
        ),
        ("photo --sex 2:lady a.jpg", "There is no sex 'lady'; choose man, woman or neutral."),
        (
            "photo --age 300 a.jpg",
            "An age of 300 cannot be a person's; give 0 to 120 years, child or adult.",
        ),
        ("photo --hints no.json a.jpg", "The hints no.json cannot be read: give a JSON file."),
        (
            "photo --height 900 a.jpg",
            "A height of 900 cm cannot be a person's; give 40 to 260.",
        ),
        ("photo --max-people 0 a.jpg", "At most 0 people leaves nobody; give 1 or more."),
        ("photo --fov 180 a.jpg", "A field of view of 180 degrees cannot be; give 1 to 170."),
        ("photo --faces 9 a.jpg", "9 faces are not possible; give 2000 to 200000."),
        ("photo --threads 0 a.jpg", None),
        ("photo --detail naked a.jpg", "There is no detail 'naked'; choose body, clothed, fine."),
        ("photo a.jpg -o", None),
        ("--verbose", None),
        (
            "photo --albedo --no-texture street.jpg",
            "Light can be taken out of a texture only: leave out albedo, or ask for texture.",
        ),
        (
            "photo --formats obj,usd street.jpg",
            "There is no format 'usd'; choose from obj, glb, ply, stl, vrm, bvh, usdz, fbx.",
        ),
        (
            "photo --formats , street.jpg",
            "There is no format ','; choose from obj, glb, ply, stl, vrm, bvh, usdz, fbx.",
        ),
    ],
)
def test_usage_errors_are_one_line(
    folder: Path, pipeline: StandInPipeline, capsys: Any, arguments: str, sentence: str | None
) -> None:
    code, out, err = run(capsys, *arguments.split())
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert pipeline.calls == []
    assert not (folder / "out").exists()
    if sentence is None:
        # The words before are typer's own, and may change with its version.
        assert err.endswith("--help.\n")
    else:
        assert err == sentence + "\n"


def test_version_and_help(capsys: Any) -> None:
    assert run(capsys, "--version") == (0, f"vitruvian {vitruvian.__version__}\n", "")
    code, without, err = run(capsys)
    assert (code, err) == (0, "")
    assert run(capsys, "--help") == (0, without, "")
    for name in COMMANDS:
        assert name in without


@pytest.mark.parametrize("name", COMMANDS)
def test_help_line_is_that_of_the_command(name: str) -> None:
    app = make_app([name])
    (info,) = [info for info in app.registered_commands if info.name == name]
    assert info.callback is not None
    assert (info.callback.__doc__ or "").split("\n")[0] == COMMANDS[name].help


def test_starting_up_loads_nothing_heavy() -> None:
    code = (
        "import sys, vitruvian.commands.cli; vitruvian.commands.cli.main(['--help']);"
        "vitruvian.commands.cli.main(['photo', '--help']);"
        "heavy = {'onnxruntime', 'cv2', 'scipy', 'numba', 'numpy', 'PIL'} & set(sys.modules);"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_program_starts_in_half_a_second() -> None:
    resource = pytest.importorskip("resource", reason="needs processor times of child processes")

    def processor_seconds() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    def once() -> float:
        start = processor_seconds()
        command = [
            sys.executable,
            "-c",
            "from vitruvian.commands.cli import main; main(['--help'])",
        ]
        subprocess.run(command, check=True, capture_output=True)
        return processor_seconds() - start

    # Processor time, and the best of several: other work on the machine only ever adds.
    assert min(once() for _ in range(4)) < 0.5


def test_reader_that_leaves_early_is_no_error() -> None:
    command = f"{sys.executable} -m vitruvian"
    result = subprocess.run(
        f"{command} --help | true", shell=True, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in result.stderr


def test_progress_bar_on_a_terminal_leaves_stdout_alone(
    folder: Path, pipeline: StandInPipeline, tmp_path: Path
) -> None:
    """Under a pseudo-terminal: the bar is on stderr, the JSON lines alone on stdout."""
    pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")
    master, slave = pty.openpty()
    output = tmp_path / "stdout.txt"
    with output.open("w") as stdout:
        saved = os.dup(1), os.dup(2)
        real = sys.stdout, sys.stderr
        os.dup2(slave, 2)
        sys.stdout, sys.stderr = stdout, os.fdopen(os.dup(slave), "w")
        try:
            code = main(["photo", "street.jpg", "beach.png", "--json"])
        finally:
            sys.stderr.close()
            sys.stdout, sys.stderr = real
            os.dup2(saved[0], 1)
            os.dup2(saved[1], 2)
            os.close(slave)
    shown = os.read(master, 65536).decode()
    os.close(master)
    assert code == 0
    assert "photos" in shown
    assert "left" in shown
    lines = output.read_text().splitlines()
    assert [json.loads(line)["directory"] for line in lines] == ["out/street", "out/beach"]
