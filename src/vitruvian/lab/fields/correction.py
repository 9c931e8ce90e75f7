"""A learnt field in place of the clothed surface's own: what the networks say, as a volume."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vitruvian.errors import WeightsError
from vitruvian.lab.fields.inputs import (
    FieldInputs,
    field_inputs,
    point_features,
    resized_series,
    signed_along_ray,
    square_camera,
)
from vitruvian.lab.fields.networks import (
    MOST_CORRECTION,
    SIZE,
    SOFTNESS,
    FourierField,
    LocalField,
    series_basis,
    span_series,
)
from vitruvian.networks.maps import PersonMaps
from vitruvian.surface.clothed import clothed_mesh
from vitruvian.surface.envelope.inflated_body import inflated_body
from vitruvian.surface.maps import network_maps, normals_alone
from vitruvian.surface.volume.clothed_spans import ClothedSpans
from vitruvian.surface.volume.field import TRUNCATION_VOXELS
from vitruvian.surface.volume.volume import Volume
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha, Figure
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo

BAND = 0.035  # statures on either side of the surface at hand in which points are asked about


@dataclass(frozen=True)
class Correction:
    """Corrects the volume of one person; an argument of ``clothed_mesh``.

    Attributes:
        network: of either kind, or None to correct nothing.
        alpha: the person's matte; camera: of the photograph that it belongs to.
        maps: what the maps network says.
        body: fitted.
    """

    network: LocalField | FourierField | None
    alpha: Alpha
    camera: Camera
    maps: PersonMaps
    body: Body

    def __call__(self, volume: Volume, clothed: ClothedSpans) -> Volume:
        """The corrected volume; arguments as ``surface.clothed.Correction``.

        The outline is the matte's and stays: no network is asked about it.
        """
        if self.network is None:
            return volume
        grid, field = volume.grid, volume.field
        here = self.inputs(clothed, grid.camera)
        depth = (grid.near_m + grid.step_m * np.arange(grid.slices) - here.root_m) / here.stature_m
        truncation = TRUNCATION_VOXELS * grid.step_m / here.stature_m
        if isinstance(self.network, LocalField):
            out = local_field(self.network, here, field, depth, truncation)
        else:
            square = square_camera(here.body, self.alpha, self.camera, SIZE)
            there = self.inputs(clothed, square)
            delta = fourier_residual(self.network, there, here, depth)
            out = np.clip(field + 2 * delta, -1, 1)
        out = np.maximum(out, kept_core(here, depth, truncation))
        limit = here.picture("rim") / truncation
        out = np.minimum(out, np.clip(limit, -1, 1)[..., None])
        out[[0, -1]], out[:, [0, -1]], out[:, :, [0, -1]] = -1, -1, -1
        return replace(volume, field=np.ascontiguousarray(out, np.float32))

    def inputs(self, clothed: ClothedSpans, camera: Camera) -> FieldInputs:
        """What the networks are told, in a window of the photograph."""
        return field_inputs(
            clothed.spans,
            clothed.rim_m,
            clothed.window,
            camera,
            alpha=self.alpha,
            photo_camera=self.camera,
            maps=self.maps,
            body=self.body.as_mesh(),
            root_m=float(self.body.translation[2]),
            stature_m=self.body.height_m,
        )


def kept_core(inputs: FieldInputs, depth: np.ndarray, truncation: float) -> np.ndarray:
    """The field (H, W, D) of the surface at hand with its layers half as thick.

    Networks may not go below it: where an arm is in doubt, all its places are improbable, and none
    would be occupied. An arm in the wrong place is better than none.

    Args:
        inputs: of the volume's pixels.
        depth: (D,) of the slices, statures behind the root.
        truncation: statures.
    """
    entries, exits = inputs.layers
    quarter = 0.25 * (exits - entries)
    core = np.stack([entries + quarter, exits - quarter])
    out = layers_field(core, depth, truncation)
    out[~inputs.covered] = -1
    return out


def layers_field(layers: np.ndarray, depth: np.ndarray, truncation: float) -> np.ndarray:
    """The field (H, W, D) float32 in -1..1 of layers (2, K, H, W) alone: distance along the ray.

    Args:
        layers: entries and exits, equal where there is no layer.
        depth: (D,) of the slices; truncation: both in the layers' unit.
    """
    out = np.full((*layers.shape[2:], len(depth)), -1, np.float32)
    for entry, end in zip(*layers[..., None], strict=True):
        signed = np.minimum(depth - entry, end - depth) / truncation
        out = np.maximum(out, np.where(end > entry, signed, -1))
    return np.minimum(out, 1).astype(np.float32)


def corrected_surface(
    network: LocalField | FourierField | None, photo: Photo, figure: Figure, body: Body
) -> Mesh:
    """A person's surface as from ``surface.reconstruct_surface``, of a volume that a network
    corrects; None corrects nothing.

    Raises:
        WeightsError: the maps network's weights are absent.
    """
    seen = network_maps(photo, figure, body)
    if seen is None:
        raise WeightsError("The maps network's weights are absent: train it first.")
    return clothed_mesh(
        body.model,
        inflated_body(photo, figure, body),
        figure.alpha,
        photo.camera,
        fitted=body.as_mesh(),
        maps=normals_alone(*seen, body, photo.camera),
        correction=Correction(network, figure.alpha, photo.camera, seen[0], body),
    )


def local_field(
    network: LocalField,
    inputs: FieldInputs,
    field: np.ndarray,
    depth: np.ndarray,
    truncation: float,
) -> np.ndarray:
    """The field moved by the network's corrections, in a band around the surface at hand.

    Args:
        network: asked once, about all points.
        inputs: of the volume's own pixels.
        field: (H, W, D) in -1..1, a share of ``truncation``.
        depth: (D,) of the slices, statures behind the root.
        truncation: statures.
    """
    rows, columns = np.nonzero(inputs.covered)
    count = len(depth)
    rows, columns = np.repeat(rows, count), np.repeat(columns, count)
    depths = np.tile(depth, len(rows) // count)
    signed = signed_along_ray(inputs, rows, columns, depths)
    slices = np.tile(np.arange(count), len(rows) // count)
    near = np.abs(signed) < BAND
    rows, columns, slices, signed = rows[near], columns[near], slices[near], signed[near]
    features = point_features(inputs, rows, columns, depth[slices].astype(np.float32))
    moved = np.clip(network(features), -MOST_CORRECTION, MOST_CORRECTION) * SOFTNESS
    # The field is the mean over several rays and finer than the distance, where it is not cut off.
    own = field[rows, columns, slices]
    exact = np.where(np.abs(own) < 1, own * truncation, signed)
    out = field.copy()
    out[rows, columns, slices] = np.clip((exact + moved) / truncation, -1, 1)
    return out


def fourier_residual(
    network: FourierField, inputs: FieldInputs, target: FieldInputs, depth: np.ndarray
) -> np.ndarray:
    """What the network adds to occupancy (H, W, D) float32 along the rays of another window.

    Args:
        network: asked once.
        inputs: of a square window whose side is a multiple of 8 pixels.
        target: of the window wanted.
        depth: (D,) of the slices, statures behind the root.
    """
    series = span_series(*inputs.in_range(inputs.layers))
    residual = network(inputs.pictures, series)
    if target is not inputs:
        residual = resized_series(residual, inputs.camera, target.camera)
    basis = series_basis(inputs.in_range(depth))
    out = np.tensordot(residual, basis, axes=(0, 0))
    return np.asarray(out * target.covered[..., None], np.float32)
