"""Turn a synthetic sample into a training example of the maps network: crop, inputs, targets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from vitruvian.body.model.model import body_model
from vitruvian.geometry.normals import vertex_normals
from vitruvian.lab.synthesis.sample import DEPTH_UNIT, NO_DEPTH, Sample
from vitruvian.lab.training.observations import Observation
from vitruvian.networks.maps import GREY, BodyMaps, MapsCrop, draw_body, person_crop
from vitruvian.types.camera import Camera

# Distortion of the truth where nobody looked through the pipeline's eyes.
_BETA_SD, _POSE_SD, _PLACE_SD = 0.5, 0.08, 0.02


@dataclass(frozen=True)
class MapsExample:
    """Makes examples of one size; see :func:`__call__`. Survives pickling.

    Attributes:
        size: side of the crop, a multiple of 32.
        zoomed: share of the crops that show some part of the person, larger.
        zoom: least and greatest side of such a crop, as a share of the person's square.
    """

    size: int = 256
    zoomed: float = 0.5
    zoom: tuple[float, float] = (0.25, 0.85)

    def __call__(
        self, sample: Sample, observed: Observation | None, rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        """One example: arrays (C, S, S), and ``gain`` (3,).

        ``image``, ``front_albedo``, ``back_albedo`` uint8 sRGB; ``front_normals``,
        ``back_normals`` int8 times 127, 0 beside the person; ``depth`` float16 of front and back
        from the root in units of the stature; ``body_normals`` int8 (front, then back),
        ``body_depth`` float16, ``covered`` uint8 0 or 1: the fitted body; ``mask`` uint8 the matte;
        ``alpha``, ``whole``, ``others`` uint8; ``behind``, ``inside`` uint8 0 or 1; ``parts`` uint8
        of ``PART_LABELS``. ``gain``: linear light per linear albedo, of the picture.
        """
        if observed is not None and not observed.ok:
            observed = None  # somebody else was found: no lesson in that
        vertices, camera, root, stature = fitted_body(sample, observed, rng)
        mask = pipeline_mask(sample, observed, rng)
        crop = self._crop(sample, vertices, camera, mask, rng)
        body = drawn(vertices, crop.camera(camera), root, stature)
        depths = np.stack([sample.front_depth, sample.back_depth], 2)
        taken = crop.extract(depths, int(NO_DEPTH), nearest=True).astype(np.float32)
        relative = np.where(
            taken == NO_DEPTH, 0, np.clip(taken * DEPTH_UNIT / sample.height_m, -1, 1)
        )
        others = sample.people_alpha[1:]
        nobody = np.zeros_like(sample.alpha)
        plain = {
            "alpha": sample.alpha,
            "whole": sample.silhouette,
            "others": others.max(0) if len(others) else nobody,
            "mask": mask,
        }
        labels = {
            "parts": sample.parts,
            "behind": (sample.instances == 0).astype(np.uint8),
        }
        example = {
            "image": _planes(crop.extract(sample.image, GREY)),
            "front_albedo": _planes(crop.extract(sample.front_albedo)),
            "back_albedo": _planes(crop.extract(sample.back_albedo)),
            "front_normals": _planes(_nearest(crop, sample.front_normals)),
            "back_normals": _planes(_nearest(crop, sample.back_normals)),
            "depth": _planes(relative.astype(np.float16)),
            "body_normals": np.concatenate(
                [_planes(_signed_bytes(n)) for n in (body.front_normals, body.back_normals)]
            ),
            "body_depth": np.stack([body.front_depth, body.back_depth]).astype(np.float16),
            "covered": body.covered[None].astype(np.uint8),
            **{name: crop.extract(value)[None] for name, value in plain.items()},
            **{name: crop.extract(value, nearest=True)[None] for name, value in labels.items()},
            "inside": crop.inside(sample.size, sample.size)[None].astype(np.uint8),
            "gain": light_gain(sample),
        }
        return {name: np.ascontiguousarray(value) for name, value in example.items()}

    def _crop(
        self,
        sample: Sample,
        vertices: np.ndarray,
        camera: Camera,
        mask: np.ndarray,
        rng: np.random.Generator,
    ) -> MapsCrop:
        crop = person_crop(vertices, camera, mask, self.size)
        side, center = float(crop.side), np.array([crop.x, crop.y]) + crop.side / 2
        if rng.random() < self.zoomed:
            # As large as in the crops of the running network, which have more pixels.
            side *= np.exp(rng.uniform(*np.log(self.zoom)))
            rows, columns = np.nonzero(sample.silhouette > 127)
            if len(rows):
                k = int(rng.integers(len(rows)))
                center = np.array([columns[k], rows[k]], float)
        else:
            side *= np.exp(rng.uniform(-0.1, 0.2))
            center = center + rng.normal(0, 0.03, 2) * side
        left, top = np.round(center - side / 2).astype(int)
        return MapsCrop(int(left), int(top), max(8, round(side)), self.size)


def drawn(vertices: np.ndarray, camera: Camera, root: float, stature: float) -> BodyMaps:
    """The maps of a body of our model, in a crop's camera."""
    faces = body_model().faces
    normals = vertex_normals(vertices, faces)
    return draw_body(vertices, faces, normals, camera, root, stature)


