"""What the pipeline would see of synthetic people: landmarks, mattes, fitted bodies, crops.

Networks that correct or complement the fit must be trained on its real mistakes. Here detection is
simulated (MoveNet's errors are noise on the true keypoints); everything after it is the pipeline's
own: BlazePose's passes, the matte, ``fit_body``.

``observe_sample`` does one ``Sample``. ``observe_dataset`` does the shards of a folder written by
``synthesis.shards``, one file ``observed-00000.npz`` for each shard ``synth-00000.tar``, in the
shard's order; files that exist stay, so that it can be stopped and run again as shards appear::

    python -m vitruvian.lab.training.observations SHARDS -o OBSERVED
"""

from __future__ import annotations

import argparse
import io
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np

from vitruvian.body.fit.fit import fit_body
from vitruvian.body.model.model import body_model
from vitruvian.body.model.skeleton import HEAD
from vitruvian.errors import InputError
from vitruvian.formats.atomic import write_bytes
from vitruvian.lab.synthesis.sample import Sample
from vitruvian.lab.synthesis.shards import SHARD_SAMPLES, decode
from vitruvian.people.crops import Crop
from vitruvian.people.detection import Detection
from vitruvian.people.landmarks import LandmarkEstimate, estimate_landmarks
from vitruvian.people.matte import LOGIT_THRESHOLD, CoarseMask, coarse_mask, mask_crop, refine
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha, Figure, Landmarks
from vitruvian.types.keypoints import COCO_LANDMARKS, CORE

CROP_PX = 224
_JPEG_QUALITY = 92
_LEAST_NEIGHBOUR = 0.004  # share of the picture from which on a neighbour is detected
_NOT_THE_SUBJECT = 0.12  # median landmark error / size beyond which somebody else was found


@dataclass(frozen=True)
class Observation:
    """One synthetic person as the pipeline sees them, and what is true of them.

    Pixels and cameras are those of ``Sample.image``. Camera frame as in OpenCV, metres, radians.

    Attributes:
        number: of the sample in its data set.
        points: (33, 2) float32 pixels; visibility, presence: (33,) float32 in 0..1; world: (33, 3)
            float32 metres: as in ``LandmarkEstimate``.
        disagreement: as in ``LandmarkEstimate``.
        crop_center: (2,), crop_up: (2,), crop_side: float: the crop of BlazePose's last pass.
        features: (2, F) float16: as in ``LandmarkEstimate``.
        crop_image: (CROP_PX, CROP_PX, 3) uint8, the picture in that crop (a JPEG once stored).
        alpha: (h, w) uint8 matte in the window whose left top is ``alpha_x``, ``alpha_y``.
        focal_px, principal_point: (2,): the camera that the fit was given, the true one in every
            other sample and ``Camera.assumed`` in the rest.
        betas: (10,) float32, pose: (J, 3) float32, translation: (3,) float32, height_m: the
            fitted body.
        ok: the landmarks are the subject's, not somebody else's or a muddle.
        true_betas: (K,), true_pose: (J, 3), true_translation: (3,), true_height_m,
            true_keypoints: (33, 2) pixels, true_keypoints_3d: (33, 3), true_visible: (33,) bool,
            true_joints: (J, 3): as in ``Sample``.
        true_covered: (33,) bool, keypoints in the frame at which something else is before the
            subject; true_covered_share: of the subject's silhouette.
        true_focal_px, true_principal_point: the camera that took the picture.
        true_up: (3,) the vertical in the camera frame.
        true_top: (2,) pixels, the crown of the head.
        size: side of the picture in pixels.
    """

    number: int
    points: np.ndarray
    visibility: np.ndarray
    presence: np.ndarray
    world: np.ndarray
    disagreement: float
    crop_center: np.ndarray
    crop_up: np.ndarray
    crop_side: float
    features: np.ndarray
    crop_image: np.ndarray
    alpha: np.ndarray
    alpha_x: int
    alpha_y: int
    focal_px: float
    principal_point: np.ndarray
    betas: np.ndarray
    pose: np.ndarray
    translation: np.ndarray
    height_m: float
    ok: bool
    true_betas: np.ndarray
    true_pose: np.ndarray
    true_translation: np.ndarray
    true_height_m: float
    true_keypoints: np.ndarray
    true_keypoints_3d: np.ndarray
    true_visible: np.ndarray
    true_covered: np.ndarray
    true_covered_share: float
    true_joints: np.ndarray
    true_focal_px: float
    true_principal_point: np.ndarray
    true_up: np.ndarray
    true_top: np.ndarray
    size: int

    @property
    def matte(self) -> Alpha:
        """The matte as a window of the picture."""
        return Alpha(self.alpha, self.alpha_x, self.alpha_y, self.size, self.size)

    @property
    def camera(self) -> Camera:
        """The camera that the fit was given."""
        x, y = (float(v) for v in self.principal_point)
        return Camera(self.focal_px, self.size, self.size, (x, y), "given")

    @property
    def crop(self) -> Crop:
        """BlazePose's last crop."""
        up = np.asarray(self.crop_up, np.float64)
        return Crop(np.asarray(self.crop_center, np.float64), up, self.crop_side)

    @property
    def landmarks(self) -> Landmarks:
        """The landmarks as the fit gets them."""
        return Landmarks(
            self.points.astype(np.float64),
            self.visibility.astype(np.float64),
            self.world.astype(np.float64),
            self.disagreement,
        )


