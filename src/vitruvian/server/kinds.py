"""What a job makes, and what a result is."""

from __future__ import annotations

PHOTO = "photo"  # the people of one photograph, in 3D
VIDEO = "video"  # the people of a video, in motion
MEASURES = "measures"  # somebody's measures, from two pictures
