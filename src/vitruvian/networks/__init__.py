"""The neural networks, one small class each, over ONNX Runtime."""
