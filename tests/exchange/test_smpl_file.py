"""Model files of the SMPL family: read whatever way they are packed, and never run."""

from __future__ import annotations

import pickle
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from made_up_smpl import PARENTS, made_up
from vitruvian.errors import InputError
from vitruvian.exchange import smpl_file
from vitruvian.exchange.registered import load_smpl
from vitruvian.exchange.smpl_file import read_smpl
from vitruvian.exchange.smpl_model import JOINT_NAMES, Kind


def tiny(kind: Kind = "smpl") -> dict[str, np.ndarray]:
    """A file's content with a dozen vertices, that stand nowhere."""
    rng, joints = np.random.default_rng(7), len(JOINT_NAMES[kind])
    tree = np.array([PARENTS[kind], range(joints)])
    return {
        "v_template": rng.uniform(-0.9, 0.9, size=(12, 3)),
        "f": rng.integers(0, 12, (20, 3)).astype(np.uint32),
        "shapedirs": rng.normal(size=(12, 3, 10)),
        "posedirs": rng.normal(size=(12, 3, 9 * (joints - 1))),
        "J_regressor": np.where(rng.random((joints, 12)) < 0.3, rng.random((joints, 12)), 0),
        "weights": rng.dirichlet(np.ones(joints), 12),
        "kintree_table": tree.astype(np.uint32),
    }


def test_npz(model_file: Path) -> None:
    content, model = made_up("smpl"), read_smpl(model_file)
    assert (model.kind, model.gender) == ("smpl", "female")
    assert np.array_equal(model.template, content["v_template"])
    assert np.array_equal(model.faces, content["f"])
    assert model.parents[0] == -1
    assert model.parents[1:].tolist() == content["kintree_table"][0, 1:].tolist()
    assert np.allclose(model.weights.sum(1), 1)
    assert load_smpl(model_file) is load_smpl(str(model_file))


@pytest.mark.parametrize("kind", ["smplh", "smplx"])
def test_other_kinds(kind: Any, tmp_path: Path) -> None:
    content = dict(tiny(kind))
    more = np.zeros((len(content["v_template"]), 3, 30))
    content["shapedirs"] = np.concatenate([content["shapedirs"], more], axis=2)
    np.savez(tmp_path / "body.npz", joint2num=np.array({"a": 1}, object), **content)
    model = read_smpl(tmp_path / "body.npz")
    assert (model.kind, model.gender, model.shape_count) == (kind, "neutral", 10)
    assert len(model.joint_names) == len(set(model.joint_names)) == {"smplh": 52, "smplx": 55}[kind]