def simulated_detection(sample: Sample, rng: np.random.Generator) -> Detection | None:
    """MoveNet's answer for the subject, simulated; None where nothing of them is in view.

    Keypoints in view are off by 1.2 % of the person, hidden ones by 4 %, and those beyond the
    frame are drawn to its edge, all with the scores that go with it.
    """
    box = _box(sample.alpha)
    if box is None:
        return None
    size = float(max(box[2] - box[0], box[3] - box[1]))
    box = np.clip(box + rng.normal(0, 0.015 * size, 4), 0, sample.size)
    points = sample.keypoints[COCO_LANDMARKS].astype(np.float64)
    seen = sample.keypoints_visible[COCO_LANDMARKS]
    points += rng.normal(0, size, (17, 2)) * np.where(seen, 0.012, 0.04)[:, None]
    points = np.clip(points, -0.03 * sample.size, 1.03 * sample.size)
    scores = np.where(seen, rng.uniform(0.4, 0.9, 17), rng.uniform(0.02, 0.4, 17))
    return Detection(box, float(rng.uniform(0.4, 0.9)), points, scores)


def _box(alpha: np.ndarray) -> np.ndarray | None:
    rows, columns = np.flatnonzero((alpha > 127).any(1)), np.flatnonzero((alpha > 127).any(0))
    if not len(rows):
        return None
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)


def _neighbours(sample: Sample) -> list[Detection]:
    """The others, as far as they are large enough to be detected: boxes only."""
    out = []
    for alpha in sample.people_alpha[1:]:
        box = _box(alpha)
        if box is not None and (alpha > 127).mean() >= _LEAST_NEIGHBOUR:
            out.append(Detection(box, 0.6, np.zeros((17, 2)), np.zeros(17)))
    return out


def _shared(mask: CoarseMask, sample: Sample, rng: np.random.Generator) -> CoarseMask:
    """The mask without most of what ``share_out`` would give to the neighbours.

    Their own claims would need their landmarks; the truth, with a ragged edge, stands in.
    """
    others = sample.people_alpha[1:]
    if not len(others) or rng.random() < 0.15:
        return mask
    claimed = others.max(0).astype(np.float32) / 255
    claimed = cv2.GaussianBlur(claimed, (0, 0), float(rng.uniform(0.5, 3)))
    x0, y0, x1, y1 = mask.window
    h, w = mask.logits.shape
    theirs = cv2.resize(claimed[y0:y1, x0:x1], (w, h)) > rng.uniform(0.3, 0.8)
    logits = np.where(theirs, np.minimum(mask.logits, -1), mask.logits).astype(np.float32)
    return CoarseMask(logits, mask.window, mask.scale, mask.size)


def _mask_of_landmarks(image: np.ndarray, estimate: LandmarkEstimate) -> CoarseMask | None:
    """The mask that came with the landmarks where there is one: saves ``coarse_mask`` a pass."""
    if estimate.mask is None or estimate.alone:
        return coarse_mask(image, estimate)
    tight = mask_crop(estimate)
    height, width = image.shape[:2]
    reach = tight.side * np.abs(tight.rotation).sum(axis=1) / 2
    x0, y0 = np.clip(np.floor(tight.center - reach), 0, [width, height]).astype(int)
    x1, y1 = np.clip(np.ceil(tight.center + reach), 0, [width, height]).astype(int)
    if x1 - x0 < 2 or y1 - y0 < 2 or estimate.mask.max() < LOGIT_THRESHOLD:
        return None
    window = (int(x0), int(y0), int(x1), int(y1))
    logits = estimate.crop.paste(np.clip(estimate.mask, -12, 12), window, 1.0, -12.0)
    return CoarseMask(logits - np.float32(LOGIT_THRESHOLD), window, 1.0, tight.side)


