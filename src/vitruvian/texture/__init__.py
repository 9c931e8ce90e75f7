"""Colour for every side of a surface, from the photograph."""
