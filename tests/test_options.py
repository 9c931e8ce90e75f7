"""Every face of a reconstruction's options agrees with the one table of them."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

import vitruvian
from vitruvian.commands.cli import make_app
from vitruvian.errors import CODES, InputError, VitruvianError
from vitruvian.mesh_formats import AVATAR_FORMATS, FORMATS
from vitruvian.options import (
    DEFAULTS,
    OPTIONS,
    SERVER_DEFAULTS,
    Options,
    parse_formats,
    parse_millimetres,
)
from vitruvian.surface import FACES

DOCS = Path(__file__).resolve().parents[1] / "docs"
OF_FILES = {
    "formats",
    "vertex_colors",
    "print_height_mm",
    "poses",
    "rest",
    "rig",
    "bone_names",
    "clips",
    "keypoint_files",
    "body_model",
}  # those of Scene.save
LISTS = {"formats", "keypoint_files"}  # text with commas on the command line and in forms
GIVEN = ("keypoints", "masks")  # files of a form
API_FIELDS = {name: option for name, option in OPTIONS.items() if option.server}


def written(number: float) -> str:
    """A number as the pages write it."""
    return f"{number:,}"


def row(page: str, start: str) -> str:
    """The line of a page's table that begins so; on the API's page of the one about the form."""
    text = (DOCS / page).read_text(encoding="utf-8")
    text = text.partition("## Create")[2].partition("## Correct")[0] or text
    text = text.partition("## `vitruvian video")[0]
    found = [line for line in text.splitlines() if line.startswith(start)]
    assert len(found) == 1, f"docs/{page} has {len(found)} rows that begin with {start}"
    return found[0]


def keywords(function: Any) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(function).parameters)


def test_python_has_them_all() -> None:
    ours, files = keywords(vitruvian.reconstruct), keywords(vitruvian.Scene.save)
    for name, default in DEFAULTS.items():
        place = files if name in OF_FILES else ours
        assert place[name].default == default, name
    assert set(ours) - {"source", "progress", "same_person"} == set(OPTIONS) - OF_FILES
    assert set(files) - {"self", "directory"} == OF_FILES


@pytest.mark.parametrize("name", OPTIONS)
def test_the_command_line_has_it(name: str) -> None:
    group = typer.main.get_command(make_app(["photo"]))
    parameters = group.commands["photo"].params  # type: ignore[attr-defined]
    for flag in OPTIONS[name].flags:
        on, _, off = flag.partition("/")
        (found,) = [one for one in parameters if on in one.opts]
        assert not off or off in found.secondary_opts
        default = DEFAULTS[name]
        assert found.default == (",".join(default) if name == "formats" else default)
        if name not in ("sam", "hints"):  # several options, with a sentence each
            assert found.help.startswith(OPTIONS[name].help.rstrip("."))


@pytest.mark.parametrize("name", OPTIONS)
def test_the_page_of_the_command_line_has_it(name: str) -> None:
    option, default = OPTIONS[name], DEFAULTS[name]
    for flag in option.flags:
        line = row("cli.md", f"| `{flag.partition('/')[0]}")
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)]
        if isinstance(default, bool) and "/" in flag:
            assert cells[2] == f"`{flag.split('/')[0 if default else 1]}`"
        elif isinstance(default, bool):
            assert cells[2] == "off"
            assert default is False
        elif isinstance(default, int):
            assert cells[2] == written(default)
        elif default is not None:
            text = ",".join(default) if isinstance(default, tuple) else default
            assert cells[2] == f"`{text}`"
        assert_range_and_choices(name, line)


def assert_range_and_choices(name: str, line: str) -> None:
    option = OPTIONS[name]
    if option.least is not None and option.most is not None:
        assert f"{written(option.least)} to {written(option.most)}" in line, name
    for choice in option.choices:
        assert f"`{choice}`" in line, name


def test_the_page_of_the_api_has_its_fields() -> None:
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    section = page[page.index("## Create") : page.index("## Correct")]
    fields = re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE)
    assert fields == ["image", *GIVEN, "name", "same_person", *API_FIELDS]
    for name in API_FIELDS:
        line = row("api.md", f"| `{name}` |")
        assert_range_and_choices(name, line)
        default = SERVER_DEFAULTS[name]
        if isinstance(default, bool):
            assert f"`{str(default).lower()}` (default)" in line
        elif isinstance(default, str):
            assert f"`{default}` (default)" in line
        elif isinstance(default, tuple):
            assert f"(`{','.join(default)}`) by default" in line
        elif default is not None:
            assert f"{written(default)} by default" in line


def test_the_page_about_python_names_them_all() -> None:
    page = (DOCS / "python.md").read_text(encoding="utf-8")
    for name in OPTIONS:
        assert f"`{name}`" in page


def test_the_server_and_its_client_have_them_all() -> None:
    pytest.importorskip("fastapi", reason="needs the extra server")
    from vitruvian.server.api.schemas import CreateForm, ReconstructionOptions

    client = keywords(vitruvian.Client.reconstruct)
    of_pictures = {"self", "image", "name", "same_person", "patience", *GIVEN}
    assert set(client) - of_pictures == set(API_FIELDS)
    assert set(CreateForm.model_fields) == {"name", "same_person", *API_FIELDS}
    assert set(ReconstructionOptions.model_fields) == {"same_person", "given", *API_FIELDS}
    schema = CreateForm.model_json_schema()["properties"]
    for name, option in API_FIELDS.items():
        default = SERVER_DEFAULTS[name]
        assert client[name].default is None  # the server's
        asked = CreateForm().options()[name]
        assert (tuple(asked) if name in LISTS and asked else asked) == default
        kept = getattr(ReconstructionOptions(), name)
        assert (tuple(kept) if name in LISTS and kept else kept) == default
        assert schema[name]["description"] == option.help
        values = schema[name].get("anyOf", [schema[name]])[0]
        assert (values.get("minimum"), values.get("maximum")) == (option.least, option.most)
        if name not in LISTS:
            assert tuple(values.get("enum", ())) == option.choices


OUTSIDE = [
    (
        "keypoint_files",
        "mpii",
        "There are no keypoint files 'mpii'; choose from openpose, coco, blazepose.",
    ),
    ("height_cm", 39.9, "A height of 39.9 cm cannot be a person's; give 40 to 260."),
    ("height_cm", float("nan"), "A height of nan cm cannot be a person's; give 40 to 260."),
    ("height_cm", float("inf"), "A height of inf cm cannot be a person's; give 40 to 260."),
    ("fov_deg", 171, "A field of view of 171 degrees cannot be; give 1 to 170."),
    ("max_people", 0, "At most 0 people leaves nobody; give 1 or more."),
    ("detail", "naked", "There is no detail 'naked'; choose body, clothed, fine."),
    ("print_height_mm", 9, "A print of 9 mm is not possible; give 10 to 3000 mm."),
    ("faces", 1999, "1999 faces are not possible; give 2000 to 200000."),
    ("faces", 10**400, f"{10**400} faces are not possible; give 2000 to 200000."),  # is no float
    (
        "formats",
        "usd",
        f"There is no format 'usd'; choose from {', '.join((*FORMATS, *AVATAR_FORMATS))}.",
    ),
]


@pytest.mark.parametrize(("name", "value", "sentence"), OUTSIDE)
def test_one_sentence_everywhere(name: str, value: Any, sentence: str) -> None:
    in_python = (value,) if name in LISTS else value
    with pytest.raises(InputError) as caught:
        Options(**{name: in_python})
    assert (str(caught.value), caught.value.code) == (sentence, "bad-option")
    pytest.importorskip("fastapi", reason="needs the extra server")
    from pydantic import ValidationError

    from vitruvian.server.api.checks import validation_problem
    from vitruvian.server.api.schemas import CreateForm

    with pytest.raises(ValidationError) as refused:
        CreateForm.model_validate({name: str(value)})  # as a form has it
    problem = validation_problem(refused.value.errors())
    assert problem.detail == f"{name}: {sentence}"
    assert problem.errors == [{"field": name, "detail": sentence}]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"albedo": True, "texture": False},
            "Light can be taken out of a texture only: leave out albedo, or ask for texture.",
        ),
        (
            {"sam_everything": True},
            "Only SAM networks can look for everything: give their encoder and decoder, too.",
        ),
        ({"faces": "many"}, "faces must be a whole number, not 'many'; leave it out for the "),
        ({"faces": 5000.5}, "faces must be a whole number, not 5000.5; leave it out for the "),
        ({"max_people": True}, "max_people must be a whole number, not True; leave it out for "),
        ({"height_cm": "tall"}, "height_cm must be a number, not 'tall'; leave it out for the "),
    ],
)
def test_what_cannot_be(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        Options(**given)
    assert str(caught.value).startswith(sentence)
    assert caught.value.code == "bad-option"


def test_what_contradicts_is_told_by_the_server() -> None:
    pytest.importorskip("fastapi", reason="needs the extra server")
    from pydantic import ValidationError

    from vitruvian.server.api.checks import validation_problem
    from vitruvian.server.api.schemas import CreateForm

    with pytest.raises(ValidationError) as refused:
        CreateForm(albedo=True, texture=False)
    assert validation_problem(refused.value.errors()).detail == (
        "Light can be taken out of a texture only: leave out albedo, or ask for texture."
    )


def test_ends_of_ranges_are_inside() -> None:
    for name, option in OPTIONS.items():
        for end in (option.least, option.most):
            if end is not None:
                assert getattr(Options(**{name: end}), name) == end


def test_none_stands_for_the_default() -> None:
    assert Options.of(**dict.fromkeys(OPTIONS)) == Options()
    assert Options.of(faces=None, detail="body") == Options(detail="body")
    assert DEFAULTS["faces"] == FACES


def test_lists_of_formats() -> None:
    assert parse_formats(" OBJ,.glb,,obj ") == ("obj", "glb")
    assert (*FORMATS, *AVATAR_FORMATS) == OPTIONS["formats"].choices
    for empty in ("", " , "):
        with pytest.raises(InputError, match="There is no format"):
            parse_formats(empty)


def test_every_code_is_on_the_pages_and_every_error_has_one() -> None:
    page = (DOCS / "cli.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z-]+)` \| .* \|$", page, flags=re.MULTILINE)
    assert set(listed) >= set(CODES) - {"nobody-found"}  # that is no error of the command line
    kinds = [VitruvianError, *VitruvianError.__subclasses__()]
    for kind in kinds:
        assert kind.__module__ != "vitruvian.errors" or kind("A sentence.").code in CODES


def test_codes_of_the_api() -> None:
    pytest.importorskip("fastapi", reason="needs the extra server")
    from vitruvian.server.problems import KINDS

    page = (DOCS / "api.md").read_text(encoding="utf-8")
    errors = page[page.index("## Errors") :]
    for code, kind in KINDS.items():
        assert f"`{code}`" in errors
        if code not in ("crashed", "took-too-long"):
            assert f"`{code}` {kind.status}" in errors.replace("\n", " "), code


def test_the_table_is_cheap() -> None:
    code = (
        "import sys, vitruvian.options, vitruvian.errors, vitruvian.client, vitruvian.formats,"
        "vitruvian.result;"
        "heavy = {'numpy', 'onnxruntime', 'cv2', 'numba', 'PIL', 'typer'} & set(sys.modules);"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("text", "millimetres"),
    [
        ("150", 150),
        ("150mm", 150),
        (" 15 cm", 150),
        ("0.15m", 150),
        ("12,5cm", 125),
        ("6in", 152.4),
    ],
)
def test_lengths_with_their_units(text: str, millimetres: float) -> None:
    assert parse_millimetres(text) == pytest.approx(millimetres)


@pytest.mark.parametrize("text", ["", "tall", "mm", "-5", "1.2.3", "nan", "5 ft 6"])
def test_what_is_no_length(text: str) -> None:
    with pytest.raises(InputError, match="is no length; give millimetres"):
        parse_millimetres(text)
