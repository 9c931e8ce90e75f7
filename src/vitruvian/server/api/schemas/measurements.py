"""The shapes of requests and answers about measures."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from vitruvian.anthropometry.subject import (
    LEAST_AGE,
    LEAST_HEIGHT_CM,
    LEAST_WEIGHT_KG,
    MOST_AGE,
    MOST_HEIGHT_CM,
    MOST_WEIGHT_KG,
    Subject,
)
from vitruvian.errors import InputError
from vitruvian.server.api.schemas.common import Strict, Time, Title

Sex = Literal["man", "woman"]
Clothes = Literal["underwear", "tight", "ordinary"]
TITLE = "Measures"


def _ranged(default: Any, text: str, least: float, most: float) -> Any:
    """A number whose range is described here and checked, with a sentence, by ``Subject``."""
    return Field(default, description=text, json_schema_extra={"minimum": least, "maximum": most})


class MeasureForm(Strict):
    """The fields beside the two pictures, as they come in a form."""

    height_cm: float = _ranged(
        ...,
        "Stature without shoes, in centimetres; sets the scale.",
        LEAST_HEIGHT_CM,
        MOST_HEIGHT_CM,
    )
    weight_kg: float | None = _ranged(
        None, "Weight in kilograms; narrows most girths.", LEAST_WEIGHT_KG, MOST_WEIGHT_KG
    )
    sex: Annotated[Sex | None, Field(description="Build.")] = None
    age: float | None = _ranged(None, "Age in years; children need it.", LEAST_AGE, MOST_AGE)
    clothes: Annotated[Clothes | None, Field(description="What is worn; narrows the bands.")] = None
    name: Annotated[Title, Field(description="What you call the result.")] = TITLE
    keep: Annotated[
        bool, Field(description="Keep the result as long as other results, not for an hour only.")
    ] = False

    @model_validator(mode="after")
    def _can_be(self) -> MeasureForm:
        try:
            Subject(**self.told())
        except InputError as error:
            raise ValueError(str(error)) from None
        return self

    def told(self) -> dict[str, Any]:
        """What is told of the person, as ``pipeline.measuring.measure`` takes it."""
        return self.model_dump(include={"height_cm", "weight_kg", "sex", "age", "clothes"})


class MeasurementChange(Strict):
    """To rename measures, or to keep them."""

    name: Title | None = None
    keep: Literal[True] | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"keep": True}]})

    @model_validator(mode="after")
    def _says_something(self) -> MeasurementChange:
        if self.name is None and self.keep is None:
            raise ValueError("give name or keep")
        return self


class MeasuredSubject(BaseModel):
    """What was told of the person."""

    height_cm: float
    weight_kg: float | None
    sex: Sex | None
    age: float | None
    clothes: Clothes | None = None


class MeasureValue(BaseModel):
    """One measure; in nine cases of ten the truth lies between ``low_cm`` and ``high_cm``."""

    label: str
    kind: Literal["girth", "breadth", "length", "height"]
    cm: float
    low_cm: float
    high_cm: float
    sure: bool
    definition: str


class ClothesSize(BaseModel):
    """A size of one garment in one system; null beyond its table. The measures' bands leave those
    from ``smallest`` to ``largest`` open.
    """

    wearer: Literal["women", "men", "children"]
    garment: str
    system: str
    size: str | None
    smallest: str | None
    largest: str | None


class MeasurementSummary(BaseModel):
    """Somebody's measures in a list. What is not ``kept`` is deleted an hour after it was made."""

    id: str
    name: str
    created_at: Time
    expires_at: Time | None
    kept: bool
    bytes: int


class Measurement(MeasurementSummary):
    """Somebody's measures. ``files`` maps what a file is for to its URL."""

    subject: MeasuredSubject
    measures: dict[str, MeasureValue]
    sizes: list[ClothesSize]
    warnings: list[str]
    files: dict[str, str]


class Measurements(BaseModel):
    """The account's measures, the latest first."""

    items: list[MeasurementSummary]


class Handoff(BaseModel):
    """What lets another device send the pictures for a quarter of an hour, and nothing else."""

    token: str
    expires_at: Time