def carrying(name: str, module: str, monkeypatch: pytest.MonkeyPatch, **attributes: Any) -> Any:
    """An object as chumpy's pickle themselves, by their attributes, of a package that is gone."""
    kind = type(name, (), {"__module__": module})
    found = types.ModuleType(module)
    setattr(found, name, kind)
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    monkeypatch.setitem(sys.modules, module, found)
    made = kind()
    made.__dict__.update(attributes, _dirty_vars={"x"}, _itr=None)
    return made


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("layout", ["csc", "csr", "coo"])
def test_pickles_of_old(
    protocol: int, layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content: dict[str, Any] = dict(tiny())
    plain = content["J_regressor"]
    shape = content["shapedirs"].shape
    flat = np.concatenate([[7.0], content["shapedirs"].ravel()])
    whole = carrying("Ch", "chumpy.ch", monkeypatch, x=flat)
    content["shapedirs"] = carrying(
        "Select",
        "chumpy.reordering",
        monkeypatch,
        a=whole,
        idxs=np.arange(1, len(flat)),
        preferred_shape=shape,
    )
    content["weights"] = carrying("Weights", "chumpy.other", monkeypatch, x=content["weights"])
    content["J_regressor"] = getattr(sparse, f"{layout}_matrix")(plain)
    content["bs_style"] = "lbs"
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    for name in ("chumpy", "chumpy.ch", "chumpy.reordering", "chumpy.other"):
        monkeypatch.delitem(sys.modules, name)
    model = read_smpl(path)
    assert np.allclose(model.joint_regressor, plain)
    assert np.array_equal(model.shape_directions, tiny()["shapedirs"])
    assert model.joint_names == JOINT_NAMES["smpl"]


def test_faces_that_look_inwards(model_file: Path, tmp_path: Path) -> None:
    content = dict(made_up("smpl"))
    content["f"] = content["f"][:, [0, 2, 1]]
    np.savez(tmp_path / "body.npz", **content)
    outwards = read_smpl(model_file).faces
    again = read_smpl(tmp_path / "body.npz").faces
    assert np.array_equal(np.sort(again), np.sort(outwards))
    turned = np.argmax(again == outwards[:, :1], axis=1)
    rows = np.arange(len(again))
    assert np.array_equal(again[rows, (turned + 1) % 3], outwards[:, 1])


class Malice:
    def __init__(self, where: Path) -> None:
        self.where = where

    def __reduce__(self) -> Any:
        return Path.touch, (self.where,)


class Sneaky:
    def __reduce__(self) -> Any:
        return eval, ("1 + 1",)


def test_nothing_in_a_pickle_runs(tmp_path: Path) -> None:
    for index, evil in enumerate((Malice(tmp_path / "ran"), Sneaky())):
        path = tmp_path / f"{index}.pkl"
        content = tiny() | {"f": evil}
        path.write_bytes(pickle.dumps(content))
        with pytest.raises(InputError, match="has no f: give a model file"):
            read_smpl(path)
    assert not (tmp_path / "ran").exists()


def changed(name: str, value: Any) -> dict[str, Any]:
    return {**tiny(), name: value}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("weights", np.zeros((3, 24)), "for the 24, 52 or 55 joints"),
        ("weights", None, "has no weights"),
        ("v_template", np.full((12, 3), np.nan), "has no usable v_template"),
        ("v_template", np.array(["a"]), "has no usable v_template"),
        ("v_template", 100 * tiny()["v_template"], "does not stand upright along y in metres"),
        ("J_regressor", np.zeros((24, 5)), r"has a J_regressor of \(24, 5\)"),
        ("shapedirs", np.zeros((3, 3)), r"has a shapedirs of \(3, 3\)"),
        ("f", np.full((4, 3), 10**6), "faces that are no triangles"),
        ("kintree_table", np.full((2, 24), 23), "joints that come before their parents"),
    ],
)
def test_wrong_models(name: str, value: Any, sentence: str, tmp_path: Path) -> None:
    content = changed(name, value)
    if value is None:
        del content[name]
    np.savez(tmp_path / "body.npz", **content)
    with pytest.raises(InputError, match=sentence) as caught:
        read_smpl(tmp_path / "body.npz")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 broken", b"\x80\x04.", b"{}", b"cos\nsystem\n"])
def test_other_files(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "body.pkl"
    with pytest.raises(InputError, match="There is no body model"):
        read_smpl(path)
    path.write_bytes(data)
    with pytest.raises(InputError, match="give a model file of SMPL"):
        read_smpl(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_smpl(tmp_path)


def test_what_unpacks_to_too_much(model_file: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(smpl_file, "_MOST_UNPACKED", 100_000)
    with pytest.raises(InputError, match="too large when unpacked"):
        read_smpl(model_file)


def test_damaged_archives(model_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "body.npz"
    with np.load(model_file) as arrays:
        np.savez_compressed(path, **{name: arrays[name] for name in arrays.files})
    data = bytearray(path.read_bytes())
    data[60:120] = bytes(60)
    path.write_bytes(data)
    with pytest.raises(InputError, match="cannot be read"):
        read_smpl(path)


def test_programs_for_pytorch_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "mhr_model.pt"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("mhr_model/data.pkl", "mhr_model/constants.pkl", "mhr_model/code/x.py"):
            archive.writestr(name, b"")
    with pytest.raises(InputError, match="a program for PyTorch, as MHR's is"):
        read_smpl(path)
