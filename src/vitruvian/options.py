"""The options of a reconstruction: what there is, its default, its range and what it does.

Each stands here once. ``vitruvian.reconstruct`` and ``Scene.save``, the command line, the forms of
the API and its client take theirs from ``OPTIONS``, and a test compares all of them, and the pages
in ``docs/``, with it. Nothing heavy is imported: the command line's help needs this module.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, get_args

from vitruvian.errors import InputError
from vitruvian.hints import (
    LARGEST,
    LEAST_HEIGHT_CM,
    MOST_HEIGHT_CM,
    Hint,
    Who,
    checked_hints,
    merged,
)
from vitruvian.mesh_formats import AVATAR_FORMATS, FORMATS

Detail = Literal["body", "clothed", "fine"]
Relief = Literal["network", "photo"]
Incomplete = Literal["cut", "complete"]
Accessories = Literal["leave", "keep"]
Rest = Literal["a", "t"]
RigKind = Literal["full", "game"]
BoneNames = Literal["humanoid", "unreal", "mixamo", "original"]
KEYPOINT_FILES = ("openpose", "coco", "blazepose")


@dataclass(frozen=True)
class Option:
    """What is known of one option besides its name, type and default.

    Attributes:
        name: in Python, and the field's in a form.
        help: a sentence for help pages and descriptions.
        flags: of the command line, such as ``--texture/--no-texture``.
        metavar: what the command line's help calls the value.
        least, most: the range of a number, ends included; None where there is no end.
        whole: the number has no fraction.
        choices: what a text, or each part of a list, may be.
        refusal: the sentence for a value outside; filled with ``value``, ``least``, ``most`` and
            ``choices``.
        server: whether the API offers it as a field of a form: what names files of the own machine
            does not make sense there.
    """

    name: str
    help: str
    flags: tuple[str, ...]
    metavar: str | None = None
    least: float | None = None
    most: float | None = None
    whole: bool = False
    choices: tuple[str, ...] = ()
    refusal: str = ""
    server: bool = True

    def check(self, value: Any) -> None:
        """Raise ``InputError``, one sentence, for a value that cannot be; None is the default."""
        if value is None:
            return
        if self.choices:
            listed = [value] if isinstance(value, str) else list(value)
            wrong = [one for one in listed if one not in self.choices]
            if wrong:
                raise self._refused(wrong[0])
        elif self.least is not None:
            kind = Integral if self.whole else Real
            if not isinstance(value, kind) or isinstance(value, bool):
                what = "a whole number" if self.whole else "a number"
                raise InputError(
                    f"{self.name} must be {what}, not {value!r}; leave it out for the default.",
                    code="bad-option",
                )
            most = math.inf if self.most is None else self.most
            number: Any = value  # compared as it is: the largest whole numbers are no floats
            if not (self.least <= number <= most and number < math.inf):
                raise self._refused(value)

    def _refused(self, value: Any) -> InputError:
        choices = " or ".join(self.choices) if len(self.choices) == 2 else ", ".join(self.choices)
        sentence = self.refusal.format(
            value=value, least=self.least, most=self.most, choices=choices
        )
        return InputError(sentence, code="bad-option")


def _option(default: Any, help: str, *flags: str, **known: Any) -> Any:
    known |= {"help": help, "flags": flags}
    return field(default=default, metadata=known)


@dataclass(frozen=True)
class Options:
    """The options of one reconstruction, checked when they are made.

    Raises ``InputError``, one sentence with the remedy, for a value that cannot be, and
    ``MissingExtraError`` for a format whose programs are not installed.
    """

    height_cm: float | None = _option(
        None,
        "Stature of the largest person in the picture, in centimetres; fixes the scale.",
        "--height",
        metavar="[N:]CM",
        least=LEAST_HEIGHT_CM,
        most=MOST_HEIGHT_CM,
        refusal="A height of {value:g} cm cannot be a person's; give {least:g} to {most:g}.",
    )
    hints: Mapping[Who, Hint] | None = _option(
        None,
        "What you know of people, by their number in the report or by a box: height, sex, age, who "
        "is no person, who was missed.",
        "--sex",
        "--age",
        "--add-person",
        "--not-a-person",
        "--hints",
    )
    fov_deg: float | None = _option(
        None,
        "Field of view across the longer side, in degrees; else from EXIF, or assumed.",
        "--fov",
        metavar="DEG",
        least=1,
        most=170,
        refusal="A field of view of {value:g} degrees cannot be; give {least:g} to {most:g}.",
    )
    max_people: int | None = _option(
        None,
        "Keep only the N largest people.",
        "--max-people",
        metavar="N",
        least=1,
        whole=True,
        refusal="At most {value} people leaves nobody; give {least} or more.",
    )
    detail: Detail = _option(  # noqa: RUF009
        "clothed",
        "Stop at the body under the clothes, go on to them, or put folds into the geometry, too.",
        "--detail",
        choices=get_args(Detail),
        refusal="There is no detail {value!r}; choose {choices}.",
    )
    relief: Relief = _option(  # noqa: RUF009
        "network",
        "Where folds come from: the network alone, or also from what is dark in the photograph.",
        "--relief",
        choices=get_args(Relief),
        refusal="There is no relief {value!r}; choose {choices}.",
    )
    incomplete: Incomplete = _option(  # noqa: RUF009
        "cut",
        "End people where the frame cuts them off, or complete them by body and usual clothes.",
        "--incomplete",
        choices=get_args(Incomplete),
        refusal="There is no way {value!r} to treat who is cut off; choose {choices}.",
    )
    accessories: Accessories = _option(  # noqa: RUF009
        "leave",
        "Bags and the like: leave them out of avatars, or keep them as rigid pieces.",
        "--accessories",
        choices=get_args(Accessories),
        refusal="Accessories cannot be treated as {value!r}; choose {choices}.",
    )
    faces: int = _option(
        24_000,
        "About how many faces each clothed mesh may have; more is finer and slower.",
        "--faces",
        metavar="N",
        least=2_000,
        most=200_000,
        whole=True,
        refusal="{value} faces are not possible; give {least} to {most}.",
    )
    texture: bool = _option(True, "Colour the meshes from the picture.", "--texture/--no-texture")
    albedo: bool = _option(False, "Take the light out of the colours, for relighting.", "--albedo")
    check: bool = _option(
        True, "Render the result over the picture and compare.", "--check/--no-check"
    )
    formats: tuple[str, ...] = _option(
        ("obj", "glb"),
        f"Mesh formats, with commas: {', '.join(FORMATS)}; of avatars, beside GLB: "
        f"{', '.join(AVATAR_FORMATS)}.",
        "--formats",
        metavar="LIST",
        choices=(*FORMATS, *AVATAR_FORMATS),
        refusal="There is no format {value!r}; choose from {choices}.",
    )
    vertex_colors: bool = _option(
        False, "Colours at the vertices of OBJ meshes, too; PLY has them.", "--vertex-colors"
    )
    print_height_mm: float | None = _option(
        None,
        "For 3D printing: mesh.stl this high, in millimetres, on a flat base; else life-size.",
        "--print-height",
        metavar="MM",
        least=10,
        most=3000,
        refusal="A print of {value:g} mm is not possible; give {least:g} to {most:g} mm.",
    )
    poses: bool = _option(
        False,
        "Also draw everyone in other poses, to see the rig at work: poses.png.",
        "--poses",
    )
    rest: Rest = _option(  # noqa: RUF009
        "a",
        "How avatars rest: arms straight and half lowered (a), or level (t).",
        "--rest",
        choices=get_args(Rest),
        refusal="There is no rest pose {value!r}; choose {choices}.",
    )
    rig: RigKind = _option(  # noqa: RUF009
        "full",
        "Joints of avatars: all, or the 52 that games move.",
        "--rig",
        choices=get_args(RigKind),
        refusal="There is no rig {value!r}; choose {choices}.",
    )
    bone_names: BoneNames = _option(  # noqa: RUF009
        "humanoid",
        "Names of avatars' bones: those of Unity and VRM, of Unreal, of Mixamo, or the body's own.",
        "--bone-names",
        choices=get_args(BoneNames),
        refusal="There are no bone names {value!r}; choose {choices}.",
    )
    clips: bool = _option(
        True,
        "Put motions into avatars: idle, walk, run, wave, sit and a dance.",
        "--clips/--no-clips",
    )
    sam: tuple[Path, Path] | None = _option(
        None,
        "Encoder and decoder of your own SAM networks, ONNX files, to draw the masks.",
        "--sam-encoder",
        "--sam-decoder",
        metavar="FILE",
        server=False,
    )
    sam_everything: bool = _option(
        False,
        "Let SAM also look for whole people that the detectors miss.",
        "--sam-everything",
        server=False,
    )
    keypoints: Path | bytes | None = _option(  # noqa: RUF009
        None,
        "Keypoints of OpenPose, COCO or BlazePose (JSON) in place of our own; they tell who is in "
        "the picture.",
        "--keypoints",
        metavar="FILE",
        server=False,
    )
    masks: Path | bytes | None = _option(  # noqa: RUF009
        None,
        "Masks in place of our own: COCO's annotations (JSON), a label map (PNG) or a folder.",
        "--masks",
        metavar="FILE",
        server=False,
    )
    keypoint_files: tuple[str, ...] | None = _option(
        None,
        "Also write keypoints, seen and fitted, with commas: openpose, coco, blazepose.",
        "--keypoint-files",
        metavar="LIST",
        choices=KEYPOINT_FILES,
        refusal="There are no keypoint files {value!r}; choose from {choices}.",
    )
    body_model: Path | None = _option(  # noqa: RUF009
        None,
        "Your own model file of SMPL, SMPL-H or SMPL-X: also write everyone as its body.",
        "--body-model",
        metavar="FILE",
        server=False,
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "hints", checked_hints(self.hints))
        for name, option in OPTIONS.items():
            option.check(getattr(self, name))
        for name in self.formats:
            (FORMATS | AVATAR_FORMATS)[name].check()
        if self.albedo and not self.texture:
            raise InputError(
                "Light can be taken out of a texture only: leave out albedo, or ask for texture.",
                code="bad-option",
            )
        if self.sam is None and self.sam_everything:
            raise InputError(
                "Only SAM networks can look for everything: give their encoder and decoder, too.",
                code="bad-option",
            )

    def all_hints(self) -> dict[Who, Hint]:
        """What is known of people, ``height_cm`` with it: it is the largest person's.

        Where both tell a height, the hint's counts.
        """
        if self.height_cm is None:
            return dict(self.hints or {})
        return merged({LARGEST: Hint(height_cm=self.height_cm)}, self.hints) or {}

    @classmethod
    def of(cls, **given: Any) -> Options:
        """Options from keywords, of which None stands for the default."""
        return cls(**{name: value for name, value in given.items() if value is not None})


OPTIONS: dict[str, Option] = {one.name: Option(one.name, **one.metadata) for one in fields(Options)}
DEFAULTS: dict[str, Any] = {one.name: one.default for one in fields(Options)}

# A server offers every format for download after the fact; of avatars those that cost little.
SERVER_DEFAULTS: dict[str, Any] = {
    name: DEFAULTS[name] for name, option in OPTIONS.items() if option.server
} | {"formats": (*FORMATS, "vrm")}


def parse_formats(text: str) -> tuple[str, ...]:
    """Names of formats from a list with commas, each once: ``" OBJ,.glb"`` is obj and glb.

    Raises:
        InputError: one is unknown, or there is none.
    """
    parts = [part.strip().lower().removeprefix(".") for part in text.split(",") if part.strip()]
    wanted = tuple(dict.fromkeys(parts))
    OPTIONS["formats"].check(wanted or text)
    return wanted


def parse_keypoint_files(text: str) -> tuple[str, ...]:
    """Names of layouts from a list with commas, each once.

    Raises:
        InputError: one is unknown, or there is none.
    """
    wanted = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    OPTIONS["keypoint_files"].check(wanted or text)
    return wanted


def parse_millimetres(text: str) -> float:
    """A length with its unit as people write it: ``150``, ``150mm``, ``15 cm``, ``6in``.

    Raises:
        InputError: it is none.
    """
    found = re.fullmatch(r"\s*([0-9]*[.,]?[0-9]+)\s*(mm|cm|m|in|\")?\s*", text.lower())
    if found is None:
        raise InputError(
            f"{text!r} is no length; give millimetres, or a unit with it, such as 150mm or 15cm.",
            code="bad-option",
        )
    factor = {None: 1.0, "mm": 1.0, "cm": 10.0, "m": 1000.0, "in": 25.4, '"': 25.4}[found[2]]
    return float(found[1].replace(",", ".")) * factor
