"""How a model file's body corresponds to ours: worked out once for each file, and kept."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np

from vitruvian.body.model.model import BodyModel
from vitruvian.compute.cache import user_cache
from vitruvian.errors import InputError
from vitruvian.exchange.registration import Correspondence, register
from vitruvian.exchange.smpl_file import read_smpl
from vitruvian.exchange.smpl_model import SmplModel
from vitruvian.image.names import expanded

_LEAST_TRUST = 0.75  # on average, of all vertices; of bodies alike it is above .95
_VERSION = 1  # of what is kept; another makes it anew


@lru_cache(maxsize=4)
def correspondence(other: SmplModel, model: BodyModel) -> Correspondence:
    """Where the vertices of ``other`` are on ``model``, from the user's cache if it is there.

    The first time takes some seconds; a cache that cannot be written costs them every time.

    Raises:
        InputError: the two have little in common.
    """
    own = hashlib.sha256(model.template.tobytes() + model.faces.tobytes()).hexdigest()[:16]
    path = user_cache() / "vitruvian" / "bodies" / f"{other.digest[:32]}-{own}-{_VERSION}.npz"
    kept = _read(path, len(other.template), len(model.faces))
    if kept is not None:
        return kept
    found = register(other, model)
    if found.trust.mean() < _LEAST_TRUST:
        raise InputError(
            "The body model could not be laid over our body, so that nothing can be told in its "
            "terms: give a file of SMPL, SMPL-H or SMPL-X in its T-pose, y up, facing +z."
        )
    _keep(found, path)
    return found


def load_smpl(path: str | Path) -> SmplModel:
    """``read_smpl``, once for each state of a file."""
    path = expanded(path)
    try:
        known = path.stat()
    except OSError:
        return read_smpl(path)  # which says what is wrong
    return _loaded(path, known.st_mtime_ns, known.st_size)


@lru_cache(maxsize=2)
def _loaded(path: Path, _modified: int, _size: int) -> SmplModel:
    return read_smpl(path)


def _read(path: Path, vertices: int, faces: int) -> Correspondence | None:
    """What was kept; None where there is nothing, or nothing whole."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            found = Correspondence(archive["faces"], archive["weights"], archive["trust"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    shapes = found.faces.shape, found.weights.shape, found.trust.shape
    if shapes != ((vertices,), (vertices, 3), (vertices,)) or found.faces.max() >= faces:
        return None
    return found


def _keep(found: Correspondence, path: Path) -> None:
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".npz")
        with os.fdopen(handle, "wb") as file:
            np.savez(file, faces=found.faces, weights=found.weights, trust=found.trust)
        os.replace(name, path)
