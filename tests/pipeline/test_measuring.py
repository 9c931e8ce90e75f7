"""Two pictures to measures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vitruvian
from measured_people import SIZE, silhouette, usual_pair
from vitruvian.anthropometry.measured import DISAGREE
from vitruvian.anthropometry.tape import measures_of
from vitruvian.body.model.model import body_model
from vitruvian.commands.cli import main
from vitruvian.errors import InputError
from vitruvian.pipeline.measuring import bare_silhouette
from vitruvian.types.camera import Camera
from vitruvian.types.photo import Photo


@pytest.fixture(scope="module")
def woman():
    """Shape, measures in centimetres, front and side."""
    model = body_model()
    betas = model.shape_prior("women").mean
    taken = measures_of(model, *model.rest(betas))
    size = {name: 100 * one.metres for name, one in taken.items()}
    return size, silhouette(betas, 0), silhouette(betas, 90)


def in_color(mask: np.ndarray) -> np.ndarray:
    return np.repeat(mask[..., None], 3, 2)


def test_a_body_s_silhouettes_give_its_measures(woman):
    size, front, side = woman
    measured = vitruvian.measure(
        in_color(front), in_color(side), height_cm=size["stature"], sex="woman"
    )
    assert measured.warnings == ()
    assert measured["stature"].cm == pytest.approx(size["stature"])
    off = {name: abs(measured[name].cm - size[name]) for name in size}
    assert np.mean(list(off.values())) < 1.2, off
    held = [measured[name].low_cm <= size[name] <= measured[name].high_cm for name in size]
    assert np.mean(held) > 0.75
    # The body has the measures that are told.
    for name in ("waist", "hip", "inside_leg", "stature"):
        assert 100 * measured.taken[name].metres == pytest.approx(measured[name].cm, abs=0.8)
    assert measured.mesh.vertices[:, 1].min() == pytest.approx(0, abs=0.002)


def test_weight_narrows_the_bands(woman):
    _, front, side = woman
    pictures = in_color(front), in_color(side)
    plain = vitruvian.measure(*pictures, height_cm=165)
    told = vitruvian.measure(*pictures, height_cm=165, weight_kg=65, sex="woman", age=35)

    def band(measured):
        return np.mean([one.high_cm - one.low_cm for one in measured.values])

    assert band(told) < band(plain)


def test_clothes_and_further_captures_narrow_the_bands(woman):
    _, front, side = woman
    pictures = in_color(front), in_color(side)
    again = in_color(np.roll(front, 5, 1)), in_color(side)
    told = {"height_cm": 165, "sex": "woman"}
    plain = vitruvian.measure(*pictures, **told)
    dressed = vitruvian.measure(*pictures, **told, clothes="ordinary")
    bare = vitruvian.measure(*pictures, **told, clothes="underwear")
    # The same outline holds less of a body under more cloth.
    assert dressed["waist"].cm < bare["waist"].cm - 1
    twice = vitruvian.measure([pictures[0], again[0]], [pictures[1], again[1]], **told)
    assert twice.views.shape[0] == 2

    def band(one):
        return one["waist"].high_cm - one["waist"].low_cm

    assert band(twice) < band(plain)
    assert twice["waist"].cm == pytest.approx(plain["waist"].cm, abs=1.0)
    with pytest.raises(InputError, match="2 front and 1 side views: give one of each"):
        vitruvian.measure([pictures[0]] * 2, pictures[1], **told)


def test_front_and_side_of_two_people_are_noticed(woman):
    _, front, side = woman
    mans = [np.pad(one, 60) for one in usual_pair("men")]
    told = {"height_cm": 170}
    own = vitruvian.measure(in_color(front), in_color(side), **told)
    mixed = vitruvian.measure(in_color(front), in_color(mans[1]), **told)
    assert own.warnings == ()
    assert mixed.warnings == (DISAGREE,)
    assert vitruvian.measure(*map(in_color, mans), **told).warnings == ()

    def band(one):
        return np.mean([np.log(value.high_cm / value.low_cm) for value in one.values])

    assert band(mixed) > 1.3 * band(own)


def test_children_are_measured_by_their_age():
    model = body_model()
    betas = model.shape_prior("schoolchildren").mean
    taken = measures_of(model, *model.rest(betas))
    size = {name: 100 * one.metres for name, one in taken.items()}
    pictures = [in_color(silhouette(betas, yaw)) for yaw in (0, 90)]
    measured = vitruvian.measure(*pictures, height_cm=size["stature"], age=9)
    off = {name: abs(measured[name].cm - size[name]) for name in size}
    assert np.mean(list(off.values())) < 1.2, off
    held = [measured[name].low_cm <= size[name] <= measured[name].high_cm for name in size]
    assert np.mean(held) > 0.75
    for name in ("waist", "hip", "inside_leg", "stature"):
        assert 100 * measured.taken[name].metres == pytest.approx(measured[name].cm, abs=1.0)
    with pytest.raises(InputError, match="is a child's: give the age"):
        vitruvian.measure(*pictures, height_cm=120)


def test_the_command_writes_tables_body_and_pictures(woman, tmp_path: Path, capsys):
    _, front, side = woman
    for name, mask in (("front", front), ("side", side)):
        Image.fromarray(255 - mask).save(tmp_path / f"{name}.png")
    out = tmp_path / "out"
    arguments = ["measure", "--front", str(tmp_path / "front.png"), "--side"]
    arguments += [str(tmp_path / "side.png"), "--height", "5'5\"", "--weight", "140lb"]
    assert main([*arguments, "-o", str(out), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert main([*arguments, "-o", str(tmp_path / "again"), "--sex", "woman"]) == 0
    *_, tops, trousers, jeans = capsys.readouterr().out.splitlines()
    assert (tops[:8], trousers[:8], jeans[:12]) == ("Tops and", "Trousers", "Jeans, women")
    assert printed == json.loads((out / "measures.json").read_text())
    assert printed["subject"]["height_cm"] == pytest.approx(165.1)
    assert len((out / "measures.csv").read_text().splitlines()) == 1 + len(printed["measures"])
    for name in ("body.obj", "body.glb", "tape.png", "silhouettes.png", "measures.pdf"):
        assert (out / name).stat().st_size > 1000
    with Image.open(out / "tape.png") as sheet:
        pixels = np.asarray(sheet.convert("RGB")).astype(int)
    assert (np.ptp(pixels, axis=2) > 60).sum() > 500  # coloured lines


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda f, s: (f[:560], s), "feet are cut off in the front view"),
        (lambda f, s: (f, s[80:]), "head is cut off in the side view"),
        (lambda f, s: (f, f), "side view looks like a front view"),
        (lambda f, s: (s, s), "front view looks like a side view"),
    ],
)
def test_pairs_that_cannot_be_measured_are_refused(woman, change, sentence):
    _, front, side = woman
    pictures = change(front, side)
    with pytest.raises(InputError, match=sentence):
        vitruvian.measure(*(in_color(one) for one in pictures), height_cm=165)


def test_a_refusal_says_which_pair_it_is_about(woman):
    front, side = (in_color(one) for one in woman[1:])
    with pytest.raises(InputError, match=r"^Pair 2: The side view looks like a front"):
        vitruvian.measure([front, front], [side, front], height_cm=165)


def test_a_photograph_of_nobody_is_refused():
    noise = np.random.default_rng(0).integers(0, 255, (320, 320, 3), dtype=np.uint8)
    with pytest.raises(InputError, match="Nobody was found in the front view") as refused:
        vitruvian.measure(noise, noise, height_cm=165)
    assert refused.value.code == "nobody-found"


def test_the_wrong_units_cost_one_sentence(tmp_path: Path, capsys):
    arguments = ["measure", "--front", "f.png", "--side", "s.png", "-o", str(tmp_path / "out")]
    assert main([*arguments, "--height", "17.2"]) == 2
    said = capsys.readouterr().err.strip()
    assert said.count("\n") == 0
    assert "17.2 cm" in said
    assert not (tmp_path / "out").exists()


def test_silhouettes_are_told_from_photographs(woman):
    _, front, _ = woman
    camera = Camera.assumed(SIZE, SIZE)

    def photo(pixels, alpha=None):
        return Photo(pixels, "p", None, camera, alpha, (SIZE, SIZE))

    white = bare_silhouette(photo(in_color(front)))
    black = bare_silhouette(photo(in_color(255 - front)))
    np.testing.assert_array_equal(white, front)
    np.testing.assert_array_equal(black, front)
    cut_out = bare_silhouette(photo(np.full((SIZE, SIZE, 3), 90, np.uint8), front))
    np.testing.assert_array_equal(cut_out, front)
    assert bare_silhouette(photo(np.full((SIZE, SIZE, 3), 90, np.uint8))) is None
    assert bare_silhouette(photo(np.zeros((SIZE, SIZE, 3), np.uint8))) is None