def observe_sample(sample: Sample, number: int, rng: np.random.Generator) -> Observation | None:
    """Run the pipeline's stages on one sample.

    Args:
        sample: the picture and its truth.
        number: kept in the result; odd ones are fitted with the true camera.
        rng: random numbers of the simulated detection.

    Returns:
        None where the pipeline would find nobody.
    """
    person = simulated_detection(sample, rng)
    if person is None:
        return None
    # The simulated detection is a good one: where the frame does not cut the person, the first
    # crop is nearly that which the passes would end with, and the passes are saved for most.
    cut = ((sample.keypoints < 0) | (sample.keypoints > sample.size)).any()
    estimate = estimate_landmarks(
        sample.image,
        person,
        _neighbours(sample),
        follow=bool(cut or number % 4 == 0),
        retry=False,
    )
    mask = _mask_of_landmarks(sample.image, estimate)
    if mask is None:
        return None
    x0, y0 = mask.window[:2]
    values = refine(sample.image, _shared(mask, sample, rng))
    alpha = Alpha(values, x0, y0, sample.size, sample.size)
    camera = sample.camera if number % 2 else Camera.assumed(sample.size, sample.size)
    landmarks = Landmarks(
        estimate.points, estimate.visibility, estimate.world, estimate.disagreement
    )
    figure = Figure(person.box, person.score, landmarks, alpha, True, 1.0)
    body = fit_body(body_model(), figure, camera)
    return _observation(sample, number, estimate, alpha, camera, body)


def _observation(
    sample: Sample,
    number: int,
    estimate: LandmarkEstimate,
    alpha: Alpha,
    camera: Camera,
    body: Body,
) -> Observation:
    single = np.float32
    visible = sample.keypoints_visible[CORE]
    error = np.linalg.norm(estimate.points - sample.keypoints, axis=1)[CORE]
    size = max(float(np.ptp(sample.keypoints, axis=0).max()), 1.0)
    counted = error[visible] if visible.sum() >= 3 else error
    mesh = body_model().forward(sample.betas, sample.pose, sample.translation)
    head = body_model().joint_index[HEAD]
    column, row = np.floor(sample.keypoints).astype(int).T
    inside = (column >= 0) & (row >= 0) & (column < sample.size) & (row < sample.size)
    column, row = np.clip(column, 0, sample.size - 1), np.clip(row, 0, sample.size - 1)
    covered = (sample.silhouette > 127) & (sample.instances != 1)
    above = mesh.rotations[head] @ np.array([0, 0.19 * sample.height_m / 1.7, 0])
    return Observation(
        number=number,
        points=estimate.points.astype(single),
        visibility=estimate.visibility.astype(single),
        presence=estimate.presence.astype(single),
        world=estimate.world.astype(single),
        disagreement=float(estimate.disagreement),
        crop_center=np.asarray(estimate.crop.center, single),
        crop_up=np.asarray(estimate.crop.up, single),
        crop_side=float(estimate.crop.side),
        features=np.asarray(estimate.features, np.float16),
        crop_image=estimate.crop.extract(sample.image, CROP_PX),
        alpha=alpha.values,
        alpha_x=alpha.x,
        alpha_y=alpha.y,
        focal_px=float(camera.focal_px),
        principal_point=np.array(camera.principal_point, single),
        betas=body.betas.astype(single),
        pose=body.pose.astype(single),
        translation=body.translation.astype(single),
        height_m=float(body.height_m),
        ok=bool(np.median(counted) < _NOT_THE_SUBJECT * size),
        true_betas=sample.betas.astype(single),
        true_pose=sample.pose.astype(single),
        true_translation=sample.translation.astype(single),
        true_height_m=float(sample.height_m),
        true_keypoints=sample.keypoints.astype(single),
        true_keypoints_3d=sample.keypoints_3d.astype(single),
        true_visible=sample.keypoints_visible,
        true_covered=covered[row, column] & inside,
        true_covered_share=float(covered.sum() / max((sample.silhouette > 127).sum(), 1)),
        true_joints=sample.joints_3d.astype(single),
        true_focal_px=float(sample.focal_px),
        true_principal_point=np.array(sample.principal_point, single),
        true_up=sample.camera_from_world[:3, 1].astype(single),
        true_top=sample.camera.project(mesh.joints[head] + above).astype(single),
        size=sample.size,
    )


