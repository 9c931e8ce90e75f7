"""What the people stage sees in pictures, kept, so that fits are compared in a minute."""

from __future__ import annotations

import contextlib
import hashlib
import pickle
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

import vitruvian.networks
import vitruvian.people
import vitruvian.types
from vitruvian.errors import InputError
from vitruvian.formats.atomic import write_bytes
from vitruvian.image.photo import load_photo
from vitruvian.lab.evaluation.thunder import Thunder
from vitruvian.lab.synthesis.anatomy import cache_folder
from vitruvian.people.crops import Crop
from vitruvian.people.finder import find_people
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure

VERSION = 1  # of what is kept
_UP = np.array([0.0, -1.0])
_MARGIN = 1.25  # side of the crop for the other network, in sizes of the person


@dataclass(frozen=True, eq=False)
class Look:
    """The people of a picture.

    Attributes:
        camera: of the picture.
        figures: as ``find_people`` gives them.
        seen: (17, 3) of each, COCO's keypoints and their scores as ``Thunder`` sees them.
    """

    camera: Camera
    figures: tuple[Figure, ...]
    seen: tuple[np.ndarray, ...]


def look_at(pixels: np.ndarray, thunder: Thunder) -> Look:
    """The people of a picture (H, W, 3) uint8 sRGB; from the user's cache folder if it was looked
    at before with the same code and networks."""
    digest = hashlib.sha256(f"{VERSION} {_code()} {pixels.shape}".encode())
    digest.update(thunder.file.name.encode())
    digest.update(np.ascontiguousarray(pixels).tobytes())
    kept = cache_folder() / "looks" / f"{digest.hexdigest()[:24]}.pickle"
    with contextlib.suppress(OSError, EOFError, pickle.UnpicklingError, AttributeError):
        found = pickle.loads(kept.read_bytes())  # written by this function alone
        if isinstance(found, Look):
            return found
    photo = load_photo(pixels)
    figures = tuple(find_people(photo))
    seen = tuple(thunder(pixels, crop_of(figure)) for figure in figures)
    look = Look(photo.camera, figures, seen)
    with contextlib.suppress(InputError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(kept, pickle.dumps(look))
    return look


def crop_of(figure: Figure) -> Crop:
    """An upright crop around a person's matte."""
    center = (figure.box[:2] + figure.box[2:]) / 2
    return Crop(center, _UP, figure.size * _MARGIN)


@lru_cache(maxsize=1)
def _code() -> str:
    """A digest of all code and weights that a look depends on."""
    digest = hashlib.sha256()
    for package in (vitruvian.people, vitruvian.networks, vitruvian.types):
        assert package.__file__ is not None
        folder = Path(package.__file__).parent
        for file in sorted([*folder.glob("*.py"), *folder.glob("weights/manifest.json")]):
            digest.update(file.read_bytes())
    return digest.hexdigest()
