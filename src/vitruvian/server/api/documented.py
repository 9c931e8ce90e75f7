"""What the OpenAPI description says of errors and forms."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from vitruvian.server.api.schemas import CreateForm, ProblemBody
from vitruvian.server.files.names import MOST_PHOTOS
from vitruvian.server.problems import MEDIA_TYPE, Problem

_MEANINGS = {
    400: "The request cannot be understood.",
    401: "Nobody is logged in, or name and password do not fit.",
    403: "Not allowed: CSRF, scope, setting or password.",
    404: "There is nothing here, or it belongs to another account.",
    408: "The body stopped arriving, or came too slowly.",
    409: "This contradicts an earlier request.",
    413: "The file is too large.",
    415: "The file is not a picture that can be read, or the body has a wrong type.",
    416: "The file has no such range.",
    422: "The request is not valid, the picture cannot be used, or nobody is in it.",
    429: "Too many requests, a full account, or a full queue; see Retry-After.",
    500: "The server failed.",
    503: "The server cannot work now, or it took too long.",
}


MAX_IDEMPOTENCY_KEY = 128

# Headers of the routes that start a job.
PREFER = {
    "name": "Prefer",
    "in": "header",
    "schema": {"type": "string"},
    "description": "`respond-async`, or `wait=N` seconds at most for the result.",
    "example": "respond-async",
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "maxLength": MAX_IDEMPOTENCY_KEY},
    "description": "A repeated request with the same key starts nothing.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """FastAPI's ``responses`` for the errors of a route."""
    return {
        status: {
            "model": ProblemBody,
            "description": _MEANINGS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}},
        }
        for status in statuses
    }


def picture_form() -> dict[str, Any]:
    """The ``requestBody`` of the routes that take a picture."""
    text = (
        "The picture: JPEG, PNG, WebP, HEIC and others. With same_person the field comes once for "
        "each."
    )
    optional = {
        "keypoints": "Keypoints of OpenPose, COCO or BlazePose (JSON) in place of our own.",
        "masks": "Masks in place of our own: COCO's (JSON) or a label map (PNG).",
    }
    return form_body(CreateForm, {"image": text}, optional, of_each=MOST_PHOTOS)


def form_body(
    model: type[BaseModel],
    files: Mapping[str, str],
    optional: Mapping[str, str] = MappingProxyType({}),
    *,
    of_each: int = 1,
) -> dict[str, Any]:
    """The ``requestBody`` of a form.

    Args:
        model: its fields.
        files: what is in each file, by the name of its field.
        optional: the same of files that may be left out.
        of_each: how often a field with a file may come.
    """
    described = model.model_json_schema()
    fields = described["properties"]
    for field in fields.values():
        # A form has no null: a field that is not wanted is left out.
        kinds = [kind for kind in field.pop("anyOf", []) if kind.get("type") != "null"]
        if kinds:
            field.update(kinds[0])
            field.pop("default", None)
    binary = {
        "type": "string",
        "format": "binary",
        "contentMediaType": "application/octet-stream",
    }
    several = {"type": "array", "items": binary, "minItems": 1, "maxItems": of_each}
    file = binary if of_each == 1 else several
    pictures = {name: file | {"description": text} for name, text in files.items()}
    pictures |= {name: binary | {"description": text} for name, text in optional.items()}
    schema = {
        "type": "object",
        "required": [*files, *described.get("required", ())],
        "properties": pictures | fields,
        "additionalProperties": False,
    }
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


def tidy(description: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI description in which every error is a Problem, also those of the framework."""
    for operations in description["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if status[0] not in "45":
                    continue
                schema = {"$ref": "#/components/schemas/ProblemBody"}
                answer["content"] = {MEDIA_TYPE: {"schema": schema}}
                answer["description"] = _MEANINGS[int(status)]
    for name in ("HTTPValidationError", "ValidationError"):
        description["components"]["schemas"].pop(name, None)
    return description


def not_here() -> Problem:
    """A route that exists under other settings only."""
    return Problem("forbidden", "This server does not offer that.")
