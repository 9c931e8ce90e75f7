"""The recipe depth: crops of groups keep their geometry, losses fall, the graph is what runs."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra train is not installed")

from vitruvian.errors import InputError
from vitruvian.lab.synthesis.cameras import look
from vitruvian.lab.synthesis.groups import MOST_PEOPLE, GroupSample
from vitruvian.lab.synthesis.shards import encode
from vitruvian.lab.training.depth import DepthNetwork, DepthRecipe, person_depths
from vitruvian.lab.training.depth_data import (
    CANVASES,
    SIDE,
    STRIDE,
    FeatureSource,
    GroupSource,
    central_crop,
    cropped,
    mirrored,
    random_crop,
    stand_of,
)
from vitruvian.lab.training.export import compare, stored_in_half
from vitruvian.lab.training.recipe import DataOptions, Step
from vitruvian.networks.depth import CELL, DepthNet
from vitruvian.networks.depth import SIDE as RUNTIME_SIDE
from vitruvian.types.camera import Camera

pytestmark = pytest.mark.train

EYE = 1.6


def group(pitch: float, roll: float, *, seed: int = 0, wide: bool = True) -> GroupSample:
    """A ground to the horizon, and boards two metres and five metres away in place of people."""
    width, height = (240, 160) if wide else (160, 240)
    camera = Camera(260.0, width, height, (width / 2 + 8, height / 2 - 5), "given")
    matrix = np.eye(4)
    matrix[:3, :3] = look(0.0, pitch, roll)
    matrix[:3, 3] = -matrix[:3, :3] @ [0, EYE, 0]
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    rays = camera.rays(np.stack([columns, rows], -1))
    falling = rays @ matrix[:3, 1]
    with np.errstate(divide="ignore"):
        depth = np.where(falling < -1e-3, -EYE / falling, np.inf)
    instances = np.zeros((height, width), np.uint8)
    for number, (x, z) in enumerate(((60, 2.0), (110, 5.0)), 1):
        instances[40:110, x : x + 30] = number
        depth[instances == number] = z
    rng = np.random.default_rng(seed)
    image = (60 * np.log1p(np.where(np.isfinite(depth), depth, 30))).astype(np.uint8)[..., None]
    image = np.clip(image + rng.integers(0, 40, (height, width, 3)), 0, 255).astype(np.uint8)
    return GroupSample(
        image=image,
        log_depth=np.log(depth).astype(np.float16),
        instances=instances,
        roots=np.array([[0, 0, 2.05], [0, 0, 5.05]], np.float32),
        statures=np.array([1.7, 1.2], np.float32),
        sitting=np.zeros(2, bool),
        boxes=np.zeros((2, 4), np.float32),
        visible=np.ones(2, np.float32),
        inside=np.ones(2, np.float32),
        keypoints=np.zeros((2, 33, 2), np.float32),
        keypoints_visible=np.zeros((2, 33), bool),
        betas=np.zeros((2, 4), np.float32),
        poses=np.zeros((2, 5, 3), np.float32),
        focal_px=camera.focal_px,
        principal_point=camera.principal_point,
        camera_from_world=matrix.astype(np.float32),
    )


def test_runtime_and_training_agree_on_the_grid() -> None:
    assert (RUNTIME_SIDE, CELL) == (SIDE, STRIDE)


@pytest.mark.parametrize("window", [(0, 0, 240, 160), (30, 12, 150, 102)])
@pytest.mark.parametrize("mirror", [False, True])
def test_crops_keep_rays_depth_and_stand_together(
    window: tuple[int, int, int, int], mirror: bool
) -> None:
    source = group(12, 4)
    example = cropped(source, window, (192, 256) if window[0] else (160, 240))
    if mirror:
        example = mirrored(example)
    row, slope, log_height = example.stand
    ground = np.isfinite(example.target) & (example.instances == 0)
    # A ray is (x, y) / f; depth per focal length times offset from the horizon is the height.
    x, y = example.rays[ground].T
    below = y - row - slope * x
    clear = below > 0.1  # 25 pixels, of which one is lost to sampling
    assert clear.sum() > 500
    height = (below * np.exp(example.target[ground]))[clear] * -source.camera_from_world[1, 1]
    assert np.allclose(height, np.exp(log_height), rtol=0.06)
    assert np.median(height) == pytest.approx(EYE, rel=0.02)
    assert np.exp(log_height) == pytest.approx(EYE, rel=1e-4)


def test_what_is_learnt_does_not_depend_on_the_lens() -> None:
    source = group(8, 0)
    # A lens of twice the length, twice as far away, takes the same picture of things far apart.
    longer = replace(
        source, focal_px=2 * source.focal_px, log_depth=source.log_depth + np.float16(np.log(2))
    )
    a, b = (central_crop(g, CANVASES[0]).target for g in (source, longer))
    assert np.allclose(a, b, atol=0.003, equal_nan=True)


def test_random_crops_fill_their_canvas() -> None:
    rng = np.random.default_rng(0)
    for canvas in CANVASES:
        example = random_crop(rng, group(5, 0), canvas)
        assert example.image.shape == (*canvas, 3)
        assert example.target.shape == (canvas[0] // STRIDE, canvas[1] // STRIDE)
        assert example.roots.shape == (MOST_PEOPLE,)


def test_people_are_averaged_over_their_own_pixels() -> None:
    example = central_crop(group(5, 0), CANVASES[0])
    target = torch.from_numpy(example.target)[None]
    instances = torch.from_numpy(example.instances)[None]
    found, true, known = person_depths(target.nan_to_num(0) + 0.1, target, instances)
    assert known[0].tolist() == [True, True] + [False] * 6
    assert torch.allclose(found[0, :2], true[0, :2] + 0.1, atol=1e-5)
    assert true[0, 1] - true[0, 0] == pytest.approx(np.log(2.5), abs=0.01)


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    for shard in range(3):
        with tarfile.open(tmp_path / f"groups-{shard:05d}.tar", "w") as archive:
            for number in range(2):
                made = group(6 + 4 * shard, number, seed=number, wide=number == 0)
                content = encode(made)
                entry = tarfile.TarInfo(f"{2 * shard + number:08d}.npz")
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return tmp_path


def test_sources_can_be_entered_anywhere(shards: Path) -> None:
    source = GroupSource(DataOptions(shards=shards))
    stream = source.batches(0, 2)
    next(stream)
    second = next(stream)
    again = next(GroupSource(DataOptions(shards=shards)).batches(2, 2))
    assert all(torch.equal(second[name].nan_to_num(0), again[name].nan_to_num(0)) for name in again)
    held = list(source.validation(4))
    assert sum(len(batch["image"]) for batch in held) == 2
    with pytest.raises(InputError, match="wants at least two shards of groups"):
        GroupSource(DataOptions(shards=shards / "nothing"))


def test_seeds_kept_for_testing_are_refused(shards: Path) -> None:
    (shards / "dataset.json").write_text('{"seed": 1000000007}')
    with pytest.raises(InputError, match="kept for testing"):
        GroupSource(DataOptions(shards=shards))


def test_training_on_kept_features_lowers_the_loss(shards: Path) -> None:
    torch.manual_seed(0)
    recipe = DepthRecipe()
    model = recipe.build(pretrained=False)
    assert isinstance(model, DepthNetwork)
    model.eval()
    with torch.no_grad():
        source = FeatureSource(
            DataOptions(shards=shards), lambda image: model.features(image.permute(0, 3, 1, 2))
        )
    batch = next(source.batches(0, 4))
    assert batch["feature0"].dtype == torch.float16
    assert "image" not in batch
    parameters = [p for _, group in recipe.groups(model) for p in group]
    optimizer = torch.optim.Adam(parameters, 3e-3)
    totals = []
    for k in range(12):
        model.train()
        losses = recipe.loss(model, batch, Step(k, 0.0, torch.Generator().manual_seed(k)))
        optimizer.zero_grad()
        losses["total"].backward()
        optimizer.step()
        totals.append(float(losses["total"].detach()))
    assert np.mean(totals[-3:]) < 0.8 * np.mean(totals[:3])
    assert all(not p.requires_grad for p in model.encoder.stem.parameters())


def test_pictures_and_kept_features_give_the_same(shards: Path) -> None:
    model = DepthRecipe().build(pretrained=False).eval()
    assert isinstance(model, DepthNetwork)
    batch = next(iter(GroupSource(DataOptions(shards=shards)).validation(1)))
    rays = batch["rays"].permute(0, 3, 1, 2)
    image = batch["image"].permute(0, 3, 1, 2)
    with torch.no_grad():
        straight = model(image, rays)
        kept = model.decode(model.features(image), rays)
    assert all(torch.allclose(a, b) for a, b in zip(straight, kept, strict=True))


def test_graph_runs_on_any_shape_as_torch_does() -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx", reason="exporting needs the package onnx")
    from vitruvian.lab.training.export import _traced

    torch.manual_seed(1)
    recipe = DepthRecipe()
    model = recipe.build(pretrained=False).eval()
    graph = recipe.graph(model)
    content = stored_in_half(_traced(graph))
    assert compare(graph, content) < graph.tolerance
    session = onnxruntime.InferenceSession(content)
    camera = Camera.centered(700, 480, 640)
    feed, scale = DepthNet.preprocess(np.full((640, 480, 3), 90, np.uint8), camera)
    depth, stand = session.run(["depth", "stand"], feed)
    found = DepthNet.postprocess(depth, stand, (640, 480), scale, camera)
    assert found.log_depth.shape == (64, 48)
    assert np.linalg.norm(found.up) == pytest.approx(1)
    with torch.no_grad():
        mine = model(
            torch.from_numpy(feed["image"]).permute(0, 3, 1, 2),
            torch.from_numpy(feed["rays"]).permute(0, 3, 1, 2),
        )
    assert np.allclose(mine[1].numpy(), stand, atol=0.02)


def test_stand_of_a_level_camera() -> None:
    matrix = np.eye(4)
    matrix[:3, :3] = look(0, 0, 0)
    matrix[:3, 3] = -matrix[:3, :3] @ [0, 2.0, 0]
    assert np.allclose(stand_of(matrix, 300), [0, 0, np.log(2)], atol=1e-6)
