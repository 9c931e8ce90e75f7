"""Work that was stopped goes on, with the same result to the bit."""

from __future__ import annotations

import numpy as np
import pytest

import vitruvian
from vitruvian.commands.cli import INTERRUPTED, main
from vitruvian.errors import InputError
from vitruvian.video import observed, run
from vitruvian.video.unfinished import Unfinished


class Stopped(BaseException):
    """As Ctrl-C, or the end of the machine."""


def keep(folder, clip, how, value=5):
    """Keep a part, and end as ``how`` says."""
    with Unfinished(folder) as unfinished:
        unfinished.parts([clip], 1).put("a", value)
        raise how


def reconstruct(clip, folder, tell, **options):
    with Unfinished(folder) as unfinished:
        return vitruvian.reconstruct_video(clip, progress=tell, unfinished=unfinished, **options)


def same_to_the_bit(scene, other):
    (one,), (two,) = scene.people, other.people
    for name in ("pose", "translation", "betas"):
        np.testing.assert_array_equal(getattr(one.motion, name), getattr(two.motion, name))
    np.testing.assert_array_equal(one.avatar.mesh.vertices, two.avatar.mesh.vertices)
    np.testing.assert_array_equal(one.avatar.mesh.texture, two.avatar.mesh.texture)


@pytest.fixture(scope="module")
def in_spans(carried_clip):
    """The clip in spans of two frames, each looked at by itself, without a break."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(observed, "span_seconds", lambda clip: 0.2)
        yield vitruvian.reconstruct_video(carried_clip)


def test_frames_that_were_looked_at_are_not_looked_at_again(carried_clip, in_spans, tmp_path):
    folder = tmp_path / "unfinished"

    def stop(stage, done, total):
        if (stage, done) == ("people", 5):
            raise Stopped

    with pytest.raises(Stopped):
        reconstruct(carried_clip, folder, stop)
    assert len(list(folder.glob("*/people-0-*.part"))) == 2
    told = []
    scene = reconstruct(carried_clip, folder, lambda *what: told.append(what))
    assert [done for stage, done, _ in told if stage == "people"] == [5, 6]
    assert not folder.exists()  # what is finished is not kept
    same_to_the_bit(scene, in_spans)


def test_several_processes_find_the_same(carried_clip, in_spans, tmp_path):
    """One is stopped and goes on with two."""
    told = []

    def stop(stage, done, total):
        told.append((stage, done, total))
        if (stage, done) == ("people", 3):
            raise Stopped

    folder = tmp_path / "unfinished"
    with pytest.raises(Stopped):
        reconstruct(carried_clip, folder, stop)
    scene = reconstruct(carried_clip, folder, lambda *what: told.append(what), workers=2)
    assert told[-1][0] == "avatars"
    assert ("people", 6, 6) in told
    same_to_the_bit(scene, in_spans)


@pytest.fixture
def file(tmp_path):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"one")
    return clip


def test_parts_are_those_of_one_file_and_its_options(file, tmp_path):
    with pytest.raises(Stopped):
        keep(tmp_path / "kept", file, Stopped)
    unfinished = Unfinished(tmp_path / "kept")
    assert unfinished.parts([file], 1).made("a", lambda: 6) == 5
    assert unfinished.parts([file], 2).get("a") is None
    file.write_bytes(b"another")
    assert unfinished.parts([file], 1).get("a") is None


def test_damaged_parts_are_made_again(file, tmp_path):
    with pytest.raises(Stopped):
        keep(tmp_path / "kept", file, Stopped)
    (part,) = (tmp_path / "kept").glob("*/a.part")
    part.write_bytes(part.read_bytes()[:-3])
    assert Unfinished(tmp_path / "kept").parts([file], 1).made("a", lambda: 6) == 6


def test_a_sentence_for_the_user_keeps_nothing(file, tmp_path):
    with pytest.raises(InputError):
        keep(tmp_path / "kept", file, InputError("Nobody was found."))
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    ("kept", "sentence"), [(True, "goes on from here"), (False, "begins anew")]
)
def test_ctrl_c_says_what_the_same_command_does(
    kept, sentence, file, tmp_path, monkeypatch, capsys
):
    def stopped(clips, *, unfinished, **_):
        parts = unfinished.parts([file], 1)
        if kept:
            parts.put("a", 5)
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "reconstruct_video", stopped)
    assert main(["video", str(file), "-o", str(tmp_path / "out")]) == INTERRUPTED
    assert sentence in " ".join(capsys.readouterr().err.split())
