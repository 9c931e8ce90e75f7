"""Two learnt corrections of a person's occupancy: at single points, and as Fourier series of rays.

Both are given the same (``fields.inputs``) and say how the clothed surface at hand is
wrong. See ``docs/experiments/learnt-fields.md`` for how they compare.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vitruvian.networks.session import trained_session

# What is known of a pixel, see ``fields.inputs``: alpha, distance to the outline; normals and
# depths of front and back, of the maps network and of the fitted body; where the body is; skin,
# clothes of trunk and legs, hair and accessories; front, back and layers of the surface at hand.
PICTURES = (
    "alpha", "rim",
    "front_x", "front_y", "front_z", "back_x", "back_y", "back_z", "front_depth", "back_depth",
    "body_front_x", "body_front_y", "body_front_z", "body_back_x", "body_back_y", "body_back_z",
    "body_front_depth", "body_back_depth", "covered",
    "skin", "upper", "lower", "other",
    "front", "back", "layers",
)  # fmt: skip
# What is known of a point on a pixel's ray; depths are in statures, those ``to_`` positive inside.
POINT_FEATURES = (
    "signed", "to_front", "to_back", "to_layer_front", "to_layer_back", "first_layer", "layers",
    "to_body_front", "to_body_back", "body_distance", "body_x", "body_y", "body_z",
    "to_network_front", "to_network_back",
    "front_x", "front_y", "front_z", "back_x", "back_y", "back_z", "front_turn", "back_turn",
    "alpha", "rim", "covered", "skin", "upper", "lower", "other", "height", "depth",
)  # fmt: skip
TERMS = 16  # of the Fourier series: a constant and 15 cosines
GAIN = 10.0  # of lengths in statures among the features of a point
SOFTNESS = 0.008  # statures by which the surface moves per unit of a point's correction
MOST_CORRECTION = 6.0
SIZE = 96  # side of the pictures that the Fourier network is given
STRIDE = 8


class _Exported:
    """A network that ``vitruvian train`` has exported; none is shipped."""

    def __init__(self, file: Path) -> None:
        """Args: file: ONNX."""
        self._session = trained_session(file)

    def _run(self, inputs: np.ndarray, output: str) -> np.ndarray:
        found: np.ndarray = self._session.run([output], {"inputs": inputs})[0]
        return found


class LocalField(_Exported):
    """An MLP on local features of a point, as in ICON (Xiu et al., CVPR 2022).

    Input: (N, 32) float32, ``POINT_FEATURES``. Output ``correction`` (N,) float32: what is added
    to signed distance / ``SOFTNESS`` of the surface at hand to give the logit of occupancy.
    """

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Corrections (N,) of points with features (N, 32)."""
        if features.ndim != 2 or features.shape[1] != len(POINT_FEATURES):
            raise ValueError(f"expected (N, {len(POINT_FEATURES)}) features, got {features.shape}")
        return self._run(np.ascontiguousarray(features, np.float32), "correction")


class FourierField(_Exported):
    """Fourier occupancy field (Feng et al., NeurIPS 2022) as a residual.

    Input: (1, 42, H, W) float32, ``PICTURES`` and the coefficients of the surface at hand; H and W
    are multiples of 8. Output ``residual`` (1, 16, H, W) float32: what is added to those.
    """

    def __call__(self, pictures: np.ndarray, series: np.ndarray) -> np.ndarray:
        """Residual coefficients (16, H, W).

        Args:
            pictures: (26, H, W), see ``PICTURES``.
            series: (16, H, W) of the surface at hand.
        """
        inputs = np.concatenate([pictures, series])
        if inputs.shape[0] != len(PICTURES) + TERMS or any(n % STRIDE for n in inputs.shape[1:]):
            raise ValueError(
                f"expected ({len(PICTURES) + TERMS}, {STRIDE} n, {STRIDE} m) inputs, "
                f"got {inputs.shape}"
            )
        return self._run(np.ascontiguousarray(inputs[None], np.float32), "residual")[0]


def span_series(entries: np.ndarray, exits: np.ndarray) -> np.ndarray:
    """Cosine coefficients (16, ...) float32 of occupancy along rays.

    Occupancy of t in 0..1 is 1 within the spans. Its even continuation has no jump where the range
    ends, so cosines of half periods do: c_0 + sum of c_n cos(n pi t).

    Args:
        entries, exits: (K, ...) in 0..1, equal where there is no span.
    """
    out = np.empty((TERMS, *entries.shape[1:]), np.float32)
    out[0] = (exits - entries).sum(0)
    for n in range(1, TERMS):
        turn = np.pi * n
        out[n] = (2 / turn) * (np.sin(turn * exits) - np.sin(turn * entries)).sum(0)
    return out


def series_basis(t: np.ndarray) -> np.ndarray:
    """The cosines (16, D) float32 at places t (D,) of 0..1; their sum with coefficients is
    occupancy."""
    return np.cos(np.pi * np.arange(TERMS)[:, None] * t).astype(np.float32)