def write_observations(path: Path, observations: list[Observation]) -> None:
    """Write ``observed-*.npz``: every field of ``Observation`` stacked over the N people, float32.

    Two are ragged, and stored as encoded pictures one after the other: ``crop_image`` (JPEG) and
    ``alpha`` (PNG), each a (bytes,) uint8 with ``crop_image_ends`` and ``alpha_ends`` (N,) int64.
    """
    arrays: dict[str, np.ndarray] = {}
    for field in fields(Observation):
        values = [getattr(one, field.name) for one in observations]
        if field.name == "crop_image":
            flags = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
            coded = [cv2.imencode(".jpg", v[..., ::-1], flags)[1].ravel() for v in values]
        elif field.name == "alpha":
            coded = [cv2.imencode(".png", v)[1].ravel() for v in values]
        else:
            arrays[field.name] = np.array(values)
            continue
        arrays[field.name] = np.concatenate(coded) if coded else np.zeros(0, np.uint8)
        arrays[f"{field.name}_ends"] = np.cumsum([len(c) for c in coded]).astype(np.int64)
    archive = io.BytesIO()
    np.savez(archive, **arrays)  # type: ignore[arg-type]
    write_bytes(path, archive.getvalue())


def read_observations(path: Path) -> list[Observation]:
    """The people of one file that ``write_observations`` wrote; ``InputError`` if damaged."""
    with np.load(path) as archive:
        data = {name: archive[name] for name in archive.files}
    out = []
    for k in range(len(data["number"])):
        values: dict[str, object] = {}
        for field in fields(Observation):
            if field.name in ("crop_image", "alpha"):
                ends = data[f"{field.name}_ends"]
                coded = data[field.name][(ends[k - 1] if k else 0) : ends[k]]
                flag = cv2.IMREAD_COLOR if field.name == "crop_image" else cv2.IMREAD_GRAYSCALE
                picture = cv2.imdecode(coded, flag)
                if picture is None:
                    raise InputError(f"{path} is damaged: delete it and observe its shard again.")
                if field.name == "crop_image":
                    picture = np.ascontiguousarray(picture[..., ::-1])
                values[field.name] = picture
            elif field.type in ("float", "int", "bool"):
                values[field.name] = data[field.name][k].item()
            else:
                values[field.name] = data[field.name][k]
        out.append(Observation(**values))  # type: ignore[arg-type]
    return out


def observe_shard(shard: Path, path: Path) -> int:
    """Observe the samples of one shard into ``path``; returns how many people were found."""
    found = []
    first = int(shard.stem.rsplit("-", 1)[1]) * SHARD_SAMPLES
    with tarfile.open(shard) as archive:
        entries = [e for e in archive if "mesh" not in e.name]
        for number, entry in enumerate(entries, first):
            file = archive.extractfile(entry)
            if file is None:
                continue
            rng = np.random.default_rng([7, number])
            one = observe_sample(decode(file.read()), number, rng)
            if one is not None:
                found.append(one)
    write_observations(path, found)
    return len(found)


def observe_dataset(folder: Path, out: Path) -> Iterator[tuple[Path, int]]:
    """Observe what is missing of a data set, yielding each file and its number of people.

    Raises ``InputError`` where the folder holds no shards.
    """
    shards = sorted(folder.glob("synth-*.tar"))
    if not shards:
        raise InputError(f"There are no shards in {folder}: write them with vitruvian synth.")
    for shard in shards:
        path = out / f"observed-{shard.stem.rsplit('-', 1)[1]}.npz"
        if not path.exists():
            yield path, observe_shard(shard, path)


def main() -> None:
    """Observe a folder of shards, and go on as further ones are written."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--wait", type=float, default=0, help="minutes to wait for more shards")
    options = parser.parse_args()
    waited = time.monotonic()
    while True:
        for path, count in observe_dataset(options.folder, options.out):
            print(f"{path.name}: {count} people", flush=True)
            waited = time.monotonic()
        if time.monotonic() - waited > 60 * options.wait:
            return
        time.sleep(10)


if __name__ == "__main__":
    main()
