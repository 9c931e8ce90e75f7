"""The pretrained networks: one small class each over ONNX Runtime, weights beside them."""

from vitruvian.networks.blazepose import BlazePose, BlazePoseOutput
from vitruvian.networks.movenet import MoveNet, MoveNetPeople
from vitruvian.networks.nanodet import NanoDet
from vitruvian.networks.session import (
    providers,
    verify_weights,
    warm_up,
    weights_manifest,
)

__all__ = [
    "BlazePose",
    "BlazePoseOutput",
    "MoveNet",
    "MoveNetPeople",
    "NanoDet",
    "providers",
    "verify_weights",
    "warm_up",
    "weights_manifest",
]
