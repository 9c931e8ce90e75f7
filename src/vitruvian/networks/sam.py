"""Segment Anything: encoder and decoder networks that the user brings as ONNX files.

Nothing of this family is shipped: weights, and their licence, are the user's. The exports in use
differ in names, shapes and in who scales the picture, so the two graphs are looked at and the
layout is told from them:

======================  ============================  ====================================
export                  encoder                       decoder
======================  ============================  ====================================
``segment-anything``,   (1, 3, 1024, 1024) padded at  ``point_coords`` (1, N, 2),
MobileSAM, HQ-SAM       right and bottom; or (H, W,   ``point_labels``, ``mask_input``,
                        3) of 0..255, normalised      ``has_mask_input``, ``orig_im_size``
                        inside
SAM 2, 2.1              (1, 3, 1024, 1024), the       the same names, or ``input_masks``,
                        picture stretched to it;      ``original_image_size``; wants all
                        three outputs                 three outputs
EfficientSAM            ``batched_images`` (1, 3, H,  ``batched_point_coords``
                        W) of 0..1, any size          (1, 1, N, 2), ``orig_im_size``
Hugging Face Optimum    ``pixel_values``              ``input_points`` (1, 1, N, 2),
                                                      ``input_labels``
======================  ============================  ====================================

Kirillov et al., "Segment Anything" (2023); Ravi et al., "SAM 2" (2024); Xiong et al.,
"EfficientSAM" (2023).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np

from vitruvian.compute import thread_count
from vitruvian.errors import InputError
from vitruvian.image.names import expanded
from vitruvian.networks.session import providers, session_options

if TYPE_CHECKING:
    import onnxruntime

DEFAULT_SIDE = 1024
# Labels of prompt points, as SAM numbers them.
BACKGROUND, FOREGROUND, BOX_START, BOX_END, PADDING = 0, 1, 2, 3, -1
# The mean and deviation that every SAM was trained with (ImageNet's), for 0..255.
_MEAN = np.array([123.675, 116.28, 103.53], np.float32)
_DEVIATION = np.array([58.395, 57.12, 57.375], np.float32)

_POINTS = ("point_coords", "batched_point_coords", "input_points", "points", "coords")
_LABELS = ("point_labels", "batched_point_labels", "input_labels", "labels")
_MASK = ("mask_input", "input_masks", "mask_inputs")
_HAS_MASK = ("has_mask_input", "has_input_masks", "has_mask_inputs")
_SIZE = ("orig_im_size", "original_image_size", "original_size", "orig_size")
_BOX = ("input_boxes", "box_coords", "boxes")
_PROMPTS = (*_POINTS, *_LABELS, *_MASK, *_HAS_MASK, *_SIZE, *_BOX)
_QUALITY = ("iou_predictions", "iou_scores", "scores", "iou")
# Low-resolution logits first: exports of the full-size ones freeze the shape of the picture they
# were traced with, so that they are right for landscape or for portrait only.
_MASKS = ("low_res_masks", "masks", "output_masks", "pred_masks")
_DTYPES: dict[str, type] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}

Fit = Literal["pad", "stretch", "free"]


@dataclass(frozen=True)
class SamEmbedding:
    """What the encoder made of a picture.

    Attributes:
        features: its outputs by name.
        size: (width, height) of the picture in pixels.
        frame: (width, height) of the grid in which prompts are given.
        scale: (x, y) grid units per pixel of the picture.
    """

    features: dict[str, np.ndarray]
    size: tuple[int, int]
    frame: tuple[int, int]
    scale: tuple[float, float]


@dataclass(frozen=True)
class SamMasks:
    """Candidates for what a prompt means.

    Attributes:
        logits: (M, h, w) float32, positive = inside.
        quality: (M,) float64 the network's guess of each candidate's IoU; NaN where the export
            does not tell.
        extent: (width, height) in pixels of the picture that the grid of ``logits`` spans from
            the picture's left top corner.
    """

    logits: np.ndarray
    quality: np.ndarray
    extent: tuple[float, float]


class Sam:
    """An encoder and a decoder of the SAM family.

    ``encode`` runs once per picture, ``decode`` once per prompt.
    """

    def __init__(self, encoder: str | Path, decoder: str | Path) -> None:
        """Load both files.

        Raises:
            InputError: a file is missing, is no ONNX graph, or is not what it is given as.
        """
        self.encoder_path, self.decoder_path = Path(encoder), Path(decoder)
        self._encoder = _session(self.encoder_path, "encoder")
        self._decoder = _session(self.decoder_path, "decoder")
        self._look_at_encoder()
        self._look_at_decoder()

    def _look_at_encoder(self) -> None:
        inputs = self._encoder.get_inputs()
        names = {i.name for i in inputs}
        if names & {*_POINTS, *_LABELS}:
            whole = any(len(i.shape) >= 3 and 3 in (i.shape[1], i.shape[-1]) for i in inputs)
            remedy = (
                "export encoder and decoder to a file each"
                if whole and not names & {"image_embeddings", "image_embed"}
                else "exchange the two files"
            )
            raise InputError(
                f"The SAM encoder {self.encoder_path} asks for points as a decoder does: {remedy}."
            )
        picture = inputs[0]
        shape = picture.shape
        if len(inputs) != 1 or len(shape) not in (3, 4) or picture.type not in _DTYPES:
            raise InputError(
                f"The SAM encoder {self.encoder_path} does not take one picture: give it the file "
                "of the image encoder."
            )
        self._picture = picture
        channels_first = shape[-3] == 3 if len(shape) == 4 else shape[0] == 3
        if not channels_first and shape[-1] != 3:
            raise InputError(
                f"The SAM encoder {self.encoder_path} takes a tensor of {list(shape)} instead of "
                "a colour picture: give it the file of the image encoder."
            )
        self._channels_first = channels_first
        sides = shape[-2:] if channels_first else shape[-3:-1]
        self._fixed = (
            (int(sides[1]), int(sides[0])) if all(isinstance(s, int) for s in sides) else None
        )

    def _look_at_decoder(self) -> None:
        inputs = {i.name: i for i in self._decoder.get_inputs()}
        self._points = _one_of(inputs, _POINTS)
        self._labels = _one_of(inputs, _LABELS)
        if self._points is None or self._labels is None:
            raise InputError(
                f"The SAM decoder {self.decoder_path} takes no points with labels: give it the "
                "file of the prompt and mask decoder."
            )
        self._inputs = inputs
        self._feature_of = self._matched(
            [name for name in inputs if name not in _PROMPTS], self._encoder.get_outputs()
        )
        if self._points == "batched_point_coords":
            self.fit: Fit = "free"
        elif len(self._feature_of) >= 3 or any(
            n.startswith(("high_res_feats", "image_features")) for n in self._feature_of
        ):
            self.fit = "stretch"
        else:
            self.fit = "pad"
        # The prompt encoder of Hugging Face knows boxes only as an input of their own.
        self._corners = self._points != "input_points"
        outputs = {o.name: o for o in self._decoder.get_outputs()}
        masks = _one_of(outputs, _MASKS)
        if masks is None:
            deep = [o.name for o in outputs.values() if len(o.shape) >= 4]
            if not deep:
                raise InputError(
                    f"The SAM decoder {self.decoder_path} yields no masks: give it the file of "
                    "the prompt and mask decoder."
                )
            masks = deep[0]
        self._masks_name, self._quality_name = masks, _one_of(outputs, _QUALITY)

    def _matched(self, wanted: list[str], offered: list[Any]) -> dict[str, str]:
        """Encoder output for each of the decoder's inputs: by name, else by shape."""
        free = {o.name: o for o in offered}
        out = {name: name for name in wanted if name in free}
        for name in out:
            del free[name]
        for name in wanted:
            if name in out:
                continue
            shape = self._inputs[name].shape
            fits = [o.name for o in free.values() if _same_shape(shape, o.shape)]
            if not fits:
                raise InputError(
                    f"The SAM decoder {self.decoder_path} asks for {name!r}, which the encoder "
                    f"{self.encoder_path} does not yield: give two files of one export."
                )
            out[name] = fits[0]
            del free[fits[0]]
        return out

    @property
    def takes_boxes(self) -> bool:
        """Whether a prompt may hold a box."""
        return self._corners or _one_of(self._inputs, _BOX) is not None

    def encode(self, image: np.ndarray) -> SamEmbedding:
        """The embedding of an (H, W, 3) uint8 RGB picture.

        Raises:
            InputError: the graph refuses the picture.
        """
        height, width = image.shape[:2]
        if self.fit == "stretch":
            frame = self._fixed or (DEFAULT_SIDE, DEFAULT_SIDE)
            new = frame
        else:
            inner = self._fixed or (DEFAULT_SIDE, DEFAULT_SIDE)
            ratio = min(inner[0] / width, inner[1] / height)
            if self.fit == "free" and self._fixed is None:
                ratio = min(ratio, 1.0)
            new = (max(round(width * ratio), 1), max(round(height * ratio), 1))
            frame = inner
            if self.fit == "free":
                frame = new
            elif len(self._picture.shape) == 3:  # padded inside, to a square
                frame = (DEFAULT_SIDE, DEFAULT_SIDE)
        shrinks = new[0] < width
        small = cv2.resize(
            image, new, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        tensor = self._tensor(small)
        names = [o.name for o in self._encoder.get_outputs()]
        values = self._run(self._encoder, names, {self._picture.name: tensor}, self.encoder_path)
        return SamEmbedding(
            dict(zip(names, values, strict=True)),
            (width, height),
            frame,
            (new[0] / width, new[1] / height),
        )

    def _tensor(self, small: np.ndarray) -> np.ndarray:
        """The encoder's input of a picture (h, w, 3) uint8 that already has its size in it."""
        kind = _DTYPES[self._picture.type]
        values: np.ndarray
        inside = kind == np.uint8 or len(self._picture.shape) == 3 or not self._channels_first
        if self.fit == "free":
            values = small.astype(np.float32) / 255
        elif inside:  # normalised by the graph
            values = small.astype(np.float32)
        else:
            values = (small.astype(np.float32) - _MEAN) / _DEVIATION
        if self._fixed is not None:
            padded = np.zeros((self._fixed[1], self._fixed[0], 3), np.float32)
            padded[: small.shape[0], : small.shape[1]] = values
            values = padded
        if self._channels_first:
            values = values.transpose(2, 0, 1)
        if len(self._picture.shape) == 4:
            values = values[None]
        return np.ascontiguousarray(values, dtype=kind)

    def decode(
        self,
        embedding: SamEmbedding,
        points: np.ndarray,
        labels: np.ndarray,
        box: np.ndarray | None = None,
    ) -> SamMasks:
        """Candidate masks for a prompt.

        Args:
            embedding: of the picture.
            points: (N, 2) continuous pixels of the picture, the most telling first; exports that
                take only so many drop the last.
            labels: (N,) ``FOREGROUND`` or ``BACKGROUND``.
            box: (4,) x0, y0, x1, y1 in pixels, or None.

        Raises:
            InputError: the graph refuses the prompt.
        """
        coords = np.asarray(points, np.float64).reshape(-1, 2)
        kinds = np.asarray(labels, np.float64).reshape(-1)
        own_box = _one_of(self._inputs, _BOX)
        if box is not None and own_box is None and self._corners:
            coords = np.concatenate([np.asarray(box, np.float64).reshape(2, 2), coords])
            kinds = np.concatenate([[BOX_START, BOX_END], kinds])
        # In SAM's own coordinates the middle of a pixel is a whole number.
        coords = coords * embedding.scale - 0.5
        if self.fit == "pad" and self._corners and (box is None or own_box is not None):
            coords = np.concatenate([coords, np.zeros((1, 2))])
            kinds = np.concatenate([kinds, [PADDING]])
        feed = {name: embedding.features[output] for name, output in self._feature_of.items()}
        for name, spec in self._inputs.items():
            if name in feed:
                continue
            value = self._prompt(name, embedding, coords, kinds, box)
            feed[name] = np.ascontiguousarray(value, dtype=_DTYPES.get(spec.type, np.float32))
        names = [self._masks_name] + ([self._quality_name] if self._quality_name else [])
        values = self._run(self._decoder, names, feed, self.decoder_path)
        logits = np.asarray(values[0], np.float32)
        logits = logits.reshape(-1, *logits.shape[-2:])
        quality = np.full(len(logits), np.nan)
        if self._quality_name and np.size(values[1]) == len(logits):
            quality = np.asarray(values[1], np.float64).reshape(-1)
        return SamMasks(logits, quality, self._extent(embedding, logits.shape[-2:]))

    def _prompt(
        self,
        name: str,
        embedding: SamEmbedding,
        coords: np.ndarray,
        kinds: np.ndarray,
        box: np.ndarray | None,
    ) -> np.ndarray:
        rank = len(self._inputs[name].shape)
        if name == self._points:
            return coords.reshape((1,) * (rank - 2) + coords.shape)
        if name == self._labels:
            return kinds.reshape((1,) * (rank - 1) + kinds.shape)
        if name in _SIZE:
            width, height = self._asked_size(embedding)
            return np.array([height, width])
        if name in _MASK:
            shape = [s if isinstance(s, int) and s > 0 else 1 for s in self._inputs[name].shape]
            free = (1, 1, embedding.frame[1] // 4, embedding.frame[0] // 4)
            sizes = self._inputs[name].shape
            for axis in (2, 3):
                if rank == 4 and not isinstance(sizes[axis], int):
                    shape[axis] = free[axis]
            return np.zeros(shape)
        if name in _BOX:
            corners = np.array([0, 0, *embedding.size]) if box is None else np.asarray(box)
            scaled = corners * np.tile(embedding.scale, 2) - 0.5
            return scaled.reshape((1,) * (rank - 1) + (4,))
        return np.zeros(
            [s if isinstance(s, int) and s > 0 else 1 for s in self._inputs[name].shape]
        )

    def _asked_size(self, embedding: SamEmbedding) -> tuple[int, int]:
        # Of EfficientSAM's picture, to which its points refer; else of the user's.
        return embedding.frame if self.fit == "free" else embedding.size

    def _extent(self, embedding: SamEmbedding, grid: tuple[int, ...]) -> tuple[float, float]:
        """What the grid (h, w) of masks spans, in pixels of the picture."""
        width, height = embedding.size
        full = any(name in _SIZE for name in self._inputs) and self._masks_name != "low_res_masks"
        if self.fit != "pad" or (full and grid == (height, width)):
            return float(width), float(height)
        return embedding.frame[0] / embedding.scale[0], embedding.frame[1] / embedding.scale[1]

    @staticmethod
    def _run(
        session: onnxruntime.InferenceSession,
        outputs: list[str],
        feed: dict[str, np.ndarray],
        path: Path,
    ) -> list[np.ndarray]:
        try:
            values: list[np.ndarray] = session.run(outputs, feed)
        except Exception as error:  # ONNX Runtime raises its own, undocumented types
            raise InputError(
                f"The SAM network {path} fails on its input: export it as docs/sam.md says."
            ) from error
        return values


def load_sam(encoder: str | Path, decoder: str | Path) -> Sam:
    """The networks of two files, loaded once as long as neither changes.

    Raises:
        InputError: as ``Sam``.
    """
    return _loaded(*_stamped(encoder), *_stamped(decoder), thread_count())


def _stamped(file: str | Path) -> tuple[str, int]:
    path = expanded(file)
    return str(path), path.stat().st_mtime_ns if path.is_file() else 0


@lru_cache(maxsize=1)
def _loaded(encoder: str, _made: int, decoder: str, _also_made: int, _threads: int) -> Sam:
    return Sam(encoder, decoder)


def _session(path: Path, role: str) -> onnxruntime.InferenceSession:
    import onnxruntime

    if not path.is_file():
        raise InputError(f"There is no SAM {role} {path}: give the path of an ONNX file.")
    try:
        return onnxruntime.InferenceSession(
            os.fspath(path), session_options(), providers=providers()
        )
    except Exception as error:  # ONNX Runtime raises its own, undocumented types
        raise InputError(
            f"The SAM {role} {path} is not a readable ONNX network: export it as docs/sam.md says."
        ) from error


def _one_of(present: dict[str, Any], names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in present), None)


def _same_shape(a: list[Any], b: list[Any]) -> bool:
    """Whether two shapes agree where both are numbers."""
    if len(a) != len(b):
        return False
    return all(
        x == y for x, y in zip(a, b, strict=True) if isinstance(x, int) and isinstance(y, int)
    )
