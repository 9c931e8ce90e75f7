"""Simulate the sensor: exposure, white balance, blur, noise, tone curve, JPEG."""

from __future__ import annotations

import cv2
import numpy as np

from vitruvian.image.color import srgb_encoded

CURVE_STEPS = 16384
BRIGHTEST = 4.0  # linear light that is white whatever the curve


def photograph(
    rng: np.random.Generator,
    linear: np.ndarray,
    weight: np.ndarray,
    *,
    grain: np.random.Generator | None = None,
) -> np.ndarray:
    """A picture (H, W, 3) uint8 sRGB of linear light (H, W, 3).

    ``weight`` (H, W): where exposure is metered, the person. Blur, noise and compression are mild
    in most pictures and strong in some. ``grain``: what the noise is drawn from, so that the frames
    of a clip share all but that; None draws it from ``rng``.
    """
    luminance = linear @ np.array([0.25, 0.65, 0.1], np.float32)
    metered = float((luminance * weight).sum() / max(float(weight.sum()), 1e-6))
    metered = 0.6 * metered + 0.4 * float(luminance.mean())
    exposure = float(np.exp(rng.normal(np.log(0.24), 0.35))) / max(metered, 1e-3)
    balance = 1 + rng.normal(0, 0.05, 3)
    out = linear * (exposure * balance).astype(np.float32)
    if rng.random() < 0.35:
        sigma = float(np.abs(rng.normal(0, 0.9))) * len(out) / 512
        if sigma > 0.15:
            out = cv2.GaussianBlur(out, (0, 0), sigma)
    if rng.random() < 0.1:
        out = _motion(rng, out)
    shot = float(np.exp(rng.uniform(np.log(0.002), np.log(0.035))))
    noise = (rng if grain is None else grain).standard_normal(out.shape).astype(np.float32)
    if rng.random() < 0.5:
        noise = cv2.GaussianBlur(noise, (0, 0), 0.7) * 1.8
    noise *= np.sqrt(np.maximum(out, 0) + 0.02)
    out = out + noise * shot
    knee = float(rng.uniform(0.55, 0.95))
    contrast = float(rng.uniform(-0.08, 0.12)) if rng.random() < 0.4 else 0.0
    root = np.sqrt(np.clip(out, 0, BRIGHTEST)) * (CURVE_STEPS / np.sqrt(np.float32(BRIGHTEST)))
    image = tone_curve(knee, contrast)[np.round(root).astype(np.int32)]
    if rng.random() < 0.6:
        quality = int(rng.integers(35, 96))
        _, code = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR))[..., ::-1]
    return np.ascontiguousarray(image)


def tone_curve(knee: float, contrast: float) -> np.ndarray:
    """sRGB bytes (CURVE_STEPS + 1,) of light whose square roots take even steps to the brightest.

    Highlights roll off from ``knee`` on; ``contrast`` bends the curve around its middle.
    """
    linear = np.linspace(0, np.sqrt(BRIGHTEST), CURVE_STEPS + 1) ** 2
    over = np.maximum(linear - knee, 0)
    rolled = np.minimum(linear, knee) + (1 - knee) * (1 - np.exp(-over / (1 - knee)))
    curve = srgb_encoded(np.clip(rolled, 0, 1))
    curve = curve + contrast * np.sin(2 * np.pi * (curve - 0.5)) / 2
    return np.clip(np.round(curve * 255), 0, 255).astype(np.uint8)


def _motion(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    length = max(2, round(float(rng.uniform(0.004, 0.015)) * len(image)))
    kernel = np.zeros((2 * length + 1, 2 * length + 1), np.float32)
    angle = rng.uniform(0, np.pi)
    for t in np.linspace(-length / 2, length / 2, 4 * length):
        kernel[round(length + t * np.sin(angle)), round(length + t * np.cos(angle))] += 1
    return cv2.filter2D(image, -1, kernel / kernel.sum())