def fitted_body(
    sample: Sample, observed: Observation | None, rng: np.random.Generator
) -> tuple[np.ndarray, Camera, float, float]:
    """Vertices in the camera frame, camera, depth of the root and stature, of the fit or, where
    nothing was observed, of the true body with errors of about the fit's."""
    model = body_model()
    if observed is not None:
        posed = model.forward(observed.betas, observed.pose, observed.translation)
        return (
            posed.vertices, observed.camera, float(observed.translation[2]), observed.height_m,
        )  # fmt: skip
    betas = sample.betas + rng.normal(0, _BETA_SD, len(sample.betas)) / (
        1 + np.arange(len(sample.betas))
    )
    pose = sample.pose + rng.normal(0, _POSE_SD, sample.pose.shape) * _active_joints()[:, None]
    shift = rng.normal(0, _PLACE_SD, 3) * [1, 1, 3]
    translation = sample.translation + shift
    posed = model.forward(betas, pose, translation)
    return posed.vertices, sample.camera, float(translation[2]), float(model.stature(betas))


@lru_cache(maxsize=1)
def _active_joints() -> np.ndarray:
    active = np.zeros(len(body_model().parents))
    active[body_model().active] = 1
    return active


def pipeline_mask(
    sample: Sample, observed: Observation | None, rng: np.random.Generator
) -> np.ndarray:
    """The matte (S, S) uint8 of the pipeline or, where nothing was observed, a bad copy of the
    truth: softened, its edge displaced, running over into neighbours."""
    if observed is not None:
        return observed.matte.full()
    size = sample.size
    alpha = sample.alpha.astype(np.float32) / 255
    if len(sample.people_alpha) > 1:
        claim = _noise(rng, size, 6) > rng.uniform(0.55, 1.1)
        alpha = np.maximum(alpha, sample.people_alpha[1:].max(0) / 255 * claim)
    soft = cv2.GaussianBlur(alpha.astype(np.float32), (0, 0), rng.uniform(0.004, 0.015) * size)
    level = 0.5 + 0.25 * (2 * _noise(rng, size, 8) - 1) + rng.normal(0, 0.06)
    return (255 / (1 + np.exp(-(soft - level) * rng.uniform(8, 25)))).astype(np.uint8)


def _noise(rng: np.random.Generator, size: int, cells: int) -> np.ndarray:
    """Smooth noise (S, S) float32 in 0..1."""
    grid = rng.random((cells, cells)).astype(np.float32)
    return np.clip(cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC), 0, 1)


def light_gain(sample: Sample) -> np.ndarray:
    """Linear light per linear albedo (3,) float32, the mean over the visible subject."""
    seen = sample.alpha > 200
    if not seen.any():
        return np.ones(3, np.float32)
    lit = (sample.image[seen] / 255.0) ** 2.2
    plain = (sample.front_albedo[seen] / 255.0) ** 2.2
    return np.clip(lit.mean(0) / np.maximum(plain.mean(0), 1e-3), 0.1, 5).astype(np.float32)


def _nearest(crop: MapsCrop, values: np.ndarray) -> np.ndarray:
    # OpenCV resizes no signed bytes.
    return crop.extract(values.view(np.uint8), nearest=True).view(np.int8)


def _signed_bytes(normals: np.ndarray) -> np.ndarray:
    return np.round(normals * 127).astype(np.int8)


def _planes(picture: np.ndarray) -> np.ndarray:
    return picture.transpose(2, 0, 1)
