"""The shapes of requests and answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    field_validator,
    model_validator,
)

from vitruvian.errors import InputError, MissingExtraError
from vitruvian.hints import AgeGroup, Sex, plain_hints, read_hints, write_hints
from vitruvian.options import (
    OPTIONS,
    SERVER_DEFAULTS,
    BoneNames,
    Detail,
    Incomplete,
    Options,
    Relief,
    Rest,
    RigKind,
    parse_formats,
)

Scope = Literal["reconstructions:read", "reconstructions:write"]
JobKind = Literal["photo", "measures", "video"]
JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


# Seconds since the epoch inside, RFC 3339 outside.
Time = Annotated[
    float,
    PlainSerializer(_rfc3339, return_type=str),
    Field(json_schema_extra={"type": "string", "format": "date-time"}),
]


def _printable(text: str) -> str:
    text = " ".join(text.split())
    if not text or not text.isprintable():
        raise ValueError("must hold printable characters")
    return text


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not hold a null character")
    text.encode()  # raises on half a surrogate pair, which is a ValueError
    return text


Title = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(_printable)]
Password = Annotated[str, Field(max_length=1024), AfterValidator(_storable)]


class Strict(BaseModel):
    """A request body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class FieldError(BaseModel):
    """One field that is wrong."""

    field: str
    detail: str


class ProblemBody(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldError] = []

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "/problems/not-found",
                    "title": "There is nothing here",
                    "status": 404,
                    "code": "not-found",
                    "detail": "There is nothing at this address; it may have been deleted.",
                    "errors": [],
                }
            ]
        }
    )


class Credentials(Strict):
    """To register or to log in."""

    name: Annotated[
        str, Field(min_length=3, max_length=100, description="Any name, such as an e-mail address.")
    ]
    password: Password

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "anna@example.org", "password": "correct horse battery"}]
        }
    )


class NewAccount(Credentials):
    """To register."""

    name: Annotated[str, Field(min_length=3, max_length=100), AfterValidator(_printable)]


class PasswordChange(Strict):
    """To change the password; API tokens stay unless ``revoke_tokens``."""

    current_password: Password
    new_password: Password
    revoke_tokens: bool = False


class AccountDeletion(Strict):
    """To delete the account: the password once more; a guest has none."""

    password: Password | None = None


class Message(BaseModel):
    """A sentence."""

    detail: str


class AccountBrief(BaseModel):
    """Who is logged in."""

    id: str
    name: str | None
    guest: bool
    created_at: Time


class Session(BaseModel):
    """The session of this browser; all null when nobody is logged in."""

    account: AccountBrief | None
    csrf_token: str | None
    expires_at: Time | None


class OpenSession(BaseModel):
    """A browser that is logged in. ``current`` is the one that asks."""

    id: str
    browser: str | None
    current: bool
    created_at: Time
    seen_at: Time
    expires_at: Time


class OpenSessions(BaseModel):
    """The sessions of an account, the latest first."""

    items: list[OpenSession]


class Amount(BaseModel):
    """Results and their size."""

    reconstructions: int
    bytes: int


class Account(AccountBrief):
    """An account with what it uses and may use."""

    usage: Amount
    quota: Amount


class NewToken(Strict):
    """To make an API token."""

    name: Title
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=2)]
    expires_in_days: Annotated[int, Field(ge=1, le=3650)] | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "render farm", "scopes": ["reconstructions:write"]}]
        }
    )


class Token(BaseModel):
    """An API token. ``token`` is there in the answer to its creation only."""

    id: str
    name: str
    scopes: list[Scope]
    created_at: Time
    expires_at: Time | None
    last_used_at: Time | None
    token: str | None = None


class Tokens(BaseModel):
    """Every API token."""

    items: list[Token]


class Size(BaseModel):
    """Pixels."""

    width: int
    height: int


