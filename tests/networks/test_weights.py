"""The shipped networks: files, manifest, threads."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from vitruvian.compute import set_threads, thread_count
from vitruvian.compute.threads import THREADS_VARIABLE
from vitruvian.errors import InputError, WeightsError
from vitruvian.networks import session as sessions
from vitruvian.networks.session import (
    run,
    session,
    verify_weights,
    weights_directory,
    weights_manifest,
)

ONNX_TYPES = {"tensor(float)": "float32", "tensor(int32)": "int32", "tensor(uint8)": "uint8"}


@pytest.fixture
def copied_weights(tmp_path, monkeypatch):
    """A copy of the weights folder that a test may damage."""
    folder = tmp_path / "weights"
    shutil.copytree(weights_directory(), folder)
    monkeypatch.setattr(sessions, "weights_directory", lambda: folder)
    monkeypatch.setattr(sessions, "_sessions", {})
    weights_manifest.cache_clear()
    yield folder
    weights_manifest.cache_clear()


@pytest.fixture
def default_threads(monkeypatch):
    monkeypatch.delenv(THREADS_VARIABLE, raising=False)
    set_threads(None)
    yield
    set_threads(None)


def test_every_file_matches_its_checksum():
    assert {entry.name for entry in verify_weights()} == {
        "movenet_multipose",
        "blazepose_heavy",
        "nanodet",
        "depth",
        "maps",
        "measuring",
        "cues",
        "face_detection",
        "face_sex",
        "face_age",
        "faceres_deep",
        "face_mesh",
    }


def test_manifest_lists_every_file_and_an_open_licence():
    files = {path.name for path in weights_directory().glob("*.onnx")}
    assert files == {entry.file for entry in weights_manifest().values()}
    licences = {entry.licence for entry in weights_manifest().values()}
    assert licences == {"Apache-2.0", "CC0-1.0"}
    notice = (weights_directory() / "NOTICE").read_text()
    assert all(name in notice for name in files)
    assert "Apache License" in (weights_directory() / "LICENSE").read_text()


@pytest.mark.parametrize(
    "name",
    [
        *("movenet_multipose", "blazepose_heavy", "nanodet", "depth", "maps"),
        *("face_detection", "face_sex", "face_age", "faceres_deep"),
    ],
)
def test_manifest_describes_the_graph(name):
    entry, made = weights_manifest()[name], session(name)
    pairs = ((entry.inputs, made.get_inputs()), (entry.outputs, made.get_outputs()))
    for specs, tensors in pairs:
        assert [spec.name for spec in specs] == [tensor.name for tensor in tensors]
        for spec, tensor in zip(specs, tensors, strict=True):
            assert spec.dtype == ONNX_TYPES[tensor.type]
            shape = tuple(side if isinstance(side, int) else -1 for side in tensor.shape)
            assert spec.shape == shape


def test_a_missing_file_is_one_sentence(copied_weights):
    (copied_weights / "nanodet.onnx").unlink()
    with pytest.raises(WeightsError, match=r"nanodet\.onnx are missing: reinstall vitruvian\.$"):
        session("nanodet")


def test_a_truncated_file_is_one_sentence(copied_weights):
    path = copied_weights / "nanodet.onnx"
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(WeightsError, match="bytes instead of"):
        session("nanodet")


def test_an_altered_file_fails_its_checksum(copied_weights):
    path = copied_weights / "nanodet.onnx"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="do not match their checksum"):
        verify_weights()


def test_a_file_that_is_no_graph_is_one_sentence(copied_weights):
    path = copied_weights / "nanodet.onnx"
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(WeightsError, match="cannot be loaded"):
        session("nanodet")


def test_a_damaged_manifest_is_one_sentence(copied_weights):
    path = copied_weights / "manifest.json"
    rows = json.loads(path.read_text())
    del rows["networks"][0]["sha256"]
    path.write_text(json.dumps(rows))
    with pytest.raises(WeightsError, match="list of networks"):
        weights_manifest()


def test_a_session_is_made_once(default_threads):
    assert session("nanodet") is session("nanodet")


def test_another_thread_count_makes_a_new_session(default_threads):
    before = session("nanodet")
    set_threads(thread_count() + 1)
    after = session("nanodet")
    assert after is not before
    assert after.get_session_options().intra_op_num_threads == thread_count()


def test_threads_come_from_the_environment(default_threads, monkeypatch):
    monkeypatch.setenv(THREADS_VARIABLE, "3")
    assert thread_count() == 3
    set_threads(2)
    assert thread_count() == 2


@pytest.mark.parametrize("text", ["0", "two", "-1", "1.5"])
def test_a_bad_thread_count_names_the_variable(default_threads, monkeypatch, text):
    monkeypatch.setenv(THREADS_VARIABLE, text)
    with pytest.raises(InputError, match=THREADS_VARIABLE):
        thread_count()


def test_a_bad_thread_count_is_refused(default_threads):
    with pytest.raises(InputError, match="0 threads"):
        set_threads(0)


def test_outputs_come_in_the_order_asked():
    tensor = np.zeros((1, 3, 416, 416), np.float32)
    boxes, scores = run("nanodet", tensor, ("Identity_5:0", "Identity_2:0"))
    assert boxes.shape == (1, 169, 44)
    assert scores.shape == (1, 169, 80)
