"""Forms with pictures or a video as they arrive: files and fields within their limits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile

from vitruvian.errors import InputError
from vitruvian.server.api.checks import validation_problem
from vitruvian.server.api.schemas import CreateForm
from vitruvian.server.files.names import GIVEN, MOST_PHOTOS
from vitruvian.server.problems import Problem
from vitruvian.server.state import State

MAX_FORM_FIELDS = 16
MAX_FIELD_BYTES = 16_384
MAX_GIVEN_BYTES = 16 * 2**20  # of keypoints or masks that come with a picture

Form = TypeVar("Form", bound=BaseModel)


@dataclass(frozen=True)
class PictureForm:
    """A form with a picture, or pictures of one person, as it came.

    Attributes:
        images: the pictures.
        given: keypoints and masks that came with them, by the names of ``GIVEN``.
        fields: all else.
    """

    images: Sequence[UploadFile]
    given: Mapping[str, UploadFile]
    fields: CreateForm


@asynccontextmanager
async def read_form(request: Request, state: State) -> AsyncIterator[PictureForm]:
    """The picture, or pictures of one person, with all that comes with them; see
    ``read_pictures``.
    """
    most = state.settings.max_upload_bytes
    async with _read_files(
        request, ("image",), CreateForm, most, too_large(state), MOST_PHOTOS, tuple(GIVEN)
    ) as (files, given, form):
        images = files["image"]
        try:
            form.check_count(len(images))
        except InputError as error:
            raise _invalid("same_person", str(error)) from None
        yield PictureForm(images, given, form)


@asynccontextmanager
async def read_pictures(
    request: Request, state: State, names: Sequence[str], model: type[Form], of_each: int
) -> AsyncIterator[tuple[dict[str, list[UploadFile]], Form]]:
    """The pictures, by their field, and the other fields of a form, while the block lasts.

    A picture that arrives is on disk from its second megabyte on: however slowly it comes, nobody
    waits for it.

    Args:
        request: with the form.
        state: for the limits.
        names: fields with pictures.
        model: the other fields.
        of_each: how many pictures a field may have at most.

    Raises:
        Problem: too large, not a form, without a picture, with wrong fields.
    """
    most = state.settings.max_upload_bytes
    refused = too_large(state)
    async with _read_files(request, names, model, most, refused, of_each) as (files, _, form):
        yield files, form


@asynccontextmanager
async def read_video(
    request: Request, state: State, model: type[Form]
) -> AsyncIterator[tuple[UploadFile, Form]]:
    """The file ``video`` and the fields of a form, as ``read_pictures`` reads them."""
    most = state.settings.max_video_bytes
    refused = video_too_large(state)
    async with _read_files(request, ("video",), model, most, refused) as (files, _, form):
        yield files["video"][0], form


@asynccontextmanager
async def _read_files(
    request: Request,
    names: Sequence[str],
    model: type[Form],
    most: int,
    refused: Problem,
    of_each: int = 1,
    optional: Sequence[str] = (),
) -> AsyncIterator[tuple[dict[str, list[UploadFile]], dict[str, UploadFile], Form]]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        fields_of = f"the fields {' and '.join(names)}" if len(names) > 1 else f"a field {names[0]}"
        raise Problem(
            "unsupported-media-type", f"Send a form (multipart/form-data) with {fields_of}."
        )
    async with request.form(
        max_files=len(names) * of_each + len(optional),
        max_fields=MAX_FORM_FIELDS,
        max_part_size=MAX_FIELD_BYTES,
    ) as form:
        files: dict[str, list[UploadFile]] = {name: [] for name in names}
        for name in names:
            sent = form.getlist(name)
            for image in sent or ("",):
                if not isinstance(image, UploadFile):
                    raise _invalid(name, f"The form lacks a file in the field {name}.")
                if (image.size or 0) > most:
                    raise refused
                files[name].append(image)
        given = {name: file for name in optional if (file := _given(form, name)) is not None}
        fields: dict[str, Any] = {}
        for name, value in form.multi_items():
            if name in names or name in optional:
                continue
            if name in fields or not isinstance(value, str):
                detail = "must be given once, as text"
                raise Problem(
                    "validation",
                    f"{name[:40]}: {detail}.",
                    errors=[{"field": name[:40], "detail": detail}],
                )
            fields[name] = value
        yield files, given, _parse_fields(fields, model)


def _given(form: FormData, name: str) -> UploadFile | None:
    """The file in a field that may be left out."""
    sent = [one for one in form.getlist(name) if one != ""]
    if not sent:
        return None
    (file, *more) = sent
    if more or not isinstance(file, UploadFile):
        raise _invalid(name, f"{name}: must be one file.")
    if (file.size or 0) > MAX_GIVEN_BYTES:
        most = MAX_GIVEN_BYTES // 2**20
        raise Problem(
            "too-large", f"The {name} have more than {most} MB; send those of this picture alone."
        )
    return file if file.size or file.filename else None  # a browser's field without a choice


def _invalid(field: str, sentence: str) -> Problem:
    return Problem("validation", sentence, errors=[{"field": field, "detail": sentence}])


def _parse_fields(fields: Mapping[str, str], model: type[Form]) -> Form:
    try:
        # An empty field of a form is one that was left out.
        return model.model_validate({k: v for k, v in fields.items() if v != ""})
    except ValidationError as error:
        raise validation_problem(error.errors()) from None


def too_large(state: State, together: int = 0) -> Problem:
    """The answer to a picture over the limit, or to pictures that are ``together`` times it."""
    most = state.settings.max_upload_mb
    all_of_them = f", or all together more than {together * most} MB" if together else ""
    return Problem(
        "too-large", f"The picture has more than {most} MB{all_of_them}; save a smaller copy."
    )


def video_too_large(state: State) -> Problem:
    """The answer to a video over the limit."""
    most = state.settings.max_video_mb
    return Problem("too-large", f"The video has more than {most} MB; cut it or make it smaller.")
