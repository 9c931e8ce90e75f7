"""Rotations, meshes and the rasteriser; knows nothing of people."""
