"""From the volume's raw surface to a mesh that is light, dressed and rigged."""
