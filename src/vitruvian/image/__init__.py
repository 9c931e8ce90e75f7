"""Pictures: decoding with limits, orientation, colour, and the camera that took them."""
