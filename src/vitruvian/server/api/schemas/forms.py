"""What asks for a result, or changes one."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import (
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from vitruvian.errors import InputError, MissingExtraError
from vitruvian.hints import plain_hints, read_hints, write_hints
from vitruvian.options import (
    OPTIONS,
    SERVER_DEFAULTS,
    Options,
    parse_formats,
    parse_keypoint_files,
)
from vitruvian.server.api.schemas.common import Strict, Title
from vitruvian.server.files.names import MOST_PHOTOS


def _kept_hints(text: str) -> dict[str, Any] | None:
    """Hints from JSON as plain values of ``Options``; raises ``ValueError`` with a sentence."""
    try:
        hints = read_hints(text, "hints")
    except InputError as error:
        raise ValueError(str(error)) from None
    return plain_hints(hints) if hints else None


class Change(Strict):
    """To change a result: its name; what is known of the people in it, which makes it anew."""

    name: Title | None = None
    hints: dict[str, Any] | None = None
    height_cm: float | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"hints": {"people": {"1": {"height_cm": 165, "sex": "woman"}}}}]
        }
    )

    @model_validator(mode="after")
    def _says_something(self) -> Change:
        if not self.model_fields_set or (self.name is None and self.model_fields_set == {"name"}):
            raise ValueError("give name, hints or height_cm")
        return self

    @field_validator("hints")
    @classmethod
    def _hints_fit(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value is not None:
            _kept_hints(json.dumps(value))
        return value

    @field_validator("height_cm")
    @classmethod
    def _height_fits(cls, value: float | None) -> float | None:
        try:
            OPTIONS["height_cm"].check(value)
        except InputError as error:
            raise ValueError(str(error)) from None
        return value

    def options(self) -> dict[str, Any]:
        """Options of the reconstruction that change, as plain values."""
        changes = self.model_dump(include=self.model_fields_set - {"name"})
        if changes.get("hints") is not None:
            changes["hints"] = _kept_hints(json.dumps(changes["hints"]))
        return changes


_HINTS_EXAMPLE = (
    '{"people": {"2": {"height_cm": 165, "sex": "woman", "age": 30}}, '
    '"boxes": [{"box": [120, 80, 340, 700], "age": 8}]}'
)


def _describe_options(schema: dict[str, Any]) -> None:
    """Add to a form's JSON schema what the table of options says: meaning, range, choices."""
    for name, field in schema["properties"].items():
        option = OPTIONS.get(name)
        if option is None:
            continue
        field["description"] = option.help
        values = field.get("anyOf", [field])[0]
        for word, value in (("minimum", option.least), ("maximum", option.most)):
            if value is not None:
                values[word] = value
        if name == "formats":
            values["examples"] = ["obj,glb"]
        elif name == "keypoint_files":
            values["examples"] = ["openpose,coco"]
        elif name == "hints":
            values["examples"] = [_HINTS_EXAMPLE]
        elif option.choices:
            values["enum"] = list(option.choices)


class CreateForm(Strict):
    """The fields beside the picture, as they come in a form."""

    name: Title = "Photo"
    same_person: Annotated[
        bool,
        Field(
            description="All pictures show one person, in each the largest: one result of them, in "
            "the pose of the first."
        ),
    ] = False
    height_cm: float | None = SERVER_DEFAULTS["height_cm"]
    hints: str | None = SERVER_DEFAULTS["hints"]
    fov_deg: float | None = SERVER_DEFAULTS["fov_deg"]
    max_people: int | None = SERVER_DEFAULTS["max_people"]
    detail: str = SERVER_DEFAULTS["detail"]
    relief: str = SERVER_DEFAULTS["relief"]
    incomplete: str = SERVER_DEFAULTS["incomplete"]
    accessories: str = SERVER_DEFAULTS["accessories"]
    faces: int = SERVER_DEFAULTS["faces"]
    texture: bool = SERVER_DEFAULTS["texture"]
    albedo: bool = SERVER_DEFAULTS["albedo"]
    check: bool = SERVER_DEFAULTS["check"]
    formats: str = ",".join(SERVER_DEFAULTS["formats"])
    vertex_colors: bool = SERVER_DEFAULTS["vertex_colors"]
    print_height_mm: float | None = SERVER_DEFAULTS["print_height_mm"]
    poses: bool = SERVER_DEFAULTS["poses"]
    rest: str = SERVER_DEFAULTS["rest"]
    rig: str = SERVER_DEFAULTS["rig"]
    bone_names: str = SERVER_DEFAULTS["bone_names"]
    clips: bool = SERVER_DEFAULTS["clips"]
    keypoint_files: str | None = SERVER_DEFAULTS["keypoint_files"]

    model_config = ConfigDict(extra="forbid", json_schema_extra=_describe_options)

    @field_validator(*SERVER_DEFAULTS)
    @classmethod
    def _fits(cls, value: Any, info: ValidationInfo) -> Any:
        """The value, when the table of options allows it; else its sentence."""
        assert info.field_name is not None
        try:
            if info.field_name == "formats":
                return ",".join(parse_formats(value))
            if info.field_name == "keypoint_files":
                return None if not value else ",".join(parse_keypoint_files(value))
            if info.field_name == "hints":
                return None if not value else write_hints(read_hints(value, "hints"))
            OPTIONS[info.field_name].check(value)
        except InputError as error:
            raise ValueError(str(error)) from None
        return value

    @model_validator(mode="after")
    def _agree(self) -> CreateForm:
        try:
            Options.of(**self.options())
        except (InputError, MissingExtraError) as error:
            raise ValueError(str(error)) from None
        return self

    def check_count(self, pictures: int) -> None:
        """Raise ``InputError`` when the form goes with another number of pictures."""
        if self.same_person and not 2 <= pictures <= MOST_PHOTOS:
            raise InputError(
                f"One avatar is made of 2 to {MOST_PHOTOS} pictures of one person, not of "
                f"{pictures}: repeat the field image, or leave out same_person."
            )
        if not self.same_person and pictures > 1:
            raise InputError(
                "Several pictures come to one result only when they show one person: add "
                "same_person, or send each by itself."
            )

    def options(self) -> dict[str, Any]:
        """Those that go to the reconstruction, as plain values."""
        return self.model_dump(exclude={"name", "same_person"}) | {
            "formats": list(parse_formats(self.formats)),
            "hints": None if self.hints is None else _kept_hints(self.hints),
            "keypoint_files": None
            if self.keypoint_files is None
            else list(parse_keypoint_files(self.keypoint_files)),
        }
