"""The shapes of results: people, cameras, files."""

from __future__ import annotations

from typing import Literal

from pydantic import (
    BaseModel,
)

from vitruvian.hints import AgeGroup, Direction, Sex
from vitruvian.options import (
    SERVER_DEFAULTS,
    Accessories,
    BoneNames,
    Detail,
    Incomplete,
    Relief,
    Rest,
    RigKind,
)
from vitruvian.server.api.schemas.common import Size, Time


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
    limbs: dict[str, Direction] | None = None


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


class ReconstructionOptions(BaseModel):
    """What was asked for."""

    same_person: bool = False
    given: list[Literal["keypoints", "masks"]] = []
    height_cm: float | None = SERVER_DEFAULTS["height_cm"]
    hints: Hints | None = SERVER_DEFAULTS["hints"]
    fov_deg: float | None = SERVER_DEFAULTS["fov_deg"]
    max_people: int | None = SERVER_DEFAULTS["max_people"]
    detail: Detail = SERVER_DEFAULTS["detail"]
    relief: Relief = SERVER_DEFAULTS["relief"]
    incomplete: Incomplete = SERVER_DEFAULTS["incomplete"]
    accessories: Accessories = SERVER_DEFAULTS["accessories"]
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
    keypoint_files: list[str] | None = SERVER_DEFAULTS["keypoint_files"]


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


class Uploaded(BaseModel):
    """The answer of the simple call."""

    path: str
    paths: list[str]
    result: str
