"""Bake pictures of light (EXR, latitude and longitude) into the lights of synthetic people.

    python scripts/bake_environments.py FOLDER

Of each picture, what is very bright becomes one lamp and the rest nine coefficients of irradiance
(Ramamoorthi and Hanrahan, 2001). The result is `src/vitruvian/lab/synthesis/environments.npz`.
Needs the package OpenEXR.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import OpenEXR

from vitruvian.lab.synthesis.lights import quadratic

OUTPUT = Path(__file__).parents[1] / "src/vitruvian/lab/synthesis/environments.npz"
LAMP_DEG = 12  # from the brightest direction
LAMP_TIMES = 6  # as bright as the average: what is more belongs to the lamp


def main() -> None:
    """Bake every ``.exr`` of the folder."""
    paths = sorted(Path(sys.argv[1]).glob("*.exr"))
    if not paths:
        sys.exit(f"There are no .exr files in {sys.argv[1]}.")
    baked = [bake(pixels_of(path)) for path in paths]
    harmonics, directions, colors = (
        np.stack(one).astype(np.float32) for one in zip(*baked, strict=True)
    )
    np.savez(
        OUTPUT,
        name=np.array([path.stem for path in paths]),
        harmonics=harmonics,
        lamp_directions=directions,
        lamp_colors=colors,
    )


def pixels_of(path: Path) -> np.ndarray:
    """Linear RGB (H, W, 3) float32."""
    return np.asarray(OpenEXR.File(str(path)).channels()["RGB"].pixels, np.float32)


def bake(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Harmonics (9, 3) as of ``lights.Light`` about y up, direction (3,) and colour (3,) of the
    lamp; scaled so that a surface facing it gets light of about 1."""
    height, width = pixels.shape[:2]
    polar = (np.arange(height) + 0.5) / height * np.pi
    around = (np.arange(width) + 0.5) / width * 2 * np.pi
    toward = np.stack(
        np.broadcast_arrays(
            np.sin(polar)[:, None] * np.cos(around),
            np.cos(polar)[:, None],
            np.sin(polar)[:, None] * np.sin(around),
        ),
        2,
    )
    area = np.sin(polar)[:, None, None] * (np.pi / height) * (2 * np.pi / width)
    luminance = pixels @ [0.25, 0.65, 0.1]
    limit = LAMP_TIMES * float((luminance[..., None] * area).sum() / (4 * np.pi))
    power = (np.maximum(luminance - limit, 0)[..., None] * area)[..., 0]
    peak = toward.reshape(-1, 3)[power.argmax()]
    near = toward @ peak > np.cos(np.deg2rad(LAMP_DEG))
    excess = np.maximum(1 - limit / np.maximum(luminance, 1e-6), 0) * near
    lamp = (pixels * excess[..., None] * area).sum((0, 1)) / np.pi
    mean = ((power * near)[..., None] * toward).sum((0, 1)) + 1e-9 * peak
    direction = mean / np.linalg.norm(mean)
    rest = (pixels * (1 - excess[..., None]) * area).reshape(-1, 3)
    normals = np.random.default_rng(0).standard_normal((200, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    cosine = np.maximum(normals @ toward.reshape(-1, 3).T, 0)
    harmonics = np.linalg.lstsq(quadratic(normals), cosine @ rest / np.pi, rcond=None)[0]
    scale = 1 / float((harmonics[0] + 0.5 * lamp).mean())
    return harmonics * scale, direction, lamp * scale


if __name__ == "__main__":
    main()
