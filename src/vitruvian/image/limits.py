"""What a picture may be, checked before anything is decoded."""

from __future__ import annotations

# A camera's JPEG stays below 40 MB; above this it is an archive, a video or an attack.
MAX_BYTES = 64 * 1024 * 1024

# Checked against the size that the header declares, so that a few hundred bytes cannot ask for
# gigabytes of memory.
MAX_PIXELS = 100_000_000

# No network sees a person at more than a few hundred pixels, and the atlas is 1024 px: more than
# this only costs memory. Larger pictures are reduced while they are decoded.
MAX_WORKING_SIDE = 4096

# Below this there is no person to find.
MIN_SIDE = 32

# A picture counts as cropped after the exposure, and its EXIF lens as void, when the aspect that
# EXIF declares and the real one differ by more than this ratio.
MAX_ASPECT_CHANGE = 1.02

# Focal length over the picture's long side that a lens can have: a 10 mm ultra-wide to an 800 mm
# telephoto, both in 35 mm terms. Anything else is a wrong tag.
FOCAL_PER_LONG_SIDE = (0.28, 22.0)