class Camera(BaseModel):
    """The camera that took the picture; its principal point is the middle."""

    focal_px: float
    source: str
    world_from_camera: list[list[float]]


class Checks(BaseModel):
    """Agreement with the photograph; null where not measured."""

    silhouette_iou: float | None
    keypoint_error: float | None
    image_similarity: float | None = None


class SeenParts(BaseModel):
    """What the picture shows of a person; see ``report.json``."""

    extent: str
    share: float
    cut: list[str]
    hidden: list[str]
    guessed: list[str]


class GuessedMeasure(BaseModel):
    """A measure that a single photograph suggests; in nine cases of ten it lies in the band."""

    value: float
    low: float
    high: float


class Person(BaseModel):
    """One person of a result."""

    id: int
    box: list[float]
    score: float
    complete: bool
    seen: SeenParts | None = None
    height_m: float
    height_sd_m: float | None = None
    measurements_cm: dict[str, GuessedMeasure] | None = None
    checks: Checks
    warnings: list[str]
    files: dict[str, str]


class PersonHint(BaseModel):
    """What the user says of a person; what they do not say is null."""

    height_cm: float | None = None
    sex: Sex | None = None
    age: float | AgeGroup | None = None
    not_a_person: bool = False


class BoxHint(PersonHint):
    """A hint by a box, in pixels of the picture."""

    box: list[float]


class Hints(BaseModel):
    """What the user says of people, by number (or ``largest``) and by box."""

    people: dict[str, PersonHint] = {}
    boxes: list[BoxHint] = []


class LeftOut(BaseModel):
    """Somebody who is seen but not reconstructed; ``id`` is the number they had, if any."""

    id: int | None
    box: list[float]
    reason: str
    sentence: str


def _kept_hints(text: str) -> dict[str, Any] | None:
    """Hints from JSON as plain values of ``Options``; raises ``ValueError`` with a sentence."""
    try:
        hints = read_hints(text, "hints")
    except InputError as error:
        raise ValueError(str(error)) from None
    return plain_hints(hints) if hints else None


class ReconstructionOptions(BaseModel):
    """What was asked for."""

    height_cm: float | None = SERVER_DEFAULTS["height_cm"]
    hints: Hints | None = SERVER_DEFAULTS["hints"]
    fov_deg: float | None = SERVER_DEFAULTS["fov_deg"]
    max_people: int | None = SERVER_DEFAULTS["max_people"]
    detail: Detail = SERVER_DEFAULTS["detail"]
    relief: Relief = SERVER_DEFAULTS["relief"]
    incomplete: Incomplete = SERVER_DEFAULTS["incomplete"]
    faces: int = SERVER_DEFAULTS["faces"]
    texture: bool = SERVER_DEFAULTS["texture"]
    albedo: bool = SERVER_DEFAULTS["albedo"]
    check: bool = SERVER_DEFAULTS["check"]
    formats: list[str] = list(SERVER_DEFAULTS["formats"])
    vertex_colors: bool = SERVER_DEFAULTS["vertex_colors"]
    print_height_mm: float | None = SERVER_DEFAULTS["print_height_mm"]
    poses: bool = SERVER_DEFAULTS["poses"]
    rest: Rest = SERVER_DEFAULTS["rest"]
    rig: RigKind = SERVER_DEFAULTS["rig"]
    bone_names: BoneNames = SERVER_DEFAULTS["bone_names"]
    clips: bool = SERVER_DEFAULTS["clips"]


class Reconstruction(BaseModel):
    """A result. ``files`` and ``people[].files`` map what a file is for to its URL."""

    id: str
    name: str
    description: str | None = None
    created_at: Time
    expires_at: Time | None
    image: Size
    camera: Camera
    people: list[Person]
    left_out: list[LeftOut] = []
    warnings: list[str]
    timings_s: dict[str, float]
    seconds: float
    options: ReconstructionOptions
    bytes: int
    files: dict[str, str]


