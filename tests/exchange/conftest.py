"""One made-up model of the SMPL family and how it corresponds to ours, for all tests here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from made_up_smpl import made_up
from vitruvian.body.model.model import BodyModel, body_model
from vitruvian.exchange.registered import correspondence, load_smpl
from vitruvian.exchange.registration import Correspondence
from vitruvian.exchange.smpl_model import SmplModel


@pytest.fixture(scope="session")
def ours() -> BodyModel:
    return body_model()


@pytest.fixture(scope="session")
def model_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("models") / "MADE_UP_FEMALE.npz"
    np.savez(path, **made_up("smpl"))
    return path


@pytest.fixture(scope="session")
def theirs(model_file: Path) -> SmplModel:
    return load_smpl(model_file)  # so that commands given the file find it registered


@pytest.fixture(scope="session")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def places(theirs: SmplModel, ours: BodyModel, cache: Path) -> Correspondence:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        return correspondence(theirs, ours)