class Summary(BaseModel):
    """A result in a list."""

    id: str
    name: str
    description: str | None = None
    created_at: Time
    expires_at: Time | None
    image: Size
    people: int
    bytes: int
    files: dict[str, str]


class Reconstructions(BaseModel):
    """A page of results, newest first."""

    items: list[Summary]
    next_cursor: str | None
    total: int


class Samples(BaseModel):
    """The gallery. ``preparing`` says that more is on its way."""

    items: list[Summary]
    preparing: bool


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


class PersonAtWork(BaseModel):
    """Whom a stage is about."""

    number: int
    of: int


class JobLinks(BaseModel):
    """Where to go on."""

    self: str
    events: str
    cancel: str
    reconstruction: str | None
    measurement: str | None = None
    video: str | None = None


class Job(BaseModel):
    """A picture or a video on its way to a result, or two pictures on theirs to measures."""

    id: str
    kind: JobKind = "photo"
    name: str
    state: JobState
    stage: str | None
    person: PersonAtWork | None
    progress: float
    queue_position: int | None
    seconds_left: float | None
    attempts: int
    created_at: Time
    started_at: Time | None
    finished_at: Time | None
    reconstruction_id: str | None
    measurement_id: str | None = None
    video_id: str | None = None
    replaces: str | None = None
    problem: ProblemBody | None
    links: JobLinks


class Jobs(BaseModel):
    """The account's latest jobs."""

    items: list[Job]


class NewShare(Strict):
    """To share a result."""

    expires_in_days: Annotated[int, Field(ge=1, le=3650)] | None = None


class Share(BaseModel):
    """A link that shows a result to whoever has it."""

    id: str
    reconstruction_id: str
    created_at: Time
    expires_at: Time
    page: str
    url: str


class Shares(BaseModel):
    """Every share link of a result."""

    items: list[Share]


class Uploaded(BaseModel):
    """The answer of the simple call."""

    path: str
    paths: list[str]
    result: str


class Stage(BaseModel):
    """A stage and what to call it."""

    name: str
    title: str


class Config(BaseModel):
    """Limits and names for clients."""

    version: str
    max_upload_bytes: int
    max_video_bytes: int
    max_video_seconds: float
    max_pixels: int
    min_side: int
    accepted_types: list[str]
    fast_path_seconds: float
    retention_days: float
    guest_retention_hours: float
    guests: bool
    registration: bool
    password_min_length: int
    share_max_days: int
    max_active_jobs: int
    stages: list[Stage]
    video_stages: list[Stage]


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
        elif name == "hints":
            values["examples"] = [_HINTS_EXAMPLE]
        elif option.choices:
            values["enum"] = list(option.choices)


class CreateForm(Strict):
    """The fields beside the picture, as they come in a form."""

    name: Title = "Photo"
    height_cm: float | None = SERVER_DEFAULTS["height_cm"]
    hints: str | None = SERVER_DEFAULTS["hints"]
    fov_deg: float | None = SERVER_DEFAULTS["fov_deg"]
    max_people: int | None = SERVER_DEFAULTS["max_people"]
    detail: str = SERVER_DEFAULTS["detail"]
    relief: str = SERVER_DEFAULTS["relief"]
    incomplete: str = SERVER_DEFAULTS["incomplete"]
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

    model_config = ConfigDict(extra="forbid", json_schema_extra=_describe_options)

    @field_validator(*SERVER_DEFAULTS)
    @classmethod
    def _fits(cls, value: Any, info: ValidationInfo) -> Any:
        """The value, when the table of options allows it; else its sentence."""
        assert info.field_name is not None
        try:
            if info.field_name == "formats":
                return ",".join(parse_formats(value))
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

    def options(self) -> dict[str, Any]:
        """Those that go to the reconstruction, as plain values."""
        return self.model_dump(exclude={"name"}) | {
            "formats": list(parse_formats(self.formats)),
            "hints": None if self.hints is None else _kept_hints(self.hints),
        }
